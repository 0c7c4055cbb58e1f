//! Posting, editing, deleting and pressing.

mod chat;

use chat::{Chat, alert, outgoing, site_with};
use chatport_sdk::prelude::*;
use http::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_post_is_edited_and_deleted_and_readers_see_its_history() {
    let chat = Chat::new();
    let firing = alert("c1");
    let receipt = chat.post(&firing).await.unwrap();
    assert_eq!(receipt.id, "p1");

    let mut resolved = outgoing("incidents", "c1", json!({ "state": "resolved", "title": "Disk has room" }));
    resolved.revision = 2;
    assert_eq!(chat.edit(&resolved, &receipt).await, Ok(Edited::Done(receipt.clone())));
    let post = &chat.posts("incidents").await[0];
    assert_eq!((&post["title"], &post["revision"]), (&json!("Disk has room"), &json!(2)));
    assert_eq!(post["history"][0]["title"], "Disk full");
    assert!(post.get("buttons").is_none());

    chat.delete(&resolved, &receipt).await.unwrap();
    let post = &chat.posts("incidents").await[0];
    assert!(post["deleted_at"].is_string());
    assert!(!post.to_string().contains("Disk"), "{post}");
    assert_eq!(chat.edit(&resolved, &receipt).await, Ok(Edited::Gone));
    assert_eq!(chat.delete(&resolved, &receipt).await, Ok(()), "gone already is what was wanted");
}

#[tokio::test]
async fn the_same_edit_once_more_changes_nothing() {
    let chat = Chat::new();
    let firing = alert("c1");
    let receipt = chat.post(&firing).await.unwrap();
    chat.edit(&firing, &receipt).await.unwrap();
    assert!(chat.posts("incidents").await[0].get("edited_at").is_none());
}

#[tokio::test]
async fn a_press_brings_the_token_of_the_button_back() {
    let chat = Chat::new();
    let receipt = chat.post(&alert("c1")).await.unwrap();
    let happening = chat.happening("/posts/p1/press", json!({ "as": "ada", "action": "ack" })).await;
    let HappeningKind::Pressed { token, choice, account, conversation, part } = &happening.kind else {
        panic!("{happening:?}")
    };
    assert_eq!((token.expose(), choice), ("token-of-ack-c1", &None));
    assert_eq!((account.id.as_str(), conversation.as_str(), part), ("ada", "incidents", &receipt));
}

#[tokio::test]
async fn choosing_from_a_menu_brings_the_choice_back() {
    let chat = Chat::new();
    chat.post(&alert("c1")).await.unwrap();
    let body = json!({ "as": "ada", "action": "silence", "choice": "1h" });
    let happening = chat.happening("/posts/p1/press", body).await;
    assert!(matches!(&happening.kind, HappeningKind::Pressed { choice: Some(choice), token, .. }
        if choice == "1h" && token.expose() == "token-of-silence-c1"));
}

#[tokio::test]
async fn readers_see_buttons_by_action_and_never_what_they_carry() {
    let chat = Chat::new();
    chat.post(&alert("c1")).await.unwrap();
    let seen = chat.get("/conversations/incidents/posts").await;
    assert_eq!(seen["posts"][0]["buttons"][0], json!({ "id": "ack", "label": "Acknowledge", "style": "primary" }));
    assert!(!seen.to_string().contains("token-of"), "{seen}");
}

#[tokio::test]
async fn a_press_answers_with_a_notice_and_what_the_post_shows_now() {
    let chat = Chat::new();
    chat.post(&alert("c1")).await.unwrap();
    let happening = chat.happening("/posts/p1/press", json!({ "as": "ada", "action": "ack" })).await;
    let mut shown = outgoing("incidents", "c1", json!({ "state": "acknowledged", "title": "Ada has it" }));
    shown.revision = 2;
    let mut answer = PressAnswer::notice(Some("It is yours.".into()));
    answer.shown = Some(Box::new(shown));
    let (status, answer) = chat.answer(happening, Outcome::Pressed(answer)).await;
    assert_eq!((status, &answer["notice"]), (200, &json!("It is yours.")));
    assert_eq!(answer["post"]["title"], "Ada has it");
    assert_eq!(chat.get("/conversations/incidents/posts?as=ada").await["notices"][0]["about"], "p1");
}

