//! Accepting messages. Many requests share one commit: one task collects what has come in,
//! writes it in one unit of work, and answers each request only after the commit. If a batch
//! fails, each of its operations runs once alone, so that one bad operation can't fail its
//! neighbours. What can be sent at once is leased in the same commit and handed to workers.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use chatport_sdk::{delivery::Urgency, schemars::JsonSchema, time::Timestamp};
use sea_orm::DbErr;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{Notify, mpsc, oneshot},
    time::Instant,
};

use super::{
    desk::{Assignment, Desk, Desks},
    ledger::Ledger,
    message::{self, PutMessage},
    outcomes, revise,
    store::{Body, Documents, MessageDocument, StoreError, StreamsWanted, Unit},
    targets::{self, Planned},
    units::Units,
    view::CopyView,
};
use crate::{
    app::App,
    ids::{InstallationId, OrganizationId},
};

/// Most operations that share a commit.
const BATCH: usize = 256;
/// How many operations may wait for the writer.
const QUEUE: usize = 1_024;
/// How often an operation that failed before its commit is tried alone.
const ALONE_TRIES: u64 = 3;

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
    pub put: Arc<PutMessage>,
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

struct Job {
    operation: Box<Operation>,
    reply: oneshot::Sender<Result<Accepted, AcceptError>>,
}

/// The way to the writer.
#[derive(Clone)]
pub(super) struct Writer(mpsc::Sender<Job>);

/// The task that writes.
struct Accepting {
    units: Units,
    desks: Desks,
    wake: Arc<Notify>,
}

impl Writer {
    /// Start the writer task. It ends when the last handle is dropped.
    pub(super) fn start(units: Units, desks: Desks, wake: Arc<Notify>) -> Self {
        let (sender, mut receiver) = mpsc::channel::<Job>(QUEUE);
        let accepting = Accepting { units, desks, wake };
        tokio::spawn(async move {
            let mut jobs = Vec::with_capacity(BATCH);
            while receiver.recv_many(&mut jobs, BATCH).await > 0 {
                accepting.write_batch(std::mem::take(&mut jobs)).await;
            }
        });
        Self(sender)
    }

