use std::time::Duration;

use chatport_sdk::prelude::*;
use tokio::task::JoinSet;

use super::super::{
    SetupFailure,
    audit::Actor,
    command_sync,
    commands::{self, CommandSet, SyncState},
    installations, machine, suspension,
    test_world::World,
};
use crate::ids::{InstallationId, OrganizationId};

fn of(names: &[&str]) -> Vec<DeclaredCommand> {
    names.iter().map(|name| DeclaredCommand::new(*name, "Does something")).collect()
}

async fn declare(world: &World, id: InstallationId, names: &[&str]) -> Result<CommandSet, SetupFailure> {
    commands::declare(&world.app, &world.organization, id, of(names), &Actor::host()).await
}

async fn state(world: &World, id: InstallationId) -> SyncState {
    commands::get(&world.app, &world.organization, id).await.unwrap().state
}

/// A replica looks what is due, and makes it known.
async fn look(world: &World) {
    let mut telling = JoinSet::new();
    command_sync::look(&world.app, &mut telling).await.unwrap();
    telling.join_all().await;
}

/// Let everything that is due be made known; what the platform was told since the last time.
async fn told(world: &World) -> Vec<Vec<String>> {
    look(world).await;
    std::mem::take(&mut *world.pigeon.told.lock().unwrap())
}

#[tokio::test]
async fn the_platform_is_told_once_for_each_change() {
    let world = World::new().await;
    let id = world.installed().await;
    assert_eq!(declare(&world, id, &["status", "who"]).await.unwrap().state, SyncState::Pending);
    assert_eq!(told(&world).await, [["status", "who"]]);
    assert_eq!(state(&world, id).await, SyncState::Synced);
    assert!(world.load(id).await.site.matches("hook", b"told").is_some(), "what it brought is stored");
    declare(&world, id, &["status", "who"]).await.unwrap();
    world.clock.advance(Duration::from_secs(24 * 3600));
    assert_eq!(told(&world).await, Vec::<Vec<String>>::new(), "the same again is nothing new");
    declare(&world, id, &["who"]).await.unwrap();
    assert_eq!(told(&world).await, [["who"]]);
    declare(&world, id, &[]).await.unwrap();
    assert_eq!(told(&world).await, [Vec::<String>::new()]);
}

#[tokio::test]
async fn a_platform_that_fails_is_told_again_after_growing_waits_or_when_somebody_asks() {
    let world = World::new().await;
    let id = world.installed().await;
    let down = || Failure::new(Cause::Unavailable, "the loft at 10.0.0.1 is shut");
    *world.pigeon.refusals.lock().unwrap() = vec![Failure::new(Cause::PermissionDenied, "no"), down(), down()];
    declare(&world, id, &["status"]).await.unwrap();
    assert_eq!(told(&world).await.len(), 1);
    let failed = commands::get(&world.app, &world.organization, id).await.unwrap();
    let problem = failed.problem.unwrap();
    assert_eq!((failed.state, problem.code.as_str()), (SyncState::Failed, "platform_unavailable"));
    assert!(!problem.detail.contains("10.0.0.1"), "what is at an address is for the operator: {}", problem.detail);
    assert_eq!(told(&world).await.len(), 0, "not before its time");
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(told(&world).await.len(), 1);
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(told(&world).await.len(), 0, "the second wait is longer");
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(told(&world).await.len(), 1);
    world.clock.advance(Duration::from_secs(600));
    assert_eq!(told(&world).await.len(), 0, "only a person can mend a missing right");
    declare(&world, id, &["status"]).await.unwrap();
    assert_eq!(told(&world).await.len(), 1);
    assert_eq!(state(&world, id).await, SyncState::Synced);
}

#[tokio::test]
async fn commands_are_told_once_the_installation_is_active_and_again_when_it_was_set_up_anew() {
    let world = World::new().await;
    let id = world.begin().await.id;
    declare(&world, id, &["status"]).await.unwrap();
    assert_eq!(told(&world).await.len(), 0);
    world.submit(id, &[("api_key", "key-of-the-loft")]).await.unwrap();
    assert_eq!(told(&world).await.len(), 1);
    suspension::suspend(&world.app, &world.organization, id, "installation_revoked", "gone").await.unwrap();
    declare(&world, id, &["status", "who"]).await.unwrap();
    assert_eq!(told(&world).await.len(), 0, "nothing is asked of a suspended one");
    machine::reauthorize(&world.app, &world.organization, id, &Actor::host()).await.unwrap();
    world.submit(id, &[("api_key", "another-key")]).await.unwrap();
    assert_eq!(told(&world).await, [["status", "who"]]);
    machine::reauthorize(&world.app, &world.organization, id, &Actor::host()).await.unwrap();
    world.submit(id, &[("api_key", "a-third-key")]).await.unwrap();
    assert_eq!(told(&world).await.len(), 1, "though nothing was declared anew");
}

