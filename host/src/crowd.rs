//! How much may be inside at once. When more comes than can be served, what comes too late is
//! refused at once with 503 and `Retry-After`, before anything of it is written: else everything
//! would wait, and all of it would be answered too late. Nothing that was accepted is refused.
//! A place is taken once a request has been read, so that a slow sender takes none.

use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Most messages of applications that are being accepted.
pub const MESSAGES: usize = 512;
/// Most calls of platforms that are being answered. Many of them may wait for an application.
pub const CALLS: usize = 1_024;
/// Most presses that wait for the disk: about half a second of them.
pub const PRESSES: usize = 256;
/// When those who were refused are to come back.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What takes a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A message of an application.
    Message,
    /// A call of a platform.
    Call,
}

/// The places; cheap to clone.
#[derive(Clone, Debug)]
pub struct Crowd {
    messages: Arc<Semaphore>,
    calls: Arc<Semaphore>,
}

/// A place; given back when dropped.
#[derive(Debug)]
pub struct Place(#[allow(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

impl Default for Crowd {
    fn default() -> Self {
        Self { messages: Arc::new(Semaphore::new(MESSAGES)), calls: Arc::new(Semaphore::new(CALLS)) }
    }
}

impl Crowd {
    /// A place, if there is one. A refusal is counted.
    pub fn enter(&self, what: What) -> Option<Place> {
        let (places, name) = match what {
            What::Message => (&self.messages, "message"),
            What::Call => (&self.calls, "call"),
        };
        let place = Arc::clone(places).try_acquire_owned().ok();
        if place.is_none() {
            refused(name);
        }
        place.map(Place)
    }
}

/// Count what was refused.
pub(crate) fn refused(what: &'static str) {
    metrics::counter!("chatport_shed_total", "what" => what).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_crowd_lets_nobody_in_until_somebody_leaves() {
        let crowd = Crowd::default();
        let mut inside: Vec<Place> = (0..MESSAGES).map_while(|_| crowd.enter(What::Message)).collect();
        assert_eq!(inside.len(), MESSAGES);
        assert!(crowd.enter(What::Message).is_none());
        inside.pop();
        assert!(crowd.enter(What::Message).is_some());
    }

    #[test]
    fn platforms_and_applications_dont_take_each_others_places() {
        let crowd = Crowd::default();
        let _calls: Vec<Place> = (0..CALLS).map_while(|_| crowd.enter(What::Call)).collect();
        assert!(crowd.enter(What::Call).is_none());
        assert!(crowd.enter(What::Message).is_some());
    }
}
