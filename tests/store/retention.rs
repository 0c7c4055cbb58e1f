//! What is finished and old goes, with what hangs on it; all else stays.

use std::time::Duration;

use chatport_host::{
    retention::forget_old,
    store::{Database, statement},
};
use chatport_sdk::time::Timestamp;
use chatport_tests::database::Engine;
use sea_orm::ConnectionTrait;
use uuid::{Builder, Uuid};

on_both_engines![
    a_message_goes_with_its_copies_once_all_of_it_is_finished_and_old,
    events_happenings_and_the_audit_go_after_their_time,
    more_than_a_batch_goes_in_one_run,
];

const NOW: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

fn ago(days: u32) -> Timestamp {
    NOW.minus(Duration::from_secs(24 * 3600) * days)
}

/// A database with an organization and an installation.
struct Store {
    database: Database,
    made: u16,
    _empty: chatport_tests::database::Empty,
}

impl Store {
    async fn new(engine: Engine) -> Self {
        let empty = engine.empty().await;
        let database = Database::open(&empty.location).await.unwrap();
        let mut store = Self { database, made: 0, _empty: empty };
        let id = store.id(NOW);
        store.run("INSERT INTO organizations VALUES ('acme', 'Acme', 'en', 0, 0)", []).await;
        let sql = "INSERT INTO installations (organization, id, backend, slot, state, settings, settings_version, stage,
            notes, steps, created_at, updated_at) VALUES ('acme', $1, 'pigeon', '', 'active', '{}', 1, '', '{}', '[]', 0, 0)";
        store.run(sql, [id.into()]).await;
        store
    }

    async fn run(&self, sql: &str, values: impl IntoIterator<Item = sea_orm::Value>) {
        let write = self.database.write_uncached();
        write.execute_raw(statement(write, sql, values)).await.unwrap();
    }

    fn id(&mut self, at: Timestamp) -> Uuid {
        self.made += 1;
        let milliseconds = u64::try_from(at.as_micros() / 1_000).unwrap();
        let mut random = [0; 10];
        random[8..].copy_from_slice(&self.made.to_be_bytes());
        Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid()
    }

    /// A message that was made and last changed so many days ago.
    async fn message(&mut self, key: &str, made: u32, changed: u32) -> Uuid {
        let id = self.id(ago(made));
        let sql =
            "INSERT INTO messages (organization, id, key, revision, is_final, fingerprint, body, answer, created_at,
            updated_at) VALUES ('acme', $1, $2, 1, FALSE, '', '{}', '', $3, $4)";
        let times = [ago(made).as_micros().into(), ago(changed).as_micros().into()];
        self.run(sql, [id.into(), key.into()].into_iter().chain(times)).await;
        id
    }

    /// A copy, open or not, that last changed so many days ago; of a message, or of an event.
    async fn copy(&mut self, of: &str, id: Uuid, root: Option<Uuid>, is_open: bool, changed: u32) -> Uuid {
        let copy = self.id(ago(changed));
        let sql = format!(
            "INSERT INTO copies (organization, id, {of}, root, target, sequence, revision, is_open, state, expires_at,
                created_at, updated_at) VALUES ('acme', $1, $2, $3, '{{}}', 1, 1, $4, 'delivered', 0, 0, $5)"
        );
        let values = [copy.into(), id.into(), root.into(), is_open.into(), ago(changed).as_micros().into()];
        self.run(&sql, values).await;
        let sql = "INSERT INTO attempts (organization, id, copy, revision, outcome, duration, at)
            VALUES ('acme', $1, $1, 1, 'delivered', 0, 0)";
        self.run(sql, [copy.into()]).await;
        copy
    }

    async fn texts(&self, sql: &str) -> Vec<String> {
        let rows = self.database.read().query_all_raw(statement(self.database.read(), sql, [])).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    }

    async fn forget(&self) {
        forget_old(&self.database, NOW).await.unwrap();
    }
}

async fn a_message_goes_with_its_copies_once_all_of_it_is_finished_and_old(engine: Engine) {
    let mut store = Store::new(engine).await;
    for (key, made, changed, is_open, copy_changed) in [
        ("old", 31, 31, false, 31),
        ("young", 29, 29, false, 29),
        ("changed lately", 400, 2, false, 31),
        ("shown lately", 400, 31, false, 2),
        ("open", 400, 31, true, 31),
    ] {
        let id = store.message(key, made, changed).await;
        store.copy("message", id, None, is_open, copy_changed).await;
    }
    let root = store.message("root", 40, 40).await;
    let root = store.copy("message", root, None, false, 40).await;
    let reply = store.message("reply", 20, 20).await;
    store.copy("message", reply, Some(root), false, 20).await;
    store.forget().await;
    let left = store.texts("SELECT key FROM messages ORDER BY key").await;
    assert_eq!(left, ["changed lately", "open", "reply", "root", "shown lately", "young"]);
    let orphans = "SELECT 'a copy' FROM copies c WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = c.message)
        UNION ALL SELECT 'an attempt' FROM attempts a WHERE NOT EXISTS (SELECT 1 FROM copies c WHERE c.id = a.copy)";
    assert_eq!(store.texts(orphans).await, Vec::<String>::new());
    assert_eq!(store.texts("SELECT 'x' FROM copies").await.len(), 6);
}

async fn events_happenings_and_the_audit_go_after_their_time(engine: Engine) {
    let mut store = Store::new(engine).await;
    for (number, (body, days, is_open)) in
        [("old", 8, Some(false)), ("old and open", 8, Some(true)), ("unheard", 8, None), ("young", 6, None)]
            .into_iter()
            .enumerate()
    {
        let (id, at) = (store.id(ago(days)), ago(days).as_micros());
        let number = i64::try_from(number).unwrap();
        let sql = "INSERT INTO events VALUES ($1, 'acme', $2, '', $3, $4)";
        store.run(sql, [number.into(), id.into(), body.into(), at.into()]).await;
        if let Some(is_open) = is_open {
            store.copy("event", id, None, is_open, days).await;
        }
    }
    for (name, days) in [("old", 8), ("young", 6)] {
        let sql = "INSERT INTO happenings SELECT 'acme', id, $1, '', NULL, $2 FROM installations";
        store.run(sql, [name.into(), ago(days).as_micros().into()]).await;
    }
    for (name, days) in [("old", 366), ("young", 364)] {
        let id = store.id(ago(days));
        let sql = "INSERT INTO audit (id, actor, action, object, result, at) VALUES ($1, '', $2, '', '', $3)";
        store.run(sql, [id.into(), name.into(), ago(days).as_micros().into()]).await;
    }
    store.forget().await;
    assert_eq!(store.texts("SELECT body FROM events ORDER BY sequence").await, ["old and open", "young"]);
    assert_eq!(store.texts("SELECT id FROM happenings").await, ["young"]);
    assert_eq!(store.texts("SELECT action FROM audit").await, ["young"]);
}

async fn more_than_a_batch_goes_in_one_run(engine: Engine) {
    let mut store = Store::new(engine).await;
    for number in 0..250 {
        store.message(&number.to_string(), 31, 31).await;
    }
    store.forget().await;
    assert_eq!(store.texts("SELECT key FROM messages").await, Vec::<String>::new());
}
