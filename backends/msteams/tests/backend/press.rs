//! Presses: by clients that know universal actions, and by those that don't.

use chatport_sdk::prelude::*;
use serde_json::{Value, json};

use crate::bench::{Bench, content, reason};

pub(crate) fn with_buttons() -> Value {
    let choices = json!([{ "value": "1h", "label": "One hour" }, { "value": "1d", "label": "One day" }]);
    json!({ "title": "Disk full", "actions": [
        { "id": "ack", "label": "Acknowledge", "style": "primary" },
        { "id": "silence", "label": "Silence", "choices": choices },
    ] })
}

/// Somebody presses a button of a message that stands.
pub(crate) fn invoke(bench: &Bench, _: &str) -> Value {
    let post = bench.post(&content(with_buttons()));
    bench.teams.presses("Ada", &post.id, "Acknowledge", json!({}), false)
}

/// The press among what happened.
fn pressed(happenings: &[Happening]) -> (&Secret, Option<&str>, &Account, &str, &Receipt) {
    match &happenings[0].kind {
        HappeningKind::Pressed { token, choice, account, conversation, part } => {
            (token, choice.as_deref(), account, conversation, part)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn both_sorts_of_press_bring_the_token_back_from_the_thread_of_the_post() {
    let bench = Bench::ready();
    let outgoing = bench.outgoing(&content(with_buttons()));
    let post = bench.post(&content(with_buttons()));
    for old in [false, true] {
        let press = bench.teams.presses("Ada", &post.id, "Acknowledge", json!({}), old);
        let happenings = bench.happened(&press);
        let (token, choice, account, conversation, part) = pressed(&happenings);
        assert_eq!(token.expose(), outgoing.token("ack").expect("a token").expose());
        assert_eq!((choice, account.id.as_str()), (None, bench.teams.person_id("Ada").as_str()));
        assert_eq!((conversation, part), (bench.channel().as_str(), &post));
    }
}

#[test]
fn a_menu_brings_what_was_chosen() {
    let bench = Bench::ready();
    let post = bench.post(&content(with_buttons()));
    let chosen = bench.teams.presses("Ada", &post.id, "Silence", json!({ "c1": "1d" }), false);
    assert_eq!(pressed(&bench.happened(&chosen)).1, Some("1d"));
    let none = bench.teams.presses("Ada", &post.id, "Silence", json!({}), false);
    let Received::Answer(response) = bench.receive(&none) else { panic!("nothing was chosen") };
    assert!(String::from_utf8_lossy(&response.body).contains("Choose an entry first."));
    let none = bench.teams.presses("Ada", &post.id, "Silence", json!({}), true);
    assert!(matches!(bench.receive(&none), Received::Answer(_)));
    let said = bench.teams.posts(&bench.channel()).pop().expect("a reply");
    assert_eq!((said.text().as_str(), said.root.as_deref()), ("Choose an entry first.", Some(post.id.as_str())));
}

#[test]
fn an_invoke_that_isnt_a_press_is_answered_and_nothing_happens() {
    let bench = Bench::ready();
    let press = invoke(&bench, "");
    let mut refresh = press.clone();
    (refresh["value"]["action"]["verb"], refresh["value"]["trigger"]) = (json!("open"), json!("automatic"));
    let mut tokenless = press.clone();
    tokenless["value"]["action"]["data"] = json!({});
    let mut cardless = press.clone();
    cardless["replyToId"] = Value::Null;
    let mut nowhere = cardless.clone();
    nowhere["value"]["action"]["verb"] = json!("refresh");
    for activity in [refresh, tokenless, cardless, nowhere] {
        let Received::Answer(response) = bench.receive(&activity) else { panic!("{activity} had an effect") };
        let body: Value = serde_json::from_slice(&response.body).expect("JSON");
        assert_eq!((&body["statusCode"], &body["type"]), (&json!(400), &json!("application/vnd.microsoft.error")));
    }
    let mut other = press;
    other["name"] = "composeExtension/query".into();
    let Received::Answer(response) = bench.receive(&other) else { panic!("it had an effect") };
    assert_eq!(response.status, 501);
}

#[test]
fn the_answer_shows_the_card_with_the_notice_or_the_notice_alone() {
    let bench = Bench::ready();
    let happenings = bench.happened(&invoke(&bench, ""));
    let body = |outcome| -> Value { serde_json::from_slice(&bench.answer(&happenings, outcome).body).expect("JSON") };
    let mut answer = PressAnswer::notice(Some("It is yours.".into()));
    let alone = body(Outcome::Pressed(answer.clone()));
    assert_eq!(alone["type"], "application/vnd.microsoft.activity.message");
    assert_eq!(alone["value"], "It is yours.");
    answer.shown = Some(Box::new(bench.outgoing(&content(json!({ "title": "Taken" })))));
    let shown = body(Outcome::Pressed(answer));
    assert_eq!(shown["type"], "application/vnd.microsoft.card.adaptive");
    let card = shown["value"].to_string();
    assert!(card.contains("Taken") && card.contains("It is yours."), "{card}");
    assert!(body(Outcome::NotLinked)["value"].as_str().expect("a text").contains("send it to me"));
    let first = Some(Box::new(Outcome::Recorded));
    assert_eq!(body(Outcome::Duplicate { same_content: true, first })["value"], "Recorded.");
}

#[test]
fn a_client_that_asks_is_shown_the_card_as_it_is_now() {
    let bench = Bench::ready();
    let post = bench.post(&content(with_buttons()));
    let happenings = bench.happened(&bench.teams.refreshes("Ada", &post.id));
    let [Happening { kind: HappeningKind::RefreshAsked { token, conversation, part }, .. }] = &happenings[..] else {
        panic!("{happenings:?}");
    };
    assert_eq!((token.expose(), conversation, part), ("token-of-the-post", &bench.channel(), &post));
    assert!(!bench.teams.asked().iter().any(|(_, path)| path.contains("/members/")), "all readers get the same");
    let body = |outcome| -> Value { serde_json::from_slice(&bench.answer(&happenings, outcome).body).expect("JSON") };
    let shown = body(Outcome::Refreshed(Box::new(bench.outgoing(&content(json!({ "title": "Taken" }))))));
    assert_eq!(
        (&shown["statusCode"], &shown["type"]),
        (&json!(200), &json!("application/vnd.microsoft.card.adaptive"))
    );
    assert!(shown["value"].to_string().contains("Taken"), "{shown}");
    assert_eq!(shown["value"]["refresh"]["action"]["data"]["t"], "token-of-the-post", "it can be asked again");
    for (outcome, status) in [(Outcome::NotOurs, 400), (Outcome::Unavailable, 500)] {
        let refused = body(outcome);
        assert_eq!(
            (&refused["statusCode"], &refused["type"]),
            (&json!(status), &json!("application/vnd.microsoft.error"))
        );
    }
}

#[test]
fn a_press_in_anothers_name_is_refused() {
    let bench = Bench::ready();
    let mut press = invoke(&bench, "");
    press["from"]["id"] = "29:1nobody".into();
    assert_eq!(reason(&bench.receive(&press)), Some("not-a-member"));
}
