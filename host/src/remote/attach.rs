//! Attaching remote backends at the start, and later those that weren't there yet. What one
//! said of itself is kept in the database, so that its installations stay what they are while
//! it is away: their messages wait.

use std::{sync::Arc, time::Duration};

use chatport_sdk::{site::Random, time::Clock, wire};
use futures_util::future::join_all;
use sea_orm::{ActiveValue::Set, DbErr, EntityTrait, sea_query::OnConflict};
use tokio_util::sync::CancellationToken;

use super::{
    backend::{ConnectError, RemoteBackend, describe},
    link::{Link, Means},
};
use crate::{
    app::App,
    config::RemoteEntry,
    registry::Registry,
    security::transport::Transports,
    store::entities::facts::{ActiveModel, Column, Entity},
};

/// How often one that hasn't answered yet is asked again: at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How one was attached.
#[derive(Debug)]
pub enum Attached {
    /// It answered.
    Now,
    /// It didn't answer: by what it once said. With the reason.
    AsBefore(String),
    /// It has never answered: not yet. With the reason.
    NotYet(String),
}

fn means(transports: &Transports, entry: &RemoteEntry, clock: &Arc<dyn Clock>, random: &Arc<dyn Random>) -> Means {
    let transport = transports.for_remote(&entry.url);
    Means { transport, clock: Arc::clone(clock), random: Arc::clone(random) }
}

fn means_of(app: &App, entry: &RemoteEntry) -> Means {
    means(&app.transports, entry, &app.clock, &app.random)
}

/// Attach what answers within a few seconds, without a database; the answer tells of each that
/// didn't.
pub async fn connect_all(
    registry: &Registry,
    entries: &[RemoteEntry],
    transports: &Transports,
    clock: &Arc<dyn Clock>,
    random: &Arc<dyn Random>,
) -> Vec<(String, ConnectError)> {
    let connect = async |entry: &RemoteEntry| {
        let connected = RemoteBackend::connect(entry.clone(), means(transports, entry, clock, random)).await;
        connected.map(|backend| registry.attach(Arc::new(backend))).map_err(|error| (entry.id.clone(), error))
    };
    join_all(entries.iter().map(connect)).await.into_iter().filter_map(Result::err).collect()
}

/// Attach every remote backend that the operator has named, as far as that is possible now.
pub async fn attach(app: &App) -> Vec<(RemoteEntry, Attached)> {
    let attached = app.settings.remote_backends.iter().map(|entry| async move {
        let how = attach_one(app, entry).await;
        let (id, url) = (&entry.id, entry.url.as_str());
        match &how {
            Attached::Now => tracing::info!(id, url, "a remote backend is attached"),
            Attached::AsBefore(reason) => {
                tracing::warn!(id, url, reason, "a remote backend doesn't answer: attached by what it said before");
            }
            Attached::NotYet(reason) => {
                tracing::error!(id, url, reason, "a remote backend isn't there yet: it is attached once it answers");
            }
        }
        (entry.clone(), how)
    });
    join_all(attached).await
}

async fn attach_one(app: &App, entry: &RemoteEntry) -> Attached {
    let link = Link::new(entry.clone(), means_of(app, entry));
    let reason = match describe(&link).await {
        Ok(described) => match take(app, link, described).await {
            Ok(()) => return Attached::Now,
            Err(error) => error.to_string(),
        },
        Err(error) => error.to_string(),
    };
    let Some(before) = kept(app, &entry.id).await else { return Attached::NotYet(reason) };
    let link = Link::new(entry.clone(), means_of(app, entry));
    match RemoteBackend::of(link, before) {
        Ok(backend) => {
            app.registry.attach(Arc::new(backend));
            Attached::AsBefore(reason)
        }
        Err(_) => Attached::NotYet(reason),
    }
}

/// Attach one that has described itself, and keep what it said.
async fn take(app: &App, link: Link, described: wire::Descriptor) -> Result<(), ConnectError> {
    let id = link.entry().id.clone();
    let backend = RemoteBackend::of(link, described.clone())?;
    app.registry.attach(Arc::new(backend));
    if let Err(error) = keep(app, &id, &described).await {
        tracing::warn!(%error, id, "what a remote backend says of itself can't be kept");
    }
    Ok(())
}

/// Ask those that haven't answered until they do, or until `stop` is cancelled.
pub async fn run(app: App, attached: Vec<(RemoteEntry, Attached)>, stop: CancellationToken) {
    let waiting = attached.into_iter().filter(|(_, how)| !matches!(how, Attached::Now));
    let ask = waiting.map(|(entry, how)| ask_until_there(&app, entry, how));
    tokio::select! {
        () = stop.cancelled() => {}
        _ = join_all(ask) => {}
    }
}

async fn ask_until_there(app: &App, entry: RemoteEntry, how: Attached) {
    let mut pause = FIRST_PAUSE;
    let mut said = String::new();
    loop {
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        // A link of its own: what it is left alone for is decided here.
        let link = Link::new(entry.clone(), means_of(app, &entry));
        let there = match (describe(&link).await, &how) {
            (Err(error), _) => Err(error),
            (Ok(described), Attached::AsBefore(_)) => {
                if kept(app, &entry.id).await.as_ref() != Some(&described) {
                    tracing::warn!(id = entry.id, "a remote backend describes itself anew: restart to take it up");
                }
                Ok(())
            }
            (Ok(described), _) => take(app, link, described).await,
        };
        match there {
            Ok(()) => return tracing::info!(id = entry.id, "a remote backend answers now"),
            Err(error) if error.to_string() != said => {
                said = error.to_string();
                tracing::warn!(id = entry.id, reason = said, "a remote backend isn't there yet");
            }
            Err(_) => {}
        }
    }
}

fn fact(id: &str) -> String {
    format!("remote:{id}")
}

/// What a remote backend once said of itself.
async fn kept(app: &App, id: &str) -> Option<wire::Descriptor> {
    let row = Entity::find_by_id(fact(id)).one(app.database.read()).await;
    let row = row.inspect_err(|error| tracing::warn!(%error, id, "what is known of a remote backend can't be read"));
    serde_json::from_str(&row.ok()??.value).ok()
}

async fn keep(app: &App, id: &str, described: &wire::Descriptor) -> Result<(), DbErr> {
    // Plain data always has a text.
    let value = serde_json::to_string(described).unwrap_or_default();
    let newest = OnConflict::column(Column::Name).update_column(Column::Value).to_owned();
    let row = ActiveModel { name: Set(fact(id)), value: Set(value) };
    Entity::insert(row).on_conflict(newest).exec_without_returning(app.database.write_uncached()).await.map(drop)
}
