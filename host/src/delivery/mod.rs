//! The delivery engine. A message is a desired state, and each of its copies converges to it.
//!
//! Everything that changes a copy is a rule over loaded rows: what applications ask for is in
//! [`revise`], what becomes of it by being worked on in [`outcomes`]. A unit of work loads
//! rows into a [`ledger`], applies rules, and commits what has changed; so [`accept`] writes
//! what is wanted, [`lease`] takes what is due, workers bring one copy after the other up to
//! date, and [`record`] writes down how it went and takes the next.

pub mod accept;
mod alarm;
mod desk;
mod lease;
pub mod ledger;
pub mod message;
mod outcomes;
mod pace;
pub mod read;
mod record;
pub mod replay;
mod revise;
pub mod schedule;
mod send;
mod sql_store;
pub mod store;
pub mod tally;
mod targets;
pub mod view;
mod worker;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use chatport_sdk::{
    site::Random,
    time::{Clock, Timestamp},
};
use sea_orm::{DatabaseTransaction, DbErr};
use tokio::sync::Notify;

pub use accept::{AcceptError, Accepted, accept};
pub(crate) use sql_store::insert_copies;
pub use worker::run;

use crate::{
    app::App,
    ids::{InstallationId, OrganizationId},
    store::Database,
};
use alarm::Alarm;
use desk::Desks;
use ledger::Ledger;
use record::Recorder;
use sql_store::SqlStore;
use store::{DeliveryStore, StoreError, StreamsWanted};
use view::CopyView;

/// The engine's front door; cheap to clone.
#[derive(Clone)]
pub struct Delivery {
    store: Arc<dyn DeliveryStore>,
    random: Arc<dyn Random>,
    writer: accept::Writer,
    recorder: Recorder,
    desks: Desks,
    storage_low: Arc<AtomicBool>,
    wake: Arc<Notify>,
    alarm: Alarm,
}

impl Delivery {
    /// A front door over this database. [`run`] does the work behind it.
    pub fn new(database: &Database, clock: &Arc<dyn Clock>, random: &Arc<dyn Random>) -> Self {
        Self::over(Arc::new(SqlStore::new(database.clone(), Arc::clone(clock))), Arc::clone(random))
    }

    fn over(store: Arc<dyn DeliveryStore>, random: Arc<dyn Random>) -> Self {
        let (desks, wake) = (Desks::default(), Arc::new(Notify::new()));
        let clones = (Arc::clone(&store), Arc::clone(&random), desks.clone(), Arc::clone(&wake));
        let (of_store, of_random, of_desks, of_wake) = clones;
        Self {
            writer: accept::Writer::start(of_store, of_random, of_desks, of_wake),
            recorder: Recorder::start(Arc::clone(&store), Arc::clone(&random)),
            storage_low: Arc::default(),
            store,
            random,
            desks,
            wake,
            alarm: Alarm::default(),
        }
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

/// Take a message away: what stands is deleted, what waits is called off.
///
/// # Errors
/// The store refuses. `None`: no such message.
pub async fn delete(app: &App, organization: &OrganizationId, key: &str) -> Result<Option<Vec<CopyView>>, StoreError> {
    let mut unit = app.delivery.store.begin().await?;
    let mut ledger = Ledger::new(unit.now(), Arc::clone(&app.delivery.random));
    let messages = unit.messages(&BTreeSet::from([(organization.clone(), key.to_owned())])).await?;
    let ids: BTreeSet<_> = messages.iter().map(|message| (organization.clone(), message.id)).collect();
    ledger.load_messages(messages);
    ledger.load_streams(unit.streams(&StreamsWanted { messages: ids.clone(), ..StreamsWanted::default() }).await?);
    ledger.load_copies(unit.copies_of(&ids).await?);
    let deleted = revise::delete(&mut ledger, organization, key, app.clock.now());
    unit.commit(ledger.into_changes()).await?;
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

/// Call off what waits; what stands on the platform stays.
///
/// # Errors
/// The database refuses.
pub async fn cancel(
    app: &App,
    transaction: &DatabaseTransaction,
    organization: &OrganizationId,
    what: CancelWhat,
    now: Timestamp,
) -> Result<(), DbErr> {
    sql_store::cancel(transaction, organization, &what, &app.delivery.random, now).await
}
