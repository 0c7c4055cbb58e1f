//! The listening side.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use serde_json::{Map, Value};
use tokio::{net::TcpListener, time::Instant};

use crate::{
    calls,
    reply::{Refusal, Reply},
    world::Shared,
};

/// Longest wait for updates, in seconds.
const MAX_WAIT: u64 = 50;

/// Answer until it is dropped.
pub(crate) async fn serve(shared: Arc<Shared>, listener: TcpListener) {
    let router = Router::new()
        .route("/{bot}/{method}", any(one))
        .fallback(|| async { (StatusCode::NOT_FOUND, "Not Found") })
        .with_state(shared);
    let _ = axum::serve(listener, router).await;
}

async fn one(
    State(shared): State<Arc<Shared>>,
    Path((bot, method)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(token) = bot.strip_prefix("bot") else { return (StatusCode::NOT_FOUND, "Not Found").into_response() };
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let reply = match parameters(content_type, &body) {
        Err(refusal) => Reply::from(Err(refusal)),
        Ok(parameters) if method.eq_ignore_ascii_case("getUpdates") => wait(&shared, token, parameters).await,
        Ok(parameters) => calls::answer(&shared, token, &method, parameters),
    };
    response(reply)
}

/// The parameters of a call, as JSON alone; the real server takes forms too.
pub(crate) fn parameters(content_type: &str, body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    if !content_type.starts_with("application/json") {
        return Err(Refusal::bad("this stand-in reads JSON alone"));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(parameters)) => Ok(parameters),
        _ => Err(Refusal::bad("can't parse JSON object")),
    }
}

/// Ask for updates, and wait until there are some. A later one who asks ends the wait.
async fn wait(shared: &Shared, token: &str, parameters: Map<String, Value>) -> Reply {
    let seconds = parameters.get("timeout").and_then(Value::as_u64).unwrap_or(0).min(MAX_WAIT);
    let deadline = Instant::now() + Duration::from_secs(seconds);
    let offset = parameters.get("offset").and_then(Value::as_i64).unwrap_or_default();
    let mine = shared.world().bots.get_mut(token).map_or(0, |bot| {
        // What is confirmed is so at once, however long this waits.
        if bot.queue.webhook.is_none() {
            bot.queue.waiting.retain(|update| update.id >= offset);
        }
        bot.queue.asked += 1;
        bot.queue.asked
    });
    shared.changed.notify_waiters();
    loop {
        let changed = shared.changed.notified();
        let is_last = shared.world().bots.get(token).is_none_or(|bot| bot.queue.asked == mine);
        if !is_last {
            return Reply::from(Err(Refusal::conflict(
                "terminated by other getUpdates request; make sure that only one bot instance is running",
            )));
        }
        let has_new = shared
            .world()
            .bots
            .get(token)
            .is_none_or(|bot| bot.queue.webhook.is_some() || !bot.queue.waiting.is_empty());
        if has_new || Instant::now() >= deadline {
            return calls::answer(shared, token, "getUpdates", parameters);
        }
        let _ = tokio::time::timeout_at(deadline, changed).await;
    }
}

fn response(reply: Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = match &reply.body {
        Value::String(text) => (status, text.clone()).into_response(),
        body => (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response(),
    };
    if let Some(seconds) = reply.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}
