//! When the engine has to look next: at the times that this process knows of. What it doesn't
//! know, because another replica or an earlier run wrote it, is found by looking regularly.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Most times that are kept; the rest is found by looking regularly.
const MOST: usize = 10_000;
/// Between two looks.
const SHORTEST: Duration = Duration::from_millis(5);

/// The times at which something is due.
#[derive(Clone, Debug, Default)]
pub(super) struct Alarm(Arc<Mutex<BinaryHeap<Reverse<Instant>>>>);

impl Alarm {
    /// Something is due after this.
    pub(super) fn set(&self, wait: Duration) {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if times.len() < MOST {
            times.push(Reverse(Instant::now() + wait));
        }
    }

    /// How long until the next one, at most `longest`. Those that have passed are forgotten.
    pub(super) fn pause(&self, longest: Duration) -> Duration {
        let (now, mut has_passed) = (Instant::now(), false);
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while times.peek().is_some_and(|Reverse(at)| *at <= now) {
            times.pop();
            has_passed = true;
        }
        match times.peek() {
            // It may have passed after the look that comes before this pause.
            _ if has_passed => SHORTEST,
            Some(Reverse(at)) => (*at - now).clamp(SHORTEST, longest),
            None => longest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_next_time_ends_the_pause() {
        let (alarm, longest) = (Alarm::default(), Duration::from_millis(500));
        assert_eq!(alarm.pause(longest), longest);
        alarm.set(Duration::from_secs(9));
        alarm.set(Duration::from_millis(80));
        assert_eq!(alarm.pause(longest), Duration::from_millis(80));
        tokio::time::advance(Duration::from_millis(80)).await;
        assert_eq!(alarm.pause(longest), SHORTEST);
        assert_eq!(alarm.pause(longest), longest);
    }
}
