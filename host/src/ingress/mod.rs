//! The platforms' way in: `/in/{backend}/{slot}/…`. A request becomes an answer at once, or
//! happenings. Each happening is committed together with its effect before an answer goes
//! out, and for a slot that doesn't exist a decoy does the same work, so that known and
//! unknown look alike.

mod commands;
pub mod effects;
pub mod fingerprint;
pub mod happenings;
mod heard;
pub mod listen;
pub mod outcome;
pub mod press;
mod press_rows;
mod recorder;
mod refresh;
mod replies;
mod serve;
#[cfg(test)]
mod tests;
pub mod told;

use std::{sync::Arc, time::Duration};

use chatport_sdk::{
    backend::MessagingBackend,
    happening::{Happening, HappeningKind, Outcome},
    ingress::{PublicBase, Received, Request, Response},
    site::Site,
};
use http::StatusCode;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use tracing::Instrument as _;

pub use serve::routes;

use crate::{
    app::App,
    delivery::Delivery,
    setup::{
        audit::{self, Actor},
        contain::{CallError, contained, contained_pure},
        sites::{self, Loaded},
        vault,
    },
    store::{Database, entities::audit as audit_rows},
};
use heard::Heard;
use recorder::Recorder;

/// How long a backend may take to understand a request, and again to answer it.
const CALL_LIMIT: Duration = Duration::from_secs(10);
/// How exactly it is known when a platform last called, and how often a refusal of one
/// reason is audited.
const COARSE: Duration = Duration::from_secs(60);

/// What the way in keeps between requests; cheap to clone.
#[derive(Clone, Debug)]
pub struct Ingress {
    recorder: Recorder,
    heard: Heard,
}

impl Ingress {
    /// The way in over this database.
    pub fn new(database: &Database, delivery: &Delivery) -> Self {
        Self { recorder: Recorder::start(database.clone(), delivery.clone()), heard: Heard::default() }
    }

    /// Wait until everything that requests have left to be written is on disk.
    pub async fn settled(&self) {
        self.recorder.flush().await;
    }
}

fn not_found() -> Response {
    Response::text(StatusCode::NOT_FOUND, "not found")
}

fn failed() -> Response {
    Response::text(StatusCode::INTERNAL_SERVER_ERROR, "this could not be handled; try again")
}

fn unavailable() -> Response {
    Response::text(StatusCode::SERVICE_UNAVAILABLE, "not recorded, try again")
}

/// Handle one request of a platform.
pub async fn handle(app: &App, backend: &str, slot: &str, request: Request) -> Response {
    let Some(backend) = app.registry.get(backend).cloned() else { return not_found() };
    // A backend for trying out lets anybody act as anybody: it isn't there for others.
    let hidden = backend.descriptor().loopback_only && !app.settings.serves_this_machine_alone();
    if hidden || backend.ingress().is_none() || !is_slot(slot) {
        return not_found();
    }
    if let Some(response) = public(app, &backend, slot, &request) {
        return response;
    }
    let mut knowledge = Knowledge::Kept;
    loop {
        let loaded = match knowledge {
            Knowledge::Kept => sites::load_slot(app, &backend, slot).await,
            Knowledge::Read => sites::load_slot_now(app, &backend, slot).await,
        };
        let loaded = match loaded {
            Ok(loaded) => loaded,
            Err(error) => {
                tracing::error!(%error, "a platform's call could not be looked up");
                return unavailable();
            }
        };
        let site = match &loaded {
            Some(loaded) => loaded.site.clone(),
            None => vault::decoy(app, backend.as_ref(), slot),
        };
        let received = receive(&backend, &site, request.clone()).await;
        // What is kept in memory is good enough to find a press genuine, or a refresh. Nothing is refused by
        // it, and nothing that changes an installation is decided by it.
        let is_enough = match &received {
            Ok(Received::Happenings(happenings)) => happenings.iter().all(changes_nothing),
            received => !matches!(received, Ok(Received::Refused { .. })),
        };
        if knowledge == Knowledge::Read || is_enough {
            return conclude(app, &backend, loaded, &site, received).await;
        }
        knowledge = Knowledge::Read;
    }
}

/// By what an installation is judged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Knowledge {
    /// What this replica keeps in memory.
    Kept,
    /// What it has just read.
    Read,
}

/// Whether an installation stays as it is, whatever comes of it.
fn changes_nothing(happening: &Happening) -> bool {
    matches!(happening.kind, HappeningKind::Pressed { .. } | HappeningKind::RefreshAsked { .. })
}

