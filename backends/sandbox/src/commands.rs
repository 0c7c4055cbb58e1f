//! The application's own commands: messages that start with `/name`, wherever the bot is. A
//! world that was lost has forgotten them, and nobody tells it again; so it passes on whatever
//! looks like one, and leaves it to the host to say which are declared.

use chatport_sdk::{commands::is_name, prelude::*};

use crate::{SandboxBackend, world::World};

#[async_trait]
impl Commands for SandboxBackend {
    async fn sync(&self, site: &Site, commands: &[DeclaredCommand]) -> Result<Synced, Failure> {
        self.worlds.change(site, |world| {
            world.commands = Some(commands.to_vec());
            Ok::<_, Failure>(Synced::default())
        })
    }
}

/// The name of the command that a message starts with, and what follows it.
pub(crate) fn used<'a>(world: &World, text: &'a str) -> Option<(&'a str, &'a str)> {
    let (name, rest) = text.strip_prefix('/')?.split_once(char::is_whitespace).unwrap_or((&text[1..], ""));
    let is_known = match &world.commands {
        Some(commands) => commands.iter().any(|command| command.name == name),
        None => is_name(name),
    };
    is_known.then_some((name, rest.trim()))
}

/// The commands, a line for each.
pub(crate) fn help(world: &World) -> String {
    let line = |command: &DeclaredCommand| {
        let usage = format!("/{} {}", command.name, command.hint);
        format!("\n`{}`: {}", usage.trim_end(), command.description)
    };
    world.commands.iter().flatten().map(line).collect()
}
