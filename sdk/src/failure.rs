//! What went wrong at a platform. A backend says what happened and how far it reaches; the
//! host decides what to do about it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::identity::Address;

/// A failed call to a platform.
///
/// ```
/// use std::time::Duration;
///
/// use chatport_sdk::prelude::*;
///
/// // This bot is to wait, and it alone.
/// let slow = Failure::new(Cause::RateLimited, "the board answered 429").retry_after(Some(Duration::from_secs(30)));
/// assert_eq!(slow.scope, Scope::Installation);
/// // One board is closed: the other messages go on.
/// let closed = Failure::new(Cause::PermissionDenied, "the board is read-only");
/// assert_eq!((closed.scope, closed.cause.code()), (Scope::Copy, "permission_denied"));
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{cause:?} ({scope:?}): {detail}")]
#[non_exhaustive]
pub struct Failure {
    /// What happened.
    pub cause: Cause,
    /// What else is affected.
    pub scope: Scope,
    /// How long the platform asks to wait; honoured whole.
    pub retry_after: Option<Duration>,
    /// Where the conversation has gone, if the platform said so.
    pub moved_to: Option<Address>,
    /// The platform's own id of the error, e.g. `api.context.permissions.app_error`.
    pub error_id: Option<String>,
    /// For an operator's eyes. Never a secret, never a body.
    pub detail: String,
}

/// What happened, from a closed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cause {
    /// The platform asks to slow down. Costs no attempt.
    RateLimited,
    /// The platform said that it can't now (503 and the like); nothing was done.
    Unavailable,
    /// No connection could be made; nothing was sent.
    Unreachable,
    /// The request went out and no usable answer came back: it may have been done.
    NoAnswer,
    /// The credential is refused, expired or revoked.
    Unauthorized,
    /// A fresh credential has been asked for and isn't here yet. Costs no attempt.
    AwaitingCredential,
    /// The network guard refuses the address.
    AddressRefused,
    /// The platform answered with a redirect; redirects are never followed.
    RedirectRefused,
    /// No such conversation.
    ChannelNotFound,
    /// The conversation is read-only for good.
    ChannelArchived,
    /// The bot isn't a member.
    BotNotInChannel,
    /// Refused for lack of a right.
    PermissionDenied,
    /// The platform refuses this content.
    ContentRejected,
    /// The person has blocked the bot.
    RecipientBlockedBot,
    /// The account is closed.
    RecipientDeactivated,
    /// The bot can't write to this person.
    RecipientUnreachable,
    /// What was to be replied to is gone.
    ReplyRootMissing,
    /// The installation is gone on the platform's side.
    InstallationRevoked,
}

/// What the host does about a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Try again later, by the retry table.
    Temporary,
    /// Wait as long as asked, without using an attempt.
    Hold,
    /// It may have been done: find out, then decide by policy.
    Unknown,
    /// The installation needs a person: suspend it.
    Suspend,
    /// It will never work: a dead letter.
    Permanent,
}

impl Cause {
    /// The class and the public failure code of each cause.
    pub fn class_and_code(self) -> (Class, &'static str) {
        match self {
            Self::RateLimited => (Class::Hold, "rate_limited"),
            Self::AwaitingCredential => (Class::Hold, "platform_unavailable"),
            Self::Unavailable | Self::Unreachable => (Class::Temporary, "platform_unavailable"),
            Self::NoAnswer => (Class::Unknown, "unknown_outcome"),
            Self::Unauthorized | Self::InstallationRevoked => (Class::Suspend, "installation_revoked"),
            Self::AddressRefused => (Class::Suspend, "platform_unavailable"),
            Self::RedirectRefused => (Class::Permanent, "redirect_refused"),
            Self::ChannelNotFound => (Class::Permanent, "channel_not_found"),
            Self::ChannelArchived => (Class::Permanent, "channel_archived"),
            Self::BotNotInChannel => (Class::Permanent, "bot_not_in_channel"),
            Self::PermissionDenied => (Class::Permanent, "permission_denied"),
            Self::ContentRejected => (Class::Permanent, "content_rejected"),
            Self::RecipientBlockedBot => (Class::Permanent, "recipient_blocked_bot"),
            Self::RecipientDeactivated => (Class::Permanent, "recipient_deactivated"),
            Self::RecipientUnreachable => (Class::Permanent, "recipient_unreachable"),
            Self::ReplyRootMissing => (Class::Permanent, "reply_root_missing"),
        }
    }

    /// What the host does about it.
    pub fn class(self) -> Class {
        self.class_and_code().0
    }

    /// The failure code that applications see.
    pub fn code(self) -> &'static str {
        self.class_and_code().1
    }
}

/// How far a failure reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// This copy alone.
    Copy,
    /// Everything in this conversation.
    Conversation,
    /// The whole installation.
    Installation,
    /// Every installation at this server.
    Origin,
}

impl Failure {
    /// A failure with the scope that its cause usually has.
    pub fn new(cause: Cause, detail: impl Into<String>) -> Self {
        let scope = match cause.class() {
            Class::Suspend => Scope::Installation,
            Class::Hold => Scope::Installation,
            _ => Scope::Copy,
        };
        Self { cause, scope, retry_after: None, moved_to: None, error_id: None, detail: detail.into() }
    }

    /// What an application may know of it: the detail, but of an address that doesn't answer only
    /// that it doesn't. Why, e.g. that nobody listens there, is for the operator: else whoever may
    /// name addresses could look around in the host's network. For [`Health::missing`] and the like.
    ///
    /// [`Health::missing`]: crate::install::Health::missing
    pub fn for_application(&self) -> &str {
        match self.cause {
            Cause::Unreachable | Cause::NoAnswer | Cause::Unavailable | Cause::RedirectRefused => {
                "the platform can't be reached, or doesn't answer as expected"
            }
            _ => &self.detail,
        }
    }

    /// With another scope.
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// With the wait that the platform asks for.
    pub fn retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }

    /// With the platform's id of the error.
    pub fn error_id(mut self, id: impl Into<String>) -> Self {
        self.error_id = Some(id.into());
        self
    }

    /// With the place to which the conversation has gone.
    pub fn moved_to(mut self, address: Address) -> Self {
        self.moved_to = Some(address);
        self
    }
}
