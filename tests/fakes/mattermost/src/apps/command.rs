//! Slash commands of apps: from what was typed to what the person sees.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::bindings;
use super::calls::{self, AppResponse, Request};
use super::command_line::{Typed, fill, resolve};
use super::context::ClientContext;
use super::forms::{Field, Form};
use super::manifest::CallDef;
use crate::request_log::SentRequest;
use crate::state::Shared;

/// What came of a command of an app.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AppsCommandOutcome {
    /// `ok`, `error`, `form`, `navigate`, or `client` if the client refused what was typed.
    pub kind: String,
    /// The text the person sees.
    pub text: String,
    /// The whole answer.
    pub response: AppResponse,
    /// What went to the app, the bindings included.
    pub sent: Vec<SentRequest>,
}

impl AppsCommandOutcome {
    /// Whether the app says everything went well.
    pub fn is_ok(&self) -> bool {
        self.kind == "ok"
    }
}

/// One command under way.
struct Running<'a> {
    shared: &'a Arc<Shared>,
    user_id: &'a str,
    context: ClientContext,
    text: &'a str,
    sent: Vec<SentRequest>,
}

/// Types a command.
pub(crate) async fn run(shared: &Arc<Shared>, user_id: &str, channel_id: &str, text: &str) -> AppsCommandOutcome {
    let team_id = {
        let world = shared.world();
        if !world.may_use_channel(channel_id, user_id) {
            let response = AppResponse::error("the client does not show this channel");
            let text = response.text.clone();
            return AppsCommandOutcome { kind: "client".into(), text, response, sent: Vec::new() };
        }
        let channel = world.channels.get(channel_id);
        channel.map(|c| c.team_id.clone()).unwrap_or_default()
    };
    let context = ClientContext { channel_id: channel_id.to_owned(), team_id, ..ClientContext::default() };
    let (tree, _, sent) = bindings::all(shared, user_id, &context).await;
    let mut running = Running {
        shared,
        user_id,
        context: ClientContext { user_agent: "webapp".into(), track_as_submit: true, ..context },
        text,
        sent,
    };
    let result = running.submit(&tree).await;
    let (kind, response) = match result {
        Ok(response) => (response.kind.clone(), response),
        Err(why) => ("client".to_owned(), AppResponse::error(why)),
    };
    if !response.text.is_empty() {
        let now = shared.now();
        let mut world = shared.world();
        world.show_ephemeral(user_id, channel_id, "", &response.text, Map::new(), now);
    }
    AppsCommandOutcome { kind, text: response.text.clone(), response, sent: running.sent }
}

impl Running<'_> {
    async fn submit(&mut self, tree: &[bindings::Binding]) -> Result<AppResponse, String> {
        let found = resolve(tree, self.text)?;
        self.context.app_id.clone_from(&found.binding.app_id);
        self.context.location.clone_from(&found.location);
        if let Some(call) = &found.binding.submit {
            if !found.rest.trim().is_empty() {
                return Err(format!("the argument {:?} fits nothing", found.rest.trim()));
            }
            return Ok(self.submit_call(call.clone(), Map::new()).await);
        }
        let form = found.binding.form.clone().unwrap_or_default();
        let form = self.with_source(form).await?;
        let typed = fill(&form, found.rest)?;
        let values = self.values(&form, typed).await?;
        let submit = form.submit.clone().ok_or("the form cannot be submitted")?;
        Ok(self.submit_call(submit, values).await)
    }

    /// Fetches a form that is only given by its source.
    async fn with_source(&mut self, form: Form) -> Result<Form, String> {
        let source = match (&form.submit, &form.source) {
            (None, Some(source)) => source.clone(),
            _ => return Ok(form),
        };
        let response = self.call(Request::new(source, self.context.clone())).await;
        if response.kind != "form" {
            return Err(match response.text.as_str() {
                "" => "the app gave no form".to_owned(),
                text => text.to_owned(),
            });
        }
        serde_json::from_value(response.form).map_err(|error| error.to_string())
    }

    async fn submit_call(&mut self, call: CallDef, values: Map<String, Value>) -> AppResponse {
        let request = Request { values, raw_command: self.text.to_owned(), ..Request::new(call, self.context.clone()) };
        self.call(request).await
    }

    async fn call(&mut self, request: Request) -> AppResponse {
        let made = calls::client_call(self.shared, self.user_id, request).await;
        self.sent.extend(made.sent);
        made.response
    }

    /// Turns what was typed into the values the app gets.
    async fn values(&mut self, form: &Form, typed: Typed) -> Result<Map<String, Value>, String> {
        let mut values = Map::new();
        for field in &form.fields {
            if !field.value.is_null() {
                values.insert(field.name.clone(), field.value.clone());
            }
        }
        for (name, text) in typed {
            let field = form.fields.iter().find(|field| field.name == name);
            let field = field.ok_or("a value for no field")?;
            let value = self.value(field, &text).await?;
            values.insert(name, value);
        }
        Ok(values)
    }

    async fn value(&mut self, field: &Field, text: &str) -> Result<Value, String> {
        let label = &field.label;
        let choice = |label: &str, value: &str| json!({"label": label, "value": value});
        match field.kind.as_str() {
            "bool" => Ok(Value::Bool(text == "true")),
            "static_select" => {
                let chosen = field
                    .options
                    .iter()
                    .find(|option| option.value == text || option.label.to_lowercase() == text.to_lowercase());
                let chosen = chosen.ok_or_else(|| format!("`{text}` is no choice of `{label}`"))?;
                let shown = if chosen.label.is_empty() { &chosen.value } else { &chosen.label };
                Ok(choice(shown, &chosen.value))
            }
            "dynamic_select" => self.look_up(field, text).await,
            "user" => {
                let world = self.shared.world();
                let user = world.find_user(text);
                let user = user.ok_or_else(|| format!("there is no user `{text}`"))?;
                Ok(choice(&user.username, &user.id))
            }
            "channel" => {
                let world = self.shared.world();
                let name = text.trim_start_matches('~');
                let channel = world.channel_by_name(&self.context.team_id, name);
                let channel = channel.ok_or_else(|| format!("there is no channel `{text}`"))?;
                Ok(choice(&channel.display_name, &channel.id))
            }
            _ => {
                let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
                if field.max_length > 0 && length > field.max_length {
                    return Err(format!("`{label}` is too long"));
                }
                if field.min_length > 0 && length < field.min_length {
                    return Err(format!("`{label}` is too short"));
                }
                Ok(text.into())
            }
        }
    }

    async fn look_up(&mut self, field: &Field, text: &str) -> Result<Value, String> {
        let call = field.lookup.clone().ok_or("a menu without a lookup")?;
        let mut values = Map::new();
        values.insert(field.name.clone(), Value::Null);
        let request = Request {
            values,
            selected_field: field.name.clone(),
            query: text.to_owned(),
            ..Request::new(call, self.context.clone())
        };
        let response = self.call(request).await;
        if response.kind == "error" {
            return Err(response.text);
        }
        let items = response.data["items"].as_array().cloned();
        let same = |item: &Value, key: &str| {
            let have = item[key].as_str().unwrap_or_default();
            have.to_lowercase() == text.to_lowercase()
        };
        items
            .unwrap_or_default()
            .into_iter()
            .find(|item| same(item, "value") || same(item, "label"))
            .ok_or_else(|| format!("`{text}` is no choice of `{}`", field.label))
    }
}
