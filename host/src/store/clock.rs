//! The time, where replicas share a database, is the database's. So a replica whose own clock
//! is wrong, or is set while it runs, makes nothing late and lets nothing expire early.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use chatport_sdk::time::{Clock, Timestamp};

/// What one clock may differ from the other before it is corrected.
const TOLERANCE: Duration = Duration::from_secs(1);

/// By how many microseconds the database's clock is ahead of this host's.
#[derive(Clone, Debug, Default)]
pub(super) struct Ahead(Arc<AtomicI64>);

impl Ahead {
    /// The database's clock shows `theirs`, and the corrected one `ours`. The answer is how far
    /// the database's and this host's own are apart, and whether that is news.
    pub(super) fn learn(&self, theirs: Timestamp, ours: Timestamp) -> (Duration, bool) {
        let error = theirs.as_micros() - ours.as_micros();
        let ahead = self.0.load(Ordering::Relaxed) + error;
        let is_news = Duration::from_micros(error.unsigned_abs()) > TOLERANCE;
        if is_news {
            self.0.store(ahead, Ordering::Relaxed);
        }
        (Duration::from_micros(ahead.unsigned_abs()), is_news)
    }
}

/// This host's clock, corrected by what was learned of the database's.
pub(super) struct Corrected {
    pub own: Arc<dyn Clock>,
    pub ahead: Ahead,
}

impl Clock for Corrected {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.own.now().as_micros() + self.ahead.0.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Stands(i64);

    impl Clock for Stands {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(self.0)
        }
    }

    #[test]
    fn a_clock_that_is_far_off_goes_by_the_databases() {
        let ahead = Ahead::default();
        let clock = Corrected { own: Arc::new(Stands(7_200_000_000)), ahead: ahead.clone() };
        let theirs = Timestamp::from_micros(0);
        assert_eq!(ahead.learn(theirs, clock.now()), (Duration::from_secs(7_200), true));
        assert_eq!(clock.now(), theirs);
        assert_eq!(ahead.learn(theirs, clock.now()), (Duration::from_secs(7_200), false));
    }

    #[test]
    fn a_small_difference_is_left() {
        let ahead = Ahead::default();
        let clock = Corrected { own: Arc::new(Stands(0)), ahead: ahead.clone() };
        assert_eq!(ahead.learn(Timestamp::from_micros(900_000), clock.now()), (Duration::from_millis(900), false));
        assert_eq!(clock.now(), Timestamp::from_micros(0));
    }
}
