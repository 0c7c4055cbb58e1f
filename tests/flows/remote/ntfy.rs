//! A strict stand-in for an ntfy server: it refuses what the real one refuses, and what the real
//! one would silently ignore as well.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The only token that it knows.
pub(crate) const TOKEN: &str = "tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2";

/// What can be published (<https://docs.ntfy.sh/publish/#publish-as-json>).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) title: String,
    pub(crate) message: String,
    pub(crate) priority: u8,
    pub(crate) markdown: bool,
    #[serde(default)]
    pub(crate) click: Option<String>,
}

#[derive(Clone, Default)]
pub(crate) struct Ntfy {
    pub(crate) url: String,
    published: Arc<Mutex<Vec<Message>>>,
    is_slow: Arc<AtomicBool>,
}

impl Ntfy {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let ntfy = Self { url: format!("http://{address}"), ..Self::default() };
        let router =
            Router::new().route("/", post(publish)).route("/v1/account", get(account)).route("/_posts", get(posts));
        let router = router.with_state(ntfy.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        ntfy
    }

    /// The titles of what was published in a topic, in order.
    pub(crate) fn titles(&self, topic: &str) -> Vec<String> {
        self.published(topic).into_iter().map(|message| message.title).collect()
    }

    pub(crate) fn published(&self, topic: &str) -> Vec<Message> {
        let published = self.published.lock().expect("no panic");
        published.iter().filter(|message| message.topic == topic).cloned().collect()
    }

    /// Whether what is published from now on is answered only long after it is stored.
    pub(crate) fn slow(&self, is_slow: bool) {
        self.is_slow.store(is_slow, Ordering::SeqCst);
    }
}

/// What stands in the topic `town`, as `chatport conformance` asks for it.
async fn posts(State(ntfy): State<Ntfy>) -> Json<Value> {
    let published = ntfy.published.lock().expect("no panic");
    let listed = published.iter().zip(1..).filter(|(message, _)| message.topic == "town");
    let post = |(message, number): (&Message, i32)| json!({ "id": format!("m{number:011}"), "text": message.message, "links": message.click.iter().collect::<Vec<_>>() });
    Json(listed.map(post).collect())
}

fn is_known(headers: &HeaderMap) -> bool {
    headers.get("authorization").is_some_and(|value| value == &format!("Bearer {TOKEN}"))
}

async fn account(headers: HeaderMap) -> (StatusCode, Json<Value>) {
    match headers.contains_key("authorization") {
        true if is_known(&headers) => (StatusCode::OK, Json(json!({ "username": "oncall", "role": "user" }))),
        true => refuse(401, "unauthorized"),
        false => (StatusCode::OK, Json(json!({ "username": "*", "role": "anonymous" }))),
    }
}

fn refuse(status: u16, error: &str) -> (StatusCode, Json<Value>) {
    (StatusCode::from_u16(status).expect("a status"), Json(json!({ "http": status, "error": error })))
}

async fn publish(State(ntfy): State<Ntfy>, headers: HeaderMap, body: String) -> (StatusCode, Json<Value>) {
    if !is_known(&headers) {
        return refuse(403, "forbidden");
    }
    let Ok(message) = serde_json::from_str::<Message>(&body) else { return refuse(400, "not the JSON of a message") };
    let is_topic = (1..=64).contains(&message.topic.len())
        && message.topic.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if !is_topic || !(1..=5).contains(&message.priority) || message.message.is_empty() {
        return refuse(400, "a member isn't allowed");
    }
    let id = {
        let mut published = ntfy.published.lock().expect("no panic");
        published.push(message);
        format!("m{:011}", published.len())
    };
    if ntfy.is_slow.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    (StatusCode::OK, Json(json!({ "id": id, "event": "message" })))
}
