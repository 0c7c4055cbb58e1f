//! Linking people and channels by codes that are written in a world.

mod chat;

use chat::{Chat, outgoing};
use chatport_sdk::prelude::*;
use http::Method;
use serde_json::{Value, json};

const CODE: &str = "K7QX-2M4P-9ZRT";

fn write(by: &str, text: &str) -> Value {
    json!({ "as": by, "text": text })
}

#[tokio::test]
async fn a_code_in_the_direct_conversation_names_the_person_and_their_address() {
    let chat = Chat::new();
    let happening = chat.happening("/conversations/dm-ada/messages", write("ada", &format!("link {CODE}"))).await;
    let HappeningKind::CodeEntered { code, account, place: Place::Direct { address } } = &happening.kind else {
        panic!("{happening:?}")
    };
    assert_eq!(code.expose(), CODE);
    assert_eq!((account.id.as_str(), account.display_name.as_str()), ("ada", "Ada Lovelace"));
    assert_eq!(*address, Some(chat::address("dm-ada")));
}

#[tokio::test]
async fn the_bot_says_in_the_direct_conversation_what_came_of_the_code() {
    let chat = Chat::new();
    let happening = chat.happening("/conversations/dm-ada/messages", write("ada", &format!("link {CODE}"))).await;
    let outcome = Outcome::Linked { purpose: Purpose::User, name: "u-42".into() };
    let (status, answer) = chat.answer(happening, outcome).await;
    assert_eq!((status, &answer["outcome"]), (200, &json!("linked")));
    assert_eq!(answer["reply"]["text"], "Linked to user u-42 of OnCall");
    let posts = chat.posts("dm-ada").await;
    assert_eq!(posts.iter().map(|post| post["by"].as_str().unwrap()).collect::<Vec<_>>(), ["ada", "bot"]);
}

#[tokio::test]
async fn a_code_in_a_channel_names_the_channel_in_which_it_was_posted() {
    let chat = Chat::new();
    let happening = chat.happening("/conversations/general/messages", write("grace", &format!("link {CODE}"))).await;
    let HappeningKind::CodeEntered { place: Place::Posted { conversation }, account, .. } = &happening.kind else {
        panic!("{happening:?}")
    };
    assert_eq!(account.id, "grace");
    assert_eq!((conversation.id.as_str(), conversation.kind), ("general", ConversationKind::Channel));
    assert_eq!(conversation.address, chat::address("general"));
}

#[tokio::test]
async fn a_connected_channel_is_told_in_a_thread_under_the_code() {
    let chat = Chat::new();
    let happening = chat.happening("/conversations/general/messages", write("ada", &format!("link {CODE}"))).await;
    let outcome = Outcome::Linked { purpose: Purpose::Channel, name: "General".into() };
    chat.answer(happening, outcome).await;
    let posts = chat.posts("general").await;
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0]["replies"][0]["text"], "This channel is connected as General");
}

#[tokio::test]
async fn a_refused_code_in_a_channel_is_told_to_its_writer_alone() {
    let chat = Chat::new();
    let happening = chat.happening("/conversations/general/messages", write("ada", &format!("link {CODE}"))).await;
    let (_, answer) = chat.answer(happening, Outcome::CodeRefused(CodeRefusal::SeenByOthers)).await;
    assert!(answer["notice"].as_str().unwrap().contains("void"), "{answer}");
    assert_eq!(chat.posts("general").await.len(), 1);
    let seen_by =
        async |who: &str| chat.get(&format!("/conversations/general/posts?as={who}")).await["notices"].clone();
    assert_eq!(seen_by("ada").await[0]["text"], answer["notice"]);
    assert_eq!(seen_by("grace").await, json!([]));
}

#[tokio::test]
async fn talk_in_a_channel_is_not_for_the_bot() {
    let chat = Chat::new();
    for text in ["link to the dashboard is broken", "unlink", "help", "good morning"] {
        let (status, answer) = chat.call(Method::POST, "/conversations/general/messages", write("ada", text)).await;
        assert_eq!((status, &answer["outcome"]), (200, &json!("not_for_bot")), "{text}");
    }
}

