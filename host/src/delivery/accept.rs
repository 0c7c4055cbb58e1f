//! Accepting messages. Many requests share one commit: one task collects what has come in,
//! writes it in one transaction with multi-row statements, and answers each request only
//! after the commit. If a batch fails, each of its operations runs once alone, so that one
//! bad operation can't fail its neighbours.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chatport_sdk::{delivery::Urgency, schemars::JsonSchema, time::Timestamp};
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use super::{
    copy_rows,
    message::{self, PutMessage},
    revise,
    streams::Streams,
    tally::{self, Tallies},
    targets::{self, Planned},
    view::{CopyView, copy_view},
};
use crate::{
    app::App,
    ids::{MessageId, OrganizationId},
    store::{Database, entities},
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
    /// The database can't be read.
    #[error("the database can't be read: {0}")]
    Store(#[from] DbErr),
    /// The host is shutting down.
    #[error("the host is shutting down")]
    Stopping,
}

/// One message on its way into the store.
pub(super) struct Operation {
    pub organization: OrganizationId,
    pub key: String,
    pub put: PutMessage,
    pub canonical: String,
    pub fingerprint: [u8; 32],
    pub planned: Vec<Planned>,
    pub expires_at: Timestamp,
    pub due_at: Timestamp,
    pub now: Timestamp,
    pub quota: i64,
}

struct Job {
    operation: Box<Operation>,
    reply: oneshot::Sender<Result<Accepted, AcceptError>>,
}

/// The way to the writer.
#[derive(Clone)]
pub(super) struct Writer(mpsc::Sender<Job>);

impl Writer {
    /// Start the writer task. It ends when the last handle is dropped.
    pub(super) fn start(database: Database) -> Self {
        let (sender, mut receiver) = mpsc::channel::<Job>(QUEUE);
        tokio::spawn(async move {
            let mut jobs = Vec::with_capacity(BATCH);
            while receiver.recv_many(&mut jobs, BATCH).await > 0 {
                write_batch(&database, std::mem::take(&mut jobs)).await;
            }
        });
        Self(sender)
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
        put,
        expires_at,
        due_at,
        now,
        quota: i64::try_from(app.settings.backlog).unwrap_or(i64::MAX),
    };
    let (reply, answer) = oneshot::channel();
    let job = Job { operation: Box::new(operation), reply };
    app.delivery.writer.0.send(job).await.map_err(|_| AcceptError::Stopping)?;
    let accepted = answer.await.map_err(|_| AcceptError::CommitUnknown("the writer stopped".into()))??;
    if accepted.changed {
        app.delivery.wake();
    }
    Ok(accepted)
}

async fn write_batch(database: &Database, jobs: Vec<Job>) {
    metrics::histogram!("chatport_accept_batch_size").record(jobs.len() as f64);
    let operations: Vec<&Operation> = jobs.iter().map(|job| job.operation.as_ref()).collect();
    match write_together(database, &operations).await {
        Ok(answers) => {
            for (job, answer) in jobs.into_iter().zip(answers) {
                // A caller that has gone away will repeat the request.
                let _ = job.reply.send(answer);
            }
        }
        // It isn't known whether it is there: each asker has to repeat the request.
        Err(AcceptError::CommitUnknown(cause)) => {
            for job in jobs {
                let _ = job.reply.send(Err(AcceptError::CommitUnknown(cause.clone())));
            }
        }
        Err(_) => {
            for job in jobs {
                let answer = write_alone(database, &job.operation).await;
                let _ = job.reply.send(answer);
            }
        }
    }
}

/// One operation in a transaction of its own. What failed before its commit certainly isn't
/// there, e.g. because two replicas waited for each other: try it again.
async fn write_alone(database: &Database, operation: &Operation) -> Result<Accepted, AcceptError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match write_together(database, &[operation]).await {
            Ok(mut answers) => return answers.pop().unwrap_or(Err(AcceptError::Stopping)),
            Err(AcceptError::Store(_)) if tries < ALONE_TRIES => {
                tokio::time::sleep(Duration::from_millis(20 * tries)).await;
            }
            Err(error) => return Err(error),
        }
    }
}

async fn write_together(
    database: &Database,
    operations: &[&Operation],
) -> Result<Vec<Result<Accepted, AcceptError>>, AcceptError> {
    let unknown = |error: DbErr| AcceptError::CommitUnknown(error.to_string());
    let transaction = database.begin_uncached().await?;
    let answers = write_all(&transaction, database, operations).await?;
    transaction.commit().await.map_err(unknown)?;
    Ok(answers)
}

