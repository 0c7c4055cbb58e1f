//! What updates become, and what is said to them. Whatever somebody sends: no panic, and no effect
//! without the secret.

use chatport_sdk::{
    happening::{CodeRefusal, PressAnswer},
    prelude::*,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::Bench;

/// Any JSON, with the names that updates have.
fn any_update() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-3_i64..3).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "(/start|/unlink|/x@oncall_bot|K7QX-2M4P-9ZRT|private|group|channel|left|kicked) ?[a-z]{0,3}"
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 96, 8, |inner| {
        let names = prop::sample::select(vec![
            "update_id",
            "message",
            "channel_post",
            "callback_query",
            "my_chat_member",
            "message_id",
            "date",
            "chat",
            "id",
            "type",
            "title",
            "username",
            "from",
            "is_bot",
            "first_name",
            "sender_chat",
            "text",
            "data",
            "message_thread_id",
            "is_topic_message",
            "is_automatic_forward",
            "reply_to_message",
            "migrate_to_chat_id",
            "migrate_from_chat_id",
            "new_chat_member",
            "status",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names, inner), 0..10)
                .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn nothing_that_is_sent_has_an_effect_without_the_secret(update in any_update(), bytes in any::<Vec<u8>>()) {
        let bench = Bench::new();
        for body in [update.to_string().into_bytes(), bytes] {
            for secret in ["", "wrong"] {
                let received = bench.receives(secret, body.clone());
                prop_assert!(matches!(received, Received::Refused { .. }), "{received:?}");
            }
            // With it: whatever it is, no panic, and Telegram isn't asked to send it again.
            let received = bench.receives(&bench.secret(), body);
            prop_assert!(!matches!(received, Received::Refused { .. }), "{received:?}");
        }
    }
}

fn chat(kind: &str, id: i64) -> Value {
    json!({ "id": id, "type": kind, "title": "Incidents" })
}

fn ada() -> Value {
    json!({ "id": 7, "is_bot": false, "first_name": "Ada", "last_name": "L", "username": "ada" })
}

/// An update with a message by Ada.
fn message(chat: Value, more: Value) -> Value {
    let mut message = json!({ "message_id": 5, "date": 1_767_268_800, "chat": chat, "from": ada() });
    for (name, value) in more.as_object().expect("an object") {
        message[name] = value.clone();
    }
    json!({ "update_id": 11, "message": message })
}

fn private(text: &str) -> Value {
    message(chat("private", 7), json!({ "text": text }))
}

fn in_group(text: &str) -> Value {
    message(chat("supergroup", -1_007), json!({ "text": text }))
}

#[test]
fn codes_are_heard_wherever_they_are_typed() {
    let bench = Bench::new();
    let of = |update: Value| match bench.hears(&update)?.kind {
        HappeningKind::CodeEntered { code, account, place } => {
            let place = match place {
                Place::Direct { address } => address.expect("an address").0["chat"].to_string(),
                Place::Posted { conversation } => conversation.id,
                other => panic!("{other:?}"),
            };
            Some((code.expose().to_owned(), account.id, place))
        }
        _ => None,
    };
    let code = "K7QX-2M4P-9ZRT";
    let is = |account: &str, place: &str| Some((code.to_owned(), account.to_owned(), place.to_owned()));
    assert_eq!(of(private(&format!("/start {code}"))), is("7", "7"));
    assert_eq!(of(private(&format!("/link@OnCall_Bot {code}"))), is("7", "7"));
    assert_eq!(of(private(code)), is("7", "7"));
    assert_eq!(of(in_group(&format!("/start@oncall_bot {code}"))), is("7", "-1007"));
    assert_eq!(of(in_group(code)), is("7", "-1007"));
    assert_eq!(of(in_group(&format!("/start@other_bot {code}"))), None);
    // A channel's posts are the channel's, and an admin may write in the group's name.
    let post = json!({ "message_id": 5, "date": 1, "chat": chat("channel", -1_008), "text": code,
        "sender_chat": chat("channel", -1_008) });
    assert_eq!(of(json!({ "update_id": 12, "channel_post": post })), is("-1008", "-1008"));
    let anonymous = json!({ "text": code, "sender_chat": chat("supergroup", -1_007) });
    assert_eq!(of(message(chat("supergroup", -1_007), anonymous)), is("-1007", "-1007"));
    // What a channel posts comes again in its discussion group: it was heard already.
    let again = json!({ "text": code, "is_automatic_forward": true, "sender_chat": chat("channel", -1_008) });
    assert_eq!(of(message(chat("supergroup", -1_007), again)), None);
    // Other bots say nothing.
    assert_eq!(
        of(message(chat("supergroup", -1_007), json!({ "text": code, "from": { "id": 8, "is_bot": true } }))),
        None
    );
}

