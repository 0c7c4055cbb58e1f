//! Accepting messages: a request is checked and its targets are resolved; then it goes to the
//! writer, and its answer comes after the commit.

use std::{borrow::Cow, sync::Arc, time::Duration};

use chatport_sdk::{delivery::Urgency, schemars::JsonSchema, time::Timestamp};
use sea_orm::DbErr;
use serde::{Deserialize, Serialize};

use super::{
    message::{self, PutMessage},
    prepared::Prepared,
    store::StoreError,
    targets::{self, Planned},
    view::CopyView,
};
use crate::{app::App, ids::OrganizationId};

const NORMAL_LIFETIME: Duration = Duration::from_secs(24 * 3600);
const URGENT_LIFETIME: Duration = Duration::from_secs(3600);
const MAX_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);

/// The answer to an accepted message.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Accepted {
    /// The key.
    pub key: String,
    /// The newest revision.
    pub revision: i64,
    /// The copies that will show it.
    pub copies: Vec<CopyView>,
    /// Whether this request changed anything.
    pub changed: bool,
    /// Whether a newer revision was there already.
    #[serde(skip)]
    pub is_older: bool,
}

/// Why a message isn't accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// The document breaks a rule.
    #[error("{pointer}: {detail}")]
    Invalid {
        /// JSON pointer.
        pointer: String,
        /// What is wrong.
        detail: String,
    },
    /// No such organization.
    #[error("no such organization")]
    NoOrganization,
    /// The same revision came with other content.
    #[error("revision {0} of this message was accepted with other content")]
    Conflict(i64),
    /// Too much is waiting.
    #[error("{backlog} copies of this organization are waiting, {quota} are allowed")]
    BacklogFull {
        /// Waiting.
        backlog: i64,
        /// Allowed.
        quota: i64,
    },
    /// The disk is nearly full.
    #[error("the host is short of disk")]
    StorageLow,
    /// The commit failed: it may or may not be on disk.
    #[error("it isn't known whether this was stored: repeat the same request")]
    CommitUnknown(String),
    /// The database refuses; nothing has been changed.
    #[error(transparent)]
    Store(StoreError),
    /// The first answer can't be read back.
    #[error("the stored answer of this revision can't be read")]
    Unreadable,
    /// The host is shutting down.
    #[error("the host is shutting down")]
    Stopping,
}

impl From<StoreError> for AcceptError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::CommitUnknown(cause) => Self::CommitUnknown(cause),
            refused @ (StoreError::Refused(_) | StoreError::Unreachable(_)) => Self::Store(refused),
        }
    }
}

impl From<DbErr> for AcceptError {
    fn from(error: DbErr) -> Self {
        Self::Store(error.into())
    }
}

/// One message on its way into the store.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Whose it is.
    pub organization: OrganizationId,
    /// The message's key.
    pub key: String,
    /// What it should show.
    pub put: Arc<Prepared>,
    /// The same as its canonical text.
    pub canonical: String,
    /// The digest of that.
    pub fingerprint: [u8; 32],
    /// The copies that it makes.
    pub planned: Vec<Planned>,
    /// When its copies expire.
    pub expires_at: Timestamp,
    /// When its copies are due.
    pub due_at: Timestamp,
    /// When it came.
    pub now: Timestamp,
    /// How many copy-revisions of the organization may wait.
    pub quota: i64,
}

/// A difference between two clocks that matters.
const CLOCKS_DIFFER: Duration = Duration::from_secs(1);

impl Operation {
    /// The same by the clock of the store, which decides what is due: a host whose clock is
    /// wrong makes nothing late, and nothing expire early. Times that were asked for stay.
    pub(super) fn by(&self, now: Timestamp) -> Cow<'_, Self> {
        if Ord::max(now.since(self.now), self.now.since(now)) < CLOCKS_DIFFER {
            return match self.due_at == self.now && self.due_at > now {
                // Ours is a little ahead: what is to be sent at once needn't wait for that.
                true => Cow::Owned(Self { due_at: now, ..self.clone() }),
                false => Cow::Borrowed(self),
            };
        }
        let lifetime = self.expires_at.since(self.due_at);
        let due_at = self.put.not_before.map_or(now, |at| at.max(now));
        let expires_at = self.put.expires_at.unwrap_or_else(|| due_at.plus(lifetime));
        Cow::Owned(Self { due_at, expires_at, now, ..self.clone() })
    }

    /// When a copy is due. A fallback gives the others time, unless one of them can't be
    /// delivered to anyway.
    pub(super) fn due_of(&self, is_fallback: bool) -> Timestamp {
        let is_hopeless = |planned: &Planned| !planned.is_fallback && planned.place.is_err();
        match &self.put.fallback {
            Some(fallback) if is_fallback && !self.planned.iter().any(is_hopeless) => {
                self.due_at.plus(Duration::from_secs(fallback.after.into()))
            }
            _ => self.due_at,
        }
    }
}

/// Accept a message: resolve its targets, write it, answer after the commit.
///
/// # Errors
/// It isn't accepted, or it isn't known whether it was.
pub async fn accept(
    app: &App,
    organization: &OrganizationId,
    key: &str,
    put: PutMessage,
) -> Result<Accepted, AcceptError> {
    if app.delivery.storage_low.load(std::sync::atomic::Ordering::Relaxed) {
        return Err(AcceptError::StorageLow);
    }
    put.check().map_err(|(pointer, detail)| AcceptError::Invalid { pointer, detail })?;
    let now = app.clock.now();
    let lifetime = if put.urgency == Urgency::Urgent { URGENT_LIFETIME } else { NORMAL_LIFETIME };
    let due_at = put.not_before.unwrap_or(now).max(now);
    let expires_at = put.expires_at.unwrap_or(due_at.plus(lifetime));
    if expires_at > now.plus(MAX_LIFETIME) {
        let detail = "can be at most 7 days from now".into();
        return Err(AcceptError::Invalid { pointer: "/expires_at".into(), detail });
    }
    if expires_at <= due_at {
        let detail = "must be later than now and than `not_before`".into();
        return Err(AcceptError::Invalid { pointer: "/expires_at".into(), detail });
    }
    let after = put.fallback.as_ref().map_or(0, |fallback| fallback.after);
    if expires_at <= due_at.plus(Duration::from_secs(after.into())) {
        let detail = "must be earlier than `expires_at`".into();
        return Err(AcceptError::Invalid { pointer: "/fallback/after".into(), detail });
    }
    let put = Prepared::from(put);
    let planned = targets::plan(app, organization, &put).await?;
    let canonical = put.canonical();
    let operation = Operation {
        organization: organization.clone(),
        key: key.to_owned(),
        fingerprint: message::fingerprint(&canonical),
        canonical,
        planned,
        put: Arc::new(put),
        expires_at,
        due_at,
        now,
        quota: i64::try_from(app.settings.backlog).unwrap_or(i64::MAX),
    };
    app.delivery.write(operation).await
}
