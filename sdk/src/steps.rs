//! Setup steps: what a person must do, in a form that any frontend can render without
//! knowing the platform.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use crate::{secret::Secret, time::Timestamp};

/// One thing that a person must do.
///
/// ```
/// use chatport_sdk::prelude::*;
///
/// let url = Url::parse("https://board.example.com/settings/bots").expect("an address");
/// let step = SetupStep::new("open", "Open the board's settings", "", StepKind::OpenLink { url });
/// assert_eq!(step.to_json(false)["kind"], "open_link");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SetupStep {
    /// Stable name, unique within the steps shown together.
    pub id: String,
    /// A few words.
    pub title: String,
    /// CommonMark: what to do and why.
    pub text: String,
    /// What is to be done.
    pub kind: StepKind,
    /// Until when it can be done.
    pub expires_at: Option<Timestamp>,
    /// Whether setup goes on without it.
    pub optional: bool,
}

impl SetupStep {
    /// A step that must be done.
    pub fn new(id: impl Into<String>, title: impl Into<String>, text: impl Into<String>, kind: StepKind) -> Self {
        Self { id: id.into(), title: title.into(), text: text.into(), kind, expires_at: None, optional: false }
    }

    /// It can be done until this time.
    pub fn expires_at(mut self, at: Option<Timestamp>) -> Self {
        self.expires_at = at;
        self
    }

    /// Setup goes on without it.
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// The step as JSON. Secret values are in it only if `reveal`; else they are null.
    pub fn to_json(&self, reveal: bool) -> Value {
        let mut step = self.kind.to_json(reveal);
        let common = json!({
            "id": self.id, "title": self.title, "text": self.text,
            "expires_at": self.expires_at, "optional": self.optional,
        });
        if let (Value::Object(step), Value::Object(common)) = (&mut step, common) {
            step.extend(common);
        }
        step
    }
}

/// What is to be done.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StepKind {
    /// Open an address in a browser.
    OpenLink {
        /// The address.
        url: Url,
    },
    /// Copy a value to somewhere else.
    CopyValue {
        /// What it is called there.
        label: String,
        /// The value.
        value: ShownValue,
    },
    /// Run a command in the platform (or a shell, if the text says so).
    RunCommand {
        /// The whole command.
        command: ShownValue,
    },
    /// Send a text to the bot or post it in a conversation.
    SendText {
        /// The text.
        text: ShownValue,
        /// To whom or where, in words.
        to: String,
    },
    /// Fill in fields and submit them.
    Fields {
        /// The fields, in order.
        fields: Vec<Field>,
    },
    /// Wait for something that somebody else does.
    Wait {
        /// For what, in words.
        what: String,
    },
}

/// A value in a step: open, or secret and shown once.
#[derive(Clone, Debug)]
pub enum ShownValue {
    /// Anybody may read it.
    Plain(String),
    /// Shown only in the answer that makes it.
    Secret(Secret),
}

impl ShownValue {
    fn to_json(&self, reveal: bool) -> Value {
        match self {
            Self::Plain(value) => json!({ "value": value, "secret": false }),
            Self::Secret(value) if reveal => json!({ "value": value.expose(), "secret": true }),
            Self::Secret(_) => json!({ "value": null, "secret": true }),
        }
    }
}

impl StepKind {
    fn to_json(&self, reveal: bool) -> Value {
        match self {
            Self::OpenLink { url } => json!({ "kind": "open_link", "url": url }),
            Self::CopyValue { label, value } => {
                json!({ "kind": "copy_value", "label": label, "value": value.to_json(reveal) })
            }
            Self::RunCommand { command } => json!({ "kind": "run_command", "command": command.to_json(reveal) }),
            Self::SendText { text, to } => {
                json!({ "kind": "send_text", "send": text.to_json(reveal), "to": to })
            }
            Self::Fields { fields } => json!({ "kind": "fields", "fields": fields }),
            Self::Wait { what } => json!({ "kind": "wait", "what": what }),
        }
    }
}

/// One field of a form.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Field {
    /// The key under which it is submitted.
    pub name: String,
    /// What it is called.
    pub label: String,
    /// What to put in and where to find it.
    #[serde(default)]
    pub help: String,
    /// What sort of value.
    pub kind: FieldKind,
    /// Whether it may be left empty.
    pub required: bool,
    /// What stands in it at first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

impl Field {
    /// A field that must be filled in.
    pub fn new(name: impl Into<String>, label: impl Into<String>, kind: FieldKind, help: impl Into<String>) -> Self {
        Self { name: name.into(), label: label.into(), help: help.into(), kind, required: true, default: None }
    }

    /// It may be left empty.
    pub fn optional(mut self) -> Self {
        self.required = false;
        self
    }

    /// It starts with this value.
    pub fn default(mut self, value: impl Into<String>) -> Self {
        self.default = Some(value.into());
        self
    }
}

/// What sort of value a field takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FieldKind {
    /// One line.
    Text,
    /// One line that isn't shown and is never given back.
    Secret,
    /// An http or https address.
    Url,
    /// Yes or no, submitted as `true` or `false`.
    Toggle,
    /// One of these.
    Select(Vec<SelectOption>),
}

/// One option of a select field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SelectOption {
    /// What is submitted.
    pub value: String,
    /// What is read.
    pub label: String,
}
