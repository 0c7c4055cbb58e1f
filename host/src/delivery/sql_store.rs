//! The engine's store in SQL, for SQLite and Postgres. The two differ in three spots: the
//! lock of the lease query, whose clock is asked, and whether leases of an earlier process
//! can be freed at start.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chatport_sdk::{
    delivery::Urgency,
    failure::Scope,
    time::{Clock, Timestamp},
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, QueryResult, Value};
use uuid::Uuid;

use super::{
    message::ShownPart,
    store::{DeliveryStore, Lease, Outcome, Record, Recorded, Root, StoreError, What, Work},
    tally::{self, Tallies},
    view::{FailureView, MessageEvent, copy_view},
};
use crate::{
    events::{self, EventKind, NewEvent},
    ids::{CopyId, InstallationId, OrganizationId, StreamId},
    store::{Database, entities, statement},
};

/// How long a lease lasts. Each record of its owner renews it.
pub(super) const LEASE: Duration = Duration::from_secs(60);

/// The store.
#[derive(Clone)]
pub(super) struct SqlStore {
    database: Database,
    clock: Arc<dyn Clock>,
}

impl SqlStore {
    pub(super) fn new(database: Database, clock: Arc<dyn Clock>) -> Self {
        Self { database, clock }
    }

    /// Now, by the clock that decides leases: the database's where several replicas share
    /// it, ours where we are alone.
    async fn now(&self, on: &impl ConnectionTrait) -> Result<Timestamp, DbErr> {
        if self.database.engine() == DbBackend::Sqlite {
            return Ok(self.clock.now());
        }
        let sql = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT) AS now";
        let row = on.query_one_raw(statement(on, sql, [])).await?;
        Ok(Timestamp::from_micros(row.ok_or_else(|| DbErr::Custom("no time".into()))?.try_get("", "now")?))
    }
}

