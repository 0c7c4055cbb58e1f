//! Installations as applications read them, in answers and in events.

use chatport_sdk::{identity::Identity, install::Health, schemars::JsonSchema, steps::Field, time::Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::{
    sites,
    state::{InstallationState, Problem},
};
use crate::{app::App, ids::InstallationId, store::entities::installations::Model};

/// An installation, as applications read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Installation {
    /// Its id.
    pub id: InstallationId,
    /// Its backend.
    pub backend: String,
    /// Where it stands.
    pub state: InstallationState,
    /// Its settings.
    pub settings: Value,
    /// What is to be done next. A secret value stands only in the answer that made it; later
    /// it is null.
    #[schemars(with = "Vec<ShownStep>")]
    pub steps: Vec<Value>,
    /// Until when setup may be completed on the platform's side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_until: Option<Timestamp>,
    /// What it turned out to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<InstallationIdentity>,
    /// Why it is suspended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
    /// How it is.
    pub health: InstallationHealth,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// When it was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_at: Option<Timestamp>,
}

// What `SetupStep::to_json` makes, described for applications.
/// One thing that a person must do, in a form that any frontend can render without knowing
/// the platform.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ShownStep {
    /// Open an address in a browser.
    #[schemars(title = "OpenLinkStep")]
    OpenLink {
        /// What every step has.
        #[serde(flatten)]
        step: StepWords,
        /// The address.
        url: Url,
    },
    /// Copy a value to somewhere else.
    #[schemars(title = "CopyValueStep")]
    CopyValue {
        /// What every step has.
        #[serde(flatten)]
        step: StepWords,
        /// What it is called there.
        label: String,
        /// The value.
        value: StepValue,
    },
    /// Run a command.
    #[schemars(title = "RunCommandStep")]
    RunCommand {
        /// What every step has.
        #[serde(flatten)]
        step: StepWords,
        /// The whole command.
        command: StepValue,
    },
    /// Send a text.
    #[schemars(title = "SendTextStep")]
    SendText {
        /// What every step has.
        #[serde(flatten)]
        step: StepWords,
        /// The text.
        send: StepValue,
        /// To whom or where, in words.
        to: String,
    },
    /// Fill in fields and submit them.
    #[schemars(title = "FieldsStep")]
    Fields {
        /// What every step has.
        #[serde(flatten)]
        step: StepWords,
        /// The fields, in order.
        fields: Vec<Field>,
    },
    /// Wait for something that somebody else does.
    #[schemars(title = "WaitStep")]
    Wait {
        /// What every step has.
        #[serde(flatten)]
        step: StepWords,
        /// For what, in words.
        what: String,
    },
}

/// What every step has.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct StepWords {
    /// Stable name, unique within the steps shown together.
    pub id: String,
    /// A few words.
    pub title: String,
    /// CommonMark: what to do and why.
    pub text: String,
    /// Until when it can be done.
    pub expires_at: Option<Timestamp>,
    /// Whether setup goes on without it.
    pub optional: bool,
}

/// A value in a step.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct StepValue {
    /// The value; null where it is secret and was shown before.
    pub value: Option<String>,
    /// Whether it is shown only in the answer that makes it.
    pub secret: bool,
}

/// What an installation turned out to be, as applications read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InstallationIdentity {
    /// The server or workspace.
    pub server: String,
    /// The platform's id of the bot.
    pub account: String,
    /// The name that people read.
    pub display_name: String,
}

/// The `data` of `installation.activated`, `installation.suspended` and
/// `installation.removed`. With an installation its links and channels are gone too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InstallationEvent {
    /// The installation.
    pub installation: InstallationNews,
}

/// What an event tells of an installation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InstallationNews {
    /// Its id.
    pub id: InstallationId,
    /// Its backend.
    pub backend: String,
    /// Where it stands now.
    pub state: InstallationState,
    /// Why it is suspended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// How an installation is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InstallationHealth {
    /// When a message last arrived there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_delivered_at: Option<Timestamp>,
    /// When the platform last called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_heard_at: Option<Timestamp>,
    /// What the last probe found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_probe: Option<Probed>,
}

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Probed {
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub health: Health,
}

/// A row, as applications read it. `steps`: those of the answer that made them, if this is it.
pub(super) fn view(app: &App, row: &Model, steps: Option<Vec<Value>>) -> Installation {
    let mut state = InstallationState::stored(&row.state);
    let mut problem: Option<Problem> = row.problem.clone().and_then(|problem| serde_json::from_value(problem).ok());
    if state != InstallationState::Removed && app.registry.get(&row.backend).is_none() {
        state = InstallationState::Suspended;
        problem = Some(Problem::backend_not_linked(&row.backend));
    }
    let stored_steps = || row.steps.as_array().cloned().unwrap_or_default();
    Installation {
        id: InstallationId(row.id),
        backend: row.backend.clone(),
        state,
        settings: sites::migrated(app, row.clone()).settings,
        steps: steps.unwrap_or_else(stored_steps),
        window_until: row.window_until.map(Timestamp::from_micros),
        identity: sites::stored_identity(row).map(|Identity { server, account, display_name, .. }| {
            InstallationIdentity { server, account, display_name }
        }),
        problem,
        health: InstallationHealth {
            last_delivered_at: row.last_delivered_at.map(Timestamp::from_micros),
            last_heard_at: row.last_heard_at.map(Timestamp::from_micros),
            last_probe: row.health.clone().and_then(|health| serde_json::from_value(health).ok()),
        },
        created_at: Timestamp::from_micros(row.created_at),
        updated_at: Timestamp::from_micros(row.updated_at),
        removed_at: row.removed_at.map(Timestamp::from_micros),
    }
}

#[cfg(test)]
mod tests {
    use chatport_sdk::{
        secret::Secret,
        steps::{FieldKind, SetupStep, ShownValue, StepKind},
    };

    use super::*;

    #[test]
    fn every_kind_of_step_is_as_described() {
        let secret = || ShownValue::Secret(Secret::new("s3cret".to_owned()));
        let url = Url::parse("https://chat.example.com/").unwrap();
        let kinds = [
            StepKind::OpenLink { url },
            StepKind::CopyValue { label: "URL".into(), value: ShownValue::Plain("https://x".into()) },
            StepKind::RunCommand { command: secret() },
            StepKind::SendText { text: secret(), to: "the bot".into() },
            StepKind::Fields { fields: vec![Field::new("token", "Token", FieldKind::Secret, "Shown once.")] },
            StepKind::Wait { what: "the platform".into() },
        ];
        for kind in kinds {
            let shown = SetupStep::new("id", "Title", "Text", kind).to_json(false);
            let described: ShownStep = serde_json::from_value(shown.clone()).unwrap();
            assert_eq!(serde_json::to_value(described).unwrap(), shown);
        }
    }
}
