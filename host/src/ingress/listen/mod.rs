//! Hearing platforms that don't call: for each installation that is heard in this way one task,
//! on one replica at a time, asks its backend what has happened, again and again. What happened
//! is committed as if the platform had called; only then the cursor moves on. So nothing that
//! was heard is lost in a crash, and what is heard twice is recognized by its id.

mod lease;
mod listener;

use std::{collections::HashMap, time::Duration};

use chatport_sdk::install::Health;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use uuid::Uuid;

pub use lease::forget;

use crate::{
    app::App,
    ids::{InstallationId, OrganizationId},
    setup::{
        contain::contained_pure,
        sites::{self, Loaded},
    },
    store::entities::installations::{Column, Entity},
};
use lease::Lease;

/// How often it is looked for installations to which nobody listens.
const LOOK: Duration = Duration::from_secs(2);
/// Installations in one look.
const BATCH: u64 = 200;

/// Run until `stop` is cancelled, then finish what was heard and give all leases back.
pub async fn run(app: App, stop: CancellationToken) {
    if let Err(error) = lease::give_back_what_a_dead_process_held(&app).await {
        tracing::warn!(%error, "it may take a moment until it is listened again");
    }
    let mut listeners = Listeners { app, stop: stop.clone(), after: Uuid::nil(), running: HashMap::new() };
    loop {
        if let Err(error) = listeners.look().await {
            tracing::warn!(%error, "can't see to whom nobody listens; trying again soon");
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
    for (installation, listener) in listeners.running {
        if let Err(error) = listener.await {
            tracing::error!(%installation, %error, "a listener ended badly");
        }
    }
}

/// The listeners of this replica.
struct Listeners {
    app: App,
    stop: CancellationToken,
    /// The last installation of the look before.
    after: Uuid,
    running: HashMap<InstallationId, AbortOnDropHandle<()>>,
}

impl Listeners {
    /// Begin to listen for the next installations to which nobody listens.
    async fn look(&mut self) -> Result<(), DbErr> {
        self.running.retain(|_, listener| !listener.is_finished());
        let backends: Vec<&'static str> =
            self.app.registry.iter().filter_map(|(backend, _)| hearing(backend)).collect();
        if backends.is_empty() {
            return Ok(());
        }
        let rows = Entity::find()
            .filter(Column::Backend.is_in(backends))
            .filter(Column::RemovedAt.is_null())
            .filter(Column::Id.gt(self.after))
            .order_by_asc(Column::Id)
            .limit(BATCH)
            .all(self.app.database.read())
            .await?;
        self.after = rows.last().filter(|_| rows.len() as u64 == BATCH).map_or(Uuid::nil(), |row| row.id);
        for row in rows {
            let (organization, id) = (OrganizationId::stored(row.organization), InstallationId(row.id));
            if self.running.contains_key(&id) {
                continue;
            }
            // One that can't be loaded, or was removed meanwhile, is looked at again soon.
            let known = sites::load(&self.app, &organization, id).await;
            if !known.is_ok_and(|loaded| listens(&loaded)) {
                continue;
            }
            if let Some(lease) = Lease::take(&self.app, &organization, id).await? {
                let listener = listener::run(self.app.clone(), lease, self.stop.clone());
                self.running.insert(id, AbortOnDropHandle::new(tokio::spawn(listener)));
            }
        }
        Ok(())
    }
}

/// The backend's id, if it can be heard by listening.
fn hearing(backend: &dyn chatport_sdk::backend::MessagingBackend) -> Option<&'static str> {
    let offers = contained_pure(|| backend.listen().is_some()).unwrap_or(false);
    offers.then(|| backend.descriptor().id)
}

/// Whether an installation is heard by listening.
fn listens(loaded: &Loaded) -> bool {
    contained_pure(|| loaded.backend.listen().is_some_and(|listen| listen.listens(&loaded.site))).unwrap_or(false)
}

/// What a probe has found, with what the host knows: an installation that can't be listened to
/// hears nothing, unless its platform calls by now.
///
/// # Errors
/// The database refuses.
pub async fn and_listening(app: &App, loaded: &Loaded, mut health: Health) -> Result<Health, DbErr> {
    if listens(loaded)
        && let Some(failing) = lease::failing(app, &loaded.organization, loaded.id).await?
    {
        health.can_receive = false;
        health.missing.push(format!("what people do there can't be heard since {}: {}", failing.since, failing.detail));
        health.cure.get_or_insert_with(|| "Mend the cause; the host goes on listening by itself.".into());
    }
    Ok(health)
}
