//! Asks platforms from time to time how installations are. Silence proves nothing: in a quiet
//! channel nobody presses anything for weeks. So whether a platform still calls this host is
//! asked of the platform, and what it says is kept with its time and its cure.

use std::time::Duration;

use chatport_sdk::time::Timestamp;
use futures_util::{StreamExt, stream};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{installations, view::Probed};
use crate::{
    app::App,
    ids::{InstallationId, OrganizationId},
    store::entities::installations::{Column, Entity, Model},
};

/// How often some are asked.
const LOOK: Duration = Duration::from_secs(60);
/// How old what is known of one may become, where there are few; and how long a new one is
/// left alone.
const FRESH: Duration = Duration::from_secs(10 * 60);
/// Installations in one look, and how many of them at once.
const BATCH: u64 = 40;
const AT_ONCE: usize = 4;

/// Run until `stop` is cancelled.
pub(crate) async fn run(app: App, stop: CancellationToken) {
    let mut after = Uuid::nil();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        tokio::select! {
            () = stop.cancelled() => return,
            looked = look(&app, &mut after) => {
                if let Err(error) = looked {
                    tracing::warn!(%error, "can't ask how installations are; trying again in a minute");
                }
            }
        }
    }
}

/// Ask how the next active installations behind `after` are, if that isn't known already:
/// with several replicas, from another.
pub(crate) async fn look(app: &App, after: &mut Uuid) -> Result<(), DbErr> {
    let rows = Entity::find()
        .filter(Column::State.eq("active"))
        .filter(Column::Id.gt(*after))
        .order_by_asc(Column::Id)
        .limit(BATCH)
        .all(app.database.read())
        .await?;
    *after = rows.last().filter(|_| rows.len() as u64 == BATCH).map_or(Uuid::nil(), |row| row.id);
    let old = app.clock.now().minus(FRESH);
    let asked = stream::iter(rows.into_iter().filter(|row| is_old(row, old)));
    asked.for_each_concurrent(AT_ONCE, |row| ask(app, row)).await;
    Ok(())
}

fn is_old(row: &Model, old: Timestamp) -> bool {
    let probed = probed(row).is_none_or(|probed| probed.at < old);
    probed && Timestamp::from_micros(row.created_at) < old
}

fn probed(row: &Model) -> Option<Probed> {
    serde_json::from_value(row.health.clone()?).ok()
}

async fn ask(app: &App, row: Model) {
    let Some(organization) = OrganizationId::parse(&row.organization) else { return };
    let id = InstallationId(row.id);
    // A backend without setup has nothing to ask; one that hangs is asked again next time.
    let Ok(seen) = installations::probe(app, &organization, id).await else { return };
    let Some(now) = seen.health.last_probe else { return };
    let before = probed(&row).is_none_or(|before| before.health.can_receive);
    match (before, now.health.can_receive) {
        (true, false) => {
            let (missing, cure) = (now.health.missing.join("; "), now.health.cure.unwrap_or_default());
            tracing::warn!(installation = %id, %organization, missing, cure, "a platform doesn't call this host");
        }
        (false, true) => tracing::info!(installation = %id, %organization, "the platform calls this host again"),
        _ => {}
    }
}
