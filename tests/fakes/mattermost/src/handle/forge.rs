//! What an attacker may send: clicks and commands that do not come from the server.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::FakeMattermost;
use crate::gojson;
use crate::ids::new_id;
use crate::outgoing::{Outgoing, send};
use crate::slash;
use crate::trigger::SigningKey;

/// The trigger id a forged request carries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Trigger {
    /// A good one for the user the request names.
    #[default]
    Good,
    /// A good one, but this old.
    Stale(Duration),
    /// A good one, but from this far in the future.
    Early(Duration),
    /// A good one for somebody else, by id or name.
    Of(String),
    /// One that was seen before.
    Seen(String),
    /// One with the right form, signed by another server's key.
    OtherServer,
    /// One whose signature does not fit its contents.
    Tampered,
    /// An empty text.
    Empty,
    /// No such field at all.
    Absent,
}

/// A click that somebody sends to the integration from outside.
#[derive(Debug, Clone, Default)]
pub struct ForgedClick {
    /// Who is said to click, by id or name.
    pub user: String,
    /// The post whose button it is said to be.
    pub post_id: String,
    /// The action, whose address and context are used.
    pub action_id: String,
    /// What is said to be chosen, for menus.
    pub selected_option: Option<String>,
    /// The trigger id.
    pub trigger: Trigger,
    /// Fields that replace those of the body; `null` removes one.
    pub replace: Value,
    /// Another address than the button's.
    pub url: Option<String>,
}

/// A command that somebody sends to the integration from outside.
#[derive(Debug, Clone, Default)]
pub struct ForgedSlash {
    /// Team of the command, by id or name.
    pub team: String,
    /// The command's word.
    pub command: String,
    /// Who is said to type it, by id or name.
    pub user: String,
    /// Where, by id or name.
    pub channel: String,
    /// What is said to follow the word.
    pub text: String,
    /// The trigger id.
    pub trigger: Trigger,
    /// Another token than the command's, in header and body.
    pub token: Option<String>,
    /// Fields that replace those of the form.
    pub replace: Vec<(String, String)>,
    /// Another address than the command's.
    pub url: Option<String>,
}

/// A raw answer.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RawAnswer {
    /// Status; 0 if no answer came.
    pub status: u16,
    /// Type of the body.
    pub content_type: String,
    /// Body as text; why no answer came, if none did.
    pub body: String,
}

impl RawAnswer {
    /// The body as JSON, `null` if it is not.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

impl FakeMattermost {
    /// A trigger id as the server would make it.
    pub fn trigger_id(&self, user: &str) -> String {
        self.make_trigger(user, &Trigger::Good).unwrap_or_default()
    }

    /// A trigger id of any kind; `None` for an absent one.
    pub fn make_trigger(&self, user: &str, trigger: &Trigger) -> Option<String> {
        let id = self.user_id(user);
        let now = self.shared.now();
        let ms = |span: &Duration| i64::try_from(span.as_millis()).expect("the span fits 64 bits");
        let sign = |id: &str, at: i64| self.shared.key.trigger(&new_id(), id, at);
        Some(match trigger {
            Trigger::Good => sign(&id, now),
            Trigger::Stale(age) => sign(&id, now - ms(age)),
            Trigger::Early(ahead) => sign(&id, now + ms(ahead)),
            Trigger::Of(other) => sign(&self.user_id(other), now),
            Trigger::Seen(seen) => seen.clone(),
            Trigger::OtherServer => SigningKey::generate().trigger(&new_id(), &id, now),
            Trigger::Tampered => tampered(&sign(&id, now), &id),
            Trigger::Empty => String::new(),
            Trigger::Absent => return None,
        })
    }

