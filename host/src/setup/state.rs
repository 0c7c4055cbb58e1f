//! The states of an installation and the ways between them.

use chatport_sdk::{schemars::JsonSchema, time::Timestamp};
use serde::{Deserialize, Serialize};

/// Where an installation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InstallationState {
    /// Being set up.
    Pending,
    /// At work.
    Active,
    /// It needs a person; its messages wait.
    Suspended,
    /// Gone.
    Removed,
}

/// What can happen to an installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// Setup is complete, for the first time or again.
    Complete,
    /// It needs a person.
    Suspend,
    /// The person says that it works again.
    Resume,
    /// It is taken away.
    Remove,
}

impl InstallationState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Active, Self::Suspended, Self::Removed];

    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Removed => "removed",
        }
    }

    /// Read what is stored. A state that a later release may have written counts as
    /// suspended: nothing is sent and nothing is lost.
    pub fn stored(text: &str) -> Self {
        Self::ALL.into_iter().find(|state| state.as_str() == text).unwrap_or(Self::Suspended)
    }

    /// The state after `transition`; `None` where there is no such way.
    pub const fn after(self, transition: Transition) -> Option<Self> {
        match (self, transition) {
            (Self::Pending | Self::Active | Self::Suspended, Transition::Complete) => Some(Self::Active),
            (Self::Active, Transition::Suspend) => Some(Self::Suspended),
            (Self::Suspended, Transition::Resume) => Some(Self::Active),
            (Self::Pending | Self::Active | Self::Suspended, Transition::Remove) => Some(Self::Removed),
            _ => None,
        }
    }
}

/// The problem of an app that was removed on the platform's side.
const UNINSTALLED: &str = "uninstalled";
/// The problem of an installation whose credentials were for another server.
const REAUTHORIZATION_NEEDED: &str = "reauthorization_needed";

/// Why an installation is suspended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// A stable name, e.g. `installation_revoked`.
    pub code: String,
    /// In words.
    pub detail: String,
    /// Since when, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// What to do about it.
    pub cure: String,
}

impl Problem {
    /// A problem that begins now.
    pub fn new(code: impl Into<String>, detail: impl Into<String>, cure: impl Into<String>, now: Timestamp) -> Self {
        Self { code: code.into(), detail: detail.into(), since: Some(now), cure: cure.into() }
    }

    /// The app was removed on the platform's side.
    pub(super) fn uninstalled(now: Timestamp) -> Self {
        let detail = "the app was removed on the platform's side";
        Self::new(UNINSTALLED, detail, "Reauthorize the installation, or remove it.", now)
    }

    /// The settings name another server than the one that the credentials were given for.
    pub(super) fn moved(now: Timestamp) -> Self {
        let detail = "the settings name another server, so the credentials for the former one were discarded";
        Self::new(REAUTHORIZATION_NEEDED, detail, "Reauthorize the installation.", now)
    }

    /// Whether the credentials are gone, so that only new ones help.
    pub(super) fn needs_new_credentials(&self) -> bool {
        matches!(self.code.as_str(), UNINSTALLED | REAUTHORIZATION_NEEDED)
    }

    /// The installation's backend isn't linked into this program.
    pub(super) fn backend_not_linked(backend: &str) -> Self {
        Self {
            code: "backend_not_linked".into(),
            detail: format!("the backend `{backend}` isn't linked into this program"),
            since: None,
            cure: "Run a program that has the backend linked in, or remove the installation.".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{InstallationState::*, Transition::*, *};

    #[test]
    fn nothing_leads_out_of_removed() {
        for transition in [Complete, Suspend, Resume, Remove] {
            assert_eq!(Removed.after(transition), None);
        }
    }

    #[test]
    fn an_installation_goes_from_pending_to_active_to_suspended_and_back() {
        assert_eq!(Pending.after(Complete), Some(Active));
        assert_eq!(Active.after(Suspend), Some(Suspended));
        assert_eq!(Suspended.after(Resume), Some(Active));
        assert_eq!(Suspended.after(Complete), Some(Active));
    }

    #[test]
    fn what_was_never_active_can_be_neither_suspended_nor_resumed() {
        assert_eq!(Pending.after(Suspend), None);
        assert_eq!(Pending.after(Resume), None);
    }

    #[test]
    fn a_state_of_a_later_release_counts_as_suspended() {
        assert_eq!(InstallationState::stored("hibernating"), Suspended);
        for state in InstallationState::ALL {
            assert_eq!(InstallationState::stored(state.as_str()), state);
        }
    }
}
