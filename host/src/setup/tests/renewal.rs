use std::{sync::atomic::Ordering, time::Duration};

use chatport_sdk::prelude::*;

use super::super::test_world::World;
use crate::ingress::commit_all;

#[tokio::test]
async fn however_many_wait_the_backend_is_asked_once() {
    let world = World::new().await;
    let loaded = world.load(world.installed().await).await;
    let ensure = || world.app.renewals.ensure(&world.app, &loaded, "access");
    let (one, two, three) = tokio::join!(ensure(), ensure(), ensure());
    assert!(one.unwrap() && two.unwrap() && three.unwrap());
    assert_eq!(world.pigeon.renewals.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_although_it_is_there() {
    let world = World::new().await;
    let id = world.installed().await;
    for number in 0..2 {
        let loaded = world.load(id).await;
        world.clock.advance(Duration::from_secs(1));
        assert!(world.app.renewals.ensure(&world.app, &loaded, "access").await.unwrap());
        let token = world.load(id).await.site.token("access").unwrap();
        assert_eq!(token.value.expose(), format!("access-{number}"));
    }
}

#[tokio::test]
async fn promised_tokens_are_waited_for() {
    let world = World::new().await;
    let loaded = world.load(world.installed().await).await;
    world.pigeon.promises.lock().unwrap().push(Duration::from_secs(10));
    let arrive = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let tokens = vec![NewToken::new("access", Secret::new("sent"))];
        let happening = Happening::new("h1", HappeningKind::TokensArrived { tokens });
        commit_all(&world.app, &loaded, &[happening]).await
    };
    let (renewed, _) = tokio::join!(world.app.renewals.ensure(&world.app, &loaded, "access"), arrive);
    assert!(renewed.unwrap());
}

#[tokio::test]
async fn a_broken_promise_is_not_asked_for_again_before_its_time() {
    let world = World::new().await;
    let loaded = world.load(world.installed().await).await;
    world.pigeon.promises.lock().unwrap().push(Duration::from_millis(300));
    let ensure = || world.app.renewals.ensure(&world.app, &loaded, "access");
    let (one, two) = tokio::join!(ensure(), ensure());
    assert!(!one.unwrap() && !two.unwrap());
    assert_eq!(world.pigeon.renewals.load(Ordering::SeqCst), 1);
    assert!(ensure().await.unwrap(), "its time is over, and now there is one");
}
