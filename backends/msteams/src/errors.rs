//! What the connector's refusals mean, in one table. Only the status and the error's code count:
//! messages are for people, and change.
//!
//! The codes are documented at
//! <https://learn.microsoft.com/microsoftteams/platform/bots/build-conversational-capability#status-codes-from-bot-conversational-apis>
//! and, for a blocked bot, at
//! <https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/send-proactive-messages>.

use std::time::Duration;

use chatport_sdk::prelude::*;
use serde_json::Value;

/// What was tried: the same refusal means different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Making a post.
    Create,
    /// Making a post below another one.
    Reply,
    /// Opening a personal chat.
    Open,
    /// Anything that can be repeated without harm.
    Other,
}

/// The post isn't there (any more).
pub(crate) const NO_ACTIVITY: &str = "ActivityNotFoundInConversation";

/// Which answers a row is about.
#[derive(Clone, Copy)]
enum Code {
    Is(&'static str),
    Any,
}

struct Row {
    operation: Option<Operation>,
    statuses: (u16, u16),
    code: Code,
    cause: Cause,
    scope: Scope,
}

const fn row(operation: Option<Operation>, statuses: (u16, u16), code: Code, cause: Cause, scope: Scope) -> Row {
    Row { operation, statuses, code, cause, scope }
}

use Code::{Any, Is};
const CREATE: Option<Operation> = Some(Operation::Create);
const REPLY: Option<Operation> = Some(Operation::Reply);
const OPEN: Option<Operation> = Some(Operation::Open);

/// The first row that fits counts.
#[rustfmt::skip]
const TABLE: &[Row] = &[
    row(None,   (300, 399), Any, Cause::RedirectRefused, Scope::Copy),
    row(None,   (401, 401), Any, Cause::Unauthorized, Scope::Installation),
    // Limits count for a thread; other conversations go on.
    row(None,   (429, 429), Any, Cause::RateLimited, Scope::Conversation),
    row(None,   (408, 408), Any, Cause::Unavailable, Scope::Copy),
    // Too much at once in one conversation; nothing was done.
    row(None,   (412, 412), Any, Cause::Unavailable, Scope::Copy),
    row(None,   (413, 413), Any, Cause::ContentRejected, Scope::Copy),

    row(None,   (403, 403), Is("MessageWritesBlocked"), Cause::RecipientBlockedBot, Scope::Conversation),
    row(None,   (403, 403), Is("ConversationBlockedByUser"), Cause::RecipientBlockedBot, Scope::Conversation),
    row(None,   (403, 403), Is("BotDisabledByAdmin"), Cause::InstallationRevoked, Scope::Installation),
    row(OPEN,   (403, 404), Any, Cause::RecipientUnreachable, Scope::Conversation),
    row(OPEN,   (400, 400), Any, Cause::RecipientUnreachable, Scope::Conversation),
    row(None,   (403, 403), Is("BotNotInConversationRoster"), Cause::BotNotInChannel, Scope::Conversation),
    row(None,   (403, 403), Is("InvalidBotApiHost"), Cause::PermissionDenied, Scope::Conversation),
    row(None,   (403, 403), Any, Cause::PermissionDenied, Scope::Copy),

    row(REPLY,  (404, 404), Is(NO_ACTIVITY), Cause::ReplyRootMissing, Scope::Copy),
    row(None,   (404, 404), Is(NO_ACTIVITY), Cause::ContentRejected, Scope::Copy),
    row(None,   (404, 404), Is("ConversationNotFound"), Cause::ChannelNotFound, Scope::Conversation),
    // A page of something that isn't the connector.
    row(None,   (404, 404), Any, Cause::Unavailable, Scope::Copy),
    row(None,   (400, 499), Any, Cause::ContentRejected, Scope::Copy),

    row(None,   (503, 503), Any, Cause::Unavailable, Scope::Copy),
    // It may have been posted before something broke.
    row(CREATE, (500, 599), Any, Cause::NoAnswer, Scope::Copy),
    row(REPLY,  (500, 599), Any, Cause::NoAnswer, Scope::Copy),
    row(None,   (500, 599), Any, Cause::Unavailable, Scope::Copy),
];

/// The failure that an answer with an error status stands for.
pub(crate) fn failure(operation: Operation, answer: &Answer, now: Timestamp) -> Failure {
    let (status, code) = (answer.status.as_u16(), code(answer));
    let fits = |row: &&Row| {
        row.operation.is_none_or(|wanted| wanted == operation)
            && (row.statuses.0..=row.statuses.1).contains(&status)
            && match row.code {
                Is(wanted) => code.as_deref() == Some(wanted),
                Any => true,
            }
    };
    // Nothing is known of a status below 300 that isn't success.
    let (cause, scope) = TABLE.iter().find(fits).map_or((Cause::NoAnswer, Scope::Copy), |row| (row.cause, row.scope));
    let failure = Failure::new(cause, format!("Teams answered {status}")).scope(scope).retry_after(wait(answer, now));
    match code {
        Some(code) => failure.error_id(code),
        None => failure,
    }
}

/// The error's code, if there is one that looks like one: nothing else of a body is kept. It is
/// `error.code`; a blocked bot's stands as `subCode` in JSON within the message.
fn code(answer: &Answer) -> Option<String> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    let inner = |message: &Value| -> Option<Value> { serde_json::from_str(message.as_str()?).ok() };
    let nested = inner(&body["message"]).or_else(|| inner(&body["error"]["message"]));
    let sub = nested.as_ref().map_or(&Value::Null, |nested| &nested["subCode"]);
    let candidates = [sub, &body["subCode"], &body["error"]["code"], &body["code"]];
    let plain = |code: &&str| (1..=64).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    candidates.into_iter().filter_map(Value::as_str).find(plain).map(str::to_owned)
}

/// How long Teams asks to wait.
fn wait(answer: &Answer, now: Timestamp) -> Option<Duration> {
    matches!(answer.status.as_u16(), 412 | 429 | 502..=504).then(|| answer.retry_after(now)).flatten()
}

/// What it means that no usable answer came to `operation`.
pub(crate) fn silence(operation: Operation, error: HttpError) -> Failure {
    match (operation, Failure::from(error)) {
        (Operation::Open | Operation::Other, failure) if failure.cause == Cause::NoAnswer => {
            Failure::new(Cause::Unavailable, failure.detail)
        }
        (_, failure) => failure,
    }
}
