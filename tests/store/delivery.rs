//! The engine over SQLite and over Postgres: what is accepted is delivered in order, once,
//! in its newest revision; what fails says so; nothing is lost.
#![allow(clippy::unwrap_used, reason = "a suite may fail by panicking")]

use std::{sync::Arc, time::Duration};

use chatport_host::{
    delivery::{
        AcceptError,
        fold::Storm,
        read,
        replay::{self, DeadFilter, HowToReplay},
        store_of,
        units::Units,
        view::CopyState,
    },
    ids::{ChannelId, OrganizationId},
    setup::{installations, suspension},
};
use chatport_sdk::prelude::*;
use chatport_tests::{
    database::Engine,
    engine::{TestHost, a_moment, message},
    eventually,
    pigeon::{Fate, address},
    seeded::WrongClock,
};
use sea_orm::ConnectionTrait;
use serde_json::json;

/// Make each scenario a test of its own on each engine.
macro_rules! on_both_engines {
    ($($name:ident),* $(,)?) => {$(
        mod $name {
            use super::*;
            #[tokio::test(flavor = "multi_thread")]
            async fn sqlite() { super::$name(Engine::Sqlite).await; }
            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() { super::$name(Engine::Postgres).await; }
        }
    )*};
}

mod belonging;
mod doubts;
mod plans;
mod replicas;
mod retention;

on_both_engines![
    a_message_is_delivered_and_its_attempt_recorded,
    revisions_that_wait_become_one_edit_to_the_newest,
    repeating_a_request_gives_the_first_answer,
    other_content_under_the_same_revision_is_refused,
    a_lower_revision_changes_nothing,
    a_copy_that_is_tried_again_lets_others_pass,
    a_refusal_of_one_conversation_kills_that_copy_alone,
    a_request_to_slow_down_holds_the_installation_and_costs_no_attempt,
    a_refused_credential_suspends_and_resuming_goes_on,
    a_message_expires_and_says_so,
    deleting_takes_down_what_stands_and_calls_off_the_rest,
    lines_of_the_log_become_replies_once,
    a_user_is_told_directly_or_named_in_the_thread,
    what_cannot_be_resolved_is_a_dead_copy_with_a_reason,
    an_old_fence_changes_nothing,
    a_panicking_backend_harms_nobody_else,
    many_messages_at_once_are_all_accepted_and_delivered_in_order,
    what_another_process_left_on_its_way_is_taken_over,
    a_full_backlog_is_refused,
    events_tell_how_each_revision_ended,
    a_target_that_is_left_out_is_deleted_where_asked,
    a_final_revision_is_never_merged_away,
    a_dead_letter_is_listed_and_tried_again_on_request,
    what_is_tried_again_at_a_rate_becomes_due_in_turn,
    first_posts_that_had_to_wait_become_lines_of_one_summary,
    what_a_summary_could_not_show_is_posted_by_itself,
    a_conversation_that_has_moved_is_followed_in_the_same_attempt,
    what_waits_for_a_conversation_that_has_moved_keeps_its_order,
    a_person_who_has_moved_is_found,
    a_message_that_is_put_again_while_it_is_taken_away_comes_back,
    stopping_under_load_loses_nothing_and_doubles_nothing,
    a_fallback_is_called_off_where_everything_else_has_arrived,
    a_fallback_is_sent_where_the_others_are_late,
    a_target_that_cannot_be_delivered_to_calls_the_fallback_at_once,
    a_platform_that_keeps_failing_is_left_alone_for_a_while,
    a_clock_that_jumps_delays_and_doubles_nothing,
];

const DONE: &[CopyState] = &[CopyState::Delivered];

async fn a_message_is_delivered_and_its_attempt_recorded(engine: Engine) {
    let host = TestHost::start(engine).await;
    let channel = host.channel("loft").await;
    let accepted = host.put("a1", message(1, channel, "Fire")).await;
    assert_eq!((accepted.revision, accepted.copies.len(), accepted.changed), (1, 1, true));
    host.settles("a1", DONE).await;
    assert_eq!(host.pigeon.posts("loft")[0].shown, ["Fire"]);
    let view = read::message(&host.app, &host.organization, "a1").await.unwrap().unwrap();
    assert_eq!(view.copies[0].copy.shown_revision, Some(1));
    assert_eq!(view.copies[0].history.len(), 1);
    assert_eq!(view.copies[0].history[0].outcome, "delivered");
    host.check_conservation().await;
}

async fn revisions_that_wait_become_one_edit_to_the_newest(engine: Engine) {
    let host = TestHost::start(engine).await;
    let channel = host.channel("loft").await;
    host.pigeon.fate("loft", Fate::Slow(Duration::from_millis(400)));
    host.put("a1", message(1, channel, "one")).await;
    eventually("the first post to begin", || async { (host.pigeon.world().calls == 1).then_some(()) }).await;
    for revision in 2..=6 {
        host.put("a1", message(revision, channel, &format!("rev {revision}"))).await;
    }
    host.settles("a1", DONE).await;
    let posts = host.pigeon.posts("loft");
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0].shown, ["one", "rev 6"]);
    host.check_conservation().await;
}

