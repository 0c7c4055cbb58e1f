//! What refusals become, by what was tried.

use std::time::Duration;

use chatport_fake_msteams::Reply;
use chatport_sdk::{
    delivery::Edited,
    prelude::*,
    testkit::{Fault, run, text_answer},
};
use serde_json::json;

use crate::bench::{Bench, answer_of, content};

#[derive(Clone, Copy, Debug)]
enum Doing {
    Posting,
    PostingToPerson,
    Replying,
    Editing,
    Deleting,
    Opening,
}
use Doing::*;

impl Bench {
    /// What becomes of this answer. `None`: success.
    fn outcome(&self, doing: Doing, answer: Answer) -> Option<Failure> {
        let (site, content) = (self.stage.site(), content(json!({ "title": "x" })));
        let (outgoing, receipt) = (self.outgoing(&content), self.post(&content));
        let mut direct = outgoing.clone();
        direct.address = self.address(&self.teams.personal_chat("Ada"), "personal");
        let mut reply = outgoing.clone();
        reply.reply_to = Some(receipt.clone());
        let mut account = Account::new(self.teams.person_id("Ada"));
        account.direct = Some(direct.address.clone());
        let delivery = self.delivery();
        self.stage.line.next([Some(Fault::Answered(answer))]);
        match doing {
            Posting => run(delivery.post(&site, &outgoing)).err(),
            PostingToPerson => run(delivery.post(&site, &direct)).err(),
            Replying => run(delivery.post(&site, &reply)).err(),
            Editing => match run(delivery.edit().expect("edit").edit(&site, &outgoing, &receipt)) {
                Ok(Edited::Gone) => None,
                Ok(other) => panic!("{other:?}"),
                Err(failure) => Some(failure),
            },
            Deleting => run(delivery.delete().expect("delete").delete(&site, &outgoing.address, &receipt)).err(),
            Opening => run(delivery.direct().expect("direct").direct(&site, &account)).err(),
        }
    }
}

