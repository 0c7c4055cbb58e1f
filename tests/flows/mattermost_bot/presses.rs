//! Presses: what the application hears, and what the presser sees.

use serde_json::{Value, json};

use crate::{World, attachment, with_button};

#[tokio::test(flavor = "multi_thread")]
async fn a_press_reaches_the_application_and_its_answer_is_shown_at_once() {
    let world = World::begin().await;
    let post = world.deliver("incident-1", with_button("Disk full")).await;
    let taken = json!({ "state": "acknowledged", "title": "Disk full (taken)" });
    world.application.answer(move |event| match event["type"].as_str() {
        Some("action.invoked") => (200, json!({ "notice": "It is yours.", "content": taken, "revision": 2 })),
        _ => (200, Value::Null),
    });

    // Linked: event, notice, update in the very answer.
    let outcome = world.server.click("alice", &post.id, "a0", None).await;
    assert!(outcome.is_ok(), "{}", outcome.error);
    assert_eq!((outcome.ephemeral.as_str(), outcome.updated), ("It is yours.", true));
    let shown = world.post("incidents");
    assert_eq!(
        (&attachment(&shown)["title"], &attachment(&shown)["color"]),
        (&json!("Disk full (taken)"), &json!("#daa038"))
    );
    let event = world.application.hears("action.invoked", 0).await;
    assert_eq!(
        (&event["data"]["user"], &event["data"]["action"], &event["data"]["choice"]),
        (&json!("u-alice"), &json!("ack"), &Value::Null)
    );
    assert_eq!(world.acme.delivered("incident-1").await["revision"], 2);

    // Not linked: private help, and nothing else happens.
    let post = world.deliver("incident-2", with_button("Disk full again")).await;
    let outcome = world.server.click("bob", &post.id, "a0", None).await;
    assert_eq!(outcome.ephemeral, "You aren't linked to OnCall. Ask OnCall for a code and run `/oncall link CODE`.");
    assert!(!outcome.updated);
    assert_eq!(world.presses(), 1);

    // The application refuses: its words, privately.
    world.application.answer(|event| match event["type"].as_str() {
        Some("action.invoked") => (403, json!({ "notice": "You are off duty." })),
        _ => (200, Value::Null),
    });
    let outcome = world.server.click("alice", &post.id, "a0", None).await;
    assert_eq!((outcome.ephemeral.as_str(), outcome.updated), ("You are off duty.", false));

    // The application is away: the press is on disk, and heard of when it is back.
    world.application.answer(|event| match event["type"].as_str() {
        Some("action.invoked") => (503, Value::Null),
        _ => (200, Value::Null),
    });
    let outcome = world.server.click("alice", &post.id, "a0", None).await;
    assert!(outcome.ephemeral.starts_with("Recorded."), "{}", outcome.ephemeral);
    let known = world.presses();
    world.application.answer(|_| (200, Value::Null));
    world.application.hears("action.invoked", known).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_menu_brings_back_what_was_chosen() {
    let world = World::begin().await;
    let choices = json!([{ "value": "1h", "label": "One hour" }, { "value": "8h", "label": "A night" }]);
    let silence = json!({ "id": "silence", "label": "Silence", "choices": choices });
    let post = world.deliver("incident-1", json!({ "title": "Disk full", "actions": [silence] })).await;
    let menu = post.action("a0").expect("the menu");
    assert_eq!((&menu["type"], &menu["options"][1]["text"]), (&json!("select"), &json!("A night")));
    world.application.answer(|_| (200, json!({ "notice": "Silenced." })));
    let outcome = world.server.click("alice", &post.id, "a0", Some("8h")).await;
    assert_eq!(outcome.ephemeral, "Silenced.");
    assert_eq!(world.application.hears("action.invoked", 0).await["data"]["choice"], "8h");
    // What isn't in the menu can't be chosen.
    for forged in ["9h", ""] {
        let outcome = world.server.click("alice", &post.id, "a0", Some(forged)).await;
        assert_eq!(outcome.ephemeral, "This button isn't active any more.", "{forged:?}");
    }
    assert_eq!(world.presses(), 1);
}
