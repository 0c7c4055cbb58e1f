//! A process that can be told what to answer. Its platform is small: whoever calls it with the
//! key `right` may enter a code in the conversation `a`.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, response::Response, routing::post};
use chatport_host::security::webhook_signature;
use chatport_sdk::{crypto, secret::Secret, wire};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::process::SECRET;

#[derive(Clone)]
pub(crate) struct Scripted {
    pub(crate) url: String,
    tells: Arc<Mutex<Vec<u8>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let scripted = Self { url: format!("http://{address}/"), tells: Arc::default(), asked: Arc::default() };
        let router = Router::new().route("/", post(answer)).with_state(scripted.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        scripted
    }

    /// Answer each post with this body from now on; its signature is right.
    pub(crate) fn tells(&self, body: impl Into<Vec<u8>>) {
        *self.tells.lock().expect("no panic") = body.into();
        self.asked.lock().expect("no panic").clear();
    }

    /// How often it was asked to post since it was last told what to tell.
    pub(crate) fn posts(&self) -> usize {
        self.asked.lock().expect("no panic").iter().filter(|method| *method == "delivery/post").count()
    }
}

/// What it answers by itself.
fn usual(call: &Value) -> Value {
    let arguments = &call["arguments"];
    match call["method"].as_str().expect("a method") {
        "descriptor" => json!({
            "id": "scripted", "name": "Scripted", "contract": 1, "settings": { "type": "object" },
            "parts": { "install": true, "deliver": true, "verification": ["channel"], "receive": true },
            "limits": { "unit": "characters", "text": 100, "actions": 0, "choices": 0, "threads": false },
            "rates": [{ "name": "all", "per_second": 100, "burst": 100 }],
        }),
        "install/begin" => {
            json!({ "stage": "done", "installed": { "server": "s", "account": "a", "display_name": "Scripted" } })
        }
        "verification/present" => {
            let there = json!({ "value": call["site"]["ingress_url"] });
            json!({ "steps": [{ "id": "go", "title": "Enter it", "kind": "copy_value", "label": "at", "value": there }] })
        }
        "delivery/render" => json!({ "parts": [{ "payload": arguments["content"]["title"] }] }),
        "ingress/receive" => understood(&arguments["request"]),
        "ingress/answer" => {
            let body = json!({ "of": arguments["happenings"][0]["id"], "came": arguments["outcomes"][0] });
            json!({ "status": 200, "content_type": "application/json", "body": body.to_string() })
        }
        _ => Value::Null,
    }
}

fn understood(request: &Value) -> Value {
    if !request["headers"].as_array().expect("headers").contains(&json!(["x-key", "right"])) {
        return json!({ "refused": { "response": { "status": 401, "body": "who are you?" }, "reason": "token" } });
    }
    let body = crypto::base64_decode(request["body_base64"].as_str().expect("base64")).expect("base64");
    let here = json!({ "id": "a", "kind": "channel", "name": "a", "address": { "v": 1, "key": "a" } });
    let what = json!({
        "kind": "code_entered", "code": String::from_utf8(body).expect("text"), "account": { "id": "ada" },
        "place": { "kind": "posted", "conversation": here },
    });
    json!({ "happenings": [{ "id": "h1", "what": what }] })
}

async fn answer(State(scripted): State<Scripted>, headers: HeaderMap, body: Bytes) -> Response {
    let call: Value = serde_json::from_slice(&body).expect("JSON");
    let method = call["method"].as_str().expect("a method").to_owned();
    let told = match method.as_str() {
        "delivery/post" => scripted.tells.lock().expect("no panic").clone(),
        _ => json!({ "result": usual(&call) }).to_string().into_bytes(),
    };
    scripted.asked.lock().expect("no panic").push(method);
    let id = wire::answer_id(headers[wire::ID_HEADER].to_str().expect("text"));
    let time = headers[wire::TIMESTAMP_HEADER].to_str().expect("text");
    let signature = webhook_signature::sign(&[Secret::new(SECRET)], &id, time.parse().expect("a number"), &told);
    Response::builder()
        .header(wire::ID_HEADER, id)
        .header(wire::TIMESTAMP_HEADER, time)
        .header(wire::SIGNATURE_HEADER, signature)
        .body(told.into())
        .expect("an answer")
}
