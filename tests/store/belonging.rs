//! Rows go with what they belong to, on both engines, in a new database as in one that was made
//! by an earlier version.

use std::collections::BTreeMap;

use chatport_host::store::{Database, Location};
use chatport_tests::database::{Empty, Engine};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, QueryResult, Statement};

on_both_engines![
    a_database_of_an_earlier_version_keeps_every_row,
    nothing_is_left_of_an_organization_that_is_deleted,
    what_belongs_to_what_is_deleted_goes_with_it,
];

/// The version before rows of messages lost their references, for SQLite and for Postgres.
const EARLIER: [[&str; 2]; 4] = [
    [
        include_str!("../../host/migrations/sqlite/0001_start.sql"),
        include_str!("../../host/migrations/postgres/0001_start.sql"),
    ],
    [
        include_str!("../../host/migrations/sqlite/0002_commands.sql"),
        include_str!("../../host/migrations/postgres/0002_commands.sql"),
    ],
    [
        include_str!("../../host/migrations/sqlite/0003_listeners.sql"),
        include_str!("../../host/migrations/postgres/0003_listeners.sql"),
    ],
    [
        include_str!("../../host/migrations/sqlite/0004_fewer_indexes.sql"),
        include_str!("../../host/migrations/postgres/0004_fewer_indexes.sql"),
    ],
];

const HISTORY: &str = "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum BYTES NOT NULL,
    execution_time BIGINT NOT NULL)";

