//! Keeping to the rates that platforms allow, and leaving a server alone that asked for it.
//! Both live in memory: after a restart a bucket is full, which costs at most one burst.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chatport_sdk::descriptor::{Rate, RatePer};
use tokio::time::Instant;

use crate::ids::InstallationId;

/// More buckets than this, and those that are full again are forgotten.
const MANY: usize = 10_000;

/// Where something is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Destination<'a> {
    /// Through which installation.
    pub(crate) installation: InstallationId,
    /// To which server.
    pub(crate) origin: &'a str,
    /// To which conversation.
    pub(crate) conversation: &'a str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Sharers {
    Installation(InstallationId),
    Origin(String),
    Conversation(InstallationId, String),
}

#[derive(Default)]
struct State {
    buckets: HashMap<(Sharers, &'static str), Bucket>,
    held: HashMap<String, Instant>,
}

/// The buckets and the servers that are left alone.
#[derive(Clone, Default)]
pub(crate) struct Pace(Arc<Mutex<State>>);

struct Bucket {
    tokens: f64,
    filled: Instant,
    full_at: Instant,
}

impl State {
    /// The bucket of a rate, filled up to now.
    fn bucket(&mut self, to: Destination<'_>, rate: &Rate, now: Instant) -> &mut Bucket {
        let sharers = match rate.per {
            RatePer::Installation => Sharers::Installation(to.installation),
            RatePer::Origin => Sharers::Origin(to.origin.to_owned()),
            RatePer::Conversation => Sharers::Conversation(to.installation, to.conversation.to_owned()),
        };
        let (capacity, per_second) = size(rate);
        let full = Bucket { tokens: capacity, filled: now, full_at: now };
        let bucket = self.buckets.entry((sharers, rate.name)).or_insert(full);
        let elapsed = now.saturating_duration_since(bucket.filled).as_secs_f64();
        bucket.tokens = (bucket.tokens + elapsed * per_second).min(capacity);
        bucket.filled = now;
        bucket
    }
}

/// How many tokens a bucket holds, and how many come in a second.
fn size(rate: &Rate) -> (f64, f64) {
    (f64::from(rate.burst.max(1)), rate.per_second.max(0.001))
}

impl Bucket {
    /// How long until there is a token; `None`: there is one.
    fn wait(&self, rate: &Rate) -> Option<Duration> {
        let (_, per_second) = size(rate);
        let wait = Duration::from_secs_f64(((1.0 - self.tokens) / per_second).clamp(0.0, 3_600.0));
        (self.tokens < 1.0).then_some(wait)
    }

    fn spend(&mut self, rate: &Rate, now: Instant) {
        let (capacity, per_second) = size(rate);
        self.tokens -= 1.0;
        self.full_at = now + Duration::from_secs_f64(((capacity - self.tokens) / per_second).min(86_400.0));
    }
}

impl Pace {
    /// Take a token of each of these rates; else of none, and how long until all have one.
    pub(crate) fn take(&self, to: Destination<'_>, rates: &[Rate], now: Instant) -> Result<(), Duration> {
        let mut state = self.lock();
        if state.buckets.len() > MANY {
            state.buckets.retain(|_, bucket| bucket.full_at > now);
        }
        let waits = rates.iter().filter_map(|rate| state.bucket(to, rate, now).wait(rate));
        if let Some(wait) = waits.max() {
            return Err(wait);
        }
        for rate in rates {
            state.bucket(to, rate, now).spend(rate, now);
        }
        Ok(())
    }

    /// Leave a server alone for a while.
    pub(super) fn hold(&self, origin: &str, until: Instant) {
        let mut state = self.lock();
        let held = state.held.entry(origin.to_owned()).or_insert(until);
        *held = Ord::max(*held, until);
    }

    /// How long a server is still left alone.
    pub(super) fn held(&self, origin: &str, now: Instant) -> Option<Duration> {
        let mut state = self.lock();
        let until = *state.held.get(origin)?;
        if until <= now {
            state.held.remove(origin);
            return None;
        }
        Some(until - now)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(installation: InstallationId, conversation: &str) -> Destination<'_> {
        Destination { installation, origin: "https://chat.example", conversation }
    }

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let (pace, installation, start) = (Pace::default(), InstallationId::new(), Instant::now());
        let rate = Rate::per_installation("bot", 10.0, 3);
        for conversation in ["one", "two", "three"] {
            assert_eq!(pace.take(to(installation, conversation), &[rate], start), Ok(()));
        }
        let wait = pace.take(to(installation, "four"), &[rate], start).unwrap_err();
        assert!(wait <= Duration::from_millis(100), "{wait:?}");
        assert_eq!(pace.take(to(installation, "four"), &[rate], start + Duration::from_millis(101)), Ok(()));
    }

    #[test]
    fn who_shares_a_rate_shares_its_bucket() {
        let (one, other, now) = (InstallationId::new(), InstallationId::new(), Instant::now());
        for (rate, same_installation, same_origin) in [
            (Rate::per_conversation("x", 1.0, 1), true, true),
            (Rate::per_installation("x", 1.0, 1), false, true),
            (Rate::per_origin("x", 1.0, 1), false, false),
        ] {
            let pace = Pace::default();
            assert_eq!(pace.take(to(one, "a"), &[rate], now), Ok(()));
            assert_eq!(pace.take(to(one, "b"), &[rate], now).is_ok(), same_installation, "{rate:?}");
            assert_eq!(pace.take(to(other, "c"), &[rate], now).is_ok(), same_origin, "{rate:?}");
        }
    }

    #[test]
    fn of_several_rates_a_token_is_taken_of_each_or_of_none() {
        let (pace, installation, now) = (Pace::default(), InstallationId::new(), Instant::now());
        let rates = [Rate::per_conversation("chat", 1.0, 1), Rate::per_installation("bot", 10.0, 3)];
        assert_eq!(pace.take(to(installation, "one"), &rates, now), Ok(()));
        // The conversation has none; the bot's are left to others.
        for _ in 0..5 {
            assert!(pace.take(to(installation, "one"), &rates, now).is_err());
        }
        assert_eq!(pace.take(to(installation, "two"), &rates, now), Ok(()));
        assert_eq!(pace.take(to(installation, "three"), &rates, now), Ok(()));
        let wait = pace.take(to(installation, "four"), &rates, now).unwrap_err();
        assert!(wait <= Duration::from_millis(100), "{wait:?}");
    }

    #[test]
    fn a_server_that_is_held_is_free_again_in_time() {
        let (pace, now) = (Pace::default(), Instant::now());
        pace.hold("https://chat.example", now + Duration::from_secs(9));
        pace.hold("https://chat.example", now + Duration::from_secs(3));
        assert_eq!(pace.held("https://chat.example", now), Some(Duration::from_secs(9)));
        assert_eq!(pace.held("https://other.example", now), None);
        assert_eq!(pace.held("https://chat.example", now + Duration::from_secs(9)), None);
    }
}
