//! Forms of apps, and what the plugin removes from them.

use std::collections::HashSet;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::clean_url::clean_static;
use super::manifest::CallDef;

/// A choice of a menu.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Choice {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) label: String,
    pub(crate) value: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    icon_data: String,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// A field of a form.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Field {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_required: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    readonly: bool,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub(crate) value: Value,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) label: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    hint: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) position: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    modal_label: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) multiselect: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    refresh: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) options: Vec<Choice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lookup: Option<CallDef>,
    #[serde(skip_serializing_if = "String::is_empty")]
    subtype: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) min_length: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) max_length: i64,
}

/// A form. In JSON it may be just the path of its source.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Form {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<CallDef>,
    #[serde(skip_serializing_if = "String::is_empty")]
    title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    header: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    footer: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    icon: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) submit: Option<CallDef>,
    #[serde(skip_serializing_if = "String::is_empty")]
    submit_buttons: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) fields: Vec<Field>,
}

impl<'de> Deserialize<'de> for Form {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Full {
            source: Option<CallDef>,
            title: String,
            header: String,
            footer: String,
            icon: String,
            submit: Option<CallDef>,
            submit_buttons: String,
            fields: Option<Vec<Field>>,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Path(String),
            Full(Box<Full>),
        }
        Ok(match Either::deserialize(from)? {
            Either::Path(path) => Self { source: Some(CallDef::at(&path)), ..Self::default() },
            Either::Full(full) => Self {
                source: full.source,
                title: full.title,
                header: full.header,
                footer: full.footer,
                icon: full.icon,
                submit: full.submit,
                submit_buttons: full.submit_buttons,
                fields: full.fields.unwrap_or_default(),
            },
        })
    }
}

/// Where an icon of an app is served, or why it cannot be.
pub(crate) fn icon_url(app_url: &str, icon: &str) -> Result<String, String> {
    if icon.starts_with("http://") || icon.starts_with("https://") {
        return Ok(icon.to_owned());
    }
    let name = clean_static(icon)?;
    let path = super::clean_url::clean(&format!("static/{name}"));
    Ok(format!("{app_url}/{path}"))
}

/// Two or more words.
pub(crate) fn has_blank(text: &str) -> bool {
    text.contains([' ', '\t'])
}

/// Removes what the plugin removes; every removal is noted.
pub(crate) fn clean(mut form: Form, app_url: &str, problems: &mut Vec<String>) -> Form {
    if !form.icon.is_empty() {
        match icon_url(app_url, &form.icon) {
            Ok(icon) => form.icon = icon,
            Err(why) => {
                problems.push(format!("invalid icon path in form: {why}"));
                form.icon = String::new();
            }
        }
    }
    if form.submit.is_none() && form.source.is_none() {
        problems.push("form must define either a submit or a source".into());
    }
    let mut labels = HashSet::new();
    let fields = std::mem::take(&mut form.fields);
    for field in fields {
        match clean_field(field, &labels, problems) {
            Ok(field) => {
                labels.insert(field.label.clone());
                form.fields.push(field);
            }
            Err(why) => problems.push(why),
        }
    }
    form
}

fn clean_field(mut field: Field, labels: &HashSet<String>, problems: &mut Vec<String>) -> Result<Field, String> {
    let name = &field.name;
    if name.is_empty() {
        return Err(format!("field with no name, label {}", field.label));
    }
    if has_blank(name) {
        return Err(format!("field name must be a single word: {name:?}"));
    }
    if field.label.is_empty() {
        field.label = name.replace('_', "-");
    }
    let label = &field.label;
    if has_blank(label) {
        return Err(format!("label must be a single word: {label:?} (field: {name})"));
    }
    if labels.contains(label) {
        return Err(format!("repeated label: {label:?} (field: {name})"));
    }
    match field.kind.as_str() {
        "static_select" => {
            field.options = clean_choices(&field.name, std::mem::take(&mut field.options), problems);
            if field.options.is_empty() {
                return Err(format!("no options for static select: {}", field.name));
            }
        }
        "dynamic_select" if field.lookup.is_none() => {
            return Err(format!("no lookup call for dynamic select: {name}"));
        }
        _ => {}
    }
    Ok(field)
}

fn clean_choices(field: &str, choices: Vec<Choice>, problems: &mut Vec<String>) -> Vec<Choice> {
    let (mut labels, mut values) = (HashSet::new(), HashSet::new());
    let mut kept = Vec::new();
    for choice in choices {
        let label = if choice.label.is_empty() { choice.value.clone() } else { choice.label.clone() };
        let value = &choice.value;
        let problem = if label.is_empty() {
            format!("option with neither label nor value (field {field})")
        } else if labels.contains(&label) {
            format!("repeated label {label:?} on select option (field {field})")
        } else if values.contains(value) {
            format!("repeated value {value:?} on select option (field {field})")
        } else {
            labels.insert(label);
            values.insert(value.clone());
            kept.push(choice);
            continue;
        };
        problems.push(problem);
    }
    kept
}
