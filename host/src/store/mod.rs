//! The database: SQLite in one file, or Postgres for several replicas. This folder holds
//! the entities, the migrations of each engine and the connection; it knows no HTTP.
//!
//! On SQLite one connection writes and a few read, so readers never wait for a writer and
//! `BEGIN IMMEDIATE` never meets a competitor. On Postgres both are pools: a rush of readers
//! takes no connection from the engine, whose statements are prepared on a few.
//!
//! What hardly ever changes is kept in memory (`cache`). A transaction that changes it
//! begins with [`Database::begin`]; the names of the ways around that say so.

pub(crate) mod cache;
mod change;
mod checkpoints;
mod clock;
pub mod entities;
mod news;
pub(crate) mod noted;
mod options;
pub(crate) mod sheet;

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use chatport_sdk::time::{Clock, Timestamp};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, EntityTrait, Select,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, Value,
};
use sqlx::{
    SqlStr,
    migrate::{Migration, MigrationType, Migrator},
};

pub use change::{Change, Writes};
pub use news::{BOUND, listen, notify_due};

use crate::ids::OrganizationId;
use cache::{Cache, Scope};
use checkpoints::Checkpoints;
use clock::{Ahead, Corrected};

/// The migrations of each engine: version, description, SQLite, Postgres.
const MIGRATIONS: &[(i64, &str, &str, &str)] = &[
    (
        1,
        "start",
        include_str!("../../migrations/sqlite/0001_start.sql"),
        include_str!("../../migrations/postgres/0001_start.sql"),
    ),
    (
        2,
        "commands",
        include_str!("../../migrations/sqlite/0002_commands.sql"),
        include_str!("../../migrations/postgres/0002_commands.sql"),
    ),
    (
        3,
        "listeners",
        include_str!("../../migrations/sqlite/0003_listeners.sql"),
        include_str!("../../migrations/postgres/0003_listeners.sql"),
    ),
    (
        4,
        "fewer indexes",
        include_str!("../../migrations/sqlite/0004_fewer_indexes.sql"),
        include_str!("../../migrations/postgres/0004_fewer_indexes.sql"),
    ),
    (
        5,
        "fewer references",
        include_str!("../../migrations/sqlite/0005_fewer_references.sql"),
        include_str!("../../migrations/postgres/0005_fewer_references.sql"),
    ),
];

/// The number of the lock under which Postgres is brought to the present version.
const MIGRATION_LOCK: i64 = 0x0063_6861_7470_6f72;

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A Postgres URL; it may hold a password.
    Postgres(String),
}

impl std::fmt::Debug for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(_) => f.write_str("Postgres(…)"),
        }
    }
}

/// Why the database can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the file.
    #[error(
        "{0} is used by another Chatport: stop that one, or give this one another --data folder (several replicas need Postgres)"
    )]
    InUse(PathBuf),
    /// The file can't be opened.
    #[error("can't open {0}: {1}")]
    File(PathBuf, std::io::Error),
    /// The engine refuses.
    #[error("the database refuses: {0}")]
    Engine(#[from] DbErr),
    /// A migration failed.
    #[error("the database could not be brought to this version: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
}

/// An open database.
#[derive(Clone, Debug)]
pub struct Database {
    write: DatabaseConnection,
    read: DatabaseConnection,
    writes: Writes,
    cache: Arc<Cache>,
    checkpoints: Option<Checkpoints>,
    ahead: Ahead,
    _lock: Option<Arc<File>>,
}

impl Database {
    /// Open and bring to the present version.
    ///
    /// # Errors
    /// The file is in use, or the engine refuses.
    pub async fn open(location: &Location) -> Result<Self, OpenError> {
        match location {
            Location::Sqlite(path) => Self::open_sqlite(path).await,
            Location::Postgres(url) => Self::open_postgres(url).await,
        }
    }

    async fn open_sqlite(path: &Path) -> Result<Self, OpenError> {
        let lock_path = path.with_extension("lock");
        let lock = File::create(&lock_path).map_err(|error| OpenError::File(lock_path.clone(), error))?;
        if lock.try_lock().is_err() {
            return Err(OpenError::InUse(path.to_owned()));
        }
        // Made here, so that nobody else may read it; its companions get the same mode.
        let made = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
        made.map_err(|error| OpenError::File(path.to_owned(), error))?;
        let write = sea_orm::Database::connect(options::sqlite(path, 1, false)).await?;
        migrator(DbBackend::Sqlite).run(write.get_sqlite_connection_pool()).await?;
        let read = sea_orm::Database::connect(options::sqlite(path, 4, true)).await?;
        let checkpoints = Checkpoints::start(sea_orm::Database::connect(options::sqlite(path, 1, false)).await?);
        Ok(Self { checkpoints: Some(checkpoints), ..Self::of(write, read, Cache::sole(), Some(lock)) })
    }

