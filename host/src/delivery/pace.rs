//! Keeping to the rates that platforms allow. The buckets live in memory: after a restart a
//! bucket is full, which costs at most one burst.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chatport_sdk::descriptor::Rate;
use tokio::time::Instant;

use crate::ids::InstallationId;

/// The buckets, by installation and name of the rate.
#[derive(Clone, Default)]
pub(super) struct Pace {
    buckets: Arc<Mutex<HashMap<(InstallationId, String), Bucket>>>,
}

struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Pace {
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
}
