//! Makes declared commands known to their platforms: at once when they change, again with
//! growing waits while a platform fails. On several replicas whoever leases a set does it, alone:
//! two lists on their way at once could arrive in the wrong order. What is declared meanwhile
//! moves the time at which the set is due, so it is told next, and nothing is lost.

use std::{sync::Arc, time::Duration};

use chatport_sdk::{
    commands::Synced,
    failure::{Cause, Class, Failure},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, Query},
};
use serde_json::json;
use tokio::{sync::Notify, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    SetupFailure,
    commands::{self, SyncProblem, declared},
    contain::{SETUP_LIMIT, contained},
    sites, tokens,
};
use crate::{
    app::App,
    ids::{InstallationId, OrganizationId},
    store::entities::{
        command_sets::{Column, Entity, Model},
        installations,
    },
};

/// How often sets that are due are looked for, if nobody says that there are some.
const LOOK: Duration = Duration::from_secs(2);
/// Sets that are told at once. A platform that hangs takes one place, for [`SETUP_LIMIT`] at most.
const AT_ONCE: usize = 32;
/// How long a set is left to the replica that has taken it.
const LEASE: Duration = Duration::from_secs(90);
/// How often it is looked whether somebody still tells a set that is to end.
const END_LOOK: Duration = Duration::from_millis(200);
/// The first wait after a failure; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// The longest wait; and the wait where only a person can mend it.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Tells the task that something is due; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct CommandSync(Arc<Notify>);

impl CommandSync {
    /// Something is due.
    pub fn wake(&self) {
        self.0.notify_one();
    }
}

/// Run until `stop` is cancelled.
pub(crate) async fn run(app: App, stop: CancellationToken) {
    let mut told = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = app.command_sync.0.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
        tokio::select! {
            () = stop.cancelled() => return,
            looked = look(&app, &mut told) => {
                if let Err(error) = looked {
                    tracing::warn!(%error, "can't see which commands are to be made known; trying again soon");
                }
            }
        }
    }
}

/// Begin to make known what is due, as far as there are places.
pub(crate) async fn look(app: &App, told: &mut JoinSet<()>) -> Result<(), DbErr> {
    while told.try_join_next().is_some() {}
    let places = AT_ONCE.saturating_sub(told.len());
    if places == 0 {
        return Ok(());
    }
    let active = Query::select()
        .column(installations::Column::Id)
        .from(installations::Entity)
        .and_where(installations::Column::State.eq("active"))
        .to_owned();
    let rows = Entity::find()
        .filter(Column::DueAt.lte(app.clock.now().as_micros()))
        .filter(Column::LeasedUntil.lte(app.clock.now().as_micros()))
        .filter(Column::Installation.in_subquery(active))
        .order_by_asc(Column::DueAt)
        .limit(places as u64)
        .all(app.database.read())
        .await?;
    for row in rows {
        if lease(app, &row).await? {
            let app = app.clone();
            told.spawn(async move {
                if let Err(error) = sync(&app, &row).await {
                    let installation = row.installation;
                    tracing::warn!(%installation, %error, "it isn't noted whether commands were made known");
                }
            });
        }
    }
    Ok(())
}

/// Make one set known and note what came of it.
async fn sync(app: &App, row: &Model) -> Result<(), SetupFailure> {
    let (organization, id) = (OrganizationId::stored(row.organization.clone()), InstallationId(row.installation));
    match ask(app, &organization, id, row).await {
        Ok(synced) => keep(app, row, synced).await,
        Err(failure) => {
            tracing::warn!(%organization, installation = %id, %failure, "commands could not be made known");
            Ok(note(app, row, &failure).await?)
        }
    }
}

/// Lease a set, if it is still due as it was read and nobody else has it.
async fn lease(app: &App, row: &Model) -> Result<bool, DbErr> {
    let now = app.clock.now();
    let updated = Entity::update_many()
        .col_expr(Column::LeasedUntil, Expr::value(now.plus(LEASE).as_micros()))
        .filter(Column::Organization.eq(row.organization.as_str()))
        .filter(Column::Installation.eq(row.installation))
        .filter(Column::DueAt.eq(row.due_at))
        .filter(Column::LeasedUntil.lte(now.as_micros()))
        .exec(app.database.write_uncached())
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Give a lease back.
async fn give_back(on: &impl ConnectionTrait, row: &Model) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::LeasedUntil, Expr::value(0))
        .filter(Column::Organization.eq(row.organization.as_str()))
        .filter(Column::Installation.eq(row.installation))
        .exec(on)
        .await?;
    Ok(())
}

