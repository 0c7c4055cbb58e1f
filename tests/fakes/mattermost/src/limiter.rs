//! The optional rate limiter: one bucket for everybody, as one host is one address.

use std::time::Instant;

use crate::options::RateLimit;

/// What the limiter says about one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    /// Seconds until the bucket is full again.
    pub(crate) reset_s: u64,
    /// Set if the request is refused: seconds until one more is allowed.
    pub(crate) retry_after_s: Option<u64>,
}

/// A token bucket.
#[derive(Debug)]
pub(crate) struct Limiter {
    per_sec: f64,
    size: f64,
    tokens: f64,
    last: Instant,
}

impl Limiter {
    /// A full bucket.
    pub(crate) fn new(limit: RateLimit, now: Instant) -> Self {
        let size = f64::from(limit.max_burst) + 1.0;
        Self { per_sec: f64::from(limit.per_sec.max(1)), size, tokens: size, last: now }
    }

    /// Counts one request.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers, never negative")]
    pub(crate) fn take(&mut self, now: Instant) -> Verdict {
        let passed = now.duration_since(self.last).as_secs_f64();
        self.last = now;
        self.tokens = (self.tokens + passed * self.per_sec).min(self.size);
        let refused = self.tokens < 1.0;
        if !refused {
            self.tokens -= 1.0;
        }
        let seconds = |tokens: f64| (tokens / self.per_sec).ceil() as u64;
        Verdict {
            limit: self.size as u32,
            remaining: self.tokens as u32,
            reset_s: seconds(self.size - self.tokens),
            retry_after_s: refused.then(|| seconds(1.0 - self.tokens).max(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_burst_passes_then_one_waits() {
        let start = Instant::now();
        let mut limiter = Limiter::new(RateLimit { per_sec: 1, max_burst: 1 }, start);
        assert_eq!(limiter.take(start).remaining, 1);
        assert_eq!(limiter.take(start).retry_after_s, None);
        let refused = limiter.take(start);
        assert_eq!((refused.limit, refused.remaining, refused.retry_after_s), (2, 0, Some(1)));
        let later = start + Duration::from_secs(1);
        assert_eq!(limiter.take(later).retry_after_s, None);
    }
}
