//! The slash command of each team: made by a person, who pastes its token, or registered
//! with the bot's own rights, where it has them.

use chatport_sdk::prelude::*;

use super::bot::Draft;
use crate::{
    address::is_id,
    api::{Client, Team},
    commands,
    descriptor::COMMAND_TOKEN,
    details::TeamCommand,
    errors::DUPLICATE_TRIGGER,
    settings::Settings,
};

const REGISTER: &str = "register_commands";
const SKIP: &str = "skip_commands";

/// The field for the token of a team's command.
fn token_field(team: &Team) -> String {
    format!("{COMMAND_TOKEN}_{}", team.id)
}

/// Ask for the commands that aren't known; without a public address, or with all of them
/// known, setup is complete.
pub(super) async fn ask(
    site: &Site,
    settings: &Settings,
    client: &Client<'_>,
    draft: &Draft,
) -> Result<Progress, SetupError> {
    let Some(url) = request_url(site) else { return Ok(draft.finish(settings)) };
    let teams = client.teams().await?;
    let without = without_command(&teams, draft);
    if !teams.is_empty() && without.is_empty() {
        return Ok(draft.finish(settings));
    }
    Ok(draft.stage("commands", steps(site, settings, draft, &without, &url, None)))
}

pub(super) fn request_url(site: &Site) -> Option<String> {
    site.ingress_url().map(|ingress| format!("{ingress}/slash"))
}

fn without_command(teams: &[Team], draft: &Draft) -> Vec<Team> {
    teams.iter().filter(|team| !draft.details.has_command(&team.id)).cloned().collect()
}

fn steps(
    site: &Site,
    settings: &Settings,
    draft: &Draft,
    teams: &[Team],
    url: &str,
    problem: Option<&str>,
) -> Vec<SetupStep> {
    let command = settings.command(site.app_name());
    let mut steps = Vec::new();
    let mut fields = Vec::new();
    for team in teams {
        let name = if team.display_name.is_empty() { &team.name } else { &team.display_name };
        let text = format!(
            "In the team **{name}**, make a slash command: **Integrations → Slash Commands → Add Slash Command**. \
             *Command Trigger Word*: `{command}`. *Request URL*: `{url}`. *Request Method*: `POST`. Save, and copy the token."
        );
        let open =
            StepKind::OpenLink { url: settings.site_url.at(&format!("/{}/integrations/commands/add", team.name)) };
        steps.push(
            SetupStep::new(format!("make-command-{}", team.id), format!("Make the command in {name}"), text, open)
                .optional(),
        );
        let help = format!("The token of `/{command}` in {name}.");
        fields
            .push(Field::new(token_field(team), format!("Command token ({name})"), FieldKind::Secret, help).optional());
    }
    if !teams.is_empty() {
        let help = "The bot makes the commands itself. It needs the right to manage slash commands in the team.";
        let register = Field::new(REGISTER, "Register the commands for me", FieldKind::Toggle, help);
        fields.push(register.default("false").optional());
        let copy = |id: &str, label: &str, value: &str| {
            let kind = StepKind::CopyValue { label: label.into(), value: ShownValue::Plain(value.into()) };
            SetupStep::new(id, format!("Copy the {label}"), "", kind).optional()
        };
        steps.push(copy("request-url", "Request URL", url));
        steps.push(copy("trigger-word", "Command Trigger Word", &command));
    }
    let help = "People and channels then can't be linked by a command; messages can still be posted.";
    fields.push(Field::new(SKIP, "Finish without commands", FieldKind::Toggle, help).default("false").optional());
    let none = "The bot isn't in any team. Add it to the teams that it is to post in, then submit this again.";
    let what = if teams.is_empty() { none } else { "Paste the token of at least one team's command." };
    let text = [problem, draft.warning.as_deref(), Some(what)].into_iter().flatten().collect::<Vec<_>>().join("\n\n");
    steps.push(SetupStep::new("commands", "Fill in the commands' tokens", text, StepKind::Fields { fields }));
    steps
}

pub(super) async fn submit(
    site: &Site,
    settings: &Settings,
    mut draft: Draft,
    fields: &Fields,
) -> Result<Progress, SetupError> {
    let Some(url) = request_url(site) else { return Ok(draft.finish(settings)) };
    let client = Client::bot(site)?;
    let without = without_command(&client.teams().await?, &draft);
    for name in without.iter().map(token_field) {
        if fields.get(&name).is_some_and(|pasted| !is_id(pasted)) {
            return Err(SetupError::field(name, "isn't a command's token: 26 letters and digits"));
        }
    }
    let mut tokens = Vec::new();
    let mut problem = None;
    for team in &without {
        let (token, id) = if let Some(pasted) = fields.secret(&token_field(team)) {
            (pasted, None)
        } else if fields.is_on(REGISTER) && problem.is_none() {
            match register(site, settings, &client, team, &url).await {
                Ok(made) => (made.token, Some(made.id)),
                Err(failure) => {
                    problem = Some(explain(site, settings, team, &failure));
                    continue;
                }
            }
        } else {
            continue;
        };
        tokens.push(NewToken::new(COMMAND_TOKEN, token).labelled(team.id.as_str()));
        draft.details.commands.push(TeamCommand { team: team.id.clone(), id });
    }
    let mut progress = match problem {
        // What was registered or pasted so far is kept all the same.
        Some(problem) => {
            let left = without_command(&without, &draft);
            draft.stage("commands", steps(site, settings, &draft, &left, &url, Some(&problem)))
        }
        None if draft.details.commands.is_empty() && !fields.is_on(SKIP) => {
            let name = without.first().map_or_else(|| SKIP.to_owned(), token_field);
            return Err(SetupError::field(
                name,
                "give at least one token, let the commands be registered, or finish without",
            ));
        }
        None => draft.finish(settings),
    };
    progress.tokens = tokens;
    Ok(progress)
}

async fn register(
    site: &Site,
    settings: &Settings,
    client: &Client<'_>,
    team: &Team,
    url: &str,
) -> Result<crate::api::Command, Failure> {
    let command = settings.command(site.app_name());
    client.create_command(&commands::registration(&team.id, &command, site.app_name(), url)).await
}

/// What the person can do about a refusal.
fn explain(site: &Site, settings: &Settings, team: &Team, failure: &Failure) -> String {
    let (name, command) = (&team.display_name, settings.command(site.app_name()));
    if failure.error_id.as_deref() == Some(DUPLICATE_TRIGGER) {
        return format!(
            "The team {name} has a command `/{command}` already. Paste its token if it is this one, or set up with another \
             `command` in the settings."
        );
    }
    match failure.cause {
        Cause::PermissionDenied | Cause::ContentRejected => format!(
            "Mattermost doesn't let the bot register a command in {name}. Make it by hand as described, and paste its token."
        ),
        _ => format!("The command could not be registered in {name} ({}). Submit again.", failure.detail),
    }
}
