//! Notices when the clock of this host has gone back, as it does when somebody corrects one
//! that was fast. What the engine wanted to try again in a minute would else wait for as long
//! as the clock was wrong.

use std::{sync::Arc, time::Duration};

use chatport_sdk::time::{Clock, Timestamp};
use tokio::time::Instant;

/// A clock that is set by NTP goes slower rather than back; what is less than this is no harm.
const TOLERANCE: Duration = Duration::from_secs(2);

/// The time when it was last looked at, by the clock and by the monotonic one.
pub(super) struct Watch {
    clock: Arc<dyn Clock>,
    seen: (Timestamp, Instant),
}

/// The clock has gone back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SetBack {
    /// What it would show.
    pub was: Timestamp,
    /// What it shows.
    pub now: Timestamp,
}

impl Watch {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let seen = (clock.now(), Instant::now());
        Self { clock, seen }
    }

    /// Whether it has gone back since it was last looked at.
    pub(super) fn look(&mut self) -> Option<SetBack> {
        let (now, at) = (self.clock.now(), Instant::now());
        let was = self.seen.0.plus(at - self.seen.1);
        self.seen = (now, at);
        (was.since(now) > TOLERANCE).then_some(SetBack { was, now })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    struct Set(Mutex<Timestamp>);

    impl Clock for Set {
        fn now(&self) -> Timestamp {
            *self.0.lock().unwrap()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_clock_that_goes_back_is_noticed() {
        let start = Timestamp::from_micros(1_000_000_000);
        let clock = Arc::new(Set(Mutex::new(start)));
        let mut watch = Watch::new(Arc::clone(&clock) as _);
        let mut showing = |shows: Timestamp| {
            *clock.0.lock().unwrap() = shows;
            watch.look()
        };
        assert_eq!(showing(start), None);
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(showing(start.plus(Duration::from_secs(10))), None);
        assert_eq!(showing(start.plus(Duration::from_secs(9))), None, "a second is no harm");
        let ahead = start.plus(Duration::from_secs(7_200));
        assert_eq!(showing(ahead), None, "forward is no harm");
        tokio::time::advance(Duration::from_secs(1)).await;
        let back = SetBack { was: ahead.plus(Duration::from_secs(1)), now: start };
        assert_eq!(showing(start), Some(back));
        assert_eq!(showing(start), None, "once is enough");
    }
}
