//! What is kept in memory: whatever an API answered to have changed holds for the very next
//! request on the same replica, and on the others as soon as they hear of it; a replica that
//! hears nothing doesn't rely on what it knows.
#![allow(clippy::unwrap_used, reason = "a suite may fail by panicking")]

mod world;

use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::SeqCst},
    },
    time::Duration,
};

use chatport_host::{
    setup::{audit::Actor, installations, state::InstallationState, suspension},
    store::{BOUND, listen, notify_due},
};
use chatport_tests::{application::Application, database::Engine, eventually};
use sea_orm::ConnectionTrait;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use world::{ACME, Asked, World, acme};

/// Make each scenario a test of its own: asked where the change was made, on each engine, and
/// at another replica.
macro_rules! here_and_elsewhere {
    ($($name:ident),* $(,)?) => {$(
        mod $name {
            use super::*;
            #[tokio::test(flavor = "multi_thread")]
            async fn sqlite() { super::$name(&World::start(Engine::Sqlite, Asked::Here).await).await; }
            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() { super::$name(&World::start(Engine::Postgres, Asked::Here).await).await; }
            #[tokio::test(flavor = "multi_thread")]
            async fn at_another_replica() { super::$name(&World::start(Engine::Postgres, Asked::Elsewhere).await).await; }
        }
    )*};
}

here_and_elsewhere![
    a_revoked_key_is_refused,
    a_removed_organization_is_gone_with_its_keys,
    an_unlinked_user_gets_nothing,
    a_linked_user_is_found,
    a_removed_channel_gets_nothing,
    another_default_channel_gets_what_is_for_the_default,
    changed_settings_hold,
    a_suspended_installation_is_suspended,
    a_removed_installation_gets_nothing,
    a_new_subscription_hears_and_a_removed_one_does_not,
    no_reader_gets_what_was_replaced_before_it_asked,
    what_is_known_is_not_read_again_for_a_message,
];

async fn what_is_known_is_not_read_again_for_a_message(world: &World) {
    world.link("ada").await;
    let targets =
        [json!({ "channel": world.channel("attic").await }), json!({ "default": true }), json!({ "user": "ada" })];
    world.settle().await;
    for target in &targets {
        assert!(world.is_accepted(target).await);
    }
    let sent = world.query("SELECT 1 AS sent FROM copies WHERE state <> 'dead'").await.len();
    world.sent(sent).await;
    // Whatever reads one of these now fails.
    let mut tables = vec!["api_keys", "channels", "account_links", "tokens"];
    if world.other.is_none() {
        // Of two replicas, one may have recorded everything so far, and the other knows of none.
        tables.push("subscriptions");
    }
    for table in tables {
        let database = world.changing.app.database.write_uncached();
        database.execute_unprepared(&format!("ALTER TABLE {table} RENAME TO {table}_away")).await.unwrap();
    }
    for target in &targets {
        for _ in 0..5 {
            assert!(world.is_accepted(target).await);
        }
    }
    world.sent(sent + 15).await;
}

async fn a_revoked_key_is_refused(world: &World) {
    let (id, key) = world.changing.new_key().await;
    let asked = world.asked().api.with_key(&key);
    asked.get(ACME).await.expect(200);
    world.api.delete(&format!("/v1/api-keys/{id}")).await.expect(204);
    world.holds("the key to be refused", || async { asked.get(ACME).await.status.as_u16() == 401 }).await;
}

async fn a_removed_organization_is_gone_with_its_keys(world: &World) {
    let path = "/v1/organizations/short-lived";
    world.api.put(path, json!({})).await.expect(200);
    let narrowed = json!({ "name": "n", "scopes": ["install:read"], "organization": "short-lived" });
    let made = world.api.post("/v1/api-keys", narrowed).await.expect(201);
    let (asked, narrowed) = (world.asked_api(), world.asked().api.with_key(made["key"].as_str().unwrap()));
    asked.get(path).await.expect(200);
    narrowed.get(path).await.expect(200);
    world.api.delete(path).await.expect(204);
    world.holds("the organization to be gone", || async { asked.get(path).await.status.as_u16() == 404 }).await;
    world.holds("its key to be gone", || async { narrowed.get(path).await.status.as_u16() == 401 }).await;
}

async fn an_unlinked_user_gets_nothing(world: &World) {
    world.link("ada").await;
    let ada = json!({ "user": "ada" });
    world.holds("the user to be found", || world.is_accepted(&ada)).await;
    world.api.delete(&format!("{ACME}/users/ada")).await.expect(200);
    world.holds("the user to get nothing", || world.is_dead(&ada, "account_not_linked")).await;
}

