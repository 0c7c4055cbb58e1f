//! A bot's lists of commands, one for each scope. <https://core.telegram.org/bots/api#setmycommands>

use serde_json::{Value, json};

use crate::{
    calls::Call,
    reply::{Outcome, Refusal},
    world::World,
};

const SCOPES: [&str; 4] = ["default", "all_private_chats", "all_group_chats", "all_chat_administrators"];

fn scope(call: &Call<'_>) -> Result<String, Refusal> {
    match call.member("scope") {
        Value::Null => Ok("default".into()),
        scope => match scope["type"].as_str() {
            Some(kind) if SCOPES.contains(&kind) => Ok(kind.to_owned()),
            _ => Err(Refusal::bad("unsupported type specified")),
        },
    }
}

pub(crate) fn set(world: &mut World, call: &Call<'_>) -> Outcome {
    let scope = scope(call)?;
    let commands = call.member("commands").as_array().ok_or_else(|| Refusal::bad("expected an Array of BotCommand"))?;
    for command in commands {
        let name = command["command"].as_str().unwrap_or_default();
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if name.is_empty() || name.len() > 32 || !name.bytes().all(plain) {
            return Err(Refusal::bad("BOT_COMMAND_INVALID"));
        }
        let length = command["description"].as_str().unwrap_or_default().chars().count();
        if !(1..=256).contains(&length) {
            return Err(Refusal::bad("BOT_COMMAND_DESCRIPTION_INVALID"));
        }
    }
    if commands.len() > 100 {
        return Err(Refusal::bad("BOT_COMMANDS_TOO_MUCH"));
    }
    let commands = call.member("commands").clone();
    let bot = world.bots.get_mut(call.token).expect("checked");
    bot.commands.insert(scope, commands);
    Ok(json!(true))
}

pub(crate) fn get(world: &mut World, call: &Call<'_>) -> Outcome {
    let scope = scope(call)?;
    Ok(world.bots[call.token].commands.get(&scope).cloned().unwrap_or_else(|| json!([])))
}

pub(crate) fn delete(world: &mut World, call: &Call<'_>) -> Outcome {
    let scope = scope(call)?;
    world.bots.get_mut(call.token).expect("checked").commands.remove(&scope);
    Ok(json!(true))
}
