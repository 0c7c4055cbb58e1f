//! Several replicas on one Postgres: what one of them changes while another waits for it, the
//! other gets as it is then, and all of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use chatport_host::{
    delivery::{
        AcceptError,
        ledger::Changes,
        store::{DeliveryStore, Rows, RowsWanted},
        store_of,
    },
    events::{self, EventKind, NewEvent},
    ids::StreamId,
    store::{
        entities::{messages, streams},
        statement,
    },
};
use chatport_tests::{
    database::Engine,
    engine::{TestHost, message},
    eventually,
};
use sea_orm::{ConnectionTrait, EntityTrait};
use uuid::Uuid;

use super::DONE;

const LOFTS: [&str; 3] = ["loft", "barn", "mill"];

/// A host that stands still after it has delivered two messages to each channel.
async fn settled() -> (TestHost, Arc<dyn DeliveryStore>) {
    let mut host = TestHost::start(Engine::Postgres).await;
    for loft in LOFTS {
        let channel = host.channel(loft).await;
        for prefix in ["a", "b"] {
            let key = format!("{prefix}-{loft}");
            host.put(&key, message(1, channel, "Fire")).await;
            host.settles(&key, DONE).await;
        }
    }
    host.halt().await;
    let store = store_of(&host.app.database, &host.app.clock);
    (host, store)
}

/// The messages with this prefix, with their copies and streams.
fn wanted(host: &TestHost, prefix: &str) -> RowsWanted {
    let keys = LOFTS.map(|loft| (host.organization.clone(), format!("{prefix}-{loft}")));
    RowsWanted { messages: BTreeSet::from(keys), ..RowsWanted::default() }
}

/// Load something in another unit of work, which has to wait for this one.
async fn load_behind(host: &TestHost, store: &Arc<dyn DeliveryStore>, wanted: RowsWanted) -> LoadingRows {
    let store = Arc::clone(store);
    let loading = tokio::spawn(async move {
        let mut unit = store.begin().await.unwrap();
        unit.load(&wanted).await.unwrap()
    });
    somebody_waits(host).await;
    loading
}

type LoadingRows = tokio::task::JoinHandle<Rows>;

/// How many sessions wait for a lock.
async fn waiting(host: &TestHost) -> usize {
    let sql = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let read = host.app.database.read();
    read.query_all_raw(statement(read, sql, [])).await.unwrap().len()
}

