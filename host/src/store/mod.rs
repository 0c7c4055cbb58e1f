//! The database: SQLite in one file, or Postgres for several replicas. This folder holds
//! the entities, the migrations of each engine and the connection; it knows no HTTP.
//!
//! On SQLite one connection writes and a few read, so readers never wait for a writer and
//! `BEGIN IMMEDIATE` never meets a competitor. On Postgres both are the same pool.

pub mod entities;
pub(crate) mod sheet;

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, EntityTrait, Select,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, Value,
};
use sqlx::{
    SqlStr,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::{SqliteJournalMode, SqliteSynchronous},
};

/// The migrations of each engine: version, description, SQLite, Postgres.
const MIGRATIONS: &[(i64, &str, &str, &str)] = &[(
    1,
    "start",
    include_str!("../../migrations/sqlite/0001_start.sql"),
    include_str!("../../migrations/postgres/0001_start.sql"),
)];

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
    _lock: Option<std::sync::Arc<File>>,
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
        let write = sea_orm::Database::connect(sqlite_options(path, 1, false)).await?;
        migrator(DbBackend::Sqlite).run(write.get_sqlite_connection_pool()).await?;
        let read = sea_orm::Database::connect(sqlite_options(path, 4, true)).await?;
        Ok(Self { write, read, _lock: Some(std::sync::Arc::new(lock)) })
    }

    async fn open_postgres(url: &str) -> Result<Self, OpenError> {
        let mut options = ConnectOptions::new(url);
        options
            .max_connections(16)
            .min_connections(1)
            .sqlx_logging(false)
            .connect_timeout(Duration::from_secs(5))
            .acquire_timeout(Duration::from_secs(5));
        let write = sea_orm::Database::connect(options).await?;
        migrator(DbBackend::Postgres).run(write.get_postgres_connection_pool()).await?;
        Ok(Self { read: write.clone(), write, _lock: None })
    }

    /// For reading outside a transaction.
    pub fn read(&self) -> &DatabaseConnection {
        &self.read
    }

    /// For single statements that write.
    pub fn write(&self) -> &DatabaseConnection {
        &self.write
    }

    /// Begin a transaction that will write.
    ///
    /// # Errors
    /// The engine refuses or can't be reached.
    pub async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        self.write.begin_with_options(options).await
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
        self.read.close_by_ref().await?;
        self.write.close_by_ref().await
    }
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

fn sqlite_options(path: &Path, connections: u32, read_only: bool) -> ConnectOptions {
    let mode = if read_only { "ro" } else { "rwc" };
    let mut options = ConnectOptions::new(format!("sqlite://{}?mode={mode}", path.display()));
    options
        .max_connections(connections)
        .min_connections(1)
        .sqlx_logging(false)
        .connect_timeout(Duration::from_secs(5))
        .acquire_timeout(Duration::from_secs(30))
        .test_before_acquire(false)
        .map_sqlx_sqlite_opts(|options| {
            options
                .journal_mode(SqliteJournalMode::Wal)
                // Accepted means on disk: WAL syncs at each commit only at FULL.
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(Duration::from_secs(10))
                .statement_cache_capacity(256)
        });
    options
}

fn migrator(engine: DbBackend) -> Migrator {
    let migrations = MIGRATIONS.iter().map(|(version, description, sqlite, postgres)| {
        let sql = if engine == DbBackend::Sqlite { sqlite } else { postgres };
        Migration::new(*version, (*description).into(), MigrationType::Simple, SqlStr::from_static(sql), false)
    });
    Migrator::with_migrations(migrations.collect())
}
