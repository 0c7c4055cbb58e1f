//! What Telegram's refusals mean.

use std::time::Duration;

use chatport_sdk::{
    prelude::*,
    testkit::{json_answer, run, text_answer, with_header},
};
use chatport_telegram::TelegramBackend;
use serde_json::{Value, json};

use crate::{Bench, address, titled};

fn refusal(status: u16, description: &str, parameters: Value) -> Answer {
    let body = json!({ "ok": false, "error_code": status, "description": description, "parameters": parameters });
    json_answer(status, &body)
}

#[test]
fn every_sentence_has_its_cause() {
    let bench = Bench::new();
    let group = bench.outgoing(&titled("x"), bench.group);
    let cases = [
        (401, "Unauthorized", Cause::Unauthorized, Scope::Installation),
        (404, "Not Found", Cause::Unauthorized, Scope::Installation),
        (403, "Forbidden: bot was blocked by the user", Cause::RecipientBlockedBot, Scope::Conversation),
        (403, "Forbidden: user is deactivated", Cause::RecipientDeactivated, Scope::Conversation),
        (
            403,
            "Forbidden: bot can't initiate conversation with a user",
            Cause::RecipientUnreachable,
            Scope::Conversation,
        ),
        (403, "Forbidden: bot was kicked from the supergroup chat", Cause::BotNotInChannel, Scope::Conversation),
        (403, "Forbidden: bot is not a member of the channel chat", Cause::BotNotInChannel, Scope::Conversation),
        (403, "Forbidden: the group chat was deleted", Cause::ChannelNotFound, Scope::Conversation),
        (403, "Forbidden: something new", Cause::PermissionDenied, Scope::Conversation),
        (400, "Bad Request: chat not found", Cause::ChannelNotFound, Scope::Conversation),
        (400, "Bad Request: message thread not found", Cause::ChannelNotFound, Scope::Conversation),
        (400, "Bad Request: TOPIC_CLOSED", Cause::ChannelArchived, Scope::Conversation),
        (400, "Bad Request: message to be replied not found", Cause::ReplyRootMissing, Scope::Copy),
        (
            400,
            "Bad Request: need administrator rights in the channel chat",
            Cause::PermissionDenied,
            Scope::Conversation,
        ),
        (
            400,
            "Bad Request: not enough rights to send text messages to the chat",
            Cause::PermissionDenied,
            Scope::Conversation,
        ),
        (400, "Bad Request: can't parse entities: oh", Cause::ContentRejected, Scope::Copy),
        (400, "Bad Request: have no write access to the chat", Cause::PermissionDenied, Scope::Conversation),
        (400, "Bad Request: CHAT_SEND_PLAIN_FORBIDDEN", Cause::PermissionDenied, Scope::Conversation),
        (400, "Bad Request: CHANNEL_PRIVATE", Cause::BotNotInChannel, Scope::Conversation),
        (400, "Bad Request: something new", Cause::ContentRejected, Scope::Copy),
        (409, "Conflict: terminated by other getUpdates request", Cause::Unavailable, Scope::Copy),
        (421, "Misdirected Request", Cause::Unavailable, Scope::Copy),
        (500, "Internal Server Error", Cause::NoAnswer, Scope::Copy),
    ];
    for (status, description, cause, scope) in cases {
        // Some servers refuse with a status of success.
        for seen in [status, 200] {
            let mut answer = refusal(status, description, Value::Null);
            answer.status = http::StatusCode::from_u16(seen).expect("a status");
            bench.answers(Some(answer));
            let failure = bench.post(&group).expect_err(description);
            assert_eq!((failure.cause, failure.scope), (cause, scope), "{description} ({seen})");
        }
    }
    // Nor does each of those name the code.
    for (words, cause) in [
        ("Forbidden: bot was blocked by the user", Cause::RecipientBlockedBot),
        ("Too Many Requests: retry after 3", Cause::RateLimited),
        ("Bad Request: chat not found", Cause::ChannelNotFound),
        ("no", Cause::ContentRejected),
    ] {
        bench.answers(Some(json_answer(200, &json!({ "ok": false, "description": words }))));
        assert_eq!(bench.post(&group).expect_err(words).cause, cause, "{words}");
    }
    // In a private chat nobody else can be meant.
    let ada = bench.outgoing(&titled("x"), bench.server.user_id("Ada"));
    bench.answers(Some(refusal(400, "Bad Request: chat not found", Value::Null)));
    assert_eq!(bench.post(&ada).expect_err("refused").cause, Cause::RecipientUnreachable);
    // What isn't Telegram's, but a proxy's, tells nothing of the token, the chat or the text.
    for status in [400, 401, 403, 404, 407] {
        bench.answers(Some(text_answer(status, "<html>not here</html>")));
        let failure = bench.post(&group).expect_err("refused");
        assert_eq!((failure.cause, failure.scope), (Cause::Unavailable, Scope::Copy), "{status}");
    }
}

