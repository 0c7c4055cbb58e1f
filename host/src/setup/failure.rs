//! Why something about setup didn't work, in words for the person who can mend it. The API
//! turns each into a problem.

use std::time::Duration;

use chatport_sdk::{failure::Failure, install::SetupError, verification::Purpose};
use sea_orm::DbErr;

use super::{contain::CallError, sites::LoadError, state::InstallationState, tokens::TokenError};
use crate::ids::InstallationId;

/// Why something about setup didn't work.
#[derive(Debug, thiserror::Error)]
pub enum SetupFailure {
    /// No such backend is linked.
    #[error("no backend calls itself `{asked}`; linked are: {linked}")]
    BackendUnknown {
        /// What was asked for.
        asked: String,
        /// What there is.
        linked: String,
    },
    /// The installation's backend isn't linked into this program.
    #[error("the backend `{backend}` isn't linked into this program; linked are: {linked}")]
    BackendNotLinked {
        /// The installation's backend.
        backend: String,
        /// What there is.
        linked: String,
    },
    /// No such thing in this organization.
    #[error("there is no such thing in this organization")]
    NotFound,
    /// The backend has no install steps.
    #[error("the backend `{backend}` has no install steps, so it can't be set up")]
    NoInstall {
        /// The backend.
        backend: String,
    },
    /// The backend lacks an optional part.
    #[error("the backend `{backend}` has no {part}")]
    LacksPart {
        /// The backend.
        backend: String,
        /// The part.
        part: &'static str,
    },
    /// The backend doesn't link this by a code.
    #[error("the backend `{backend}` doesn't link a {} by a code", purpose_name(*.purpose))]
    CodesNotOffered {
        /// The backend.
        backend: String,
        /// What was to be linked.
        purpose: Purpose,
    },
    /// The backend may only be used on loopback.
    #[error(
        "the backend `{backend}` is for trying out: it can be set up only where the host listens on loopback and has no public URL for others"
    )]
    LoopbackOnly {
        /// The backend.
        backend: String,
    },
    /// A field or setting is wrong.
    #[error("{name}: {detail}")]
    Field {
        /// Its name.
        name: String,
        /// What is wrong and what would be right.
        detail: String,
    },
    /// The platform refused or couldn't be reached.
    #[error("{0}")]
    Platform(Failure),
    /// It isn't the time for it.
    #[error("{0}")]
    WrongStage(String),
    /// The installation isn't set up yet, or is suspended.
    #[error("this needs an active installation; this one is {}", .state.as_str())]
    NotActive {
        /// Which.
        installation: InstallationId,
        /// Where it stands.
        state: InstallationState,
    },
    /// The host has no public address and this needs one.
    #[error("{0}")]
    NeedsPublicUrl(String),
    /// What was entered belongs to another bot or server than the installation's.
    #[error("this is another bot than the one that was set up here ({expected}); make a new installation for it")]
    OtherIdentity {
        /// The bot that was set up.
        expected: String,
    },
    /// More than one installation is meant.
    #[error("several installations are meant; name one of them")]
    Several {
        /// Which.
        installations: Vec<InstallationId>,
    },
    /// Too many codes were asked for.
    #[error("too many codes were asked for; wait {} minutes", .retry_after.as_secs().div_ceil(60))]
    TooManyCodes {
        /// How long to wait.
        retry_after: Duration,
    },
    /// Too much was asked of a platform's directory.
    #[error("this platform's directory is asked too often; ask when somebody has stopped typing")]
    TooManyQuestions {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The backend panicked.
    #[error("the backend `{backend}` failed: this is a bug in it")]
    BackendPanicked {
        /// The backend.
        backend: String,
    },
    /// The backend didn't come back in time.
    #[error("the backend `{backend}` took too long; try again")]
    TimedOut {
        /// The backend.
        backend: String,
    },
    /// A token can't be kept.
    #[error(transparent)]
    Token(TokenError),
    /// The database refuses.
    #[error("the database refuses: {0}")]
    Store(#[from] DbErr),
}

impl SetupFailure {
    /// A field or setting is wrong.
    pub fn field(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Field { name: name.into(), detail: detail.into() }
    }

    /// A call to `backend` panicked or took too long.
    pub(super) fn call(backend: &str, error: CallError) -> Self {
        let backend = backend.to_owned();
        match error {
            CallError::Panicked => Self::BackendPanicked { backend },
            CallError::TimedOut => Self::TimedOut { backend },
        }
    }
}

fn purpose_name(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::User => "user",
        Purpose::Channel => "channel",
    }
}

impl From<SetupError> for SetupFailure {
    fn from(error: SetupError) -> Self {
        match error {
            SetupError::Field { name, detail } => Self::Field { name, detail },
            SetupError::Platform(failure) => Self::Platform(failure),
            SetupError::NeedsPublicUrl(detail) => Self::NeedsPublicUrl(detail),
            // The contract may grow: what we don't know yet is shown in its own words.
            other => Self::WrongStage(other.to_string()),
        }
    }
}

impl From<TokenError> for SetupFailure {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Store(error) => Self::Store(error),
            other => Self::Token(other),
        }
    }
}

impl From<LoadError> for SetupFailure {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::NotFound => Self::NotFound,
            LoadError::BackendNotLinked { backend, linked } => Self::BackendNotLinked { backend, linked },
            LoadError::Store(error) => Self::Store(error),
        }
    }
}
