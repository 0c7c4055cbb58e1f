//! Organizations: the application's tenants, under the application's own ids.

use axum::extract::State;
use chatport_sdk::time::Timestamp;
use schemars::JsonSchema;
use sea_orm::{ActiveValue::Set, EntityTrait, sea_query::OnConflict};
use serde::{Deserialize, Serialize};

use super::{
    answer::NoContent,
    callers::{Holder, MayReadSetup, MaySetUp, Within, unavailable},
    extract::{Json, Path},
    operation::Operation,
    problem::Problem,
    problem_types as types,
    routes::Api,
};
use crate::{
    app::App,
    delivery,
    ids::OrganizationId,
    setup::{SetupFailure, audit, installations, page::Page},
    store::{
        entities::organizations::{ActiveModel, Column, Entity, Model},
        lock_streams,
    },
};

/// What an application says of an organization.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PutOrganization {
    /// Its name, for people.
    #[serde(default)]
    name: String,
    /// The language of texts that Chatport writes itself, e.g. `en`.
    #[serde(default = "english")]
    locale: String,
}

fn english() -> String {
    "en".into()
}

/// An organization.
#[derive(Debug, Serialize, JsonSchema)]
struct OrganizationView {
    id: String,
    name: String,
    locale: String,
    /// Copies that are not delivered yet.
    backlog: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// The part of the path that names it.
#[derive(Debug, Deserialize, JsonSchema)]
struct OrganizationPath {
    /// The application's own id: 1 to 128 of `A-Z a-z 0-9 . _ : @ -`.
    org: String,
}

async fn put(
    holder: Holder<MaySetUp>,
    State(app): State<App>,
    Path(path): Path<OrganizationPath>,
    Json(request): Json<PutOrganization>,
) -> Result<Json<OrganizationView>, Problem> {
    let organization = OrganizationId::parse(&path.org).ok_or_else(|| {
        Problem::new(types::INVALID_PATH).detail("an organization's id has 1 to 128 of A-Z a-z 0-9 . _ : @ -")
    })?;
    if holder.caller.organization.as_ref().is_some_and(|own| *own != organization) {
        return Err(types::ORGANIZATION_NOT_FOUND.into());
    }
    if request.name.chars().count() > 200 || request.locale.len() > 35 {
        return Err(Problem::new(types::INVALID_BODY).detail("`name` has at most 200 characters, `locale` at most 35"));
    }
    for (pointer, text) in [("/name", &request.name), ("/locale", &request.locale)] {
        if text.contains(char::is_control) {
            return Err(Problem::new(types::INVALID_BODY).pointer(pointer).detail("has a control character"));
        }
    }
    let now = app.clock.now().as_micros();
    let row = ActiveModel {
        id: Set(organization.as_str().to_owned()),
        name: Set(if request.name.is_empty() { organization.to_string() } else { request.name }),
        locale: Set(request.locale),
        created_at: Set(now),
        updated_at: Set(now),
    };
    let changes =
        OnConflict::column(Column::Id).update_columns([Column::Name, Column::Locale, Column::UpdatedAt]).to_owned();
    let change = app.database.begin(&organization).await.map_err(unavailable)?;
    Entity::insert(row).on_conflict(changes).exec_without_returning(&change).await.map_err(unavailable)?;
    audit::write(
        &change,
        &organization,
        &holder.actor,
        "organization.put",
        organization.as_str(),
        "done",
        app.clock.now(),
    )
    .await
    .map_err(unavailable)?;
    change.commit().await.map_err(unavailable)?;
    Ok(Json(find(&app, &organization).await?))
}

async fn get(within: Within<MayReadSetup>, State(app): State<App>) -> Result<Json<OrganizationView>, Problem> {
    Ok(Json(find(&app, &within.organization).await?))
}

async fn find(app: &App, organization: &OrganizationId) -> Result<OrganizationView, Problem> {
    let row =
        Entity::find_by_id(organization.as_str()).one(app.database.write_uncached()).await.map_err(unavailable)?;
    let backlog = delivery::read::backlog(app, organization).await.map_err(unavailable)?;
    let Model { id, name, locale, created_at, updated_at } = row.ok_or(types::ORGANIZATION_NOT_FOUND)?;
    let (created_at, updated_at) = (Timestamp::from_micros(created_at), Timestamp::from_micros(updated_at));
    Ok(OrganizationView { id, name, locale, backlog, created_at, updated_at })
}

async fn delete(within: Within<MaySetUp>, State(app): State<App>) -> Result<NoContent, Problem> {
    let Within { organization, actor, .. } = within;
    // What setup put on the platforms is taken back first; a platform that doesn't answer
    // can't keep an organization alive.
    loop {
        let page = installations::list(&app, &organization, &Default::default(), Page::default()).await?;
        if page.items.is_empty() {
            break;
        }
        for installation in page.items {
            match installations::remove(&app, &organization, installation.id, &actor).await {
                // Somebody else was quicker.
                Ok(()) | Err(SetupFailure::NotFound) => {}
                Err(failure) => return Err(failure.into()),
            }
        }
    }
    // Its keys go with it.
    let change = app.database.begin_for_all().await.map_err(unavailable)?;
    lock_streams(&change, "organization", organization.as_str()).await.map_err(unavailable)?;
    Entity::delete_by_id(organization.as_str()).exec(&change).await.map_err(unavailable)?;
    audit::write(&change, &organization, &actor, "organization.delete", organization.as_str(), "done", app.clock.now())
        .await
        .map_err(unavailable)?;
    change.commit().await.map_err(unavailable)?;
    Ok(NoContent)
}

pub(super) fn routes(api: Api<App>) -> Api<App> {
    api.route(
        Operation::put("/v1/organizations/{org}", "putOrganization", "Create or change an organization")
            .tag("Organizations")
            .about("The id is the application's own. Repeating the request changes nothing.")
            .problems(&[types::ORGANIZATION_NOT_FOUND]),
        put,
    )
    .route(
        Operation::get("/v1/organizations/{org}", "getOrganization", "Read an organization").tag("Organizations"),
        get,
    )
    .route(
        Operation::delete(
            "/v1/organizations/{org}",
            "deleteOrganization",
            "Remove an organization and everything that is its",
        )
        .tag("Organizations")
        .about("Installations are removed on their platforms, then every row of the organization is deleted."),
        delete,
    )
}
