//! Custom slash commands: what the server does when somebody types one.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::hooks::ResponseHook;
use crate::ids::{is_id, new_id};
use crate::mentions;
use crate::model::{ChannelKind, Command, Post, User};
use crate::outgoing::{Incoming, Outgoing, send};
use crate::reply::{Answer, ApiError, Reply};
use crate::request_log::SentRequest;
use crate::rest::Call;
use crate::state::Shared;
use crate::world::World;

/// Most of an answer that is read.
const MAX_ANSWER: usize = 1024 * 1024;

/// What came of a slash command, as the typing person's client sees it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CommandOutcome {
    /// Status the client gets.
    pub status: u16,
    /// The error's id, empty if there is none.
    pub error_id: String,
    /// The text the person sees: the answer's, or the error's.
    pub text: String,
    /// Whether everybody in the channel sees the text.
    pub in_channel: bool,
    /// Address the client is sent to, empty if none.
    pub goto_location: String,
    /// The trigger id that went out, empty if nothing did.
    pub trigger_id: String,
    /// Address for later answers, empty if nothing went out.
    pub response_url: String,
    /// What went to the integration, and its answer.
    pub sent: Option<SentRequest>,
}

impl CommandOutcome {
    /// Whether the command was carried out.
    pub fn is_ok(&self) -> bool {
        self.status == 200
    }

    fn with_error(mut self, error: &ApiError) -> Self {
        self.status = error.status;
        self.error_id.clone_from(&error.id);
        self.text.clone_from(&error.message);
        self
    }
}

/// An integration's answer to a command.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct CommandAnswer {
    response_type: String,
    text: String,
    goto_location: String,
    props: Map<String, Value>,
    attachments: Option<Value>,
    extra_responses: Vec<CommandAnswer>,
}

