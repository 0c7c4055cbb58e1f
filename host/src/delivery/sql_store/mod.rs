//! The engine's store in SQL, for SQLite and Postgres. Rows are loaded and written in sheets:
//! whatever the size of a batch, it takes the same few statements. The two engines differ in
//! how a sheet is read, how rows are locked, and whose clock decides leases.

mod flush;
mod load;
mod tables;

pub(crate) use load::lock_streams;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chatport_sdk::{
    site::Random,
    time::{Clock, Timestamp},
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait};
use uuid::Uuid;

use super::{
    CancelWhat,
    ledger::{Changes, Ledger, Stream},
    revise,
    store::{DeliveryStore, Documents, Full, Root, Rows, RowsWanted, StoreError, Unit},
};
use crate::{
    ids::{CopyId, InstallationId, OrganizationId, StreamId},
    store::{
        Database,
        entities::copies,
        only,
        sheet::{self, Sheet},
        statement,
    },
};

/// How exactly it is known when an installation last delivered something.
const NOTE_EVERY: Duration = Duration::from_secs(5);
/// A difference between this host's clock and the database's that is worth a warning.
const CLOCK_DIFFERENCE: Duration = Duration::from_secs(5);

/// The store.
#[derive(Clone)]
pub(super) struct SqlStore {
    database: Database,
    clock: Arc<dyn Clock>,
    noted: Noted,
}

/// When it was last noted that an installation delivered something.
#[derive(Clone, Default)]
struct Noted(Arc<Mutex<HashMap<InstallationId, Timestamp>>>);

impl Noted {
    /// Leave out what was noted a moment ago: nobody needs it to the second.
    fn thin(&self, delivered: &mut BTreeMap<(OrganizationId, InstallationId), Timestamp>) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        delivered.retain(|(_, installation), now| {
            let is_old = noted.get(installation).is_none_or(|then| now.since(*then) >= NOTE_EVERY);
            if is_old {
                noted.insert(*installation, *now);
            }
            is_old
        });
    }
}

impl SqlStore {
    pub(super) fn new(database: Database, clock: Arc<dyn Clock>) -> Self {
        Self { database, clock, noted: Noted::default() }
    }

    /// Now, by the clock that decides leases: the database's where several replicas share it,
    /// ours where we are alone.
    fn now(&self, database: Option<Timestamp>) -> Timestamp {
        let ours = self.clock.now();
        let Some(now) = database else { return ours };
        let difference = Ord::max(now.since(ours), ours.since(now));
        metrics::gauge!("chatport_clock_difference_seconds").set(difference.as_secs_f64());
        if difference > CLOCK_DIFFERENCE {
            let seconds = difference.as_secs_f64();
            tracing::warn!(seconds, "this host's clock and the database's differ: set both by NTP");
        }
        now
    }
}

/// Call off what waits, within a transaction that changes something else too.
pub(super) async fn cancel(
    transaction: &DatabaseTransaction,
    database: &Database,
    organization: &OrganizationId,
    what: &CancelWhat,
    random: &Arc<dyn Random>,
    now: Timestamp,
) -> Result<(), DbErr> {
    let rows = load::open_copies(transaction, organization, what).await?;
    let mut ledger = Ledger::new(now, Arc::clone(random));
    ledger.load_copies(rows.clone());
    for row in &rows {
        revise::leave(&mut ledger, row, false, now);
    }
    flush::write(transaction, database, ledger.into_changes()).await
}

#[async_trait]
impl DeliveryStore for SqlStore {
    async fn begin(&self) -> Result<Box<dyn Unit>, StoreError> {
        let begun = self.database.begin_at().await;
        let (transaction, now) = begun.map_err(|error| StoreError::Unreachable(error.to_string()))?;
        let now = self.now(now);
        Ok(Box::new(SqlUnit { noted: self.noted.clone(), database: self.database.clone(), transaction, now }))
    }

    async fn recover(&self) -> Result<u64, StoreError> {
        if self.database.engine() != DbBackend::Sqlite {
            return Ok(0);
        }
        let write = self.database.write_uncached();
        let sql = "UPDATE streams SET owner = NULL, lease_until = 0 WHERE owner IS NOT NULL";
        Ok(write.execute_raw(statement(write, sql, [])).await?.rows_affected())
    }

    async fn abandon(&self, owner: Uuid, held: &BTreeSet<StreamId>) -> Result<u64, StoreError> {
        let write = self.database.write_uncached();
        let sheet = Sheet::of(&tables::IDS, held, |id| [id.0.into()]);
        let ids = sheet::rows(self.database.engine(), &tables::IDS, 2);
        let sql = format!(
            "UPDATE streams SET owner = NULL, lease_until = 0,
                due_at = (SELECT MIN(c.due_at) FROM copies c WHERE c.stream = streams.id AND c.due_at IS NOT NULL)
            WHERE owner = $1 AND id NOT IN {ids}"
        );
        let values = [owner.into(), sheet.into()];
        Ok(write.execute_raw(statement(write, &sql, values)).await?.rows_affected())
    }

    async fn is_unneeded(&self, organization: &OrganizationId, fallback: CopyId) -> Result<bool, StoreError> {
        let read = self.database.read();
        let sql = "SELECT 1 FROM copies f JOIN copies c ON c.organization = f.organization AND c.message = f.message
            WHERE f.organization = $1 AND f.id = $2 AND NOT c.is_fallback AND c.log_id IS NULL
                AND (c.shown IS NULL OR c.shown < f.revision)";
        let values = [organization.as_str().into(), fallback.0.into()];
        Ok(read.query_all_raw(statement(read, sql, values)).await?.is_empty())
    }

    async fn root(&self, organization: &OrganizationId, root: CopyId) -> Result<Root, StoreError> {
        let query = copies::Entity::find_by_id((organization.as_str().to_owned(), root.0));
        Ok(Root::of(only(query, self.database.read()).await?.as_ref()))
    }
}

/// A transaction.
struct SqlUnit {
    noted: Noted,
    database: Database,
    transaction: DatabaseTransaction,
    now: Timestamp,
}

#[async_trait]
impl Unit for SqlUnit {
    fn now(&self) -> Timestamp {
        self.now
    }

    async fn load(&mut self, wanted: &RowsWanted) -> Result<Rows, StoreError> {
        Ok(load::rows(&self.transaction, wanted, self.now).await?)
    }

    async fn due(&mut self, limit: usize, full: &Full) -> Result<Vec<Stream>, StoreError> {
        Ok(load::due(&self.transaction, limit, full, self.now).await?)
    }

    async fn overdue(&mut self, limit: u64) -> Result<Vec<copies::Model>, StoreError> {
        Ok(load::overdue(&self.transaction, limit, self.now).await?)
    }

    async fn open_copies(
        &mut self,
        organization: &OrganizationId,
        what: &CancelWhat,
    ) -> Result<Vec<copies::Model>, StoreError> {
        Ok(load::open_copies(&self.transaction, organization, what).await?)
    }

    async fn documents(
        &mut self,
        messages: &BTreeSet<(OrganizationId, Uuid)>,
        events: &BTreeSet<(OrganizationId, Uuid)>,
    ) -> Result<Documents, StoreError> {
        Ok(load::documents(&self.transaction, messages, events).await?)
    }

    async fn commit(self: Box<Self>, mut changes: Changes) -> Result<(), StoreError> {
        self.noted.thin(&mut changes.delivered);
        flush::write(&self.transaction, &self.database, changes).await?;
        self.transaction.commit().await.map_err(|error| StoreError::CommitUnknown(error.to_string()))
    }
}
