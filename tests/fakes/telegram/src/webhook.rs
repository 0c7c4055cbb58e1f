//! Sending updates to webhooks, until each is taken.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

use crate::{
    calls,
    updates::{Waiting, Webhook},
    world::Shared,
};

type Http = Client<HttpConnector, Full<Bytes>>;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked whether something is due.
const TICK: Duration = Duration::from_millis(20);

/// Send what waits, for as long as the server runs.
pub(crate) async fn deliver(shared: Arc<Shared>) {
    let http: Http = Client::builder(TokioExecutor::new()).build_http();
    let mut under_way = tokio::task::JoinSet::new();
    loop {
        while let Some((token, webhook, update)) = next(&shared) {
            under_way.spawn(send(Arc::clone(&shared), http.clone(), token, webhook, update));
        }
        while under_way.try_join_next().is_some() {}
        let _ = tokio::time::timeout(TICK, shared.changed.notified()).await;
    }
}

fn next(shared: &Shared) -> Option<(String, Webhook, Waiting)> {
    let now = Instant::now();
    shared.world().bots.iter_mut().find_map(|(token, bot)| {
        let webhook = bot.queue.webhook.clone()?;
        Some((token.clone(), webhook, bot.queue.take_due(now)?))
    })
}

async fn send(shared: Arc<Shared>, http: Http, token: String, webhook: Webhook, update: Waiting) {
    let answered = tokio::time::timeout(PATIENCE, post(&http, &webhook, &update.body)).await;
    let failed = match answered {
        Ok(Ok(body)) => {
            // The answer may be a call of its own.
            if let Ok(Value::Object(mut call)) = serde_json::from_slice(&body)
                && let Some(Value::String(method)) = call.remove("method")
            {
                calls::answer(&shared, &token, &method, call);
            }
            None
        }
        Ok(Err(why)) => Some(why),
        Err(_) => Some("Read timeout expired".to_owned()),
    };
    shared.world().sent(&token, update.id, failed, shared.options.retry);
    shared.changed.notify_waiters();
}

async fn post(http: &Http, webhook: &Webhook, body: &Value) -> Result<Bytes, String> {
    let mut request = Request::post(&webhook.url).header("content-type", "application/json");
    if let Some(secret) = &webhook.secret {
        request = request.header("X-Telegram-Bot-Api-Secret-Token", secret);
    }
    let request = request.body(Full::new(body.to_string().into())).map_err(|error| error.to_string())?;
    let response = http.request(request).await.map_err(|_| "Connection refused".to_owned())?;
    let status = response.status();
    let body = response.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
    match status.is_success() {
        true => Ok(body),
        false => Err(format!("Wrong response from the webhook: {status}")),
    }
}
