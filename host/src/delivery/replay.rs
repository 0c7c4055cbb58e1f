//! Dead letters: copies that were given up or whose time ran out. They are kept, read, and
//! tried again in the newest revision of their message when somebody says so.

use std::time::Duration;

use chatport_sdk::{schemars::JsonSchema, time::Timestamp};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, ExprTrait, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, Select, sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    tally::{self, Tallies},
    view::{CopyView, copy_view},
};
use crate::{
    app::App,
    ids::{CopyId, InstallationId, OrganizationId},
    store::{
        entities::{copies, messages},
        statement,
    },
};

/// How long a replayed copy is tried.
const LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// Most copies in one replay.
pub const MAX_REPLAY: u64 = 1_000;

/// A copy that was given up.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DeadLetter {
    /// The key of its message.
    pub message: String,
    /// The copy, with the reason.
    pub copy: CopyView,
}

/// Which dead letters are meant.
#[derive(Clone, Debug, Default)]
pub struct DeadFilter {
    /// These copies; none: all.
    pub copies: Option<Vec<CopyId>>,
    /// With this failure code.
    pub code: Option<String>,
    /// Of this installation.
    pub installation: Option<InstallationId>,
}

/// What a replay did or would do.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Replay {
    /// The copies that are tried again.
    pub replayed: Vec<CopyId>,
    /// Copies that have no address: put their message again once the target exists.
    pub without_address: Vec<CopyId>,
}

fn select(organization: &OrganizationId, filter: &DeadFilter) -> Select<copies::Entity> {
    let given_up = Condition::all()
        .add(copies::Column::Organization.eq(organization.as_str()))
        .add(copies::Column::State.is_in(["dead", "expired"]))
        .add(
            copies::Column::Message.in_subquery(
                messages::Entity::find()
                    .select_only()
                    .column(messages::Column::Id)
                    .filter(messages::Column::Organization.eq(organization.as_str()))
                    .filter(messages::Column::Deleted.eq(false))
                    .into_query(),
            ),
        )
        .add_option(filter.code.as_ref().map(|code| copies::Column::Code.eq(code.as_str())))
        .add_option(filter.installation.map(|id| copies::Column::Installation.eq(id.0)))
        .add_option(filter.copies.as_ref().map(|ids| copies::Column::Id.is_in(ids.iter().map(|id| id.0))));
    copies::Entity::find().filter(given_up)
}

/// List dead letters, the newest first, from `before` on back in time.
///
/// # Errors
/// The database refuses.
pub async fn list(
    app: &App,
    organization: &OrganizationId,
    filter: &DeadFilter,
    before: Option<(i64, Uuid)>,
    limit: u64,
) -> Result<Vec<(DeadLetter, (i64, Uuid))>, DbErr> {
    let mut query = select(organization, filter);
    if let Some((at, id)) = before {
        let earlier = copies::Column::UpdatedAt.lt(at);
        query = query.filter(earlier.or(copies::Column::UpdatedAt.eq(at).and(copies::Column::Id.lt(id))));
    }
    let rows = query
        .order_by_desc(copies::Column::UpdatedAt)
        .order_by_desc(copies::Column::Id)
        .limit(limit)
        .all(app.database.read())
        .await?;
    let found = messages::Entity::find()
        .filter(messages::Column::Organization.eq(organization.as_str()))
        .filter(messages::Column::Id.is_in(rows.iter().filter_map(|row| row.message)))
        .all(app.database.read())
        .await?;
    let key = |row: &copies::Model| found.iter().find(|message| Some(message.id) == row.message).map(|m| m.key.clone());
    let letter = |row: copies::Model| {
        let letter = DeadLetter { message: key(&row).unwrap_or_default(), copy: copy_view(&row) };
        (letter, (row.updated_at, row.id))
    };
    Ok(rows.into_iter().map(letter).collect())
}

/// Try dead letters again, the oldest first.
///
/// # Errors
/// The database refuses.
pub async fn replay(
    app: &App,
    organization: &OrganizationId,
    filter: &DeadFilter,
    limit: u64,
    dry_run: bool,
) -> Result<Replay, DbErr> {
    let now = app.clock.now();
    let transaction = app.database.begin_uncached().await?;
    let rows = select(organization, filter)
        .order_by_asc(copies::Column::UpdatedAt)
        .limit(Ord::min(limit, MAX_REPLAY))
        .all(&transaction)
        .await?;
    let (with, without): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.stream.is_some());
    let ids = |rows: &[copies::Model]| rows.iter().map(|row| CopyId(row.id)).collect();
    let replay = Replay { replayed: ids(&with), without_address: ids(&without) };
    if !dry_run {
        reopen(&transaction, organization, &with, now).await?;
        transaction.commit().await?;
        app.delivery.wake();
    }
    Ok(replay)
}

async fn reopen(
    transaction: &DatabaseTransaction,
    organization: &OrganizationId,
    rows: &[copies::Model],
    now: Timestamp,
) -> Result<(), DbErr> {
    // The streams first: whoever works on them locks in the same order.
    let mut streams: Vec<Uuid> = rows.iter().filter_map(|row| row.stream).collect();
    streams.sort_unstable();
    streams.dedup();
    for stream in streams {
        // The row is written even if nothing changes: whoever gives it back waits for this.
        let sql = "UPDATE streams SET due_at = CASE WHEN due_at < $3 THEN due_at ELSE $3 END
            WHERE organization = $1 AND id = $2";
        let values = [organization.as_str().into(), stream.into(), now.as_micros().into()];
        transaction.execute_raw(statement(transaction, sql, values)).await?;
    }
    let reopened = copies::Entity::update_many()
        .col_expr(copies::Column::IsOpen, Expr::value(true))
        .col_expr(copies::Column::State, Expr::value("pending"))
        .col_expr(copies::Column::DueAt, Expr::value(now.as_micros()))
        .col_expr(copies::Column::Attempts, Expr::value(0))
        .col_expr(copies::Column::Crashes, Expr::value(0))
        .col_expr(copies::Column::FirstTriedAt, Expr::value(Option::<i64>::None))
        .col_expr(copies::Column::ExpiresAt, Expr::value(now.plus(LIFETIME).as_micros()))
        .col_expr(copies::Column::UpdatedAt, Expr::value(now.as_micros()))
        .filter(copies::Column::Organization.eq(organization.as_str()))
        .filter(copies::Column::Id.is_in(rows.iter().map(|row| row.id)))
        .filter(copies::Column::State.is_in(["dead", "expired"]))
        .exec(transaction)
        .await?;
    let mut tallies = Tallies::default();
    tallies.add(organization, tally::ACCEPTED, i64::try_from(reopened.rows_affected).unwrap_or(0));
    tallies.write(transaction).await
}
