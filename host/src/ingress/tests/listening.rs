use std::{collections::VecDeque, time::Duration};

use chatport_sdk::prelude::*;
use sea_orm::ConnectionTrait;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::super::listen;
use crate::setup::{
    audit::Actor,
    installations, machine,
    state::InstallationState,
    test_world::{World, loft},
};

/// A replica that listens.
struct Replica {
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Replica {
    fn start(world: &World) -> Self {
        let stop = CancellationToken::new();
        let running = tokio::spawn(listen::run(world.app.clone(), stop.clone()));
        Self { stop, running }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.running.await.unwrap();
    }
}

fn unlinking(id: &str) -> Happening {
    Happening::new(id, HappeningKind::UnlinkAsked { account: Account::new("u1") })
}

fn tell(world: &World, news: impl IntoIterator<Item = Result<Heard, Failure>>) {
    world.pigeon.news.lock().unwrap().get_or_insert_default().extend(news);
}

fn said(world: &World) -> Vec<String> {
    world.pigeon.said.lock().unwrap().clone()
}

fn cursors(world: &World) -> Vec<Option<String>> {
    world.pigeon.cursors.lock().unwrap().clone()
}

/// Wait until it is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..600 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never came about: {what}");
}

#[tokio::test]
async fn what_is_heard_is_committed_and_answered_and_the_next_replica_goes_on_behind_it() {
    let world = World::new().await;
    world.installed().await;
    let first = Heard::default().happening(unlinking("h1")).happening(unlinking("h2")).until("2");
    tell(&world, [Ok(first), Ok(Heard::default().until("3"))]);
    let replica = Replica::start(&world);
    until("it listens behind both", async || cursors(&world).len() == 3).await;
    replica.stop().await;
    let known = "Unlinked { was_linked: false }";
    assert_eq!(said(&world), [format!("h1: {known}"), format!("h2: {known}")]);
    assert_eq!(world.count("FROM happenings").await, 2);
    tell(&world, [Ok(Heard::default().happening(unlinking("h2")).until("4"))]);
    let next = Replica::start(&world);
    until("it listens behind the repetition", async || cursors(&world).len() == 5).await;
    next.stop().await;
    let at = |cursor: &str| Some(cursor.to_owned());
    assert_eq!(cursors(&world), [None, at("2"), at("3"), at("3"), at("4")]);
    assert!(said(&world)[2].starts_with("h2: Duplicate"), "{:?}", said(&world));
    assert_eq!(world.count("FROM happenings").await, 2);
}

#[tokio::test]
async fn nothing_is_passed_over_while_the_database_refuses_it() {
    let world = World::new().await;
    world.installed().await;
    let heard = || Ok(Heard::default().happening(unlinking("h1")).until("1"));
    tell(&world, [heard(), heard(), heard()]);
    let break_it = "ALTER TABLE happenings RENAME TO hidden";
    world.app.database.write().execute_unprepared(break_it).await.unwrap();
    let replica = Replica::start(&world);
    until("it was heard and could not be stored", async || cursors(&world).len() == 2).await;
    assert_eq!(cursors(&world), [None, None]);
    let mend_it = "ALTER TABLE hidden RENAME TO happenings";
    world.app.database.write().execute_unprepared(mend_it).await.unwrap();
    until("it is stored", async || cursors(&world).last() == Some(&Some("1".into()))).await;
    replica.stop().await;
    assert_eq!(world.count("FROM happenings").await, 1);
}

#[tokio::test]
async fn an_installation_that_cant_be_heard_says_so_until_it_can() {
    let world = World::new().await;
    let id = world.installed().await;
    let probe =
        async || installations::probe(&world.app, &world.organization, id).await.unwrap().health.last_probe.unwrap();
    tell(&world, [Err(Failure::new(Cause::PermissionDenied, "the loft is shut"))]);
    let replica = Replica::start(&world);
    until("it is noted", async || !probe().await.health.can_receive).await;
    let missing = probe().await.health.missing;
    assert!(missing.iter().any(|what| what.ends_with("the loft is shut")), "{missing:?}");
    // What is at an address that doesn't answer is for the operator.
    tell(&world, [Err(Failure::new(Cause::Unreachable, "10.0.0.1 refuses"))]);
    let told = async || probe().await.health.missing.join("; ");
    until("it is noted anew", async || !told().await.contains("the loft is shut")).await;
    assert!(told().await.contains("can't be reached") && !told().await.contains("10.0.0.1"), "{}", told().await);
    tell(&world, [Ok(Heard::default())]);
    until("it is heard again", async || probe().await.health.can_receive).await;
    tell(&world, [Err(Failure::new(Cause::Unavailable, "the loft is shut"))]);
    until("it is noted again", async || !probe().await.health.can_receive).await;
    // Setup has arranged that the platform calls.
    *world.pigeon.news.lock().unwrap() = None;
    assert!(probe().await.health.can_receive, "nobody has to listen any more");
    replica.stop().await;
}

#[tokio::test]
async fn a_refused_credential_suspends_before_a_message_is_lost_and_a_new_one_is_used_at_once() {
    let world = World::new().await;
    let id = world.installed().await;
    tell(&world, [Err(Failure::new(Cause::Unauthorized, "the key was taken back"))]);
    let replica = Replica::start(&world);
    let state = async || installations::get(&world.app, &world.organization, id).await.unwrap().state;
    until("it is suspended", async || state().await == InstallationState::Suspended).await;
    world.clock.advance(Duration::from_secs(1));
    machine::reauthorize(&world.app, &world.organization, id, &Actor::host()).await.unwrap();
    world.submit(id, &[("api_key", "another-key")]).await.unwrap();
    // Long before it would have asked again by itself.
    until("it is listened again", async || cursors(&world).len() == 2).await;
    replica.stop().await;
}

#[tokio::test]
async fn presses_are_judged_like_those_that_platforms_send_and_the_platform_counts_as_heard() {
    let world = World::new().await;
    let id = world.installed().await;
    let press = |name: &str| {
        let kind = HappeningKind::Pressed {
            token: Secret::new("nobodys"),
            choice: None,
            account: Account::new("u1"),
            conversation: loft("attic").id,
            part: chatport_sdk::delivery::Receipt::new("p1"),
        };
        Happening::new(name, kind)
    };
    let heard = Heard::default().happening(press("p1")).happening(unlinking("h1")).until("2");
    tell(&world, [Ok(heard)]);
    let replica = Replica::start(&world);
    until("both are answered", async || said(&world).len() == 2).await;
    replica.stop().await;
    let mut said = said(&world);
    said.sort();
    assert_eq!(said, ["h1: Unlinked { was_linked: false }", "p1: NotOurs"]);
    let heard_at = installations::get(&world.app, &world.organization, id).await.unwrap().health.last_heard_at;
    assert_eq!(heard_at, Some(world.app.clock.now()));
}

#[tokio::test]
async fn nobody_listens_to_what_is_removed() {
    let world = World::new().await;
    let id = world.installed().await;
    tell(&world, []);
    let replica = Replica::start(&world);
    until("it listens", async || cursors(&world).len() == 1).await;
    installations::remove(&world.app, &world.organization, id, &Actor::host()).await.unwrap();
    assert_eq!(world.count("FROM listeners").await, 0);
    replica.stop().await;
    assert_eq!(world.count("FROM listeners").await, 0);
    *world.pigeon.news.lock().unwrap() = Some(VecDeque::new());
    let next = Replica::start(&world);
    tokio::time::sleep(Duration::from_millis(200)).await;
    next.stop().await;
    assert_eq!(cursors(&world).len(), 1);
}
