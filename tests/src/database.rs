//! Databases of their own: a SQLite file in a temporary folder, or a database on the
//! private PostgreSQL that `tests/run` starts.

use chatport_host::store::Location;
use sea_orm::ConnectionTrait;
use tempfile::TempDir;
use uuid::Uuid;

/// The two engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// An empty database that goes away with this value (Postgres: with its server).
pub struct Empty {
    pub location: Location,
    pub folder: TempDir,
}

impl Engine {
    pub async fn empty(self) -> Empty {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let location = match self {
            Self::Sqlite => Location::Sqlite(folder.path().join("chatport.db")),
            Self::Postgres => Location::Postgres(postgres_database().await),
        };
        Empty { location, folder }
    }
}

/// Make a new database on the private server; the answer is its URL.
pub async fn postgres_database() -> String {
    let server = std::env::var("CHATPORT_TEST_POSTGRES").expect(
        "CHATPORT_TEST_POSTGRES isn't set: `bash tests/run` starts a private PostgreSQL and sets it \
         (to run one suite: `bash tests/run -p chatport-tests --test NAME`)",
    );
    let name = format!("t_{}", Uuid::new_v4().simple());
    let admin = sea_orm::Database::connect(format!("{server}/postgres")).await.expect("the private PostgreSQL answers");
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a new database");
    admin.close().await.expect("closed");
    format!("{server}/{name}")
}

/// Change rows of a Chatport's SQLite file behind its back, e.g. to let time pass.
pub async fn execute(file: &std::path::Path, sql: &str) -> u64 {
    let url = format!("sqlite://{}?mode=rw", file.display());
    let connection = sea_orm::Database::connect(url).await.expect("the file opens");
    let changed = connection.execute_unprepared(sql).await.expect("the statement runs").rows_affected();
    connection.close().await.expect("closed");
    assert!(changed > 0, "nothing was changed by: {sql}");
    changed
}
