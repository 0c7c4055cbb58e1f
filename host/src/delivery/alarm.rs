//! When the engine has to look next: at the times that this process knows of. What it doesn't
//! know, because another replica or an earlier run wrote it, is found by looking regularly.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chatport_sdk::time::Timestamp;

/// Most times that are kept; the rest is found by looking regularly.
const MOST: usize = 10_000;
/// Between two looks.
const SHORTEST: Duration = Duration::from_millis(5);

/// The times at which something is due.
#[derive(Clone, Debug, Default)]
pub(super) struct Alarm(Arc<Mutex<BinaryHeap<Reverse<i64>>>>);

impl Alarm {
    /// Something is due then.
    pub(super) fn set(&self, at: Option<Timestamp>) {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = at.filter(|_| times.len() < MOST) {
            times.push(Reverse(at.as_micros()));
        }
    }

    /// How long until the next one, at most `longest`. Those that have passed are forgotten.
    pub(super) fn pause(&self, now: Timestamp, longest: Duration) -> Duration {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut has_passed = false;
        while times.peek().is_some_and(|Reverse(at)| *at <= now.as_micros()) {
            times.pop();
            has_passed = true;
        }
        match times.peek() {
            // It may have passed after the look that comes before this pause.
            _ if has_passed => SHORTEST,
            Some(Reverse(at)) => Timestamp::from_micros(*at).since(now).clamp(SHORTEST, longest),
            None => longest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_time_ends_the_pause() {
        let (alarm, now) = (Alarm::default(), Timestamp::from_micros(1_000_000));
        let longest = Duration::from_millis(500);
        assert_eq!(alarm.pause(now, longest), longest);
        alarm.set(Some(now.plus(Duration::from_secs(9))));
        alarm.set(Some(now.plus(Duration::from_millis(80))));
        assert_eq!(alarm.pause(now, longest), Duration::from_millis(80));
        assert_eq!(alarm.pause(now.plus(Duration::from_millis(80)), longest), SHORTEST);
        assert_eq!(alarm.pause(now.plus(Duration::from_millis(80)), longest), longest);
    }
}