    async fn open_postgres(url: &str) -> Result<Self, OpenError> {
        let write = sea_orm::Database::connect(options::postgres(url, options::WRITERS)).await?;
        try_pooler(write.get_postgres_connection_pool()).await.map_err(|error| DbErr::Custom(error.to_string()))?;
        // One replica at a time. The lock is a transaction's, not a session's: behind a pooler each
        // statement may come to another session.
        let alone = write.begin().await?;
        alone.execute_raw(statement(&alone, "SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK.into()])).await?;
        let mut migrator = migrator(DbBackend::Postgres);
        migrator.set_locking(false).run(write.get_postgres_connection_pool()).await?;
        alone.commit().await?;
        let read = sea_orm::Database::connect(options::postgres(url, options::READERS)).await?;
        Ok(Self::of(write, read, Cache::shared(), None))
    }

    fn of(write: DatabaseConnection, read: DatabaseConnection, cache: Cache, lock: Option<File>) -> Self {
        let cache = Arc::new(cache);
        let writes = Writes { connection: write.clone(), cache: Arc::clone(&cache) };
        Self { write, read, writes, cache, checkpoints: None, ahead: Ahead::default(), _lock: lock.map(Arc::new) }
    }

    /// For reading outside a transaction.
    pub fn read(&self) -> &DatabaseConnection {
        &self.read
    }

    /// For single statements that may change what is kept in memory. All of it is read anew
    /// after each.
    pub fn write(&self) -> &Writes {
        &self.writes
    }

    /// For single statements that change nothing that is kept in memory: times of use, health,
    /// the audit, whatever is the engine's; and for reading where others write.
    pub fn write_uncached(&self) -> &DatabaseConnection {
        &self.write
    }

    /// Begin a transaction that may change what is kept in memory of an organization.
    ///
    /// # Errors
    /// The engine refuses or can't be reached.
    pub async fn begin(&self, organization: &OrganizationId) -> Result<Change, DbErr> {
        self.change(Scope::Organization(organization.as_str().to_owned()), true).await
    }

    /// The same for one that rarely does: it says so by [`Change::touch`].
    pub(crate) async fn begin_quietly(&self, organization: &OrganizationId) -> Result<Change, DbErr> {
        self.change(Scope::Organization(organization.as_str().to_owned()), false).await
    }

    /// Begin a transaction that may change anything that is kept in memory: keys,
    /// subscriptions, whether an organization exists.
    ///
    /// # Errors
    /// The engine refuses or can't be reached.
    pub async fn begin_for_all(&self) -> Result<Change, DbErr> {
        self.change(Scope::Everything, true).await
    }

    /// The same for one that rarely does: it says so by [`Change::touch`].
    pub(crate) async fn begin_quietly_for_all(&self) -> Result<Change, DbErr> {
        self.change(Scope::Everything, false).await
    }

    async fn change(&self, scope: Scope, touched: bool) -> Result<Change, DbErr> {
        Ok(Change::new(self.begin_uncached().await?, Arc::clone(&self.cache), scope, touched))
    }

    /// Begin a transaction that writes nothing that is kept in memory: the engine's.
    ///
    /// # Errors
    /// The engine refuses or can't be reached.
    pub async fn begin_uncached(&self) -> Result<DatabaseTransaction, DbErr> {
        Ok(self.begin_at().await?.0)
    }

    /// The same, with the time by the database's clock where replicas share it.
    ///
    /// # Errors
    /// The engine refuses or can't be reached.
    pub async fn begin_at(&self) -> Result<(DatabaseTransaction, Option<Timestamp>), DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let transaction = self.write.begin_with_options(options).await?;
        let now = match self.engine() {
            DbBackend::Postgres => Some(limit(&transaction).await?),
            _ => None,
        };
        Ok((transaction, now))
    }

    /// The clock to go by: this host's own, and where replicas share the database, the
    /// database's.
    pub fn clock(&self, own: Arc<dyn Clock>) -> Arc<dyn Clock> {
        match self.engine() {
            DbBackend::Sqlite => own,
            _ => Arc::new(Corrected { own, ahead: self.ahead.clone() }),
        }
    }

    /// A transaction began at `theirs` by the database's clock, at `ours` by [`Self::clock`].
    pub(crate) fn learn(&self, theirs: Timestamp, ours: Timestamp) {
        let (difference, is_news) = self.ahead.learn(theirs, ours);
        metrics::gauge!("chatport_clock_difference_seconds").set(difference.as_secs_f64());
        if is_news {
            let seconds = difference.as_secs_f64();
            tracing::warn!(
                seconds,
                "this host's clock and the database's differ, and the database's is taken: set both by NTP"
            );
        }
    }

    /// What is kept in memory.
    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Something of an organization turned out to be newer than what is kept in memory.
    pub(crate) fn outdate(&self, organization: &OrganizationId) {
        self.cache.outdate(&Scope::Organization(organization.as_str().to_owned()));
    }

    /// Which engine.
    pub fn engine(&self) -> DbBackend {
        self.write.get_database_backend()
    }

    /// Close all connections.
    ///
    /// # Errors
    /// The engine refuses.
    pub async fn close(&self) -> Result<(), DbErr> {
        if let Some(checkpoints) = &self.checkpoints {
            checkpoints.end().await?;
        }
        self.read.close_by_ref().await?;
        self.write.close_by_ref().await
    }
}

/// Provoke what a pooler does that hands a connection's statements to different sessions: while
/// another connection has the session of the first one, a statement that was prepared there
/// must work in whichever session it gets then. Otherwise it fails here, and not by chance later.
async fn try_pooler(pool: &sqlx::PgPool) -> Result<(), sqlx::Error> {
    let (mut one, mut other) = (pool.acquire().await?, pool.acquire().await?);
    let session = "SELECT pg_backend_pid()";
    sqlx::query_scalar::<_, i32>(session).fetch_one(&mut *one).await?;
    let in_the_way = sqlx::Connection::begin(&mut *other).await?;
    sqlx::query_scalar::<_, i32>(session).fetch_one(&mut *one).await?;
    in_the_way.rollback().await
}

/// Nobody waits for a lock for long, and a replica that freezes in the middle of a transaction
/// doesn't keep its locks. Rows are found by their indexes, even where statements were planned
/// while the tables were empty. Said in each transaction: behind a pooler there is no session
/// to say it in. The answer is the database's time.
async fn limit(transaction: &DatabaseTransaction) -> Result<Timestamp, DbErr> {
    let sql = "SELECT set_config('lock_timeout', '5s', TRUE),
        set_config('idle_in_transaction_session_timeout', '4s', TRUE),
        set_config('plan_cache_mode', 'force_generic_plan', TRUE),
        set_config('enable_seqscan', 'off', TRUE),
        set_config('enable_bitmapscan', 'off', TRUE),
        set_config('enable_hashjoin', 'off', TRUE),
        set_config('enable_mergejoin', 'off', TRUE),
        set_config('enable_material', 'off', TRUE),
        set_config('enable_memoize', 'off', TRUE),
        set_config('jit', 'off', TRUE),
        CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT) AS now";
    let row = transaction.query_one_raw(statement(transaction, sql, [])).await?;
    Ok(Timestamp::from_micros(row.ok_or_else(|| DbErr::Custom("no time".into()))?.try_get("", "now")?))
}

