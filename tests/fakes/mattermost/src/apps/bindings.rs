//! Bindings of apps: what the plugin removes from an app's answer, and the tree clients get.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::App;
use super::calls;
use super::context::ClientContext;
use super::forms::{self, Form, has_blank, icon_url};
use super::manifest::CallDef;
use crate::request_log::SentRequest;
use crate::state::Shared;

/// A binding.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Binding {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) app_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) location: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    icon: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) label: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    hint: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) submit: Option<CallDef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) form: Option<Form>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) bindings: Vec<Binding>,
}

/// What cleaning needs to know about the app.
#[derive(Debug)]
pub(crate) struct Cleaner<'a> {
    pub(crate) app_id: &'a str,
    /// Address of the app below the site.
    pub(crate) app_url: &'a str,
    pub(crate) granted: &'a [String],
    pub(crate) user_agent: &'a str,
}

const COMMAND: &str = "/command";
const TOP: [&str; 3] = ["/channel_header", COMMAND, "/post_menu"];

/// A location below another.
fn sub(prefix: &str, location: &str) -> String {
    if location.is_empty() {
        prefix.to_owned()
    } else if location.starts_with('/') {
        format!("{prefix}{location}")
    } else {
        format!("{prefix}/{location}")
    }
}

/// Reads an app's answer as bindings.
pub(crate) fn decode(data: &Value) -> Result<Vec<Binding>, String> {
    match data {
        Value::Null => Ok(Vec::new()),
        Value::Object(_) => Err("json: cannot unmarshal object into Go value of type []apps.Binding".into()),
        list => Vec::deserialize(list).map_err(|error| error.to_string()),
    }
}

impl Cleaner<'_> {
    /// Removes what the plugin removes; every removal is noted. Repeated labels stay.
    pub(crate) fn clean(&self, bindings: Vec<Binding>, prefix: &str, problems: &mut Vec<String>) -> Vec<Binding> {
        bindings
            .into_iter()
            .filter_map(|binding| match self.clean_one(binding, prefix, problems) {
                Ok(binding) => Some(binding),
                Err(why) => {
                    problems.extend(why);
                    None
                }
            })
            .collect()
    }

    fn clean_one(
        &self,
        mut binding: Binding,
        prefix: &str,
        problems: &mut Vec<String>,
    ) -> Result<Binding, Option<String>> {
        let drop = |why: String| Err(Some(why));
        if binding.location.is_empty() && binding.label.is_empty() {
            return drop(format!("{prefix}: sub-binding with no location nor label"));
        }
        if binding.location.is_empty() {
            binding.location.clone_from(&binding.label);
        }
        let trimmed = binding.location.trim();
        let full = sub(prefix, trimmed);
        if trimmed != binding.location {
            problems.push(format!("{full}: trimmed whitespace from location"));
            binding.location = trimmed.to_owned();
        }
        // The plugin compares the beginnings of texts, not of paths.
        if !self.granted.iter().any(|granted| full.starts_with(granted.as_str())) {
            return drop(format!("{full}: location is not granted: forbidden"));
        }
        if !TOP.contains(&full.as_str()) {
            binding.app_id = self.app_id.to_owned();
        }
        if full != COMMAND && full.starts_with(COMMAND) {
            self.clean_label(&mut binding, &full, problems)?;
        }
        if !binding.icon.is_empty() {
            match icon_url(self.app_url, &binding.icon) {
                Ok(icon) => binding.icon = icon,
                Err(_) => {
                    let icon = std::mem::take(&mut binding.icon);
                    problems.push(format!("{full}: invalid icon path {icon:?} in binding"));
                }
            }
        }
        if full == sub("/channel_header", &binding.location) && binding.icon.is_empty() && self.user_agent == "webapp" {
            return drop(format!("{full}: no icon in channel header binding"));
        }
        self.clean_content(binding, &full, problems)
    }

    fn clean_label(&self, binding: &mut Binding, full: &str, problems: &mut Vec<String>) -> Result<(), Option<String>> {
        if binding.label.is_empty() {
            binding.label.clone_from(&binding.location);
        }
        let trimmed = binding.label.trim();
        if trimmed != binding.label {
            problems.push(format!("{full}: trimmed whitespace from label {trimmed}"));
            binding.label = trimmed.to_owned();
        }
        if has_blank(&binding.label) {
            return Err(Some(format!("{full}: command label {:?} has multiple words", binding.label)));
        }
        Ok(())
    }

    fn clean_content(
        &self,
        mut binding: Binding,
        full: &str,
        problems: &mut Vec<String>,
    ) -> Result<Binding, Option<String>> {
        let children = !binding.bindings.is_empty();
        match (children, binding.form.take(), &binding.submit) {
            (true, None, None) => {
                let inner = std::mem::take(&mut binding.bindings);
                binding.bindings = self.clean(inner, full, problems);
                if binding.bindings.is_empty() {
                    return Err(None);
                }
            }
            (false, Some(form), None) => {
                binding.form = Some(forms::clean(form, self.app_url, problems));
            }
            (false, None, Some(_)) => {}
            _ => {
                return Err(Some(format!(
                    "{full}: (only) one of  \"submit\", \"form\", or \"bindings\" must be set in a binding"
                )));
            }
        }
        Ok(binding)
    }
}

