//! Keeping to the rates that platforms allow, and not letting one installation take all
//! workers. Both live in memory: after a restart a bucket is full, which costs at most one
//! burst.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chatport_sdk::descriptor::Rate;

use crate::ids::InstallationId;

/// Most copies of one party that are on their way at once.
const PLACES: usize = 8;

/// Who takes places: an installation, or a subscription to events.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Party {
    /// An installation.
    Installation(InstallationId),
    /// A subscription, by its name.
    Subscription(String),
}

/// The buckets and the places at the counter.
#[derive(Clone, Default)]
pub(super) struct Pace {
    buckets: Arc<Mutex<HashMap<(InstallationId, String), Bucket>>>,
    busy: Arc<Mutex<HashMap<Party, usize>>>,
}

struct Bucket {
    tokens: f64,
    filled: Instant,
}

/// A place at a party's counter; given back when dropped.
pub(super) struct Place {
    busy: Arc<Mutex<HashMap<Party, usize>>>,
    party: Party,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = busy.get_mut(&self.party) {
            *count -= 1;
            if *count == 0 {
                busy.remove(&self.party);
            }
        }
    }
}

impl Pace {
    /// A place for one more copy of the party, if there is one.
    pub(super) fn enter(&self, party: Party) -> Option<Place> {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let count = busy.entry(party.clone()).or_default();
        if *count >= PLACES {
            return None;
        }
        *count += 1;
        Some(Place { busy: Arc::clone(&self.busy), party })
    }

    /// The installations that have no place left.
    pub(super) fn full(&self) -> Vec<InstallationId> {
        let busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let full = busy.iter().filter(|(_, count)| **count >= PLACES);
        let of_installation = |party: &Party| match party {
            Party::Installation(id) => Some(*id),
            Party::Subscription(_) => None,
        };
        full.filter_map(|(party, _)| of_installation(party)).collect()
    }

    /// Take a token of a rate; else how long until there is one.
    pub(super) fn take(&self, installation: InstallationId, rate: &Rate, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let capacity = f64::from(rate.burst.max(1));
        let key = (installation, rate.name.to_owned());
        let bucket = buckets.entry(key).or_insert(Bucket { tokens: capacity, filled: now });
        let elapsed = now.saturating_duration_since(bucket.filled).as_secs_f64();
        bucket.tokens = (bucket.tokens + elapsed * rate.per_second).min(capacity);
        bucket.filled = now;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64(((1.0 - bucket.tokens) / rate.per_second.max(0.001)).min(3_600.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { name: "server", per_second: 10.0, burst: 3 };

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let (pace, installation, start) = (Pace::default(), InstallationId::new(), Instant::now());
        for _ in 0..3 {
            assert_eq!(pace.take(installation, &RATE, start), Ok(()));
        }
        let wait = pace.take(installation, &RATE, start).unwrap_err();
        assert!(wait <= Duration::from_millis(100), "{wait:?}");
        assert_eq!(pace.take(installation, &RATE, start + Duration::from_millis(101)), Ok(()));
    }

    #[test]
    fn one_installation_cannot_take_every_place() {
        let (pace, busy, other) = (Pace::default(), InstallationId::new(), InstallationId::new());
        let enter = |installation| pace.enter(Party::Installation(installation));
        let places: Vec<_> = (0..PLACES).map(|_| enter(busy).expect("a place")).collect();
        assert!(enter(busy).is_none());
        assert_eq!(pace.full(), [busy]);
        assert!(enter(other).is_some());
        drop(places);
        assert!(enter(busy).is_some());
    }
}
