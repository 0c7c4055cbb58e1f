//! Requests that nobody at the server made: all are refused, and have no effect.

use std::time::Duration;

use chatport_fake_mattermost::{ForgedClick, ForgedSlash, Post, RawAnswer, Trigger};
use chatport_tests::organization::text;
use serde_json::{Value, json};

use crate::{World, with_button};

#[tokio::test(flavor = "multi_thread")]
async fn a_press_that_is_not_proven_has_no_effect_and_all_look_alike() {
    let world = World::begin().await;
    let post = world.deliver("incident-1", with_button("Disk full")).await;
    let other = world.deliver("incident-2", with_button("Another")).await;
    let good = world.server.click("alice", &post.id, "a0", None).await;
    assert!(good.is_ok());
    world.application.hears("action.invoked", 0).await;
    let before = world.server.post(&post.id).expect("it is there");

    let hour = Duration::from_secs(3600);
    let token = |post: &Post| post.action("a0").expect("the button")["integration"]["context"]["t"].clone();
    let mut altered = token(&post).as_str().expect("a token").to_owned();
    let last = altered.pop().expect("a character");
    altered.push(if last == 'A' { 'B' } else { 'A' });
    let elsewhere = world.server.channel_id("town-square");
    let forgeries: Vec<(&str, Trigger, Value)> = vec![
        ("no token", Trigger::Good, json!({ "context": {} })),
        ("no context", Trigger::Good, json!({ "context": null })),
        ("an altered token", Trigger::Good, json!({ "context": { "t": altered } })),
        ("the token of another post", Trigger::Good, json!({ "context": { "t": token(&other) } })),
        ("moved to another post", Trigger::Good, json!({ "post_id": other.id })),
        ("moved to another channel", Trigger::Good, json!({ "channel_id": elsewhere })),
        ("in another person's name", Trigger::Good, json!({ "user_id": world.server.user_id("bob") })),
        ("a stale trigger", Trigger::Stale(hour), Value::Null),
        ("a trigger of the future", Trigger::Early(hour), Value::Null),
        ("a trigger of another person", Trigger::Of("bob".into()), Value::Null),
        ("a trigger of another server", Trigger::OtherServer, Value::Null),
        ("a tampered trigger", Trigger::Tampered, Value::Null),
        ("an empty trigger", Trigger::Empty, Value::Null),
        ("no trigger", Trigger::Absent, Value::Null),
    ];
    let mut answers = Vec::new();
    for (what, trigger, replace) in forgeries {
        let forged = ForgedClick {
            user: "alice".into(),
            post_id: post.id.clone(),
            action_id: "a0".into(),
            trigger,
            replace,
            ..ForgedClick::default()
        };
        answers.push((what, world.server.forge_click(&forged).await));
    }
    // At an address that doesn't exist it looks just the same.
    let url = post.action("a0").expect("the button")["integration"]["url"].as_str().expect("an address").to_owned();
    let slot = url.rsplit('/').nth(1).expect("a slot");
    let nowhere = url.replace(slot, &"0".repeat(slot.len()));
    let forged = ForgedClick {
        user: "alice".into(),
        post_id: post.id.clone(),
        action_id: "a0".into(),
        url: Some(nowhere),
        ..ForgedClick::default()
    };
    answers.push(("an unknown slot", world.server.forge_click(&forged).await));
    for (what, answer) in &answers {
        let said = answer.json()["ephemeral_text"].clone();
        assert_eq!((answer.status, said), (200, json!("This button isn't active any more.")), "{what}");
        assert_eq!((&answer.body, &answer.content_type), (&answers[0].1.body, &answers[0].1.content_type), "{what}");
    }

    // A trigger that was seen counts once: the same press again gets the first answer,
    // another one under it nothing.
    let again = |post: &Post| ForgedClick {
        user: "alice".into(),
        post_id: post.id.clone(),
        action_id: "a0".into(),
        trigger: Trigger::Seen(good.trigger_id.clone()),
        ..ForgedClick::default()
    };
    assert_eq!(world.server.forge_click(&again(&post)).await.status, 200);
    let moved: RawAnswer = world.server.forge_click(&again(&other)).await;
    assert_eq!(moved.json()["ephemeral_text"], "This button isn't active any more.");

    // Somebody's own button that leads here with what it could read of ours.
    let own = world.server.post_button_as("alice", "incidents", &url, json!({ "t": token(&post) }));
    let outcome = world.server.click("alice", &own, "press", None).await;
    assert_eq!(outcome.ephemeral, "This button isn't active any more.");

    assert_eq!(world.presses(), 1);
    let after = world.server.post(&post.id).expect("it is there");
    assert_eq!((after.updates, after.props), (before.updates, before.props));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_not_proven_does_nothing() {
    let world = World::begin().await;
    let code = world.acme.user_code(&world.bot.installation, "u-bob").await;
    let hour = Duration::from_secs(3600);
    let forged = |trigger: Trigger, token: Option<&str>, replace: Vec<(String, String)>| ForgedSlash {
        team: "acme".into(),
        command: "oncall".into(),
        user: "bob".into(),
        channel: "town-square".into(),
        text: format!("link {}", text(&code, "code")),
        trigger,
        token: token.map(str::to_owned),
        replace,
        ..ForgedSlash::default()
    };
    let alice = ("user_id".to_owned(), world.server.user_id("alice"));
    let globex = ("team_id".to_owned(), world.server.team_id("globex"));
    for (what, forged) in [
        ("another token", forged(Trigger::Good, Some("aaaaaaaaaaaaaaaaaaaaaaaaaa"), vec![])),
        ("no token", forged(Trigger::Good, Some(""), vec![])),
        ("another team", forged(Trigger::Good, None, vec![globex])),
        ("in another person's name", forged(Trigger::Good, None, vec![alice])),
        ("a stale trigger", forged(Trigger::Stale(hour), None, vec![])),
        ("a trigger of another person", forged(Trigger::Of("alice".into()), None, vec![])),
        ("a trigger of another server", forged(Trigger::OtherServer, None, vec![])),
        ("a tampered trigger", forged(Trigger::Tampered, None, vec![])),
        ("no trigger", forged(Trigger::Absent, None, vec![])),
    ] {
        let answer = world.server.forge_slash(&forged).await;
        assert_eq!(answer.json()["text"], "This command could not be verified.", "{what}");
    }
    assert_eq!(world.acme.accounts().await.len(), 1);
    // The code is still good for its owner.
    let said = world.server.slash("bob", "town-square", &format!("/oncall link {}", text(&code, "code"))).await;
    assert!(said.text.contains("You are linked"), "{}", said.text);
}
