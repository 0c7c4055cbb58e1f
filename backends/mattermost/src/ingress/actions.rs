//! Somebody pressed a button or chose from a menu. Mattermost sends no signature and no
//! secret of its own: the trigger proves who and when, the button's token what and where.
//! The token is the host's to check, with the conversation and the post.

use chatport_sdk::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    MAX_BODY,
    words::{self, NOT_ACTIVE, NOT_RECORDED},
};
use crate::{address, card::Card, details::Details, settings::Settings, trigger};

/// Longest token of a button.
const MAX_TOKEN: usize = 128;
/// Longest value of a menu's entry.
const MAX_CHOICE: usize = 4_096;

/// The body of a press.
#[derive(Deserialize)]
struct Press {
    user_id: String,
    #[serde(default)]
    user_name: String,
    channel_id: String,
    post_id: String,
    #[serde(default)]
    trigger_id: String,
    /// What the button carried; the server adds what was chosen.
    context: Map<String, Value>,
}

pub(super) fn receive(site: &Site, request: &Request) -> Received {
    match understand(site, request) {
        Ok(happening) => Received::Happenings(vec![happening]),
        Err(reason) => Received::Refused { response: private(NOT_ACTIVE), reason },
    }
}

fn understand(site: &Site, request: &Request) -> Result<Happening, &'static str> {
    if request.body.len() > MAX_BODY {
        return Err("body-too-long");
    }
    let press: Press = serde_json::from_slice(&request.body).map_err(|_| "body-form")?;
    let details = Details::of(site).ok_or("not-installed")?;
    let ids = [&press.user_id, &press.channel_id, &press.post_id];
    if !ids.into_iter().all(|id| address::is_id(id)) {
        return Err("body-form");
    }
    let trigger = trigger::verify_for(&details, &press.trigger_id, &press.user_id, site.now());
    let trigger = trigger.map_err(trigger::TriggerError::reason)?;
    let settings = Settings::of(site).map_err(|_| "settings")?;
    let carried = |name: &str| press.context.get(name).and_then(Value::as_str);
    let token = carried("t").filter(|token| token.len() <= MAX_TOKEN).ok_or("body-form")?;
    let choice = carried("selected_option").filter(|choice| choice.len() <= MAX_CHOICE).map(str::to_owned);
    let mut account = Account::new(press.user_id);
    account.username = press.user_name;
    let pressed = HappeningKind::Pressed {
        token: Secret::new(token),
        choice,
        account,
        conversation: press.channel_id,
        part: address::receipt(&settings.site_url, &press.post_id, ""),
    };
    let mut happening = Happening::new(trigger::happening_id(site, trigger.as_ref()), pressed);
    happening.at = trigger.map(|trigger| trigger.at);
    Ok(happening)
}

pub(super) fn answer(site: &Site, outcome: &Outcome) -> Response {
    match outcome {
        Outcome::Pressed(answer) => Response::json(&pressed(site, answer)),
        Outcome::Recorded => private("Recorded."),
        Outcome::NotLinked => private(&words::how_to_link(site)),
        Outcome::NotOurs => private(NOT_ACTIVE),
        Outcome::Duplicate { same_content: true, first: Some(first) } => self::answer(site, first),
        Outcome::Duplicate { same_content: true, first: None } => private("This is being worked on already."),
        Outcome::Duplicate { .. } => private(NOT_ACTIVE),
        _ => private(NOT_RECORDED),
    }
}

/// A text for the presser alone.
fn private(text: &str) -> Response {
    Response::json(&json!({ "ephemeral_text": text, "skip_slack_parsing": true }))
}

fn pressed(site: &Site, answer: &PressAnswer) -> Value {
    let mut body = json!({ "skip_slack_parsing": true });
    let notice = answer.notice.as_deref().or(answer.refused.then_some("You can't do that."));
    if let Some(notice) = notice {
        body["ephemeral_text"] = notice.into();
    }
    // A part that can't be read is left to the engine's edit, which says what is wrong.
    let shown = answer.shown.as_deref().and_then(|shown| Some((shown, Card::of(&shown.part).ok()?)));
    if let Some((outgoing, card)) = shown {
        // An update without a message would empty it.
        body["update"] = json!({ "message": card.message, "props": card.props(outgoing, site.ingress_url()) });
    }
    body
}