#[tokio::test]
async fn a_code_where_the_bot_is_not_a_member_is_not_heard() {
    let chat = Chat::new();
    let body = write("ada", &format!("link {CODE}"));
    let (_, answer) = chat.call(Method::POST, "/conversations/private/messages", body).await;
    assert_eq!(answer["outcome"], "not_for_bot");
}

#[tokio::test]
async fn other_direct_messages_are_unlinking_help_and_commands() {
    let chat = Chat::new();
    let path = "/conversations/dm-linus/messages";
    let unlink = chat.happening(path, write("linus", "Unlink")).await;
    assert!(matches!(&unlink.kind, HappeningKind::UnlinkAsked { account } if account.id == "linus"));
    let (_, help) = chat.call(Method::POST, path, write("linus", "help")).await;
    assert!(help["reply"]["text"].as_str().unwrap().contains("link CODE"));
    let command = chat.happening(path, write("linus", "who is on call?")).await;
    let HappeningKind::Commanded { text, conversation, .. } = &command.kind else { panic!("{command:?}") };
    assert_eq!((text.as_str(), conversation.kind), ("who is on call?", ConversationKind::Direct));
}

#[tokio::test]
async fn a_reply_to_what_was_delivered_carries_its_receipt() {
    let chat = Chat::new();
    let receipt = chat.post(&outgoing("incidents", "c1", json!({ "title": "Disk full" }))).await.unwrap();
    let body = json!({ "as": "ada", "text": "on it", "reply_to": receipt.id });
    let first = chat.happening("/conversations/incidents/messages", body).await;
    let HappeningKind::Replied { part, text, .. } = &first.kind else { panic!("{first:?}") };
    assert_eq!((part, text.as_str()), (&receipt, "on it"));

    let body = json!({ "as": "grace", "text": "me too", "reply_to": "p2" });
    let second = chat.happening("/conversations/incidents/messages", body).await;
    assert!(matches!(&second.kind, HappeningKind::Replied { part, .. } if *part == receipt), "{second:?}");
    let thread = chat.posts("incidents").await;
    assert_eq!((thread.len(), thread[0]["replies"].as_array().unwrap().len()), (1, 2));
}

#[tokio::test]
async fn the_same_event_once_more_has_the_same_id_and_writes_nothing_new() {
    let chat = Chat::new();
    let path = "/conversations/dm-ada/messages";
    let first = chat.happening(path, write("ada", "who is on call?")).await;
    let again = json!({ "as": "ada", "text": "who is on call?", "id": first.id });
    let second = chat.happening(path, again).await;
    assert_eq!((&first.id, first.at), (&second.id, second.at));
    chat.answer(first, Outcome::Recorded).await;
    let duplicate = Outcome::Duplicate { same_content: true, first: Some(Box::new(Outcome::Recorded)) };
    let (status, answer) = chat.answer(second, duplicate).await;
    assert_eq!((status, &answer["duplicate"]), (200, &json!(true)));
    assert_eq!(chat.posts("dm-ada").await.len(), 2, "the message and one answer");
}

#[tokio::test]
async fn an_id_that_was_used_for_something_else_is_refused() {
    let chat = Chat::new();
    let happening = chat.happening("/conversations/dm-ada/messages", write("ada", "hello")).await;
    let (status, answer) = chat.answer(happening, Outcome::Duplicate { same_content: false, first: None }).await;
    assert_eq!(status, 409, "{answer}");
}

#[tokio::test]
async fn what_could_not_be_recorded_is_said_to_be_so() {
    let chat = Chat::new();
    let happening = chat.happening("/conversations/dm-ada/messages", write("ada", "hello")).await;
    let (status, answer) = chat.answer(happening, Outcome::Unavailable).await;
    assert_eq!((status, &answer["outcome"]), (503, &json!("unavailable")));
}

#[test]
fn a_code_is_shown_as_a_secret_text_to_send() {
    let chat = Chat::new();
    let verification = chat.backend.verification().unwrap();
    for purpose in [Purpose::User, Purpose::Channel] {
        let shown = verification.present(&chat.site, purpose, &Secret::new(CODE));
        assert_eq!(shown.steps[0].to_json(true)["send"]["value"], format!("link {CODE}"));
        for step in &shown.steps {
            assert!(!step.to_json(false).to_string().contains(CODE), "{step:?}");
        }
    }
}
