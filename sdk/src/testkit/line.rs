//! The network between a backend and its platform: it fails as it is told to.

use std::{collections::VecDeque, sync::Arc};

use super::{Platform, dice::Slot, poll::Pause};
use crate::{
    async_trait,
    http::{Answer, Call, Dispatch, HttpError, HttpErrorKind, Transport},
};

/// What happens to a request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// No connection: nothing has left the machine.
    Refused,
    /// The connection breaks before the platform has read the request, and nobody knows that.
    CutBeforeWrite,
    /// The platform has done it, and the connection breaks before the answer.
    CutAfterWrite,
    /// The request goes out, and nothing comes back in time.
    Silent,
    /// The platform isn't asked; this is the answer.
    Answered(Answer),
    /// The platform has done it, and something on the way gives this answer.
    DoneButAnswered(Answer),
}

/// A network with a platform at its other end.
pub struct Line {
    platform: Arc<dyn Platform>,
    state: Slot<State>,
}

#[derive(Default)]
struct State {
    script: VecDeque<Option<Fault>>,
    always: Option<Fault>,
    calls: usize,
}

impl Line {
    /// A line on which all goes well.
    pub fn to(platform: Arc<dyn Platform>) -> Self {
        Self { platform, state: Slot::default() }
    }

    /// What happens to the next requests, in turn; `None`: all goes well with it.
    pub fn next(&self, faults: impl IntoIterator<Item = Option<Fault>>) {
        self.state.with(|state| state.script.extend(faults));
    }

    /// What happens to every request from now on.
    pub fn always(&self, fault: Option<Fault>) {
        self.state.with(|state| state.always = fault);
    }

    /// Forget what was to happen to the next requests.
    pub fn forget(&self) {
        self.state.with(|state| state.script.clear());
    }

    /// How many requests have been made.
    pub fn calls(&self) -> usize {
        self.state.with(|state| state.calls)
    }
}

#[async_trait]
impl Transport for Line {
    async fn send(&self, call: Call, dispatch: &Dispatch) -> Result<Answer, HttpError> {
        let fault = self.state.with(|state| {
            state.calls += 1;
            state.script.pop_front().unwrap_or_else(|| state.always.clone())
        });
        Pause::default().await;
        if let Some(Fault::Refused) = fault {
            return Err(HttpError::new(HttpErrorKind::Connect, false, "the connection was refused"));
        }
        dispatch.mark();
        Pause::default().await;
        let cut = || HttpError::new(HttpErrorKind::Broken, true, "the connection broke");
        let answer = match fault {
            Some(Fault::CutBeforeWrite) => return Err(cut()),
            Some(Fault::Silent) => return Err(HttpError::new(HttpErrorKind::Timeout, true, "the time ran out")),
            Some(Fault::Answered(answer)) => answer,
            _ => {
                let answer = self.platform.answer(&call).await;
                Pause::default().await;
                match fault {
                    Some(Fault::CutAfterWrite) => return Err(cut()),
                    Some(Fault::DoneButAnswered(other)) => other,
                    _ => answer,
                }
            }
        };
        if answer.body.len() > call.max_answer {
            return Err(HttpError::new(HttpErrorKind::TooLong, true, "the answer is too long"));
        }
        Ok(answer)
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").field("calls", &self.calls()).finish_non_exhaustive()
    }
}
