//! What came of a happening, as a remote backend is told.

use schemars::JsonSchema;
use serde::Serialize;

use super::Outgoing;
use crate::{
    happening::{self, CodeRefusal},
    verification::Purpose,
};

/// What came of a happening.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It is on disk; there is nothing else to say.
    Recorded,
    /// A code was redeemed.
    Linked {
        /// What was linked.
        purpose: Purpose,
        /// The application's id of the user, or the channel's name on the platform.
        name: String,
    },
    /// A code was not redeemed.
    CodeRefused {
        /// Why.
        reason: CodeRefusal,
    },
    /// The account isn't linked any more.
    Unlinked {
        /// Whether it had been.
        was_linked: bool,
    },
    /// A press was recorded; here is what to show.
    Pressed {
        /// For the presser alone.
        notice: Option<String>,
        /// Whether the application refused the press.
        refused: bool,
        /// What the post shows from now on, if the application answered in time.
        shown: Option<Box<Outgoing>>,
    },
    /// The presser isn't linked to a user and the action isn't open to anyone.
    NotLinked,
    /// What a post shows now.
    Refreshed {
        /// The newest revision, which may not have been sent yet.
        shown: Box<Outgoing>,
    },
    /// The button or post isn't (or is no longer) one of ours.
    NotOurs,
    /// The installation is active.
    Installed,
    /// It could not be installed: the window isn't open.
    InstallRefused,
    /// It could not be installed: another bot is installed here.
    InstalledByAnother {
        /// The display name of the bot that is installed.
        present: String,
    },
    /// It had been received before.
    Duplicate {
        /// Whether the content was the same too. If not, it is refused.
        same_content: bool,
        /// What came of it the first time; null while that is still under way.
        first: Option<Box<Outcome>>,
    },
    /// It could not be stored: say "not recorded, try again".
    Unavailable,
}

impl From<&happening::Outcome> for Outcome {
    fn from(outcome: &happening::Outcome) -> Self {
        use happening::Outcome as Of;
        match outcome {
            Of::Recorded => Self::Recorded,
            Of::Linked { purpose, name } => Self::Linked { purpose: *purpose, name: name.clone() },
            Of::CodeRefused(reason) => Self::CodeRefused { reason: *reason },
            Of::Unlinked { was_linked } => Self::Unlinked { was_linked: *was_linked },
            Of::Pressed(answer) => Self::Pressed {
                notice: answer.notice.clone(),
                refused: answer.refused,
                shown: answer.shown.as_deref().map(|shown| Box::new(shown.into())),
            },
            Of::NotLinked => Self::NotLinked,
            Of::Refreshed(shown) => Self::Refreshed { shown: Box::new(shown.as_ref().into()) },
            Of::NotOurs => Self::NotOurs,
            Of::Installed => Self::Installed,
            Of::InstallRefused => Self::InstallRefused,
            Of::InstalledByAnother { present } => Self::InstalledByAnother { present: present.clone() },
            Of::Duplicate { same_content, first } => Self::Duplicate {
                same_content: *same_content,
                first: first.as_deref().map(|first| Box::new(first.into())),
            },
            Of::Unavailable => Self::Unavailable,
        }
    }
}
