//! The engine's store in SQL, for SQLite and Postgres. The two differ in three spots: the
//! lock of the lease query, whose clock is asked, and whether leases of an earlier process
//! can be freed at start.

mod record;
mod take;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use chatport_sdk::time::{Clock, Timestamp};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, FromQueryResult, QueryFilter,
    Value, sea_query::Expr,
};
use uuid::Uuid;

use super::{
    message::ShownPart,
    store::{DeliveryStore, Lease, Record, Recorded, Root, StoreError, Work},
    tally::{self, Tallies},
    view::FailureView,
};
use crate::{
    ids::{CopyId, InstallationId, OrganizationId, StreamId},
    store::{
        Database,
        entities::{copies, messages},
        statement,
    },
};
use record::{Batch, Recorder};

/// How long a lease lasts. Each record of its owner renews it.
pub(super) const LEASE: Duration = Duration::from_secs(60);

/// The store.
#[derive(Clone)]
pub(super) struct SqlStore {
    database: Database,
    clock: Arc<dyn Clock>,
}

/// The store with its recorder.
pub(super) struct RecordingStore {
    store: SqlStore,
    recorder: Recorder,
}

impl RecordingStore {
    /// A store over this database; starts the task that writes results down.
    pub(super) fn new(database: Database, clock: Arc<dyn Clock>) -> Self {
        let store = SqlStore { database, clock };
        Self { recorder: Recorder::start(store.clone()), store }
    }
}

impl SqlStore {
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

/// What is due, the longest-waiting first; a stream that was held waits from the end of that.
const DUE_STREAMS: &str = "SELECT s.id FROM streams s LEFT JOIN installations i ON i.id = s.installation
    WHERE s.due_at <= $3 AND s.held_until <= $3 AND (i.held_until IS NULL OR i.held_until <= $3)
        AND (s.owner IS NULL OR s.lease_until <= $3)";

/// The statement that leases. Postgres would run a subquery again for each row where it
/// thinks that there are few, and so pass the limit; an array is made once.
fn lease_sql(engine: DbBackend, full: usize) -> String {
    let places: Vec<String> = (0..full).map(|number| format!("${}", number + 5)).collect();
    let not_full = match full {
        0 => String::new(),
        _ => format!(" AND (s.installation IS NULL OR s.installation NOT IN ({}))", places.join(", ")),
    };
    let order = "ORDER BY CASE WHEN s.due_at > s.held_until THEN s.due_at ELSE s.held_until END LIMIT $4";
    let due = format!("{DUE_STREAMS}{not_full} {order}");
    let picked = match engine {
        DbBackend::Postgres => format!("= ANY (ARRAY({due} FOR UPDATE OF s SKIP LOCKED))"),
        _ => format!("IN ({due})"),
    };
    format!(
        "UPDATE streams SET owner = $1, fence = fence + 1, lease_until = $2 WHERE id {picked}
        RETURNING organization, id, fence"
    )
}

#[async_trait]
impl DeliveryStore for RecordingStore {
    async fn recover(&self) -> Result<u64, StoreError> {
        if self.store.database.engine() != DbBackend::Sqlite {
            return Ok(0);
        }
        let write = self.store.database.write_uncached();
        let sql = "UPDATE streams SET owner = NULL, lease_until = 0 WHERE owner IS NOT NULL";
        Ok(write.execute_raw(statement(write, sql, [])).await?.rows_affected())
    }

    async fn lease(&self, owner: Uuid, limit: usize, full: &[InstallationId]) -> Result<Vec<Work>, StoreError> {
        let transaction = self.store.database.begin_uncached().await?;
        let now = self.store.now(&transaction).await?;
        let sql = lease_sql(self.store.database.engine(), full.len());
        let mut values: Vec<Value> = vec![
            owner.into(),
            now.plus(LEASE).as_micros().into(),
            now.as_micros().into(),
            i64::try_from(limit).unwrap_or(i64::MAX).into(),
        ];
        values.extend(full.iter().map(|installation| Value::from(installation.0)));
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
            match take::take_next(&transaction, &lease, now, false, &mut tallies).await? {
                Some(work) => leased.push(work),
                None => take::release(&transaction, &lease).await?,
            }
        }
        tallies.write(&transaction).await?;
        transaction.commit().await?;
        Ok(leased)
    }

