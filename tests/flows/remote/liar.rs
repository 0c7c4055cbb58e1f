//! A process that knows the secret and abuses it: it describes itself well, then answers as it
//! is told to.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, response::Response, routing::post};
use chatport_host::security::webhook_signature;
use chatport_sdk::{secret::Secret, wire};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::process::SECRET;

#[derive(Clone)]
pub(crate) struct Liar {
    pub(crate) url: String,
    tells: Arc<Mutex<Vec<u8>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Liar {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let liar = Self { url: format!("http://{address}/"), tells: Arc::default(), asked: Arc::default() };
        let router = Router::new().route("/", post(answer)).with_state(liar.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        liar
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

async fn answer(State(liar): State<Liar>, headers: HeaderMap, body: Bytes) -> Response {
    let call: Value = serde_json::from_slice(&body).expect("JSON");
    let method = call["method"].as_str().expect("a method").to_owned();
    let told = match method.as_str() {
        "descriptor" => json!({ "result": {
            "id": "liar", "name": "Liar", "contract": 1, "settings": { "type": "object" },
            "parts": { "install": true, "deliver": true },
            "limits": { "unit": "characters", "text": 100, "actions": 0, "choices": 0, "threads": false },
            "rates": [{ "name": "all", "per_second": 100, "burst": 100 }],
        } }),
        "install/begin" => json!({ "result": { "stage": "installed",
            "installed": { "server": "s", "account": "a", "display_name": "Liar" } } }),
        "delivery/render" => json!({ "result": { "parts": [{ "payload": call["arguments"]["content"]["title"] }] } }),
        _ => Value::Null,
    };
    let told = if told.is_null() && method == "delivery/post" {
        liar.tells.lock().expect("no panic").clone()
    } else {
        let told = if told.is_null() { json!({ "result": null }) } else { told };
        told.to_string().into_bytes()
    };
    liar.asked.lock().expect("no panic").push(method);
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
