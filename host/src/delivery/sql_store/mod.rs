//! The engine's store in SQL, for SQLite and Postgres. Rows are loaded and written in sheets:
//! whatever the size of a batch, it takes the same few statements. The two engines differ in
//! how a sheet is read, how rows are locked, and whose clock decides leases.

mod flush;
mod load;
mod search;
mod tables;

pub(crate) use search::lock_streams;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use chatport_sdk::{
    identity::{Address, Conversation},
    site::Random,
    time::{Clock, Timestamp},
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait};
use uuid::Uuid;

use super::{
    CancelWhat, call_off,
    ledger::{Changes, Ledger, Stream},
    store::{DeliveryStore, Documents, Full, Held, Root, Rows, RowsWanted, StoreError, Unit},
};
use crate::{
    ids::{CopyId, InstallationId, OrganizationId},
    store::{
        Database,
        entities::copies,
        noted::Noted,
        notify_due, only,
        sheet::{self, Sheet},
        statement,
    },
};

/// How exactly it is known when an installation last delivered something.
const NOTE_EVERY: Duration = Duration::from_secs(5);
/// How often other replicas are called at most.
const CALL_EVERY: Duration = Duration::from_millis(50);

/// After `$1` it was `$2`. A copy that has not been tried waits for a time that an application
/// has named, unless that had come.
const SET_BACK: &str = "
    UPDATE installations SET held_until = MIN(held_until, MAX(held_until - ($1 - $2), $2)) WHERE held_until > $2;
    UPDATE copies SET due_at = MIN(due_at, MAX(due_at - ($1 - $2), $2))
        WHERE due_at > $2 AND (due_at <= $1 OR code IS NOT NULL OR state IN ('retry', 'unknown'));
    UPDATE streams SET held_until = MIN(held_until, MAX(held_until - ($1 - $2), $2)) WHERE held_until > $2;
    UPDATE streams SET due_at = (SELECT MIN(c.due_at) FROM copies c WHERE c.stream = streams.id AND c.due_at IS NOT NULL)
        WHERE due_at > $2 AND owner IS NULL";

/// The store.
#[derive(Clone)]
pub(super) struct SqlStore {
    database: Database,
    clock: Arc<dyn Clock>,
    noted: Noted,
    calls: Calls,
}

/// When other replicas were last called.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Option<Instant>>>);

impl Calls {
    /// Once called, others look until nothing is left: there is no need to call them with every
    /// commit of a rush, and each call makes the commits of all replicas wait for one another.
    fn may_call(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let may = last.is_none_or(|last| last.elapsed() >= CALL_EVERY);
        if may {
            *last = Some(Instant::now());
        }
        may
    }
}

impl SqlStore {
    pub(super) fn new(database: Database, clock: Arc<dyn Clock>) -> Self {
        Self { database, clock, noted: Noted::every(NOTE_EVERY), calls: Calls::default() }
    }

    /// Now, by the clock that decides leases: the database's where several replicas share it,
    /// ours where we are alone.
    fn now(&self, database: Option<Timestamp>) -> Timestamp {
        let ours = self.clock.now();
        if let Some(theirs) = database {
            self.database.learn(theirs, ours);
        }
        database.unwrap_or(ours)
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
    let rows = search::open_copies(transaction, organization, what).await?;
    let mut ledger = Ledger::new(now, Arc::clone(random));
    ledger.load_copies(rows.clone());
    for row in &rows {
        call_off::leave(&mut ledger, row, false, now);
    }
    flush::write(transaction, database, ledger.into_changes()).await?;
    Ok(())
}

/// A conversation that has moved.
pub(super) struct Relocation<'a> {
    pub installation: InstallationId,
    /// The key of its stream.
    pub from: &'a str,
    pub old: &'a Address,
    pub to: &'a Conversation,
}

impl Relocation<'_> {
    /// Its copies.
    pub(super) fn what(&self) -> CancelWhat {
        CancelWhat::Conversation(self.installation, self.from.to_owned())
    }
}

/// Send what waits for a conversation to its new address, in its old order. The stream takes
/// the new key, unless there is one with that key: then new messages go there, and this one runs
/// dry. What is being sent finds out by itself; so do replies, whose threads are in the old place.
pub(super) async fn relocate(
    transaction: &DatabaseTransaction,
    database: &Database,
    organization: &OrganizationId,
    place: &Relocation<'_>,
    random: &Arc<dyn Random>,
    now: Timestamp,
) -> Result<(), DbErr> {
    let rows = search::open_copies(transaction, organization, &place.what()).await?;
    let is_at = |row: &copies::Model| {
        row.address.as_deref().and_then(|text| serde_json::from_str::<Address>(text).ok()).as_ref() == Some(place.old)
    };
    let mut ledger = Ledger::new(now, Arc::clone(random));
    let moves = |row: &&copies::Model| !row.is_taken() && row.root.is_none() && !row.removal && is_at(row);
    let moving: Vec<_> = rows.into_iter().filter(|row| moves(&row)).collect();
    ledger.load_copies(moving.clone());
    for row in &moving {
        if let Some(copy) = ledger.copy(row.id) {
            copy.address = serde_json::to_string(&place.to.address).ok();
            copy.parts = "[]".to_owned();
            copy.updated_at = now.as_micros();
        }
    }
    flush::write(transaction, database, ledger.into_changes()).await?;
    let sql = "UPDATE streams SET key = $3 WHERE installation = $1 AND key = $2
        AND NOT EXISTS (SELECT 1 FROM streams n WHERE n.installation = $1 AND n.key = $3)";
    let values = [place.installation.0.into(), place.from.into(), place.to.id.as_str().into()];
    transaction.execute_raw(statement(transaction, sql, values)).await?;
    Ok(())
}

