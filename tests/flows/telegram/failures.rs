//! Limits, lost answers, updates that come again, and requests that nobody believes.

use std::time::Duration;

use chatport_fake_telegram::Fault;
use chatport_tests::{client::Client, organization::text};
use serde_json::json;

use crate::{World, with_button};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_keeps_to_the_limits_by_itself() {
    let world = World::begin("polling").await;
    for (number, target) in (0..6).map(|number| (number, json!({ "user": "u-ada" }))) {
        let message = json!({ "revision": 1, "targets": [target], "content": { "title": format!("m{number}") } });
        world.acme.say(&format!("m{number}"), message).await;
    }
    for number in 0..6 {
        world.acme.delivered(&format!("m{number}")).await;
    }
    let refused = world.server.calls().into_iter().filter(|call| call.status == 429).count();
    assert_eq!(refused, 0, "the stand-in counts too, and never had to refuse");
    let sent =
        world.server.calls_of("sendMessage").into_iter().filter(|call| call.body["text"].to_string().contains("<b>m"));
    let sent: Vec<_> = sent.map(|call| call.at).collect();
    let (first, last) = (sent.first().expect("one"), sent.last().expect("another"));
    assert!(last.duration_since(*first) >= Duration::from_secs(5), "six to one person, one a second");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_is_written_to_too_much_waits_and_no_other_does() {
    let world = World::begin("webhook").await;
    let body = json!({ "ok": false, "error_code": 429, "description": "Too Many Requests: retry after 2",
        "parameters": { "retry_after": 2 } });
    world.server.fail("sendMessage", 1, Fault::Refused { status: 429, body });
    let post = world.deliver("m", 1, with_button("Disk full")).await;
    let sent = world.server.calls_of("sendMessage");
    let refused = sent.iter().find(|call| call.status == 429).expect("it was refused once");
    let again = sent.iter().find(|call| call.at > refused.at && call.status == 200).expect("it was sent again");
    assert!(again.at - refused.at >= Duration::from_secs(2), "it waited as long as it was asked to");
    assert_eq!(world.server.message(world.group, post.id).expect("it stands").text, post.text);
    assert_eq!(world.acme.installation(&world.bot.installation).await["state"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_answer_was_lost_is_repeated_only_if_it_may_be() {
    let world = World::begin("webhook").await;
    let before = world.server.posts(&world.bot.token, world.group).len();
    let message = |policy: &str| json!({ "revision": 1, "targets": [{ "default": true }], "content": { "title": policy }, "on_unknown": policy });
    world.server.fail("sendMessage", 1, Fault::Lost);
    world.acme.say("once", message("dead")).await;
    let settled = world.acme.settles("once", "dead").await;
    assert_eq!(settled["copies"][0]["code"], "unknown_outcome");
    assert_eq!(world.server.posts(&world.bot.token, world.group).len(), before + 1);
    world.server.fail("sendMessage", 1, Fault::Lost);
    world.acme.say("again", message("repeat")).await;
    world.acme.delivered("again").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_taken_away_is_posted_anew() {
    let world = World::begin("webhook").await;
    let post = world.deliver("m", 1, with_button("Disk full")).await;
    world.server.delete(world.group, post.id);
    let again = world.deliver("m", 2, with_button("Disk very full")).await;
    assert!(again.id != post.id && again.text.contains("Disk very full"), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_comes_again_counts_once() {
    let world = World::begin("webhook").await;
    let post = world.deliver("m", 1, with_button("Disk full")).await;
    world.application.answer(|_| (200, json!({ "notice": "It is yours." })));
    world.server.press("Ada", world.group, post.id, "Acknowledge").await;
    let update = world.server.updates().into_iter().rfind(|update| update.get("callback_query").is_some());
    let webhook = world.server.webhook(&world.bot.token).expect("a webhook");
    let secret = webhook.secret.expect("a secret");
    let telegram = Client::new("", None);
    let headers = [("content-type", "application/json"), ("x-telegram-bot-api-secret-token", secret.as_str())];
    let body = update.expect("the press").to_string();
    let again = telegram.try_raw(http::Method::POST, &webhook.url, &headers, body.clone()).await.expect("an answer");
    assert_eq!((again.status.as_u16(), &again.json()["text"]), (200, &json!("It is yours.")));
    assert_eq!(world.application.heard_of("action.invoked").len(), 1);

    // Without the secret, with another one, or at a slot that nobody has: all refused alike.
    let slot = webhook.url.rsplit('/').nth(1).expect("a slot");
    let nobody = webhook.url.replace(slot, &"0".repeat(slot.len()));
    let with =
        |secret: &'static str| [("content-type", "application/json"), ("x-telegram-bot-api-secret-token", secret)];
    let mut answers = Vec::new();
    for (url, headers) in [(&webhook.url, with("")), (&webhook.url, with("wrong")), (&nobody, with("wrong"))] {
        let refused = telegram.try_raw(http::Method::POST, url, &headers, body.clone()).await.expect("an answer");
        answers.push((refused.status.as_u16(), refused.text));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0] && answer.0 == 401), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_button_that_somebody_made_up_does_nothing() {
    let world = World::begin("webhook").await;
    let post = world.deliver("m", 1, with_button("Disk full")).await;
    let other = world.deliver("n", 1, with_button("Disk empty")).await;
    let (_, token) = post.buttons()[0].clone();
    for (message, data) in [(post.id, "made up"), (other.id, token.as_str())] {
        let press = world.server.begin_forged_press("Ada", world.group, message, data);
        let answered = world.server.wait_for(&press).await;
        assert_eq!((answered.text.as_str(), answered.alert), ("This button isn't active any more.", true));
    }
    assert_eq!(world.application.heard_of("action.invoked").len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_somebody_sets_does_not_silence_who_polls() {
    let world = World::begin("polling").await;
    let post = world.deliver("m", 1, with_button("Disk full")).await;
    let path = format!("/bot{}/setWebhook", world.bot.token);
    let body = json!({ "url": "http://127.0.0.1:9/elsewhere" }).to_string();
    assert_eq!(world.server.answer(&path, "application/json", body.as_bytes()).0, 200);
    world.application.answer(|_| (200, json!({ "notice": "It is yours." })));
    let answered = world.server.press("Ada", world.group, post.id, "Acknowledge").await;
    assert_eq!(answered.text, "It is yours.");
    assert_eq!(world.server.webhook(&world.bot.token), None);
    assert!(text(&world.acme.installation(&world.bot.installation).await, "state") == "active");
}
