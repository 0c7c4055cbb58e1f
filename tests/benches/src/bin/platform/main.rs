//! A stand-in for a Mattermost server, as lean as one can be: the few calls that setting a
//! bot up and posting take. It checks the token, counts each post by its marker and keeps a
//! few posts, whose buttons can be pressed. Every path may have a prefix, so one process
//! stands in for many servers. `POST /application` is the application, which notes every
//! press.
//!
//! What the bench asks of it:
//!
//! * `POST /bench/RUN/MESSAGES` begins a run, `GET /bench` tells how it stands,
//!   `GET /bench/latencies` how long posts took to arrive, `GET /bench/arrivals` how often
//!   each arrived, one byte each;
//! * `PUT /bench/troubles/SERVER/TROUBLE` is [`troubles`];
//! * `GET /bench/presses/ADDRESS/COUNT` and `GET /bench/commands/SERVER/CODE` are
//!   [`presses`].

mod presses;
mod troubles;

use std::{
    collections::HashMap,
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chatport_bench::{
    BOT_TOKEN, NOTICE,
    ledger::Ledger,
    marker::{self, Marker},
};
use clap::Parser;
use http::{HeaderMap, Method, StatusCode, Uri, header};
use presses::Presses;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use troubles::Trouble;

/// The bot's account.
const BOT: &str = "botbotbotbotbotbotbotbotbo";
/// The one team.
const TEAM: &str = "teamteamteamteamteamteamte";

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
    presses: Presses,
    troubles: HashMap<String, Trouble>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let Arguments { port } = Arguments::parse();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let router = Router::new()
        .route("/readyz", get(|| async { "ready" }))
        .route("/application", post(|| async { Json(json!({ "notice": NOTICE })) }))
        .fallback(answer)
        .with_state(Shared::default());
    axum::serve(listener, router).await
}

async fn answer(State(shared): State<Shared>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let path = uri.path();
    if let Some(order) = path.strip_prefix("/bench") {
        return lock(&shared).order(&method, order);
    }
    let Some((server, call)) = path.split_once("/api/v4/") else { return StatusCode::NOT_FOUND.into_response() };
    let call: Vec<&str> = call.split('/').collect();
    let given = headers.get(header::AUTHORIZATION).and_then(|given| given.to_str().ok()?.strip_prefix("Bearer "));
    if given != Some(BOT_TOKEN) && !matches!(call[..], ["config", "client"] | ["system", "ping"]) {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "id": "api.context.session_expired.app_error" })))
            .into_response();
    }
    match (method, &call[..]) {
        (Method::POST, ["posts"]) => match troubles::refusal(&shared, server).await {
            Some(refusal) => refusal,
            None => lock(&shared).post(body),
        },
        (Method::PUT, ["posts", id, "patch"]) => made(StatusCode::OK, id, &body),
        (Method::DELETE, ["posts", _]) => Json(json!({ "status": "OK" })).into_response(),
        (Method::GET, ["posts", id]) => Json(json!({ "id": id, "user_id": BOT })).into_response(),
        (Method::GET, ["users", "me"]) => {
            Json(json!({ "id": BOT, "username": "bench-bot", "is_bot": true, "roles": "system_user" })).into_response()
        }
        (Method::GET, ["users", "me", "teams"]) => {
            Json(json!([{ "id": TEAM, "name": "bench", "display_name": "Bench" }])).into_response()
        }
        (Method::GET, ["config", "client"]) => {
            let key = lock(&shared).presses.public_key();
            Json(json!({ "AsymmetricSigningPublicKey": key, "MaxPostSize": "16383", "SiteURL": "" })).into_response()
        }
        (Method::GET, ["system", "ping"]) => Json(json!({ "status": "OK" })).into_response(),
        (Method::GET, ["channels", id]) => {
            Json(json!({ "id": id, "type": "O", "name": id, "display_name": id, "team_id": TEAM })).into_response()
        }
        (Method::GET, ["channels", channel, "members", user]) => {
            Json(json!({ "channel_id": channel, "user_id": user })).into_response()
        }
        (Method::POST, ["commands"]) => {
            let asked = serde_json::from_slice::<Value>(&body).unwrap_or_default();
            let command = lock(&shared).presses.add_command(server, asked["url"].as_str().unwrap_or_default());
            (StatusCode::CREATED, Json(command)).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn lock(shared: &Shared) -> std::sync::MutexGuard<'_, Platform> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Platform {
    fn post(&mut self, body: Bytes) -> Response {
        if let Some(marker) = Marker::find(&body) {
            self.ledger.arrive(marker, marker::now());
        }
        self.posts += 1;
        let id = format!("p{:025}", self.posts);
        let answer = made(StatusCode::CREATED, &id, &body);
        self.presses.keep(id, body);
        answer
    }

    fn order(&mut self, method: &Method, order: &str) -> Response {
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
                Json(json!({ "p50": micros(0.5), "p99": micros(0.99) })).into_response()
            }
            (&Method::GET, [""] | []) => {
                Json(json!({ "delivered": self.ledger.delivered(), "last": self.ledger.last() })).into_response()
            }
            (&Method::PUT, ["troubles", server, trouble]) => match Trouble::named(trouble) {
                Some(trouble) => {
                    self.troubles.insert(format!("/{server}"), trouble);
                    StatusCode::NO_CONTENT.into_response()
                }
                None => StatusCode::BAD_REQUEST.into_response(),
            },
            (&Method::GET, ["presses", address, count]) => match count.parse() {
                Ok(count) => self.presses.make(address, count).into_response(),
                Err(_) => StatusCode::BAD_REQUEST.into_response(),
            },
            (&Method::GET, ["commands", server, code]) => {
                Json(self.presses.command(&format!("/{server}"), code)).into_response()
            }
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    }
}

/// A post as the server gives it back: whatever was sent, with what the server adds.
fn made(status: StatusCode, id: &str, sent: &[u8]) -> Response {
    let at = marker::now() / 1_000;
    let added =
        format!(r#"{{"id":"{id}","create_at":{at},"update_at":{at},"delete_at":0,"user_id":"{BOT}","type":"","#);
    let mut body = Vec::with_capacity(added.len() + sent.len());
    body.extend_from_slice(added.as_bytes());
    body.extend_from_slice(sent.strip_prefix(b"{").unwrap_or(b"}"));
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