/// The same update of a server that writes what isn't there as `null`.
fn with_nulls(update: &Value) -> Value {
    let names =
        ["text", "caption", "title", "username", "last_name", "from", "sender_chat", "reply_to_message", "data"];
    let more = ["message_thread_id", "is_topic_message", "is_automatic_forward", "migrate_to_chat_id", "is_member"];
    match update {
        Value::Object(members) => {
            let mut all: serde_json::Map<_, _> =
                members.iter().map(|(name, member)| (name.clone(), with_nulls(member))).collect();
            for name in names.into_iter().chain(more) {
                all.entry(name).or_insert(Value::Null);
            }
            all.insert("a_member_of_tomorrow".into(), json!({ "id": u64::MAX }));
            Value::Object(all)
        }
        other => other.clone(),
    }
}

#[test]
fn what_is_null_counts_as_left_out_and_what_is_new_is_passed_over() {
    let bench = Bench::new();
    let member = json!({ "update_id": 13, "my_chat_member": { "chat": chat("group", -7), "from": ada(), "date": 1,
        "new_chat_member": { "status": "left" } } });
    let pressed = press(json!({ "message_id": 5, "date": 0, "chat": chat("supergroup", -1_007) }));
    let moved = message(chat("group", -44), json!({ "migrate_to_chat_id": -1_009 }));
    for update in [private("K7QX-2M4P-9ZRT"), in_group("/start K7QX-2M4P-9ZRT"), member, pressed, moved] {
        let plain = bench.hears(&update).expect("a happening");
        let with_nulls = bench.hears(&with_nulls(&update));
        assert_eq!(format!("{:?}", with_nulls.expect("the same")), format!("{plain:?}"));
    }
}

#[test]
fn what_is_written_under_a_picture_counts_as_a_text() {
    let bench = Bench::new();
    let (bot, _) = bench.server.bot(&bench.token);
    let root = json!({ "message_id": 4, "date": 1, "chat": chat("supergroup", -1_007), "from": { "id": bot, "is_bot": true } });
    let more = json!({ "photo": [{ "file_id": "p" }], "caption": "it looks like this", "reply_to_message": root });
    let heard = bench.hears(&message(chat("supergroup", -1_007), more)).expect("a reply");
    assert!(matches!(heard.kind, HappeningKind::Replied { text, .. } if text == "it looks like this"));
}

#[test]
fn what_else_people_do_is_heard_as_what_it_is() {
    let bench = Bench::new();
    let (bot, _) = bench.server.bot(&bench.token);
    let kind = |update: Value| bench.hears(&update).map(|happening| happening.kind);
    assert!(matches!(kind(private("/unlink")), Some(HappeningKind::UnlinkAsked { account }) if account.id == "7"));
    assert!(matches!(kind(private("hello")), Some(HappeningKind::Commanded { text, .. }) if text == "hello"));
    assert!(matches!(kind(private("/start")), Some(HappeningKind::Commanded { .. })));
    assert!(kind(in_group("hello")).is_none() && kind(in_group("/start")).is_none());
    let used = kind(in_group("/status@oncall_bot of db-1"));
    assert!(
        matches!(used, Some(HappeningKind::CommandUsed { name, text, .. }) if name == "status" && text == "of db-1")
    );

    let root = json!({ "message_id": 4, "date": 1, "chat": chat("supergroup", -1_007), "from": { "id": bot, "is_bot": true } });
    let reply = message(chat("supergroup", -1_007), json!({ "text": "on it", "reply_to_message": root }));
    let replied = kind(reply);
    assert!(matches!(replied, Some(HappeningKind::Replied { part, text, .. }) if part.id == "4" && text == "on it"));

    let moved = kind(message(chat("group", -44), json!({ "migrate_to_chat_id": -1_009 })));
    assert!(matches!(moved, Some(HappeningKind::ConversationMoved { from, to }) if from == "-44" && to.id == "-1009"));
    let member = |status: &str| {
        let change = json!({ "chat": chat("supergroup", -1_007), "from": ada(), "date": 1,
            "new_chat_member": { "status": status } });
        kind(json!({ "update_id": 13, "my_chat_member": change }))
    };
    for status in ["left", "kicked"] {
        let lost = member(status);
        assert!(matches!(lost, Some(HappeningKind::ConversationLost { conversation }) if conversation == "-1007"));
    }
    assert!(member("administrator").is_none() && member("restricted").is_none());
    // Who was restricted stays so when it leaves.
    let change = json!({ "chat": chat("supergroup", -1_007), "from": ada(), "date": 1,
        "new_chat_member": { "status": "restricted", "is_member": false } });
    let gone = kind(json!({ "update_id": 13, "my_chat_member": change }));
    assert!(matches!(gone, Some(HappeningKind::ConversationLost { .. })));
}

