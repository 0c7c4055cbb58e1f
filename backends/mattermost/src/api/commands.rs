//! The calls that manage slash commands. They need the right to manage slash commands in the
//! command's team. See <https://developers.mattermost.com/api-documentation/>.

use chatport_sdk::prelude::*;
use http::Method;
use serde::Deserialize;
use serde_json::Value;

use super::{Client, NOTHING, usable};
use crate::errors::Operation;

/// A slash command as the server has it.
#[derive(Debug, Deserialize)]
pub(crate) struct Command {
    pub(crate) id: String,
    pub(crate) token: Secret,
    #[serde(default)]
    pub(crate) trigger: String,
    #[serde(default)]
    pub(crate) url: String,
    #[serde(default)]
    pub(crate) auto_complete_desc: String,
    #[serde(default)]
    pub(crate) auto_complete_hint: String,
}

/// Where a slash command calls.
#[derive(Debug, Deserialize)]
struct CommandUrl {
    url: String,
}

impl Client<'_> {
    /// The slash commands of a team that the bot may manage.
    pub(crate) async fn commands_of(&self, team: &str) -> Result<Vec<Command>, Failure> {
        self.get_with("/commands", &format!("team_id={team}&custom_only=true")).await
    }

    /// Make a slash command.
    pub(crate) async fn create_command(&self, command: &Value) -> Result<Command, Failure> {
        let command: Command = self.call(Operation::Other, Method::POST, "/commands", Some(command)).await?;
        usable(&command.id)?;
        Ok(command)
    }

    /// Where a slash command that the bot may manage calls.
    pub(crate) async fn command_url(&self, id: &str) -> Result<String, Failure> {
        let command: CommandUrl = self.call(Operation::Other, Method::GET, &format!("/commands/{id}"), NOTHING).await?;
        Ok(command.url)
    }

    /// Remove a slash command.
    pub(crate) async fn delete_command(&self, id: &str) -> Result<(), Failure> {
        self.call::<Value>(Operation::Other, Method::DELETE, &format!("/commands/{id}"), NOTHING).await.map(drop)
    }

    /// Let a slash command be as `command` says; its token stays.
    pub(crate) async fn change_command(&self, id: &str, command: &Value) -> Result<(), Failure> {
        self.call::<Value>(Operation::Other, Method::PUT, &format!("/commands/{id}"), Some(command)).await.map(drop)
    }
}
