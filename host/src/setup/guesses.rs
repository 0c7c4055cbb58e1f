//! Counting attempts to enter a code. An attempt is counted, and committed, before anything
//! is compared; it is charged to whoever guesses, never to the code or its owner, so nobody
//! can keep another person from linking.

use std::time::Duration;

use chatport_sdk::time::Timestamp;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use crate::{
    app::App,
    ids::{InstallationId, OrganizationId},
    store::{
        entities::guesses::{Column, Entity},
        statement,
    },
};

/// One limit: so many attempts in so long a time.
struct Limit {
    /// What stands before the account in `guesser`, so that the limits count apart.
    name: &'static str,
    most: i64,
    period: Duration,
}

const TEN_MINUTES: Duration = Duration::from_secs(600);
const DAY: Duration = Duration::from_secs(24 * 3600);

const OF_ACCOUNT: [Limit; 2] =
    [Limit { name: "10min", most: 5, period: TEN_MINUTES }, Limit { name: "day", most: 20, period: DAY }];
const OF_INSTALLATION: Limit = Limit { name: "all", most: 200, period: TEN_MINUTES };

/// Count an attempt of `account`. The answer tells whether it may be made. An attempt over
/// the account's own limits isn't charged to the installation: one account alone can't use
/// up what all share.
///
/// # Errors
/// The database refuses.
pub async fn charge(
    app: &App,
    organization: &OrganizationId,
    installation: InstallationId,
    account: &str,
) -> Result<bool, DbErr> {
    let now = app.clock.now();
    for limit in &OF_ACCOUNT {
        let guesser = format!("{}:{account}", limit.name);
        if count(app, organization, installation, &guesser, limit, now).await? > limit.most {
            return Ok(false);
        }
    }
    let shared = &OF_INSTALLATION;
    Ok(count(app, organization, installation, shared.name, shared, now).await? <= shared.most)
}

async fn count(
    app: &App,
    organization: &OrganizationId,
    installation: InstallationId,
    guesser: &str,
    limit: &Limit,
    now: Timestamp,
) -> Result<i64, DbErr> {
    let sql = "INSERT INTO guesses (organization, installation, guesser, period, count) VALUES ($1, $2, $3, $4, 1)
        ON CONFLICT (installation, guesser, period) DO UPDATE SET count = guesses.count + 1 RETURNING count";
    let length = i64::try_from(limit.period.as_micros()).unwrap_or(i64::MAX);
    // The period by the time at which it begins, so that old ones can be told from new.
    let period = now.as_micros() - now.as_micros().rem_euclid(length);
    let values = [organization.as_str().into(), installation.0.into(), guesser.into(), period.into()];
    let on = app.database.write_uncached();
    let row = on.query_one_raw(statement(on, sql, values)).await?;
    row.ok_or_else(|| DbErr::Custom("an attempt wasn't counted".into()))?.try_get("", "count")
}

/// Forget what no limit counts any more.
///
/// # Errors
/// The database refuses.
pub async fn forget_old(app: &App) -> Result<u64, DbErr> {
    let oldest = app.clock.now().minus(2 * DAY).as_micros();
    Ok(Entity::delete_many().filter(Column::Period.lt(oldest)).exec(app.database.write_uncached()).await?.rows_affected)
}
