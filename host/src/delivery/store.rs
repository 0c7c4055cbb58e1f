//! What the engine asks of its store, and nothing of how it is done: load rows and lock them,
//! commit what became of them. The rules are elsewhere, so a store has little to get wrong.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use chatport_sdk::{
    delivery::{Receipt, Urgency},
    failure::Scope,
    time::Timestamp,
};
use uuid::Uuid;

use super::{
    CancelWhat,
    ledger::{Changes, Stream},
    message::{PutMessage, ShownPart},
    prepared::Prepared,
};
use crate::{
    ids::{CopyId, InstallationId, OrganizationId, StreamId},
    store::entities::{copies, messages},
};

/// How long a lease lasts. Each record of its owner renews it.
pub const LEASE: Duration = Duration::from_secs(60);
/// Most streams that one organization gets in one answer of [`Unit::due`].
pub const SHARE: usize = 8;

/// The store refused or couldn't be reached.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// It can't be reached; nothing has been changed.
    #[error("the store can't be reached: {0}")]
    Unreachable(String),
    /// Certainly nothing has been changed.
    #[error("the store failed: {0}")]
    Refused(String),
    /// The commit failed: it may or may not be on disk.
    #[error("it isn't known whether it was stored: {0}")]
    CommitUnknown(String),
}

impl From<sea_orm::DbErr> for StoreError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Refused(error.to_string())
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
    /// Whether it is only wanted if the message's other copies don't arrive.
    pub is_fallback: bool,
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
        /// The message in the revision that is being sent.
        put: Arc<Prepared>,
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
    /// It is a fallback, and everything else has arrived.
    Unneeded,
    /// It wasn't tried: due again at this time, behind those that wait meanwhile.
    Untried {
        /// When.
        due: Timestamp,
    },
}

impl Outcome {
    /// When it is due again, if it is.
    pub const fn due(&self) -> Option<Timestamp> {
        match self {
            Self::Retry { at, .. } | Self::Unknown { at, .. } => Some(*at),
            Self::Hold { until, .. } => Some(*until),
            Self::Untried { due } => Some(*due),
            Self::Delivered | Self::Dead { .. } | Self::Expired | Self::Unneeded => None,
        }
    }

    /// Its name in the history of attempts and in metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Retry { .. } => "retry",
            Self::Hold { .. } => "held",
            Self::Unknown { .. } => "unknown",
            Self::Dead { .. } => "dead",
            Self::Expired => "expired",
            Self::Unneeded => "unneeded",
            Self::Untried { .. } => "untried",
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
    /// Whether the worker goes on with the stream's next copy; else the lease is given back.
    pub go_on: bool,
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

impl Root {
    /// Where this copy stands as a root.
    pub fn of(copy: Option<&copies::Model>) -> Self {
        let Some(copy) = copy.filter(|copy| !copy.removal) else { return Self::Missing };
        let parts: Vec<ShownPart> = serde_json::from_str(&copy.parts).unwrap_or_default();
        match parts.into_iter().next() {
            Some(part) => Self::Posted(part.receipt),
            None if copy.is_open => Self::Pending,
            None => Self::Missing,
        }
    }
}

/// Which rows are to be loaded and locked.
#[derive(Clone, Debug, Default)]
pub struct RowsWanted {
    /// Messages, with their copies and the streams of those.
    pub messages: BTreeSet<(OrganizationId, String)>,
    /// The streams of conversations, and the holds of their installations.
    pub places: BTreeSet<(InstallationId, String)>,
    /// Streams.
    pub streams: BTreeSet<(OrganizationId, StreamId)>,
    /// Copies, without their streams.
    pub copies: BTreeSet<(OrganizationId, CopyId)>,
    /// Streams whose first few due copies are wanted; of each, not the copy that is being
    /// recorded: it is loaded by its name.
    pub heads_of: BTreeMap<StreamId, Option<CopyId>>,
    /// Organizations whose backlog is wanted.
    pub backlogs_of: BTreeSet<OrganizationId>,
}

/// The rows that were found.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// Messages.
    pub messages: Vec<messages::Model>,
    /// Streams.
    pub streams: Vec<Stream>,
    /// Copies; one may be there twice.
    pub copies: Vec<copies::Model>,
    /// Until when installations are held.
    pub holds: BTreeMap<InstallationId, i64>,
    /// How many copy-revisions of each organization wait. Organizations that don't exist are
    /// missing.
    pub backlogs: BTreeMap<OrganizationId, i64>,
}

/// Who may not take more: all places are taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Full {
    /// Organizations.
    pub organizations: BTreeSet<OrganizationId>,
    /// Installations.
    pub installations: BTreeSet<InstallationId>,
    /// Subscriptions, by name.
    pub subscriptions: BTreeSet<String>,
}

