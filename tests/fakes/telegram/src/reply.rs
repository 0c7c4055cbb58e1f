//! The server's answers.

use serde_json::{Value, json};

/// An answer, as a status and a body.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// A refusal, worded as the server words it.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    status: u16,
    description: String,
    parameters: Option<Value>,
}

pub(crate) type Outcome = Result<Value, Refusal>;

impl Refusal {
    pub(crate) fn new(status: u16, description: impl Into<String>) -> Self {
        Self { status, description: description.into(), parameters: None }
    }

    pub(crate) fn bad(what: impl AsRef<str>) -> Self {
        Self::new(400, format!("Bad Request: {}", what.as_ref()))
    }

    pub(crate) fn forbidden(what: impl AsRef<str>) -> Self {
        Self::new(403, format!("Forbidden: {}", what.as_ref()))
    }

    pub(crate) fn conflict(what: impl AsRef<str>) -> Self {
        Self::new(409, format!("Conflict: {}", what.as_ref()))
    }

    pub(crate) fn too_many(seconds: u64) -> Self {
        let description = format!("Too Many Requests: retry after {seconds}");
        Self { parameters: Some(json!({ "retry_after": seconds })), ..Self::new(429, description) }
    }

    pub(crate) fn migrated(to: i64) -> Self {
        let parameters = Some(json!({ "migrate_to_chat_id": to }));
        Self { parameters, ..Self::bad("group chat was upgraded to a supergroup chat") }
    }
}

impl From<Outcome> for Reply {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Ok(result) => Self { status: 200, body: json!({ "ok": true, "result": result }) },
            Err(refusal) => {
                let mut body = json!({ "ok": false, "error_code": refusal.status, "description": refusal.description });
                if let Some(parameters) = refusal.parameters {
                    body["parameters"] = parameters;
                }
                Self { status: refusal.status, body }
            }
        }
    }
}

impl Reply {
    /// The seconds of a 429, which stand in a header too.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        self.body["parameters"]["retry_after"].as_u64()
    }
}
