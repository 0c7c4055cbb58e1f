//! Dead letters: copies that were given up or whose time ran out. They are kept, read, and
//! tried again in the newest revision of their message when somebody says so.

use std::time::Duration;

use chatport_sdk::{schemars::JsonSchema, time::Timestamp};
use sea_orm::{
    ColumnTrait, Condition, DbErr, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    store::StoreError,
    view::{CopyView, copy_view},
};
use crate::{
    app::App,
    ids::{CopyId, InstallationId, OrganizationId, StreamId},
    store::entities::{copies, messages},
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
    /// Given up at this time or later.
    pub since: Option<Timestamp>,
    /// Given up before this time.
    pub before: Option<Timestamp>,
}

/// How dead letters are tried again.
#[derive(Clone, Debug)]
pub struct HowToReplay {
    /// At most so many, the oldest first.
    pub limit: u64,
    /// So many become due in a second; `None`: all at once.
    pub rate: Option<f64>,
    /// When the first becomes due; `None`: now.
    pub not_before: Option<Timestamp>,
    /// Change nothing.
    pub dry_run: bool,
}

/// What a replay did or would do.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Replay {
    /// The copies that are tried again.
    pub replayed: Vec<CopyId>,
    /// Copies that have no address: put their message again once the target exists.
    pub without_address: Vec<CopyId>,
    /// How many more are meant, beyond the limit.
    pub remaining: u64,
    /// What was given up before this time was looked at. Say it in `before` for the rest, so that
    /// no copy is tried twice.
    pub before: Timestamp,
    /// With a `rate`: when the next would become due. Say it in `not_before` for the rest, so
    /// that the rate holds over all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_due_at: Option<Timestamp>,
}

fn select(organization: &OrganizationId, filter: &DeadFilter) -> Select<copies::Entity> {
    let given_up = Condition::all()
        .add(copies::Column::Organization.eq(organization.as_str()))
        .add(copies::Column::State.is_in(["dead", "expired"]))
        // As their index says it.
        .add(copies::Column::Code.is_not_null())
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
        .add_option(filter.since.map(|since| copies::Column::UpdatedAt.gte(since.as_micros())))
        .add_option(filter.before.map(|before| copies::Column::UpdatedAt.lt(before.as_micros())))
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

/// Try dead letters again, the oldest first. With a rate their times are spread, and stored
/// so: it holds whoever sends them, and after a restart.
///
/// # Errors
/// The database refuses.
pub async fn replay(
    app: &App,
    organization: &OrganizationId,
    filter: &DeadFilter,
    how: &HowToReplay,
) -> Result<Replay, StoreError> {
    let (now, read) = (app.clock.now(), app.database.read());
    let before = filter.before.unwrap_or(now);
    let filter = DeadFilter { before: Some(before), ..filter.clone() };
    let meant = || select(organization, &filter).order_by_asc(copies::Column::UpdatedAt);
    let limit = Ord::min(how.limit, MAX_REPLAY);
    let with_address = meant().filter(copies::Column::Stream.is_not_null());
    let all = with_address.clone().count(read).await?;
    let rows = with_address.limit(limit).all(read).await?;
    let without = meant().filter(copies::Column::Stream.is_null()).limit(limit).all(read).await?;
    let address = |row: &copies::Model| row.stream.map(|stream| (CopyId(row.id), StreamId(stream)));
    let addressed: Vec<(CopyId, StreamId)> = rows.iter().filter_map(address).collect();
    let remaining = all.saturating_sub(rows.len() as u64);
    let due = Ord::max(how.not_before.unwrap_or(now), now);
    let apart = how.rate.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(rate.recip()));
    let replayed = match how.dry_run {
        true => addressed.into_iter().map(|(copy, _)| copy).collect(),
        false => app.delivery.units.replay(organization, &addressed, due, apart, LIFETIME).await?,
    };
    app.delivery.wake();
    let taken = u32::try_from(replayed.len()).unwrap_or(u32::MAX);
    Ok(Replay {
        replayed,
        without_address: without.iter().map(|row| CopyId(row.id)).collect(),
        remaining,
        before,
        next_due_at: how.rate.map(|_| due.plus(apart * taken)),
    })
}
