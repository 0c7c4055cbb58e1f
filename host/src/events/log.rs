//! The events in their order, for applications that ask instead of being called, or that
//! were away. The cursor is a sequence: whoever has read up to it has missed nothing.

use chatport_sdk::schemars::JsonSchema;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    app::App,
    ids::OrganizationId,
    store::entities::events::{Column, Entity},
};

/// Most events in one answer.
pub const PAGE: u64 = 200;

/// Some events, in order.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EventPage {
    /// The events, as they are sent to subscriptions.
    #[schemars(extend("items" = { "$ref": "#/components/schemas/AnyEvent" }))]
    pub items: Vec<Value>,
    /// The cursor after the last of them: pass it as `after`.
    pub next: i64,
}

/// The events after a cursor, of one organization or of all.
///
/// # Errors
/// The database refuses.
pub async fn after(app: &App, organization: Option<&OrganizationId>, cursor: i64) -> Result<EventPage, DbErr> {
    let rows = select(organization, cursor).all(app.database.read()).await?;
    let next = rows.last().map_or(cursor, |row| row.sequence);
    let items = rows.iter().map(|row| serde_json::from_str(&row.body).unwrap_or_default()).collect();
    Ok(EventPage { items, next })
}

/// The events after a cursor as they are sent, each with its sequence.
///
/// # Errors
/// The database refuses.
pub async fn after_with_sequences(
    app: &App,
    organization: Option<&OrganizationId>,
    cursor: i64,
) -> Result<Vec<(i64, String)>, DbErr> {
    let rows = select(organization, cursor).all(app.database.read()).await?;
    Ok(rows.into_iter().map(|row| (row.sequence, row.body)).collect())
}

fn select(organization: Option<&OrganizationId>, cursor: i64) -> Select<Entity> {
    let query = Entity::find().filter(Column::Sequence.gt(cursor)).order_by_asc(Column::Sequence).limit(PAGE);
    match organization {
        Some(organization) => query.filter(Column::Organization.eq(organization.as_str())),
        None => query,
    }
}

/// The cursor after the newest event.
///
/// # Errors
/// The database refuses.
pub async fn latest(app: &App) -> Result<i64, DbErr> {
    let newest = Entity::find().order_by_desc(Column::Sequence).one(app.database.read()).await?;
    Ok(newest.map_or(0, |row| row.sequence))
}
