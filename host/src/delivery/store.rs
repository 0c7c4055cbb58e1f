//! What the engine asks of its store. Every write after a lease names the lease; one that
//! has been lost changes nothing and says so.

use std::time::Duration;

use async_trait::async_trait;
use chatport_sdk::{
    delivery::{Receipt, Urgency},
    failure::Scope,
    time::Timestamp,
};
use uuid::Uuid;

use super::message::ShownPart;
use crate::ids::{CopyId, InstallationId, OrganizationId, StreamId};

/// The store refused or couldn't be reached.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the store failed: {0}")]
pub struct StoreError(pub String);

impl From<sea_orm::DbErr> for StoreError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self(error.to_string())
    }
}

/// The right to send what is due in one stream, until it runs out or is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Whose stream.
    pub organization: OrganizationId,
    /// The stream.
    pub stream: StreamId,
    /// The process that leased it; random at each start.
    pub owner: Uuid,
    /// Grows with each lease of the stream.
    pub fence: i64,
}

/// One copy to bring up to date.
#[derive(Clone, Debug)]
pub struct Work {
    /// The lease under which it is done.
    pub lease: Lease,
    /// The copy.
    pub copy: CopyId,
    /// What it is.
    pub what: What,
    /// The revision that is being sent.
    pub revision: i64,
    /// Whether the copy is to be taken away instead.
    pub removal: bool,
    /// Whether an earlier attempt may have posted a part that isn't recorded.
    pub unsure: bool,
    /// What stands on the platform.
    pub parts: Vec<ShownPart>,
    /// The address, once it is known.
    pub address: Option<String>,
    /// The account, where the copy is for a person.
    pub account: Option<String>,
    /// Attempts so far, this one not counted.
    pub attempts: u32,
    /// Attempts that ended in a crash.
    pub crashes: u32,
    /// When it was first tried.
    pub first_tried: Option<Timestamp>,
    /// How pressing it is.
    pub urgency: Urgency,
    /// Not to be sent after this time.
    pub expires_at: Timestamp,
    /// When it was accepted.
    pub created_at: Timestamp,
}

/// What a copy is a copy of.
#[derive(Clone, Debug)]
pub enum What {
    /// A message at an address of an installation.
    Message {
        /// The installation.
        installation: InstallationId,
        /// The canonical message.
        body: String,
        /// Its key.
        key: String,
        /// The copy to which this is a reply.
        root: Option<CopyId>,
        /// Where this is one line of the log: the line's text.
        log_text: Option<String>,
        /// The target as it was asked for.
        target: String,
    },
    /// An event for a subscription.
    Event {
        /// The subscription's name.
        subscription: String,
        /// The event's id, which the receiver sees.
        id: Uuid,
        /// The bytes to send.
        body: String,
    },
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The platform shows the revision (or no longer shows the copy).
    Delivered,
    /// Not yet; again at this time. Uses an attempt.
    Retry {
        /// When.
        at: Timestamp,
        /// The failure code.
        code: &'static str,
        /// For an operator.
        detail: String,
    },
    /// Not yet; what the scope names waits until this time. Uses no attempt.
    Hold {
        /// Until when.
        until: Timestamp,
        /// What waits.
        scope: Scope,
        /// The failure code.
        code: &'static str,
        /// For an operator.
        detail: String,
    },
    /// It may have arrived; find out at this time.
    Unknown {
        /// When.
        at: Timestamp,
        /// For an operator.
        detail: String,
    },
    /// It will never arrive.
    Dead {
        /// The failure code.
        code: &'static str,
        /// For an operator.
        detail: String,
    },
    /// Its time ran out.
    Expired,
}

impl Outcome {
    /// Its name in the history of attempts and in metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Retry { .. } => "retry",
            Self::Hold { .. } => "held",
            Self::Unknown { .. } => "unknown",
            Self::Dead { .. } => "dead",
            Self::Expired => "expired",
        }
    }
}

/// The result of an attempt, to be recorded.
#[derive(Clone, Debug)]
pub struct Record {
    /// What was tried.
    pub work: Work,
    /// How it ended.
    pub outcome: Outcome,
    /// What stands on the platform now.
    pub parts: Vec<ShownPart>,
    /// The address, where it became known or changed.
    pub address: Option<String>,
    /// How long the attempt took.
    pub took: Duration,
}

/// What to do after a record.
#[derive(Clone, Debug)]
pub enum Recorded {
    /// The stream's next copy.
    Next(Box<Work>),
    /// Nothing more is due; the lease has been given back.
    Released,
    /// Somebody else has the stream: the result was dropped.
    Lost,
}

/// Where the root of a reply stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Root {
    /// It is there.
    Posted(Receipt),
    /// It may still come.
    Pending,
    /// It will not come, or is gone.
    Missing,
}

/// The engine's store: its operations, and nothing of how they are done.
#[async_trait]
pub trait DeliveryStore: Send + Sync {
    /// Free all leases that an earlier process left behind; only where this process is the
    /// only one. The answer is their number.
    async fn recover(&self) -> Result<u64, StoreError>;
    /// Lease up to `limit` streams that are due, each with its first due copy; none of the
    /// installations that are `full`.
    async fn lease(&self, owner: Uuid, limit: usize, full: &[InstallationId]) -> Result<Vec<Work>, StoreError>;
    /// Record that one part stands on the platform; renews the lease. `false`: lost.
    async fn record_part(&self, work: &Work, parts: &[ShownPart], address: Option<&str>) -> Result<bool, StoreError>;
    /// Record how an attempt ended and take the stream's next copy.
    async fn record(&self, record: Record) -> Result<Recorded, StoreError>;
    /// Give a lease back without having tried anything; due again at `due`, behind others.
    async fn give_back(&self, work: &Work, due: Timestamp) -> Result<(), StoreError>;
    /// Where the root of a reply stands.
    async fn root(&self, organization: &OrganizationId, root: CopyId) -> Result<Root, StoreError>;
    /// End up to `limit` open copies whose time has run out. The answer is their number.
    async fn expire(&self, limit: u64) -> Result<u64, StoreError>;
    /// How long until the next stream is due, if any, by the clock that decides it.
    async fn next_due(&self) -> Result<Option<Duration>, StoreError>;
}
