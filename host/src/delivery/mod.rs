//! The delivery engine. A message is a desired state, and each of its copies converges to it.
//!
//! Everything that changes a copy is a rule over loaded rows: what applications ask for is in
//! `revise`, what becomes of it by being worked on in `outcomes`. A unit of work loads
//! rows into a `ledger`, applies rules, and commits what has changed; so `write` writes what
//! is wanted and how attempts went, and takes what comes next; `lease` takes what waits; and
//! workers bring one copy after the other up to date.

pub mod accept;
mod alarm;
mod breaker;
mod call_off;
mod clock;
mod courier;
pub mod desk;
pub mod fold;
mod lease;
pub mod ledger;
pub mod message;
mod moved;
mod outcomes;
pub(crate) mod pace;
pub mod prepared;
pub mod read;
mod recent;
pub mod replay;
mod revise;
pub mod schedule;
mod send;
mod sql_store;
pub mod store;
pub mod tally;
pub mod targets;
pub mod units;
pub mod view;
mod worker;
pub mod write;
mod writer;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use chatport_sdk::{
    site::Random,
    time::{Clock, Timestamp},
};
use sea_orm::{DatabaseTransaction, DbErr};
use tokio::sync::Notify;

pub use accept::{AcceptError, Accepted, Operation, accept};
pub(crate) use sql_store::lock_streams;
pub use worker::{Carried, Courier, Engine, run};

use crate::{
    app::App,
    ids::{InstallationId, OrganizationId},
    store::Database,
};
use alarm::Alarm;
use desk::Desks;
use sql_store::SqlStore;
use store::{DeliveryStore, StoreError};
use units::Units;
use view::CopyView;
use writer::Writer;

/// The engine's front door; cheap to clone.
#[derive(Clone)]
pub struct Delivery {
    units: Units,
    random: Arc<dyn Random>,
    writer: Writer,
    desks: Desks,
    storage_low: Arc<AtomicBool>,
    wake: Arc<Notify>,
    alarm: Alarm,
}

impl Delivery {
    /// A front door over this database. [`run`] does the work behind it.
    pub fn new(database: &Database, clock: &Arc<dyn Clock>, random: &Arc<dyn Random>) -> Self {
        Self::over(Units::new(store_of(database, clock), Arc::clone(random)), random)
    }

    /// A front door over any store.
    pub fn over(units: Units, random: &Arc<dyn Random>) -> Self {
        let (desks, wake, alarm) = (Desks::default(), Arc::new(Notify::new()), Alarm::default());
        Self {
            writer: Writer::start(units.clone(), desks.clone(), Arc::clone(&wake), alarm.clone()),
            random: Arc::clone(random),
            storage_low: Arc::default(),
            alarm,
            units,
            desks,
            wake,
        }
    }

    /// Write an operation; the answer comes after the commit.
    ///
    /// # Errors
    /// It isn't accepted, or it isn't known whether it was.
    pub async fn write(&self, operation: Operation) -> Result<Accepted, AcceptError> {
        let wait = operation.due_at.since(operation.now);
        let accepted = self.writer.accept(operation).await?;
        if !wait.is_zero() {
            self.alarm.set(wait);
        }
        Ok(accepted)
    }

    /// Accept nothing new while there is too little disk, before there is none.
    pub fn set_storage_low(&self, low: bool) {
        if self.storage_low.swap(low, Ordering::Relaxed) != low {
            match low {
                true => tracing::error!("the disk is nearly full: new messages are refused until there is room"),
                false => tracing::info!("there is room on the disk again: new messages are accepted"),
            }
        }
    }

    /// Something may be due: look now.
    pub fn wake(&self) {
        self.wake.notify_one();
    }
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Delivery")
    }
}

/// The engine's store in a database.
pub fn store_of(database: &Database, clock: &Arc<dyn Clock>) -> Arc<dyn DeliveryStore> {
    Arc::new(SqlStore::new(database.clone(), Arc::clone(clock)))
}

/// Take a message away: what stands is deleted, what waits is called off.
///
/// # Errors
/// The store refuses. `None`: no such message.
pub async fn delete(app: &App, organization: &OrganizationId, key: &str) -> Result<Option<Vec<CopyView>>, StoreError> {
    let deleted = app.delivery.units.delete(organization, key, app.clock.now()).await?;
    app.delivery.wake();
    Ok(deleted)
}

/// Whose copies are called off.
#[derive(Clone, Debug)]
pub enum CancelWhat {
    /// All of an installation.
    Installation(InstallationId),
    /// Those to a conversation that is no longer connected, apart from those to persons.
    Conversation(InstallationId, String),
}

/// Call off what waits; what stands on the platform stays. Last in its transaction: the
/// counts are written after events by all.
///
/// # Errors
/// The database refuses.
pub async fn cancel(
    app: &App,
    transaction: &DatabaseTransaction,
    organization: &OrganizationId,
    what: &CancelWhat,
    now: Timestamp,
) -> Result<(), DbErr> {
    sql_store::cancel(transaction, &app.database, organization, what, &app.delivery.random, now).await
}
