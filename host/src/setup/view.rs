//! Installations as applications read them, in answers and in events.

use chatport_sdk::{identity::Identity, install::Health, schemars::JsonSchema, time::Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

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
        settings: row.settings.clone(),
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