/// At least one row in each table. `@` is the organization, `#n` an id of its own.
const ROWS: &str = "
    INSERT INTO organizations VALUES ('@', '', 'en', 0, 0);
    INSERT INTO api_keys (id, digest, name, scopes, organization, created_at, expires_at) VALUES ('@', '', '', '', '@', 0, 0);
    INSERT INTO installations (organization, id, backend, slot, state, settings, settings_version, stage, notes, steps,
        created_at, updated_at) VALUES ('@', #1, 'pigeon', '@', 'active', '{}', 1, '', '{}', '[]', 0, 0);
    INSERT INTO tokens (organization, id, installation, backend, kind, sealed, key_id, created_at)
        VALUES ('@', #1, #1, 'pigeon', '', '', '', 0);
    INSERT INTO guesses VALUES ('@', #1, '', 0, 0);
    INSERT INTO account_links (organization, id, installation, user_id, account, username, display_name, linked_at,
        updated_at) VALUES ('@', #1, #1, '', '', '', '', 0, 0);
    INSERT INTO channels (organization, id, installation, conversation, address, name, display_name, team, status,
        linked_at, updated_at) VALUES ('@', #1, #1, '', '{}', '', '', '', '', 0, 0);
    INSERT INTO happenings VALUES ('@', #1, '', '', NULL, 0);
    INSERT INTO command_sets (organization, installation, commands, hash, missing, updated_at)
        VALUES ('@', #1, '[]', '', '[]', 0);
    INSERT INTO listeners (organization, installation, owner, leased_until) VALUES ('@', #1, #1, 0);
    INSERT INTO tallies VALUES ('@', 'accepted', 4);
    INSERT INTO subscriptions VALUES ('hook', '', '', '', 0, 0) ON CONFLICT DO NOTHING;
    INSERT INTO streams (organization, id, installation, key, rate) VALUES ('@', #1, #1, 'loft', '');
    INSERT INTO streams (organization, id, subscription, key, rate) VALUES ('@', #2, 'hook', 'hook', '');
    INSERT INTO events VALUES ((SELECT COUNT(*) FROM events), '@', #1, '', '{}', 0);
    INSERT INTO messages (organization, id, key, revision, is_final, fingerprint, body, answer, created_at, updated_at)
        VALUES ('@', #1, 'root', 1, FALSE, '', '{}', '', 0, 0), ('@', #2, 'reply', 1, FALSE, '', '{}', '', 0, 0);
    INSERT INTO copies (organization, id, stream, installation, message, event, root, target, sequence, revision, is_open,
            state, expires_at, created_at, updated_at)
        VALUES ('@', #1, #1, #1, #1, NULL, NULL, '{}', 1, 1, FALSE, 'delivered', 0, 0, 0),
            ('@', #2, #1, #1, #2, NULL, #1, '{}', 2, 1, FALSE, 'delivered', 0, 0, 0),
            ('@', #3, NULL, #1, #2, NULL, NULL, '{}', 0, 1, FALSE, 'dead', 0, 0, 0),
            ('@', #4, #2, NULL, NULL, #1, NULL, '{}', 1, 1, TRUE, 'pending', 0, 0, 0);
    INSERT INTO attempts (organization, id, copy, revision, outcome, duration, at)
        SELECT organization, id, id, 1, 'delivered', 0, 0 FROM copies WHERE organization = '@';
    INSERT INTO audit (id, organization, actor, action, object, result, at) VALUES (#1, '@', '', '', '', '', 0)";

/// How many rows refer to something that isn't there.
const STRAYS: &str = "
    SELECT (SELECT COUNT(*) FROM messages x WHERE NOT EXISTS (SELECT 1 FROM organizations o WHERE o.id = x.organization))
    + (SELECT COUNT(*) FROM events x WHERE NOT EXISTS (SELECT 1 FROM organizations o WHERE o.id = x.organization))
    + (SELECT COUNT(*) FROM attempts x WHERE NOT EXISTS (SELECT 1 FROM copies o WHERE o.id = x.copy))
    + (SELECT COUNT(*) FROM copies x WHERE x.stream IS NOT NULL AND NOT EXISTS (SELECT 1 FROM streams o WHERE o.id = x.stream))
    + (SELECT COUNT(*) FROM copies x WHERE x.installation IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM installations o WHERE o.id = x.installation))
    + (SELECT COUNT(*) FROM copies x WHERE x.message IS NOT NULL AND NOT EXISTS (SELECT 1 FROM messages o WHERE o.id = x.message))
    + (SELECT COUNT(*) FROM copies x WHERE x.event IS NOT NULL AND NOT EXISTS (SELECT 1 FROM events o WHERE o.id = x.event))
    + (SELECT COUNT(*) FROM copies x WHERE x.root IS NOT NULL AND NOT EXISTS (SELECT 1 FROM copies o WHERE o.id = x.root))
    AS found";

/// A connection that knows nothing of Chatport.
struct Plain {
    connection: DatabaseConnection,
    engine: DbBackend,
}

impl Plain {
    async fn to(empty: &Empty) -> Self {
        let url = match &empty.location {
            Location::Sqlite(path) => format!("sqlite://{}?mode=rwc", path.display()),
            Location::Postgres(url) => url.clone(),
        };
        let connection = sea_orm::Database::connect(url).await.unwrap();
        let engine = connection.get_database_backend();
        Self { connection, engine }
    }

    async fn execute(&self, sql: &str) {
        self.connection.execute_unprepared(sql).await.unwrap();
    }

    async fn rows(&self, sql: &str) -> Vec<QueryResult> {
        self.connection.query_all_raw(Statement::from_string(self.engine, sql)).await.unwrap()
    }

    async fn texts(&self, sql: &str) -> Vec<String> {
        self.rows(sql).await.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    }

    async fn number(&self, sql: &str) -> i64 {
        self.rows(sql).await[0].try_get_by_index(0).unwrap()
    }

    /// Fill with two organizations, of which each has something everywhere.
    async fn fill(&self) {
        for (digit, organization) in ["acme", "globex"].iter().enumerate() {
            let mut sql = ROWS.replace('@', organization);
            for number in 1..=4 {
                let id = format!("{digit:04}{number:028}");
                let id = if self.engine == DbBackend::Sqlite { format!("x'{id}'") } else { format!("'{id}'") };
                sql = sql.replace(&format!("#{number}"), &id);
            }
            self.execute(&sql).await;
        }
    }

    /// The tables, or those with this column.
    async fn tables(&self, column: Option<&str>) -> Vec<String> {
        let condition = column.map_or_else(String::new, |column| format!("AND c.name = '{column}'"));
        let from = match self.engine {
            DbBackend::Sqlite => {
                "(SELECT m.name AS tbl, p.name FROM sqlite_master m CROSS JOIN pragma_table_info(m.name) p
                    WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%')"
            }
            _ => {
                "(SELECT CAST(table_name AS TEXT) AS tbl, CAST(column_name AS TEXT) AS name
                    FROM information_schema.columns WHERE table_schema = 'public')"
            }
        };
        self.texts(&format!(
            "SELECT DISTINCT c.tbl FROM {from} AS c WHERE c.tbl <> '_sqlx_migrations' {condition} ORDER BY c.tbl"
        ))
        .await
    }

    /// All rows of all tables, and all indexes.
    async fn dump(&self) -> BTreeMap<String, Vec<String>> {
        let mut dump = BTreeMap::new();
        for table in self.tables(None).await {
            let row = match self.engine {
                DbBackend::Sqlite => {
                    let columns = format!("SELECT 'quote(' || name || ')' FROM pragma_table_info('{table}')");
                    self.texts(&columns).await.join(" || ',' || ")
                }
                _ => "CAST(to_jsonb(t) AS TEXT)".to_owned(),
            };
            let rows = self.texts(&format!("SELECT {row} AS line FROM {table} t ORDER BY line")).await;
            dump.insert(table, rows);
        }
        let indexes = match self.engine {
            DbBackend::Sqlite => "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY sql",
            _ => "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexdef",
        };
        dump.insert("indexes".to_owned(), self.texts(indexes).await);
        dump
    }

    /// How many rows each table has of an organization.
    async fn rows_of(&self, organization: &str) -> BTreeMap<String, i64> {
        let mut counts = BTreeMap::new();
        for table in self.tables(Some("organization")).await {
            let sql = format!("SELECT COUNT(*) FROM {table} WHERE organization = '{organization}'");
            let count = self.number(&sql).await;
            counts.insert(table, count);
        }
        counts
    }
}

/// A database of this version with something everywhere.
async fn filled(engine: Engine) -> (Empty, Plain) {
    let empty = engine.empty().await;
    Database::open(&empty.location).await.unwrap().close().await.unwrap();
    let plain = Plain::to(&empty).await;
    plain.fill().await;
    (empty, plain)
}

async fn a_database_of_an_earlier_version_keeps_every_row(engine: Engine) {
    let (_new, new) = filled(engine).await;
    let empty = engine.empty().await;
    let plain = Plain::to(&empty).await;
    let bytes = if engine == Engine::Sqlite { "BLOB" } else { "BYTEA" };
    plain.execute(&HISTORY.replace("BYTES", bytes)).await;
    for (version, texts) in (1..).zip(EARLIER) {
        plain.execute(texts[usize::from(engine == Engine::Postgres)]).await;
        let sql = format!("SELECT checksum FROM _sqlx_migrations WHERE version = {version}");
        let checksum: Vec<u8> = new.rows(&sql).await[0].try_get_by_index(0).unwrap();
        let sql = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
            VALUES ($1, '', TRUE, $2, 0)";
        let values = [version.into(), checksum.into()];
        plain.connection.execute_raw(Statement::from_sql_and_values(plain.engine, sql, values)).await.unwrap();
    }
    plain.fill().await;
    let before = plain.dump().await;
    Database::open(&empty.location).await.unwrap().close().await.unwrap();
    assert_eq!(plain.dump().await, before);
    assert_eq!(before, new.dump().await);
}

async fn nothing_is_left_of_an_organization_that_is_deleted(engine: Engine) {
    let (_empty, plain) = filled(engine).await;
    let kept = plain.rows_of("globex").await;
    assert!(kept.values().all(|rows| *rows > 0), "a table without a row proves nothing: {kept:?}");
    plain.execute("DELETE FROM organizations WHERE id = 'acme'").await;
    let mut left = plain.rows_of("acme").await;
    // The audit outlives what it speaks of.
    assert_eq!(left.remove("audit"), Some(1));
    assert!(left.values().all(|rows| *rows == 0), "{left:?}");
    assert_eq!(plain.rows_of("globex").await, kept);
    assert_eq!(plain.number(STRAYS).await, 0);
}

async fn what_belongs_to_what_is_deleted_goes_with_it(engine: Engine) {
    let (_empty, plain) = filled(engine).await;
    // What is deleted, and how many copies and attempts are left of eight.
    for (what, left) in [
        ("events WHERE organization = 'acme'", 7),
        ("messages WHERE organization = 'acme' AND key = 'root'", 5),
        ("copies WHERE organization = 'acme'", 4),
        ("installations WHERE organization = 'globex'", 1),
        ("subscriptions", 0),
    ] {
        plain.execute(&format!("DELETE FROM {what}")).await;
        for table in ["copies", "attempts"] {
            assert_eq!(plain.number(&format!("SELECT COUNT(*) FROM {table}")).await, left, "{table} after {what}");
        }
        assert_eq!(plain.number(STRAYS).await, 0, "after {what}");
    }
    for table in plain.tables(Some("installation")).await {
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE organization = 'globex' AND installation IS NOT NULL");
        assert_eq!(plain.number(&sql).await, 0, "{table}");
    }
}