#[tokio::test]
async fn an_answer_that_comes_late_does_not_undo_a_newer_revision() {
    let chat = Chat::new();
    let receipt = chat.post(&alert("c1")).await.unwrap();
    let happening = chat.happening("/posts/p1/press", json!({ "as": "ada", "action": "ack" })).await;
    let mut newer = outgoing("incidents", "c1", json!({ "title": "Resolved" }));
    newer.revision = 3;
    chat.edit(&newer, &receipt).await.unwrap();
    let mut shown = outgoing("incidents", "c1", json!({ "title": "Ada has it" }));
    shown.revision = 2;
    let mut answer = PressAnswer::default();
    answer.shown = Some(Box::new(shown));
    let (_, answer) = chat.answer(happening, Outcome::Pressed(answer)).await;
    assert_eq!(answer["post"]["title"], "Resolved");
}

#[tokio::test]
async fn an_unlinked_presser_is_told_privately_how_to_link() {
    let chat = Chat::new();
    chat.post(&alert("c1")).await.unwrap();
    let happening = chat.happening("/posts/p1/press", json!({ "as": "linus", "action": "ack" })).await;
    let (_, answer) = chat.answer(happening, Outcome::NotLinked).await;
    assert!(answer["notice"].as_str().unwrap().contains("link CODE"), "{answer}");
    assert_eq!(chat.posts("incidents").await.len(), 1);
}

