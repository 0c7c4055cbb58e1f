//! Buttons and menus: what the server does when somebody clicks.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::attachments;
use crate::gojson;
use crate::ids::new_id;
use crate::model::Post;
use crate::outgoing::{Outgoing, send};
use crate::reply::{Answer, ApiError, Reply};
use crate::request_log::SentRequest;
use crate::rest::{Call, require_id};
use crate::state::Shared;
use crate::world::World;

/// Properties a click's answer can neither add nor remove.
const KEPT_PROPS: [&str; 3] = ["from_webhook", "override_username", "override_icon_url"];

/// Most of an answer that is read.
const MAX_ANSWER: usize = 10 * 1024 * 1024;

/// What came of a click, as the clicking person's client sees it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ClickOutcome {
    /// Status the client gets: 200, or an error.
    pub status: u16,
    /// The error's id, empty if there is none.
    pub error_id: String,
    /// The error's text, empty if there is none.
    pub error: String,
    /// Text only the clicking person sees, empty if there is none.
    pub ephemeral: String,
    /// Whether the post was changed.
    pub updated: bool,
    /// The trigger id that went out, empty if nothing did.
    pub trigger_id: String,
    /// What went to the integration, and its answer.
    pub sent: Option<SentRequest>,
}

impl ClickOutcome {
    /// Whether the click succeeded.
    pub fn is_ok(&self) -> bool {
        self.status == 200
    }

    fn refused(error: &ApiError) -> Self {
        Self { status: error.status, error_id: error.id.clone(), error: error.message.clone(), ..Self::default() }
    }

    fn with_error(mut self, error: &ApiError) -> Self {
        self.status = error.status;
        self.error_id.clone_from(&error.id);
        self.error.clone_from(&error.message);
        self
    }
}

/// The error people see for everything that goes wrong at the integration.
fn failed() -> ApiError {
    ApiError::new(400, "api.post.do_action.action_integration.app_error", "Action failed")
}

/// The body of a click, in the server's key order.
#[derive(Debug, Clone, Serialize)]
struct ClickBody {
    user_id: String,
    user_name: String,
    channel_id: String,
    channel_name: String,
    team_id: String,
    team_domain: String,
    post_id: String,
    trigger_id: String,
    #[serde(rename = "type")]
    kind: String,
    data_source: String,
    #[serde(skip_serializing_if = "Map::is_empty")]
    context: Map<String, Value>,
}

