//! The client of the Bot API: one function that calls a method, and what its answers mean. The
//! token is part of every address, so no address is ever shown: the HTTP client names hosts
//! alone, and failures are worded here.

use std::time::Duration;

use chatport_sdk::{http::RequestBuilder, prelude::*};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    chat::Chat,
    descriptor::BOT_TOKEN,
    errors::{self, Refusal},
    settings::Settings,
};

/// Longest page of updates, in bytes.
const MAX_UPDATES: usize = 4 * 1024 * 1024;

/// A person or a bot. <https://core.telegram.org/bots/api#user>
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct User {
    pub(crate) id: i64,
    pub(crate) is_bot: bool,
    first_name: String,
    last_name: String,
    pub(crate) username: String,
}

impl User {
    /// The name that people read.
    pub(crate) fn name(&self) -> String {
        let full = format!("{} {}", self.first_name, self.last_name);
        let names = [full.trim(), &self.username];
        let name = names.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
        if name.is_empty() { self.id.to_string() } else { name.to_owned() }
    }
}

/// What became of a message. <https://core.telegram.org/bots/api#message>
#[derive(Debug, Deserialize)]
pub(crate) struct Sent {
    pub(crate) message_id: i64,
    #[serde(default)]
    pub(crate) chat: Chat,
}

/// How the server sees the webhook. <https://core.telegram.org/bots/api#webhookinfo>
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct WebhookInfo {
    pub(crate) url: String,
    pub(crate) pending_update_count: u64,
    /// Seconds since 1970.
    pub(crate) last_error_date: Option<i64>,
    pub(crate) last_error_message: Option<String>,
}

/// A command as clients show it. <https://core.telegram.org/bots/api#botcommand>
#[derive(Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
pub(crate) struct BotCommand {
    pub(crate) command: String,
    pub(crate) description: String,
}

/// Read what a server has written. Telegram leaves out what isn't there; other servers of its API
/// write `null` instead.
///
/// # Errors
/// It has another shape.
pub(crate) fn read<T: DeserializeOwned>(written: Value) -> Result<T, serde_json::Error> {
    serde_json::from_value(without_nulls(written))
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let present = members.into_iter().filter(|(_, member)| !member.is_null());
            Value::Object(present.map(|(name, member)| (name, without_nulls(member))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        plain => plain,
    }
}

/// The server's envelope. <https://core.telegram.org/bots/api#making-requests>
#[derive(Deserialize)]
struct Envelope {
    ok: bool,
    #[serde(default)]
    result: Value,
    #[serde(flatten)]
    refusal: Refusal,
}

/// The bot, as one who calls.
#[derive(Debug)]
pub(crate) struct Bot<'a> {
    site: &'a Site,
    base: Url,
    token: Secret,
}

impl<'a> Bot<'a> {
    /// The bot with this token.
    pub(crate) fn with_token(site: &'a Site, settings: &Settings, token: Secret) -> Self {
        Self { site, base: settings.api_url.clone(), token }
    }

    /// The installation's bot.
    ///
    /// # Errors
    /// There is no token.
    pub(crate) fn of(site: &'a Site) -> Result<Self, Failure> {
        let settings = Settings::in_use(site)?;
        let token = site.token(BOT_TOKEN).and_then(|token| crate::token::find(token.value.expose()));
        let token = token.ok_or_else(|| Failure::new(Cause::Unauthorized, "there is no usable bot token"))?;
        Ok(Self::with_token(site, &settings, token))
    }

    /// Call a method that waits for something.
    ///
    /// # Errors
    /// As for `call`.
    pub(crate) async fn wait_for(
        &self,
        method: &'static str,
        body: &Value,
        patience: Duration,
    ) -> Result<Vec<Value>, Failure> {
        self.send(method, body, |request| request.timeout(patience).max_answer(MAX_UPDATES)).await
    }

    /// Call a method. Only `sendMessage` does more when it is repeated.
    ///
    /// # Errors
    /// What the server refuses, or that no usable answer came.
    pub(crate) async fn call<T: DeserializeOwned>(&self, method: &'static str, body: &Value) -> Result<T, Failure> {
        self.send(method, body, |request| request).await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: &'static str,
        body: &Value,
        with: impl for<'r> FnOnce(RequestBuilder<'r>) -> RequestBuilder<'r>,
    ) -> Result<T, Failure> {
        let lost = if method == "sendMessage" { Cause::NoAnswer } else { Cause::Unavailable };
        let settle = |failure: Failure| match failure.cause {
            Cause::NoAnswer => Failure::new(lost, failure.detail),
            _ => failure,
        };
        let mut url = self.base.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/bot{}/{method}", self.token.expose()));
        let mut request = with(self.site.http().post(url).json(body));
        if lost != Cause::NoAnswer {
            request = request.repeatable();
        }
        let answer = request.send().await.map_err(|error| settle(error.into()))?;
        let no_shape = || Failure::new(lost, format!("the answer to {method} isn't Telegram's"));
        let envelope = answer.json::<Envelope>().ok();
        let refusal = match envelope {
            Some(envelope) if envelope.ok && answer.status.is_success() => {
                return read(envelope.result).map_err(|_| no_shape());
            }
            // Some servers refuse with a status of success.
            Some(Envelope { ok: false, refusal, .. }) => Some(refusal),
            _ if answer.status.is_success() => return Err(no_shape()),
            envelope => envelope.map(|envelope| envelope.refusal),
        };
        let to = body["chat_id"].as_i64();
        Err(settle(errors::failure(method, &answer, refusal.as_ref(), to, self.site.now())))
    }

    /// Whose token it is.
    pub(crate) async fn me(&self) -> Result<User, Failure> {
        self.call("getMe", &json!({})).await
    }

    /// How the server sees the webhook.
    pub(crate) async fn webhook(&self) -> Result<WebhookInfo, Failure> {
        self.call("getWebhookInfo", &json!({})).await
    }

    /// Do something of which nothing but the success matters.
    pub(crate) async fn tell(&self, method: &'static str, body: &Value) -> Result<(), Failure> {
        self.call::<Value>(method, body).await.map(drop)
    }
}