    /// Write an operation; the answer comes after the commit.
    pub(super) async fn write(&self, operation: Operation) -> Result<Accepted, AcceptError> {
        let (reply, answer) = oneshot::channel();
        let job = Job { operation: Box::new(operation), reply };
        self.0.send(job).await.map_err(|_| AcceptError::Stopping)?;
        answer.await.map_err(|_| AcceptError::CommitUnknown("the writer stopped".into()))?
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

impl Accepting {
    async fn write_batch(&self, jobs: Vec<Job>) {
        metrics::histogram!("chatport_accept_batch_size").record(jobs.len() as f64);
        let operations: Vec<&Operation> = jobs.iter().map(|job| job.operation.as_ref()).collect();
        match self.write_together(&operations).await {
            Ok(answers) => {
                for (job, answer) in jobs.into_iter().zip(answers) {
                    // A caller that has gone away will repeat the request.
                    let _ = job.reply.send(answer);
                }
            }
            // It isn't known whether it is there: each asker has to repeat the request.
            Err(StoreError::CommitUnknown(cause)) => {
                for job in jobs {
                    let _ = job.reply.send(Err(AcceptError::CommitUnknown(cause.clone())));
                }
            }
            // It isn't any better one by one.
            Err(StoreError::Unreachable(cause)) => {
                for job in jobs {
                    let _ = job.reply.send(Err(StoreError::Unreachable(cause.clone()).into()));
                }
            }
            Err(StoreError::Refused(_)) => {
                for job in jobs {
                    let answer = self.write_alone(&job.operation).await;
                    let _ = job.reply.send(answer);
                }
            }
        }
    }

    /// One operation in a unit of work of its own. What failed before its commit certainly
    /// isn't there, e.g. because two replicas waited for each other: try it again.
    async fn write_alone(&self, operation: &Operation) -> Result<Accepted, AcceptError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.write_together(&[operation]).await {
                Ok(mut answers) => return answers.pop().unwrap_or(Err(AcceptError::Stopping)),
                Err(StoreError::Refused(_)) if tries < ALONE_TRIES => {
                    tokio::time::sleep(Duration::from_millis(20 * tries)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn write_together(
        &self,
        operations: &[&Operation],
    ) -> Result<Vec<Result<Accepted, AcceptError>>, StoreError> {
        let desk = self.desks.get();
        let (answers, is_waiting) = self.units.accept(operations, desk.as_deref()).await?;
        if is_waiting {
            self.wake.notify_one();
        }
        Ok(answers)
    }
}

impl Units {
    /// Write operations in one commit, and assign what can be sent at once. The second answer
    /// is whether something else waits that nobody has leased.
    ///
    /// # Errors
    /// The store fails.
    pub async fn accept(
        &self,
        operations: &[&Operation],
        desk: Option<&Desk>,
    ) -> Result<(Vec<Result<Accepted, AcceptError>>, bool), StoreError> {
        let begun = Instant::now();
        let (mut unit, mut ledger) = self.begin().await?;
        load(unit.as_mut(), &mut ledger, operations).await?;
        let organizations = operations.iter().map(|operation| operation.organization.clone()).collect();
        let mut backlogs = unit.backlogs(&organizations).await?;
        let answers = operations.iter().map(|operation| apply(&mut ledger, operation, &mut backlogs)).collect();
        let taken = desk.map(|desk| take(&mut ledger, desk, operations, begun)).unwrap_or_default();
        let changes = ledger.into_changes();
        let is_waiting = changes.leaves_waiting();
        if let Err(error) = unit.commit(changes).await {
            if let Some(desk) = desk.filter(|_| matches!(error, StoreError::CommitUnknown(_))) {
                desk.note_strays();
            }
            return Err(error);
        }
        if let Some(desk) = desk {
            taken.into_iter().for_each(|assignment| desk.assign(assignment));
        }
        Ok((answers, is_waiting))
    }
}

/// Load what the operations touch: their messages, the streams and copies of those, and the
/// streams that new copies go into.
async fn load(unit: &mut dyn Unit, ledger: &mut Ledger, operations: &[&Operation]) -> Result<(), StoreError> {
    let keys = operations.iter().map(|operation| (operation.organization.clone(), operation.key.clone())).collect();
    let messages = unit.messages(&keys).await?;
    let known = messages.iter().map(|row| (OrganizationId::stored(row.organization.clone()), row.id)).collect();
    ledger.load_messages(messages);
    let planned = operations.iter().flat_map(|operation| &operation.planned);
    let places: BTreeSet<(InstallationId, String)> = planned
        .filter_map(|planned| planned.place.as_ref().ok())
        .map(|place| (place.installation, place.stream.clone()))
        .collect();
    let wanted = StreamsWanted { places, messages: known, ..StreamsWanted::default() };
    ledger.load_streams(unit.streams(&wanted).await?);
    let is_missing = |(installation, key): &&(InstallationId, String)| ledger.stream_at(*installation, key).is_none();
    let unmade: BTreeSet<InstallationId> = wanted.places.iter().filter(is_missing).map(|place| place.0).collect();
    if !unmade.is_empty() {
        ledger.load_holds(unit.holds(&unmade).await?);
    }
    if !wanted.messages.is_empty() {
        ledger.load_copies(unit.copies_of(&wanted.messages).await?);
    }
    Ok(())
}

fn apply(
    ledger: &mut Ledger,
    operation: &Operation,
    backlogs: &mut BTreeMap<OrganizationId, i64>,
) -> Result<Accepted, AcceptError> {
    let backlog = backlogs.get_mut(&operation.organization).ok_or(AcceptError::NoOrganization)?;
    // What is known is still brought up to date: nothing keeps burning that is resolved.
    let is_new = ledger.message(&operation.organization, &operation.key).is_none();
    if is_new && *backlog >= operation.quota {
        return Err(AcceptError::BacklogFull { backlog: *backlog, quota: operation.quota });
    }
    *backlog += i64::try_from(operation.planned.len()).unwrap_or(0);
    revise::apply(ledger, operation)
}

/// Lease what can be sent at once: the streams that slept until these operations came.
fn take(ledger: &mut Ledger, desk: &Desk, operations: &[&Operation], begun: Instant) -> Vec<Assignment> {
    let documents = documents(ledger, operations);
    let mut taken = Vec::new();
    for id in ledger.slept() {
        let Some(copy) = outcomes::next(ledger, id, false) else { continue };
        let Some(seat) = ledger.stream(id).and_then(|stream| desk.seat(stream)) else { continue };
        let Some(lease) = outcomes::lease(ledger, id, desk.owner) else { continue };
        match outcomes::take(ledger, &lease, copy, &documents) {
            Some(work) => taken.push(Assignment { work, seat, leased: begun }),
            None => outcomes::release(ledger, &lease),
        }
    }
    taken
}

/// The messages of these operations as they stand now, without reading them anew.
fn documents(ledger: &mut Ledger, operations: &[&Operation]) -> Documents {
    let mut documents = Documents::default();
    for operation in operations {
        let Some(message) = ledger.message(&operation.organization, &operation.key) else { continue };
        if message.revision == operation.put.revision && message.fingerprint == operation.fingerprint {
            let body = Body::Read(Arc::clone(&operation.put));
            let pinned = message.pinned.clone().map(Body::Stored);
            documents.messages.insert(message.id, MessageDocument { key: message.key.clone(), body, pinned });
        }
    }
    documents
}