/// An integration's answer to a click.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ClickAnswer {
    update: Option<Update>,
    ephemeral_text: String,
    skip_slack_parsing: bool,
    error: Option<AnswerError>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Update {
    message: String,
    props: Option<Map<String, Value>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AnswerError {
    message: String,
}

/// Everything a click needs from the data, read under one lock.
struct Target {
    url: String,
    body: ClickBody,
    /// Thread an ephemeral answer appears in.
    root_id: String,
}

/// Carries a click out.
pub(crate) async fn click(
    shared: &Arc<Shared>,
    user_id: &str,
    post_id: &str,
    action_id: &str,
    selected: Option<&str>,
) -> ClickOutcome {
    if !attachments::is_action_id(action_id, &shared.options) {
        return ClickOutcome::refused(&ApiError::no_route());
    }
    let target = target(shared, user_id, post_id, action_id, selected);
    let target = match target {
        Ok(target) => target,
        Err(error) => return ClickOutcome::refused(&error),
    };
    let request = request(shared, &target.url, &target.body);
    let trigger_id = target.body.trigger_id.clone();
    let mut outcome = ClickOutcome { status: 200, trigger_id, ..ClickOutcome::default() };
    let answer = match send(shared, request).await {
        Ok(answer) => answer,
        Err(failure) => {
            outcome.sent = Some(failure.sent);
            return outcome.with_error(&failed());
        }
    };
    outcome.sent = Some(answer.sent.clone());
    if answer.status != 200 {
        return outcome.with_error(&failed());
    }
    let parsed = if answer.body.is_empty() {
        Ok(ClickAnswer::default())
    } else {
        // An answer of `null` means nothing, as in the server's language.
        serde_json::from_slice::<Option<ClickAnswer>>(&answer.body).map(Option::unwrap_or_default)
    };
    match parsed {
        Ok(parsed) => apply(shared, user_id, &target, parsed, outcome),
        Err(_) => outcome.with_error(&failed()),
    }
}

/// Checks access and prepares the request.
fn target(
    shared: &Shared,
    user_id: &str,
    post_id: &str,
    action_id: &str,
    selected: Option<&str>,
) -> Result<Target, ApiError> {
    let world = shared.world();
    let user = world.users.get(user_id).filter(|user| user.delete_at == 0);
    let user = user.ok_or_else(ApiError::session)?;
    let post = clickable(&world, user_id, post_id)?;
    if !world.may_use_channel(&post.channel_id, user_id) {
        return Err(ApiError::permission());
    }
    let no_action = || ApiError::new(404, "api.post.do_action.action_id.app_error", "There is no such action.");
    let action = post.action(action_id).ok_or_else(no_action)?;
    let integration = action.get("integration").filter(|i| i.is_object());
    let integration = integration.ok_or_else(no_action)?;
    let text = |value: &Value, key: &str| {
        let text = value.get(key).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let mut context = integration["context"].as_object().cloned().unwrap_or_default();
    let kind = text(action, "type");
    let mut data_source = String::new();
    if kind == "select"
        && let Some(selected) = selected.filter(|selected| !selected.is_empty())
    {
        data_source = text(action, "data_source");
        context.insert("selected_option".into(), selected.into());
    }
    let channel = world.channels.get(&post.channel_id);
    let channel = channel.ok_or_else(ApiError::permission)?;
    let team = world.teams.get(&channel.team_id);
    Ok(Target {
        url: text(integration, "url"),
        root_id: if post.root_id.is_empty() { post.id.clone() } else { post.root_id.clone() },
        body: ClickBody {
            user_id: user.id.clone(),
            user_name: user.username.clone(),
            channel_id: channel.id.clone(),
            channel_name: channel.name.clone(),
            team_id: channel.team_id.clone(),
            team_domain: team.map(|team| team.name.clone()).unwrap_or_default(),
            post_id: post.id.clone(),
            trigger_id: shared.key.trigger(&new_id(), user_id, shared.now()),
            kind,
            data_source,
            context: gojson::map_passed_through(&context),
        },
    })
}

/// The post a click is about: a stored one, or an ephemeral one this user sees.
fn clickable(world: &World, user_id: &str, post_id: &str) -> Result<Post, ApiError> {
    if let Some(post) = world.posts.get(post_id) {
        if post.is_deleted() {
            return Err(ApiError::named("delete_post_unknown_or_deleted"));
        }
        return Ok(post.clone());
    }
    let shown = world.ephemerals.iter().find(|shown| shown.id == post_id && shown.user_id == user_id);
    let shown = shown.ok_or_else(ApiError::permission)?;
    Ok(Post {
        id: shown.id.clone(),
        channel_id: shown.channel_id.clone(),
        root_id: shown.root_id.clone(),
        message: shown.message.clone(),
        props: shown.props.clone(),
        ..Post::default()
    })
}

fn request(shared: &Shared, url: &str, body: &impl Serialize) -> Outgoing {
    Outgoing {
        method: "POST",
        url: url.to_owned(),
        headers: vec![("Content-Type", "application/json".to_owned()), ("Accept", "application/json".to_owned())],
        body: gojson::to_bytes(body),
        timeout: shared.options.integration_timeout,
        max_answer: MAX_ANSWER,
    }
}

/// Carries out what the integration answered.
fn apply(
    shared: &Shared,
    user_id: &str,
    target: &Target,
    answer: ClickAnswer,
    mut outcome: ClickOutcome,
) -> ClickOutcome {
    if let Some(error) = answer.error.filter(|error| !error.message.is_empty())
        && shared.options.at_least(10, 5)
    {
        let mut shown = failed();
        shown.message = error.message;
        return outcome.with_error(&shown);
    }
    let mut world = shared.world();
    if let Some(update) = answer.update {
        if let Err(error) = apply_update(&mut world, shared, &target.body.post_id, update) {
            return outcome.with_error(&error);
        }
        outcome.updated = true;
    }
    if !answer.ephemeral_text.is_empty() {
        let text =
            if answer.skip_slack_parsing { answer.ephemeral_text } else { with_plain_links(&answer.ephemeral_text) };
        let channel = &target.body.channel_id;
        let now = shared.now();
        world.show_ephemeral(user_id, channel, &target.root_id, &text, Map::new(), now);
        outcome.ephemeral = text;
    }
    outcome
}

fn apply_update(world: &mut World, shared: &Shared, post_id: &str, update: Update) -> Result<(), ApiError> {
    let old = world.posts.get(post_id);
    let old = old.ok_or_else(|| ApiError::named("delete_post_unknown_or_deleted"))?;
    let archived = world.channels.get(&old.channel_id).is_some_and(|channel| channel.delete_at != 0);
    if archived {
        return Err(ApiError::named("update_post_archived_channel"));
    }
    let props = match update.props {
        None => old.props.clone(),
        Some(given) => {
            let mut props = gojson::map_passed_through(&given);
            for key in KEPT_PROPS {
                match old.props.get(key) {
                    Some(value) => props.insert(key.into(), value.clone()),
                    None => props.remove(key),
                };
            }
            props
        }
    };
    let post = Post { message: update.message, props, ..old.clone() };
    let now = shared.now();
    world.change_post(post, &shared.options, now).map(|_| ())
}

/// Rewrites `<address|text>` links, as the server does with texts for another platform.
fn with_plain_links(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        let (before, inside) = rest.split_at(open);
        out.push_str(before);
        let link = inside[1..].split_once('>').and_then(|(link, after)| Some((link.split_once('|')?, after)));
        match link {
            Some(((address, label), after)) if !address.is_empty() && !label.is_empty() && !address.contains('<') => {
                out.push_str(&format!("[{label}]({address})"));
                rest = after;
            }
            _ => {
                out.push('<');
                rest = &inside[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RestClick {
    selected_option: String,
}

/// `POST posts/{id}/actions/{action}`: a click as clients send it.
pub(crate) async fn over_rest(shared: &Arc<Shared>, call: &Call, post_id: &str, action_id: &str) -> Answer {
    let user_id = call.caller()?.user_id.clone();
    require_id(post_id, "post_id")?;
    let input: RestClick = if call.body.is_empty() { RestClick::default() } else { call.json(shared, "action")? };
    let selected = Some(input.selected_option.as_str());
    let outcome = click(shared, &user_id, post_id, action_id, selected).await;
    if outcome.is_ok() {
        return Ok(Reply::json(200, &json!({"status": "OK", "trigger_id": outcome.trigger_id})));
    }
    Err(ApiError::new(outcome.status, &outcome.error_id, outcome.error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_the_recorded_key_order() {
        let vector: Value = serde_json::from_str(include_str!("../vectors/button_click_post_action.json")).unwrap();
        let body = &vector["body"];
        let text = |key: &str| body[key].as_str().unwrap().to_owned();
        let ours = ClickBody {
            user_id: text("user_id"),
            user_name: text("user_name"),
            channel_id: text("channel_id"),
            channel_name: text("channel_name"),
            team_id: text("team_id"),
            team_domain: text("team_domain"),
            post_id: text("post_id"),
            trigger_id: text("trigger_id"),
            kind: text("type"),
            data_source: text("data_source"),
            context: gojson::map_passed_through(body["context"].as_object().unwrap()),
        };
        assert_eq!(String::from_utf8(gojson::to_bytes(&ours)).unwrap(), vector["body_raw"].as_str().unwrap());
    }

    #[test]
    fn links_are_rewritten() {
        assert_eq!(with_plain_links("see <http://a|this> or <that> & 1<2"), "see [this](http://a) or <that> & 1<2");
    }
}
