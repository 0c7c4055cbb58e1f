//! What is the matter with a server: it asks to slow down, or it doesn't answer. Its posts
//! feel it, nothing else does.

use std::time::Duration;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::json;
use tokio::time::sleep;

use crate::{Shared, lock};

/// How often a post that hangs looks whether the trouble is over.
const LOOK: Duration = Duration::from_millis(20);

/// A trouble of one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// None any more.
    None,
    /// 429, and a second's wait asked for.
    Limited,
    /// No answer, until the trouble is over.
    Hanging,
}

impl Trouble {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None),
            "limited" => Some(Self::Limited),
            "hanging" => Some(Self::Hanging),
            _ => None,
        }
    }
}

/// What a post to this server gets instead of being taken; `None` is the usual.
pub(crate) async fn refusal(shared: &Shared, server: &str) -> Option<Response> {
    let trouble = || lock(shared).troubles.get(server).copied().unwrap_or(Trouble::None);
    while trouble() == Trouble::Hanging {
        sleep(LOOK).await;
    }
    (trouble() == Trouble::Limited).then(|| {
        let headers = [("retry-after", "1"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1")];
        let body = json!({ "id": "api.context.rate_limit.app_error", "status_code": 429 });
        (StatusCode::TOO_MANY_REQUESTS, headers, Json(body)).into_response()
    })
}
