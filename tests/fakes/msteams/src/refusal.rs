//! Requests and answers, without a network.

use http::{HeaderMap, Method};
use serde_json::{Value, json};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: Method,
    /// The path as it came, not decoded.
    pub path: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Asked {
    /// A header, if it is text.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub body: Value,
    /// How long to wait, in seconds.
    pub retry_after: Option<u64>,
}

impl Reply {
    pub(crate) fn new(status: u16, body: Value) -> Self {
        Self { status, body, retry_after: None }
    }

    /// An error in the connector's form.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        Self::new(status, json!({ "error": { "code": code, "message": message } }))
    }

    /// What is said where a person has blocked or removed the bot.
    pub fn blocked() -> Self {
        let inner = json!({ "subCode": "MessageWritesBlocked", "details": "Thread is not accessible to the bot." });
        Self::new(403, json!({ "errorCode": 209, "message": inner.to_string() }))
    }

    /// What is said of a conversation in which the app isn't installed.
    pub fn not_in_roster() -> Self {
        Self::error(403, "BotNotInConversationRoster", "The bot is not part of the conversation roster.")
    }

    /// What is said of a conversation that doesn't exist.
    pub fn no_conversation() -> Self {
        Self::error(404, "ConversationNotFound", "Conversation not found.")
    }

    /// What is said of a post that doesn't exist.
    pub fn no_activity() -> Self {
        Self::error(404, "ActivityNotFoundInConversation", "Activity could not be found in the conversation.")
    }

    /// What is said to a bot that is too quick.
    pub fn too_many(seconds: u64) -> Self {
        let reply = Self::error(429, "Throttled", "Too many requests");
        Self { retry_after: Some(seconds), ..reply }
    }

    /// What is said of an activity that is too large.
    pub fn too_big() -> Self {
        Self::error(413, "MessageSizeTooBig", "Message size too large.")
    }
}

/// A request that no bot should make.
pub(crate) fn bad(message: impl AsRef<str>) -> Reply {
    Reply::error(400, "BadArgument", message.as_ref())
}
