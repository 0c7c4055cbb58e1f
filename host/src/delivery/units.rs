//! The engine's units of work. Each loads rows from the store, applies rules to them, and
//! commits what has changed; nothing else writes messages, copies and streams.

use std::{
    collections::BTreeSet,
    sync::{Arc, OnceLock},
    time::Duration,
};

use chatport_sdk::{site::Random, time::Timestamp};

use super::{
    call_off,
    ledger::Ledger,
    recent::Recent,
    revise,
    store::{DeliveryStore, RowsWanted, StoreError, Unit},
    view::CopyView,
};
use crate::ids::{CopyId, OrganizationId, StreamId};

/// The units of work over a store: `write`, `lease`, `record_parts`, `expire`, `delete`,
/// `hasten`, `replay`.
#[derive(Clone)]
pub struct Units {
    pub(super) store: Arc<dyn DeliveryStore>,
    pub(super) recent: Recent,
    random: Arc<dyn Random>,
    /// When the first of them began.
    begun: Arc<OnceLock<Timestamp>>,
}

/// How long a unit of work may take. Whoever waits for a lock gets an error earlier; a store that
/// doesn't answer at all, e.g. because its host has gone and nobody says so, must not keep anybody.
const SILENCE: Duration = Duration::from_secs(8);

/// Do this, unless the store stays silent: then nobody knows whether it was done.
pub(crate) async fn in_time<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let silent = |_| Err(StoreError::CommitUnknown(format!("the store didn't answer within {SILENCE:?}")));
    tokio::time::timeout(SILENCE, work).await.unwrap_or_else(silent)
}

/// How long a process runs before it takes what was being sent when two others died.
const CALM: Duration = Duration::from_secs(5);

impl Units {
    /// Units of work over this store.
    pub fn new(store: Arc<dyn DeliveryStore>, random: Arc<dyn Random>) -> Self {
        Self { store, recent: Recent::default(), random, begun: Arc::default() }
    }

    pub(super) async fn begin(&self) -> Result<(Box<dyn Unit>, Ledger), StoreError> {
        let unit = self.store.begin().await?;
        let mut ledger = Ledger::new(unit.now(), Arc::clone(&self.random));
        ledger.calm_at = self.begun.get_or_init(|| unit.now()).plus(CALM);
        Ok((unit, ledger))
    }

    /// Take a message away: what stands is deleted, what waits is called off. The answer is
    /// its copies; `None`: there is no such message.
    ///
    /// # Errors
    /// The store fails.
    pub async fn delete(
        &self,
        organization: &OrganizationId,
        key: &str,
        now: Timestamp,
    ) -> Result<Option<Vec<CopyView>>, StoreError> {
        let (mut unit, mut ledger) = self.begin().await?;
        let messages = BTreeSet::from([(organization.clone(), key.to_owned())]);
        ledger.load(unit.load(&RowsWanted { messages, ..RowsWanted::default() }).await?);
        let deleted = call_off::delete(&mut ledger, organization, key, now);
        unit.commit(ledger.into_changes()).await?;
        Ok(deleted)
    }

    /// One of a message's copies can't be delivered: its fallbacks are due at once.
    ///
    /// # Errors
    /// The store fails.
    pub async fn hasten(&self, organization: &OrganizationId, key: &str) -> Result<(), StoreError> {
        let (mut unit, mut ledger) = self.begin().await?;
        let messages = BTreeSet::from([(organization.clone(), key.to_owned())]);
        ledger.load(unit.load(&RowsWanted { messages, ..RowsWanted::default() }).await?);
        if let Some(message) = ledger.message(organization, key).map(|message| message.id) {
            revise::hasten(&mut ledger, message);
        }
        unit.commit(ledger.into_changes()).await?;
        Ok(())
    }

    /// Try given-up copies of these streams again, each for `lifetime`: the first from `due`
    /// on, each further one `apart` later. The answer is those that still were given up.
    ///
    /// # Errors
    /// The store fails.
    pub async fn replay(
        &self,
        organization: &OrganizationId,
        copies: &[(CopyId, StreamId)],
        due: Timestamp,
        apart: Duration,
        lifetime: Duration,
    ) -> Result<Vec<CopyId>, StoreError> {
        let (mut unit, mut ledger) = self.begin().await?;
        let streams = copies.iter().map(|(_, stream)| (organization.clone(), *stream)).collect();
        let ids = copies.iter().map(|(copy, _)| (organization.clone(), *copy)).collect();
        ledger.load(unit.load(&RowsWanted { streams, copies: ids, ..RowsWanted::default() }).await?);
        let mut replayed = Vec::with_capacity(copies.len());
        let mut due = due;
        for (copy, _) in copies {
            if revise::replay(&mut ledger, copy.0, due, lifetime) {
                replayed.push(*copy);
                due = due.plus(apart);
            }
        }
        unit.commit(ledger.into_changes()).await?;
        Ok(replayed)
    }
}

impl std::fmt::Debug for Units {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Units")
    }
}
