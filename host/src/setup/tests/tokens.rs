use std::time::Duration;

use chatport_sdk::{prelude::*, site::Site};

use super::super::{
    test_world::World,
    tokens::{self, TokenError},
};
use crate::store::statement;

async fn store(world: &World, id: crate::ids::InstallationId, new: Vec<NewToken>) -> Result<(), TokenError> {
    let loaded = world.load(id).await;
    let transaction = world.app.database.begin(&world.organization).await.unwrap();
    tokens::store(&transaction, &world.app, &loaded.holder(), new, world.app.clock.now()).await?;
    transaction.commit().await.unwrap();
    Ok(())
}

async fn site(world: &World, id: crate::ids::InstallationId) -> Site {
    world.load(id).await.site
}

fn values(site: &Site, kind: &str) -> Vec<String> {
    site.tokens(kind).iter().map(|token| token.value.expose().to_owned()).collect()
}

#[tokio::test]
async fn no_token_and_no_code_stands_in_the_database_as_it_is() {
    let world = World::new().await;
    let id = world.installed().await;
    let (app, organization) = (&world.app, &world.organization);
    let actor = super::super::audit::Actor::host();
    let code = super::super::codes::issue(app, organization, id, Purpose::User, Some("ann"), &actor).await.unwrap();
    assert_eq!(values(&site(&world, id).await, "api_key"), ["key-of-the-loft"]);
    let mut everything = Vec::new();
    for file in std::fs::read_dir(world.folder.path()).unwrap() {
        everything.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    let holds = |text: &str| everything.windows(text.len()).any(|window| window == text.as_bytes());
    if std::env::var_os("CHATPORT_TEST_POSTGRES").is_none() {
        assert!(holds("pigeon"), "the search finds what is there");
    }
    for secret in ["key-of-the-loft", code.code.expose(), &code.code.expose().replace('-', ""), "hook-"] {
        assert!(!holds(secret));
    }
}

#[tokio::test]
async fn a_token_of_an_undeclared_kind_is_refused_by_name() {
    let world = World::new().await;
    let id = world.installed().await;
    let refused = store(&world, id, vec![NewToken::new("stray", Secret::new("x"))]).await.unwrap_err();
    assert!(refused.to_string().contains("`stray`"), "{refused}");
}

#[tokio::test]
async fn an_empty_token_is_refused() {
    let world = World::new().await;
    let id = world.installed().await;
    let refused = store(&world, id, vec![NewToken::new("hook", Secret::new(""))]).await;
    assert!(matches!(refused, Err(TokenError::Empty { .. })));
    assert_eq!(site(&world, id).await.matches("hook", b""), None);
}

#[tokio::test]
async fn while_rotating_the_last_token_stays_usable_for_an_hour() {
    let world = World::new().await;
    let id = world.installed().await;
    for value in ["second", "third"] {
        world.clock.advance(Duration::from_secs(1));
        store(&world, id, vec![NewToken::new("api_key", Secret::new(value)).rotating()]).await.unwrap();
    }
    assert_eq!(values(&site(&world, id).await, "api_key"), ["third", "second"]);
    world.clock.advance(Duration::from_secs(3601));
    assert_eq!(values(&site(&world, id).await, "api_key"), ["third"]);
}

#[tokio::test]
async fn what_is_in_use_stays_until_the_newest_token_that_waits_is_confirmed() {
    let world = World::new().await;
    let id = world.installed().await;
    let new = |value: &str| NewToken::new("api_key", Secret::new(value));
    for value in ["second", "third"] {
        world.clock.advance(Duration::from_secs(86_400));
        store(&world, id, vec![new(value).awaiting_confirmation()]).await.unwrap();
        assert_eq!(values(&site(&world, id).await, "api_key"), [value, "key-of-the-loft"]);
    }
    world.clock.advance(Duration::from_secs(86_400));
    store(&world, id, vec![new("third").rotating()]).await.unwrap();
    assert_eq!(values(&site(&world, id).await, "api_key"), ["third", "key-of-the-loft"]);
    // A confirmed one isn't one that waits.
    store(&world, id, vec![new("fourth").awaiting_confirmation()]).await.unwrap();
    world.clock.advance(Duration::from_secs(3601));
    assert_eq!(values(&site(&world, id).await, "api_key"), ["fourth", "third"]);
}

#[tokio::test]
async fn a_platform_that_still_uses_the_old_token_confirms_that_one() {
    let world = World::new().await;
    let id = world.installed().await;
    let new = |value: &str| NewToken::new("hook", Secret::new(value));
    store(&world, id, vec![new("one")]).await.unwrap();
    store(&world, id, vec![new("two").awaiting_confirmation()]).await.unwrap();
    store(&world, id, vec![new("one").rotating()]).await.unwrap();
    world.clock.advance(Duration::from_secs(3601));
    let site = site(&world, id).await;
    assert_eq!((site.matches("hook", b"one").as_deref(), site.matches("hook", b"two")), (Some(""), None));
}

#[tokio::test]
async fn a_labelled_token_replaces_only_its_namesake() {
    let world = World::new().await;
    let id = world.installed().await;
    let labelled = |value: &str, label: &str| NewToken::new("hook", Secret::new(value)).labelled(label);
    store(&world, id, vec![labelled("one", "a"), labelled("two", "b")]).await.unwrap();
    store(&world, id, vec![labelled("three", "a")]).await.unwrap();
    let site = site(&world, id).await;
    assert_eq!(site.matches("hook", b"three").as_deref(), Some("a"));
    assert_eq!(site.matches("hook", b"two").as_deref(), Some("b"));
    assert_eq!(site.matches("hook", b"one"), None);
}

#[tokio::test]
async fn a_token_runs_out_with_its_kinds_lifetime() {
    let world = World::new().await;
    let id = world.installed().await;
    store(&world, id, vec![NewToken::new("access", Secret::new("a"))]).await.unwrap();
    let loaded = world.load(id).await;
    assert_eq!(values(&loaded.site, "access"), ["a"]);
    world.clock.advance(Duration::from_secs(3600));
    assert!(values(&loaded.site, "access").is_empty());
}

#[tokio::test]
async fn the_same_value_once_more_is_no_conflict() {
    let world = World::new().await;
    let id = world.installed().await;
    for _ in 0..2 {
        store(&world, id, vec![NewToken::new("hook", Secret::new("same")).rotating()]).await.unwrap();
    }
    assert!(site(&world, id).await.matches("hook", b"same").is_some());
}

#[tokio::test]
async fn a_sealed_token_that_was_moved_to_another_row_does_not_open() {
    use sea_orm::ConnectionTrait;
    let world = World::new().await;
    let (id, other) = (world.installed().await, world.installed().await);
    store(&world, other, vec![NewToken::new("api_key", Secret::new("of the other"))]).await.unwrap();
    let on = world.app.database.write();
    let moved = "UPDATE tokens SET sealed = (SELECT t.sealed FROM tokens t WHERE t.kind = 'api_key'
        AND t.revoked_at IS NULL AND t.installation = $1) WHERE kind = 'api_key' AND installation = $2";
    on.execute_raw(statement(on, moved, [other.0.into(), id.0.into()])).await.unwrap();
    assert!(values(&site(&world, id).await, "api_key").is_empty());
    assert_eq!(values(&site(&world, other).await, "api_key"), ["of the other"]);
}
