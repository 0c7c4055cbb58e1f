//! Installations: setting a platform up for an organization, step by step.

use axum::extract::State;
use chatport_sdk::{install::Fields, time::Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{
    answer::{Answered, Created, NoContent},
    callers::{MayReadSetup, MaySetUp, Within},
    extract::{Json, Path, Query},
    operation::Operation,
    page::{Cursor, Page, PageLimit},
    problem::Problem,
    problem_types as types,
    routes::Api,
    setup_problems::page_of,
};
use crate::{
    app::App,
    ids::InstallationId,
    setup::{
        installations::{self, Installation, InstallationFilter},
        machine, suspension,
    },
};

/// A platform to be set up.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewInstallation {
    /// The backend's id, from the catalogue.
    backend: String,
    /// As the backend's `settings_schema` says.
    #[serde(default)]
    settings: Value,
}

/// What a person filled in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Submission {
    /// The values by the names of the fields; toggles are `true` or `false`.
    fields: std::collections::BTreeMap<String, FieldValue>,
}

/// A value of a field.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum FieldValue {
    Text(String),
    Toggle(bool),
}

/// New settings.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChangedInstallation {
    /// Members to change (RFC 7396: null removes one).
    settings: Value,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct InstallationPath {
    #[expect(dead_code, reason = "read by the policy")]
    org: String,
    /// The installation's id.
    id: InstallationId,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Listing {
    /// Of this backend.
    backend: Option<String>,
    /// Changed after this time; removed ones are then among them.
    updated_after: Option<Timestamp>,
    /// Where to go on.
    cursor: Option<Cursor>,
    /// Most items on a page.
    #[serde(default)]
    limit: PageLimit,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Reading {
    /// Ask the platform how the installation is, now.
    #[serde(default)]
    probe: bool,
}

async fn create(
    within: Within<MaySetUp>,
    State(app): State<App>,
    Json(request): Json<NewInstallation>,
) -> Result<Created<Installation>, Problem> {
    let created =
        machine::create(&app, &within.organization, &request.backend, request.settings, &within.actor).await?;
    Ok(Answered(created))
}

async fn list(
    within: Within<MayReadSetup>,
    State(app): State<App>,
    Query(listing): Query<Listing>,
) -> Result<Json<Page<Installation>>, Problem> {
    let filter = InstallationFilter { backend: listing.backend, updated_after: listing.updated_after };
    let page = page_of(listing.cursor.as_ref(), listing.limit)?;
    let found = installations::list(&app, &within.organization, &filter, page).await?;
    Ok(Json(found.into()))
}

async fn get(
    within: Within<MayReadSetup>,
    State(app): State<App>,
    Path(path): Path<InstallationPath>,
    Query(reading): Query<Reading>,
) -> Result<Json<Installation>, Problem> {
    let found = if reading.probe {
        installations::probe(&app, &within.organization, path.id).await
    } else {
        installations::get(&app, &within.organization, path.id).await
    };
    Ok(Json(found.map_err(not_found)?))
}

async fn change(
    within: Within<MaySetUp>,
    State(app): State<App>,
    Path(path): Path<InstallationPath>,
    Json(request): Json<ChangedInstallation>,
) -> Result<Json<Installation>, Problem> {
    let changed =
        installations::change_settings(&app, &within.organization, path.id, &request.settings, &within.actor).await;
    Ok(Json(changed.map_err(not_found)?))
}

async fn submit(
    within: Within<MaySetUp>,
    State(app): State<App>,
    Path(path): Path<InstallationPath>,
    Json(request): Json<Submission>,
) -> Result<Json<Installation>, Problem> {
    let fields: Fields = request
        .fields
        .into_iter()
        .map(|(name, value)| match value {
            FieldValue::Text(text) => (name, text),
            FieldValue::Toggle(on) => (name, on.to_string()),
        })
        .collect();
    let installation = machine::submit(&app, &within.organization, path.id, fields, &within.actor).await;
    app.delivery.wake();
    Ok(Json(installation.map_err(not_found)?))
}

async fn reauthorize(
    within: Within<MaySetUp>,
    State(app): State<App>,
    Path(path): Path<InstallationPath>,
) -> Result<Json<Installation>, Problem> {
    let installation = machine::reauthorize(&app, &within.organization, path.id, &within.actor).await;
    Ok(Json(installation.map_err(not_found)?))
}

async fn resume(
    within: Within<MaySetUp>,
    State(app): State<App>,
    Path(path): Path<InstallationPath>,
) -> Result<Json<Installation>, Problem> {
    let installation = suspension::resume(&app, &within.organization, path.id, &within.actor).await;
    app.delivery.wake();
    Ok(Json(installation.map_err(not_found)?))
}

async fn remove(
    within: Within<MaySetUp>,
    State(app): State<App>,
    Path(path): Path<InstallationPath>,
) -> Result<NoContent, Problem> {
    installations::remove(&app, &within.organization, path.id, &within.actor).await.map_err(not_found)?;
    Ok(NoContent)
}

fn not_found(failure: crate::setup::SetupFailure) -> Problem {
    failure.or_not_found(types::INSTALLATION_NOT_FOUND)
}

pub(super) fn routes(api: Api<App>) -> Api<App> {
    let setup = [
        types::SETUP_REFUSED,
        types::SETUP_NOT_EXPECTED,
        types::PLATFORM_UNREACHABLE,
        types::PUBLIC_URL_MISSING,
        types::BACKEND_LACKS_PART,
        types::BACKEND_NOT_FOUND,
    ];
    let asked_again = [types::INSTALLATION_NOT_FOUND, types::CONFLICT];
    api.route(
        Operation::post("/v1/organizations/{org}/installations", "createInstallation", "Begin to set a platform up")
            .tag("Installations")
            .about("The answer has the first setup steps. A secret in them is shown this once.")
            .problems(&setup),
        create,
    )
    .route(
        Operation::get("/v1/organizations/{org}/installations", "listInstallations", "List installations").tag("Installations"),
        list,
    )
    .route(
        Operation::get("/v1/organizations/{org}/installations/{id}", "getInstallation", "Read an installation, its steps and its health")
            .tag("Installations")
            .problems(&[types::INSTALLATION_NOT_FOUND, types::BACKEND_NOT_FOUND, types::BACKEND_LACKS_PART, types::PLATFORM_UNREACHABLE]),
        get,
    )
    .route(
        Operation::patch("/v1/organizations/{org}/installations/{id}", "changeInstallation", "Change an installation's settings")
            .tag("Installations")
            .problems(&setup)
            .problems(&[types::INSTALLATION_NOT_FOUND]),
        change,
    )
    .route(
        Operation::post("/v1/organizations/{org}/installations/{id}/setup", "submitSetup", "Submit what a person filled in")
            .tag("Installations")
            .problems(&setup)
            .problems(&asked_again),
        submit,
    )
    .route(
        Operation::post("/v1/organizations/{org}/installations/{id}/reauthorize", "reauthorizeInstallation", "Ask for new secrets; links and channels stay")
            .tag("Installations")
            .problems(&setup)
            .problems(&asked_again),
        reauthorize,
    )
    .route(
        Operation::post("/v1/organizations/{org}/installations/{id}/resume", "resumeInstallation", "Let a suspended installation go on")
            .tag("Installations")
            .problems(&[types::INSTALLATION_NOT_FOUND, types::BACKEND_NOT_FOUND, types::INSTALLATION_NOT_ACTIVE, types::SETUP_NOT_EXPECTED]),
        resume,
    )
    .route(
        Operation::delete("/v1/organizations/{org}/installations/{id}", "removeInstallation", "Remove an installation")
            .tag("Installations")
            .about("What setup put on the platform is taken back; links and channels become tombstones; what waits is called off.")
            .problems(&[types::INSTALLATION_NOT_FOUND]),
        remove,
    )
}
