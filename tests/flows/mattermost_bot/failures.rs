//! What becomes of messages when the server refuses, or can't.

use std::time::Duration;

use chatport_fake_mattermost::{FaultKind, FaultRule};
use chatport_tests::{eventually, mattermost::BOT, organization::text};
use serde_json::json;

use crate::{World, render};

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_refuses_the_bot_silences_no_other() {
    let world = World::begin().await;
    let alerts = world.bot.connect("alerts").await;
    let incidents = text(&world.acme.channel("incidents").await, "id");
    world.server.leave_channel("incidents", BOT);
    let targets = json!([{ "channel": incidents }, { "channel": alerts }]);
    world.acme.say("m1", json!({ "revision": 1, "targets": targets, "content": { "title": "x" } })).await;
    let message = eventually("both copies to end", || async {
        let message = world.acme.message("m1").await;
        let states = [&message["copies"][0]["state"], &message["copies"][1]["state"]];
        (states == ["dead", "delivered"]).then_some(message)
    })
    .await;
    assert_eq!(message["copies"][0]["code"], "bot_not_in_channel");
    let failed = world.application.hears("message.failed", 0).await;
    assert_eq!(
        (&failed["data"]["failure"]["code"], &failed["data"]["failure"]["permanent"]),
        (&json!("bot_not_in_channel"), &json!(true))
    );
    assert_eq!(world.acme.installation(&world.bot.installation).await["state"], "active");
    world
        .acme
        .say("m2", json!({ "revision": 1, "targets": [{ "channel": alerts }], "content": { "title": "y" } }))
        .await;
    world.acme.delivered("m2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_suspends_and_a_new_one_lets_everything_go_on() {
    let world = World::begin().await;
    world.server.revoke_token(&world.bot.bot_token);
    world.acme.say("m1", json!({ "revision": 1, "targets": [{ "default": true }], "content": { "title": "x" } })).await;
    let suspended = world.acme.becomes(&world.bot.installation, "suspended").await;
    assert_eq!(suspended["problem"]["code"], "installation_revoked");
    world.application.hears("installation.suspended", 0).await;
    // Reauthorize: another bot's token is refused, a new one of the same bot taken.
    let path = format!("installations/{}/reauthorize", world.bot.installation);
    let asked = world.acme.post(&path, json!({})).await.expect(200);
    assert_eq!(render(&asked["steps"]).last().expect("a step"), "fill in secret Access token of the bot");
    let (_, stranger) = world.server.create_bot("stranger", "sysadmin");
    let refused = world.acme.submit(&world.bot.installation, json!({ "bot_token": stranger })).await.expect(422);
    assert!(text(&refused, "detail").contains("another bot's"), "{refused}");
    let token = world.server.create_token(BOT);
    let done = world.acme.submit(&world.bot.installation, json!({ "bot_token": token })).await.expect(200);
    assert_eq!(done["state"], "active");
    assert_eq!(done.get("problem"), None);
    // What waited is sent; links and channels are those of before.
    world.acme.delivered("m1").await;
    world.post("incidents");
    assert_eq!((world.acme.accounts().await.len(), world.acme.channels().await.len()), (1, 1));
    world.application.hears("installation.activated", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_asks_for_patience_is_left_alone_for_as_long() {
    let world = World::begin().await;
    let slow_down = FaultKind::RateLimited { retry_after: 2 };
    world.server.fault(FaultRule::once("POST", "/api/v4/posts", slow_down));
    for key in ["m1", "m2"] {
        world
            .acme
            .say(key, json!({ "revision": 1, "targets": [{ "default": true }], "content": { "title": key } }))
            .await;
    }
    for key in ["m1", "m2"] {
        world.acme.delivered(key).await;
    }
    let tries = world.server.requests_to("POST", "/api/v4/posts");
    assert_eq!(tries.len(), 3);
    let pause = tries[1].started.duration_since(tries[0].started);
    assert!(pause >= Duration::from_secs(2), "{pause:?}");
    assert_eq!(world.posts("incidents").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_whose_answer_was_lost_is_not_doubled() {
    for kind in [FaultKind::LoseAnswer, FaultKind::HalfBody, FaultKind::Error("proxy_502_html".into())] {
        let world = World::begin().await;
        world.server.fault(FaultRule::once("POST", "/api/v4/posts", kind.clone()));
        world
            .acme
            .say("m1", json!({ "revision": 1, "targets": [{ "default": true }], "content": { "title": "x" } }))
            .await;
        let message = world.acme.delivered("m1").await;
        assert_eq!(message["copies"][0]["history"][0]["outcome"], "unknown", "{kind:?}");
        assert_eq!(message["copies"][0]["posts"], json!([world.post("incidents").id]), "{kind:?}");
    }
}