#[async_trait]
impl DeliveryStore for SqlStore {
    async fn begin(&self) -> Result<Box<dyn Unit>, StoreError> {
        let begun = self.database.begin_at().await;
        let (transaction, now) = begun.map_err(|error| StoreError::Unreachable(error.to_string()))?;
        let now = self.now(now);
        Ok(Box::new(SqlUnit {
            noted: self.noted.clone(),
            calls: self.calls.clone(),
            database: self.database.clone(),
            transaction,
            now,
        }))
    }

    async fn recover(&self) -> Result<u64, StoreError> {
        if self.database.engine() != DbBackend::Sqlite {
            return Ok(0);
        }
        let write = self.database.write_uncached();
        let sql = "UPDATE streams SET owner = NULL, lease_until = 0 WHERE owner IS NOT NULL";
        Ok(write.execute_raw(statement(write, sql, [])).await?.rows_affected())
    }

    async fn abandon(&self, owner: Uuid, held: &Held) -> Result<u64, StoreError> {
        let transaction = self.database.begin_uncached().await?;
        let mut left = search::leased(&transaction, owner).await?;
        let held = held();
        left.retain(|stream| !held.contains(stream));
        if left.is_empty() {
            return Ok(0);
        }
        let ids = sheet::rows(self.database.engine(), &tables::IDS, 1);
        // A statement of its own: it must see what was committed while the rows were waited for.
        let sql = format!(
            "UPDATE streams SET owner = NULL, lease_until = 0,
                due_at = (SELECT MIN(c.due_at) FROM copies c WHERE c.stream = streams.id AND c.due_at IS NOT NULL)
            WHERE id IN {ids}"
        );
        let sheet = Sheet::of(&tables::IDS, &left, |id| [id.0.into()]);
        let freed = transaction.execute_raw(statement(&transaction, &sql, [sheet.into()])).await?.rows_affected();
        transaction.commit().await.map_err(|error| StoreError::CommitUnknown(error.to_string()))?;
        Ok(freed)
    }

    async fn set_back(&self, was: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        if self.database.engine() != DbBackend::Sqlite {
            return Ok(());
        }
        let seconds = was.since(now).as_secs_f64();
        tracing::warn!(seconds, "this host's clock has gone back: set it by NTP");
        let transaction = self.database.begin_uncached().await?;
        let values = [was.as_micros().into(), now.as_micros().into()];
        transaction.execute_raw(statement(&transaction, SET_BACK, values)).await?;
        transaction.commit().await.map_err(|error| StoreError::CommitUnknown(error.to_string()))
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
    calls: Calls,
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
        Ok(search::due(&self.transaction, limit, full, self.now).await?)
    }

    async fn overdue(&mut self, limit: u64) -> Result<Vec<copies::Model>, StoreError> {
        Ok(search::overdue(&self.transaction, limit, self.now).await?)
    }

    async fn foldable(
        &mut self,
        waiting: usize,
        late: Timestamp,
        streams: usize,
        limit: usize,
    ) -> Result<Vec<copies::Model>, StoreError> {
        Ok(search::foldable(&self.transaction, waiting, late, (streams, limit), self.now).await?)
    }

    async fn folded(&mut self, limit: usize) -> Result<Vec<(copies::Model, bool)>, StoreError> {
        Ok(search::folded(&self.transaction, limit).await?)
    }

    async fn open_copies(
        &mut self,
        organization: &OrganizationId,
        what: &CancelWhat,
    ) -> Result<Vec<copies::Model>, StoreError> {
        Ok(search::open_copies(&self.transaction, organization, what).await?)
    }

    async fn documents(
        &mut self,
        messages: &BTreeSet<(OrganizationId, Uuid)>,
        events: &BTreeSet<(OrganizationId, Uuid)>,
    ) -> Result<Documents, StoreError> {
        Ok(load::documents(&self.transaction, messages, events).await?)
    }

    async fn commit(self: Box<Self>, mut changes: Changes) -> Result<bool, StoreError> {
        // Nobody needs to know to the second when something was last delivered.
        changes.delivered.retain(|(_, installation), now| self.noted.is_news(*installation, None, *now));
        let calls_others = changes.calls_others && self.calls.may_call();
        let wakes_events = flush::write(&self.transaction, &self.database, changes).await?;
        if calls_others {
            notify_due(&self.transaction).await?;
        }
        self.transaction.commit().await.map_err(|error| StoreError::CommitUnknown(error.to_string()))?;
        Ok(wakes_events)
    }
}
