//! Updates: they wait in a queue for a webhook, or until somebody asks.
//! <https://core.telegram.org/bots/api#getting-updates>

use std::{
    collections::VecDeque,
    net::IpAddr,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use url::{Host, Url};

use crate::{
    calls::Call,
    reply::{Outcome, Refusal},
    world::{World, now},
};

const PORTS: [u16; 4] = [80, 88, 443, 8443];
/// How long updates live: presses are of no use later.
const PRESS: Duration = Duration::from_secs(150);
const OTHER: Duration = Duration::from_secs(24 * 3_600);
/// Sent unless other kinds are asked for.
const USUAL: [&str; 4] = ["message", "channel_post", "callback_query", "my_chat_member"];

/// Where updates go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    pub url: String,
    pub secret: Option<String>,
    pub allowed: Vec<String>,
}

/// An update that waits.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) id: i64,
    pub(crate) body: Value,
    /// Updates of one chat go in order.
    pub(crate) lane: i64,
    pub(crate) until: Instant,
    pub(crate) due: Instant,
    pub(crate) wait: Duration,
    pub(crate) under_way: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Queue {
    pub(crate) webhook: Option<Webhook>,
    pub(crate) waiting: VecDeque<Waiting>,
    /// All that were made.
    pub(crate) made: Vec<Value>,
    allowed: Option<Vec<String>>,
    next: i64,
    pub(crate) last_error: Option<(i64, String)>,
    /// Counts those who ask: a later one ends the earlier one's wait.
    pub(crate) asked: u64,
}

impl Queue {
    pub(crate) fn starting_at(next: i64) -> Self {
        Self { next, ..Self::default() }
    }

    /// Something has happened.
    pub(crate) fn push(&mut self, kind: &str, content: Value, lane: i64) {
        let is_wanted = match &self.allowed {
            Some(allowed) if !allowed.is_empty() => allowed.iter().any(|name| name == kind),
            _ => USUAL.contains(&kind),
        };
        if !is_wanted {
            return;
        }
        self.next += 1;
        let life = if kind == "callback_query" { PRESS } else { OTHER };
        let (id, now) = (self.next, Instant::now());
        let body = json!({ "update_id": id, kind: content });
        let wait = Duration::ZERO;
        self.made.push(body.clone());
        self.waiting.push_back(Waiting { id, body, lane, until: now + life, due: now, wait, under_way: false });
    }

    /// The next that can be sent: of each chat only the first.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Waiting> {
        self.waiting.retain(|update| update.until > now);
        let mut lanes = Vec::new();
        for update in &mut self.waiting {
            if !lanes.contains(&update.lane) && !update.under_way && update.due <= now {
                update.under_way = true;
                return Some(update.clone());
            }
            lanes.push(update.lane);
        }
        None
    }
}

pub(crate) fn set_webhook(world: &mut World, call: &Call<'_>) -> Outcome {
    let url = call.text("url");
    if url.is_empty() {
        return delete_webhook(world, call);
    }
    check_url(url, call.shared.options.strict_webhooks)?;
    let secret = call.parameters.get("secret_token").and_then(Value::as_str).map(str::to_owned);
    if let Some(secret) = &secret {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if secret.is_empty() || secret.len() > 256 {
            return Err(Refusal::bad("secret token is too long"));
        }
        if !secret.bytes().all(plain) {
            return Err(Refusal::bad("secret token contains unallowed characters"));
        }
    }
    let queue = &mut world.bots.get_mut(call.token).expect("checked").queue;
    set_allowed(queue, call.member("allowed_updates"))?;
    let allowed = queue.allowed.clone().unwrap_or_default();
    queue.webhook = Some(Webhook { url: url.to_owned(), secret, allowed });
    queue.asked += 1;
    queue.last_error = None;
    Ok(json!(true))
}

fn set_allowed(queue: &mut Queue, allowed: &Value) -> Result<(), Refusal> {
    if allowed.is_null() {
        return Ok(());
    }
    let names = allowed.as_array().ok_or_else(|| Refusal::bad("allowed_updates must be an array"))?;
    queue.allowed = Some(names.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    Ok(())
}

fn check_url(text: &str, strict: bool) -> Result<(), Refusal> {
    let bad = |why: &str| Err(Refusal::bad(format!("bad webhook: {why}")));
    let Ok(url) = Url::parse(text) else { return bad("invalid URL") };
    if !strict {
        return Ok(());
    }
    if url.scheme() != "https" {
        return bad("An HTTPS URL must be provided for webhook");
    }
    if !url.port_or_known_default().is_some_and(|port| PORTS.contains(&port)) {
        return bad("Webhook can be set up only on ports 80, 88, 443 or 8443");
    }
    let is_reserved = match url.host() {
        Some(Host::Ipv4(address)) => address.is_private() || address.is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => true,
    };
    if is_reserved { bad("IP address is reserved") } else { Ok(()) }
}

pub(crate) fn delete_webhook(world: &mut World, call: &Call<'_>) -> Outcome {
    let queue = &mut world.bots.get_mut(call.token).expect("checked").queue;
    queue.webhook = None;
    if call.is_on("drop_pending_updates") {
        queue.waiting.clear();
    }
    queue.waiting.iter_mut().for_each(|update| update.under_way = false);
    Ok(json!(true))
}

pub(crate) fn webhook_info(world: &mut World, call: &Call<'_>) -> Outcome {
    let queue = &world.bots[call.token].queue;
    let webhook = queue.webhook.clone();
    let url = webhook.as_ref().map_or("", |webhook| &webhook.url);
    let mut info = json!({ "url": url, "has_custom_certificate": false, "pending_update_count": queue.waiting.len() });
    if let Some(webhook) = webhook.filter(|webhook| !webhook.allowed.is_empty()) {
        info["allowed_updates"] = webhook.allowed.into();
    }
    if let Some((at, words)) = &queue.last_error {
        info["last_error_date"] = (*at).into();
        info["last_error_message"] = words.as_str().into();
    }
    Ok(info)
}

/// What waits now; waiting for more is the listening side's.
pub(crate) fn get(world: &mut World, call: &Call<'_>) -> Outcome {
    let queue = &mut world.bots.get_mut(call.token).expect("checked").queue;
    if queue.webhook.is_some() {
        return Err(Refusal::conflict(
            "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
        ));
    }
    set_allowed(queue, call.member("allowed_updates"))?;
    if let Some(offset) = call.number("offset") {
        queue.waiting.retain(|update| update.id >= offset);
    }
    let limit = call.number("limit").unwrap_or(100).clamp(1, 100);
    let limit = usize::try_from(limit).unwrap_or(100);
    Ok(queue.waiting.iter().take(limit).map(|update| update.body.clone()).collect())
}

impl World {
    /// What became of an update that was sent.
    pub(crate) fn sent(&mut self, token: &str, id: i64, failed: Option<String>, retry: Duration) {
        let Some(bot) = self.bots.get_mut(token) else { return };
        match failed {
            None => bot.queue.waiting.retain(|update| update.id != id),
            Some(why) => {
                bot.queue.last_error = Some((now(), why));
                if let Some(update) = bot.queue.waiting.iter_mut().find(|update| update.id == id) {
                    update.wait = (update.wait * 2).clamp(retry, retry * 100);
                    (update.due, update.under_way) = (Instant::now() + update.wait, false);
                }
            }
        }
    }
}