#[test]
fn whoever_guesses_on_and_on_in_a_group_gets_no_more_answers_there() {
    let bench = Bench::new();
    let said = |update: Value, refusal| {
        let heard = bench.hears(&update).expect("a code");
        bench.says(&heard, Outcome::CodeRefused(refusal))["chat_id"].clone()
    };
    let code = "K7QX-2M4P-9ZRT";
    assert_eq!(said(in_group(code), CodeRefusal::NotValid), -1_007);
    assert_eq!(said(in_group(code), CodeRefusal::TooManyAttempts), Value::Null);
    assert_eq!(said(private(code), CodeRefusal::TooManyAttempts), 7);
}

#[test]
fn a_topic_is_part_of_the_address_and_not_of_the_conversation() {
    let bench = Bench::new();
    let more = json!({ "text": "K7QX-2M4P-9ZRT", "message_thread_id": 3, "is_topic_message": true });
    let heard = bench.hears(&message(chat("supergroup", -1_007), more)).expect("a code");
    let HappeningKind::CodeEntered { place: Place::Posted { conversation }, .. } = &heard.kind else {
        panic!("{heard:?}")
    };
    assert_eq!((conversation.id.as_str(), &conversation.address.0["thread"]), ("-1007", &json!(3)));
    let said = bench.says(&heard, Outcome::CodeRefused(CodeRefusal::NotValid));
    assert_eq!((&said["chat_id"], &said["message_thread_id"]), (&json!(-1007), &json!(3)));
    // Replies in other groups have such a number too.
    let more = json!({ "text": "K7QX-2M4P-9ZRT", "message_thread_id": 3 });
    let heard = bench.hears(&message(chat("supergroup", -1_007), more)).expect("a code");
    let HappeningKind::CodeEntered { place: Place::Posted { conversation }, .. } = &heard.kind else {
        panic!("{heard:?}")
    };
    assert_eq!(conversation.address.0.get("thread"), None);
}

fn press(message: Value) -> Value {
    json!({ "update_id": 14, "callback_query": { "id": "99", "from": ada(), "chat_instance": "c", "data": "token",
        "message": message } })
}

#[test]
fn a_press_is_of_who_pressed_even_where_the_message_cannot_be_reached_any_more() {
    let bench = Bench::new();
    let full = json!({ "message_id": 5, "date": 1_767_268_800, "chat": chat("supergroup", -1_007), "text": "x",
        "from": { "id": 1, "is_bot": true, "first_name": "b" } });
    let inaccessible = json!({ "message_id": 5, "date": 0, "chat": chat("supergroup", -1_007) });
    for shown in [full, inaccessible] {
        let heard = bench.hears(&press(shown)).expect("a press");
        assert_eq!(heard.id, "14");
        let HappeningKind::Pressed { token, account, conversation, part, choice } = &heard.kind else {
            panic!("{heard:?}")
        };
        assert_eq!((token.expose(), account.id.as_str(), conversation.as_str()), ("token", "7", "-1007"));
        assert_eq!((part.id.as_str(), choice), ("5", &None));
    }
    let mut nowhere = press(json!({}));
    nowhere["callback_query"].as_object_mut().expect("an object").remove("message");
    assert!(bench.hears(&nowhere).is_none());
}

#[test]
fn a_press_is_answered_with_at_most_two_hundred_characters() {
    let bench = Bench::new();
    let inaccessible = json!({ "message_id": 5, "date": 0, "chat": chat("supergroup", -1_007) });
    let heard = bench.hears(&press(inaccessible)).expect("a press");
    let pressed = |notice: Option<&str>| Outcome::Pressed(PressAnswer::notice(notice.map(str::to_owned)));
    let plain = json!({ "method": "answerCallbackQuery", "callback_query_id": "99" });
    assert_eq!(bench.says(&heard, pressed(None)), plain);
    let said = bench.says(&heard, pressed(Some("It is yours, <b>@all</b>.")));
    assert_eq!((&said["text"], &said["show_alert"]), (&json!("It is yours, <b>@all</b>."), &json!(false)));
    let long = bench.says(&heard, pressed(Some(&"🔥".repeat(300))));
    assert!(long["text"].as_str().is_some_and(|text| text.encode_utf16().count() <= 200 && text.ends_with('…')));
    for (outcome, words) in [(Outcome::NotLinked, "You aren't linked"), (Outcome::NotOurs, "isn't active any more")] {
        let said = bench.says(&heard, outcome);
        assert!(said["text"].as_str().is_some_and(|text| text.contains(words)) && said["show_alert"] == true, "{said}");
    }
    let again = Outcome::Duplicate { same_content: true, first: Some(Box::new(pressed(Some("first")))) };
    assert_eq!(bench.says(&heard, again)["text"], "first");
}
