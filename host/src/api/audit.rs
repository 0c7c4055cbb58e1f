//! Who did what: the audit, for those who may read it.

use axum::extract::State;
use chatport_sdk::time::Timestamp;
use schemars::JsonSchema;
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    callers::{Holder, MayReadAudit, unavailable},
    extract::{Json, Query},
    operation::Operation,
    page::{Cursor, Page, PageLimit},
    problem::Problem,
    routes::Api,
};
use crate::{
    app::App,
    store::entities::audit::{Column, Entity, Model},
};

/// Something that somebody did.
#[derive(Debug, Serialize, JsonSchema)]
struct Entry {
    /// When.
    at: Timestamp,
    /// Who: `key:…`, `host`, or an account on a platform.
    actor: String,
    /// What, e.g. `installation.submit`.
    action: String,
    /// To what.
    object: String,
    /// How it ended.
    result: String,
    /// The organization, where it is one's.
    organization: Option<String>,
    /// The request, as it stands in the log.
    request_id: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Listing {
    /// Of this organization.
    organization: Option<String>,
    /// Where to go on.
    cursor: Option<Cursor>,
    /// Most items on a page.
    #[serde(default)]
    limit: PageLimit,
}

async fn list(
    holder: Holder<MayReadAudit>,
    State(app): State<App>,
    Query(listing): Query<Listing>,
) -> Result<Json<Page<Entry>>, Problem> {
    let mut query = Entity::find().order_by_desc(Column::At).order_by_desc(Column::Id);
    for organization in holder.caller.organization.iter().map(|own| own.as_str()).chain(listing.organization.as_deref())
    {
        query = query.filter(Column::Organization.eq(organization));
    }
    if let Some(cursor) = &listing.cursor {
        let (at, id): (i64, Uuid) = cursor.position()?;
        query = query.filter(Column::At.lt(at).or(Column::At.eq(at).and(Column::Id.lt(id))));
    }
    let rows = query.limit(listing.limit.get() as u64 + 1).all(app.database.read()).await.map_err(unavailable)?;
    let page = Page::of(rows, listing.limit, |row: &Model| (row.at, row.id))?;
    Ok(Json(page.map(|row| Entry {
        at: Timestamp::from_micros(row.at),
        actor: row.actor,
        action: row.action,
        object: row.object,
        result: row.result,
        organization: row.organization,
        request_id: row.request_id,
    })))
}

pub(super) fn routes(api: Api<App>) -> Api<App> {
    api.route(
        Operation::get("/v1/audit", "readAudit", "Read who did what")
            .tag("Operation")
            .about("The newest first; kept for a year. No secret stands in it."),
        list,
    )
}
