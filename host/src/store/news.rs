//! What other replicas change, heard from Postgres: triggers on the tables that are kept in
//! memory notify at the commit, so none can be forgotten. One connection listens; by another a
//! ping goes to it every second. Notifications come in the order of their commits, so a ping
//! that comes back proves that everything before it was heard. Without one, what is kept isn't
//! used for longer than [`BOUND`]. Where listening doesn't work, e.g. through a pooler in
//! transaction mode, no ping comes back, and everything is read each time.

use std::{convert::Infallible, time::Duration};

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr};
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Database, cache::Scope, statement};

/// The channel; the triggers know it too.
const CHANNEL: &str = "chatport";
/// How often it is tried out whether news arrive.
const PING: Duration = Duration::from_secs(1);
/// The longest that a change by another replica can go unnoticed.
pub const BOUND: Duration = Duration::from_secs(3);
/// After so many pings in vain the connection is made anew.
const PATIENCE: u32 = 10;

/// Tell all replicas that something is due, once this transaction commits. Each looks for it
/// on its own sooner or later.
///
/// # Errors
/// The database refuses.
pub async fn notify_due(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    if transaction.get_database_backend() == DbBackend::Postgres {
        let sql = "SELECT pg_notify($1, 'due')";
        transaction.execute_raw(statement(transaction, sql, [CHANNEL.into()])).await?;
    }
    Ok(())
}

/// Hear what other replicas change until `stop` is cancelled; `due` is called when one says
/// that something is due. On SQLite there are no others.
pub async fn listen(database: Database, due: impl Fn() + Send + Sync, stop: CancellationToken) {
    if database.engine() != DbBackend::Postgres {
        return;
    }
    let mut was_told = false;
    loop {
        let ended = tokio::select! {
            () = stop.cancelled() => None,
            ended = listen_once(&database, &due, &mut was_told) => Some(ended),
        };
        database.cache.deafen();
        let Some(Err(error)) = ended else { return };
        if !was_told {
            tracing::warn!(%error, "can't hear what other replicas change: reading it each time until that works");
            was_told = true;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PING) => {}
        }
    }
}

async fn listen_once(
    database: &Database,
    due: &(impl Fn() + Sync),
    was_told: &mut bool,
) -> Result<Infallible, sqlx::Error> {
    // A pool of its own: nobody waits for the connection that listens, and it waits for nobody.
    let options = database.write.get_postgres_connection_pool().connect_options();
    let pool = PgPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
    let pool = pool.acquire_timeout(Duration::from_secs(5)).connect_with((*options).clone()).await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    // Whatever changed before was not heard.
    database.cache.outdate(&Scope::Everything);
    let name = Uuid::new_v4().simple().to_string();
    tokio::select! {
        ended = hear(database, &mut listener, &name, due) => ended,
        ended = ping(database, &name, was_told) => ended,
    }
}

/// Take in what comes.
async fn hear(
    database: &Database,
    listener: &mut PgListener,
    name: &str,
    due: &(impl Fn() + Sync),
) -> Result<Infallible, sqlx::Error> {
    loop {
        let Some(heard) = listener.try_recv().await? else {
            return Err(sqlx::Error::Protocol("the connection that listens was lost".into()));
        };
        match News::read(heard.payload()) {
            Some(News::Changed(scope)) => database.cache.outdate(&scope),
            Some(News::Due) => due(),
            Some(News::Ping { of, sent }) if of == name => database.cache.heard_all_until(sent, BOUND),
            // Another replica's ping, or a word of a later version.
            _ => {}
        }
    }
}

/// Find out again and again whether news arrive. Not by the connection that listens: a pooler
/// might hand back what is said there and swallow what others say.
async fn ping(database: &Database, name: &str, was_told: &mut bool) -> Result<Infallible, sqlx::Error> {
    let write = &database.write;
    // Nobody needs a ping to survive a crash, so its commit waits for no disk.
    let sql = "SELECT set_config('synchronous_commit', 'off', TRUE), pg_notify($1, $2)";
    let mut in_vain = 0;
    loop {
        let payload = format!("ping {name} {}", database.cache.elapsed());
        // A failure shows by the ping that doesn't come back.
        let _ = write.execute_raw(statement(write, sql, [CHANNEL.into(), payload.into()])).await;
        tokio::time::sleep(PING).await;
        if database.cache.is_usable() {
            if std::mem::take(was_told) {
                tracing::info!("hearing what other replicas change");
            }
            in_vain = 0;
            continue;
        }
        in_vain += 1;
        if in_vain == PATIENCE {
            let detail = "nothing is heard, though listening was allowed: is there a pooler in transaction mode?";
            return Err(sqlx::Error::Protocol(detail.into()));
        }
    }
}

/// What a notification says.
#[derive(Debug, PartialEq)]
enum News<'a> {
    Changed(Scope),
    Due,
    Ping { of: &'a str, sent: u64 },
}

impl<'a> News<'a> {
    fn read(payload: &'a str) -> Option<Self> {
        let mut words = payload.split(' ');
        Some(match (words.next()?, words.next(), words.next()) {
            ("changed", Some("*"), None) => Self::Changed(Scope::Everything),
            ("changed", Some(organization), None) => Self::Changed(Scope::Organization(organization.to_owned())),
            ("due", None, None) => Self::Due,
            ("ping", Some(of), Some(sent)) => Self::Ping { of, sent: sent.parse().ok()? },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notifications_are_read_and_unknown_ones_are_left() {
        assert_eq!(News::read("changed *"), Some(News::Changed(Scope::Everything)));
        assert_eq!(News::read("changed a:b"), Some(News::Changed(Scope::Organization("a:b".into()))));
        assert_eq!(News::read("due"), Some(News::Due));
        assert_eq!(News::read("ping me 12"), Some(News::Ping { of: "me", sent: 12 }));
        assert_eq!(News::read("ping me soon"), None);
        assert_eq!(News::read("later version"), None);
    }
}
