//! What applications see of copies.

use chatport_sdk::{delivery::Note, schemars::JsonSchema, time::Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::message::ShownPart;
use crate::{
    ids::{CopyId, InstallationId},
    store::entities,
};

/// One message at one address.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CopyView {
    /// Its id.
    pub id: CopyId,
    /// The target as it was asked for.
    pub target: Value,
    /// The installation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installation: Option<InstallationId>,
    /// The line of the log, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_id: Option<String>,
    /// Whether it is only sent if the others don't arrive in time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fallback: bool,
    /// How it stands.
    pub state: CopyState,
    /// The revision that it should show.
    pub revision: i64,
    /// The revision that it shows.
    pub shown_revision: Option<i64>,
    /// Where people can look at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permalink: Option<Url>,
    /// The platform's ids of its posts.
    pub posts: Vec<String>,
    /// Why it isn't delivered, from the closed list of failure codes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The same in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Attempts since it was last delivered.
    pub attempts: i32,
    /// When it is tried next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
    /// Not tried after this time.
    pub expires_at: Timestamp,
    /// When this last changed.
    pub updated_at: Timestamp,
    /// What had to be left out or changed for the platform.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
}

/// How a revision of a copy ended.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MessageEvent {
    /// The message's key.
    pub message: String,
    /// The revision.
    pub revision: i64,
    /// The copy as it stands now.
    pub copy: CopyView,
    /// Why it will not be shown; absent where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureView>,
}

/// Why a revision will not be shown.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FailureView {
    /// From the closed list of failure codes.
    pub code: String,
    /// In words.
    pub detail: String,
    /// Whether trying again would be of no use.
    pub permanent: bool,
}

impl FailureView {
    /// A failure. What only its time has ended might work later.
    pub fn new(code: &str, detail: &str) -> Self {
        let permanent = !matches!(code, "platform_unavailable" | "timeout" | "rate_limited" | "expired");
        Self { code: code.to_owned(), detail: detail.to_owned(), permanent }
    }
}

/// How a copy stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CopyState {
    /// Waits for its turn.
    Pending,
    /// Is on its way.
    Sending,
    /// Failed for now and is tried again.
    Retry,
    /// May have arrived; is being found out.
    Unknown,
    /// Shows the newest revision.
    Delivered,
    /// Was taken away.
    Removed,
    /// Will not arrive.
    Dead,
    /// Its time ran out.
    Expired,
    /// Was called off before it was posted.
    Cancelled,
    /// Stands as a line in a summary, because it had waited for long.
    Folded,
}

impl CopyState {
    /// Whether this is how a copy can stand; a newer version may have known other states.
    pub fn is_known(text: &str) -> bool {
        matches!(text, "pending" | "doubtful") || Self::stored(text) != Self::Pending
    }

    /// Read what is stored.
    pub fn stored(text: &str) -> Self {
        match text {
            "sending" | "finding" => Self::Sending,
            "retry" => Self::Retry,
            "unknown" => Self::Unknown,
            "delivered" => Self::Delivered,
            "removed" => Self::Removed,
            "dead" => Self::Dead,
            "expired" => Self::Expired,
            "cancelled" => Self::Cancelled,
            "folded" => Self::Folded,
            _ => Self::Pending,
        }
    }
}

/// What an application sees of a stored copy.
pub fn copy_view(row: &entities::copies::Model) -> CopyView {
    let parts: Vec<ShownPart> = serde_json::from_str(&row.parts).unwrap_or_default();
    copy_view_of(row, &parts)
}

/// The same, where its parts needn't be read.
pub(super) fn copy_view_of(row: &entities::copies::Model, parts: &[ShownPart]) -> CopyView {
    CopyView {
        id: CopyId(row.id),
        target: serde_json::from_str(&row.target).unwrap_or_default(),
        installation: row.installation.map(InstallationId),
        log_id: row.log_id.clone(),
        fallback: row.is_fallback,
        state: CopyState::stored(&row.state),
        revision: row.revision,
        shown_revision: row.shown,
        permalink: parts.iter().find_map(|part| part.receipt.permalink.clone()),
        posts: parts.iter().map(|part| part.receipt.id.clone()).collect(),
        code: row.code.clone(),
        detail: row.detail.clone(),
        attempts: row.attempts,
        next_attempt_at: row.due_at.map(Timestamp::from_micros),
        expires_at: Timestamp::from_micros(row.expires_at),
        updated_at: Timestamp::from_micros(row.updated_at),
        notes: Vec::new(),
    }
}