/// A statement with `$1`-style places, which both engines take.
pub fn statement(on: &impl ConnectionTrait, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(on.get_database_backend(), sql, values)
}

/// The row of a query that can find one at most, by a unique key. `one()` would bind a limit,
/// for which SQLite prepares the statement anew at each call.
///
/// # Errors
/// The database refuses.
pub async fn only<E: EntityTrait>(query: Select<E>, on: &impl ConnectionTrait) -> Result<Option<E::Model>, DbErr> {
    Ok(query.all(on).await?.into_iter().next())
}

/// Lock the streams of what is about to be deleted with them, named by this column. Whoever
/// records results locks streams first; deleting what they belong to locks that first.
pub(crate) async fn lock_streams(on: &DatabaseTransaction, column: &'static str, owner: &str) -> Result<(), DbErr> {
    if on.get_database_backend() == DbBackend::Postgres {
        let sql = format!("SELECT id FROM streams WHERE {column} = $1 ORDER BY id FOR UPDATE");
        on.query_all_raw(statement(on, &sql, [owner.into()])).await?;
    }
    Ok(())
}

fn migrator(engine: DbBackend) -> Migrator {
    let migrations = MIGRATIONS.iter().map(|(version, description, sqlite, postgres)| {
        let sql = if engine == DbBackend::Sqlite { sqlite } else { postgres };
        Migration::new(*version, (*description).into(), MigrationType::Simple, SqlStr::from_static(sql), false)
    });
    Migrator::with_migrations(migrations.collect())
}