async fn a_linked_user_is_found(world: &World) {
    let bob = json!({ "user": "bob" });
    assert!(world.is_dead(&bob, "account_not_linked").await);
    world.link("bob").await;
    world.holds("the user to be found", || world.is_accepted(&bob)).await;
}

async fn a_removed_channel_gets_nothing(world: &World) {
    let id = world.channel("attic").await;
    let channel = json!({ "channel": id });
    assert!(world.is_accepted(&channel).await);
    world.api.delete(&format!("{ACME}/channels/{id}")).await.expect(204);
    world.holds("the channel to get nothing", || world.is_dead(&channel, "channel_not_found")).await;
}

async fn another_default_channel_gets_what_is_for_the_default(world: &World) {
    world.channel("first").await;
    let second = world.channel("second").await;
    let default = json!({ "default": true });
    assert!(world.is_accepted(&default).await);
    world.api.patch(&format!("{ACME}/channels/{second}"), json!({ "is_default": true })).await.expect(200);
    world
        .holds("the other channel to get it", || async {
            let before = world.pigeon.posts("second").len();
            world.put(default.clone()).await;
            let total = world.pigeon.posts("first").len() + before;
            eventually("the post", || async {
                (world.pigeon.posts("first").len() + world.pigeon.posts("second").len() > total).then_some(())
            })
            .await;
            world.pigeon.posts("second").len() > before
        })
        .await;
}

async fn changed_settings_hold(world: &World) {
    let path = format!("{ACME}/installations/{}", world.installation);
    for number in 0..20 {
        world.loaded().await;
        world.api.patch(&path, json!({ "settings": { "number": number } })).await.expect(200);
        world
            .holds("the settings to hold", || async { world.loaded().await.row.settings["number"] == json!(number) })
            .await;
    }
}

async fn a_suspended_installation_is_suspended(world: &World) {
    assert_eq!(world.loaded().await.state(), InstallationState::Active);
    suspension::suspend(&world.changing.app, &acme(), world.installation, "unauthorized", "x").await.unwrap();
    world.holds("it to be suspended", || async { world.loaded().await.state() == InstallationState::Suspended }).await;
}

async fn a_removed_installation_gets_nothing(world: &World) {
    let id = world.channel("attic").await;
    let channel = json!({ "channel": id });
    assert!(world.is_accepted(&channel).await);
    world.api.delete(&format!("{ACME}/installations/{}", world.installation)).await.expect(204);
    world.holds("it to get nothing", || world.is_dead(&channel, "channel_not_found")).await;
}

async fn a_new_subscription_hears_and_a_removed_one_does_not(world: &World) {
    let channel = json!({ "channel": world.channel("attic").await });
    let delivered = |application: &Application| {
        application.heard().iter().filter(|event| event["type"] == "message.delivered").count()
    };
    world.put(channel.clone()).await;
    world.sent(1).await;
    let hears = Application::subscribed(&world.api).await;
    world
        .holds("the subscription to hear", || async {
            world.put(channel.clone()).await;
            for _ in 0..100 {
                tokio::time::sleep(Duration::from_millis(20)).await;
                if delivered(&hears) > 0 {
                    return true;
                }
            }
            false
        })
        .await;
    world.api.delete("/v1/subscriptions/oncall").await.expect(204);
    world
        .holds("nothing to be heard", || async {
            let (before, posts) = (delivered(&hears), world.pigeon.posts("attic").len());
            world.put(channel.clone()).await;
            eventually("the post", || async { (world.pigeon.posts("attic").len() > posts).then_some(()) }).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
            delivered(&hears) == before
        })
        .await;
}

/// Many read while one changes: what was answered before a reader asked is the least it gets.
async fn no_reader_gets_what_was_replaced_before_it_asked(world: &World) {
    // Elsewhere it only has to be heard of in the end.
    let is_exact = world.other.is_none();
    let (answered, done) = (Arc::new(AtomicI64::new(-1)), CancellationToken::new());
    let readers: Vec<_> = (0..8)
        .map(|_| {
            let (app, installation) = (world.asked().app.clone(), world.installation);
            let (answered, done) = (Arc::clone(&answered), done.clone());
            tokio::spawn(async move {
                let mut reads = 0;
                while !done.is_cancelled() {
                    let least = answered.load(SeqCst);
                    let loaded = world::load(&app, installation).await;
                    let read = loaded.row.settings["number"].as_i64().unwrap_or(-1);
                    assert!(!is_exact || read >= least, "{read} was read after {least} had been answered");
                    reads += 1;
                    tokio::task::yield_now().await;
                }
                reads
            })
        })
        .collect();
    for number in 0..300 {
        let patch = json!({ "number": number });
        let app = &world.changing.app;
        installations::change_settings(app, &acme(), world.installation, &patch, &Actor::host()).await.unwrap();
        answered.store(number, SeqCst);
    }
    world.holds("the last number", || async { world.loaded().await.row.settings["number"] == 299 }).await;
    done.cancel();
    for reader in readers {
        assert!(reader.await.unwrap() > 0);
    }
}

