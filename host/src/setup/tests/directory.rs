use chatport_sdk::prelude::*;

use super::super::{SetupFailure, audit::Actor, directory, installations, state::InstallationState, test_world::World};
use crate::ids::{InstallationId, OrganizationId};

async fn look(world: &World, id: InstallationId, query: &str) -> Result<Page, SetupFailure> {
    let search = Search::new(EntryKind::People, query, 10);
    directory::search(&world.app, &world.organization, id, search).await
}

#[tokio::test]
async fn the_platform_is_asked_with_a_credential_that_lasts() {
    let world = World::new().await;
    let id = world.installed().await;
    let found = look(&world, id, "").await.unwrap();
    assert_eq!(found.entries, [Entry::Person(Account::new("keeper"))]);
}

#[tokio::test]
async fn a_panic_and_a_refusal_of_the_platform_are_told_apart_and_harm_nothing() {
    let world = World::new().await;
    let id = world.installed().await;
    assert!(matches!(look(&world, id, "panic").await, Err(SetupFailure::BackendPanicked { .. })));
    let wanted = Lookup::Name("ann".into());
    let refused = directory::resolve(&world.app, &world.organization, id, wanted).await.unwrap_err();
    assert!(matches!(refused, SetupFailure::Platform(failure) if failure.cause == Cause::PermissionDenied));
    let now = installations::get(&world.app, &world.organization, id).await.unwrap();
    assert_eq!(now.state, InstallationState::Active);
}

#[tokio::test]
async fn only_an_active_installation_of_the_organization_is_asked() {
    let world = World::new().await;
    let pending = world.begin().await.id;
    assert!(matches!(look(&world, pending, "").await, Err(SetupFailure::NotActive { .. })));
    let id = world.installed().await;
    let (other, search) = (OrganizationId::parse("globex").unwrap(), Search::new(EntryKind::People, "", 10));
    let foreign = directory::search(&world.app, &other, id, search).await;
    assert!(matches!(foreign, Err(SetupFailure::NotFound)));
    installations::remove(&world.app, &world.organization, id, &Actor::host()).await.unwrap();
    assert!(matches!(look(&world, id, "").await, Err(SetupFailure::NotFound)));
}

#[tokio::test]
async fn who_asks_too_often_is_told_to_wait_and_others_are_not() {
    let world = World::new().await;
    let (id, other) = (world.installed().await, world.installed().await);
    let mut answered = 0;
    let refused = loop {
        match look(&world, id, "").await {
            Ok(_) => answered += 1,
            Err(error) => break error,
        }
        assert!(answered < 1_000, "there is no end to it");
    };
    assert!(answered >= 20, "{answered}");
    assert!(matches!(refused, SetupFailure::TooManyQuestions { retry_after } if !retry_after.is_zero()));
    look(&world, other, "").await.unwrap();
}