async fn somebody_waits(host: &TestHost) {
    eventually("somebody to wait for a lock", || async { (waiting(host).await > 0).then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_another_replica_changes_are_all_loaded_as_they_are_then() {
    let (host, store) = settled().await;
    let mut first = store.begin().await.unwrap();
    let loaded = first.load(&wanted(&host, "a")).await.unwrap();
    let second = load_behind(&host, &store, wanted(&host, "b")).await;
    let mut changes = Changes::default();
    for (number, stream) in (1..).zip(loaded.streams) {
        let mut changed = stream.clone();
        changed.row.due_at = Some(number);
        changes.streams.changed.push((stream, changed));
    }
    first.commit(changes).await.unwrap();
    let due: BTreeMap<Uuid, Option<i64>> =
        second.await.unwrap().streams.into_iter().map(|stream| (stream.row.id, stream.row.due_at)).collect();
    assert_eq!(due.into_values().collect::<Vec<_>>(), [Some(1), Some(2), Some(3)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_another_replica_changes_are_all_loaded_as_they_are_then() {
    let (host, store) = settled().await;
    let mut first = store.begin().await.unwrap();
    let loaded = first.load(&wanted(&host, "a")).await.unwrap();
    let second = load_behind(&host, &store, wanted(&host, "a")).await;
    let mut changes = Changes::default();
    for message in loaded.messages {
        let mut changed = message.clone();
        changed.revision = 2;
        changes.messages.changed.push((message, changed));
    }
    for copy in loaded.copies {
        let mut changed = copy.clone();
        changed.revision = 2;
        changes.copies.changed.push((copy, changed));
    }
    first.commit(changes).await.unwrap();
    let rows = second.await.unwrap();
    let revisions: Vec<i64> = rows.messages.iter().map(|message| message.revision).collect();
    assert_eq!(revisions, [2, 2, 2]);
    let revisions: Vec<i64> = rows.copies.iter().map(|copy| copy.revision).collect();
    assert_eq!(revisions, [2, 2, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_process_works_on_is_asked_for_once_its_leases_stand_still() {
    let (host, store) = settled().await;
    let owner = Uuid::new_v4();
    let mut unit = store.begin().await.unwrap();
    let loaded = unit.load(&wanted(&host, "a")).await.unwrap();
    let lease = |row: &mut streams::Model| {
        row.owner = Some(owner);
        row.lease_until = i64::MAX;
    };
    let mut changes = Changes::default();
    for stream in &loaded.streams {
        let mut leased = stream.clone();
        lease(&mut leased.row);
        changes.streams.changed.push((stream.clone(), leased));
    }
    unit.commit(changes).await.unwrap();
    // One of them is being given back, one is worked on, and of one nobody knows.
    let mut unit = store.begin().await.unwrap();
    let rows = unit.load(&wanted(&host, "a")).await.unwrap().streams;
    let [given_back, worked_on, stray] = <[_; 3]>::try_from(rows).unwrap();
    let (was_asked, held) = (Arc::new(AtomicBool::new(false)), BTreeSet::from([StreamId(worked_on.row.id)]));
    let abandoning = tokio::spawn({
        let (store, was_asked) = (Arc::clone(&store), Arc::clone(&was_asked));
        async move {
            let ask = || {
                was_asked.store(true, Ordering::Relaxed);
                held.clone()
            };
            store.abandon(owner, &ask).await.unwrap()
        }
    });
    somebody_waits(&host).await;
    assert!(!was_asked.load(Ordering::Relaxed));
    let mut free = given_back.clone();
    free.row.owner = None;
    let mut changes = Changes::default();
    changes.streams.changed.push((given_back, free));
    unit.commit(changes).await.unwrap();
    assert_eq!(abandoning.await.unwrap(), 1);
    let rows = streams::Entity::find().all(host.app.database.read()).await.unwrap();
    let owned: Vec<Uuid> = rows.iter().filter(|row| row.owner == Some(owner)).map(|row| row.id).collect();
    assert_eq!(owned, [worked_on.row.id]);
    assert!(rows.iter().any(|row| row.id == stray.row.id && row.owner.is_none()));
}

/// How many rows there are of the organization that messages and events belong to.
async fn rows_left(host: &TestHost) -> i64 {
    let sql = "SELECT (SELECT COUNT(*) FROM messages) + (SELECT COUNT(*) FROM copies) + (SELECT COUNT(*) FROM attempts)
        + (SELECT COUNT(*) FROM events) AS rows";
    let read = host.app.database.read();
    let row = read.query_one_raw(statement(read, sql, [])).await.unwrap().unwrap();
    row.try_get("", "rows").unwrap()
}

const DELETE: &str = "DELETE FROM organizations";

fn event(host: &TestHost) -> NewEvent {
    NewEvent::new(EventKind::ReplyPosted, &"told", host.app.clock.now())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_while_its_organization_is_deleted_goes_with_it() {
    let (host, store) = settled().await;
    let delete = || {
        let database = host.app.database.clone();
        tokio::spawn(async move { database.write_uncached().execute_unprepared(DELETE).await.unwrap() })
    };
    let mut unit = store.begin().await.unwrap();
    let organizations = BTreeSet::from([host.organization.clone()]);
    unit.load(&RowsWanted { backlogs_of: organizations, ..RowsWanted::default() }).await.unwrap();
    let telling = host.app.database.begin_uncached().await.unwrap();
    events::append(&telling, &host.organization, event(&host)).await.unwrap();
    let deleting = delete();
    somebody_waits(&host).await;
    let now = host.app.clock.now().as_micros();
    let mut changes = Changes::default();
    changes.messages.new.push(messages::Model {
        organization: host.organization.as_str().into(),
        id: Uuid::new_v4(),
        key: "late".into(),
        revision: 1,
        is_final: false,
        deleted: false,
        fingerprint: Vec::new(),
        body: "{}".into(),
        answer: String::new(),
        pinned: None,
        created_at: now,
        updated_at: now,
    });
    unit.commit(changes).await.unwrap();
    somebody_waits(&host).await;
    telling.commit().await.unwrap();
    deleting.await.unwrap();
    assert_eq!(rows_left(&host).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_once_its_organization_is_being_deleted() {
    let (host, _) = settled().await;
    let channel = host.channel("coop").await;
    let deletion = host.app.database.begin_uncached().await.unwrap();
    deletion.execute_unprepared(DELETE).await.unwrap();
    let telling = async {
        let transaction = host.app.database.begin_uncached().await.unwrap();
        events::append(&transaction, &host.organization, event(&host)).await
    };
    let deleting = async {
        eventually("both to wait for a lock", || async { (waiting(&host).await == 2).then_some(()) }).await;
        deletion.commit().await.unwrap();
    };
    let (accepted, told, ()) = tokio::join!(host.try_put("late", message(1, channel, "Fire")), telling, deleting);
    assert!(matches!(accepted, Err(AcceptError::NoOrganization)), "{accepted:?}");
    assert!(told.is_err());
    assert_eq!(rows_left(&host).await, 0);
}
