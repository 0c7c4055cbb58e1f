//! The engine's store in memory: the twin of the one in SQL. Units of work follow one another
//! as they do on SQLite; what a unit loads are copies of rows, and only its commit changes
//! them. It says the same as the SQL does in as few words as possible, so that the two can be
//! held against each other, and so that the engine can be simulated without a database.

mod tables;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chatport_host::{
    delivery::{
        CancelWhat,
        ledger::{Changes, Stream},
        store::{DeliveryStore, Documents, Full, Held, Root, Rows, RowsWanted, StoreError, Unit},
    },
    ids::{CopyId, OrganizationId},
    store::entities::copies,
};
use chatport_sdk::time::{Clock, Timestamp};
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};
use uuid::Uuid;

pub use tables::{Happened, Tables};

/// The store.
#[derive(Clone)]
pub struct Twin {
    tables: Arc<Mutex<Tables>>,
    /// Whose turn it is: units of work wait for one another.
    turn: Arc<Turn<()>>,
    clock: Arc<dyn Clock>,
    /// Whether one process has it alone, as on SQLite.
    is_alone: bool,
}

impl Twin {
    /// An empty store for several replicas.
    pub fn shared(clock: Arc<dyn Clock>) -> Self {
        Self { tables: Arc::default(), turn: Arc::default(), clock, is_alone: false }
    }

    /// An empty store for one process, which frees all leases when it starts.
    pub fn alone(clock: Arc<dyn Clock>) -> Self {
        Self { is_alone: true, ..Self::shared(clock) }
    }

    /// Look at the tables, or set them up. What a unit of work is about to write isn't there
    /// before its commit.
    pub fn tables<T>(&self, look: impl FnOnce(&mut Tables) -> T) -> T {
        look(&mut locked(&self.tables))
    }
}

fn locked(tables: &Mutex<Tables>) -> MutexGuard<'_, Tables> {
    tables.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl DeliveryStore for Twin {
    async fn begin(&self) -> Result<Box<dyn Unit>, StoreError> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        Ok(Box::new(TwinUnit { tables: Arc::clone(&self.tables), now: self.clock.now(), _turn: turn }))
    }

    async fn recover(&self) -> Result<u64, StoreError> {
        if !self.is_alone {
            return Ok(0);
        }
        let _turn = self.turn.lock().await;
        Ok(locked(&self.tables).free_all())
    }

    async fn abandon(&self, owner: Uuid, held: &Held) -> Result<u64, StoreError> {
        let _turn = self.turn.lock().await;
        Ok(locked(&self.tables).abandon(owner, &held()))
    }

    async fn set_back(&self, was: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        if self.is_alone {
            let _turn = self.turn.lock().await;
            locked(&self.tables).set_back(was.as_micros(), now.as_micros());
        }
        Ok(())
    }

    async fn is_unneeded(&self, organization: &OrganizationId, fallback: CopyId) -> Result<bool, StoreError> {
        let tables = locked(&self.tables);
        let owned = |id: &Uuid| tables.copies.get(id).filter(|row| row.organization == organization.as_str());
        let Some(fallback) = owned(&fallback.0) else { return Ok(true) };
        let others = tables.copies.values().filter(|copy| copy.message == fallback.message);
        let is_late = |copy: &copies::Model| copy.shown.is_none_or(|shown| shown < fallback.revision);
        Ok(!others.into_iter().any(|copy| !copy.is_fallback && copy.log_id.is_none() && is_late(copy)))
    }

    async fn root(&self, organization: &OrganizationId, root: CopyId) -> Result<Root, StoreError> {
        let tables = locked(&self.tables);
        let row = tables.copies.get(&root.0).filter(|row| row.organization == organization.as_str());
        Ok(Root::of(row))
    }
}

/// A unit of work: nobody else has the tables until it ends.
struct TwinUnit {
    tables: Arc<Mutex<Tables>>,
    now: Timestamp,
    _turn: OwnedMutexGuard<()>,
}

#[async_trait]
impl Unit for TwinUnit {
    fn now(&self) -> Timestamp {
        self.now
    }

    async fn load(&mut self, wanted: &RowsWanted) -> Result<Rows, StoreError> {
        let (tables, now) = (locked(&self.tables), self.now.as_micros());
        let messages = wanted.messages.iter().filter_map(|key| Some((&key.0, tables.messages.get(key)?)));
        let of_messages: Vec<_> = messages
            .clone()
            .flat_map(|(organization, row)| tables.copies_of(&(organization.clone(), row.id)))
            .cloned()
            .collect();
        let mut streams: BTreeSet<Uuid> = wanted.streams.iter().map(|(_, stream)| stream.0).collect();
        streams.extend(wanted.places.iter().filter_map(|place| tables.places.get(place)));
        streams.extend(of_messages.iter().filter_map(|copy| copy.stream));
        let named = wanted.copies.iter().filter_map(|(_, copy)| tables.copies.get(&copy.0));
        let heads = wanted.heads_of.iter().flat_map(|(stream, without)| tables.heads(stream.0, *without, now));
        let installations = wanted.places.iter().map(|(installation, _)| *installation);
        let known = wanted.backlogs_of.iter().filter(|organization| tables.organizations.contains(*organization));
        Ok(Rows {
            streams: streams.into_iter().filter_map(|id| tables.stream(id)).collect(),
            copies: named.chain(heads).cloned().chain(of_messages).collect(),
            holds: installations.filter_map(|id| Some((id, tables.installations.get(&id)?.held_until))).collect(),
            backlogs: known.map(|organization| (organization.clone(), tables.backlog(organization))).collect(),
            messages: messages.map(|(_, row)| row.clone()).collect(),
        })
    }

    async fn due(&mut self, limit: usize, full: &Full) -> Result<Vec<Stream>, StoreError> {
        let tables = locked(&self.tables);
        Ok(tables.due(limit, full, self.now.as_micros()))
    }

    async fn overdue(&mut self, limit: u64) -> Result<Vec<copies::Model>, StoreError> {
        let tables = locked(&self.tables);
        Ok(tables.overdue(usize::try_from(limit).unwrap_or(usize::MAX), self.now.as_micros()))
    }

    async fn foldable(
        &mut self,
        waiting: usize,
        late: Timestamp,
        streams: usize,
        limit: usize,
    ) -> Result<Vec<copies::Model>, StoreError> {
        let tables = locked(&self.tables);
        Ok(tables.foldable(waiting, late.as_micros(), streams, limit, self.now.as_micros()))
    }

    async fn folded(&mut self, limit: usize) -> Result<Vec<(copies::Model, bool)>, StoreError> {
        let tables = locked(&self.tables);
        Ok(tables.folded(limit))
    }

    async fn open_copies(
        &mut self,
        organization: &OrganizationId,
        what: &CancelWhat,
    ) -> Result<Vec<copies::Model>, StoreError> {
        let tables = locked(&self.tables);
        Ok(tables.open_copies(organization, what))
    }

    async fn documents(
        &mut self,
        messages: &BTreeSet<(OrganizationId, Uuid)>,
        events: &BTreeSet<(OrganizationId, Uuid)>,
    ) -> Result<Documents, StoreError> {
        let tables = locked(&self.tables);
        Ok(tables.documents(messages, events))
    }

    async fn commit(self: Box<Self>, changes: Changes) -> Result<bool, StoreError> {
        let mut tables = locked(&self.tables);
        tables.write(changes)
    }
}

impl std::fmt::Debug for Twin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Twin")
    }
}
