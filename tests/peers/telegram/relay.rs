//! What stands between Chatport and telemelya, and does what telemelya leaves out: it sends the
//! webhook's secret along with each update, and carries out the calls that stand in the answers.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{Method, StatusCode, Uri},
    response::IntoResponse,
};
use chatport_tests::client::Client;
use serde_json::Value;
use tokio::net::TcpListener;

/// Both sides go by its address: calls of methods to telemelya, updates to Chatport.
#[derive(Clone)]
pub(crate) struct Relay {
    pub(crate) url: String,
    state: Arc<Mutex<Ends>>,
    client: Client,
}

#[derive(Clone, Default)]
struct Ends {
    telemelya: String,
    chatport: String,
    /// The path of the bot: its token stands in it.
    bot: String,
    secret: String,
    bodies: Vec<(String, Value)>,
}

impl Relay {
    /// Listen on a port of its own.
    pub(crate) async fn start(telemelya: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let ends = Ends { telemelya: telemelya.to_owned(), ..Ends::default() };
        let relay = Self { url, state: Arc::new(Mutex::new(ends)), client: Client::new("", None) };
        let router = Router::new().fallback(pass).with_state(relay.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        relay
    }

    /// Send updates there.
    pub(crate) fn lead_to(&self, chatport: &str) {
        self.state.lock().expect("no panic").chatport = chatport.to_owned();
    }

    /// The methods that were called, with their bodies.
    pub(crate) fn bodies(&self) -> Vec<(String, Value)> {
        self.ends().bodies
    }

    fn ends(&self) -> Ends {
        self.state.lock().expect("no panic").clone()
    }

    async fn call(&self, bot: &str, method: &str, body: Bytes) -> (StatusCode, String) {
        let parsed: Value = serde_json::from_slice(&body).unwrap_or_default();
        {
            let mut ends = self.state.lock().expect("no panic");
            if method == "setWebhook" {
                ends.bot = bot.to_owned();
                ends.secret = parsed["secret_token"].as_str().unwrap_or_default().to_owned();
            }
            ends.bodies.push((method.to_owned(), parsed));
        }
        let url = format!("{}/{bot}/{method}", self.ends().telemelya);
        let json = [("content-type", "application/json")];
        let answer = self.client.try_raw(Method::POST, &url, &json, body).await.expect("telemelya answers");
        (answer.status, answer.text)
    }

    async fn update(&self, uri: &Uri, body: Bytes) -> (StatusCode, String) {
        let ends = self.ends();
        let url = format!("{}{}", ends.chatport, uri.path());
        let headers = [("content-type", "application/json"), ("x-telegram-bot-api-secret-token", ends.secret.as_str())];
        let answer = self.client.try_raw(Method::POST, &url, &headers, body).await.expect("Chatport answers");
        if let Ok(Value::Object(mut call)) = serde_json::from_str(&answer.text)
            && let Some(Value::String(method)) = call.remove("method")
        {
            self.call(&ends.bot, &method, Value::Object(call).to_string().into()).await;
        }
        (answer.status, answer.text)
    }
}

async fn pass(State(relay): State<Relay>, uri: Uri, body: Bytes) -> impl IntoResponse {
    let path = uri.path().trim_start_matches('/');
    let (status, text) = match path.split_once('/') {
        Some((bot, method)) if bot.starts_with("bot") => relay.call(bot, method, body).await,
        _ => relay.update(&uri, body).await,
    };
    (status, [("content-type", "application/json")], text)
}
