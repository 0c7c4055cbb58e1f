//! Posts of which nobody knows whether they have arrived: they are found, not doubled, and the
//! doubt stays until it is resolved.

use std::time::Duration;

use chatport_host::delivery::{
    read,
    replay::{self, DeadFilter, HowToReplay},
    view::CopyState,
};
use chatport_tests::{
    database::Engine,
    engine::{TestHost, message},
    pigeon::{Fate, Pigeon},
};
use serde_json::json;

use super::DONE;

on_both_engines![
    a_post_whose_answer_was_lost_is_found_and_not_doubled,
    a_doubt_stays_until_it_is_resolved,
    where_nothing_can_be_found_out_the_message_decides,
    a_doubt_outlasts_the_time_that_a_message_has,
    what_was_given_up_in_doubt_waits_like_anything_else,
];

async fn a_post_whose_answer_was_lost_is_found_and_not_doubled(engine: Engine) {
    let host = TestHost::start(engine).await;
    let channel = host.channel("loft").await;
    host.pigeon.fate("loft", Fate::LoseAnswer);
    host.put("a1", message(1, channel, "Fire")).await;
    host.settles("a1", DONE).await;
    assert_eq!(host.pigeon.posts("loft").len(), 1);
    let view = read::message(&host.app, &host.organization, "a1").await.unwrap().unwrap();
    let outcomes: Vec<_> = view.copies[0].history.iter().map(|attempt| attempt.outcome.as_str()).collect();
    assert_eq!(outcomes, ["unknown", "delivered"]);
    host.check_conservation().await;
}

async fn a_doubt_stays_until_it_is_resolved(engine: Engine) {
    let host = TestHost::start(engine).await;
    let channel = host.channel("loft").await;
    host.pigeon.fate("loft", Fate::LoseAnswer);
    host.pigeon.world().blind = 2;
    host.put("a1", message(1, channel, "Fire")).await;
    host.settles("a1", DONE).await;
    assert_eq!(host.pigeon.posts("loft").len(), 1, "a failure to look must not lead to a second post");
    host.check_conservation().await;
}

async fn where_nothing_can_be_found_out_the_message_decides(engine: Engine) {
    let host = TestHost::with(engine, Pigeon::forgetful()).await;
    let channel = host.channel("loft").await;
    host.pigeon.fate("loft", Fate::LoseAnswer);
    host.put("rather twice", message(1, channel, "page")).await;
    host.settles("rather twice", DONE).await;
    assert_eq!(host.pigeon.posts("loft").len(), 2);

    host.pigeon.fate("loft", Fate::LoseAnswer);
    let mut never_twice = message(1, channel, "newsletter");
    never_twice["on_unknown"] = json!("dead");
    host.put("rather never", never_twice.clone()).await;
    host.settles("rather never", &[CopyState::Dead]).await;
    let view = read::message(&host.app, &host.organization, "rather never").await.unwrap().unwrap();
    assert_eq!(view.copies[0].copy.code.as_deref(), Some("unknown_outcome"));
    assert_eq!(host.pigeon.posts("loft").len(), 3);
    // What is new about it is told nevertheless.
    never_twice["revision"] = json!(2);
    host.put("rather never", never_twice).await;
    host.settles("rather never", DONE).await;
    assert_eq!(host.pigeon.posts("loft").len(), 4);
    host.check_conservation().await;
}

async fn a_doubt_outlasts_the_time_that_a_message_has(engine: Engine) {
    let host = TestHost::start(engine).await;
    let again = host.channel("put again").await;
    let channels = [
        ("put again", again),
        ("deleted", host.channel("deleted").await),
        ("replayed", host.channel("replayed").await),
    ];
    host.pigeon.world().blind = usize::MAX;
    for (loft, channel) in channels {
        host.pigeon.fate(loft, Fate::LoseAnswer);
        let mut brief = message(1, channel, "Fire");
        brief["expires_at"] = json!(host.app.clock.now().plus(Duration::from_millis(1_500)));
        host.put(loft, brief).await;
    }
    for (key, _) in channels {
        host.settles(key, &[CopyState::Expired]).await;
    }
    host.pigeon.world().blind = 0;
    host.put("put again", message(2, again, "Out")).await;
    chatport_host::delivery::delete(&host.app, &host.organization, "deleted").await.unwrap();
    let what = DeadFilter { code: Some("expired".into()), ..DeadFilter::default() };
    let how = HowToReplay { limit: 10, rate: None, not_before: None, dry_run: false };
    replay::replay(&host.app, &host.organization, &what, &how).await.unwrap();
    host.settles("put again", DONE).await;
    host.settles("deleted", &[CopyState::Removed]).await;
    host.settles("replayed", DONE).await;
    for (loft, shown, is_deleted) in
        [("put again", "Out", false), ("deleted", "Fire", true), ("replayed", "Fire", false)]
    {
        let posts = host.pigeon.posts(loft);
        assert_eq!(posts.len(), 1, "{loft}: the first post is found");
        assert_eq!((posts[0].shown.last().map(String::as_str), posts[0].deleted), (Some(shown), is_deleted), "{loft}");
    }
    host.check_conservation().await;
}

async fn what_was_given_up_in_doubt_waits_like_anything_else(engine: Engine) {
    let host = TestHost::start(engine).await;
    let (hastened, left_out) = (host.channel("hastened").await, host.channel("left out").await);
    let other = host.channel("other").await;
    host.pigeon.world().blind = usize::MAX;
    for (loft, channel) in [("hastened", hastened), ("left out", left_out)] {
        host.pigeon.fate(loft, Fate::LoseAnswer);
        let mut brief = message(1, channel, "one");
        brief["expires_at"] = json!(host.app.clock.now().plus(Duration::from_millis(1_500)));
        host.put(loft, brief).await;
    }
    for (loft, channel) in [("hastened", hastened), ("left out", left_out)] {
        host.settles(loft, &[CopyState::Expired]).await;
        let mut later = message(2, channel, "two");
        later["not_before"] = json!(host.app.clock.now().plus(Duration::from_secs(3_600)));
        host.put(loft, later).await;
    }
    host.pigeon.world().blind = 0;
    host.put("hastened", message(3, hastened, "three")).await;
    host.settles("hastened", DONE).await;
    let posts = host.pigeon.posts("hastened");
    assert_eq!((posts.len(), posts[0].shown.last().map(String::as_str)), (1, Some("three")), "in its own time");
    host.put("left out", message(3, other, "three")).await;
    host.settles("left out", &[CopyState::Cancelled, CopyState::Delivered]).await;
    assert_eq!(host.pigeon.posts("left out")[0].shown, ["one"], "what waited is called off");
    host.check_conservation().await;
}
