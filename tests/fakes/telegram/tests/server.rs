//! The stand-in over HTTP: how it sends updates, lets itself be asked for them, and counts.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode, routing::post};
use chatport_fake_telegram::{Answered, ChatKind, FakeTelegram, Options};
use http::{Request, header};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Somebody who is called: what came, and what is answered next.
#[derive(Clone, Default)]
struct Hook {
    got: Arc<Mutex<Vec<(String, Value)>>>,
    answers: Arc<Mutex<Vec<(u16, Value)>>>,
}

impl Hook {
    async fn listen(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let router = Router::new().route("/hook", post(take)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    fn answer(&self, status: u16, body: Value) {
        self.answers.lock().expect("no panic").push((status, body));
    }

    async fn gets(&self, number: usize) -> Vec<(String, Value)> {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let got = self.got.lock().expect("no panic").clone();
            if got.len() >= number {
                return got;
            }
            assert!(Instant::now() < deadline, "{got:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn take(State(hook): State<Hook>, headers: HeaderMap, body: Bytes) -> (StatusCode, String) {
    let secret = headers.get("x-telegram-bot-api-secret-token").and_then(|value| value.to_str().ok());
    let update = serde_json::from_slice(&body).expect("JSON");
    hook.got.lock().expect("no panic").push((secret.unwrap_or_default().to_owned(), update));
    let (status, body) = hook.answers.lock().expect("no panic").pop().unwrap_or((200, Value::Null));
    (StatusCode::from_u16(status).expect("a status"), body.to_string())
}

/// Call a method over HTTP; status, `Retry-After` and body.
async fn call(server: &FakeTelegram, token: &str, method: &str, body: Value) -> (u16, Option<String>, Value) {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let request = Request::post(format!("{}/bot{token}/{method}", server.url()))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::<Bytes>::new(body.to_string().into()))
        .expect("a request");
    let response = client.request(request).await.expect("an answer");
    let wait = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    (status, wait, serde_json::from_slice(&body).unwrap_or_default())
}

async fn server() -> (FakeTelegram, String) {
    let server = FakeTelegram::start(Options::local()).await;
    let token = server.add_bot("OnCall");
    server.add_user("Ada");
    (server, token)
}

#[tokio::test]
async fn an_update_is_sent_with_the_secret_until_it_is_taken() {
    let (server, token) = server().await;
    let hook = Hook::default();
    let url = hook.listen().await;
    hook.answer(503, Value::Null);
    let webhook = json!({ "url": url, "secret_token": "s3cret" });
    assert_eq!(call(&server, &token, "setWebhook", webhook).await.0, 200);
    server.start_bot("Ada", &token, "CODE");
    let got = hook.gets(2).await;
    assert!(got.iter().all(|(secret, _)| secret == "s3cret"));
    assert_eq!((&got[0].1, &got[1].1["message"]["text"]), (&got[1].1, &json!("/start CODE")));
    let (_, _, info) = call(&server, &token, "getWebhookInfo", json!({})).await;
    assert!(info["result"]["last_error_message"].as_str().is_some_and(|words| words.contains("503")), "{info}");
}

#[tokio::test]
async fn an_answer_may_be_a_call() {
    let (server, token) = server().await;
    server.start_bot("Ada", &token, "");
    let ada = server.user_id("Ada");
    let keyboard = json!({ "inline_keyboard": [[{ "text": "Ack", "callback_data": "t" }]] });
    let sent = json!({ "chat_id": ada, "text": "x", "reply_markup": keyboard });
    let message = call(&server, &token, "sendMessage", sent).await.2["result"]["message_id"].as_i64().expect("an id");
    while server.take_update(&token).is_some() {}
    let press = server.begin_press("Ada", ada, message, "Ack");
    let hook = Hook::default();
    let url = hook.listen().await;
    hook.answer(200, json!({ "method": "answerCallbackQuery", "callback_query_id": press, "text": "yes" }));
    assert_eq!(call(&server, &token, "setWebhook", json!({ "url": url })).await.0, 200);
    assert_eq!(server.wait_for(&press).await, Answered { text: "yes".into(), alert: false });
    let unknown = json!({ "callback_query_id": "1" });
    assert_eq!(call(&server, &token, "answerCallbackQuery", unknown).await.0, 400);
}

#[tokio::test]
async fn who_asks_waits_confirms_and_is_alone() {
    let (server, token) = server().await;
    let asking = {
        let (server, token) = (server.clone(), token.clone());
        tokio::spawn(async move { call(&server, &token, "getUpdates", json!({ "timeout": 20 })).await })
    };
    while server.calls_of("getMe").is_empty() {
        call(&server, &token, "getMe", json!({})).await;
    }
    server.start_bot("Ada", &token, "");
    let (status, _, heard) = asking.await.expect("no panic");
    let id = heard["result"][0]["update_id"].as_i64().expect("an update");
    assert_eq!(status, 200);
    // Not confirmed: it comes again. Confirmed: it is gone.
    assert_eq!(call(&server, &token, "getUpdates", json!({})).await.2, heard);
    let (_, _, none) = call(&server, &token, "getUpdates", json!({ "offset": id + 1 })).await;
    assert_eq!((&none["result"], server.pending(&token)), (&json!([]), 0));

    // Two who ask: the first is sent away. With a webhook: everybody is.
    let first = {
        let (server, token) = (server.clone(), token.clone());
        tokio::spawn(async move { call(&server, &token, "getUpdates", json!({ "timeout": 20 })).await })
    };
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(call(&server, &token, "getUpdates", json!({})).await.0, 200);
    assert_eq!(first.await.expect("no panic").0, 409);
    call(&server, &token, "setWebhook", json!({ "url": "http://127.0.0.1:9/" })).await;
    let (status, _, refused) = call(&server, &token, "getUpdates", json!({})).await;
    assert!(status == 409 && refused["description"].as_str().is_some_and(|words| words.contains("webhook is active")));
}

#[tokio::test]
async fn too_many_messages_are_refused_with_a_time_to_wait() {
    let (server, token) = server().await;
    let group = server.add_chat(ChatKind::Supergroup, "Incidents");
    server.add_to(group, "Ada", &token, false);
    let mut refused = None;
    for number in 0..10 {
        let answer =
            call(&server, &token, "sendMessage", json!({ "chat_id": group, "text": number.to_string() })).await;
        if answer.0 == 429 {
            refused = Some(answer);
        }
    }
    let (_, wait, body) = refused.expect("one was refused");
    assert_eq!(body["parameters"]["retry_after"].to_string(), wait.expect("a header"));
}

#[tokio::test]
async fn what_is_wrong_is_refused() {
    let server = FakeTelegram::start(Options::default()).await;
    let token = server.add_bot("OnCall");
    let ada = server.add_user("Ada");
    server.start_bot("Ada", &token, "");
    let stranger = server.add_user("Bob");
    let keyboard = |data: String| json!({ "inline_keyboard": [[{ "text": "a", "callback_data": data }]] });
    for (method, body, status) in [
        ("sendMessage", json!({ "chat_id": 1, "text": "x" }), 400),
        ("sendMessage", json!({ "chat_id": stranger, "text": "x" }), 403),
        ("sendMessage", json!({ "chat_id": ada, "text": "" }), 400),
        ("sendMessage", json!({ "chat_id": ada, "text": "\u{200d} \n" }), 400),
        ("sendMessage", json!({ "chat_id": ada, "text": "x".repeat(4_097) }), 400),
        ("sendMessage", json!({ "chat_id": ada, "text": "&lt;".repeat(8_193), "parse_mode": "HTML" }), 400),
        ("sendMessage", json!({ "chat_id": ada, "text": "<b>x", "parse_mode": "HTML" }), 400),
        ("sendMessage", json!({ "chat_id": ada, "text": "x", "reply_to_message_id": 1 }), 400),
        ("sendMessage", json!({ "chat_id": ada, "text": "x", "reply_markup": keyboard("x".repeat(65)) }), 400),
        ("sendMessage", json!({ "chat_id": ada, "text": "x", "reply_markup": keyboard(String::new()) }), 400),
        ("sendMessage", json!({ "chat_id": ada, "text": "x", "reply_markup": keyboard("x".repeat(64)) }), 200),
        ("editMessageText", json!({ "chat_id": ada, "message_id": 999, "text": "x" }), 400),
        ("setWebhook", json!({ "url": "http://chatport.example.com" }), 400),
        ("setWebhook", json!({ "url": "https://chatport.example.com:8080" }), 400),
        ("setWebhook", json!({ "url": "https://127.0.0.1" }), 400),
        ("setWebhook", json!({ "url": "https://chatport.example.com", "secret_token": "a b" }), 400),
        ("setWebhook", json!({ "url": "https://chatport.example.com", "secret_token": "a_b-1" }), 200),
        ("setMyCommands", json!({ "commands": [{ "command": "on-call", "description": "x" }] }), 400),
        ("nobodyKnowsThis", json!({}), 404),
    ] {
        let (seen, _, answer) = call(&server, &token, method, body.clone()).await;
        assert_eq!(seen, status, "{method} {body}: {answer}");
        assert_eq!(answer["ok"] == true, status == 200);
    }
    assert_eq!(call(&server, "1:nobody", "getMe", json!({})).await.0, 401);
}
