//! From setup to a message that was pressed, edited and taken back.

use serde_json::json;

use crate::{World, with_button};

#[tokio::test(flavor = "multi_thread")]
async fn by_a_webhook_a_message_is_posted_pressed_edited_and_taken_back() {
    whole_way("webhook").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_polling_it_goes_the_same_way() {
    whole_way("polling").await;
}

async fn whole_way(updates: &'static str) {
    let mut world = World::begin(updates).await;
    let post = world.deliver("incident-1", 1, with_button("Disk full")).await;
    assert_eq!(post.text, "🔴 Disk full\nThe disk is full.");
    assert_eq!(post.buttons()[0].0, "Acknowledge");

    // The press reaches the application with the linked user, and its notice the one who pressed.
    world.application.answer(|_| (200, json!({ "notice": "It is yours." })));
    let answered = world.server.press("Ada", world.group, post.id, "Acknowledge").await;
    assert_eq!((answered.text.as_str(), answered.alert), ("It is yours.", false));
    let event = world.application.hears("action.invoked", 0).await;
    assert_eq!(event["data"]["user"], "u-ada", "{event}");
    // Somebody who isn't linked is told how to be.
    let answered = world.server.press("Mallory", world.group, post.id, "Acknowledge").await;
    assert!(answered.text.starts_with("You aren't linked to OnCall.") && answered.alert, "{answered:?}");

    // Another process goes on where this one ends.
    assert!(world.chatport.stop().await);
    world.chatport.restart().await;
    let edited = world.deliver("incident-1", 2, json!({ "state": "resolved", "title": "Disk full" })).await;
    assert_eq!((edited.id, edited.text.as_str(), edited.edits), (post.id, "🟢 Disk full", 1));
    assert_eq!(edited.buttons(), []);

    world.acme.delete("messages/incident-1").await.expect(202);
    chatport_tests::eventually("the post to be taken back", || async {
        world.server.message(world.group, post.id).is_none().then_some(())
    })
    .await;
    // No token is in any log.
    assert!(!world.chatport.log().contains(&world.bot.token));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_while_nobody_listens_is_heard_afterwards_and_once() {
    for updates in ["webhook", "polling"] {
        let mut world = World::begin(updates).await;
        let post = world.deliver("incident-1", 1, with_button("Disk full")).await;
        world.application.answer(|_| (200, json!({ "notice": "It is yours." })));
        world.server.press("Ada", world.group, post.id, "Acknowledge").await;
        world.chatport.kill().await;
        let press = world.server.begin_press("Ada", world.group, post.id, "Acknowledge");
        world.chatport.restart().await;
        assert_eq!(world.server.wait_for(&press).await.text, "It is yours.", "{updates}");
        assert_eq!(world.application.heard_of("action.invoked").len(), 2, "{updates}");
    }
}