/// The texts of messages and events.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    /// Messages by id.
    pub messages: BTreeMap<Uuid, MessageDocument>,
    /// The bodies of events by id.
    pub events: BTreeMap<Uuid, String>,
}

/// What is needed of a message to send it.
#[derive(Clone, Debug)]
pub struct MessageDocument {
    /// Its key.
    pub key: String,
    /// What it should show.
    pub body: Body,
    /// The final revision that must be shown first.
    pub pinned: Option<Body>,
}

/// What a message should show: as it is stored, or read already.
#[derive(Clone, Debug)]
pub enum Body {
    /// The canonical text.
    Stored(String),
    /// The same, read.
    Read(Arc<Prepared>),
}

impl Body {
    /// It, read; `None` if that fails.
    pub fn put(&self) -> Option<Arc<Prepared>> {
        match self {
            Self::Stored(text) => serde_json::from_str::<PutMessage>(text).ok().map(|put| Arc::new(put.into())),
            Self::Read(put) => Some(Arc::clone(put)),
        }
    }
}

/// Says which streams a process works on.
pub type Held<'a> = dyn Fn() -> BTreeSet<StreamId> + Send + Sync + 'a;

/// The engine's store.
#[async_trait]
pub trait DeliveryStore: Send + Sync {
    /// Begin a unit of work: what it loads stays as it is until it ends.
    async fn begin(&self) -> Result<Box<dyn Unit>, StoreError>;
    /// Free all leases that an earlier process left behind; only where this process is the
    /// only one. The answer is their number.
    async fn recover(&self) -> Result<u64, StoreError>;
    /// Give back what `owner` has leased and doesn't know of, because the answer to a commit was
    /// lost. What it knows of is asked for while all of its leases are locked: those that it
    /// takes and gives back meanwhile aren't touched.
    async fn abandon(&self, owner: Uuid, held: &Held) -> Result<u64, StoreError>;
    /// The clock of this host has gone back from `was` to `now`. Where it is the one that decides,
    /// what waits for a time that the engine has chosen waits as long as it would have; times that
    /// an application has named stay.
    async fn set_back(&self, was: Timestamp, now: Timestamp) -> Result<(), StoreError>;
    /// Whether all other copies of a fallback's message show the fallback's revision; lines of
    /// the log and other fallbacks don't count.
    async fn is_unneeded(&self, organization: &OrganizationId, fallback: CopyId) -> Result<bool, StoreError>;
    /// Where the root of a reply stands.
    async fn root(&self, organization: &OrganizationId, root: CopyId) -> Result<Root, StoreError>;
}

/// One transaction: rows are loaded, rules change them in a `Ledger`, and
/// [`Unit::commit`] writes what has changed. Dropped without that, nothing has happened.
#[async_trait]
pub trait Unit: Send {
    /// Now, by the clock that decides leases.
    fn now(&self) -> Timestamp;
    /// Load rows: messages are locked before streams, and streams before copies, so that no
    /// two units of work wait for each other in a circle.
    async fn load(&mut self, wanted: &RowsWanted) -> Result<Rows, StoreError>;
    /// Load and lock up to `limit` streams that are due and that nobody has leased. Each
    /// organization gets its turn; within one, the most pressing come first.
    async fn due(&mut self, limit: usize, full: &Full) -> Result<Vec<Stream>, StoreError>;
    /// Up to `limit` open copies whose time has run out and that nobody is sending.
    async fn overdue(&mut self, limit: u64) -> Result<Vec<copies::Model>, StoreError>;
    /// First posts that may be folded, of up to `streams` streams in which at least `waiting` of
    /// them are due, one of them since `late` or before; up to `limit`, each stream's in order.
    async fn foldable(
        &mut self,
        waiting: usize,
        late: Timestamp,
        streams: usize,
        limit: usize,
    ) -> Result<Vec<copies::Model>, StoreError>;
    /// Up to `limit` open copies whose summary has ended, each with whether that was shown.
    async fn folded(&mut self, limit: usize) -> Result<Vec<(copies::Model, bool)>, StoreError>;
    /// The open copies that go to an installation or a conversation; their streams are locked.
    async fn open_copies(
        &mut self,
        organization: &OrganizationId,
        what: &CancelWhat,
    ) -> Result<Vec<copies::Model>, StoreError>;
    /// The texts of messages and events.
    async fn documents(
        &mut self,
        messages: &BTreeSet<(OrganizationId, Uuid)>,
        events: &BTreeSet<(OrganizationId, Uuid)>,
    ) -> Result<Documents, StoreError>;
    /// Write what has changed, and commit. The answer is whether subscriptions are told of it, so
    /// that streams of theirs are due.
    async fn commit(self: Box<Self>, changes: Changes) -> Result<bool, StoreError>;
}