async fn a_final_revision_is_never_merged_away(engine: Engine) {
    let host = TestHost::start(engine).await;
    let channel = host.channel("loft").await;
    host.pigeon.fate("loft", Fate::Slow(Duration::from_millis(400)));
    host.put("a1", message(1, channel, "firing")).await;
    eventually("the first post to begin", || async { (host.pigeon.world().calls == 1).then_some(()) }).await;
    let mut resolved = message(3, channel, "resolved");
    resolved["final"] = json!(true);
    host.put("a1", message(2, channel, "acknowledged")).await;
    host.put("a1", resolved).await;
    host.put("a1", message(4, channel, "firing again")).await;
    host.put("a1", message(5, channel, "acknowledged again")).await;
    host.settles("a1", DONE).await;
    assert_eq!(host.pigeon.posts("loft")[0].shown, ["firing", "resolved", "acknowledged again"]);
    host.check_conservation().await;
}

async fn a_dead_letter_is_listed_and_tried_again_on_request(engine: Engine) {
    let host = TestHost::start(engine).await;
    let channel = host.channel("loft").await;
    host.pigeon.fate("loft", Fate::Fail(Failure::new(Cause::ChannelArchived, "closed")));
    host.put("a1", message(1, channel, "x")).await;
    host.settles("a1", &[CopyState::Dead]).await;
    let all = DeadFilter::default();
    let listed = replay::list(&host.app, &host.organization, &all, None, 10).await.unwrap();
    assert_eq!((listed.len(), listed[0].0.message.as_str()), (1, "a1"));
    let other = DeadFilter { code: Some("expired".into()), ..DeadFilter::default() };
    let at_once = HowToReplay { limit: 10, rate: None, not_before: None, dry_run: false };
    assert!(replay::replay(&host.app, &host.organization, &other, &at_once).await.unwrap().replayed.is_empty());
    let dry_run = HowToReplay { dry_run: true, ..at_once.clone() };
    let dry = replay::replay(&host.app, &host.organization, &all, &dry_run).await.unwrap();
    assert_eq!(dry.replayed.len(), 1);
    a_moment().await;
    assert!(host.pigeon.posts("loft").is_empty(), "a dry run changes nothing");
    replay::replay(&host.app, &host.organization, &all, &at_once).await.unwrap();
    host.settles("a1", DONE).await;
    assert_eq!(host.pigeon.posts("loft")[0].shown, ["x"]);
    host.check_conservation().await;
}

/// Three that wait are a storm.
const STORM: Storm = Storm { waiting: 3, late: Duration::ZERO, most: 50 };

fn units(host: &TestHost) -> Units {
    Units::new(store_of(&host.app.database, &host.app.clock), Arc::clone(&host.app.random))
}

/// Put messages into a guarded channel whose engine stands still, and let them become a summary.
async fn a_storm(host: &mut TestHost) -> ChannelId {
    let channel = host.channel("loft").await;
    host.guard(channel).await;
    host.halt().await;
    for number in 0..4 {
        let mut document = message(1, channel, &format!("*disk* {number}"));
        document["content"]["link"] = json!({ "url": format!("https://oncall.example/{number}"), "label": "Open" });
        host.put(&format!("storm {number}"), document).await;
    }
    for (key, field, value) in [("urgent", "urgency", json!("urgent")), ("final", "final", json!(true))] {
        let mut document = message(1, channel, key);
        document[field] = value;
        host.put(key, document).await;
    }
    assert_eq!(units(host).fold(&STORM).await.unwrap(), 4);
    host.check_conservation().await;
    host.run();
    host.settles("urgent", DONE).await;
    host.settles("final", DONE).await;
    channel
}

async fn first_posts_that_had_to_wait_become_lines_of_one_summary(engine: Engine) {
    let mut host = TestHost::start(engine).await;
    let channel = a_storm(&mut host).await;
    eventually("the summary to be posted", || async { (host.pigeon.posts("loft").len() == 3).then_some(()) }).await;
    for number in 0..4 {
        host.settles(&format!("storm {number}"), &[CopyState::Folded]).await;
    }
    let shown: Vec<_> = host.pigeon.posts("loft").iter().map(|post| post.shown[0].clone()).collect();
    assert!(shown[0].starts_with("4 messages that had to wait - ["), "{}", shown[0]);
    assert_eq!(shown[1..], ["urgent", "final"]);
    let folded = read::message(&host.app, &host.organization, "storm 2").await.unwrap().unwrap();
    let detail = folded.copies[0].copy.detail.clone().expect("where it is shown");
    let key = detail.strip_prefix("shown as a line of the summary ").expect("the summary's key");
    let summary = read::message(&host.app, &host.organization, key).await.unwrap().unwrap();
    let lines: Vec<_> = summary.message.content.text.lines().collect();
    assert_eq!((lines.len(), lines[2]), (4, "- [\\*disk\\* 2](<https://oncall.example/2>)"));
    let told = message_events(&host).await;
    let of = |key: &str| told.iter().filter(|(told, ..)| told == key).cloned().collect::<Vec<_>>();
    assert_eq!(of("storm 2"), [("storm 2".to_owned(), "message.delivered".to_owned(), "folded".to_owned())]);
    // Once there is more to say, it gets a post of its own.
    host.put("storm 2", message(2, channel, "worse")).await;
    host.settles("storm 2", DONE).await;
    assert_eq!(host.pigeon.posts("loft")[3].shown, ["worse"]);
    host.check_conservation().await;
}

