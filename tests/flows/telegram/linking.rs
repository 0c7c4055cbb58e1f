//! Linking people, groups, channels and topics by codes; and what ends a link.

use chatport_fake_telegram::ChatKind;
use chatport_tests::{eventually, organization::text};
use serde_json::{Value, json};

use crate::{World, with_button};

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_linked_by_a_typed_code_and_unlinked_by_a_command() {
    let world = World::begin("webhook").await;
    let mallory = world.bot.private("Mallory");
    world.server.start_bot("Mallory", &world.bot.token, "");
    world.bot.says(mallory, "To link yourself, ask OnCall for a code").await;
    world.server.tell_bot("Mallory", &world.bot.token, "AAAA-BBBB-CCCC");
    world.bot.says(mallory, "This code isn't valid, or not any more.").await;

    let code = text(&world.acme.user_code(&world.bot.installation, "u-mallory").await, "code");
    world.server.tell_bot("Mallory", &world.bot.token, &code.to_lowercase());
    world.bot.says(mallory, "You are linked to user u-mallory of OnCall.").await;
    let link = world.application.hears("account.linked", 1).await["data"]["link"].clone();
    assert_eq!((&link["user"], &link["account"]["id"]), (&json!("u-mallory"), &json!(mallory.to_string())));

    world.server.tell_bot("Mallory", &world.bot.token, "/unlink");
    world.bot.says(mallory, "You aren't linked to OnCall any more.").await;
    world.application.hears("account.unlinked", 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persons_code_that_others_could_read_is_void() {
    let world = World::begin("webhook").await;
    let code = text(&world.acme.user_code(&world.bot.installation, "u-mallory").await, "code");
    world.server.say("Mallory", world.group, &format!("/start {code}"));
    world.bot.says(world.group, "Others could read that code, so it is void.").await;
    world.server.start_bot("Mallory", &world.bot.token, &code);
    world.bot.says(world.bot.private("Mallory"), "This code isn't valid").await;
    assert_eq!(world.acme.accounts().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_and_a_topic_of_a_forum_are_connected_where_the_code_is_posted() {
    let world = World::begin("webhook").await;
    let channel = world.server.add_chat(ChatKind::Channel, "Status");
    world.server.add_to(channel, "Ada", &world.bot.token, true);
    world.server.post_in(channel, &text(&world.acme.channel_code(&world.bot.installation).await, "code"));
    world.bot.says(channel, "This chat is linked to OnCall.").await;
    let forum = world.server.add_chat(ChatKind::Supergroup, "Forum");
    let topic = world.server.add_topic(forum);
    world.server.add_to(forum, "Ada", &world.bot.token, true);
    world.server.say_in("Ada", forum, topic, &text(&world.acme.channel_code(&world.bot.installation).await, "code"));
    world.bot.says(forum, "This chat is linked to OnCall.").await;

    for (title, chat, thread) in [("Status", channel, None), ("Forum", forum, Some(topic))] {
        let target = json!([{ "channel": world.acme.channel(title).await["id"] }]);
        world.acme.say(title, json!({ "revision": 1, "targets": target, "content": with_button(title) })).await;
        world.acme.delivered(title).await;
        let posts = world.server.posts(&world.bot.token, chat);
        let post = posts.iter().find(|post| post.markup.is_some()).expect("the post");
        assert_eq!(post.thread, thread);
        // A press there is the copy's.
        let answered = world.server.press("Ada", chat, post.id, "Acknowledge").await;
        assert_eq!(answered.text, "");
    }
    // A closed topic refuses what a channel takes.
    world.server.close_topic(forum, topic);
    let target = json!([{ "channel": world.acme.channel("Forum").await["id"] }]);
    world.acme.say("late", json!({ "revision": 1, "targets": target, "content": { "title": "x" } })).await;
    let message = world.acme.settles("late", "dead").await;
    assert_eq!(message["copies"][0]["code"], "channel_archived");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_becomes_a_supergroup_keeps_its_channel() {
    let world = World::begin("webhook").await;
    let small = world.server.add_chat(ChatKind::Group, "Small");
    world.server.add_to(small, "Ada", &world.bot.token, false);
    world.bot.connect_chat(small, "Ada").await;
    let target = json!([{ "channel": world.acme.channel("Small").await["id"] }]);
    world.acme.say("before", json!({ "revision": 1, "targets": target, "content": { "title": "before" } })).await;
    world.acme.delivered("before").await;
    let large = world.server.upgrade(small);
    // Whichever comes first, Telegram's word or a refused message, the channel goes along.
    world.acme.say("after", json!({ "revision": 1, "targets": target, "content": { "title": "after" } })).await;
    world.acme.delivered("after").await;
    assert!(world.server.posts(&world.bot.token, large).iter().any(|post| post.text == "after"));
    eventually("Telegram's word to be taken", || async { (world.server.pending(&world.bot.token) == 0).then_some(()) })
        .await;
    // From now on nothing goes to where it was.
    world.acme.say("later", json!({ "revision": 1, "targets": target, "content": { "title": "later" } })).await;
    world.acme.delivered("later").await;
    let sent = world.server.calls_of("sendMessage").pop().expect("a call");
    assert_eq!((sent.status, &sent.body["chat_id"], &sent.body["text"]), (200, &json!(large), &json!("<b>later</b>")));
    assert_eq!(world.acme.channel("Small").await["status"], "active");
}

/// A message to somebody; its copy when it has ended.
async fn ends(world: &World, key: &str, target: Value) -> Value {
    world.acme.say(key, json!({ "revision": 1, "targets": [target], "content": { "title": key } })).await;
    world.acme.settles(key, "dead").await["copies"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_is_blocked_or_taken_out_says_so() {
    let world = World::begin("webhook").await;
    world.server.block("Ada", &world.bot.token);
    let copy = ends(&world, "to-ada", json!({ "user": "u-ada" })).await;
    assert_eq!(copy["code"], "recipient_blocked_bot");

    let group = text(&world.acme.channel("Incidents").await, "id");
    world.server.mute(world.group, true);
    assert_eq!(ends(&world, "muted", json!({ "channel": group })).await["code"], "permission_denied");
    world.server.kick(world.group, "Ada", &world.bot.token);
    eventually("the channel to be lost", || async {
        (world.acme.channel("Incidents").await["status"] == "lost").then_some(())
    })
    .await;
    world.application.hears("channel.changed", 0).await;
}
