//! Answers of the server: plain replies and its error shape, with the recorded error answers.

use std::collections::HashMap;
use std::sync::OnceLock;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use crate::ids::new_id;

/// The recorded error answers, by name.
const ERRORS: &str = include_str!("../vectors/errors.json");

/// A complete answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Reply {
    /// A JSON answer.
    pub(crate) fn json(status: u16, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("answers are plain data");
        Self { status, headers: vec![("Content-Type".into(), "application/json".into())], body: body.into() }
    }

    /// `{"status":"OK"}`.
    pub(crate) fn ok() -> Self {
        Self::json(200, &json!({"status": "OK"}))
    }

    /// An answer without a body.
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }

    /// The plain text error of the server's language: the text, a line end, no sniffing.
    pub(crate) fn plain(status: u16, text: &str) -> Self {
        Self {
            status,
            headers: vec![
                ("Content-Type".into(), "text/plain; charset=utf-8".into()),
                ("X-Content-Type-Options".into(), "nosniff".into()),
            ],
            body: format!("{text}\n").into(),
        }
    }

    /// Sets a header, replacing an earlier one of that name.
    pub(crate) fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.retain(|(have, _)| !have.eq_ignore_ascii_case(name));
        self.headers.push((name.into(), value.to_string()));
        self
    }
}

/// An error in the platform's shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    pub(crate) id: String,
    pub(crate) message: String,
}

impl ApiError {
    /// An error with its own words.
    pub(crate) fn new(status: u16, id: &str, message: impl Into<String>) -> Self {
        Self { status, id: id.into(), message: message.into() }
    }

    /// One of the recorded errors; only for those with a JSON body.
    pub(crate) fn named(name: &str) -> Self {
        let vector = vector(name).expect("the error is one of the recorded ones");
        let body = &vector["body"];
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        Self { status: vector_status(vector), id: text("id"), message: text("message") }
    }

    /// The caller lacks a permission (or the thing does not exist: the server does not say which).
    pub(crate) fn permission() -> Self {
        Self::named("create_post_bot_not_in_channel_or_unknown_channel")
    }

    /// The token is unknown, expired or revoked, or its user is deactivated.
    pub(crate) fn session() -> Self {
        Self::named("token_expired_or_revoked_or_bot_deactivated")
    }

    /// A part of the body is missing or malformed.
    pub(crate) fn body_param(name: &str) -> Self {
        let mut error = Self::named("invalid_body_param");
        error.message = format!("Invalid or missing {name} in request body.");
        error
    }

    /// A part of the path or query is malformed.
    pub(crate) fn url_param(name: &str) -> Self {
        let mut error = Self::named("invalid_url_param");
        error.message = format!("Invalid or missing {name} parameter in request URL.");
        error
    }

    /// There is no such route.
    pub(crate) fn no_route() -> Self {
        Self::new(404, "api.context.404.app_error", "There is no such page.")
    }

    /// The answer on the wire, with a request id of its own.
    pub(crate) fn reply(&self) -> Reply {
        let request_id = new_id();
        let body = json!({
            "id": self.id,
            "message": self.message,
            "detailed_error": "",
            "request_id": request_id,
            "status_code": self.status,
        });
        Reply::json(self.status, &body).header("X-Request-Id", request_id)
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} {}: {}", self.status, self.id, self.message)
    }
}

/// Result of a handler.
pub(crate) type Answer = Result<Reply, ApiError>;

/// A recorded answer by its name, ready to send; `None` if there is none of that name.
pub(crate) fn recorded(name: &str) -> Option<Reply> {
    let vector = vector(name)?;
    let mut body = match vector.get("body_text").and_then(Value::as_str) {
        Some(text) => {
            Reply { status: vector_status(vector), headers: Vec::new(), body: Bytes::copy_from_slice(text.as_bytes()) }
        }
        None => ApiError::named(name).reply(),
    };
    for (header, value) in vector["headers"].as_object().into_iter().flatten() {
        // The request id was set anew above.
        if !header.eq_ignore_ascii_case("X-Request-Id") {
            body = body.header(header, value.as_str().unwrap_or_default());
        }
    }
    Some(body)
}

fn vector(name: &str) -> Option<&'static Value> {
    static VECTORS: OnceLock<HashMap<String, Value>> = OnceLock::new();
    VECTORS.get_or_init(|| serde_json::from_str(ERRORS).expect("the recorded errors are valid JSON")).get(name)
}

fn vector_status(vector: &Value) -> u16 {
    vector["status"].as_u64().and_then(|status| u16::try_from(status).ok()).expect("a recorded error has a status")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_limit_is_plain_text_with_its_headers() {
        let reply = recorded("rate_limited").unwrap();
        assert_eq!(reply.status, 429);
        assert_eq!(&reply.body[..], b"limit exceeded\n");
        let header = |name: &str| reply.headers.iter().find(|h| h.0 == name).unwrap().1.clone();
        assert_eq!(header("Retry-After"), "1");
        assert_eq!(header("X-Ratelimit-Limit"), "101");
        assert!(recorded("no such error").is_none());
    }

    #[test]
    fn every_recorded_error_can_be_sent() {
        let all: HashMap<String, Value> = serde_json::from_str(ERRORS).unwrap();
        for name in all.keys() {
            assert!(recorded(name).unwrap().status >= 400, "{name}");
        }
        assert_eq!(ApiError::session().id, "api.context.session_expired.app_error");
    }
}