/// The fields that go out, in the order of their names.
type Fields = Vec<(&'static str, String)>;

/// Reads an answer: JSON if it says so, else the whole text. `None` for an answer of `null`.
pub(crate) fn parse_answer(content_type: &str, body: &[u8]) -> Result<Option<CommandAnswer>, serde_json::Error> {
    if content_type.trim().starts_with("application/json") {
        return serde_json::from_slice(body);
    }
    Ok(Some(CommandAnswer { text: String::from_utf8_lossy(body).into_owned(), ..CommandAnswer::default() }))
}

/// Carries a command out. The team matters in direct channels only, where the client says it.
pub(crate) async fn execute(
    shared: &Arc<Shared>,
    user_id: &str,
    channel_id: &str,
    team_id: Option<&str>,
    text: &str,
) -> CommandOutcome {
    let mut outcome = CommandOutcome { status: 200, ..CommandOutcome::default() };
    let (command, fields) = match prepare(shared, user_id, channel_id, team_id, text) {
        Ok(prepared) => prepared,
        Err(error) => return outcome.with_error(&error),
    };
    let field = |name: &str| {
        let found = fields.iter().find(|(have, _)| *have == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    outcome.trigger_id = field("trigger_id");
    outcome.response_url = field("response_url");
    let answer = match send(shared, request(shared, &command, &fields)).await {
        Ok(answer) => answer,
        Err(failure) => {
            outcome.sent = Some(failure.sent);
            return outcome.with_error(&command_error("failed", &command, ""));
        }
    };
    outcome.sent = Some(answer.sent.clone());
    match interpret(&command, &answer) {
        Err(error) => outcome.with_error(&error),
        Ok(parsed) => {
            show(shared, user_id, channel_id, &parsed);
            outcome.text = parsed.text;
            outcome.in_channel = parsed.response_type == "in_channel";
            outcome.goto_location = parsed.goto_location;
            outcome
        }
    }
}

fn command_error(kind: &str, command: &Command, detail: &str) -> ApiError {
    ApiError::new(
        500,
        &format!("api.command.execute_command.{kind}.app_error"),
        format!("The command /{} failed. {detail}", command.trigger).trim_end().to_owned(),
    )
}

fn interpret(command: &Command, answer: &Incoming) -> Result<CommandAnswer, ApiError> {
    if answer.status != 200 {
        let detail = format!("It answered with status {}.", answer.status);
        return Err(command_error("failed_resp", command, &detail));
    }
    match parse_answer(&answer.content_type, &answer.body) {
        Err(_) => Err(command_error("failed", command, "")),
        Ok(None) => Err(command_error("failed_empty", command, "")),
        Ok(Some(parsed)) => Ok(parsed),
    }
}

/// Checks who may do this, finds the command and fills the fields.
fn prepare(
    shared: &Shared,
    user_id: &str,
    channel_id: &str,
    team_id: Option<&str>,
    text: &str,
) -> Result<(Command, Fields), ApiError> {
    let bad_start =
        || ApiError::new(400, "api.command.execute_command.start.app_error", "A command starts with a slash.");
    if text.len() <= 1 || !text.starts_with('/') {
        return Err(bad_start());
    }
    let mut world = shared.world();
    if world.users.get(user_id).is_none_or(|user| user.delete_at != 0) {
        return Err(ApiError::session());
    }
    if !world.may_use_channel(channel_id, user_id) {
        return Err(ApiError::permission());
    }
    let channel = world.channels.get(channel_id);
    let channel = channel.ok_or_else(|| ApiError::named("channel_not_found"))?.clone();
    if channel.delete_at != 0 {
        return Err(ApiError::new(400, "api.command.execute_command.deleted.error", "The channel is archived."));
    }
    let team_id = if channel.kind == ChannelKind::Direct {
        let given = team_id.filter(|team| world.in_team(team, user_id));
        given.ok_or_else(ApiError::permission)?.to_owned()
    } else {
        channel.team_id.clone()
    };
    let (word, rest) = match text.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, rest),
        None => (text, ""),
    };
    let word = word.trim_start_matches('/').to_lowercase();
    let command =
        world.commands.values().find(|command| command.team_id == team_id && command.trigger == word).cloned();
    let command = command.ok_or_else(|| {
        ApiError::new(404, "api.command.execute_command.not_found.app_error", format!("There is no command /{word}."))
    })?;
    let hook_id = new_id();
    world.response_hooks.insert(
        hook_id.clone(),
        ResponseHook { user_id: user_id.to_owned(), channel_id: channel_id.to_owned(), made_at: shared.now(), uses: 0 },
    );
    let fields = fill(shared, &world, &command, user_id, channel_id, rest, &hook_id);
    Ok((command, fields))
}

fn fill(
    shared: &Shared,
    world: &World,
    command: &Command,
    user_id: &str,
    channel_id: &str,
    text: &str,
    hook_id: &str,
) -> Fields {
    let user = world.users.get(user_id).cloned().unwrap_or_default();
    let team = world.teams.get(&command.team_id).cloned();
    let channel = world.channels.get(channel_id).cloned().unwrap_or_default();
    let mut fields = vec![
        ("channel_id", channel.id),
        ("channel_name", channel.name),
        ("command", format!("/{}", command.trigger)),
        ("response_url", format!("{}/hooks/commands/{hook_id}", shared.site_url)),
        ("team_domain", team.unwrap_or_default().name),
        ("team_id", command.team_id.clone()),
        ("text", text.to_owned()),
        ("token", command.token.clone()),
        ("trigger_id", shared.key.trigger(&new_id(), user_id, shared.now())),
        ("user_id", user.id),
    ];
    let mentioned: Vec<&User> = mentions::in_text(text)
        .iter()
        .filter_map(|keyword| world.find_user(keyword))
        .filter(|user| world.in_team(&command.team_id, &user.id))
        .collect();
    fields.extend(mentioned.iter().map(|user| ("user_mentions", user.username.clone())));
    fields.extend(mentioned.iter().map(|user| ("user_mentions_ids", user.id.clone())));
    fields.push(("user_name", user.username));
    fields
}

/// The fields as a form.
pub(crate) fn encode(fields: &[(&str, String)]) -> String {
    let pairs = fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// Escapes a text for a form the way the server's language does.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn request(shared: &Shared, command: &Command, fields: &Fields) -> Outgoing {
    let form = encode(fields);
    let mut headers =
        vec![("Accept", "application/json".to_owned()), ("Authorization", format!("Token {}", command.token))];
    let mut url = command.url.clone();
    let (method, body) = if command.method == "G" {
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str(&form);
        ("GET", Vec::new())
    } else {
        headers.push(("Content-Type", "application/x-www-form-urlencoded".to_owned()));
        ("POST", form.into_bytes())
    };
    Outgoing { method, url, headers, body, timeout: shared.options.integration_timeout, max_answer: MAX_ANSWER }
}

/// Shows an answer: to the person alone, or as a post in the person's name to everybody.
pub(crate) fn show(shared: &Shared, user_id: &str, channel_id: &str, answer: &CommandAnswer) {
    let mut world = shared.world();
    let now = shared.now();
    for one in std::iter::once(answer).chain(&answer.extra_responses) {
        let mut props = one.props.clone();
        if let Some(attachments) = &one.attachments {
            props.insert("attachments".into(), attachments.clone());
        }
        if one.text.is_empty() && !props.contains_key("attachments") {
            continue;
        }
        if one.response_type == "in_channel" {
            props.insert("from_webhook".into(), "true".into());
            let post = Post {
                user_id: user_id.to_owned(),
                channel_id: channel_id.to_owned(),
                message: one.text.clone(),
                props,
                ..Post::default()
            };
            // A post the server would not store is not shown to anybody either.
            let _ = world.store_post(post, &shared.options, now);
        } else {
            world.show_ephemeral(user_id, channel_id, "", &one.text, props, now);
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ExecuteInput {
    channel_id: String,
    team_id: String,
    command: String,
}

/// `POST commands/execute`: a command as clients send it.
pub(crate) async fn over_rest(shared: &Arc<Shared>, call: &Call) -> Answer {
    let user_id = call.caller()?.user_id.clone();
    let input: ExecuteInput = call.json(shared, "command_args")?;
    if !is_id(&input.channel_id) {
        return Err(ApiError::new(400, "api.command.execute_command.start.app_error", "The channel is missing."));
    }
    let team = Some(input.team_id.as_str());
    let outcome = execute(shared, &user_id, &input.channel_id, team, &input.command).await;
    if !outcome.is_ok() {
        return Err(ApiError::new(outcome.status, &outcome.error_id, outcome.text));
    }
    let kind = if outcome.in_channel { "in_channel" } else { "ephemeral" };
    Ok(Reply::json(
        200,
        &json!({
            "response_type": kind,
            "text": outcome.text,
            "goto_location": outcome.goto_location,
            "trigger_id": outcome.trigger_id,
        }),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use url::form_urlencoded;

    #[test]
    fn the_form_is_encoded_as_recorded() {
        let vector: Value = serde_json::from_str(include_str!("../vectors/custom_slash_command_request.json")).unwrap();
        let raw = vector["body_raw"].as_str().unwrap();
        let fields: Vec<(String, String)> = form_urlencoded::parse(raw.as_bytes()).into_owned().collect();
        let fields: Vec<(&str, String)> = fields.iter().map(|(n, v)| (n.as_str(), v.clone())).collect();
        assert_eq!(encode(&fields), raw);
        let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
        let expected: Vec<&str> =
            vector["fields"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn answers_are_read_by_their_content_type() {
        let json = br#"{"response_type":"ephemeral","text":"Linked."}"#;
        let read = |kind: &str, body: &[u8]| parse_answer(kind, body).unwrap().unwrap().text;
        assert_eq!(read("application/json; charset=utf-8", json), "Linked.");
        assert_eq!(read("text/plain", b"hello"), "hello");
        assert!(parse_answer("application/json", b"null").unwrap().is_none());
        assert!(parse_answer("application/json", b"").is_err());
    }
}
