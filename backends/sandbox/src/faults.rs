//! Making a world misbehave on purpose, so that what the host does about it can be watched.
//! Faults are used up in the order in which they were asked for and forgotten at a restart.

use std::time::Duration;

use chatport_sdk::prelude::*;
use serde::{Deserialize, Serialize};

/// Most faults that wait at once.
pub(crate) const MAX_FAULTS: usize = 100;

/// A way to misbehave, for the next few operations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    /// How often it is still to happen.
    #[serde(default = "once")]
    pub(crate) times: u32,
    #[serde(default)]
    pub(crate) retry_after_seconds: Option<u32>,
    /// What it happens to; all three if absent.
    #[serde(default)]
    pub(crate) operation: Option<Operation>,
}

fn once() -> u32 {
    1
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FaultKind {
    /// Says that it can't now; nothing is done.
    Fail,
    /// Never answers; nothing is done.
    Stall,
    /// Does it, but the answer gets lost.
    LoseAnswer,
    /// Asks to slow down.
    RateLimit,
    /// Refuses the bot's credential.
    Unauthorized,
    /// Refuses the content.
    Reject,
    /// The conversation (for a post) or the post (for an edit or deletion) is gone.
    Gone,
}

/// What a fault happens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Operation {
    Post,
    Edit,
    Delete,
}

/// The faults that wait.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Faults(pub(crate) Vec<Fault>);

impl Faults {
    /// The next fault for an operation, used up once.
    pub(crate) fn take(&mut self, operation: Operation) -> Option<Fault> {
        let meant = |fault: &Fault| fault.operation.is_none_or(|other| other == operation);
        let index = self.0.iter().position(meant)?;
        self.0[index].times = self.0[index].times.saturating_sub(1);
        if self.0[index].times > 0 {
            return Some(self.0[index].clone());
        }
        Some(self.0.remove(index))
    }

    /// Whether the bot's credential is going to be refused.
    pub(crate) fn refuse_credential(&self) -> bool {
        self.0.iter().any(|fault| fault.kind == FaultKind::Unauthorized)
    }
}

impl Fault {
    /// Misbehave before anything is done. What comes back `Ok` is left to the operation.
    ///
    /// A stall must come before the deed: a world sends nothing over the network, so the
    /// host, when it stops waiting, rightly takes the operation as not done.
    pub(crate) async fn strike(&self) -> Result<(), Failure> {
        let wait = Duration::from_secs(self.retry_after_seconds.unwrap_or(1).into());
        let asked_wait = self.retry_after_seconds.map(|_| wait);
        match self.kind {
            FaultKind::Stall => std::future::pending().await,
            FaultKind::Fail => {
                Err(Failure::new(Cause::Unavailable, "the world was asked to fail").retry_after(asked_wait))
            }
            FaultKind::RateLimit => {
                Err(Failure::new(Cause::RateLimited, "the world was asked to slow down").retry_after(Some(wait)))
            }
            FaultKind::Unauthorized => {
                Err(Failure::new(Cause::Unauthorized, "the world was asked to refuse the bot's credential"))
            }
            FaultKind::Reject => Err(Failure::new(Cause::ContentRejected, "the world was asked to refuse the content")),
            FaultKind::LoseAnswer | FaultKind::Gone => Ok(()),
        }
    }

    /// The answer that got lost, after the deed.
    pub(crate) fn lost_answer() -> Failure {
        Failure::new(Cause::NoAnswer, "the world was asked to lose the answer")
    }
}