async fn what_a_summary_could_not_show_is_posted_by_itself(engine: Engine) {
    let mut host = TestHost::start(engine).await;
    host.pigeon.fate("loft", Fate::Fail(Failure::new(Cause::ContentRejected, "too many words")));
    a_storm(&mut host).await;
    for number in 0..4 {
        host.settles(&format!("storm {number}"), DONE).await;
    }
    let mut shown: Vec<_> = host.pigeon.posts("loft").iter().map(|post| post.shown[0].clone()).collect();
    shown.sort();
    assert_eq!(shown, ["*disk* 0", "*disk* 1", "*disk* 2", "*disk* 3", "final", "urgent"]);
    assert_eq!(units(&host).fold(&STORM).await.unwrap(), 0, "they are folded once at most");
    host.check_conservation().await;
}

/// What was told of messages: the key, the kind, and how the copy stood.
async fn message_events(host: &TestHost) -> Vec<(String, String, String)> {
    let page = chatport_host::events::log::after(&host.app, Some(&host.organization), 0).await.unwrap();
    let told = |event: &serde_json::Value| {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        (text(&event["data"]["message"]), text(&event["type"]), text(&event["data"]["copy"]["state"]))
    };
    page.items.iter().map(told).filter(|(_, kind, _)| kind.starts_with("message.")).collect()
}

/// The next call to a loft hears that it has moved.
fn moves(host: &TestHost, from: &str, to: &str) {
    let failure = Failure::new(Cause::ChannelNotFound, "nobody is here any more").moved_to(address(to));
    host.pigeon.fate(from, Fate::Fail(failure));
}

async fn a_conversation_that_has_moved_is_followed_in_the_same_attempt(engine: Engine) {
    let host = TestHost::start(engine).await;
    let channel = host.channel("loft").await;
    host.put("before", message(1, channel, "before")).await;
    host.settles("before", DONE).await;
    moves(&host, "loft", "tower");
    host.put("a1", message(1, channel, "Fire")).await;
    host.settles("a1", DONE).await;
    assert_eq!(host.pigeon.posts("tower")[0].shown, ["Fire"]);
    let view = read::message(&host.app, &host.organization, "a1").await.unwrap().unwrap();
    let outcomes: Vec<_> = view.copies[0].history.iter().map(|attempt| attempt.outcome.as_str()).collect();
    assert_eq!(outcomes, ["delivered"], "following spends no attempt");
    // The channel is there now, and new messages know it.
    let page = chatport_host::events::log::after(&host.app, Some(&host.organization), 0).await.unwrap();
    assert!(page.items.iter().any(|event| event["type"] == "channel.changed"), "the application is told");
    host.put("a2", message(1, channel, "Smoke")).await;
    host.settles("a2", DONE).await;
    assert_eq!(host.pigeon.posts("tower")[1].shown, ["Smoke"]);
    // What stands in the old place is out of reach: more of it is said in the new one.
    moves(&host, "loft", "tower");
    host.put("before", message(2, channel, "after")).await;
    host.settles("before", DONE).await;
    assert_eq!(host.pigeon.posts("loft")[0].shown, ["before"]);
    assert_eq!(host.pigeon.posts("tower")[2].shown, ["after"]);
    host.check_conservation().await;
}

async fn what_waits_for_a_conversation_that_has_moved_keeps_its_order(engine: Engine) {
    let mut host = TestHost::start(engine).await;
    let channel = host.channel("loft").await;
    host.halt().await;
    moves(&host, "loft", "tower");
    for number in 0..5 {
        host.put(&number.to_string(), message(1, channel, &number.to_string())).await;
    }
    host.run();
    for number in 0..5 {
        host.settles(&number.to_string(), DONE).await;
    }
    let shown: Vec<_> = host.pigeon.posts("tower").iter().map(|post| post.shown[0].clone()).collect();
    assert_eq!(shown, ["0", "1", "2", "3", "4"]);
    assert_eq!(host.pigeon.world().calls, 6, "the old place is asked once");
    host.check_conservation().await;
}

