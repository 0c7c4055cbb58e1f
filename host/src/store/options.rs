//! How connections to the database are opened and kept.

use std::{path::Path, pin::Pin, time::Duration};

use sea_orm::ConnectOptions;
use sqlx::{
    Connection, SqliteConnection,
    pool::PoolConnectionMetadata,
    sqlite::{SqliteJournalMode, SqliteSynchronous},
};

use super::checkpoints;

/// Most connections to Postgres that write, and most that read.
pub(super) const WRITERS: u32 = 6;
pub(super) const READERS: u32 = 10;
/// How long one is waited for, and tried: so a database that has fallen silent is noticed before it is
/// asked anything. A request waits for one at a time, and gives up after the first in vain.
const PATIENCE: Duration = Duration::from_millis(1_500);

pub(super) fn postgres(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .sqlx_logging(false)
        .connect_timeout(PATIENCE)
        .acquire_timeout(PATIENCE);
    options
}

pub(super) fn sqlite(path: &Path, connections: u32, read_only: bool) -> ConnectOptions {
    let mode = if read_only { "ro" } else { "rwc" };
    let mut options = ConnectOptions::new(format!("sqlite://{}?mode={mode}", path.display()));
    options
        .max_connections(connections)
        .min_connections(1)
        .sqlx_logging(false)
        .connect_timeout(Duration::from_secs(5))
        .acquire_timeout(Duration::from_secs(30))
        .test_before_acquire(false)
        .map_sqlx_sqlite_pool_opts(move |pool| if read_only { pool } else { pool.after_release(is_clean) })
        .map_sqlx_sqlite_opts(|options| {
            options
                .journal_mode(SqliteJournalMode::Wal)
                // Accepted means on disk: WAL syncs at each commit only at FULL.
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(Duration::from_secs(10))
                .pragma("wal_autocheckpoint", checkpoints::MOST_PAGES)
                .statement_cache_capacity(256)
        });
    options
}

/// A full disk can end a transaction without the driver's knowledge, or leave one open that it
/// takes for ended; then nothing later would really be committed. Such a connection is closed.
fn is_clean(
    connection: &mut SqliteConnection,
    _: PoolConnectionMetadata,
) -> Pin<Box<dyn Future<Output = Result<bool, sqlx::Error>> + Send + '_>> {
    Box::pin(async move {
        if connection.is_in_transaction() {
            // A rollback may be under way.
            connection.ping().await?;
        }
        Ok(!connection.is_in_transaction())
    })
}
