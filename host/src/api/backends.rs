//! The catalogue: what is linked in and what each backend can do.

use axum::extract::State;
use chatport_sdk::{
    backend::MessagingBackend,
    crypto,
    delivery::{Note, RenderRequest},
    descriptor::{Limits, Rate, RatePer},
    verification::Purpose,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    callers::{Holder, MayReadSetup, MaySend, Within},
    extract::Json,
    operation::Operation,
    problem::Problem,
    problem_types as types,
    routes::Api,
};
use crate::{app::App, setup::contain::contained_pure};
use chatport_sdk::content::Content;

/// Everything that is linked in.
#[derive(Debug, Serialize, JsonSchema)]
struct Catalogue {
    backends: Vec<BackendView>,
}

/// One backend.
#[derive(Debug, Serialize, JsonSchema)]
struct BackendView {
    /// Its id.
    id: &'static str,
    /// The platform's name.
    name: &'static str,
    /// What it does, in a sentence.
    description: &'static str,
    /// A small picture as a `data:` URL.
    icon: Option<String>,
    /// What it can do. What is false here is refused everywhere else.
    parts: Parts,
    /// What the platform takes.
    limits: Limits,
    /// The rates that sending keeps to.
    rates: Vec<NamedRate>,
    /// JSON Schema of the settings of an installation.
    settings_schema: Value,
    /// Whether it can be used only where the host listens on loopback.
    loopback_only: bool,
    /// Whether it can be set up only if the host has a public address.
    needs_public_url: bool,
}

/// What a backend can do.
#[derive(Debug, Serialize, JsonSchema)]
struct Parts {
    /// It can be set up.
    install: bool,
    /// What it links by codes.
    verification: Vec<Purpose>,
    /// It delivers messages.
    deliver: bool,
    /// It changes messages in place.
    edit: bool,
    /// It takes messages away.
    delete: bool,
    /// It finds out whether a post arrived whose answer was lost.
    find: bool,
    /// It writes to people directly.
    direct: bool,
    /// People's presses, commands and replies come back.
    receive: bool,
    /// It asks the platform what has happened where that can't call.
    listen: bool,
    /// It finds people and channels, for pickers.
    directory: bool,
    /// It makes an application's own commands known.
    commands: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct NamedRate {
    name: &'static str,
    per: RatePer,
    per_second: f64,
    burst: u32,
}

impl Parts {
    fn of(backend: &dyn MessagingBackend) -> Self {
        let delivery = backend.delivery();
        Self {
            install: backend.install().is_some(),
            verification: backend.verification().map(|part| part.purposes().to_vec()).unwrap_or_default(),
            deliver: delivery.is_some(),
            edit: delivery.is_some_and(|delivery| delivery.edit().is_some()),
            delete: delivery.is_some_and(|delivery| delivery.delete().is_some()),
            find: delivery.is_some_and(|delivery| delivery.find().is_some()),
            direct: delivery.is_some_and(|delivery| delivery.direct().is_some()),
            receive: backend.ingress().is_some(),
            listen: backend.listen().is_some(),
            directory: backend.directory().is_some(),
            commands: backend.commands().is_some(),
        }
    }
}

fn view(backend: &dyn MessagingBackend) -> BackendView {
    let descriptor = backend.descriptor();
    let named =
        |rate: &Rate| NamedRate { name: rate.name, per: rate.per, per_second: rate.per_second, burst: rate.burst };
    BackendView {
        id: descriptor.id,
        name: descriptor.name,
        description: descriptor.description,
        icon: descriptor.icon.map(|icon| format!("data:{};base64,{}", icon.media_type, crypto::base64(icon.bytes))),
        parts: Parts::of(backend),
        limits: descriptor.limits.clone(),
        rates: descriptor.rates.iter().map(named).collect(),
        settings_schema: descriptor.settings.clone().to_value(),
        loopback_only: descriptor.loopback_only,
        needs_public_url: descriptor.needs_public_url,
    }
}

async fn list(_: Holder<MayReadSetup>, State(app): State<App>) -> Result<Json<Catalogue>, Problem> {
    Ok(Json(Catalogue { backends: app.registry.iter().map(|(backend, _)| view(backend)).collect() }))
}

/// A document to be looked at.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PreviewRequest {
    /// The document.
    content: Content,
    /// On these backends; absent: on all that deliver.
    #[serde(default)]
    backends: Option<Vec<String>>,
}

/// What each platform would show.
#[derive(Debug, Serialize, JsonSchema)]
struct Previews {
    previews: Vec<Preview>,
}

/// What one platform would show.
#[derive(Debug, Serialize, JsonSchema)]
struct Preview {
    backend: &'static str,
    /// The posts, in the backend's own form.
    parts: Vec<Value>,
    /// What had to be left out or changed.
    notes: Vec<Note>,
}

async fn preview(
    _: Within<MaySend>,
    State(app): State<App>,
    Json(request): Json<PreviewRequest>,
) -> Result<Json<Previews>, Problem> {
    request.content.check().map_err(|error| {
        Problem::new(types::INVALID_BODY).pointer(format!("/content{}", error.pointer)).detail(error.detail)
    })?;
    for id in request.backends.iter().flatten() {
        let backend = app.registry.get(id).ok_or_else(|| {
            Problem::new(types::BACKEND_NOT_FOUND).detail(format!("`{id}` isn't one of {}", app.registry.ids()))
        })?;
        if backend.delivery().is_none() {
            let detail = format!("{} can't deliver messages yet", backend.descriptor().name);
            return Err(Problem::new(types::BACKEND_LACKS_PART).detail(detail));
        }
    }
    let wanted = |id: &str| request.backends.as_ref().is_none_or(|ids| ids.iter().any(|wanted| wanted == id));
    let mut previews = Vec::new();
    for (backend, _) in app.registry.iter().filter(|(backend, _)| wanted(backend.descriptor().id)) {
        let Some(delivery) = backend.delivery() else { continue };
        let render = RenderRequest::new(&request.content, &backend.descriptor().limits);
        let rendering = contained_pure(|| delivery.render(&render)).map_err(Problem::internal)?;
        previews.push(Preview {
            backend: backend.descriptor().id,
            parts: rendering.parts.into_iter().map(|part| part.payload.value()).collect(),
            notes: rendering.notes,
        });
    }
    Ok(Json(Previews { previews }))
}

pub(super) fn routes(api: Api<App>) -> Api<App> {
    api.route(
        Operation::get("/v1/backends", "listBackends", "List what is linked in")
            .tag("Backends")
            .about("The catalogue: labels, optional parts, limits and the schema of the settings of each backend."),
        list,
    )
    .route(
        Operation::post(
            "/v1/organizations/{org}/previews",
            "previewMessage",
            "Look at a message as platforms would show it",
        )
        .tag("Messages")
        .problems(&[types::BACKEND_NOT_FOUND, types::BACKEND_LACKS_PART]),
        preview,
    )
}
