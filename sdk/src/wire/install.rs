//! What setup and codes give back: steps, tokens, progress.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::{
    Revealed, Take,
    bounds::{self, Broken},
    for_people,
};
use crate::{
    descriptor::Descriptor,
    identity::Identity,
    install::{self, Health},
    steps::{self, Field, FieldKind},
    time::Timestamp,
    token, verification,
};

const MAX_STEPS: usize = 20;
const MAX_FIELDS: usize = 20;
const MAX_OPTIONS: usize = 200;
const MAX_TOKENS: usize = 32;
/// Longest secret, in bytes.
const MAX_SECRET: usize = 16 * 1024;
/// Longest settings, notes and details of an identity, in bytes as JSON.
const MAX_NOTES: usize = 64 * 1024;
/// Longest window and longest wait for a token that is to come.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Where setup stands after a call.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// What to do next; empty when complete.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// The backend's name for where setup stands; comes back as `site.stage`.
    pub stage: String,
    /// Tokens to store.
    #[serde(default)]
    pub tokens: Vec<NewToken>,
    /// Set when setup is complete: the installation becomes active.
    #[serde(default)]
    pub installed: Option<Identity>,
    /// Settings to store instead of the present ones.
    #[serde(default)]
    pub settings: Option<Value>,
    /// What to find again in `site.notes`; never a secret.
    #[serde(default)]
    pub notes: Option<Value>,
    /// For how many seconds a happening may complete the installation.
    #[serde(default)]
    pub window: Option<u32>,
}

/// One thing that a person must do.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Step {
    /// Stable name, unique within the steps shown together.
    pub id: String,
    /// A few words.
    pub title: String,
    /// CommonMark: what to do and why.
    #[serde(default)]
    pub text: String,
    /// Until when it can be done.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// Whether setup goes on without it.
    #[serde(default)]
    pub optional: bool,
    /// What is to be done.
    #[serde(flatten)]
    pub kind: StepKind,
}

/// What is to be done.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
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
        value: Shown,
    },
    /// Run a command in the platform (or a shell, if the text says so).
    RunCommand {
        /// The whole command.
        command: Shown,
    },
    /// Send a text to the bot or post it in a conversation.
    SendText {
        /// The text.
        send: Shown,
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

/// A value in a step.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// The value.
    pub value: Revealed,
    /// Whether it is shown only once.
    #[serde(default)]
    pub secret: bool,
}

/// A token to be stored.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// A kind in the descriptor.
    pub kind: String,
    /// The value.
    pub value: Revealed,
    /// Tells several of one kind apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// When it runs out, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// What becomes of older tokens of the kind.
    #[serde(default)]
    pub replace: token::Replace,
}

/// How a renewal went.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Renewal {
    /// Here they are.
    Renewed(Vec<NewToken>),
    /// They will come by a happening; ask again after so many seconds if they don't.
    Asked(u32),
}

/// How a code is entered on the platform.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Presentation {
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// A link that does it all, where the platform has such links.
    #[serde(default)]
    pub deep_link: Option<Url>,
}

fn seconds(name: &str, seconds: u32) -> Result<Duration, Broken> {
    let wait = Duration::from_secs(seconds.into());
    if wait > LONGEST { Err(Broken::new(format!("{name} is longer than a day"))) } else { Ok(wait) }
}

fn take_steps(taken: Vec<Step>, backend: &Descriptor) -> Result<Vec<steps::SetupStep>, Broken> {
    bounds::count("steps", &taken, MAX_STEPS)?;
    taken.into_iter().map(|step| step.take(backend)).collect()
}

pub(super) fn take_tokens(tokens: Vec<NewToken>, backend: &Descriptor) -> Result<Vec<token::NewToken>, Broken> {
    bounds::count("tokens", &tokens, MAX_TOKENS)?;
    tokens.into_iter().map(|token| token.take(backend)).collect()
}

impl Take for Progress {
    type Taken = install::Progress;

    fn take(self, backend: &Descriptor) -> Result<install::Progress, Broken> {
        bounds::name("stage", &self.stage, 64)?;
        self.settings.iter().try_for_each(|settings| bounds::json("settings", settings, MAX_NOTES))?;
        self.notes.iter().try_for_each(|notes| bounds::json("notes", notes, MAX_NOTES))?;
        Ok(install::Progress {
            steps: take_steps(self.steps, backend)?,
            stage: self.stage,
            tokens: take_tokens(self.tokens, backend)?,
            installed: self.installed.map(|identity| identity.take(backend)).transpose()?,
            settings: self.settings,
            notes: self.notes,
            window: self.window.map(|window| seconds("window", window)).transpose()?,
        })
    }
}

impl Take for Identity {
    type Taken = Self;

