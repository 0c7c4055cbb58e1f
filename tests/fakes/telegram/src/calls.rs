//! Which method is called, and whether it may have what it is given.

use std::time::Instant;

use serde_json::{Map, Value, json};

use crate::{
    commands,
    handle::{Fault, Logged},
    messages,
    reply::{Outcome, Refusal, Reply},
    updates,
    world::{Shared, World},
};

/// What a method is given.
pub(crate) struct Call<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) token: &'a str,
    pub(crate) parameters: Map<String, Value>,
}

impl Call<'_> {
    pub(crate) fn text(&self, name: &str) -> &str {
        self.parameters.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        match self.parameters.get(name)? {
            Value::String(text) => text.parse().ok(),
            other => other.as_i64(),
        }
    }

    pub(crate) fn is_on(&self, name: &str) -> bool {
        self.parameters.get(name) == Some(&Value::Bool(true))
    }

    pub(crate) fn member(&self, name: &str) -> &Value {
        self.parameters.get(name).unwrap_or(&Value::Null)
    }

    /// The real server ignores what it doesn't know; nobody means that.
    fn knows(&self, names: &[&str]) -> Result<(), Refusal> {
        match self.parameters.keys().find(|name| !names.contains(&name.as_str())) {
            Some(name) => Err(Refusal::bad(format!("no parameter is called \"{name}\""))),
            None => Ok(()),
        }
    }
}

type Method = fn(&mut World, &Call<'_>) -> Outcome;

/// Each method, its parameters, and what it does.
#[rustfmt::skip]
const METHODS: &[(&str, &[&str], Method)] = &[
    ("getMe", &[], me),
    ("sendMessage", &["chat_id", "text", "parse_mode", "message_thread_id", "link_preview_options",
        "disable_notification", "protect_content", "reply_parameters", "reply_markup"], messages::send),
    ("editMessageText", &["chat_id", "message_id", "text", "parse_mode", "link_preview_options", "reply_markup"],
        messages::edit),
    ("deleteMessage", &["chat_id", "message_id"], messages::delete),
    ("answerCallbackQuery", &["callback_query_id", "text", "show_alert", "url", "cache_time"], messages::answer_press),
    ("setWebhook", &["url", "secret_token", "allowed_updates", "max_connections", "drop_pending_updates"],
        updates::set_webhook),
    ("deleteWebhook", &["drop_pending_updates"], updates::delete_webhook),
    ("getWebhookInfo", &[], updates::webhook_info),
    ("getUpdates", &["offset", "limit", "timeout", "allowed_updates"], updates::get),
    ("setMyCommands", &["commands", "scope", "language_code"], commands::set),
    ("getMyCommands", &["scope", "language_code"], commands::get),
    ("deleteMyCommands", &["scope", "language_code"], commands::delete),
];

fn me(world: &mut World, call: &Call<'_>) -> Outcome {
    let mut me = world.bots[call.token].shown();
    me["can_join_groups"] = true.into();
    me["can_read_all_group_messages"] = false.into();
    me["supports_inline_queries"] = false.into();
    Ok(me)
}

/// Answer a call, and remember it.
pub(crate) fn answer(shared: &Shared, token: &str, method: &str, parameters: Map<String, Value>) -> Reply {
    let mut world = shared.world();
    let known = METHODS.iter().find(|(name, ..)| name.eq_ignore_ascii_case(method));
    let name = known.map_or(method, |(name, ..)| name);
    let fault = world.faults.iter_mut().find(|rule| rule.method == name && rule.times > 0).map(|rule| {
        rule.times -= 1;
        rule.fault.clone()
    });
    let body = Value::Object(parameters.clone());
    let reply = match &fault {
        Some(Fault::Refused { status, body }) => Reply { status: *status, body: body.clone() },
        _ => {
            let call = Call { shared, token, parameters };
            let done = check_token(&world, token).and_then(|()| match known {
                None => Err(Refusal::new(404, "Not Found: method not found")),
                Some((_, parameters, run)) => call.knows(parameters).and_then(|()| run(&mut world, &call)),
            });
            match fault {
                Some(Fault::Lost) => Reply { status: 502, body: json!("<html>bad gateway</html>") },
                _ => done.into(),
            }
        }
    };
    let logged =
        Logged { method: name.to_owned(), body, status: reply.status, answer: reply.body.clone(), at: Instant::now() };
    world.log.push(logged);
    drop(world);
    shared.changed.notify_waiters();
    reply
}

fn check_token(world: &World, token: &str) -> Result<(), Refusal> {
    let is_shaped = token.split_once(':').is_some_and(|(id, _)| id.parse::<u64>().is_ok() && !id.starts_with('0'));
    match world.bots.contains_key(token) {
        true => Ok(()),
        false if is_shaped && token.len() <= 80 => Err(Refusal::new(401, "Unauthorized")),
        false => Err(Refusal::new(401, "Unauthorized: invalid token specified")),
    }
}
