//! The lease of one installation's listener, and how far it has listened. Each change names the
//! owner, so a replica that has lost its lease changes nothing any more.

use std::time::Duration;

use chatport_sdk::time::Timestamp;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, ExprTrait, QueryFilter, UpdateMany,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use crate::{
    app::App,
    ids::{InstallationId, OrganizationId},
    store::entities::listeners::{ActiveModel, Column, Entity},
};

/// How long a lease lasts that isn't renewed: so long nobody listens after a crash.
const LEASE: Duration = Duration::from_secs(30);
/// How often it is renewed.
pub(super) const RENEWAL: Duration = Duration::from_secs(10);

/// The right to listen for one installation.
pub(super) struct Lease {
    pub organization: OrganizationId,
    pub installation: InstallationId,
    /// Where to go on.
    pub cursor: Option<String>,
    owner: Uuid,
}

/// Since when an installation can't be listened to, and why.
pub(super) struct Failing {
    pub since: Timestamp,
    pub detail: String,
}

impl Lease {
    /// Take the lease, if nobody has it.
    pub(super) async fn take(
        app: &App,
        organization: &OrganizationId,
        installation: InstallationId,
    ) -> Result<Option<Self>, DbErr> {
        let mut bytes = [0; 16];
        app.random.fill(&mut bytes);
        let (owner, now) = (uuid::Builder::from_random_bytes(bytes).into_uuid(), app.clock.now());
        let until = now.plus(LEASE).as_micros();
        let on = app.database.write_uncached();
        let row = ActiveModel {
            organization: Set(organization.as_str().to_owned()),
            installation: Set(installation.0),
            cursor: Set(None),
            owner: Set(owner),
            leased_until: Set(until),
            failing_since: Set(None),
            problem: Set(None),
        };
        let free = OnConflict::columns([Column::Organization, Column::Installation])
            .update_columns([Column::Owner, Column::LeasedUntil])
            .action_and_where(Expr::col((Entity, Column::LeasedUntil)).lte(now.as_micros()))
            .to_owned();
        Entity::insert(row).on_conflict(free).exec_without_returning(on).await?;
        let row = Entity::find_by_id((organization.as_str().to_owned(), installation.0)).one(on).await?;
        Ok(row.filter(|row| row.owner == owner).map(|row| Self {
            organization: organization.clone(),
            installation,
            cursor: row.cursor,
            owner,
        }))
    }

    fn update(&self, until: Timestamp) -> UpdateMany<Entity> {
        Entity::update_many()
            .col_expr(Column::LeasedUntil, Expr::value(until.as_micros()))
            .filter(Column::Organization.eq(self.organization.as_str()))
            .filter(Column::Installation.eq(self.installation.0))
            .filter(Column::Owner.eq(self.owner))
    }

    /// Keep the lease. The answer tells whether it was still ours.
    pub(super) async fn renew(&self, app: &App) -> Result<bool, DbErr> {
        let renewed = self.update(app.clock.now().plus(LEASE)).exec(app.database.write_uncached()).await?;
        Ok(renewed.rows_affected == 1)
    }

    /// What came before `cursor` is on disk. The answer tells whether the lease was still ours.
    pub(super) async fn move_on(&mut self, app: &App, cursor: String) -> Result<bool, DbErr> {
        let moved = self
            .update(app.clock.now().plus(LEASE))
            .col_expr(Column::Cursor, Expr::value(cursor.as_str()))
            .exec(app.database.write_uncached())
            .await?;
        self.cursor = Some(cursor);
        Ok(moved.rows_affected == 1)
    }

    /// It can't be listened; `None`: it can again.
    pub(super) async fn note(&self, app: &App, problem: Option<&str>) -> Result<bool, DbErr> {
        let now = app.clock.now();
        let since = match problem {
            Some(_) => Expr::col(Column::FailingSince).if_null(now.as_micros()),
            None => Expr::value(Option::<i64>::None),
        };
        let noted = self
            .update(now.plus(LEASE))
            .col_expr(Column::FailingSince, since)
            .col_expr(Column::Problem, Expr::value(problem))
            .exec(app.database.write_uncached())
            .await?;
        Ok(noted.rows_affected == 1)
    }

    /// Let somebody else listen.
    pub(super) async fn give_back(self, app: &App) -> Result<(), DbErr> {
        self.update(Timestamp::from_micros(0)).exec(app.database.write_uncached()).await.map(drop)
    }
}

/// On SQLite nobody else can be at work: what is leased was leased by a process that is gone.
pub(super) async fn give_back_what_a_dead_process_held(app: &App) -> Result<(), DbErr> {
    let on = app.database.write_uncached();
    if on.get_database_backend() == DbBackend::Sqlite {
        Entity::update_many().col_expr(Column::LeasedUntil, Expr::value(0_i64)).exec(on).await?;
    }
    Ok(())
}

/// Since when an installation can't be listened to; `None`: it can, or nobody has to.
pub(super) async fn failing(
    app: &App,
    organization: &OrganizationId,
    installation: InstallationId,
) -> Result<Option<Failing>, DbErr> {
    let key = (organization.as_str().to_owned(), installation.0);
    let row = Entity::find_by_id(key).one(app.database.read()).await?;
    Ok(row.and_then(|row| {
        Some(Failing { since: Timestamp::from_micros(row.failing_since?), detail: row.problem.unwrap_or_default() })
    }))
}

/// Nobody listens for an installation that is being removed, or will again.
///
/// # Errors
/// The database refuses.
pub async fn forget(
    on: &impl ConnectionTrait,
    organization: &OrganizationId,
    installation: InstallationId,
) -> Result<(), DbErr> {
    Entity::delete_by_id((organization.as_str().to_owned(), installation.0)).exec(on).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::test_world::World;

    #[tokio::test]
    async fn one_replica_has_the_lease_until_it_runs_out_or_is_given_back() {
        let world = World::new().await;
        let id = world.installed().await;
        let take = async || Lease::take(&world.app, &world.organization, id).await.unwrap();
        let mut first = take().await.unwrap();
        assert!(take().await.is_none());
        assert!(first.move_on(&world.app, "7".into()).await.unwrap());
        world.clock.advance(LEASE - Duration::from_secs(1));
        assert!(first.renew(&world.app).await.unwrap());
        world.clock.advance(LEASE - Duration::from_secs(1));
        assert!(take().await.is_none(), "it was renewed");
        world.clock.advance(Duration::from_secs(1));
        let second = take().await.unwrap();
        assert_eq!(second.cursor.as_deref(), Some("7"));
        assert!(!first.renew(&world.app).await.unwrap());
        assert!(!first.move_on(&world.app, "8".into()).await.unwrap(), "it was another's");
        second.give_back(&world.app).await.unwrap();
        assert_eq!(take().await.unwrap().cursor.as_deref(), Some("7"));
    }
}