const LEASE_STREAMS: &str = "UPDATE streams SET owner = $1, fence = fence + 1, lease_until = $2
    WHERE id IN (
        SELECT s.id FROM streams s LEFT JOIN installations i ON i.id = s.installation
        WHERE s.due_at <= $3 AND s.held_until <= $3 AND (i.held_until IS NULL OR i.held_until <= $3)
            AND (s.owner IS NULL OR s.lease_until <= $3)
        ORDER BY s.due_at LIMIT $4";

const RELEASE: &str = "UPDATE streams SET owner = NULL, lease_until = 0,
        due_at = (SELECT MIN(due_at) FROM copies WHERE copies.stream = streams.id)
    WHERE organization = $1 AND id = $2 AND owner = $3 AND fence = $4";

const RENEW: &str = "UPDATE streams SET lease_until = $5
    WHERE organization = $1 AND id = $2 AND owner = $3 AND fence = $4";

const HEAD: &str =
    "SELECT c.*, m.body AS message_body, m.pinned AS message_pinned, m.key AS message_key, e.body AS event_body,
        s.subscription AS stream_subscription, s.held_until AS stream_held, i.held_until AS installation_held
    FROM copies c
    JOIN streams s ON s.id = c.stream
    LEFT JOIN installations i ON i.id = s.installation
    LEFT JOIN messages m ON m.id = c.message
    LEFT JOIN events e ON e.id = c.event
    WHERE c.stream = $1 AND c.due_at <= $2
    ORDER BY c.sequence LIMIT 1";

#[async_trait]
impl DeliveryStore for SqlStore {
    async fn recover(&self) -> Result<u64, StoreError> {
        if self.database.engine() != DbBackend::Sqlite {
            return Ok(0);
        }
        let write = self.database.write();
        let sql = "UPDATE streams SET owner = NULL, lease_until = 0 WHERE owner IS NOT NULL";
        Ok(write.execute_raw(statement(write, sql, [])).await?.rows_affected())
    }

    async fn lease(&self, owner: Uuid, limit: usize) -> Result<Vec<Work>, StoreError> {
        let transaction = self.database.begin().await?;
        let now = self.now(&transaction).await?;
        let lock = if self.database.engine() == DbBackend::Postgres { " FOR UPDATE OF s SKIP LOCKED" } else { "" };
        let sql = format!("{LEASE_STREAMS}{lock}) RETURNING organization, id, fence");
        let values: [Value; 4] = [
            owner.into(),
            now.plus(LEASE).as_micros().into(),
            now.as_micros().into(),
            i64::try_from(limit).unwrap_or(i64::MAX).into(),
        ];
        let rows = transaction.query_all_raw(statement(&transaction, &sql, values)).await?;
        let mut leased = Vec::with_capacity(rows.len());
        let mut tallies = Tallies::default();
        for row in rows {
            let lease = Lease {
                organization: OrganizationId::stored(row.try_get("", "organization")?),
                stream: StreamId(row.try_get("", "id")?),
                owner,
                fence: row.try_get("", "fence")?,
            };
            match take_next(&transaction, &lease, now, &mut tallies).await? {
                Some(work) => leased.push(work),
                None => {
                    transaction.execute_raw(statement(&transaction, RELEASE, lease_values(&lease))).await?;
                }
            }
        }
        tallies.write(&transaction).await?;
        transaction.commit().await?;
        Ok(leased)
    }

    async fn record_part(&self, work: &Work, parts: &[ShownPart], address: Option<&str>) -> Result<bool, StoreError> {
        let transaction = self.database.begin().await?;
        let now = self.now(&transaction).await?;
        let Some(()) = renew(&transaction, &work.lease, now).await? else { return Ok(false) };
        let sql = "UPDATE copies SET parts = $3, address = COALESCE($4, address), updated_at = $5
            WHERE organization = $1 AND id = $2";
        let values: [Value; 5] = [
            work.lease.organization.as_str().into(),
            work.copy.0.into(),
            parts_text(parts).into(),
            address.map(str::to_owned).into(),
            now.as_micros().into(),
        ];
        transaction.execute_raw(statement(&transaction, sql, values)).await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn record(&self, record: Record) -> Result<Recorded, StoreError> {
        let transaction = self.database.begin().await?;
        let now = self.now(&transaction).await?;
        let lease = record.work.lease.clone();
        let Some(()) = renew(&transaction, &lease, now).await? else { return Ok(Recorded::Lost) };
        let mut tallies = Tallies::default();
        write_outcome(&transaction, &record, now, &mut tallies).await?;
        // What has been held meanwhile (a suspension, a 429) must not go on.
        let next = take_next(&transaction, &lease, now, &mut tallies).await?;
        if next.is_none() {
            transaction.execute_raw(statement(&transaction, RELEASE, lease_values(&lease))).await?;
        }
        tallies.write(&transaction).await?;
        transaction.commit().await?;
        Ok(next.map_or(Recorded::Released, |work| Recorded::Next(Box::new(work))))
    }

    async fn give_back(&self, work: &Work, due: Timestamp) -> Result<(), StoreError> {
        let transaction = self.database.begin().await?;
        let copy = "UPDATE copies SET state = $3, sending = NULL, due_at = $4 WHERE organization = $1 AND id = $2
            AND EXISTS (SELECT 1 FROM streams WHERE id = copies.stream AND owner = $5 AND fence = $6)";
        let state = if work.unsure { "unknown" } else { "pending" };
        let values: [Value; 6] = [
            work.lease.organization.as_str().into(),
            work.copy.0.into(),
            state.into(),
            due.as_micros().into(),
            work.lease.owner.into(),
            work.lease.fence.into(),
        ];
        transaction.execute_raw(statement(&transaction, copy, values)).await?;
        transaction.execute_raw(statement(&transaction, RELEASE, lease_values(&work.lease))).await?;
        Ok(transaction.commit().await?)
    }

    async fn root(&self, organization: &OrganizationId, root: CopyId) -> Result<Root, StoreError> {
        let row = entities::copies::Entity::find_by_id((organization.as_str().to_owned(), root.0))
            .one(self.database.read())
            .await?;
        let Some(row) = row else { return Ok(Root::Missing) };
        let parts: Vec<ShownPart> = serde_json::from_str(&row.parts).map_err(|e| StoreError(e.to_string()))?;
        Ok(match parts.into_iter().next() {
            _ if row.removal => Root::Missing,
            Some(part) => Root::Posted(part.receipt),
            None if row.is_open => Root::Pending,
            None => Root::Missing,
        })
    }

    async fn expire(&self, limit: u64) -> Result<u64, StoreError> {
        let transaction = self.database.begin().await?;
        let now = self.now(&transaction).await?;
        // A copy that is leased right now is expired by its worker.
        let sql = "UPDATE copies SET is_open = FALSE, sending = NULL, state = 'expired', code = 'expired',
                due_at = NULL, updated_at = $1
            WHERE id IN (SELECT c.id FROM copies c JOIN streams s ON s.id = c.stream
                WHERE c.is_open AND c.expires_at <= $1 AND (s.owner IS NULL OR s.lease_until <= $1) LIMIT $2)
            RETURNING organization, id, message, revision, pinned";
        let values: [Value; 2] = [now.as_micros().into(), i64::try_from(limit).unwrap_or(i64::MAX).into()];
        let rows = transaction.query_all_raw(statement(&transaction, sql, values)).await?;
        let mut tallies = Tallies::default();
        let mut failed = Vec::new();
        for row in &rows {
            if row.try_get::<Option<Uuid>>("", "message")?.is_none() {
                continue;
            }
            let organization = OrganizationId::stored(row.try_get("", "organization")?);
            let copy: Uuid = row.try_get("", "id")?;
            let revisions = [Some(row.try_get::<i64>("", "revision")?), row.try_get::<Option<i64>>("", "pinned")?];
            for revision in revisions.into_iter().flatten() {
                tallies.add(&organization, tally::EXPIRED, 1);
                failed.push((organization.clone(), copy, revision));
            }
            let sql = "UPDATE copies SET pinned = NULL WHERE organization = $1 AND id = $2 AND pinned IS NOT NULL";
            let values = [organization.as_str().into(), copy.into()];
            transaction.execute_raw(statement(&transaction, sql, values)).await?;
        }
        for (organization, copy, revision) in failed {
            let event = copy_event(
                &transaction,
                &organization,
                CopyId(copy),
                revision,
                Some(("expired", "its time ran out")),
                now,
            )
            .await?;
            events::append(&transaction, &organization, event).await?;
        }
        tallies.write(&transaction).await?;
        transaction.commit().await?;
        Ok(rows.len() as u64)
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let read = self.database.read();
        let sql = "SELECT MIN(CASE WHEN s.due_at > s.held_until THEN s.due_at ELSE s.held_until END) AS due
            FROM streams s LEFT JOIN installations i ON i.id = s.installation
            WHERE s.due_at IS NOT NULL AND s.owner IS NULL AND (i.held_until IS NULL OR i.held_until <= $1)";
        let row = read.query_one_raw(statement(read, sql, [self.clock.now().as_micros().into()])).await?;
        let due: Option<i64> = row.map(|row| row.try_get("", "due")).transpose()?.flatten();
        Ok(due.map(Timestamp::from_micros))
    }
}

fn lease_values(lease: &Lease) -> [Value; 4] {
    [lease.organization.as_str().into(), lease.stream.0.into(), lease.owner.into(), lease.fence.into()]
}

/// Renew the lease; `None` if somebody else has it.
async fn renew(transaction: &DatabaseTransaction, lease: &Lease, now: Timestamp) -> Result<Option<()>, DbErr> {
    let [organization, stream, owner, fence] = lease_values(lease);
    let values = [organization, stream, owner, fence, now.plus(LEASE).as_micros().into()];
    let renewed = transaction.execute_raw(statement(transaction, RENEW, values)).await?;
    Ok((renewed.rows_affected() == 1).then_some(()))
}

/// Take the first due copy of a leased stream and mark on disk that it is being sent: if
/// this process dies now, the next one knows that it may have arrived.
async fn take_next(
    transaction: &DatabaseTransaction,
    lease: &Lease,
    now: Timestamp,
    tallies: &mut Tallies,
) -> Result<Option<Work>, DbErr> {
    let values: [Value; 2] = [lease.stream.0.into(), now.as_micros().into()];
    let Some(row) = transaction.query_one_raw(statement(transaction, HEAD, values)).await? else { return Ok(None) };
    let installation_held = row.try_get::<Option<i64>>("", "installation_held")?.unwrap_or(0);
    if row.try_get::<i64>("", "stream_held")?.max(installation_held) > now.as_micros() {
        return Ok(None);
    }
    let mut work = read_work(&row, lease)?;
    let state: String = row.try_get("", "state")?;
    let sending: Option<i64> = row.try_get("", "sending")?;
    let crashed = state == "sending";
    work.unsure = crashed || state == "unknown";
    work.crashes += u32::from(crashed);
    let is_message = matches!(work.what, What::Message { .. });
    if is_message && sending.is_some_and(|sending| sending < work.revision) {
        tallies.add(&lease.organization, tally::SUPERSEDED, 1);
    }
    let first_tried = work.first_tried.unwrap_or(now);
    let sql =
        "UPDATE copies SET state = 'sending', sending = COALESCE(pinned, revision), crashes = $3, first_tried_at = $4
        WHERE organization = $1 AND id = $2";
    let values: [Value; 4] = [
        lease.organization.as_str().into(),
        work.copy.0.into(),
        i32::try_from(work.crashes).unwrap_or(i32::MAX).into(),
        first_tried.as_micros().into(),
    ];
    transaction.execute_raw(statement(transaction, sql, values)).await?;
    Ok(Some(work))
}

fn read_work(row: &QueryResult, lease: &Lease) -> Result<Work, DbErr> {
    let bad = |what: &str| DbErr::Custom(format!("a copy's {what} can't be read"));
    let parts: String = row.try_get("", "parts")?;
    let pinned: Option<i64> = row.try_get("", "pinned")?;
    let what = match row.try_get::<Option<Uuid>>("", "event")? {
        Some(id) => What::Event {
            subscription: row
                .try_get::<Option<String>>("", "stream_subscription")?
                .ok_or_else(|| bad("subscription"))?,
            id,
            body: row.try_get("", "event_body")?,
        },
        None => What::Message {
            installation: InstallationId(
                row.try_get::<Option<Uuid>>("", "installation")?.ok_or_else(|| bad("installation"))?,
            ),
            body: match pinned {
                Some(_) => row.try_get::<Option<String>>("", "message_pinned")?.ok_or_else(|| bad("final revision"))?,
                None => row.try_get("", "message_body")?,
            },
            key: row.try_get("", "message_key")?,
            root: row.try_get::<Option<Uuid>>("", "root")?.map(CopyId),
            log_text: row.try_get("", "log_text")?,
            target: row.try_get("", "target")?,
        },
    };
    Ok(Work {
        lease: lease.clone(),
        copy: CopyId(row.try_get("", "id")?),
        what,
        revision: match pinned {
            Some(revision) => revision,
            None => row.try_get("", "revision")?,
        },
        removal: row.try_get("", "removal")?,
        unsure: false,
        parts: serde_json::from_str(&parts).map_err(|_| bad("parts"))?,
        address: row.try_get("", "address")?,
        account: row.try_get("", "account")?,
        attempts: u32::try_from(row.try_get::<i32>("", "attempts")?).unwrap_or(0),
        crashes: u32::try_from(row.try_get::<i32>("", "crashes")?).unwrap_or(0),
        first_tried: row.try_get::<Option<i64>>("", "first_tried_at")?.map(Timestamp::from_micros),
        urgency: match row.try_get::<i16>("", "urgency")? {
            0 => Urgency::Low,
            2 => Urgency::Urgent,
            _ => Urgency::Normal,
        },
        expires_at: Timestamp::from_micros(row.try_get("", "expires_at")?),
        created_at: Timestamp::from_micros(row.try_get("", "created_at")?),
    })
}

fn parts_text(parts: &[ShownPart]) -> String {
    // Serializing plain data into memory can't fail.
    serde_json::to_string(parts).expect("parts are plain data")
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
        Outcome::Retry { at, code, detail } => open("retry", *at, work.attempts + 1, Some(*code), detail),
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

async fn write_outcome(
    transaction: &DatabaseTransaction,
    record: &Record,
    now: Timestamp,
    tallies: &mut Tallies,
) -> Result<(), DbErr> {
    let (work, organization) = (&record.work, &record.work.lease.organization);
    let change = change_of(work, &record.outcome);
    // A newer revision may have been accepted meanwhile: then the copy stays open for it.
    let sql = "UPDATE copies SET
            parts = $4, address = COALESCE($5, address),
            shown = CASE WHEN $6 THEN CAST($3 AS BIGINT) ELSE shown END,
            sending = CASE WHEN $7 THEN sending ELSE NULL END,
            pinned = CASE WHEN pinned = $3 AND NOT $8 THEN NULL ELSE pinned END,
            is_open = CASE WHEN revision > $3 THEN TRUE ELSE $8 END,
            state = CASE WHEN revision > $3 AND NOT $8 THEN 'pending' ELSE $9 END,
            code = CAST($10 AS TEXT), detail = CAST($11 AS TEXT), attempts = $12, crashes = 0,
            due_at = CASE WHEN revision > $3 AND NOT $8 THEN CAST($13 AS BIGINT) ELSE CAST($14 AS BIGINT) END,
            updated_at = CAST($13 AS BIGINT)
        WHERE organization = $1 AND id = $2 RETURNING revision, pinned";
    let values: [Value; 14] = [
        organization.as_str().into(),
        work.copy.0.into(),
        work.revision.into(),
        parts_text(&record.parts).into(),
        record.address.clone().into(),
        change.shown.into(),
        change.keeps_sending.into(),
        change.is_open.into(),
        change.state.into(),
        change.code.map(str::to_owned).into(),
        (!change.detail.is_empty()).then(|| change.detail.clone()).into(),
        i32::try_from(change.attempts).unwrap_or(i32::MAX).into(),
        now.as_micros().into(),
        change.due.map(Timestamp::as_micros).into(),
    ];
    let row = transaction.query_one_raw(statement(transaction, sql, values)).await?;
    let Some(row) = row else { return Ok(()) };
    let is_pinned = row.try_get::<Option<i64>>("", "pinned")? == Some(work.revision);
    let newer = row.try_get::<i64>("", "revision")? > work.revision && !is_pinned;
    let ended = match change.tally {
        // A newer revision takes its place, so this one has ended, unsent.
        None if newer && !change.keeps_sending => Some(tally::SUPERSEDED),
        tally => tally,
    };
    if let (Some(outcome), What::Message { .. }) = (ended, &work.what) {
        tallies.add(organization, outcome, 1);
    }
    if let Outcome::Hold { until, scope, .. } = &record.outcome {
        hold(transaction, work, *scope, *until).await?;
    }
    if !matches!(record.outcome, Outcome::Hold { .. }) {
        write_attempt(transaction, record, &change, now).await?;
    }
    if let Outcome::Delivered = record.outcome
        && let What::Message { installation, .. } = &work.what
    {
        let sql = "UPDATE installations SET last_delivered_at = $3 WHERE organization = $1 AND id = $2
            AND (last_delivered_at IS NULL OR last_delivered_at < $4)";
        let coarse = now.minus(Duration::from_secs(10)).as_micros();
        let values: [Value; 4] =
            [organization.as_str().into(), installation.0.into(), now.as_micros().into(), coarse.into()];
        transaction.execute_raw(statement(transaction, sql, values)).await?;
    }
    if change.tally.is_some() && matches!(work.what, What::Message { .. }) {
        let failure = change.code.map(|code| (code, change.detail.as_str()));
        let event = copy_event(transaction, organization, work.copy, work.revision, failure, now).await?;
        events::append(transaction, organization, event).await?;
    }
    Ok(())
}

async fn write_attempt(
    transaction: &DatabaseTransaction,
    record: &Record,
    change: &Change,
    now: Timestamp,
) -> Result<(), DbErr> {
    let outcome = match record.outcome {
        Outcome::Delivered => "delivered",
        Outcome::Retry { .. } => "retry",
        Outcome::Hold { .. } => "held",
        Outcome::Unknown { .. } => "unknown",
        Outcome::Dead { .. } => "dead",
        Outcome::Expired => "expired",
    };
    let sql = "INSERT INTO attempts (organization, copy, number, revision, outcome, code, detail, duration, at)
        VALUES ($1, $2, (SELECT COALESCE(MAX(number), 0) + 1 FROM attempts WHERE organization = $1 AND copy = $2),
            $3, $4, CAST($5 AS TEXT), CAST($6 AS TEXT), $7, $8)";
    let values: [Value; 8] = [
        record.work.lease.organization.as_str().into(),
        record.work.copy.0.into(),
        record.work.revision.into(),
        outcome.into(),
        change.code.map(str::to_owned).into(),
        (!change.detail.is_empty()).then(|| change.detail.clone()).into(),
        i64::try_from(record.took.as_micros()).unwrap_or(i64::MAX).into(),
        now.as_micros().into(),
    ];
    transaction.execute_raw(statement(transaction, sql, values)).await?;
    Ok(())
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

/// The event that tells how a copy's revision ended.
pub(super) async fn copy_event(
    on: &impl ConnectionTrait,
    organization: &OrganizationId,
    copy: CopyId,
    revision: i64,
    failure: Option<(&str, &str)>,
    now: Timestamp,
) -> Result<NewEvent, DbErr> {
    let missing = || DbErr::RecordNotFound("the copy".into());
    let id = (organization.as_str().to_owned(), copy.0);
    let row = entities::copies::Entity::find_by_id(id).one(on).await?.ok_or_else(missing)?;
    let id = (organization.as_str().to_owned(), row.message.ok_or_else(missing)?);
    let message = entities::messages::Entity::find_by_id(id).one(on).await?;
    let told = MessageEvent {
        message: message.ok_or_else(missing)?.key,
        revision,
        copy: copy_view(&row),
        failure: failure.map(|(code, detail)| FailureView::new(code, detail)),
    };
    let kind = if failure.is_some() { EventKind::MessageFailed } else { EventKind::MessageDelivered };
    Ok(NewEvent::new(kind, serde_json::json!(told), now))
}
