//! An application that hears: it receives signed events, verifies each signature, answers
//! presses as it was told to, and remembers what it heard.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, response::IntoResponse, routing::post};
use chatport_host::security::webhook_signature;
use chatport_sdk::secret::Secret;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

type Reply = Arc<dyn Fn(&Value) -> (u16, Value) + Send + Sync>;

#[derive(Clone)]
pub struct Application {
    pub url: String,
    heard: Arc<Mutex<Vec<Value>>>,
    secret: Arc<Mutex<Option<Secret>>>,
    reply: Arc<Mutex<Reply>>,
    takes: Arc<Mutex<Duration>>,
    refused: Arc<AtomicUsize>,
}

impl Application {
    /// Listen on a port of its own.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let application = Self {
            url: format!("http://{address}/events"),
            heard: Arc::default(),
            secret: Arc::default(),
            reply: Arc::new(Mutex::new(Arc::new(|_| (200, Value::Null)))),
            takes: Arc::default(),
            refused: Arc::default(),
        };
        let router = Router::new().route("/events", post(receive)).with_state(application.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        application
    }

    /// Listen, and subscribe to everything that a Chatport tells.
    pub async fn subscribed(api: &crate::client::Client) -> Self {
        let application = Self::start().await;
        let made = api.put("/v1/subscriptions/oncall", json!({ "url": application.url })).await.expect(201);
        application.trust(made["secret"].as_str().expect("the secret, this once"));
        application
    }

    /// Verify with this secret from now on.
    pub fn trust(&self, secret: &str) {
        *self.secret.lock().expect("no panic") = Some(Secret::new(secret));
    }

    /// Answer events like this from now on.
    pub fn answer(&self, reply: impl Fn(&Value) -> (u16, Value) + Send + Sync + 'static) {
        *self.reply.lock().expect("no panic") = Arc::new(reply);
    }

    /// Take this long for each answer from now on.
    pub fn takes(&self, time: Duration) {
        *self.takes.lock().expect("no panic") = time;
    }

    /// How many events were refused because nobody trusted had signed them.
    pub fn refused(&self) -> usize {
        self.refused.load(Ordering::Relaxed)
    }

    /// Everything heard, in order.
    pub fn heard(&self) -> Vec<Value> {
        self.heard.lock().expect("no panic").clone()
    }

    /// What was heard of one kind.
    pub fn heard_of(&self, kind: &str) -> Vec<Value> {
        self.heard().into_iter().filter(|event| event["type"] == kind).collect()
    }

    /// Wait for the next event of a kind beyond the first `known`.
    pub async fn hears(&self, kind: &str, known: usize) -> Value {
        crate::eventually(&format!("the event {kind}"), || async { self.heard_of(kind).get(known).cloned() }).await
    }
}

async fn receive(State(application): State<Application>, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let secret = application.secret.lock().expect("no panic").clone();
    if let Some(secret) = secret {
        let timestamp: i64 = header("webhook-timestamp").parse().unwrap_or_default();
        let expected = webhook_signature::sign(&[secret], &header("webhook-id"), timestamp, &body);
        let given = header("webhook-signature");
        if !given.split(' ').any(|signature| expected.split(' ').any(|wanted| wanted == signature)) {
            application.refused.fetch_add(1, Ordering::Relaxed);
            return (StatusCode::UNAUTHORIZED, String::new());
        }
    }
    let takes = *application.takes.lock().expect("no panic");
    tokio::time::sleep(takes).await;
    let event: Value = serde_json::from_slice(&body).unwrap_or_default();
    let reply = Arc::clone(&application.reply.lock().expect("no panic"));
    let (status, answer) = reply(&event);
    if status < 500 {
        application.heard.lock().expect("no panic").push(event);
    }
    let answer = if answer.is_null() { String::new() } else { answer.to_string() };
    (StatusCode::from_u16(status).expect("a status"), answer)
}
