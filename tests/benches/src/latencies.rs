//! Latencies of a run: all of them are kept, so percentiles are exact.

use std::time::Duration;

/// Measured times.
#[derive(Clone, Debug, Default)]
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// Add one.
    pub fn add(&mut self, latency: Duration) {
        self.0.push(latency);
    }

    /// Add all of another collection.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The time within which `share` (0.0 to 1.0) of all ended; zero if there are none.
    pub fn percentile(&self, share: f64) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() as f64 * share).ceil() as usize;
        sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_time_within_which_that_share_ended() {
        let mut latencies = Latencies::default();
        (1..=200).rev().map(Duration::from_millis).for_each(|latency| latencies.add(latency));
        assert_eq!(latencies.percentile(0.5), Duration::from_millis(100));
        assert_eq!(latencies.percentile(0.99), Duration::from_millis(198));
        assert_eq!(latencies.percentile(1.0), Duration::from_millis(200));
        assert_eq!(Latencies::default().percentile(0.5), Duration::ZERO);
    }
}
