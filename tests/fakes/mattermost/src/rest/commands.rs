//! Routes about custom slash commands.

use serde::Deserialize;

use super::Call;
use crate::ids::{is_id, new_id};
use crate::model::Command;
use crate::reply::{Answer, ApiError, Reply};
use crate::state::Shared;
use crate::world::World;

/// Longest trigger word.
const MAX_TRIGGER: usize = 128;

/// Words the server itself answers to.
const BUILT_IN: [&str; 6] = ["echo", "invite", "join", "leave", "msg", "shortcuts"];

/// What a caller says about a command.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct CommandInput {
    pub(crate) id: String,
    pub(crate) creator_id: String,
    pub(crate) team_id: String,
    pub(crate) trigger: String,
    pub(crate) method: String,
    pub(crate) username: String,
    pub(crate) icon_url: String,
    pub(crate) auto_complete: bool,
    pub(crate) auto_complete_desc: String,
    pub(crate) auto_complete_hint: String,
    pub(crate) display_name: String,
    pub(crate) description: String,
    pub(crate) url: String,
}

fn missing() -> ApiError {
    ApiError::new(404, "store.sql_command.get.missing.app_error", "No such command.")
}

fn bad(what: &str) -> ApiError {
    ApiError::new(
        400,
        &format!("model.command.is_valid.{what}.app_error"),
        format!("The command's {what} is not valid."),
    )
}

/// Checks a command and that its word is free in the team.
pub(crate) fn check(world: &World, input: &CommandInput, own_id: &str) -> Result<(), ApiError> {
    let trigger = input.trigger.to_lowercase();
    if trigger.is_empty() || trigger.len() > MAX_TRIGGER || trigger.starts_with('/') || trigger.contains(' ') {
        return Err(bad("trigger"));
    }
    let is_http = input.url.starts_with("http://") || input.url.starts_with("https://");
    if input.url.len() > 1024 || !is_http || url::Url::parse(&input.url).is_err() {
        return Err(bad("url_http"));
    }
    if input.method != "P" && input.method != "G" {
        return Err(bad("method"));
    }
    for (text, limit, what) in [
        (&input.display_name, 64, "display_name"),
        (&input.description, 128, "description"),
        (&input.auto_complete_desc, 1024, "autocomplete_desc"),
        (&input.auto_complete_hint, 1024, "autocomplete_hint"),
    ] {
        if text.chars().count() > limit {
            return Err(bad(what));
        }
    }
    let taken = world.commands.values().any(|c| c.team_id == input.team_id && c.trigger == trigger && c.id != own_id);
    if taken || BUILT_IN.contains(&trigger.as_str()) {
        return Err(ApiError::new(400, "api.command.duplicate_trigger.app_error", "The trigger word is in use."));
    }
    Ok(())
}

/// Stores a checked command.
pub(crate) fn store(world: &mut World, input: CommandInput, creator: &str, now: i64) -> Command {
    let command =
        Command { id: new_id(), token: new_id(), create_at: now, creator_id: creator.to_owned(), ..filled(input, now) };
    world.commands.insert(command.id.clone(), command.clone());
    command
}

fn filled(input: CommandInput, now: i64) -> Command {
    Command {
        update_at: now,
        team_id: input.team_id,
        trigger: input.trigger.to_lowercase(),
        method: input.method,
        username: input.username,
        icon_url: input.icon_url,
        auto_complete: input.auto_complete,
        auto_complete_desc: input.auto_complete_desc,
        auto_complete_hint: input.auto_complete_hint,
        display_name: input.display_name,
        description: input.description,
        url: input.url,
        ..Command::default()
    }
}

/// `POST commands`: for administrators of the team.
pub(crate) fn create(shared: &Shared, call: &Call) -> Answer {
    let caller = call.caller()?;
    let input: CommandInput = call.json(shared, "command")?;
    let mut world = shared.world();
    if !world.administers_team(&input.team_id, &caller.user_id) {
        return Err(ApiError::permission());
    }
    let creator = match input.creator_id.as_str() {
        "" => caller.user_id.clone(),
        other if world.users.contains_key(other) => other.to_owned(),
        _ => return Err(ApiError::named("user_not_found")),
    };
    check(&world, &input, "")?;
    let command = store(&mut world, input, &creator, shared.now());
    Ok(Reply::json(201, &command))
}

/// `GET commands?team_id=…&custom_only=true`.
pub(crate) fn list(shared: &Shared, call: &Call) -> Answer {
    let caller = call.caller()?;
    let team = call.query("team_id");
    if team.is_empty() {
        return Err(ApiError::body_param("team_id"));
    }
    let world = shared.world();
    let member = world.in_team(&team, &caller.user_id);
    let admin = world.administers_team(&team, &caller.user_id);
    if !(admin || member && call.query("custom_only") != "true") {
        return Err(ApiError::permission());
    }
    let commands: Vec<&Command> = world.commands.values().filter(|command| admin && command.team_id == team).collect();
    Ok(Reply::json(200, &commands))
}

/// The command, if the caller may manage it. For outsiders it does not exist.
fn managed(world: &World, call: &Call, id: &str) -> Result<Command, ApiError> {
    let caller = call.caller()?;
    if !is_id(id) {
        return Err(ApiError::url_param("command_id"));
    }
    let command = world.commands.get(id).ok_or_else(missing)?;
    if !world.administers_team(&command.team_id, &caller.user_id) {
        return Err(missing());
    }
    Ok(command.clone())
}

/// `GET commands/{id}`.
pub(crate) fn get(shared: &Shared, call: &Call, id: &str) -> Answer {
    let world = shared.world();
    Ok(Reply::json(200, &managed(&world, call, id)?))
}

/// `PUT commands/{id}`: everything but id, token and team may change.
pub(crate) fn update(shared: &Shared, call: &Call, id: &str) -> Answer {
    call.caller()?;
    let input: CommandInput = call.json(shared, "command")?;
    if input.id != id {
        return Err(ApiError::body_param("command"));
    }
    let mut world = shared.world();
    let old = managed(&world, call, id)?;
    if input.team_id != old.team_id {
        return Err(ApiError::new(400, "api.command.team_mismatch.app_error", "A command stays in its team."));
    }
    check(&world, &input, id)?;
    let command = Command {
        id: old.id,
        token: old.token,
        create_at: old.create_at,
        creator_id: old.creator_id,
        ..filled(input, shared.now())
    };
    world.commands.insert(id.to_owned(), command.clone());
    Ok(Reply::json(200, &command))
}

/// `DELETE commands/{id}`.
pub(crate) fn delete(shared: &Shared, call: &Call, id: &str) -> Answer {
    let mut world = shared.world();
    managed(&world, call, id)?;
    world.commands.remove(id);
    Ok(Reply::ok())
}

/// `PUT commands/{id}/regen_token`.
pub(crate) fn new_token(shared: &Shared, call: &Call, id: &str) -> Answer {
    let mut world = shared.world();
    let mut command = managed(&world, call, id)?;
    command.token = new_id();
    let reply = Reply::json(200, &serde_json::json!({"token": command.token}));
    world.commands.insert(id.to_owned(), command);
    Ok(reply)
}
