//! What setup found out and pinned: kept in the identity's details, never a secret.

use chatport_sdk::prelude::*;
use serde::{Deserialize, Serialize};

use crate::settings::{Mode, SiteUrl};

/// What is kept about an installation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Details {
    /// The version of this shape.
    pub(crate) v: u32,
    /// How the connection was made.
    pub(crate) mode: Mode,
    /// The bot's account.
    pub(crate) bot_user_id: String,
    /// The bot's name, without `@`.
    pub(crate) bot_username: String,
    /// The app's id at the server (Apps mode).
    pub(crate) app_id: Option<String>,
    /// Where the plugin serves the app (Apps mode).
    pub(crate) app_path: Option<String>,
    /// The server's public key, base64 of DER, pinned.
    pub(crate) signing_key: Option<String>,
    /// Whether somebody accepted that presses aren't signed.
    pub(crate) unsigned_presses: bool,
    /// The server's longest message, in characters.
    pub(crate) max_post_size: Option<u64>,
    /// The slash commands whose tokens are known (bot mode).
    pub(crate) commands: Vec<TeamCommand>,
}

/// A slash command of a team.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TeamCommand {
    /// The team's id.
    pub(crate) team: String,
    /// The command's id, if it was registered from here: then it is removed from here too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
}

impl Details {
    /// The present version.
    pub(crate) const VERSION: u32 = 1;

    /// What is kept about this site, once it is set up.
    pub(crate) fn of(site: &Site) -> Option<Self> {
        let details = Self::deserialize(&site.identity()?.details).ok()?;
        (details.v == Self::VERSION).then_some(details)
    }

    /// The identity of an installation at `server`.
    pub(crate) fn identity(&self, server: &SiteUrl) -> Identity {
        Identity {
            server: server.to_string(),
            account: self.bot_user_id.clone(),
            display_name: format!("@{} at {}", self.bot_username, server.host()),
            // Texts, numbers and lists: JSON holds all of it.
            details: serde_json::to_value(self).unwrap_or_default(),
        }
    }

    /// Whether the command of this team is known.
    pub(crate) fn has_command(&self, team: &str) -> bool {
        self.commands.iter().any(|command| command.team == team)
    }
}