async fn a_person_who_has_moved_is_found(engine: Engine) {
    let host = TestHost::start(engine).await;
    host.link("ada", "ada").await;
    moves(&host, "to-ada", "to-ada-elsewhere");
    for (key, calls) in [("a1", 2), ("a2", 3)] {
        let told = json!({ "revision": 1, "targets": [{ "user": "ada" }], "content": { "title": key } });
        host.put(key, told).await;
        host.settles(key, DONE).await;
        assert_eq!(host.pigeon.world().calls, calls);
    }
    assert_eq!(host.pigeon.posts("to-ada-elsewhere").len(), 2);
    host.check_conservation().await;
}

async fn what_is_tried_again_at_a_rate_becomes_due_in_turn(engine: Engine) {
    let mut host = TestHost::start(engine).await;
    for number in 0..5 {
        let loft = format!("loft {number}");
        let channel = host.channel(&loft).await;
        host.pigeon.fate(&loft, Fate::Fail(Failure::new(Cause::ChannelArchived, "closed")));
        host.put(&loft, message(1, channel, "x")).await;
        host.settles(&loft, &[CopyState::Dead]).await;
    }
    host.halt().await;
    // In two requests, as for a long list: the second goes on where the first ended.
    let mut how = HowToReplay { limit: 3, rate: Some(2.0), not_before: None, dry_run: false };
    let mut filter = DeadFilter::default();
    let first = replay::replay(&host.app, &host.organization, &filter, &how).await.unwrap();
    assert_eq!((first.replayed.len(), first.remaining), (3, 2));
    (how.not_before, filter.before) = (first.next_due_at, Some(first.before));
    let second = replay::replay(&host.app, &host.organization, &filter, &how).await.unwrap();
    assert_eq!((second.replayed.len(), second.remaining), (2, 0));
    let mut due = Vec::new();
    for number in 0..5 {
        let view = read::message(&host.app, &host.organization, &format!("loft {number}")).await.unwrap().unwrap();
        due.push(view.copies[0].copy.next_attempt_at.expect("it waits").as_micros());
    }
    let apart: Vec<i64> = due.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(apart, [500_000; 4]);
    // Whoever comes next keeps to it.
    host.run();
    host.settles("loft 4", DONE).await;
    assert!(host.app.clock.now().as_micros() >= due[4], "it was sent early");
    host.check_conservation().await;
}

async fn repeating_a_request_gives_the_first_answer(engine: Engine) {
    let host = TestHost::start(engine).await;
    let channel = host.channel("loft").await;
    let first = host.put("a1", message(7, channel, "Fire")).await;
    host.settles("a1", DONE).await;
    let again = host.put("a1", message(7, channel, "Fire")).await;
    assert!(!again.changed);
    assert_eq!(serde_json::to_value(&again.copies).unwrap(), serde_json::to_value(&first.copies).unwrap());
    a_moment().await;
    assert_eq!(host.pigeon.posts("loft").len(), 1);
    host.check_conservation().await;
}

async fn other_content_under_the_same_revision_is_refused(engine: Engine) {
    let host = TestHost::start(engine).await;
    let channel = host.channel("loft").await;
    host.put("a1", message(7, channel, "Fire")).await;
    let refused = host.try_put("a1", message(7, channel, "Flood")).await;
    assert!(matches!(refused, Err(AcceptError::Conflict(7))), "{refused:?}");
}

async fn a_lower_revision_changes_nothing(engine: Engine) {
    let host = TestHost::start(engine).await;
    let channel = host.channel("loft").await;
    host.put("a1", message(7, channel, "new")).await;
    host.settles("a1", DONE).await;
    let late = host.put("a1", message(6, channel, "old")).await;
    assert_eq!((late.revision, late.changed), (7, false));
    a_moment().await;
    assert_eq!(host.pigeon.posts("loft")[0].shown, ["new"]);
    host.check_conservation().await;
}

async fn a_copy_that_is_tried_again_lets_others_pass(engine: Engine) {
    let host = TestHost::start(engine).await;
    let channel = host.channel("loft").await;
    host.pigeon.fate("loft", Fate::Fail(Failure::new(Cause::Unavailable, "down")));
    host.put("first", message(1, channel, "first")).await;
    host.put("second", message(1, channel, "second")).await;
    host.settles("second", DONE).await;
    host.settles("first", DONE).await;
    let order: Vec<_> = host.pigeon.posts("loft").iter().map(|post| post.shown[0].clone()).collect();
    assert_eq!(order, ["second", "first"]);
    host.check_conservation().await;
}

async fn a_message_that_is_put_again_while_it_is_taken_away_comes_back(engine: Engine) {
    let host = TestHost::start(engine).await;
    let channel = host.channel("loft").await;
    host.put("a1", message(5, channel, "first")).await;
    host.settles("a1", DONE).await;
    host.pigeon.fate("loft", Fate::Slow(Duration::from_millis(500)));
    chatport_host::delivery::delete(&host.app, &host.organization, "a1").await.unwrap();
    eventually("the removal to begin", || async { (host.pigeon.world().calls == 2).then_some(()) }).await;
    host.put("a1", message(6, channel, "again")).await;
    host.settles("a1", DONE).await;
    let shown: Vec<_> = host.pigeon.posts("loft").into_iter().filter(|post| !post.deleted).collect();
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0].shown, ["again"]);
    host.check_conservation().await;
}