/// Do what a request asks for, and answer it.
async fn conclude(
    app: &App,
    backend: &Arc<dyn MessagingBackend>,
    loaded: Option<Loaded>,
    site: &Site,
    received: Result<Received, CallError>,
) -> Response {
    match received {
        Ok(Received::Answer(response)) => {
            heard(app, loaded.as_ref()).await;
            response
        }
        Ok(Received::Happenings(happenings)) => {
            let outcomes = match &loaded {
                Some(loaded) => commit_all(app, loaded, &happenings).await,
                // A decoy accepts nothing; a backend that says otherwise is not believed.
                None => return not_found(),
            };
            heard(app, loaded.as_ref()).await;
            respond(backend, site, happenings, outcomes).await
        }
        Ok(Received::Refused { response, reason }) => {
            refused(app, backend, loaded, reason);
            response
        }
        Ok(_) => failed(),
        Err(error) => {
            tracing::error!(backend = backend.descriptor().id, %error, "a platform's call was not understood");
            failed()
        }
    }
}

/// Whether it could be a slot: 32 lower-case hex digits. What isn't never reaches a backend.
fn is_slot(slot: &str) -> bool {
    slot.len() == 32 && slot.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// What is public is the same for every slot and needs no database.
fn public(app: &App, backend: &Arc<dyn MessagingBackend>, slot: &str, request: &Request) -> Option<Response> {
    let public_url = app.public_url.as_ref()?;
    let ingress_url = sites::ingress_url(app, backend.descriptor().id, slot)?;
    let app_name = &app.settings.app_name;
    let base = PublicBase { ingress_url: &ingress_url, public_url, app_name, slot };
    let asked = contained_pure(|| backend.ingress().and_then(|ingress| ingress.public(&base, request)));
    asked.unwrap_or_else(|_| Some(failed()))
}

async fn receive(backend: &Arc<dyn MessagingBackend>, site: &Site, request: Request) -> Result<Received, CallError> {
    let (backend, site) = (Arc::clone(backend), site.clone());
    contained(CALL_LIMIT, async move {
        match backend.ingress() {
            Some(ingress) => ingress.receive(&site, &request).await,
            None => Received::Answer(not_found()),
        }
    })
    .await
}

/// Commit happenings one after the other; each is independent of the others.
pub async fn commit_all(app: &App, loaded: &Loaded, happenings: &[Happening]) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(happenings.len());
    for happening in happenings {
        let outcome = happenings::commit(app, loaded, happening).await;
        let (backend, name) = (loaded.backend_id(), outcome::name(&outcome));
        metrics::counter!("chatport_happenings_total", "backend" => backend, "outcome" => name).increment(1);
        outcomes.push(outcome);
    }
    outcomes
}

async fn respond(
    backend: &Arc<dyn MessagingBackend>,
    site: &Site,
    happenings: Vec<Happening>,
    outcomes: Vec<Outcome>,
) -> Response {
    let unstored = outcomes.iter().any(|outcome| matches!(outcome, Outcome::Unavailable));
    let (kept, site) = (Arc::clone(backend), site.clone());
    let answered = contained(CALL_LIMIT, async move {
        match kept.ingress() {
            Some(ingress) => ingress.answer(&site, &happenings, &outcomes).await,
            None => not_found(),
        }
    });
    match answered.await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(backend = backend.descriptor().id, %error, "what happened is on disk, but was not answered");
            if unstored { unavailable() } else { Response::empty() }
        }
    }
}

/// Remember when the platform last called.
async fn heard(app: &App, loaded: Option<&Loaded>) {
    let Some(loaded) = loaded else { return };
    if let Err(error) = app.ingress.heard.note(app, loaded).await {
        tracing::warn!(%error, "it isn't remembered when a platform called");
    }
}

/// Count and audit a refusal. In the background, so that an unknown slot takes no less time.
fn refused(app: &App, backend: &Arc<dyn MessagingBackend>, loaded: Option<Loaded>, reason: &'static str) {
    let id = backend.descriptor().id;
    metrics::counter!("chatport_ingress_refused_total", "backend" => id, "reason" => reason).increment(1);
    let installation = loaded.as_ref().map(|loaded| loaded.id.to_string());
    tracing::warn!(backend = id, reason, installation, "a platform's call was refused");
    let (Some(loaded), app) = (loaded, app.clone()) else { return };
    let audit = async move {
        if let Err(error) = audit_refusal(&app, &loaded, reason).await {
            tracing::warn!(%error, "a refusal could not be audited");
        }
    };
    tokio::spawn(audit.in_current_span());
}

/// At most one row a minute for each installation and reason.
async fn audit_refusal(app: &App, loaded: &Loaded, reason: &'static str) -> Result<(), sea_orm::DbErr> {
    let (now, object) = (app.clock.now(), loaded.id.to_string());
    let recent = audit_rows::Entity::find()
        .filter(audit_rows::Column::At.gt(now.minus(COARSE).as_micros()))
        .filter(audit_rows::Column::Action.eq("ingress.refuse"))
        .filter(audit_rows::Column::Object.eq(object.as_str()))
        .filter(audit_rows::Column::Result.eq(reason))
        .one(app.database.read())
        .await?;
    if recent.is_some() {
        return Ok(());
    }
    audit::write(
        app.database.write_uncached(),
        &loaded.organization,
        &Actor::host(),
        "ingress.refuse",
        &object,
        reason,
        now,
    )
    .await
}
