//! The application's own commands. Clients show a bot's list for the narrowest scope that has
//! one; ours are those of private chats and of groups, so the list that the bot's owner made with
//! @BotFather stays as it is. <https://core.telegram.org/bots/api#setmycommands>

use chatport_sdk::prelude::*;
use serde_json::json;

use crate::{
    TelegramBackend,
    api::{Bot, BotCommand},
    runs::cut,
};

/// The commands of the bot itself.
const OWN: [&str; 4] = ["start", "link", "unlink", "help"];
/// Where commands are offered.
const SCOPES: [&str; 2] = ["all_private_chats", "all_group_chats"];
/// Longest description.
const MAX_DESCRIPTION: usize = 256;

#[async_trait]
impl Commands for TelegramBackend {
    fn check(&self, _site: &Site, commands: &[DeclaredCommand]) -> Result<(), SetupError> {
        for command in commands {
            if command.name.contains('-') {
                let detail = format!("`{}`: Telegram's commands have letters, digits and _ alone", command.name);
                return Err(SetupError::field("commands", detail));
            }
            if OWN.contains(&command.name.as_str()) {
                let detail = format!("`{}` is a command of the bot itself: take another name", command.name);
                return Err(SetupError::field("commands", detail));
            }
        }
        Ok(())
    }

    async fn sync(&self, site: &Site, commands: &[DeclaredCommand]) -> Result<Synced, Failure> {
        let bot = Bot::of(site)?;
        let wanted: Vec<BotCommand> = commands.iter().map(offered).collect();
        for kind in SCOPES {
            let scope = json!({ "type": kind });
            let present: Vec<BotCommand> = bot.call("getMyCommands", &json!({ "scope": scope })).await?;
            match wanted.as_slice() {
                _ if present == wanted => {}
                [] => bot.tell("deleteMyCommands", &json!({ "scope": scope })).await?,
                wanted => bot.tell("setMyCommands", &json!({ "commands": wanted, "scope": scope })).await?,
            }
        }
        Ok(Synced::default())
    }
}

fn offered(command: &DeclaredCommand) -> BotCommand {
    let hint = if command.hint.is_empty() { String::new() } else { format!("{} – ", command.hint) };
    BotCommand {
        command: command.name.clone(),
        description: cut(format!("{hint}{}", command.description).trim(), MAX_DESCRIPTION),
    }
}