async fn stopping_under_load_loses_nothing_and_doubles_nothing(engine: Engine) {
    let mut host = TestHost::start(engine).await;
    let channel = host.channel("loft").await;
    for number in 0..60 {
        host.pigeon.fate("loft", Fate::Slow(Duration::from_millis(5)));
        host.put(&format!("m-{number}"), message(1, channel, &number.to_string())).await;
    }
    for _ in 0..3 {
        host.halt().await;
        host.run();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    host.settles("m-59", DONE).await;
    let shown: Vec<_> = host.pigeon.posts("loft").iter().map(|post| post.shown[0].clone()).collect();
    assert_eq!(shown, (0..60).map(|number| number.to_string()).collect::<Vec<_>>());
    host.check_conservation().await;
}

async fn a_refusal_of_one_conversation_kills_that_copy_alone(engine: Engine) {
    let host = TestHost::start(engine).await;
    let (closed, open) = (host.channel("closed").await, host.channel("open").await);
    host.pigeon.fate("closed", Fate::Fail(Failure::new(Cause::BotNotInChannel, "not a member")));
    let both =
        json!({ "revision": 1, "targets": [{ "channel": closed }, { "channel": open }], "content": { "title": "x" } });
    host.put("a1", both).await;
    host.settles("a1", &[CopyState::Delivered, CopyState::Dead]).await;
    assert_eq!(host.pigeon.posts("open").len(), 1);
    let view = read::message(&host.app, &host.organization, "a1").await.unwrap().unwrap();
    let dead = view.copies.iter().find(|copy| copy.copy.state == CopyState::Dead).expect("a dead copy");
    assert_eq!(dead.copy.code.as_deref(), Some("bot_not_in_channel"));
    // A newer revision tries again: the bot may have been invited meanwhile.
    let again =
        json!({ "revision": 2, "targets": [{ "channel": closed }, { "channel": open }], "content": { "title": "y" } });
    host.put("a1", again).await;
    host.settles("a1", DONE).await;
    host.check_conservation().await;
}

async fn a_request_to_slow_down_holds_the_installation_and_costs_no_attempt(engine: Engine) {
    let host = TestHost::start(engine).await;
    let (one, two) = (host.channel("one").await, host.channel("two").await);
    let slow_down = Failure::new(Cause::RateLimited, "slow down").retry_after(Some(Duration::from_millis(700)));
    host.pigeon.fate("one", Fate::Fail(slow_down));
    host.put("a1", message(1, one, "x")).await;
    eventually("the first call", || async { (host.pigeon.world().calls == 1).then_some(()) }).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    host.put("a2", message(1, two, "y")).await;
    a_moment().await;
    assert_eq!(host.pigeon.world().calls, 1, "the installation should wait");
    host.settles("a1", DONE).await;
    host.settles("a2", DONE).await;
    let view = read::message(&host.app, &host.organization, "a1").await.unwrap().unwrap();
    assert_eq!(view.copies[0].history.len(), 1, "being asked to wait is no attempt");
    host.check_conservation().await;
}

async fn a_refused_credential_suspends_and_resuming_goes_on(engine: Engine) {
    let host = TestHost::start(engine).await;
    let channel = host.channel("loft").await;
    host.pigeon.fate("loft", Fate::Fail(Failure::new(Cause::Unauthorized, "who are you")));
    host.put("a1", message(1, channel, "x")).await;
    eventually("the suspension", || async {
        let row = installations::get(&host.app, &host.organization, host.installation).await.expect("read");
        (serde_json::to_value(row.state).unwrap() == "suspended").then_some(())
    })
    .await;
    host.put("a2", message(1, channel, "y")).await;
    a_moment().await;
    assert!(host.pigeon.posts("loft").is_empty(), "a suspended installation sends nothing");
    let actor = chatport_host::setup::audit::Actor::host();
    suspension::resume(&host.app, &host.organization, host.installation, &actor).await.expect("resumed");
    host.settles("a1", DONE).await;
    host.settles("a2", DONE).await;
    host.check_conservation().await;
}

async fn a_message_expires_and_says_so(engine: Engine) {
    let host = TestHost::start(engine).await;
    let channel = host.channel("loft").await;
    for _ in 0..4 {
        host.pigeon.fate("loft", Fate::Fail(Failure::new(Cause::Unavailable, "down")));
    }
    let mut brief = message(1, channel, "x");
    brief["expires_at"] = json!(host.app.clock.now().plus(Duration::from_millis(600)));
    host.put("a1", brief).await;
    host.settles("a1", &[CopyState::Expired]).await;
    a_moment().await;
    assert!(host.pigeon.posts("loft").is_empty(), "nothing is sent after its expiry");
    host.check_conservation().await;
}

async fn deleting_takes_down_what_stands_and_calls_off_the_rest(engine: Engine) {
    let mut host = TestHost::start(engine).await;
    let (shown, waiting) = (host.channel("shown").await, host.channel("waiting").await);
    host.put("a1", message(1, shown, "x")).await;
    host.settles("a1", DONE).await;
    host.halt().await;
    host.put("a2", message(1, waiting, "y")).await;
    for key in ["a1", "a2"] {
        assert!(chatport_host::delivery::delete(&host.app, &host.organization, key).await.unwrap().is_some());
    }
    host.run();
    host.settles("a1", &[CopyState::Removed]).await;
    host.settles("a2", &[CopyState::Cancelled]).await;
    assert!(host.pigeon.posts("shown")[0].deleted);
    assert!(host.pigeon.posts("waiting").is_empty());
    host.check_conservation().await;
}

async fn lines_of_the_log_become_replies_once(engine: Engine) {
    let host = TestHost::start(engine).await;
    let channel = host.channel("loft").await;
    let with_log = |revision: i64, ids: &[&str]| {
        let log: Vec<_> = ids.iter().map(|id| json!({ "id": id, "text": format!("line {id}") })).collect();
        json!({ "revision": revision, "targets": [{ "channel": channel }], "content": { "title": "root" }, "log": log })
    };
    host.put("a1", with_log(1, &["1"])).await;
    host.put("a1", with_log(2, &["1", "2"])).await;
    host.put("a1", with_log(3, &["1", "2", "3"])).await;
    host.settles("a1", DONE).await;
    let posts = host.pigeon.posts("loft");
    let replies: Vec<_> =
        posts.iter().filter(|post| post.reply_to.is_some()).map(|post| post.shown[0].as_str()).collect();
    assert_eq!(replies, ["line 1", "line 2", "line 3"]);
    assert_eq!(posts.iter().filter(|post| post.reply_to.is_none()).count(), 1);
    host.check_conservation().await;
}

async fn a_user_is_told_directly_or_named_in_the_thread(engine: Engine) {
    let host = TestHost::start(engine).await;
    let channel = host.channel("loft").await;
    host.link("u1", "ada").await;
    host.put("root", message(1, channel, "Fire")).await;
    host.put("direct", json!({ "revision": 1, "targets": [{ "user": "u1" }], "content": { "title": "wake up" } }))
        .await;
    let named = json!({ "user": "u1", "prefer": "mention", "reply_to": { "message": "root" } });
    host.put("named", json!({ "revision": 1, "targets": [named], "content": { "title": "your turn" } })).await;
    for key in ["root", "direct", "named"] {
        host.settles(key, DONE).await;
    }
    assert_eq!(host.pigeon.posts("to-ada")[0].shown, ["wake up"]);
    let posts = host.pigeon.posts("loft");
    let reply = posts.iter().find(|post| post.reply_to.is_some()).expect("a reply in the thread");
    assert_eq!(reply.shown, ["@ada your turn"]);
    host.check_conservation().await;
}

async fn what_cannot_be_resolved_is_a_dead_copy_with_a_reason(engine: Engine) {
    let host = TestHost::start(engine).await;
    let other = OrganizationId::parse("other").unwrap();
    host.organization(&other).await;
    let installation = host.install(&other).await;
    let foreign = host.channel_of(&other, installation, "foreign").await;
    let cases = [
        (json!({ "user": "nobody" }), "account_not_linked"),
        (json!({ "default": true }), "default_channel_missing"),
        (json!({ "channel": foreign }), "channel_not_found"),
    ];
    for (target, code) in cases {
        let key = format!("for {code}");
        let accepted = host.put(&key, json!({ "revision": 1, "targets": [target], "content": { "title": "x" } })).await;
        assert_eq!(accepted.copies[0].state, CopyState::Dead);
        assert_eq!(accepted.copies[0].code.as_deref(), Some(code));
    }
    a_moment().await;
    assert!(host.pigeon.world().posts.is_empty());
    host.check_conservation().await;
}

async fn an_old_fence_changes_nothing(engine: Engine) {
    let mut host = TestHost::start(engine).await;
    let channel = host.channel("loft").await;
    host.pigeon.fate("loft", Fate::Slow(Duration::from_millis(800)));
    host.put("a1", message(1, channel, "x")).await;
    eventually("the post to begin", || async { (host.pigeon.world().calls == 1).then_some(()) }).await;
    // Somebody else takes the stream while the worker is frozen.
    let sql = "UPDATE streams SET fence = fence + 1, lease_until = 9000000000000000";
    host.app.database.write().execute_unprepared(sql).await.expect("updated");
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let view = read::message(&host.app, &host.organization, "a1").await.unwrap().unwrap();
    assert_eq!(view.copies[0].copy.state, CopyState::Sending, "a result under an old fence must be dropped");
    // The other one dies; what it had is found, not posted again.
    let sql = "UPDATE streams SET lease_until = 0";
    host.app.database.write().execute_unprepared(sql).await.expect("updated");
    host.settles("a1", DONE).await;
    assert_eq!(host.pigeon.posts("loft").len(), 1);
    host.halt().await;
    host.check_conservation().await;
}

async fn a_panicking_backend_harms_nobody_else(engine: Engine) {
    let host = TestHost::start(engine).await;
    let (bad, good) = (host.channel("bad").await, host.channel("good").await);
    host.pigeon.fate("bad", Fate::Panic);
    host.put("a1", message(1, bad, "x")).await;
    host.put("a2", message(1, good, "y")).await;
    host.settles("a2", DONE).await;
    // It panicked before anything was sent, so it is tried again.
    eventually("another try", || async { (!host.pigeon.posts("bad").is_empty()).then_some(()) }).await;
}

async fn many_messages_at_once_are_all_accepted_and_delivered_in_order(engine: Engine) {
    let host = TestHost::start(engine).await;
    let mut channels = Vec::new();
    for number in 0..5 {
        channels.push(host.channel(&format!("loft{number}")).await);
    }
    for round in 0..40 {
        let puts = channels.iter().enumerate().map(|(number, channel)| {
            let (host, channel) = (&host, *channel);
            async move { host.put(&format!("m-{number}-{round}"), message(1, channel, &format!("{round}"))).await }
        });
        futures_join_all(puts).await;
    }
    for number in 0..5 {
        host.settles(&format!("m-{number}-39"), DONE).await;
        let shown: Vec<_> =
            host.pigeon.posts(&format!("loft{number}")).iter().map(|post| post.shown[0].clone()).collect();
        let wanted: Vec<_> = (0..40).map(|round| round.to_string()).collect();
        assert_eq!(shown, wanted, "in the order in which they were accepted");
    }
    host.check_conservation().await;
}

async fn futures_join_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut results = Vec::new();
    let mut pending: Vec<_> = futures.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        let mut index = 0;
        while index < pending.len() {
            match pending[index].as_mut().poll(context) {
                std::task::Poll::Ready(value) => {
                    results.push(value);
                    drop(pending.swap_remove(index));
                }
                std::task::Poll::Pending => index += 1,
            }
        }
        if pending.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    results
}