    fn take(self, _: &Descriptor) -> Result<Self, Broken> {
        bounds::text("server", &self.server, 2_048)?;
        bounds::text("account", &self.account, 256)?;
        bounds::text("display_name", &self.display_name, 256)?;
        bounds::json("details", &self.details, MAX_NOTES)?;
        Ok(self)
    }
}

impl Take for Step {
    type Taken = steps::SetupStep;

    fn take(self, _: &Descriptor) -> Result<steps::SetupStep, Broken> {
        bounds::name("id", &self.id, 64)?;
        bounds::name("title", &self.title, 200)?;
        bounds::text("text", &self.text, 8_000)?;
        let kind = match self.kind {
            StepKind::OpenLink { url } => {
                for_people("url", &url)?;
                steps::StepKind::OpenLink { url }
            }
            StepKind::CopyValue { label, value } => {
                bounds::name("label", &label, 200)?;
                steps::StepKind::CopyValue { label, value: value.take()? }
            }
            StepKind::RunCommand { command } => steps::StepKind::RunCommand { command: command.take()? },
            StepKind::SendText { send, to } => {
                bounds::name("to", &to, 200)?;
                steps::StepKind::SendText { text: send.take()?, to }
            }
            StepKind::Fields { fields } => {
                check_fields(&fields)?;
                steps::StepKind::Fields { fields }
            }
            StepKind::Wait { what } => {
                bounds::name("what", &what, 200)?;
                steps::StepKind::Wait { what }
            }
        };
        let mut step = steps::SetupStep::new(self.id, self.title, self.text, kind).expires_at(self.expires_at);
        step.optional = self.optional;
        Ok(step)
    }
}

fn check_fields(fields: &[Field]) -> Result<(), Broken> {
    bounds::count("fields", fields, MAX_FIELDS)?;
    for field in fields {
        bounds::name("name", &field.name, 64)?;
        bounds::name("label", &field.label, 200)?;
        bounds::text("help", &field.help, 2_000)?;
        bounds::text("default", field.default.as_deref().unwrap_or_default(), 2_000)?;
        if let FieldKind::Select(options) = &field.kind {
            bounds::count("options", options, MAX_OPTIONS)?;
            for option in options {
                bounds::text("value", &option.value, 200)?;
                bounds::text("label", &option.label, 200)?;
            }
        }
    }
    Ok(())
}

impl Shown {
    fn take(self) -> Result<steps::ShownValue, Broken> {
        bounds::text("value", self.value.0.expose(), 4_000)?;
        Ok(match self.secret {
            true => steps::ShownValue::Secret(self.value.0),
            false => steps::ShownValue::Plain(self.value.0.expose().to_owned()),
        })
    }
}

impl Take for NewToken {
    type Taken = token::NewToken;

    fn take(self, backend: &Descriptor) -> Result<token::NewToken, Broken> {
        let kind =
            backend.token_kind(&self.kind).ok_or_else(|| Broken::new("a token's kind isn't in the descriptor"))?;
        let value = self.value.0;
        if value.is_empty() || value.expose().len() > MAX_SECRET {
            return Err(Broken::new(format!("a token must have 1 to {MAX_SECRET} bytes")));
        }
        bounds::text("label", self.label.as_deref().unwrap_or_default(), 256)?;
        Ok(token::NewToken {
            kind: kind.name,
            value,
            label: self.label,
            expires_at: self.expires_at,
            replace: self.replace,
        })
    }
}

impl From<&token::NewToken> for NewToken {
    fn from(token: &token::NewToken) -> Self {
        Self {
            kind: token.kind.to_owned(),
            value: Revealed(token.value.clone()),
            label: token.label.clone(),
            expires_at: token.expires_at,
            replace: token.replace,
        }
    }
}

impl Take for Renewal {
    type Taken = install::Renewal;

    fn take(self, backend: &Descriptor) -> Result<install::Renewal, Broken> {
        Ok(match self {
            Self::Renewed(tokens) => install::Renewal::Renewed(take_tokens(tokens, backend)?),
            Self::Asked(wait) => install::Renewal::Asked { retry_after: seconds("asked", wait)? },
        })
    }
}

impl Take for Health {
    type Taken = Self;

    fn take(self, _: &Descriptor) -> Result<Self, Broken> {
        bounds::count("missing", &self.missing, MAX_STEPS)?;
        Ok(Self {
            identity: self.identity.as_deref().map(bounds::words),
            missing: self.missing.iter().map(|missing| bounds::words(missing)).collect(),
            cure: self.cure.as_deref().map(bounds::words),
            ..self
        })
    }
}

impl Take for Presentation {
    type Taken = verification::Presentation;

    fn take(self, backend: &Descriptor) -> Result<verification::Presentation, Broken> {
        self.deep_link.iter().try_for_each(|url| for_people("deep_link", url))?;
        Ok(verification::Presentation { steps: take_steps(self.steps, backend)?, deep_link: self.deep_link })
    }
}
