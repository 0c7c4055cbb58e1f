//! Writing down how attempts ended. Results that come in together share a transaction, as
//! accepts do; each is answered after the commit.

use std::{collections::BTreeSet, time::Duration};

use chatport_sdk::{failure::Scope, time::Timestamp};
use sea_orm::{ActiveValue::Set, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, FromQueryResult, Value};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::{SqlStore, take};
use crate::{
    delivery::{
        message::ShownPart,
        store::{Outcome, Record, Recorded, StoreError, What, Work},
        tally::{self, Tallies},
        view::{FailureView, MessageEvent, copy_view},
    },
    events::{self, EventKind, NewEvent},
    ids::OrganizationId,
    store::{
        Database,
        entities::{attempts, copies},
        statement,
    },
};

/// Most results that share a commit.
const BATCH: usize = 64;

struct Job {
    record: Box<Record>,
    reply: oneshot::Sender<Result<Recorded, StoreError>>,
}

/// The way to the task that writes results down.
#[derive(Clone)]
pub(super) struct Recorder(mpsc::Sender<Job>);

impl Recorder {
    /// Start the task. It ends when the last handle is dropped.
    pub(super) fn start(store: SqlStore) -> Self {
        let (sender, mut receiver) = mpsc::channel::<Job>(BATCH * 4);
        tokio::spawn(async move {
            let mut jobs = Vec::with_capacity(BATCH);
            while receiver.recv_many(&mut jobs, BATCH).await > 0 {
                write_batch(&store, std::mem::take(&mut jobs)).await;
            }
        });
        Self(sender)
    }