#[test]
fn a_text_whose_markup_a_server_cannot_read_goes_out_without() {
    let bench = Bench::new();
    let mut content = titled("Disk <full> & \"late\"");
    content.text = "See [the log](https://x.example/?a=1&b=2), **now**.".into();
    let outgoing = bench.outgoing(&content, bench.group);
    let refuse = |method| {
        let words = "Bad Request: can't parse entities: Unsupported start tag at byte offset 3";
        let body = json!({ "ok": false, "error_code": 400, "description": words });
        bench.server.fail(method, 1, chatport_fake_telegram::Fault::Refused { status: 400, body });
    };
    let plain = "Disk <full> & \"late\"\nSee the log (https://x.example/?a=1&b=2), now.";
    let shown =
        |receipt: &Receipt| bench.server.message(bench.group, receipt.id.parse().expect("an id")).expect("it stands");
    refuse("sendMessage");
    let receipt = bench.post(&outgoing).expect("posted");
    assert_eq!((shown(&receipt).text.as_str(), shown(&receipt).entities.len()), (plain, 0));
    // The next one is as it should be.
    let edit = TelegramBackend.delivery().and_then(Delivery::edit).expect("edits");
    run(edit.edit(&bench.stage.site(), &outgoing, &receipt)).expect("edited");
    assert!(!shown(&receipt).entities.is_empty());
    refuse("editMessageText");
    run(edit.edit(&bench.stage.site(), &outgoing, &receipt)).expect("edited");
    assert_eq!(shown(&receipt).text, plain);
    // It is tried once.
    refuse("sendMessage");
    refuse("sendMessage");
    assert_eq!(bench.post(&outgoing).expect_err("refused").cause, Cause::ContentRejected);
}

#[test]
fn a_wish_to_slow_down_reaches_the_group_or_the_whole_bot() {
    let bench = Bench::new();
    let ada = bench.server.user_id("Ada");
    for (chat, seconds, scope) in
        [(bench.group, 35, Scope::Conversation), (bench.group, 600, Scope::Installation), (ada, 3, Scope::Installation)]
    {
        let outgoing = bench.outgoing(&titled("x"), chat);
        let words = format!("Too Many Requests: retry after {seconds}");
        let by_body = refusal(429, &words, json!({ "retry_after": seconds }));
        let by_header = with_header(text_answer(429, "slower"), "retry-after", &seconds.to_string());
        let in_parts =
            refusal(429, &words, json!({ "retry_after": f64::from(u32::try_from(seconds).expect("few")) - 0.5 }));
        for answer in [by_body, by_header, in_parts] {
            bench.answers(Some(answer));
            let failure = bench.post(&outgoing).expect_err("refused");
            assert_eq!((failure.cause, failure.scope), (Cause::RateLimited, scope));
            assert_eq!(failure.retry_after, Some(Duration::from_secs(seconds)));
        }
    }
}

#[test]
fn a_group_that_has_moved_names_its_new_address() {
    let bench = Bench::new();
    let parameters = json!({ "migrate_to_chat_id": -1_009_876 });
    bench.answers(Some(refusal(400, "Bad Request: group chat was upgraded to a supergroup chat", parameters)));
    let failure = bench.post(&bench.outgoing(&titled("x"), bench.group)).expect_err("refused");
    assert_eq!(failure.moved_to, Some(address(-1_009_876)));
}

#[test]
fn edits_and_deletions_of_what_is_gone_or_the_same_are_no_failures() {
    let bench = Bench::new();
    let delivery = TelegramBackend.delivery().expect("delivery");
    let (edit, delete) = (delivery.edit().expect("edits"), delivery.delete().expect("deletions"));
    let outgoing = bench.outgoing(&titled("x"), bench.group);
    let receipt = bench.post(&outgoing).expect("posted");
    let site = bench.stage.site();
    assert_eq!(run(edit.edit(&site, &outgoing, &receipt)), Ok(Edited::Done(receipt.clone())), "not modified");
    bench.answers(Some(refusal(400, "Bad Request: message can't be edited", Value::Null)));
    assert_eq!(run(edit.edit(&site, &outgoing, &receipt)), Ok(Edited::TooOld));
    bench.answers(None);
    // In another chat the same id is another message.
    let elsewhere = bench.outgoing(&titled("x"), bench.server.user_id("Ada"));
    assert_eq!(run(edit.edit(&site, &elsewhere, &receipt)), Ok(Edited::Gone));
    for _ in 0..2 {
        assert_eq!(run(delete.delete(&site, &outgoing.address, &receipt)), Ok(()));
    }
    assert_eq!(run(edit.edit(&site, &outgoing, &receipt)), Ok(Edited::Gone));
}