async fn what_another_process_left_on_its_way_is_taken_over(engine: Engine) {
    let mut host = TestHost::start(engine).await;
    let channel = host.channel("loft").await;
    host.halt().await;
    host.put("a1", message(1, channel, "x")).await;
    // An earlier process leased the stream, marked the copy as on its way, and died.
    for sql in [
        "UPDATE streams SET fence = fence + 1, lease_until = 1",
        "UPDATE copies SET state = 'sending', sending = revision, first_tried_at = 1",
    ] {
        host.app.database.write().execute_unprepared(sql).await.expect("updated");
    }
    host.run();
    host.settles("a1", DONE).await;
    assert_eq!(host.pigeon.posts("loft").len(), 1);
    host.check_conservation().await;
}

async fn a_full_backlog_is_refused(engine: Engine) {
    let mut host = TestHost::start(engine).await;
    let channel = host.channel("loft").await;
    host.halt().await;
    let sql = "INSERT INTO tallies (organization, outcome, total) VALUES ('acme', 'accepted', 10000000)";
    host.app.database.write().execute_unprepared(sql).await.expect("updated");
    let refused = host.try_put("a1", message(1, channel, "x")).await;
    assert!(matches!(refused, Err(AcceptError::BacklogFull { .. })), "{refused:?}");
}

