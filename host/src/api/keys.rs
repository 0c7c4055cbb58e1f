//! API keys: two can be active for a rotation, a revoked one is refused at once.

use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    answer::{Answered, Created, NoContent},
    callers::{Holder, MayManage, unavailable},
    extract::{Json, Path},
    operation::Operation,
    problem::Problem,
    problem_types as types,
    routes::Api,
};
use crate::{
    access::{self, KeyView, NewKey},
    app::App,
    ids::OrganizationId,
    security::api_keys::Scopes,
    store::entities::organizations,
};
use sea_orm::EntityTrait;

/// A key to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewKeyRequest {
    /// What it is for.
    name: String,
    /// What it may do: at most what the caller may do.
    scopes: Scopes,
    /// The one organization that it is narrowed to; absent: as the caller's key.
    #[serde(default)]
    organization: Option<String>,
    /// For how many days it is valid: 1 to 730, usually 365.
    #[serde(default)]
    days: Option<u32>,
}

/// A new key.
#[derive(Debug, Serialize, JsonSchema)]
struct MadeKey {
    /// The key itself; shown this once.
    key: String,
    /// What it is.
    #[serde(flatten)]
    view: KeyView,
}

/// All keys.
#[derive(Debug, Serialize, JsonSchema)]
struct Keys {
    api_keys: Vec<KeyView>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct KeyPath {
    /// The key's id: the part after `cp_live_`.
    id: String,
}

async fn create(
    holder: Holder<MayManage>,
    State(app): State<App>,
    Json(request): Json<NewKeyRequest>,
) -> Result<Created<MadeKey>, Problem> {
    let invalid =
        |pointer: &str, detail: &'static str| Problem::new(types::INVALID_BODY).pointer(pointer).detail(detail);
    let is_one_line = !request.name.contains(char::is_control);
    if request.name.trim().is_empty() || request.name.chars().count() > 100 || !is_one_line {
        return Err(invalid("/name", "must have 1 to 100 characters, none of them a control character"));
    }
    if request.scopes.is_empty() {
        return Err(invalid("/scopes", "a key without scopes can do nothing"));
    }
    let days = request.days.unwrap_or(access::DEFAULT_DAYS);
    if !(1..=access::MAX_DAYS).contains(&days) {
        return Err(invalid("/days", "must be 1 to 730"));
    }
    if !holder.caller.scopes.include(&request.scopes) {
        return Err(Problem::new(types::FORBIDDEN).detail("a key can't give more than it has"));
    }
    let organization = match request.organization {
        Some(text) => Some(known(&app, &text).await?),
        None => holder.caller.organization.clone(),
    };
    if holder.caller.organization.is_some() && organization != holder.caller.organization {
        return Err(types::ORGANIZATION_NOT_FOUND.into());
    }
    let new = NewKey { name: request.name, scopes: request.scopes, organization, days };
    let (view, key) = access::create(&app, new, &holder.actor).await.map_err(unavailable)?;
    Ok(Answered(MadeKey { key: key.expose().to_owned(), view }))
}

async fn known(app: &App, text: &str) -> Result<OrganizationId, Problem> {
    let organization = OrganizationId::parse(text).ok_or(types::ORGANIZATION_NOT_FOUND)?;
    let row = organizations::Entity::find_by_id(organization.as_str()).one(app.database.read()).await;
    row.map_err(unavailable)?.ok_or(types::ORGANIZATION_NOT_FOUND)?;
    Ok(organization)
}

async fn list(holder: Holder<MayManage>, State(app): State<App>) -> Result<Json<Keys>, Problem> {
    Ok(Json(Keys { api_keys: access::list(&app, &holder.caller).await.map_err(unavailable)? }))
}

async fn revoke(
    holder: Holder<MayManage>,
    State(app): State<App>,
    Path(path): Path<KeyPath>,
) -> Result<NoContent, Problem> {
    let was_valid = access::revoke(&app, &holder.caller, &path.id, &holder.actor).await.map_err(unavailable)?;
    if was_valid { Ok(NoContent) } else { Err(types::API_KEY_NOT_FOUND.into()) }
}

pub(super) fn routes(api: Api<App>) -> Api<App> {
    api.route(
        Operation::post("/v1/api-keys", "createApiKey", "Make an API key")
            .tag("API keys")
            .problems(&[types::FORBIDDEN, types::ORGANIZATION_NOT_FOUND]),
        create,
    )
    .route(Operation::get("/v1/api-keys", "listApiKeys", "List API keys").tag("API keys"), list)
    .route(
        Operation::delete("/v1/api-keys/{id}", "revokeApiKey", "Revoke an API key at once")
            .tag("API keys")
            .problems(&[types::API_KEY_NOT_FOUND]),
        revoke,
    )
}
