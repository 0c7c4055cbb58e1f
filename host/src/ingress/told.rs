//! What the application hears of presses, commands and replies: the `data` of their events.

use chatport_sdk::{identity::ConversationKind, schemars::JsonSchema};
use serde::{Deserialize, Serialize};

use crate::{
    ids::{ChannelId, CopyId, InstallationId},
    setup::links::LinkedAccount,
};

/// `action.invoked`: somebody pressed a button or chose from a menu.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ActionInvoked {
    /// The installation.
    pub installation: InstallationId,
    /// Its backend.
    pub backend: String,
    /// The key of the message.
    pub message: String,
    /// The revision that the presser saw.
    pub revision: i64,
    /// The copy that was pressed.
    pub copy: CopyId,
    /// The channel in which it stands, if it is a connected one.
    pub channel: Option<ChannelId>,
    /// The id of the action.
    pub action: String,
    /// The value of what was chosen.
    pub choice: Option<String>,
    /// The user, if the account is linked.
    pub user: Option<String>,
    /// Who pressed.
    pub account: LinkedAccount,
}

/// `command.invoked`: somebody used a declared command, or typed something that Chatport
/// doesn't know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandInvoked {
    /// The installation.
    pub installation: InstallationId,
    /// Its backend.
    pub backend: String,
    /// The name of the declared command; null for anything else.
    pub command: Option<String>,
    /// The text after the command's name.
    pub text: String,
    /// The channel in which it was typed, if it is a connected one.
    pub channel: Option<ChannelId>,
    /// Where it was typed.
    pub conversation: CommandPlace,
    /// The user, if the account is linked.
    pub user: Option<String>,
    /// Who typed it.
    pub account: LinkedAccount,
}

/// Where a command was typed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandPlace {
    /// What sort of place it is.
    pub kind: ConversationKind,
    /// Its short name; may be empty.
    pub name: String,
    /// Its team; may be empty.
    pub team: String,
}

/// `reply.posted`: somebody replied to a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReplyPosted {
    /// The installation.
    pub installation: InstallationId,
    /// Its backend.
    pub backend: String,
    /// The key of the message.
    pub message: String,
    /// The copy that was replied to.
    pub copy: CopyId,
    /// The channel in which it stands, if it is a connected one.
    pub channel: Option<ChannelId>,
    /// The text as typed.
    pub text: String,
    /// The user, if the account is linked.
    pub user: Option<String>,
    /// Who replied.
    pub account: LinkedAccount,
}