#[tokio::test]
async fn a_press_that_comes_again_is_answered_again_and_noticed_once() {
    let chat = Chat::new();
    chat.post(&alert("c1")).await.unwrap();
    let press = json!({ "as": "ada", "action": "ack", "id": "mine-1" });
    let outcome = || Outcome::Pressed(PressAnswer::notice(Some("It is yours.".into())));
    let first = chat.happening("/posts/p1/press", press.clone()).await;
    chat.answer(first, outcome()).await;
    let second = chat.happening("/posts/p1/press", press).await;
    assert_eq!(second.id, "mine-1");
    let duplicate = Outcome::Duplicate { same_content: true, first: Some(Box::new(outcome())) };
    let (status, answer) = chat.answer(second, duplicate).await;
    assert_eq!((status, &answer["notice"]), (200, &json!("It is yours.")));
    let seen = chat.get("/conversations/incidents/posts?as=ada").await;
    assert_eq!(seen["notices"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_press_of_what_is_not_there_says_what_is() {
    let chat = Chat::new();
    chat.post(&alert("c1")).await.unwrap();
    let cases = [
        ("p1", json!({ "as": "ada", "action": "resolve" }), 404, "ack, silence"),
        ("p1", json!({ "as": "ada", "action": "silence" }), 400, "1h"),
        ("p1", json!({ "as": "ada", "action": "ack", "choice": "1h" }), 400, "leave `choice` out"),
        ("p9", json!({ "as": "ada", "action": "ack" }), 404, "lists the posts"),
        ("p1", json!({ "as": "eve", "action": "ack" }), 404, "lists the people"),
    ];
    for (post, body, status, hint) in cases {
        let (got, answer) = chat.call(Method::POST, &format!("/posts/{post}/press"), body).await;
        assert_eq!(got, status, "{answer}");
        assert!(answer["hint"].as_str().unwrap().contains(hint), "{answer}");
    }
}

#[tokio::test]
async fn replies_stand_in_the_thread_of_their_root() {
    let chat = Chat::new();
    let root = chat.post(&alert("c1")).await.unwrap();
    let mut reply = outgoing("incidents", "c2", json!({ "title": "Escalated" }));
    reply.reply_to = Some(root.clone());
    chat.post(&reply).await.unwrap();
    assert_eq!(chat.posts("incidents").await[0]["replies"][0]["title"], "Escalated");

    chat.delete(&alert("c1"), &root).await.unwrap();
    assert_eq!(chat.post(&reply).await.unwrap_err().cause, Cause::ReplyRootMissing);
}

#[tokio::test]
async fn each_place_where_the_bot_cannot_write_has_its_cause() {
    let chat = Chat::new();
    let cases = [
        ("private", Cause::BotNotInChannel),
        ("archive", Cause::ChannelArchived),
        ("nowhere", Cause::ChannelNotFound),
        ("dm-eve", Cause::ChannelNotFound),
    ];
    for (place, cause) in cases {
        let failure = chat.post(&outgoing(place, "c1", json!({ "title": "Hello" }))).await.unwrap_err();
        assert_eq!(failure.cause, cause, "{place}");
    }
}

#[tokio::test]
async fn a_person_is_written_to_in_their_direct_conversation() {
    let chat = Chat::new();
    let direct = chat.delivery().direct().unwrap();
    let address = direct.direct(&chat.site, &Account::new("grace")).await.unwrap();
    let mut message = outgoing("incidents", "c1", json!({ "title": "You are on call" }));
    message.address = address;
    chat.post(&message).await.unwrap();
    assert_eq!(chat.posts("dm-grace").await[0]["title"], "You are on call");
    let failure = direct.direct(&chat.site, &Account::new("eve")).await.unwrap_err();
    assert_eq!(failure.cause, Cause::RecipientUnreachable);
}

#[tokio::test]
async fn streams_are_conversations_and_their_rate_is_declared() {
    let chat = Chat::new();
    let stream = chat.delivery().stream(&chat::address("incidents")).unwrap();
    assert_eq!(stream.key, "incidents");
    assert!(chat.backend.descriptor().rate(stream.rate).is_some());
    for address in [Value::Null, json!({ "v": 2, "conversation": "incidents" }), json!({ "v": 1 }), json!([])] {
        assert_eq!(chat.delivery().stream(&Address(address)).unwrap_err().cause, Cause::ChannelNotFound);
    }
}

#[tokio::test]
async fn beginning_is_completing() {
    let chat = Chat::new();
    let install = chat.backend.install().unwrap();
    let progress = install.begin(&chat.site).await.unwrap();
    let identity = progress.installed.unwrap();
    assert_eq!((identity.server.as_str(), identity.account.as_str()), ("sandbox", "bot"));
    assert!(progress.steps.is_empty());
    let health = install.probe(&chat.site).await;
    assert!(health.can_post && health.can_receive);
    assert!(matches!(install.submit(&chat.site, &Fields::default()).await, Err(SetupError::WrongStage(_))));
}

#[tokio::test]
async fn every_installation_has_a_world_of_its_own() {
    let chat = Chat::new();
    chat.post(&alert("c1")).await.unwrap();
    let other = Chat { site: site_with(|parts| parts.slot = "other".into()), ..chat };
    assert!(other.posts("incidents").await.is_empty());
}

#[tokio::test]
async fn after_a_restart_without_a_file_no_new_post_is_taken_for_an_old_one() {
    let identity =
        Identity { server: "sandbox".into(), account: "bot".into(), display_name: String::new(), details: Value::Null };
    let before = Chat::new();
    let old = before.post(&alert("c1")).await.unwrap();
    let after = Chat { site: site_with(|parts| parts.identity = Some(identity)), ..Chat::new() };
    let new = after.post(&alert("c2")).await.unwrap();
    assert_ne!(old.id, new.id);
    assert_eq!(after.edit(&alert("c1"), &old).await, Ok(Edited::Gone));
}

#[tokio::test]
async fn a_receipt_of_another_copy_does_not_reach_a_post_with_the_same_id() {
    let old = Chat::new().post(&alert("c1")).await.unwrap();
    let chat = Chat::new();
    let new = chat.post(&alert("c2")).await.unwrap();
    assert_eq!(old.id, new.id);
    assert_eq!(chat.edit(&alert("c1"), &old).await, Ok(Edited::Gone));
    chat.delete(&alert("c1"), &old).await.unwrap();
    assert!(chat.posts("incidents").await[0].get("deleted_at").is_none());
}

#[tokio::test]
async fn a_post_that_was_deleted_is_not_found() {
    let chat = Chat::new();
    let receipt = chat.post(&alert("c1")).await.unwrap();
    chat.delete(&alert("c1"), &receipt).await.unwrap();
    assert_eq!(chat.find(&alert("c1")).await, Found::Absent);
}