/// The process at the database's end of a replica's connection that listens.
async fn listening_backends(world: &World) -> Vec<i32> {
    let sql = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'";
    let rows = world.query(sql).await;
    rows.iter().map(|row| row.try_get("", "pid").unwrap()).collect()
}

fn signal(signal: &str, processes: &[i32]) {
    for process in processes {
        let sent = Command::new("kill").args([signal, &process.to_string()]).status().unwrap();
        assert!(sent.success(), "{signal} could not be sent to {process}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_hears_nothing_does_not_rely_on_what_it_knows_for_long() {
    let world = World::start(Engine::Postgres, Asked::Elsewhere).await;
    let deaf = world.asked();
    // The connections stay open, and nothing comes any more.
    let listening = listening_backends(&world).await;
    assert_eq!(listening.len(), 2);
    signal("-STOP", &listening);
    tokio::time::sleep(BOUND).await;
    let known = world.note(deaf).await;
    world.change_note_unheard().await;
    let now = world.note(deaf).await;
    signal("-CONT", &listening);
    assert_ne!(now, known, "what was known before is still used");
    world.relies_on_memory(deaf).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_whose_connection_was_cut_listens_again_and_forgets_what_it_missed() {
    let world = World::start(Engine::Postgres, Asked::Elsewhere).await;
    let known = world.note(world.asked()).await;
    for process in listening_backends(&world).await {
        world.execute(&format!("SELECT pg_terminate_backend({process})")).await;
    }
    world.change_note_unheard().await;
    eventually("the cut to be noticed", || async { (world.note(world.asked()).await != known).then_some(()) }).await;
    world.relies_on_memory(world.asked()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_replica_has_no_seat_for_is_told_to_the_others() {
    let world = World::start(Engine::Postgres, Asked::Here).await;
    let attic = json!({ "channel": world.channel("attic").await });
    let (database, told, stop) =
        (world.changing.app.database.clone(), Arc::new(AtomicI64::new(0)), CancellationToken::new());
    let counted = Arc::clone(&told);
    let listening = tokio::spawn(listen(database, move || _ = counted.fetch_add(1, SeqCst), stop.clone()));
    eventually("it to listen too", || async { (listening_backends(&world).await.len() == 2).then_some(()) }).await;
    world.put(attic.clone()).await;
    world.sent(1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(told.load(SeqCst), 0, "whoever has a seat takes it, and tells nobody");
    // One installation has eight seats; in each sits one that hears nothing of its platform.
    let busy = chatport_tests::pigeon::Fate::Slow(Duration::from_secs(5));
    for number in 0..8 {
        let loft = format!("busy {number}");
        world.pigeon.fate(&loft, busy.clone());
        let channel = world.channel(&loft).await;
        world.put(json!({ "channel": channel })).await;
    }
    eventually("all seats to be taken", || async { (world.pigeon.world().calls == 9).then_some(()) }).await;
    world.put(attic).await;
    eventually("word of it", || async { (told.load(SeqCst) > 0).then_some(()) }).await;
    stop.cancel();
    listening.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn word_that_something_is_due_goes_round_once_it_is_committed() {
    let world = World::start(Engine::Postgres, Asked::Here).await;
    let (database, told, stop) =
        (world.changing.app.database.clone(), Arc::new(AtomicI64::new(0)), CancellationToken::new());
    let counted = Arc::clone(&told);
    let listening = tokio::spawn(listen(database.clone(), move || _ = counted.fetch_add(1, SeqCst), stop.clone()));
    eventually("it to listen too", || async { (listening_backends(&world).await.len() == 2).then_some(()) }).await;
    let taken_back = database.begin_uncached().await.unwrap();
    notify_due(&taken_back).await.unwrap();
    taken_back.rollback().await.unwrap();
    let kept = database.begin_uncached().await.unwrap();
    notify_due(&kept).await.unwrap();
    kept.commit().await.unwrap();
    eventually("word of it", || async { (told.load(SeqCst) > 0).then_some(()) }).await;
    assert_eq!(told.load(SeqCst), 1);
    stop.cancel();
    listening.await.unwrap();
}