    async fn record_part(&self, work: &Work, parts: &[ShownPart], address: Option<&str>) -> Result<bool, StoreError> {
        let transaction = self.store.database.begin_uncached().await?;
        let now = self.store.now(&transaction).await?;
        let Some(()) = take::renew(&transaction, &work.lease, now).await? else { return Ok(false) };
        let sql = "UPDATE copies SET parts = $3, address = COALESCE($4, address), updated_at = $5
            WHERE organization = $1 AND id = $2";
        let values: [Value; 5] = [
            work.lease.organization.as_str().into(),
            work.copy.0.into(),
            record::parts_text(parts).into(),
            address.map(str::to_owned).into(),
            now.as_micros().into(),
        ];
        transaction.execute_raw(statement(&transaction, sql, values)).await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn record(&self, record: Record) -> Result<Recorded, StoreError> {
        self.recorder.record(record).await
    }

    async fn give_back(&self, work: &Work, due: Timestamp) -> Result<(), StoreError> {
        let transaction = self.store.database.begin_uncached().await?;
        // `sending` stays, so that a revision which a newer one has replaced is counted when
        // that is taken.
        let copy = "UPDATE copies SET state = $3, due_at = $4 WHERE organization = $1 AND id = $2
            AND state = 'sending' AND EXISTS
                (SELECT 1 FROM streams WHERE id = copies.stream AND owner = $5 AND fence = $6)";
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
        // It goes behind those that have waited meanwhile.
        let behind = "UPDATE streams SET held_until = $5
            WHERE organization = $1 AND id = $2 AND owner = $3 AND fence = $4 AND held_until < $5";
        let [organization, stream, owner, fence] = take::lease_values(&work.lease);
        let values = [organization, stream, owner, fence, due.as_micros().into()];
        transaction.execute_raw(statement(&transaction, behind, values)).await?;
        take::release(&transaction, &work.lease).await?;
        Ok(transaction.commit().await?)
    }

    async fn root(&self, organization: &OrganizationId, root: CopyId) -> Result<Root, StoreError> {
        let row = copies::Entity::find_by_id((organization.as_str().to_owned(), root.0))
            .one(self.store.database.read())
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
        let transaction = self.store.database.begin_uncached().await?;
        let now = self.store.now(&transaction).await?;
        // A copy that is leased right now is expired by its worker.
        let lock = match self.store.database.engine() {
            DbBackend::Postgres => " FOR UPDATE OF c, s SKIP LOCKED",
            _ => "",
        };
        let due = format!(
            "SELECT c.id FROM copies c JOIN streams s ON s.id = c.stream
            WHERE c.is_open AND c.expires_at <= $1 AND (s.owner IS NULL OR s.lease_until <= $1) LIMIT $2{lock}"
        );
        let picked = match self.store.database.engine() {
            DbBackend::Postgres => format!("= ANY (ARRAY({due}))"),
            _ => format!("IN ({due})"),
        };
        let sql = format!(
            "UPDATE copies SET is_open = FALSE, state = 'expired', code = 'expired', due_at = NULL, updated_at = $1
            WHERE is_open AND id {picked} RETURNING *"
        );
        let values: [Value; 2] = [now.as_micros().into(), i64::try_from(limit).unwrap_or(i64::MAX).into()];
        let rows = transaction.query_all_raw(statement(&transaction, &sql, values)).await?;
        let rows: Vec<copies::Model> =
            rows.iter().map(|row| copies::Model::from_query_result(row, "")).collect::<Result<_, _>>()?;
        let keys = message_keys(&transaction, &rows).await?;
        let mut batch = Batch::new(now);
        for row in &rows {
            let Some(key) = row.message.and_then(|message| keys.get(&message)) else { continue };
            let organization = OrganizationId::stored(row.organization.clone());
            // An older one in doubt ends with them: what it became is shown by nobody any more.
            if row.sending.is_some_and(|sending| sending != row.revision && Some(sending) != row.pinned) {
                batch.tallies.add(&organization, tally::SUPERSEDED, 1);
            }
            for revision in [Some(row.revision), row.pinned].into_iter().flatten() {
                batch.tallies.add(&organization, tally::EXPIRED, 1);
                let failure = FailureView::new("expired", "its time ran out");
                batch.tell(&organization, key.clone(), revision, row, Some(failure));
            }
        }
        copies::Entity::update_many()
            .col_expr(copies::Column::Pinned, Expr::value(Option::<i64>::None))
            .col_expr(copies::Column::Sending, Expr::value(Option::<i64>::None))
            .filter(copies::Column::Id.is_in(rows.iter().map(|row| row.id)))
            .exec(&transaction)
            .await?;
        batch.write(&transaction, &self.store.database).await?;
        transaction.commit().await?;
        Ok(rows.len() as u64)
    }

    async fn next_due(&self) -> Result<Option<Duration>, StoreError> {
        let read = self.store.database.read();
        let sql = "SELECT MIN(CASE WHEN s.due_at > s.held_until THEN s.due_at ELSE s.held_until END) AS due
            FROM streams s LEFT JOIN installations i ON i.id = s.installation
            WHERE s.due_at IS NOT NULL AND s.owner IS NULL AND (i.held_until IS NULL OR i.held_until <= $1)";
        let now = self.store.now(read).await?;
        let row = read.query_one_raw(statement(read, sql, [now.as_micros().into()])).await?;
        let due: Option<i64> = row.map(|row| row.try_get("", "due")).transpose()?.flatten();
        Ok(due.map(|due| Timestamp::from_micros(due).since(now)))
    }
}

/// The keys of the messages of these copies.
async fn message_keys(
    transaction: &DatabaseTransaction,
    rows: &[copies::Model],
) -> Result<BTreeMap<Uuid, String>, DbErr> {
    let ids = rows.iter().filter_map(|row| row.message);
    let found = messages::Entity::find().filter(messages::Column::Id.is_in(ids)).all(transaction).await?;
    Ok(found.into_iter().map(|message| (message.id, message.key)).collect())
}