    /// Sends anything anywhere, as a client of no consequence.
    pub async fn send_raw(
        &self,
        method: &'static str,
        url: &str,
        headers: &[(&'static str, &str)],
        body: &[u8],
    ) -> RawAnswer {
        let request = Outgoing {
            method,
            url: url.to_owned(),
            headers: headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
            body: body.to_vec(),
            timeout: Duration::from_secs(30),
            max_answer: 10 * 1024 * 1024,
        };
        match send(&self.shared, request).await {
            Ok(answer) => RawAnswer {
                status: answer.status,
                content_type: answer.content_type,
                body: String::from_utf8_lossy(&answer.body).into_owned(),
            },
            Err(failure) => RawAnswer { body: failure.why, ..RawAnswer::default() },
        }
    }

    /// Sends a click from outside. The body is the one the server would send, apart from what is
    /// replaced.
    ///
    /// # Panics
    /// If the post has no such action.
    pub async fn forge_click(&self, forged: &ForgedClick) -> RawAnswer {
        let post = self.post(&forged.post_id).expect("the post exists");
        let action = post.action(&forged.action_id).expect("the action exists");
        let (user, channel) = (self.user(&forged.user), self.channel(&post.channel_id));
        let team = self.shared.world().teams.get(&channel.team_id).cloned();
        let mut context = action["integration"]["context"].clone();
        if let Some(selected) = &forged.selected_option {
            context["selected_option"] = selected.clone().into();
        }
        let mut body = json!({
            "user_id": user.id,
            "user_name": user.username,
            "channel_id": channel.id,
            "channel_name": channel.name,
            "team_id": channel.team_id,
            "team_domain": team.map(|team| team.name).unwrap_or_default(),
            "post_id": post.id,
            "type": action["type"],
            "data_source": "",
            "context": gojson::passed_through(&context),
        });
        if let Some(trigger) = self.make_trigger(&forged.user, &forged.trigger) {
            body["trigger_id"] = trigger.into();
        }
        replace(&mut body, &forged.replace);
        let url = forged.url.as_deref().unwrap_or_else(|| {
            let url = action["integration"]["url"].as_str();
            url.expect("the action has an address")
        });
        let headers = [("Content-Type", "application/json")];
        let body = gojson::to_bytes(&body);
        self.send_raw("POST", url, &headers, &body).await
    }

    /// Sends a command from outside. The form is the one the server would send, apart from what
    /// is replaced.
    ///
    /// # Panics
    /// If the team has no such command.
    pub async fn forge_slash(&self, forged: &ForgedSlash) -> RawAnswer {
        let commands = self.commands(&forged.team);
        let command = commands.iter().find(|c| c.trigger == forged.command);
        let command = command.expect("the command exists");
        let (user, channel) = (self.user(&forged.user), self.channel(&forged.channel));
        let team = self.shared.world().teams.get(&command.team_id).cloned();
        let token = forged.token.as_deref().unwrap_or(&command.token);
        let response_url = format!("{}/hooks/commands/{}", self.url(), new_id());
        let mut fields: Vec<(&str, String)> = vec![
            ("channel_id", channel.id),
            ("channel_name", channel.name),
            ("command", format!("/{}", command.trigger)),
            ("response_url", response_url),
            ("team_domain", team.map(|t| t.name).unwrap_or_default()),
            ("team_id", command.team_id.clone()),
            ("text", forged.text.clone()),
            ("token", token.to_owned()),
        ];
        if let Some(trigger) = self.make_trigger(&forged.user, &forged.trigger) {
            fields.push(("trigger_id", trigger));
        }
        fields.push(("user_id", user.id));
        fields.push(("user_name", user.username));
        for (name, value) in &forged.replace {
            fields.retain(|(have, _)| have != name);
            fields.push((name.as_str(), value.clone()));
        }
        let authorization = format!("Token {token}");
        let headers =
            [("Content-Type", "application/x-www-form-urlencoded"), ("Authorization", authorization.as_str())];
        let url = forged.url.as_deref().unwrap_or(&command.url);
        let body = slash::encode(&fields);
        self.send_raw("POST", url, &headers, body.as_bytes()).await
    }
}

/// Puts another user into a trigger and leaves the signature.
fn tampered(trigger: &str, user_id: &str) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    let text = STANDARD.decode(trigger).expect("an own trigger is base64");
    let text = String::from_utf8(text).expect("an own trigger is a text");
    // Another client trigger id for the same user: everything fits but the signature.
    let rest = text.split_once(':').map(|(_, rest)| rest).unwrap_or_default();
    debug_assert!(rest.starts_with(user_id));
    STANDARD.encode(format!("{}:{rest}", new_id()))
}

/// Replaces fields of an object; `null` removes one.
pub(crate) fn replace(body: &mut Value, fields: &Value) {
    let empty = Map::new();
    let Some(body) = body.as_object_mut() else {
        return;
    };
    for (name, value) in fields.as_object().unwrap_or(&empty) {
        if value.is_null() {
            body.remove(name);
        } else {
            body.insert(name.clone(), value.clone());
        }
    }
}
