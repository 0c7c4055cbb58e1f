//! Whatever is sent, the answer is JSON, and nothing is given away.

mod chat;

use chat::{Chat, alert, read, receive, site_with};
use chatport_sandbox::SandboxBackend;
use chatport_sdk::prelude::*;
use http::Method;
use proptest::prelude::*;
use serde_json::{Value, json};

const PATHS: [&str; 12] = [
    "/",
    "/world",
    "/conversations/incidents/posts",
    "/conversations/incidents/posts?as=ada",
    "/conversations/incidents/messages",
    "/conversations/dm-ada/messages",
    "/conversations/%2e%2e/messages",
    "/posts/p1/press",
    "/posts/p18446744073709551616/press",
    "/faults",
    "//",
    "/conversations",
];
const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::DELETE, Method::PUT, Method::OPTIONS];

#[tokio::test]
async fn a_slot_that_does_not_exist_answers_the_same_to_everything() {
    let backend = SandboxBackend::default();
    let site = site_with(|parts| parts.decoy = true);
    let mut answers = Vec::new();
    for path in PATHS {
        for method in METHODS {
            match receive(&backend, &site, method, path, "{}").await {
                Received::Answer(response) => answers.push(read(&response)),
                other => panic!("{other:?}"),
            }
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers[0].0, 404);
}

#[tokio::test]
async fn an_unknown_way_or_method_is_told_where_the_list_is() {
    let chat = Chat::new();
    for (method, path, status) in
        [(Method::GET, "/nothing", 404), (Method::PUT, "/world", 405), (Method::GET, "/posts/p1/press", 405)]
    {
        let (got, answer) = chat.call(method, path, Value::Null).await;
        assert_eq!(got, status, "{path}");
        assert!(answer["hint"].as_str().unwrap().contains("GET /"), "{answer}");
    }
    assert!(chat.get("/").await["sandbox"].as_array().unwrap().len() > 5);
}

#[tokio::test]
async fn people_write_only_where_they_are_and_only_what_fits() {
    let chat = Chat::new();
    let write = |by: &str, text: &str| json!({ "as": by, "text": text });
    let long = "x".repeat(4_001);
    let cases = [
        ("dm-ada", write("grace", "let me in"), 403),
        ("private", write("linus", "hello"), 403),
        ("archive", write("ada", "hello"), 409),
        ("nowhere", write("ada", "hello"), 404),
        ("general", write("eve", "hello"), 404),
        ("general", write("bot", "I am the bot"), 404),
        ("general", write("ada", "  "), 400),
        ("general", write("ada", &long), 400),
        ("general", json!({ "as": "ada", "text": "x", "reply_to": "p7" }), 404),
        ("general", json!({ "as": "ada", "text": "x", "id": "../x" }), 400),
        ("general", json!(["ada", "x", null, null]), 400),
    ];
    for (place, body, status) in cases {
        let (got, answer) = chat.call(Method::POST, &format!("/conversations/{place}/messages"), body).await;
        assert_eq!(got, status, "{place}: {answer}");
        assert!(answer["error"].is_string() && answer["hint"].is_string(), "{answer}");
    }
    assert_eq!(chat.call(Method::GET, "/conversations/dm-ada/posts?as=grace", Value::Null).await.0, 403);
}

#[tokio::test]
async fn a_part_that_is_not_a_card_is_rejected() {
    let chat = Chat::new();
    for payload in [Value::Null, json!([]), json!({ "buttons": 7 }), json!({ "text": "x", "else": 1 })] {
        let mut outgoing = alert("c1");
        outgoing.part.payload = payload.into();
        assert_eq!(chat.post(&outgoing).await.unwrap_err().cause, Cause::ContentRejected);
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        prop::sample::select(vec!["ada", "ack", "link K7QX2M4P9ZRT", "p1", "fail", "unlink"]).prop_map(Value::from),
    ];
    let key = prop::sample::select(vec!["as", "text", "reply_to", "id", "action", "choice", "kind", "times", "x"]);
    leaf.prop_recursive(2, 16, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key.clone().prop_map(String::from), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_is_sent_upsets_it(
        body in prop_oneof![any_json().prop_map(|json| json.to_string().into_bytes()), any::<Vec<u8>>()],
        path in prop_oneof![prop::sample::select(PATHS.to_vec()).prop_map(String::from), "/.{0,40}"],
        method in prop::sample::select(METHODS.to_vec()),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let chat = Chat::new();
            chat.post(&alert("c1")).await.unwrap();
            match chat.receive(method, &path, body).await {
                Received::Answer(response) => {
                    read(&response);
                }
                Received::Happenings(happenings) => {
                    let ingress = chat.backend.ingress().unwrap();
                    read(&ingress.answer(&chat.site, &happenings, &[]).await);
                }
                other => panic!("{other:?}"),
            }
        });
    }
}
