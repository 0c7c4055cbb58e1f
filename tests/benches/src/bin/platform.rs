//! A stand-in for a Mattermost server, as lean as one can be: the few calls that setting a
//! bot up and posting take. It checks the token, counts each post by its marker and forgets
//! the rest. Every path may have a prefix, so one process stands in for many servers.
//!
//! `POST /bench/RUN/MESSAGES` begins a run, `GET /bench` tells how it stands,
//! `GET /bench/arrivals` how often each message arrived, one byte each.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{Router, body::Bytes, extract::State, response::IntoResponse, routing::get};
use chatport_bench::{
    ledger::Ledger,
    marker::{self, Marker},
};
use clap::Parser;
use http::{HeaderMap, Method, StatusCode, Uri, header};
use serde_json::json;
use tokio::net::TcpListener;

/// The bot's token.
const TOKEN: &str = "Bearer benchbenchbenchbenchbenchb";
/// The bot's account.
const BOT: &str = "botbotbotbotbotbotbotbotbo";
/// The one team.
const TEAM: &str = "teamteamteamteamteamteamte";
/// A P-256 public key. Nothing is signed with it here, but setup pins one.
const SIGNING_KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE+5bhToY9K0ukDY0/uI+Y6gnqBrcXTpvtqNRHrjCzhiRkiz1cVYNuNuSPOOrlsRO6xQY/KO4gkQcvUvUtWpThMQ==";

/// A lean stand-in for a Mattermost server on 127.0.0.1.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where to listen.
    #[arg(long)]
    port: u16,
}

type Shared = Arc<Mutex<Platform>>;

#[derive(Debug, Default)]
struct Platform {
    ledger: Ledger,
    posts: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let Arguments { port } = Arguments::parse();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let router =
        Router::new().route("/readyz", get(|| async { "ready" })).fallback(answer).with_state(Shared::default());
    axum::serve(listener, router).await
}

async fn answer(
    State(shared): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> axum::response::Response {
    let path = uri.path();
    let mut platform = shared.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(order) = path.strip_prefix("/bench") {
        return platform.order(&method, order);
    }
    let Some((_, call)) = path.split_once("/api/v4/") else { return StatusCode::NOT_FOUND.into_response() };
    let call: Vec<&str> = call.split('/').collect();
    let is_known = headers.get(header::AUTHORIZATION).is_some_and(|given| given == TOKEN);
    if !is_known && !matches!(call[..], ["config", "client"] | ["system", "ping"]) {
        return (StatusCode::UNAUTHORIZED, axum::Json(json!({ "id": "api.context.session_expired.app_error" })))
            .into_response();
    }
    match (method, &call[..]) {
        (Method::POST, ["posts"]) => platform.post(&body),
        (Method::PUT, ["posts", id, "patch"]) => made(StatusCode::OK, id, &body),
        (Method::DELETE, ["posts", _]) => axum::Json(json!({ "status": "OK" })).into_response(),
        (Method::GET, ["posts", id]) => axum::Json(json!({ "id": id, "user_id": BOT })).into_response(),
        (Method::GET, ["users", "me"]) => {
            axum::Json(json!({ "id": BOT, "username": "bench-bot", "is_bot": true, "roles": "system_user" }))
                .into_response()
        }
        (Method::GET, ["users", "me", "teams"]) => {
            axum::Json(json!([{ "id": TEAM, "name": "bench", "display_name": "Bench" }])).into_response()
        }
        (Method::GET, ["config", "client"]) => {
            axum::Json(json!({ "AsymmetricSigningPublicKey": SIGNING_KEY, "MaxPostSize": "16383", "SiteURL": "" }))
                .into_response()
        }
        (Method::GET, ["system", "ping"]) => axum::Json(json!({ "status": "OK" })).into_response(),
        (Method::GET, ["channels", id]) => {
            axum::Json(json!({ "id": id, "type": "O", "name": id, "display_name": id, "team_id": TEAM }))
                .into_response()
        }
        (Method::GET, ["channels", channel, "members", user]) => {
            axum::Json(json!({ "channel_id": channel, "user_id": user })).into_response()
        }
        (Method::POST, ["commands"]) => {
            let command = json!({ "id": "commandcommandcommandcomma", "token": "tokentokentokentokentokent" });
            (StatusCode::CREATED, axum::Json(command)).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

impl Platform {
    fn post(&mut self, body: &[u8]) -> axum::response::Response {
        if let Some(marker) = Marker::find(body) {
            self.ledger.arrive(marker, marker::now());
        }
        self.posts += 1;
        made(StatusCode::CREATED, &format!("p{:025}", self.posts), body)
    }

    fn order(&mut self, method: &Method, order: &str) -> axum::response::Response {
        let parts: Vec<&str> = order.split('/').skip(1).collect();
        match (method, &parts[..]) {
            (&Method::POST, [run, messages]) => {
                let (Ok(run), Ok(messages)) = (run.parse(), messages.parse()) else {
                    return StatusCode::BAD_REQUEST.into_response();
                };
                self.ledger = Ledger::new(run, messages);
                StatusCode::NO_CONTENT.into_response()
            }
            (&Method::GET, ["arrivals"]) => self.ledger.arrivals().to_vec().into_response(),
            (&Method::GET, ["latencies"]) => {
                let micros = |share| self.ledger.latencies().percentile(share).as_micros() as u64;
                axum::Json(json!({ "p50": micros(0.5), "p99": micros(0.99) })).into_response()
            }
            (&Method::GET, []) => {
                axum::Json(json!({ "delivered": self.ledger.delivered(), "last": self.ledger.last() })).into_response()
            }
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    }
}

/// A post as the server gives it back: whatever was sent, with what the server adds.
fn made(status: StatusCode, id: &str, sent: &[u8]) -> axum::response::Response {
    let at = marker::now() / 1_000;
    let added =
        format!(r#"{{"id":"{id}","create_at":{at},"update_at":{at},"delete_at":0,"user_id":"{BOT}","type":"","#);
    let mut body = Vec::with_capacity(added.len() + sent.len());
    body.extend_from_slice(added.as_bytes());
    body.extend_from_slice(sent.strip_prefix(b"{").unwrap_or(b"}"));
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
