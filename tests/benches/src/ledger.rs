//! What arrived at the platform in one run, by the markers in the posts.

use std::time::Duration;

use crate::{latencies::Latencies, marker::Marker};

/// How often each message of a run arrived, and how long the first arrivals took.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    run: u64,
    arrivals: Vec<u8>,
    delivered: u64,
    last: u64,
    latencies: Latencies,
}

impl Ledger {
    /// An empty ledger for `messages` messages.
    pub fn new(run: u64, messages: usize) -> Self {
        Self { run, arrivals: vec![0; messages], ..Self::default() }
    }

    /// A post arrived at `now` (microseconds since 1970). Posts of other runs don't count.
    pub fn arrive(&mut self, marker: Marker, now: u64) {
        let place = usize::try_from(marker.number).ok().and_then(|number| self.arrivals.get_mut(number));
        let Some(count) = place.filter(|_| marker.run == self.run) else { return };
        *count = count.saturating_add(1);
        if *count == 1 {
            self.delivered += 1;
            self.last = self.last.max(now);
            self.latencies.add(Duration::from_micros(now.saturating_sub(marker.sent)));
        }
    }

    /// How many different messages arrived.
    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    /// When the last of them first arrived, in microseconds since 1970.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// From sending to the first arrival.
    pub fn latencies(&self) -> &Latencies {
        &self.latencies
    }

    /// How often each message arrived.
    pub fn arrivals(&self) -> &[u8] {
        &self.arrivals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_arrival_is_counted_and_changes_no_latency() {
        let mut ledger = Ledger::new(1, 3);
        let marker = Marker { run: 1, number: 2, sent: 1_000 };
        ledger.arrive(marker, 1_500);
        ledger.arrive(marker, 9_000);
        assert_eq!((ledger.delivered(), ledger.last(), ledger.arrivals()), (1, 1_500, &[0, 0, 2][..]));
        assert_eq!(ledger.latencies().percentile(1.0), Duration::from_micros(500));
    }

    #[test]
    fn what_belongs_to_no_message_of_the_run_is_not_counted() {
        let mut ledger = Ledger::new(1, 3);
        ledger.arrive(Marker { run: 2, number: 0, sent: 0 }, 1);
        ledger.arrive(Marker { run: 1, number: 3, sent: 0 }, 1);
        assert_eq!(ledger.delivered(), 0);
    }
}