async fn events_tell_how_each_revision_ended(engine: Engine) {
    let host = TestHost::start(engine).await;
    let channel = host.channel("loft").await;
    host.put("a1", message(1, channel, "x")).await;
    host.settles("a1", DONE).await;
    host.pigeon.fate("loft", Fate::Fail(Failure::new(Cause::ChannelArchived, "closed")));
    host.put("a1", message(2, channel, "y")).await;
    host.settles("a1", &[CopyState::Dead]).await;
    let page = chatport_host::events::log::after(&host.app, Some(&host.organization), 0).await.unwrap();
    let told: Vec<_> = page
        .items
        .iter()
        .filter(|event| event["type"].as_str().is_some_and(|kind| kind.starts_with("message.")))
        .map(|event| (event["type"].clone(), event["data"]["revision"].clone()))
        .collect();
    assert_eq!(told, [(json!("message.delivered"), json!(1)), (json!("message.failed"), json!(2))]);
}

async fn a_target_that_is_left_out_is_deleted_where_asked(engine: Engine) {
    let host = TestHost::start(engine).await;
    let (stays, goes) = (host.channel("stays").await, host.channel("goes").await);
    let both =
        json!({ "revision": 1, "targets": [{ "channel": stays }, { "channel": goes }], "content": { "title": "x" } });
    host.put("a1", both).await;
    host.settles("a1", DONE).await;
    let mut one = message(2, stays, "y");
    one["on_removed"] = json!("delete");
    host.put("a1", one).await;
    host.settles("a1", &[CopyState::Delivered, CopyState::Removed]).await;
    assert!(host.pigeon.posts("goes")[0].deleted);
    assert_eq!(host.pigeon.posts("stays")[0].shown, ["x", "y"]);
    host.check_conservation().await;
}

