//! What the server's refusals mean. Mattermost's messages are translated and its details
//! are hidden, so only the status and the error's id count; one table holds them all.
//! Proxies in front of a server answer with pages or plain text, and so does Mattermost's
//! own rate limiter: an answer without an id is judged by its status alone.

use std::time::Duration;

use chatport_sdk::prelude::*;
use http::StatusCode;
use serde::Deserialize;

/// No permission; also what is said of posts and channels that don't exist.
pub(crate) const NO_PERMISSION: &str = "api.context.permissions.app_error";
/// A post may no longer be edited.
pub(crate) const EDIT_TIME_OVER: &str = "api.post.update_post.permissions_time_limit.app_error";
/// A post was deleted while it was being edited.
pub(crate) const DELETED_MEANWHILE: &str = "api.post.update_post.permissions_details.app_error";
/// A team has a command of that name.
pub(crate) const DUPLICATE_TRIGGER: &str = "api.command.duplicate_trigger.app_error";
/// A twin of the same creation is under way.
const TWIN_UNDER_WAY: &str = "api.post.deduplicate_create_post.pending";
/// How long a twin takes.
const TWIN_WAIT: Duration = Duration::from_secs(1);

/// What was tried: the same refusal means different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Making a post.
    Create,
    /// Opening a direct conversation.
    Direct,
    /// Asking the Apps plugin for a session; its refusals are plain text.
    Session,
    /// Anything that can be repeated without harm.
    Other,
}