/// Write all operations: those with new keys together, the others one by one.
async fn write_all(
    transaction: &DatabaseTransaction,
    database: &Database,
    operations: &[&Operation],
) -> Result<Vec<Result<Accepted, AcceptError>>, DbErr> {
    let known = known_messages(transaction, operations).await?;
    let backlogs = backlogs(transaction, operations).await?;
    let mut tallies = Tallies::default();
    let mut added: BTreeMap<&str, i64> = Default::default();
    let mut seen = BTreeSet::new();
    let mut fresh = Vec::new();
    let mut answers: Vec<Option<Result<Accepted, AcceptError>>> = Vec::new();
    for operation in operations {
        let organization = operation.organization.as_str();
        let Some(backlog) = backlogs.get(organization) else {
            answers.push(Some(Err(AcceptError::NoOrganization)));
            continue;
        };
        let is_known = known.contains(&(organization.to_owned(), operation.key.clone()));
        let is_first = seen.insert((organization, operation.key.as_str()));
        let backlog = backlog + added.get(organization).copied().unwrap_or(0);
        if !is_known && is_first && backlog >= operation.quota {
            answers.push(Some(Err(AcceptError::BacklogFull { backlog, quota: operation.quota })));
            continue;
        }
        *added.entry(organization).or_default() += i64::try_from(operation.planned.len()).unwrap_or(0);
        if is_known || !is_first {
            answers.push(None);
        } else {
            fresh.push((answers.len(), *operation));
            answers.push(None);
        }
    }
    let fresh_operations: Vec<&Operation> = fresh.iter().map(|(_, operation)| *operation).collect();
    let mut events = Vec::new();
    let accepted = insert_messages(transaction, &fresh_operations, &mut tallies, &mut events).await?;
    for ((index, _), accepted) in fresh.iter().zip(accepted) {
        answers[*index] = Some(Ok(accepted));
    }
    let mut result = Vec::with_capacity(operations.len());
    for (answer, operation) in answers.into_iter().zip(operations) {
        result.push(match answer {
            Some(answer) => answer,
            None => revise::revise(transaction, operation, &mut tallies, &mut events).await?,
        });
    }
    // Last, since all who append wait for each other here.
    crate::events::append_all(transaction, database, events).await?;
    tallies.write(transaction).await?;
    Ok(result)
}

async fn known_messages(
    transaction: &DatabaseTransaction,
    operations: &[&Operation],
) -> Result<BTreeSet<(String, String)>, DbErr> {
    use entities::messages::{Column, Entity};
    let keys = operations.iter().map(|operation| operation.key.as_str());
    let organizations: BTreeSet<&str> = operations.iter().map(|operation| operation.organization.as_str()).collect();
    let rows = Entity::find()
        .filter(Column::Organization.is_in(organizations))
        .filter(Column::Key.is_in(keys))
        .all(transaction)
        .await?;
    Ok(rows.into_iter().map(|row| (row.organization, row.key)).collect())
}

async fn backlogs(
    transaction: &DatabaseTransaction,
    operations: &[&Operation],
) -> Result<BTreeMap<String, i64>, DbErr> {
    let ids: BTreeSet<&str> = operations.iter().map(|operation| operation.organization.as_str()).collect();
    let rows = entities::organizations::Entity::find()
        .filter(entities::organizations::Column::Id.is_in(ids))
        .all(transaction)
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.backlog)).collect())
}

/// Write messages whose keys are new, with all their copies, in a few statements.
async fn insert_messages(
    transaction: &DatabaseTransaction,
    operations: &[&Operation],
    tallies: &mut Tallies,
    events: &mut Vec<(OrganizationId, crate::events::NewEvent)>,
) -> Result<Vec<Accepted>, DbErr> {
    if operations.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<MessageId> = operations.iter().map(|_| MessageId::new()).collect();
    let mut accepted = Vec::with_capacity(operations.len());
    let mut streams = Streams::wake(transaction, operations).await?;
    let mut rows = Vec::new();
    for (operation, id) in operations.iter().zip(&ids) {
        let mut views = Vec::new();
        for planned in &operation.planned {
            let row = copy_rows::new_copy(operation, *id, planned, &mut streams);
            copy_rows::count_new(tallies, operation, &row);
            events.extend(copy_rows::failed_event(operation, &row));
            views.push(CopyView { notes: planned.notes.clone(), ..copy_view(&row) });
            let logs = copy_rows::log_copies(operation, &row);
            tallies.add(&operation.organization, tally::ACCEPTED, i64::try_from(logs.len()).unwrap_or(0));
            rows.push(row);
            rows.extend(logs);
        }
        let (key, revision) = (operation.key.clone(), operation.put.revision);
        accepted.push(Accepted { key, revision, copies: views, changed: true, is_older: false });
    }
    let messages = operations
        .iter()
        .zip(&ids)
        .zip(&accepted)
        .map(|((operation, id), accepted)| message_row(operation, *id, accepted));
    entities::messages::Entity::insert_many(messages).exec_without_returning(transaction).await?;
    copy_rows::insert_copies(transaction, rows).await?;
    Ok(accepted)
}

/// The row of a message.
pub(super) fn message_row(
    operation: &Operation,
    id: MessageId,
    accepted: &Accepted,
) -> entities::messages::ActiveModel {
    entities::messages::ActiveModel {
        organization: Set(operation.organization.as_str().to_owned()),
        id: Set(id.0),
        key: Set(operation.key.clone()),
        revision: Set(operation.put.revision),
        is_final: Set(operation.put.is_final),
        deleted: Set(false),
        fingerprint: Set(operation.fingerprint.to_vec()),
        body: Set(operation.canonical.clone()),
        // Serializing plain data into memory can't fail.
        answer: Set(serde_json::to_string(accepted).expect("an answer is plain data")),
        pinned: Set(None),
        created_at: Set(operation.now.as_micros()),
        updated_at: Set(operation.now.as_micros()),
    }
}