    /// Write a result down; the answer comes after the commit.
    pub(super) async fn record(&self, record: Record) -> Result<Recorded, StoreError> {
        let stopped = || StoreError("the recorder has stopped".into());
        let (reply, answer) = oneshot::channel();
        self.0.send(Job { record: Box::new(record), reply }).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

async fn write_batch(store: &SqlStore, mut jobs: Vec<Job>) {
    metrics::histogram!("chatport_record_batch_size").record(jobs.len() as f64);
    // All who write to several streams lock them in the same order.
    jobs.sort_by_key(|job| job.record.work.lease.stream);
    // Telling of messages locks streams of events, so events are recorded apart.
    let (events, messages): (Vec<_>, Vec<_>) =
        jobs.into_iter().partition(|job| matches!(job.record.work.what, What::Event { .. }));
    for jobs in [events, messages] {
        if !jobs.is_empty() {
            write_and_answer(store, jobs).await;
        }
    }
}

async fn write_and_answer(store: &SqlStore, jobs: Vec<Job>) {
    let records: Vec<&Record> = jobs.iter().map(|job| job.record.as_ref()).collect();
    let answers = match write(store, &records).await {
        Ok(answers) => answers.into_iter().map(Ok).collect(),
        // One that can't be written must not keep the others from it.
        Err(_) if jobs.len() > 1 => {
            let mut answers = Vec::with_capacity(jobs.len());
            for record in records {
                let alone = write(store, &[record]).await;
                answers
                    .push(alone.map(|mut answers| answers.pop().unwrap_or(Recorded::Lost)).map_err(StoreError::from));
            }
            answers
        }
        Err(error) => vec![Err(StoreError::from(error))],
    };
    for (job, answer) in jobs.into_iter().zip(answers) {
        // A worker that is gone leaves its lease to run out.
        let _ = job.reply.send(answer);
    }
}

async fn write(store: &SqlStore, records: &[&Record]) -> Result<Vec<Recorded>, DbErr> {
    let transaction = store.database.begin_uncached().await?;
    let now = store.now(&transaction).await?;
    let mut batch = Batch::new(now);
    let mut answers = Vec::with_capacity(records.len());
    for record in records {
        let lease = &record.work.lease;
        if take::renew(&transaction, lease, now).await?.is_none() {
            answers.push(Recorded::Lost);
            continue;
        }
        let is_new = batch.outcome(&transaction, record).await?;
        // A copy that is being sent under this very lease was taken by the commit whose answer
        // was lost: it is ours, and hasn't been sent.
        let next = take::take_next(&transaction, lease, now, !is_new, &mut batch.tallies).await?;
        if next.is_none() {
            take::release(&transaction, lease).await?;
        }
        answers.push(next.map_or(Recorded::Released, |work| Recorded::Next(Box::new(work))));
    }
    batch.write(&transaction, &store.database).await?;
    transaction.commit().await?;
    Ok(answers)
}

/// What a copy becomes by an outcome.
struct Change {
    /// Of a copy whose newest revision this was.
    state: &'static str,
    is_open: bool,
    shown: bool,
    attempts: u32,
    due: Option<Timestamp>,
    code: Option<&'static str>,
    detail: String,
    /// The tally of the revision, if this is its end.
    tally: Option<&'static str>,
    keeps_sending: bool,
}

fn change_of(work: &Work, outcome: &Outcome) -> Change {
    let open = |state, due, attempts, code, detail: &str| Change {
        state,
        is_open: true,
        shown: false,
        attempts,
        due: Some(due),
        code,
        detail: detail.to_owned(),
        tally: None,
        keeps_sending: false,
    };
    let end = |state, code, detail: &str, tally| Change {
        state,
        is_open: false,
        shown: false,
        attempts: work.attempts + 1,
        due: None,
        code,
        detail: detail.to_owned(),
        tally: Some(tally),
        keeps_sending: false,
    };
    match outcome {
        Outcome::Delivered => {
            let state = if work.removal { "removed" } else { "delivered" };
            Change { shown: !work.removal, attempts: 0, ..end(state, None, "", tally::DELIVERED) }
        }
        // A doubt from before stays: only finding out or a confirmation ends it.
        Outcome::Retry { at, code, detail } => {
            let state = if work.unsure { "unknown" } else { "retry" };
            Change { keeps_sending: work.unsure, ..open(state, *at, work.attempts + 1, Some(*code), detail) }
        }
        Outcome::Hold { until, code, detail, .. } => {
            let state = if work.unsure { "unknown" } else { "pending" };
            Change { keeps_sending: work.unsure, ..open(state, *until, work.attempts, Some(*code), detail) }
        }
        Outcome::Unknown { at, detail } => {
            Change { keeps_sending: true, ..open("unknown", *at, work.attempts + 1, Some("unknown_outcome"), detail) }
        }
        Outcome::Dead { code, detail } => end("dead", Some(*code), detail, tally::DEAD),
        Outcome::Expired => end("expired", Some("expired"), "its time ran out", tally::EXPIRED),
    }
}

/// What is written once for a whole transaction.
pub(super) struct Batch {
    now: Timestamp,
    pub(super) tallies: Tallies,
    events: Vec<(OrganizationId, NewEvent)>,
    attempts: Vec<attempts::ActiveModel>,
    delivered: BTreeSet<(OrganizationId, Uuid)>,
}

impl Batch {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { now, tallies: Tallies::default(), events: Vec::new(), attempts: Vec::new(), delivered: BTreeSet::new() }
    }

    /// Write what an attempt made of its copy.
    /// `false`: it had been written before.
    async fn outcome(&mut self, transaction: &DatabaseTransaction, record: &Record) -> Result<bool, DbErr> {
        let (work, organization) = (&record.work, &record.work.lease.organization);
        let change = change_of(work, &record.outcome);
        let Some(row) = update_copy(transaction, record, &change, self.now).await? else { return Ok(false) };
        if let Outcome::Hold { until, scope, .. } = &record.outcome {
            hold(transaction, work, *scope, *until).await?;
        } else {
            self.attempts.push(attempt(record, &change, self.now));
        }
        let What::Message { installation, key, .. } = &work.what else {
            if let Outcome::Retry { at, .. } = &record.outcome {
                // A receiver that fails once fails the next one too: its events wait, in order.
                hold(transaction, work, Scope::Conversation, *at).await?;
            }
            return Ok(true);
        };
        let is_newer =
            (row.revision > work.revision || row.removal != work.removal) && row.pinned != Some(work.revision);
        let ended = match change.tally {
            // A newer revision takes its place, so this one has ended, unsent.
            None if is_newer && !change.keeps_sending => Some(tally::SUPERSEDED),
            tally => tally,
        };
        if let Some(outcome) = ended {
            self.tallies.add(organization, outcome, 1);
        }
        if record.outcome == Outcome::Delivered {
            self.delivered.insert((organization.clone(), installation.0));
        }
        if change.tally.is_some() {
            let failure = change.code.map(|code| FailureView::new(code, &change.detail));
            self.tell(organization, key.clone(), work.revision, &row, failure);
        }
        Ok(true)
    }

    /// Tell how a copy's revision ended.
    pub(super) fn tell(
        &mut self,
        organization: &OrganizationId,
        message: String,
        revision: i64,
        row: &copies::Model,
        failure: Option<FailureView>,
    ) {
        let kind = if failure.is_some() { EventKind::MessageFailed } else { EventKind::MessageDelivered };
        let told = MessageEvent { message, revision, copy: copy_view(row), failure };
        self.events.push((organization.clone(), NewEvent::new(kind, serde_json::json!(told), self.now)));
    }

    /// Write the rest.
    pub(super) async fn write(self, transaction: &DatabaseTransaction, database: &Database) -> Result<(), DbErr> {
        if !self.attempts.is_empty() {
            attempts::Entity::insert_many(self.attempts).exec_without_returning(transaction).await?;
        }
        for (organization, installation) in self.delivered {
            let sql = "UPDATE installations SET last_delivered_at = $3 WHERE organization = $1 AND id = $2
                AND (last_delivered_at IS NULL OR last_delivered_at < $4)";
            let coarse = self.now.minus(Duration::from_secs(10)).as_micros();
            let values: [Value; 4] =
                [organization.as_str().into(), installation.into(), self.now.as_micros().into(), coarse.into()];
            transaction.execute_raw(statement(transaction, sql, values)).await?;
        }
        events::append_all(transaction, database, self.events).await?;
        self.tallies.write(transaction).await
    }
}

/// Change the copy. A newer revision may have been accepted meanwhile: then it stays open.
/// `None`: the result stands there already, from a commit whose answer was lost.
async fn update_copy(
    transaction: &DatabaseTransaction,
    record: &Record,
    change: &Change,
    now: Timestamp,
) -> Result<Option<copies::Model>, DbErr> {
    let work = &record.work;
    let sql = "UPDATE copies SET
            parts = $4, address = COALESCE($5, address),
            shown = CASE WHEN $6 THEN CAST($3 AS BIGINT) ELSE shown END,
            sending = CASE WHEN $7 THEN sending ELSE NULL END,
            pinned = CASE WHEN pinned = $3 AND NOT $8 THEN NULL ELSE pinned END,
            is_open = CASE WHEN revision > $3 OR removal <> $15 THEN TRUE ELSE $8 END,
            state = CASE WHEN (revision > $3 OR removal <> $15) AND NOT $8 THEN 'pending' ELSE $9 END,
            code = CAST($10 AS TEXT), detail = CAST($11 AS TEXT), attempts = $12, crashes = 0,
            due_at = CASE WHEN (revision > $3 OR removal <> $15) AND NOT $8
                THEN CAST($13 AS BIGINT) ELSE CAST($14 AS BIGINT) END,
            updated_at = CAST($13 AS BIGINT)
        WHERE organization = $1 AND id = $2 AND state = 'sending' AND sending = $3 RETURNING *";
    let values: [Value; 15] = [
        work.lease.organization.as_str().into(),
        work.copy.0.into(),
        work.revision.into(),
        parts_text(&record.parts).into(),
        record.address.clone().into(),
        change.shown.into(),
        change.keeps_sending.into(),
        change.is_open.into(),
        change.state.into(),
        change.code.map(str::to_owned).into(),
        detail_of(change).into(),
        i32::try_from(change.attempts).unwrap_or(i32::MAX).into(),
        now.as_micros().into(),
        change.due.map(Timestamp::as_micros).into(),
        work.removal.into(),
    ];
    let row = transaction.query_one_raw(statement(transaction, sql, values)).await?;
    row.map(|row| copies::Model::from_query_result(&row, "")).transpose()
}

fn detail_of(change: &Change) -> Option<String> {
    (!change.detail.is_empty()).then(|| change.detail.clone())
}

pub(super) fn parts_text(parts: &[ShownPart]) -> String {
    // Serializing plain data into memory can't fail.
    serde_json::to_string(parts).expect("parts are plain data")
}

fn attempt(record: &Record, change: &Change, now: Timestamp) -> attempts::ActiveModel {
    attempts::ActiveModel {
        organization: Set(record.work.lease.organization.as_str().to_owned()),
        id: Set(Uuid::now_v7()),
        copy: Set(record.work.copy.0),
        revision: Set(record.work.revision),
        outcome: Set(record.outcome.name().to_owned()),
        code: Set(change.code.map(str::to_owned)),
        detail: Set(detail_of(change)),
        duration: Set(i64::try_from(record.took.as_micros()).unwrap_or(i64::MAX)),
        at: Set(now.as_micros()),
    }
}

/// Let everything that the scope names wait.
async fn hold(transaction: &DatabaseTransaction, work: &Work, scope: Scope, until: Timestamp) -> Result<(), DbErr> {
    let organization = work.lease.organization.as_str();
    let (table, id): (&str, Value) = match (scope, &work.what) {
        (Scope::Copy, _) => return Ok(()),
        (Scope::Installation | Scope::Origin, What::Message { installation, .. }) => {
            ("installations", installation.0.into())
        }
        _ => ("streams", work.lease.stream.0.into()),
    };
    let sql = format!("UPDATE {table} SET held_until = $1 WHERE organization = $2 AND id = $3 AND held_until < $1");
    let values = [until.as_micros().into(), organization.into(), id];
    transaction.execute_raw(statement(transaction, &sql, values)).await?;
    Ok(())
}