/// A message for one channel, and for another if that takes longer than so many seconds.
fn with_fallback(channel: ChannelId, after: u32, other: ChannelId) -> serde_json::Value {
    let mut document = message(1, channel, "Fire");
    document["fallback"] = json!({ "after": after, "targets": [{ "channel": other }] });
    document
}

async fn a_fallback_is_called_off_where_everything_else_has_arrived(engine: Engine) {
    let host = TestHost::start(engine).await;
    let (loft, barn) = (host.channel("loft").await, host.channel("barn").await);
    host.put("a1", with_fallback(loft, 1, barn)).await;
    host.settles("a1", &[CopyState::Delivered, CopyState::Cancelled]).await;
    assert_eq!((host.pigeon.posts("loft").len(), host.pigeon.posts("barn").len()), (1, 0));
    host.check_conservation().await;
}

async fn a_fallback_is_sent_where_the_others_are_late(engine: Engine) {
    let host = TestHost::start(engine).await;
    let (loft, barn) = (host.channel("loft").await, host.channel("barn").await);
    let hour = Failure::new(Cause::RateLimited, "later").scope(Scope::Conversation);
    host.pigeon.fate("loft", Fate::Fail(hour.retry_after(Some(Duration::from_secs(3600)))));
    host.put("a1", with_fallback(loft, 1, barn)).await;
    eventually("the fallback to be posted", || async { (host.pigeon.posts("barn").len() == 1).then_some(()) }).await;
    assert_eq!(host.pigeon.posts("loft").len(), 0);
    host.check_conservation().await;
}

async fn a_target_that_cannot_be_delivered_to_calls_the_fallback_at_once(engine: Engine) {
    let host = TestHost::start(engine).await;
    let (loft, barn) = (host.channel("loft").await, host.channel("barn").await);
    host.pigeon.fate("loft", Fate::Fail(Failure::new(Cause::ChannelArchived, "closed")));
    host.put("a1", with_fallback(loft, 3600, barn)).await;
    host.settles("a1", &[CopyState::Dead, CopyState::Delivered]).await;
    assert_eq!(host.pigeon.posts("barn").len(), 1);
    host.check_conservation().await;
}

async fn a_platform_that_keeps_failing_is_left_alone_for_a_while(engine: Engine) {
    let host = TestHost::start(engine).await;
    let mut channels = Vec::new();
    for number in 0..30 {
        let loft = format!("loft-{number}");
        channels.push(host.channel(&loft).await);
        if number < 10 {
            host.pigeon.fate(&loft, Fate::Fail(Failure::new(Cause::Unavailable, "down")));
        }
    }
    let put = async |number: usize| host.put(&format!("a{number}"), message(1, channels[number], "Fire")).await;
    futures_join_all((0..10).map(put)).await;
    let failed = || async { (host.pigeon.world().calls == 10).then_some(()) };
    eventually("ten failures", failed).await;
    futures_join_all((10..30).map(put)).await;
    a_moment().await;
    assert_eq!(host.pigeon.world().calls, 10, "those after the tenth failure wait");
    for number in 0..30 {
        host.settles(&format!("a{number}"), DONE).await;
    }
    host.check_conservation().await;
}

async fn a_clock_that_jumps_delays_and_doubles_nothing(engine: Engine) {
    let clock = WrongClock::default();
    clock.ahead(7_200);
    let host = TestHost::by(engine, Arc::new(clock.clone())).await;
    let (loft, barn) = (host.channel("loft").await, host.channel("barn").await);
    for _ in 0..3 {
        host.pigeon.fate("loft", Fate::Fail(Failure::new(Cause::Unavailable, "down")));
    }
    host.put("a1", message(1, loft, "Fire")).await;
    eventually("a failure", || async { (host.pigeon.world().calls > 0).then_some(()) }).await;
    // Somebody sets the clock right: what is to be tried again in seconds isn't in two hours.
    clock.ahead(0);
    host.settles("a1", DONE).await;
    // And makes it wrong again, while something is on its way: leases seem to have run out.
    host.pigeon.fate("barn", Fate::Slow(Duration::from_secs(2)));
    host.put("a2", message(1, barn, "Flood")).await;
    a_moment().await;
    clock.ahead(7_200);
    host.put("a3", message(1, loft, "Wind")).await;
    host.settles("a2", DONE).await;
    host.settles("a3", DONE).await;
    assert_eq!((host.pigeon.posts("loft").len(), host.pigeon.posts("barn").len()), (2, 1));
    host.check_conservation().await;
}