#[tokio::test]
async fn removing_an_installation_takes_its_commands_back() {
    let world = World::new().await;
    let id = world.installed().await;
    declare(&world, id, &["status"]).await.unwrap();
    told(&world).await;
    installations::remove(&world.app, &world.organization, id, &Actor::host()).await.unwrap();
    assert_eq!(told(&world).await, [Vec::<String>::new()]);
    assert_eq!(world.count("FROM command_sets").await, 0);
}

#[tokio::test]
async fn what_the_backend_refuses_and_what_is_another_organizations_stores_nothing() {
    let world = World::new().await;
    let id = world.installed().await;
    let refused = declare(&world, id, &["coo"]).await.unwrap_err();
    assert!(matches!(refused, SetupFailure::Field { name, .. } if name == "commands"));
    let other = OrganizationId::parse("globex").unwrap();
    let foreign = commands::declare(&world.app, &other, id, of(&["status"]), &Actor::host()).await;
    assert!(matches!(foreign, Err(SetupFailure::NotFound)));
    assert!(matches!(commands::get(&world.app, &other, id).await, Err(SetupFailure::NotFound)));
    assert_eq!(world.count("FROM command_sets").await, 0);
}

#[tokio::test]
async fn what_is_declared_while_the_platform_is_being_told_is_told_after_it() {
    let world = World::new().await;
    let id = world.installed().await;
    declare(&world, id, &["status"]).await.unwrap();
    let closed = world.pigeon.gate.lock().await;
    let declare_meanwhile = async {
        while world.pigeon.told.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        // Another replica looks, too: the set is taken.
        look(&world).await;
        assert_eq!(world.pigeon.told.lock().unwrap().len(), 1);
        world.clock.advance(Duration::from_secs(1));
        declare(&world, id, &["who"]).await.unwrap();
        // It is still taken: two lists on their way at once could arrive in the wrong order.
        tokio::time::timeout(Duration::from_secs(10), look(&world)).await.expect("it has nothing to tell");
        assert_eq!(world.pigeon.told.lock().unwrap().len(), 1);
        drop(closed);
    };
    tokio::join!(look(&world), declare_meanwhile);
    assert_eq!(state(&world, id).await, SyncState::Pending);
    world.pigeon.told.lock().unwrap().clear();
    assert_eq!(told(&world).await, [["who"]]);
    assert_eq!(state(&world, id).await, SyncState::Synced);
}

#[tokio::test]
async fn what_a_replica_has_left_undone_is_taken_up_by_another() {
    let world = World::new().await;
    let id = world.installed().await;
    declare(&world, id, &["status"]).await.unwrap();
    let closed = world.pigeon.gate.lock().await;
    // It dies while the platform is being told.
    let dies = tokio::time::timeout(Duration::from_millis(300), look(&world)).await;
    assert!(dies.is_err());
    drop(closed);
    world.pigeon.told.lock().unwrap().clear();
    assert_eq!(told(&world).await.len(), 0);
    world.clock.advance(Duration::from_secs(90));
    assert_eq!(told(&world).await, [["status"]]);
}

#[tokio::test]
async fn a_platform_that_hangs_doesnt_keep_others_waiting() {
    let world = World::new().await;
    let (slow, other) = (world.installed().await, world.installed().await);
    declare(&world, slow, &["status"]).await.unwrap();
    let closed = world.pigeon.gate.lock().await;
    let mut telling = JoinSet::new();
    command_sync::look(&world.app, &mut telling).await.unwrap();
    while world.pigeon.told.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    declare(&world, other, &["who"]).await.unwrap();
    command_sync::look(&world.app, &mut telling).await.unwrap();
    while world.pigeon.told.lock().unwrap().len() < 2 {
        tokio::task::yield_now().await;
    }
    drop(closed);
    telling.join_all().await;
    assert_eq!((state(&world, slow).await, state(&world, other).await), (SyncState::Synced, SyncState::Synced));
}
