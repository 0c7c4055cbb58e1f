//! What the server's refusals mean. Telegram has no names for its errors, only a status and an
//! English sentence, so the table goes by the beginning of the sentence where the status doesn't
//! tell. Nothing of a sentence but the words of the table is kept.

use std::time::Duration;

use chatport_sdk::prelude::*;
use serde::Deserialize;

use crate::address::Spot;

/// An edit that changes nothing.
pub(crate) const NOT_MODIFIED: &str = "message is not modified";
/// An edit of a message that may not be edited any more.
pub(crate) const NOT_EDITABLE: &str = "message can't be edited";
/// Edits and deletions of messages that aren't there.
pub(crate) const GONE: [&str; 3] = ["message to edit not found", "message to delete not found", "message_id_invalid"];
/// Updates are asked for, and there is a webhook.
pub(crate) const HAS_WEBHOOK: &str = "can't use getupdates method while webhook is active";
/// Markup that a server can't read.
pub(crate) const UNREADABLE: &str = "can't parse entities";
/// An address that can't be a webhook.
pub(crate) const BAD_WEBHOOK: &str = "bad webhook";

/// Longer than this is no limit of a chat: those of groups are by the minute.
const LONGEST_OF_CHAT: Duration = Duration::from_secs(60);

/// What a refusal says of itself. <https://core.telegram.org/bots/api#responseparameters>
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Refusal {
    pub(crate) error_code: Option<u16>,
    description: Option<String>,
    parameters: Option<Parameters>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Parameters {
    /// Seconds; whole ones from Telegram itself.
    retry_after: Option<f64>,
    migrate_to_chat_id: Option<i64>,
}

struct Row {
    statuses: (u16, u16),
    /// How the sentence begins, in lower case and without the name of the status; empty: any.
    words: &'static str,
    cause: Cause,
    scope: Scope,
}

const fn row(status: u16, words: &'static str, cause: Cause, scope: Scope) -> Row {
    Row { statuses: (status, status), words, cause, scope }
}

/// The first row that fits counts.
#[rustfmt::skip]
const TABLE: &[Row] = &[
    Row { statuses: (300, 399), words: "", cause: Cause::RedirectRefused, scope: Scope::Copy },
    row(401, "", Cause::Unauthorized, Scope::Installation),
    row(429, "", Cause::RateLimited, Scope::Conversation),
    row(409, HAS_WEBHOOK, Cause::Unavailable, Scope::Copy),
    row(409, "terminated by other getupdates", Cause::Unavailable, Scope::Copy),
    row(409, "", Cause::Unavailable, Scope::Copy),
    row(408, "", Cause::Unavailable, Scope::Copy),
    row(421, "", Cause::Unavailable, Scope::Copy),
    row(413, "", Cause::ContentRejected, Scope::Copy),

    row(404, "method not found", Cause::PermissionDenied, Scope::Copy),
    // A token of no known form.
    row(404, "not found", Cause::Unauthorized, Scope::Installation),
    row(404, "", Cause::Unavailable, Scope::Copy),

    row(403, "bot was blocked by the user", Cause::RecipientBlockedBot, Scope::Conversation),
    row(403, "user is deactivated", Cause::RecipientDeactivated, Scope::Conversation),
    row(403, "bot can't", Cause::RecipientUnreachable, Scope::Conversation),
    row(403, "bot was kicked", Cause::BotNotInChannel, Scope::Conversation),
    row(403, "bot is not a member", Cause::BotNotInChannel, Scope::Conversation),
    row(403, "the group chat was deleted", Cause::ChannelNotFound, Scope::Conversation),
    row(403, "", Cause::PermissionDenied, Scope::Conversation),

    row(400, "group chat was upgraded", Cause::ChannelNotFound, Scope::Conversation),
    row(400, "chat not found", Cause::ChannelNotFound, Scope::Conversation),
    row(400, "private chat not found", Cause::RecipientUnreachable, Scope::Conversation),
    row(400, "user not found", Cause::RecipientUnreachable, Scope::Conversation),
    row(400, "peer_id_invalid", Cause::RecipientUnreachable, Scope::Conversation),
    row(400, "message thread not found", Cause::ChannelNotFound, Scope::Conversation),
    row(400, "topic_deleted", Cause::ChannelNotFound, Scope::Conversation),
    row(400, "topic_closed", Cause::ChannelArchived, Scope::Conversation),
    row(400, "channel_private", Cause::BotNotInChannel, Scope::Conversation),
    row(400, "group is deactivated", Cause::ChannelArchived, Scope::Conversation),
    row(400, "message to be replied not found", Cause::ReplyRootMissing, Scope::Copy),
    row(400, "replied message not found", Cause::ReplyRootMissing, Scope::Copy),
    row(400, "need administrator rights", Cause::PermissionDenied, Scope::Conversation),
    row(400, "not enough rights", Cause::PermissionDenied, Scope::Conversation),
    row(400, "have no rights", Cause::PermissionDenied, Scope::Conversation),
    row(400, "have no write access", Cause::PermissionDenied, Scope::Conversation),
    row(400, "chat_send_plain_forbidden", Cause::PermissionDenied, Scope::Conversation),
    row(400, "chat_write_forbidden", Cause::PermissionDenied, Scope::Conversation),
    row(400, "chat_admin_required", Cause::PermissionDenied, Scope::Conversation),
    row(400, "chat_restricted", Cause::PermissionDenied, Scope::Conversation),
    row(400, "message can't be deleted", Cause::PermissionDenied, Scope::Copy),
    row(400, NOT_MODIFIED, Cause::ContentRejected, Scope::Copy),
    row(400, NOT_EDITABLE, Cause::ContentRejected, Scope::Copy),
    row(400, GONE[0], Cause::ContentRejected, Scope::Copy),
    row(400, GONE[1], Cause::ContentRejected, Scope::Copy),
    row(400, GONE[2], Cause::ContentRejected, Scope::Copy),
    row(400, BAD_WEBHOOK, Cause::ContentRejected, Scope::Copy),
    row(400, UNREADABLE, Cause::ContentRejected, Scope::Copy),
    row(400, "query is too old", Cause::ContentRejected, Scope::Copy),
    row(400, "button_data_invalid", Cause::ContentRejected, Scope::Copy),
    Row { statuses: (400, 499), words: "", cause: Cause::ContentRejected, scope: Scope::Copy },

    row(503, "", Cause::Unavailable, Scope::Copy),
    // It may have been sent before something broke.
    Row { statuses: (500, 599), words: "", cause: Cause::NoAnswer, scope: Scope::Copy },
];

/// The failure that a refusal stands for. `to`: the chat that it was about.
pub(crate) fn failure(
    method: &str,
    answer: &Answer,
    refusal: Option<&Refusal>,
    to: Option<i64>,
    now: Timestamp,
) -> Failure {
    let sentence = refusal.and_then(|refusal| refusal.description.as_deref()).unwrap_or_default().to_lowercase();
    let status = match refusal {
        Some(refusal) if answer.status.is_success() => refusal.error_code.unwrap_or_else(|| named(&sentence)),
        _ => answer.status.as_u16(),
    };
    // "Bad Request: chat not found"
    let sentence = sentence.split_once(": ").map_or(sentence.as_str(), |(_, rest)| rest);
    let fits = |row: &&Row| {
        (row.statuses.0..=row.statuses.1).contains(&status) && sentence.trim_start().starts_with(row.words)
    };
    // Nothing is known of a status below 300 that isn't success, nor of what a proxy refuses in Telegram's place.
    let row = TABLE.iter().find(fits).filter(|row| refusal.is_some() || !is_telegrams_alone(row.cause));
    let nothing = || if (400..500).contains(&status) { Cause::Unavailable } else { Cause::NoAnswer };
    let (mut cause, mut scope) = row.map_or_else(|| (nothing(), Scope::Copy), |row| (row.cause, row.scope));
    let words = row.map(|row| row.words).unwrap_or_default();
    let spot = to.map(|chat| Spot::new(chat, None));
    if cause == Cause::ChannelNotFound && spot.is_some_and(Spot::is_private) {
        cause = Cause::RecipientUnreachable;
    }
    let parameters = refusal.and_then(|refusal| refusal.parameters.as_ref());
    let asked = parameters.and_then(|parameters| parameters.retry_after).and_then(seconds);
    let wait = asked.or_else(|| answer.retry_after(now));
    if cause == Cause::RateLimited {
        scope = reach(spot, wait);
    }
    let detail = match words {
        "" => format!("Telegram answered {method} with {status}"),
        words => format!("Telegram answered {method} with {status}: {words}"),
    };
    let wait = wait.filter(|_| matches!(cause, Cause::RateLimited | Cause::Unavailable));
    let mut failure = Failure::new(cause, detail).scope(scope).retry_after(wait);
    if !words.is_empty() {
        failure = failure.error_id(words);
    }
    match parameters.and_then(|parameters| parameters.migrate_to_chat_id) {
        Some(chat) if crate::address::is_id(chat) => failure.moved_to(Spot::new(chat, None).address()),
        _ => failure,
    }
}

/// The status that a sentence names at its beginning.
fn named(sentence: &str) -> u16 {
    let names = [("unauthorized", 401), ("forbidden", 403), ("not found", 404), ("conflict", 409), ("too many", 429)];
    names.into_iter().find(|(name, _)| sentence.starts_with(name)).map_or(400, |(_, status)| status)
}

fn seconds(asked: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(asked.ceil()).ok()
}

/// Whether only Telegram's own words tell this: a proxy that refuses knows nothing of tokens, chats and texts.
fn is_telegrams_alone(cause: Cause) -> bool {
    matches!(cause, Cause::Unauthorized | Cause::PermissionDenied | Cause::ContentRejected)
}

/// How far a wish to slow down reaches. Telegram doesn't say. In a group it is the group's own
/// limit, unless it is longer than that can be; all else is the bot's, for what goes to a person
/// is paced well below that person's limit.
fn reach(to: Option<Spot>, wait: Option<Duration>) -> Scope {
    let is_of_group = to.is_some_and(|spot| !spot.is_private()) && wait.is_none_or(|wait| wait <= LONGEST_OF_CHAT);
    if is_of_group { Scope::Conversation } else { Scope::Installation }
}
