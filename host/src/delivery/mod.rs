//! The delivery engine. A message is a desired state, and each of its copies converges to
//! it: accept writes what is wanted, workers lease streams that are due, bring one copy
//! after the other up to date, and record how it went.

pub mod accept;
mod copy_rows;
pub mod message;
mod pace;
pub mod read;
pub mod replay;
mod revise;
pub mod schedule;
mod send;
mod sql_store;
pub mod store;
mod streams;
pub mod tally;
mod targets;
pub mod view;
mod worker;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use chatport_sdk::time::{Clock, Timestamp};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait};
use tokio::sync::Notify;

pub use accept::{AcceptError, Accepted, accept};
pub use worker::run;

use crate::{
    app::App,
    ids::{ChannelId, InstallationId, OrganizationId},
    store::{Database, entities::copies, statement},
};
use view::CopyView;

/// The engine's front door; cheap to clone.
#[derive(Clone)]
pub struct Delivery {
    writer: accept::Writer,
    storage_low: Arc<AtomicBool>,
    wake: Arc<Notify>,
    store: Arc<dyn store::DeliveryStore>,
}

impl Delivery {
    /// A front door over this database. [`run`] does the work behind it.
    pub fn new(database: &Database, clock: &Arc<dyn Clock>) -> Self {
        Self {
            writer: accept::Writer::start(database.clone()),
            storage_low: Arc::default(),
            wake: Arc::new(Notify::new()),
            store: Arc::new(sql_store::RecordingStore::new(database.clone(), Arc::clone(clock))),
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
/// The database refuses. `None`: no such message.
pub async fn delete(app: &App, organization: &OrganizationId, key: &str) -> Result<Option<Vec<CopyView>>, DbErr> {
    let transaction = app.database.begin_uncached().await?;
    let mut tallies = tally::Tallies::default();
    let deleted = revise::delete(&transaction, organization, key, app.clock.now(), &mut tallies).await?;
    tallies.write(&transaction).await?;
    transaction.commit().await?;
    app.delivery.wake();
    Ok(deleted)
}

/// Copies to a channel's conversation, whichever target led there; not those to persons.
const OF_CHANNEL: &str = "c.account IS NULL AND c.stream IN (SELECT x.id FROM streams x JOIN channels h
    ON h.organization = x.organization AND h.installation = x.installation AND h.conversation = x.key WHERE h.id = $2)";

/// Whose copies are called off.
#[derive(Clone, Copy, Debug)]
pub enum CancelWhat {
    /// All of an installation.
    Installation(InstallationId),
    /// Those to a channel that is no longer connected.
    Channel(ChannelId),
}

impl CancelWhat {
    /// Which copies, as `c`; `$2` is the id.
    fn condition(self) -> (&'static str, sea_orm::Value) {
        match self {
            Self::Installation(id) => ("c.installation = $2", id.0.into()),
            Self::Channel(id) => (OF_CHANNEL, id.0.into()),
        }
    }
}

/// Lock the streams in which copies are to be called off. Whoever records results locks
/// streams before anything else, and so must a transaction that will [`cancel`].
///
/// # Errors
/// The database refuses.
pub async fn lock_streams(
    transaction: &DatabaseTransaction,
    organization: &OrganizationId,
    what: CancelWhat,
) -> Result<(), DbErr> {
    if transaction.get_database_backend() == DbBackend::Postgres {
        let (condition, id) = what.condition();
        let sql = format!(
            "SELECT s.id FROM streams s WHERE s.id IN (SELECT c.stream FROM copies c
             WHERE c.organization = $1 AND c.is_open AND {condition}) ORDER BY s.id FOR UPDATE"
        );
        transaction.query_all_raw(statement(transaction, &sql, [organization.as_str().into(), id])).await?;
    }
    Ok(())
}

/// Call off what waits; what stands on the platform stays. Last in its transaction: the
/// counts are written after events by all.
///
/// # Errors
/// The database refuses.
pub async fn cancel(
    transaction: &DatabaseTransaction,
    organization: &OrganizationId,
    what: CancelWhat,
    now: Timestamp,
) -> Result<(), DbErr> {
    lock_streams(transaction, organization, what).await?;
    let (condition, id) = what.condition();
    let sql = format!("SELECT c.* FROM copies c WHERE c.organization = $1 AND c.is_open AND {condition}");
    let open = statement(transaction, &sql, [organization.as_str().into(), id]);
    let mut tallies = tally::Tallies::default();
    for row in copies::Entity::find().from_raw_sql(open).all(transaction).await? {
        revise::leave(transaction, &row, false, now, &mut tallies).await?;
    }
    tallies.write(transaction).await
}
