//! The application's own commands, in mode `bot`: one slash command for each of them in each
//! team in which the bot may manage slash commands. Which of a team's commands are ours is
//! told by the address that they call, so nothing needs to be remembered, and whatever was
//! left half done is finished the next time.

use chatport_sdk::prelude::*;
use serde_json::{Value, json};

use crate::{
    MattermostBackend,
    api::{Client, Command, Team},
    descriptor::DECLARED_TOKEN,
    errors::DUPLICATE_TRIGGER,
    settings::{Mode, Settings},
};

/// Where the commands call, below the installation's address.
pub(crate) const PATH: &str = "/commands";

#[async_trait]
impl Commands for MattermostBackend {
    fn check(&self, site: &Site, commands: &[DeclaredCommand]) -> Result<(), SetupError> {
        let settings = Settings::of(site)?;
        if commands.is_empty() {
            return Ok(());
        }
        if settings.mode == Mode::Apps {
            return Err(SetupError::field("mode", "commands can be declared in mode `bot` alone"));
        }
        if site.ingress_url().is_none() {
            let detail = "Mattermost must reach this host to run commands: the operator has to set its public address";
            return Err(SetupError::NeedsPublicUrl(detail.into()));
        }
        let own = settings.command(site.app_name());
        if commands.iter().any(|command| command.name == own) {
            let detail = format!("`{own}` is the command by which people link themselves: take another name");
            return Err(SetupError::field("commands", detail));
        }
        Ok(())
    }

    async fn sync(&self, site: &Site, commands: &[DeclaredCommand]) -> Result<Synced, Failure> {
        let settings = Settings::in_use(site)?;
        let url = site.ingress_url().filter(|_| settings.mode == Mode::Bot).map(|ingress| format!("{ingress}{PATH}"));
        let Some(url) = url else {
            let why = "commands need mode `bot` and a public address of this host";
            return if commands.is_empty() { Ok(Synced::default()) } else { Err(refusal(why)) };
        };
        let client = Client::bot(site)?;
        let mut synced = Synced::default();
        let (mut allowed, mut refused) = (0, 0);
        for team in client.teams().await? {
            let offer = Offer { site, client: &client, team: &team, url: &url };
            match offer.bring_up_to_date(commands, &mut synced).await {
                Ok(()) => allowed += 1,
                Err(failure) if failure.cause == Cause::PermissionDenied => {
                    refused += 1;
                    let name = offer.team_name();
                    synced = synced.missing(format!("the bot may not manage slash commands in the team {name}"));
                }
                Err(failure) => return Err(failure),
            }
        }
        match (allowed, refused) {
            _ if commands.is_empty() => Ok(synced),
            (0, 0) => Err(refusal("the bot isn't in any team")),
            (0, _) => Err(refusal("the bot may not manage slash commands in any of its teams")),
            _ => Ok(synced),
        }
    }
}

/// Something that only a person can mend.
fn refusal(detail: &str) -> Failure {
    Failure::new(Cause::PermissionDenied, detail)
}

/// The commands of one team.
struct Offer<'a> {
    site: &'a Site,
    client: &'a Client<'a>,
    team: &'a Team,
    url: &'a str,
}

impl Offer<'_> {
    fn team_name(&self) -> &str {
        if self.team.display_name.is_empty() { &self.team.name } else { &self.team.display_name }
    }

    /// Whether a command is ours. The public address of this host may have changed since it
    /// was made, the slot never does.
    fn is_ours(&self, command: &Command) -> bool {
        command.url.ends_with(&format!("/{}{PATH}", self.site.slot()))
    }

    async fn bring_up_to_date(&self, wanted: &[DeclaredCommand], synced: &mut Synced) -> Result<(), Failure> {
        let mut present = self.client.commands_of(&self.team.id).await?;
        present.retain(|command| self.is_ours(command));
        for command in &present {
            match wanted.iter().find(|wanted| wanted.name == command.trigger) {
                None => match self.client.delete_command(&command.id).await {
                    Err(failure) if failure.cause != Cause::ChannelNotFound => return Err(failure),
                    _ => {}
                },
                Some(wanted) if !self.is_as_wanted(command, wanted) => {
                    let mut changed = self.registration(wanted);
                    changed["id"] = command.id.as_str().into();
                    self.client.change_command(&command.id, &changed).await?;
                }
                Some(_) => {}
            }
        }
        for wanted in wanted {
            let known = present.iter().find(|command| command.trigger == wanted.name);
            let token = match known {
                Some(command) => command.token.clone(),
                None => match self.client.create_command(&self.registration(wanted)).await {
                    Ok(made) => made.token,
                    Err(failure) if failure.error_id.as_deref() == Some(DUPLICATE_TRIGGER) => {
                        let (name, team) = (&wanted.name, self.team_name());
                        synced.missing.push(format!("there is another command /{name} in the team {team}"));
                        continue;
                    }
                    Err(failure) => return Err(failure),
                },
            };
            let label = label(&self.team.id, &wanted.name);
            synced.tokens.push(NewToken::new(DECLARED_TOKEN, token).labelled(label));
        }
        Ok(())
    }

    fn is_as_wanted(&self, command: &Command, wanted: &DeclaredCommand) -> bool {
        command.url == self.url
            && command.auto_complete_desc == wanted.description
            && command.auto_complete_hint == wanted.hint
    }

    /// The command as the server's REST interface takes it.
    fn registration(&self, wanted: &DeclaredCommand) -> Value {
        let name: String = self.site.app_name().chars().take(64).collect();
        json!({
            "team_id": self.team.id, "trigger": wanted.name, "method": "P", "url": self.url,
            "display_name": name, "description": wanted.description,
            "auto_complete": true, "auto_complete_desc": wanted.description, "auto_complete_hint": wanted.hint,
        })
    }
}

/// What a command's token stands for: a command of a team.
fn label(team: &str, name: &str) -> String {
    format!("{team}.{name}")
}

/// The team and the command of a token.
pub(crate) fn team_and_name(label: &str) -> Option<(&str, &str)> {
    label.split_once('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_tells_its_team_and_its_command() {
        let team = "a".repeat(26);
        assert_eq!(team_and_name(&label(&team, "on-call_2")), Some((team.as_str(), "on-call_2")));
        assert_eq!(team_and_name(&team), None);
    }
}
