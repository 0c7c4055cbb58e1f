//! How much Postgres reads to find a few rows among many. It plans statements by what it knows
//! of the tables, and that is nothing for the first minutes: what it does then must not depend on
//! how much has been delivered or waits for its time.

use std::sync::Arc;

use chatport_host::{
    delivery::{CancelWhat, store::Full, store_of},
    ids::{InstallationId, OrganizationId},
    retention,
    security::clock::SystemClock,
    store::{Database, statement},
};
use chatport_sdk::time::Clock;
use chatport_tests::database::Engine;
use sea_orm::ConnectionTrait;

/// An organization with 40 installations, each with a stream.
const INSTALLATIONS: &str = "
    INSERT INTO organizations VALUES ('acme', 'Acme', 'en', 0, 0);
    INSERT INTO installations (organization, id, backend, slot, state, settings, settings_version, stage, notes, steps,
            created_at, updated_at)
        SELECT 'acme', md5(n::text)::uuid, 'pigeon', n, 'active', '{}', 1, '', '{}', '[]', 0, 0
        FROM generate_series(1, 40) n;
    INSERT INTO streams (organization, id, installation, key, rate)
        SELECT organization, id, id, slot, '' FROM installations;
    INSERT INTO messages (organization, id, key, revision, is_final, fingerprint, body, answer, created_at, updated_at)
        SELECT 'acme', md5('')::uuid, 'm', 1, FALSE, '', '', '', 0, 0;
    ALTER TABLE copies SET (autovacuum_enabled = FALSE);
    ALTER TABLE streams SET (autovacuum_enabled = FALSE);
    ALTER TABLE installations SET (autovacuum_enabled = FALSE)";

/// Of each stream, 10 copies that wait for their time, and 390 that did and have been delivered. And
/// messages and events of which none is old.
const COPIES: &str = "
    INSERT INTO messages (organization, id, key, revision, is_final, fingerprint, body, answer, created_at, updated_at)
        SELECT 'acme', lpad(n::text, 32, 'f')::uuid, n, 1, FALSE, '', '', '', 9000000000000000, 9000000000000000
        FROM generate_series(1, 2000) n;
    INSERT INTO events SELECT n, 'acme', lpad(n::text, 32, 'f')::uuid, '', '', 9000000000000000
        FROM generate_series(1, 2000) n;
    INSERT INTO copies (organization, id, stream, installation, message, target, sequence, revision, is_open, state,
            due_at, expires_at, created_at, updated_at)
        SELECT s.organization, md5(s.key || '.' || n)::uuid, s.id, s.installation, md5('')::uuid, '{}', n, 1, TRUE,
            'pending', 9000000000000000, 9000000000000000, 0, 0
        FROM streams s CROSS JOIN generate_series(1, 400) n;
    UPDATE copies SET expires_at = expires_at + 1, detail = repeat('x', 200);
    UPDATE copies SET is_open = FALSE, due_at = NULL WHERE sequence > 10;
    UPDATE streams SET due_at = CASE WHEN key IN ('1', '2', '3') THEN 1 ELSE 9000000000000000 END";

/// Look for everything that is found by how it stands.
async fn look(database: &Database) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = store_of(database, &clock);
    let mut unit = store.begin().await.unwrap();
    let now = unit.now();
    unit.due(64, &Full::default()).await.unwrap();
    assert!(unit.overdue(200).await.unwrap().is_empty());
    assert!(unit.foldable(3, now, 16, 50).await.unwrap().is_empty());
    assert!(unit.folded(50).await.unwrap().is_empty());
    let organization = OrganizationId::parse("acme").unwrap();
    let what = CancelWhat::Installation(InstallationId::new());
    assert!(unit.open_copies(&organization, &what).await.unwrap().is_empty());
    drop(unit);
    retention::forget_old(database, now).await.unwrap();
}

/// How many copies and installations have been read so far. Sessions tell when they end.
async fn rows_read(database: &Database) -> i64 {
    let sql = "SELECT CAST(SUM(COALESCE(idx_tup_fetch, 0) + seq_tup_read) AS BIGINT) AS rows FROM pg_stat_user_tables
        WHERE relname IN ('copies', 'installations', 'messages', 'events')";
    let row = database.read().query_one_raw(statement(database.read(), sql, [])).await.unwrap().unwrap();
    row.try_get("", "rows").unwrap()
}

#[tokio::test]
async fn what_is_found_among_many_is_found_by_its_index() {
    let empty = Engine::Postgres.empty().await;
    let open = async || Database::open(&empty.location).await.unwrap();
    let (early, filling, counting) = (open().await, open().await, open().await);
    filling.write_uncached().execute_unprepared(INSTALLATIONS).await.unwrap();
    look(&early).await;
    filling.write_uncached().execute_unprepared(COPIES).await.unwrap();
    filling.close().await.unwrap();
    // What was planned while there was nothing, and what is planned now, of which nothing is known.
    for database in [early, open().await] {
        let before = rows_read(&counting).await;
        look(&database).await;
        database.close().await.unwrap();
        let read = rows_read(&counting).await - before;
        assert!(read < 20, "{read} rows");
    }
}
