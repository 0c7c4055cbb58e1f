//! Sending, editing and deleting messages, and answering presses.

use std::time::Instant;

use serde_json::{Value, json};

use crate::{
    calls::Call,
    html::{self, Entity},
    keyboard,
    model::{ChatKind, Message},
    people::Answered,
    reply::{Outcome, Refusal},
    world::World,
};

/// Longest text, before and after its markup is read.
const MAX_BYTES: usize = 32_768;
const MAX_TEXT: usize = 4_096;
const MAX_NOTICE: usize = 200;

fn chat(call: &Call<'_>) -> Result<i64, Refusal> {
    call.number("chat_id").ok_or_else(|| Refusal::bad("chat_id is empty"))
}

/// The text of a call, read and cleaned.
fn text(call: &Call<'_>) -> Result<(String, Vec<Entity>), Refusal> {
    let raw = call.text("text");
    if raw.len() > MAX_BYTES {
        return Err(Refusal::bad("text is too long"));
    }
    let (text, entities) = match call.text("parse_mode") {
        "" => (raw.to_owned(), Vec::new()),
        "HTML" => html::parse(raw).map_err(|why| Refusal::bad(format!("can't parse entities: {why}")))?,
        _ => return Err(Refusal::bad("unsupported parse_mode")),
    };
    let kept = |c: &char| *c != '\r' && !('\u{2028}'..='\u{202e}').contains(c);
    let cleaned: String =
        text.chars().filter(kept).map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect();
    let cleaned = cleaned.trim();
    let is_invisible = |c: char| {
        c.is_whitespace() || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
    };
    if cleaned.chars().all(is_invisible) {
        return Err(Refusal::bad(if raw.is_empty() { "message text is empty" } else { "text must be non-empty" }));
    }
    if cleaned.encode_utf16().count() > MAX_TEXT {
        return Err(Refusal::bad("message is too long"));
    }
    Ok((cleaned.to_owned(), entities))
}

fn markup(call: &Call<'_>) -> Result<Option<Value>, Refusal> {
    match call.member("reply_markup") {
        Value::Null => Ok(None),
        markup => keyboard::check(markup).map(|()| Some(markup.clone())),
    }
}

/// The address of which a preview is shown.
fn preview(call: &Call<'_>, entities: &[Entity]) -> Result<Option<String>, Refusal> {
    let options = call.member("link_preview_options");
    let known = ["is_disabled", "url", "prefer_small_media", "prefer_large_media", "show_above_text"];
    if let Some(name) = options.as_object().and_then(|all| all.keys().find(|name| !known.contains(&name.as_str()))) {
        return Err(Refusal::bad(format!("no option of a preview is called \"{name}\"")));
    }
    if options["is_disabled"] == true {
        return Ok(None);
    }
    Ok(options["url"].as_str().map(str::to_owned).or_else(|| entities.iter().find_map(|entity| entity.url.clone())))
}

fn thread(world: &World, call: &Call<'_>, chat: i64) -> Result<Option<i64>, Refusal> {
    let Some(thread) = call.number("message_thread_id") else { return Ok(None) };
    match world.chats.get(&chat).and_then(|chat| chat.topics.get(&thread)) {
        Some(true) => Ok(Some(thread)),
        Some(false) => Err(Refusal::bad("TOPIC_CLOSED")),
        None => Err(Refusal::bad("message thread not found")),
    }
}

fn root(world: &World, call: &Call<'_>, chat: i64) -> Result<Option<i64>, Refusal> {
    let parameters = call.member("reply_parameters");
    if parameters.is_null() {
        return Ok(None);
    }
    let id = parameters["message_id"].as_i64().ok_or_else(|| Refusal::bad("message identifier is not specified"))?;
    match world.message(chat, id) {
        Some(_) => Ok(Some(id)),
        None if parameters["allow_sending_without_reply"] == true => Ok(None),
        None => Err(Refusal::bad("message to be replied not found")),
    }
}

pub(crate) fn send(world: &mut World, call: &Call<'_>) -> Outcome {
    let chat = chat(call)?;
    let (text, entities) = text(call)?;
    let markup = markup(call)?;
    world.reach(call.token, chat)?;
    let thread = thread(world, call, chat)?;
    let reply_to = root(world, call, chat)?;
    let preview = preview(call, &entities)?;
    let from = world.bots[call.token].id;
    if call.shared.options.limits {
        world.limits.take(from, chat, Instant::now())?;
    }
    let silent = call.is_on("disable_notification");
    let message = Message {
        id: 0,
        chat,
        thread,
        from,
        date: 0,
        text,
        entities,
        reply_to,
        markup,
        silent,
        edits: 0,
        preview,
        deleted: false,
    };
    let message = world.store(message);
    Ok(world.shown(&message))
}

pub(crate) fn edit(world: &mut World, call: &Call<'_>) -> Outcome {
    let chat = chat(call)?;
    let id = call.number("message_id").ok_or_else(|| Refusal::bad("message identifier is not specified"))?;
    let (text, entities) = text(call)?;
    let (markup, preview) = (markup(call)?, preview(call, &entities)?);
    world.reach(call.token, chat)?;
    let from = world.bots[call.token].id;
    let message = world.message(chat, id).ok_or_else(|| Refusal::bad("message to edit not found"))?;
    if message.from != from {
        return Err(Refusal::bad("message can't be edited"));
    }
    if (&message.text, &message.entities, &message.markup) == (&text, &entities, &markup) {
        return Err(Refusal::bad(
            "message is not modified: specified new message content and reply markup are exactly the same as a current \
             content and reply markup of the message",
        ));
    }
    if call.shared.options.limits {
        world.limits.take(from, chat, Instant::now())?;
    }
    let message = world.message_mut(chat, id).expect("just found");
    (message.text, message.entities, message.markup, message.preview) = (text, entities, markup, preview);
    message.edits += 1;
    let message = message.clone();
    Ok(world.shown(&message))
}

pub(crate) fn delete(world: &mut World, call: &Call<'_>) -> Outcome {
    let chat = chat(call)?;
    let id = call.number("message_id").ok_or_else(|| Refusal::bad("message identifier is not specified"))?;
    world.reach(call.token, chat)?;
    let from = world.bots[call.token].id;
    let is_admin = world.chats.get(&chat).is_some_and(|chat| chat.kind == ChatKind::Channel);
    let message = world.message_mut(chat, id).ok_or_else(|| Refusal::bad("message to delete not found"))?;
    if message.from != from && !is_admin {
        return Err(Refusal::bad("message can't be deleted"));
    }
    message.deleted = true;
    Ok(json!(true))
}

pub(crate) fn answer_press(world: &mut World, call: &Call<'_>) -> Outcome {
    let from = world.bots[call.token].id;
    let text = call.text("text").to_owned();
    if text.chars().count() > MAX_NOTICE {
        return Err(Refusal::bad("MESSAGE_TOO_LONG"));
    }
    let life = call.shared.options.press_life;
    let press = world.presses.get_mut(call.text("callback_query_id"));
    let Some(press) = press.filter(|press| press.bot == from && press.at.elapsed() < life) else {
        return Err(Refusal::bad("query is too old and response timeout expired or query ID is invalid"));
    };
    press.answer.get_or_insert(Answered { text, alert: call.is_on("show_alert") });
    Ok(json!(true))
}