/// Let nobody begin to tell this set any more, and wait for whoever does.
pub(super) async fn end(app: &App, organization: &OrganizationId, id: InstallationId) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::DueAt, Expr::value(Option::<i64>::None))
        .filter(Column::Organization.eq(organization.as_str()))
        .filter(Column::Installation.eq(id.0))
        .exec(app.database.write_uncached())
        .await?;
    let deadline = Instant::now() + SETUP_LIMIT;
    while Instant::now() < deadline {
        let row = commands::row(app.database.write_uncached(), organization, id).await?;
        if row.is_none_or(|row| row.leased_until <= app.clock.now().as_micros()) {
            break;
        }
        tokio::time::sleep(END_LOOK).await;
    }
    Ok(())
}

async fn ask(app: &App, organization: &OrganizationId, id: InstallationId, row: &Model) -> Result<Synced, Failure> {
    let gone = |error: sites::LoadError| Failure::new(Cause::Unavailable, error.to_string());
    let loaded = sites::load_now(app, organization, id).await.map_err(gone)?;
    let loaded = app.renewals.fresh(app, loaded).await?;
    let (backend, site, commands) = (Arc::clone(&loaded.backend), loaded.call(app).site, declared(row));
    let asked = contained(SETUP_LIMIT, async move {
        match backend.commands() {
            Some(part) => part.sync(&site, &commands).await,
            None => Err(Failure::new(Cause::ContentRejected, "the backend doesn't know commands any more")),
        }
    });
    asked.await.map_err(|error| Failure::new(Cause::Unavailable, error.to_string()))?
}

/// The platform knows them. What was declared meanwhile is still due.
async fn keep(app: &App, row: &Model, synced: Synced) -> Result<(), SetupFailure> {
    let (organization, id) = (OrganizationId::stored(row.organization.clone()), InstallationId(row.installation));
    let loaded = sites::load_now(app, &organization, id).await?;
    let now = app.clock.now();
    let transaction = app.database.begin(&organization).await?;
    tokens::store(&transaction, app, &loaded.holder(), synced.tokens, now).await?;
    Entity::update_many()
        .col_expr(Column::DueAt, Expr::value(Option::<i64>::None))
        .col_expr(Column::Attempts, Expr::value(0))
        .col_expr(Column::Missing, Expr::value(json!(synced.missing)))
        .col_expr(Column::Problem, Expr::value(Option::<serde_json::Value>::None))
        .col_expr(Column::SyncedAt, Expr::value(now.as_micros()))
        .filter(Column::Organization.eq(row.organization.as_str()))
        .filter(Column::Installation.eq(row.installation))
        .filter(Column::DueAt.eq(row.due_at))
        .exec(&*transaction)
        .await?;
    give_back(&*transaction, row).await?;
    Ok(transaction.commit().await?)
}

/// The platform doesn't know them yet.
async fn note(app: &App, row: &Model, failure: &Failure) -> Result<(), DbErr> {
    let attempts = row.attempts.saturating_add(1);
    let again_at = app.clock.now().plus(wait(attempts, failure));
    let problem =
        SyncProblem { code: failure.cause.code().to_owned(), detail: failure.for_application().into(), again_at };
    Entity::update_many()
        .col_expr(Column::DueAt, Expr::value(again_at.as_micros()))
        .col_expr(Column::Attempts, Expr::value(attempts))
        .col_expr(Column::Problem, Expr::value(json!(problem)))
        .filter(Column::Organization.eq(row.organization.as_str()))
        .filter(Column::Installation.eq(row.installation))
        .filter(Column::DueAt.eq(row.due_at))
        .exec(app.database.write_uncached())
        .await?;
    give_back(app.database.write_uncached(), row).await
}

/// When it is tried again after so many failures in a row.
fn wait(attempts: i32, failure: &Failure) -> Duration {
    if let Some(asked) = failure.retry_after {
        return asked.clamp(FIRST_WAIT, LONGEST_WAIT);
    }
    match failure.cause.class() {
        Class::Permanent | Class::Suspend => LONGEST_WAIT,
        _ => {
            let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(16);
            FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_double_up_to_an_hour_and_a_platform_may_ask_for_one() {
        let unavailable = || Failure::new(Cause::Unavailable, "down");
        let waits: Vec<u64> = (1..=4).map(|attempts| wait(attempts, &unavailable()).as_secs()).collect();
        assert_eq!(waits, [2, 4, 8, 16]);
        assert_eq!(wait(i32::MAX, &unavailable()), LONGEST_WAIT);
        assert_eq!(wait(1, &Failure::new(Cause::PermissionDenied, "no")), LONGEST_WAIT);
        let asks = |seconds| unavailable().retry_after(Some(Duration::from_secs(seconds)));
        assert_eq!(wait(1, &asks(120)), Duration::from_secs(120));
        assert_eq!(wait(1, &asks(1)), FIRST_WAIT);
        assert_eq!(wait(1, &asks(100_000)), LONGEST_WAIT);
    }
}
