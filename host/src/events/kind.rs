//! The closed list of what an application can hear.

use chatport_sdk::schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an event tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum EventKind {
    /// Setup is complete.
    #[serde(rename = "installation.activated")]
    InstallationActivated,
    /// An installation needs a person; nothing is lost, its messages wait.
    #[serde(rename = "installation.suspended")]
    InstallationSuspended,
    /// An installation is gone.
    #[serde(rename = "installation.removed")]
    InstallationRemoved,
    /// A user was linked to an account.
    #[serde(rename = "account.linked")]
    AccountLinked,
    /// A linked account has another name.
    #[serde(rename = "account.changed")]
    AccountChanged,
    /// A link is gone.
    #[serde(rename = "account.unlinked")]
    AccountUnlinked,
    /// A conversation was connected.
    #[serde(rename = "channel.linked")]
    ChannelLinked,
    /// A channel has another name, status or default mark.
    #[serde(rename = "channel.changed")]
    ChannelChanged,
    /// A channel is no longer connected.
    #[serde(rename = "channel.removed")]
    ChannelRemoved,
    /// Somebody pressed a button.
    #[serde(rename = "action.invoked")]
    ActionInvoked,
    /// Somebody typed a command that Chatport doesn't know.
    #[serde(rename = "command.invoked")]
    CommandInvoked,
    /// Somebody replied to a message.
    #[serde(rename = "reply.posted")]
    ReplyPosted,
    /// A revision of a copy is shown.
    #[serde(rename = "message.delivered")]
    MessageDelivered,
    /// A revision of a copy will not be shown.
    #[serde(rename = "message.failed")]
    MessageFailed,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::InstallationActivated,
        Self::InstallationSuspended,
        Self::InstallationRemoved,
        Self::AccountLinked,
        Self::AccountChanged,
        Self::AccountUnlinked,
        Self::ChannelLinked,
        Self::ChannelChanged,
        Self::ChannelRemoved,
        Self::ActionInvoked,
        Self::CommandInvoked,
        Self::ReplyPosted,
        Self::MessageDelivered,
        Self::MessageFailed,
    ];

    /// As it stands in an event's `type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InstallationActivated => "installation.activated",
            Self::InstallationSuspended => "installation.suspended",
            Self::InstallationRemoved => "installation.removed",
            Self::AccountLinked => "account.linked",
            Self::AccountChanged => "account.changed",
            Self::AccountUnlinked => "account.unlinked",
            Self::ChannelLinked => "channel.linked",
            Self::ChannelChanged => "channel.changed",
            Self::ChannelRemoved => "channel.removed",
            Self::ActionInvoked => "action.invoked",
            Self::CommandInvoked => "command.invoked",
            Self::ReplyPosted => "reply.posted",
            Self::MessageDelivered => "message.delivered",
            Self::MessageFailed => "message.failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_and_the_serialized_form_are_the_same() {
        for kind in EventKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