/// Which answers a row is about.
#[derive(Clone, Copy)]
enum Id {
    Is(&'static str),
    Absent,
    Any,
}

struct Row {
    operation: Option<Operation>,
    statuses: (u16, u16),
    id: Id,
    cause: Cause,
    scope: Scope,
}

const fn row(operation: Option<Operation>, statuses: (u16, u16), id: Id, cause: Cause, scope: Scope) -> Row {
    Row { operation, statuses, id, cause, scope }
}

use Id::{Absent, Any, Is};
const CREATE: Option<Operation> = Some(Operation::Create);
const DIRECT: Option<Operation> = Some(Operation::Direct);
const SESSION: Option<Operation> = Some(Operation::Session);

/// The first row that fits counts.
#[rustfmt::skip]
const TABLE: &[Row] = &[
    row(None,   (300, 399), Any, Cause::RedirectRefused, Scope::Copy),
    row(None,   (401, 401), Any, Cause::Unauthorized, Scope::Installation),
    row(None,   (429, 429), Any, Cause::RateLimited, Scope::Installation),
    row(None,   (408, 408), Any, Cause::Unavailable, Scope::Copy),
    row(None,   (425, 425), Any, Cause::Unavailable, Scope::Copy),
    row(None,   (413, 413), Any, Cause::ContentRejected, Scope::Copy),

    // The webhook's secret is wrong, the permission is withdrawn, the app is gone.
    row(SESSION, (400, 400), Any, Cause::Unauthorized, Scope::Installation),
    row(SESSION, (403, 403), Any, Cause::Unauthorized, Scope::Installation),
    row(SESSION, (404, 404), Any, Cause::InstallationRevoked, Scope::Installation),

    row(None,   (400, 400), Is("api.post.create_post.can_not_post_to_deleted.error"), Cause::ChannelArchived, Scope::Conversation),
    row(None,   (400, 400), Is("api.post.patch_post.can_not_update_post_in_deleted.error"), Cause::ChannelArchived, Scope::Conversation),
    row(None,   (400, 400), Is("api.post.update_post.can_not_update_post_in_deleted.error"), Cause::ChannelArchived, Scope::Conversation),
    row(None,   (400, 400), Is("api.channel.add_user_to_channel.deleted.app_error"), Cause::ChannelArchived, Scope::Conversation),
    row(None,   (400, 400), Is("api.post.create_post.root_id.app_error"), Cause::ReplyRootMissing, Scope::Copy),
    row(None,   (400, 400), Is("api.post.create_post.can_not_post_in_restricted_dm.error"), Cause::RecipientUnreachable, Scope::Conversation),
    row(None,   (403, 403), Is("api.channel.create_channel.direct_channel.team_restricted_error"), Cause::RecipientUnreachable, Scope::Conversation),
    row(None,   (400, 400), Is("api.channel.create_direct_channel.invalid_user.app_error"), Cause::RecipientUnreachable, Scope::Conversation),
    row(None,   (404, 404), Is("app.user.missing_account.const"), Cause::RecipientUnreachable, Scope::Conversation),
    row(DIRECT, (403, 403), Any, Cause::RecipientUnreachable, Scope::Conversation),

    // With the rights of a system administrator an unknown channel is a bad parameter.
    row(CREATE, (400, 400), Is("api.context.invalid_param.app_error"), Cause::ChannelNotFound, Scope::Conversation),
    // Permission is checked before existence: "not a member" and "no such channel" look alike.
    row(CREATE, (403, 403), Is(NO_PERMISSION), Cause::BotNotInChannel, Scope::Conversation),
    row(None,   (403, 403), Any, Cause::PermissionDenied, Scope::Copy),
    // A page or a route of something that isn't (or isn't yet) Mattermost.
    row(None,   (404, 404), Absent, Cause::Unavailable, Scope::Copy),
    row(None,   (404, 404), Is("api.context.404.app_error"), Cause::Unavailable, Scope::Copy),
    row(None,   (404, 404), Any, Cause::ChannelNotFound, Scope::Conversation),
    row(None,   (400, 499), Any, Cause::ContentRejected, Scope::Copy),

    row(None,   (503, 503), Any, Cause::Unavailable, Scope::Copy),
    row(None,   (500, 500), Is(TWIN_UNDER_WAY), Cause::Unavailable, Scope::Copy),
    // It may have been stored before something broke.
    row(CREATE, (500, 599), Any, Cause::NoAnswer, Scope::Copy),
    row(None,   (500, 599), Any, Cause::Unavailable, Scope::Copy),
];

/// The shape of Mattermost's errors.
#[derive(Deserialize)]
struct AppError {
    id: String,
}

/// The failure that an answer with an error status stands for.
pub(crate) fn failure(operation: Operation, answer: &Answer, now: Timestamp) -> Failure {
    let status = answer.status.as_u16();
    let id = error_id(answer);
    let fits = |row: &&Row| {
        row.operation.is_none_or(|wanted| wanted == operation)
            && (row.statuses.0..=row.statuses.1).contains(&status)
            && match row.id {
                Is(wanted) => id.as_deref() == Some(wanted),
                Absent => id.is_none(),
                Any => true,
            }
    };
    // Nothing is known of a status below 300 that isn't success.
    let (cause, scope) = TABLE.iter().find(fits).map_or((Cause::NoAnswer, Scope::Copy), |row| (row.cause, row.scope));
    let detail = match &id {
        Some(id) => format!("Mattermost answered {status} {id}"),
        None => format!("the server answered {status}, not in Mattermost's form"),
    };
    let failure = Failure::new(cause, detail).scope(scope).retry_after(wait(answer, id.as_deref(), now));
    match id {
        Some(id) => failure.error_id(id),
        None => failure,
    }
}

/// The error's id, if there is one that looks like one: nothing else of a body is kept.
fn error_id(answer: &Answer) -> Option<String> {
    let error: AppError = serde_json::from_slice(&answer.body).ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (!error.id.is_empty() && error.id.len() <= 128 && error.id.bytes().all(plain)).then_some(error.id)
}

/// How long the server asks to wait.
fn wait(answer: &Answer, id: Option<&str>, now: Timestamp) -> Option<Duration> {
    if id == Some(TWIN_UNDER_WAY) {
        return Some(TWIN_WAIT);
    }
    if !matches!(answer.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        return None;
    }
    answer.retry_after(now).or_else(|| {
        let reset = answer.headers.get("x-ratelimit-reset")?.to_str().ok()?;
        reset.trim().parse().ok().map(Duration::from_secs)
    })
}
