//! When a copy is tried again. Paging needs dense early tries: about ten in the first 13
//! minutes, then each five minutes to an hour, then each quarter of an hour until the copy
//! expires. Each wait is multiplied by 0.5 to 1.5, so that many copies don't return at once.

use std::time::Duration;

/// Seconds before the second, third, … attempt.
const EARLY: [u64; 10] = [1, 2, 4, 8, 16, 32, 60, 120, 240, 300];
/// Attempts that fall into the first hour after those.
const HOUR: usize = 9;

/// The wait after `attempts` attempts (at least one), with `jitter` in 0.0..1.0.
pub fn wait(attempts: usize, jitter: f64) -> Duration {
    let number = attempts.saturating_sub(1);
    let seconds = match EARLY.get(number) {
        Some(seconds) => *seconds,
        None if number < EARLY.len() + HOUR => 300,
        None => 900,
    };
    Duration::from_secs(seconds).mul_f64(0.5 + jitter.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_tries_fall_into_the_first_thirteen_minutes() {
        let total: Duration = (1..=10).map(|attempts| wait(attempts, 0.5)).sum();
        assert_eq!(total, Duration::from_secs(783));
    }

    #[test]
    fn a_day_of_tries_is_about_a_hundred() {
        let mut elapsed = Duration::ZERO;
        let tries = (1..).take_while(|attempts| {
            elapsed += wait(*attempts, 0.5);
            elapsed < Duration::from_secs(24 * 3600)
        });
        let tries = tries.count();
        assert!((100..=120).contains(&tries), "{tries}");
    }

    #[test]
    fn jitter_keeps_the_mean_and_never_leaves_its_bounds() {
        for attempts in 1..200 {
            assert!(wait(attempts, 0.0) * 3 == wait(attempts, 1.0));
        }
    }
}
