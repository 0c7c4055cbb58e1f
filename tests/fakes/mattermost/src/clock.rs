//! The server's clock: real time plus an offset that tests move forward.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Real time plus an offset. The offset only grows, as time does.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    offset_ms: AtomicI64,
}

impl Clock {
    /// Milliseconds since 1970 as this server sees them.
    #[allow(clippy::disallowed_methods, reason = "this is the clock")]
    pub(crate) fn now_ms(&self) -> i64 {
        let real = SystemTime::now().duration_since(UNIX_EPOCH).expect("the machine's clock is after 1970");
        let real = i64::try_from(real.as_millis()).expect("milliseconds fit 64 bits");
        real + self.offset_ms.load(Ordering::SeqCst)
    }

    /// Seconds since 1970 as this server sees them.
    pub(crate) fn now_s(&self) -> i64 {
        self.now_ms() / 1000
    }

    /// Moves the clock forward.
    pub(crate) fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).expect("the step fits 64 bits");
        self.offset_ms.fetch_add(by, Ordering::SeqCst);
    }
}