/// What is tried, what is answered, and what becomes of it.
type Row = (Doing, u16, &'static str, Option<(Cause, Scope)>);

#[rustfmt::skip]
const TABLE: &[Row] = &[
    (Posting,  302, "",                               Some((Cause::RedirectRefused, Scope::Copy))),
    (Posting,  400, "BadSyntax",                      Some((Cause::ContentRejected, Scope::Copy))),
    (Posting,  401, "Unauthorized",                   Some((Cause::Unauthorized, Scope::Installation))),
    (Posting,  403, "BotNotInConversationRoster",     Some((Cause::BotNotInChannel, Scope::Conversation))),
    (Posting,  403, "ConversationBlockedByUser",      Some((Cause::RecipientBlockedBot, Scope::Conversation))),
    (Posting,  403, "BotDisabledByAdmin",             Some((Cause::InstallationRevoked, Scope::Installation))),
    (Posting,  403, "InvalidBotApiHost",              Some((Cause::PermissionDenied, Scope::Conversation))),
    (Posting,  403, "NotEnoughPermissions",           Some((Cause::PermissionDenied, Scope::Copy))),
    (Posting,  404, "ConversationNotFound",           Some((Cause::ChannelNotFound, Scope::Conversation))),
    (Posting,  404, "",                               Some((Cause::Unavailable, Scope::Copy))),
    (Posting,  408, "",                               Some((Cause::Unavailable, Scope::Copy))),
    (Posting,  412, "PreconditionFailed",             Some((Cause::Unavailable, Scope::Copy))),
    (Posting,  413, "MessageSizeTooBig",              Some((Cause::ContentRejected, Scope::Copy))),
    (Posting,  413, "RequestEntityTooLarge",          Some((Cause::ContentRejected, Scope::Copy))),
    (Posting,  429, "Throttled",                      Some((Cause::RateLimited, Scope::Conversation))),
    (Posting,  500, "ServiceError",                   Some((Cause::NoAnswer, Scope::Copy))),
    (Posting,  502, "",                               Some((Cause::NoAnswer, Scope::Copy))),
    (Posting,  503, "ServiceUnavailable",             Some((Cause::Unavailable, Scope::Copy))),
    (Posting,  504, "",                               Some((Cause::NoAnswer, Scope::Copy))),
    (PostingToPerson, 404, "ConversationNotFound",    Some((Cause::RecipientUnreachable, Scope::Conversation))),
    (PostingToPerson, 403, "BotNotInConversationRoster", Some((Cause::RecipientUnreachable, Scope::Conversation))),
    (Replying, 404, "ActivityNotFoundInConversation", Some((Cause::ReplyRootMissing, Scope::Copy))),
    (Replying, 504, "",                               Some((Cause::NoAnswer, Scope::Copy))),
    (Editing,  404, "ActivityNotFoundInConversation", None),
    (Editing,  404, "ConversationNotFound",           Some((Cause::ChannelNotFound, Scope::Conversation))),
    (Editing,  502, "",                               Some((Cause::Unavailable, Scope::Copy))),
    (Editing,  504, "",                               Some((Cause::Unavailable, Scope::Copy))),
    (Deleting, 404, "ActivityNotFoundInConversation", None),
    (Deleting, 502, "",                               Some((Cause::Unavailable, Scope::Copy))),
    (Opening,  403, "BotNotInConversationRoster",     Some((Cause::RecipientUnreachable, Scope::Conversation))),
    (Opening,  400, "BadArgument",                    Some((Cause::RecipientUnreachable, Scope::Conversation))),
    (Opening,  401, "Unauthorized",                   Some((Cause::Unauthorized, Scope::Installation))),
    (Opening,  502, "",                               Some((Cause::Unavailable, Scope::Copy))),
];

#[test]
fn every_refusal_has_its_cause_and_scope() {
    let bench = Bench::ready();
    for (doing, status, code, expected) in TABLE {
        let answer = match *code {
            "" => text_answer(*status, "<html>no</html>"),
            code => answer_of(Reply::error(*status, code, "übersetzt")),
        };
        let failure = bench.outcome(*doing, answer);
        let seen = failure.as_ref().map(|failure| (failure.cause, failure.scope));
        assert_eq!(seen, *expected, "{status} {code} while {doing:?}: {failure:?}");
        // Messages are for people; only the code is kept.
        if let Some(failure) = failure {
            let kept = failure.error_id.unwrap_or_default();
            assert!(kept == *code && !failure.detail.contains("übersetzt"), "{kept} {}", failure.detail);
        }
    }
}

#[test]
fn a_blocked_bot_is_told_in_json_within_json() {
    let bench = Bench::ready();
    for doing in [Posting, PostingToPerson, Editing, Opening] {
        let failure = bench.outcome(doing, answer_of(Reply::blocked())).expect("a failure");
        assert_eq!((failure.cause, failure.scope), (Cause::RecipientBlockedBot, Scope::Conversation), "{doing:?}");
    }
}

#[test]
fn the_wait_is_kept() {
    let bench = Bench::ready();
    let failure = bench.outcome(Posting, answer_of(Reply::too_many(30))).expect("a failure");
    assert_eq!(failure.retry_after, Some(Duration::from_secs(30)));
}

#[test]
fn an_address_part_or_receipt_of_something_else_is_refused_without_a_call() {
    let bench = Bench::ready();
    let (site, content) = (bench.stage.site(), content(json!({ "title": "x" })));
    let (good, receipt) = (bench.outgoing(&content), bench.post(&content));
    let calls = bench.stage.line.calls();
    let cause = |outgoing: &Outgoing| run(bench.delivery().post(&site, outgoing)).expect_err("foreign").cause;
    let mut foreign = good.clone();
    foreign.part.payload = json!({ "chat_id": 5 }).into();
    assert_eq!(cause(&foreign), Cause::ContentRejected);
    foreign = good.clone();
    foreign.address.0["service_url"] = "https://evil.example/".into();
    assert_eq!(cause(&foreign), Cause::PermissionDenied);
    foreign = good.clone();
    foreign.address.0["v"] = 2.into();
    assert_eq!(cause(&foreign), Cause::ChannelNotFound);
    // A post of another channel.
    foreign = good;
    foreign.address = bench.address("19:another@thread.tacv2", "channel");
    foreign.reply_to = Some(receipt.clone());
    assert_eq!(cause(&foreign), Cause::ContentRejected);
    let edit = bench.delivery().edit().expect("edit");
    assert_eq!(run(edit.edit(&site, &foreign, &receipt)).expect_err("foreign").cause, Cause::ContentRejected);
    assert_eq!(bench.stage.line.calls(), calls);
}
