//! Messages from the first post to the deletion.

use chatport_fake_mattermost::Notification;
use chatport_tests::{mattermost::BOT, organization::tallies};
use serde_json::{Value, json};

use crate::{World, attachment};

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_posted_edited_in_place_continued_in_its_thread_and_deleted() {
    let world = World::begin().await;
    let (server, acme) = (&world.server, &world.acme);
    let site = server.url();
    let message = |revision: i64, title: &str, log: Value| {
        let link = json!({ "url": "https://oncall.example.com/i/1", "label": "Open in OnCall" });
        let content = json!({ "state": "firing", "title": title, "text": "The disk is **full**.", "link": link });
        let targets = json!([{ "default": true }, { "user": "u-alice" }]);
        json!({ "revision": revision, "targets": targets, "content": content, "log": log })
    };

    // Posted: in the default channel, and to the person.
    acme.say("incident-1", message(1, "Disk full", json!([]))).await;
    let shown = acme.delivered("incident-1").await;
    let post = world.post("incidents");
    let card = attachment(&post);
    assert_eq!(
        (&card["title"], &card["color"], &card["title_link"]),
        (&json!("Disk full"), &json!("#a30200"), &json!("https://oncall.example.com/i/1"))
    );
    let direct = server.direct_channel(BOT, "alice");
    assert_eq!(attachment(&world.post(&direct))["title"], "Disk full");
    let permalinks: Vec<&str> =
        shown["copies"].as_array().expect("copies").iter().filter_map(|copy| copy["permalink"].as_str()).collect();
    assert_eq!(
        permalinks,
        [format!("{site}/_redirect/pl/{}", post.id), format!("{site}/_redirect/pl/{}", world.post(&direct).id)]
    );

    // Told by name in the thread of that message.
    let reply_to = json!({ "message": "incident-1" });
    let target = json!([{ "user": "u-alice", "prefer": "mention", "reply_to": reply_to }]);
    acme.say("page-1", json!({ "revision": 1, "targets": target, "content": { "title": "Your turn" } })).await;
    acme.delivered("page-1").await;
    let replies = server.replies(&post.id);
    assert_eq!((replies.len(), replies[0].message.as_str()), (1, "@alice"));
    let bot = server.user_id(BOT);
    let told: Vec<String> =
        server.notifications().into_iter().filter(|n| n.author_id == bot).map(|n| n.keyword).collect();
    assert_eq!(told, ["@alice"]);

    // A newer revision edits both in place; the log goes into the thread, each line once.
    acme.say("incident-1", message(2, "Disk fuller", json!([{ "id": "l1", "text": "Alice looks." }]))).await;
    acme.delivered("incident-1").await;
    acme.say(
        "incident-1",
        message(
            3,
            "Disk fullest",
            json!([{ "id": "l1", "text": "Alice looks." }, { "id": "l2", "text": "Alice acts." }]),
        ),
    )
    .await;
    acme.delivered("incident-1").await;
    assert_eq!(
        (world.post("incidents").id.as_str(), &attachment(&world.post("incidents"))["title"]),
        (post.id.as_str(), &json!("Disk fullest"))
    );
    assert_eq!(attachment(&world.post(&direct))["title"], "Disk fullest");
    let lines: Vec<Value> =
        server.replies(&post.id).iter().skip(1).map(|reply| attachment(reply)["text"].clone()).collect();
    assert_eq!(lines, ["Alice looks.", "Alice acts."]);
    assert_eq!(server.replies(&world.post(&direct).id).len(), 0);

    // A lower revision changes nothing.
    let older = acme.put("messages/incident-1", message(2, "Old news", json!([]))).await.expect(200);
    assert_eq!(older["revision"], 3);

    // Deleting takes all of it away.
    acme.delete("messages/incident-1").await.expect(202);
    acme.settles("incident-1", "removed").await;
    assert_eq!(world.posts("incidents").len() + world.posts(&direct).len(), 0);
    assert_eq!(tallies(&world.chatport.client()).await["in_flight"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_an_application_says_calls_a_whole_channel() {
    let world = World::begin().await;
    let calls = "@channel @all @here @Channel &#64;channel &commat;all ＠here";
    let link = json!({ "url": "https://example.com/@channel", "label": calls });
    let fact = json!({ "name": calls, "value": calls });
    let button = json!({ "id": "a", "label": "@all" });
    let content = json!({ "title": calls, "text": format!("{calls}\n```\n@channel\n```\n> @all"), "facts": [fact], "link": link, "actions": [button] });
    let mut message = json!({ "revision": 1, "targets": [{ "default": true }], "content": content });
    message["log"] = json!([{ "id": "l", "text": calls }]);
    world.acme.say("m1", message).await;
    world.acme.delivered("m1").await;
    assert_eq!(world.server.everybody_notifications(), Vec::<Notification>::new());
}