/// The bindings a client gets, of all apps.
#[derive(Debug, Clone, Default)]
pub struct BindingsOutcome {
    /// The cleaned tree, as JSON.
    pub bindings: Value,
    /// What was removed, and why.
    pub problems: Vec<String>,
    /// What went to the apps.
    pub sent: Vec<SentRequest>,
}

/// Asks every enabled app for its bindings and merges them.
pub(crate) async fn all(
    shared: &Arc<Shared>,
    user_id: &str,
    context: &ClientContext,
) -> (Vec<Binding>, Vec<String>, Vec<SentRequest>) {
    let apps: Vec<App> = shared.world().apps.installed.values().cloned().collect();
    let (mut merged, mut problems, mut sent) = (Vec::new(), Vec::new(), Vec::new());
    for app in apps.iter().filter(|app| !app.disabled) {
        match of_app(shared, app, user_id, context, &mut problems, &mut sent).await {
            Ok(bindings) => merged = merge(merged, bindings),
            Err(why) => problems.push(why),
        }
    }
    (merged, problems, sent)
}

async fn of_app(
    shared: &Arc<Shared>,
    app: &App,
    user_id: &str,
    context: &ClientContext,
    problems: &mut Vec<String>,
    sent: &mut Vec<SentRequest>,
) -> Result<Vec<Binding>, String> {
    let manifest = &app.manifest;
    if manifest.requested_locations.is_empty() {
        return Err("no location granted to bind to: forbidden".into());
    }
    let mut call = manifest.bindings.clone().unwrap_or_default();
    if call.path.is_empty() {
        call.path = "/bindings".into();
    }
    let request = calls::Request::new(call, context.clone());
    let made = calls::call(shared, app, request, user_id).await;
    sent.extend(made.sent);
    let response = made.response;
    match response.kind.as_str() {
        "ok" => {}
        "error" => return Err(format!("received app error: {}", response.text)),
        other => return Err(format!("unexpected response type {other:?}")),
    }
    let bindings = decode(&response.data).map_err(|why| format!("failed to decode bindings: {why}"))?;
    let app_url = format!("{}{}", shared.site_url, app.path());
    let cleaner = Cleaner {
        app_id: &manifest.app_id,
        app_url: &app_url,
        granted: &manifest.requested_locations,
        user_agent: &context.user_agent,
    };
    Ok(cleaner.clean(bindings, "", problems))
}

/// Joins two trees: bindings of the same app and location become one.
fn merge(mut into: Vec<Binding>, from: Vec<Binding>) -> Vec<Binding> {
    for binding in from {
        let same = into.iter_mut().find(|have| have.app_id == binding.app_id && have.location == binding.location);
        match same {
            None => into.push(binding),
            Some(have) => {
                let inner = std::mem::take(&mut have.bindings);
                let mut merged = binding;
                if !inner.is_empty() {
                    merged.bindings = merge(inner, std::mem::take(&mut merged.bindings));
                }
                *have = merged;
            }
        }
    }
    into
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apps::manifest::error_list;

    #[test]
    fn nothing_of_the_recorded_good_answer_is_dropped() {
        let answer: Value = serde_json::from_str(include_str!("../../vectors/bindings_response_ok.json")).unwrap();
        let granted = ["/command".to_owned()];
        let cleaner =
            Cleaner { app_id: "oncall", app_url: "http://apps/oncall", granted: &granted, user_agent: "webapp" };
        let mut problems = Vec::new();
        let cleaned = cleaner.clean(decode(&answer["data"]).unwrap(), "", &mut problems);
        assert_eq!(problems, Vec::<String>::new());
        let words: Vec<&str> = cleaned[0].bindings[0].bindings.iter().map(|binding| binding.label.as_str()).collect();
        assert_eq!(words, ["link", "unlink"]);
    }

    #[test]
    fn all_recorded_cases() {
        let cases: Vec<Value> = serde_json::from_str(include_str!("../../vectors/cleaning_cases.json")).unwrap();
        assert!(cases.len() >= 20);
        for case in cases {
            let name = &case["name"];
            let bindings = match decode(&case["data"]) {
                Ok(bindings) => bindings,
                Err(why) => {
                    assert_eq!(case["decode_error"], why, "{name}");
                    continue;
                }
            };
            let granted: Vec<String> = serde_json::from_value(case["granted_locations"].clone()).unwrap();
            let cleaner = Cleaner {
                app_id: "oncall",
                app_url: "https://mattermost.example.com/plugins/com.mattermost.apps/apps/oncall",
                granted: &granted,
                user_agent: case["user_agent"].as_str().unwrap(),
            };
            let mut problems = Vec::new();
            let cleaned = cleaner.clean(bindings, "", &mut problems);
            assert_eq!(serde_json::to_value(&cleaned).unwrap(), case["cleaned"], "{name}");
            let told: Vec<String> = match problems.as_slice() {
                [] => Vec::new(),
                some => {
                    let text = error_list(some);
                    text.trim_end().lines().map(str::to_owned).collect()
                }
            };
            let expected: Vec<String> = match &case["problems"] {
                Value::Null => Vec::new(),
                list => serde_json::from_value(list.clone()).unwrap(),
            };
            assert_eq!(told, expected, "{name}");
        }
    }
}
