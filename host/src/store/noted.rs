//! Times that are noted of installations, e.g. when one was last heard from. Nobody needs them
//! exactly, so they are written once in a while.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chatport_sdk::time::Timestamp;

use crate::ids::InstallationId;

/// Most installations that are remembered; beyond it all are forgotten, and noted once more.
const MOST: usize = 4_096;

/// When this process last noted it of each.
#[derive(Clone, Debug)]
pub(crate) struct Noted {
    every: Duration,
    last: Arc<Mutex<HashMap<InstallationId, Timestamp>>>,
}

impl Noted {
    /// Note it once in this time.
    pub(crate) fn every(every: Duration) -> Self {
        Self { every, last: Arc::default() }
    }

    /// Whether it is worth noting; then it counts as noted. `stored`: what the row says, as far as
    /// that is known.
    pub(crate) fn is_news(&self, id: InstallationId, stored: Option<Timestamp>, now: Timestamp) -> bool {
        let mut noted = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let last = noted.get(&id).copied().max(stored);
        if last.is_some_and(|last| now.minus(self.every) < last) {
            return false;
        }
        if noted.len() >= MOST {
            noted.clear();
        }
        noted.insert(id, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_noted_once_a_minute_for_each_installation() {
        let noted = Noted::every(Duration::from_secs(60));
        let (one, other) = (InstallationId::new(), InstallationId::new());
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        assert!(noted.is_news(one, None, at(100)));
        assert!(!noted.is_news(one, None, at(159)), "though the row that is kept in memory doesn't say so");
        assert!(noted.is_news(other, None, at(159)));
        assert!(noted.is_news(one, None, at(160)));
        assert!(!noted.is_news(InstallationId::new(), Some(at(100)), at(159)));
    }
}
