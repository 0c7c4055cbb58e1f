//! Circuit breakers, one for each installation: a platform that fails again and again is left
//! alone for a while, then tried with one copy before the others follow. What waits meanwhile
//! uses no attempt. A breaker is an optimisation: each process has its own, and a restart
//! forgets it without harm.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::ids::InstallationId;

/// Failures in a row that open a breaker.
const IN_A_ROW: u32 = 10;
/// So many results in the window, at least half of them failures, open it too.
const ENOUGH: usize = 20;
/// The window.
const WINDOW: Duration = Duration::from_secs(60);
/// How long it stays open at first; twice as long each time, up to the longest.
const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(300);
/// How long others wait while one tries whether the platform is back.
const WHILE_PROBING: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
struct Breaker {
    in_a_row: u32,
    recent: VecDeque<(Instant, bool)>,
    /// How often it has opened since it last worked.
    openings: u32,
    open_until: Option<Instant>,
    is_probing: bool,
}

/// All breakers of a process.
#[derive(Clone, Debug, Default)]
pub(super) struct Breakers(Arc<Mutex<HashMap<InstallationId, Breaker>>>);

/// Leave to try. It must be told how it went; dropped without that, it didn't go at all.
#[derive(Debug)]
pub(super) struct Pass {
    breakers: Breakers,
    installation: InstallationId,
    is_probe: bool,
}

impl Breakers {
    /// Leave to try now, else how long to wait.
    pub(super) fn pass(&self, installation: InstallationId, now: Instant) -> Result<Pass, Duration> {
        let mut breakers = self.lock();
        let pass = |is_probe| Pass { breakers: self.clone(), installation, is_probe };
        let Some(breaker) = breakers.get_mut(&installation) else { return Ok(pass(false)) };
        let Some(until) = breaker.open_until else { return Ok(pass(false)) };
        if now < until {
            return Err(until - now);
        }
        if breaker.is_probing {
            return Err(WHILE_PROBING);
        }
        breaker.is_probing = true;
        Ok(pass(true))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<InstallationId, Breaker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass {
    /// The platform works.
    pub(super) fn worked(self, now: Instant) {
        let mut breakers = self.breakers.lock();
        let Some(breaker) = breakers.get_mut(&self.installation) else { return };
        breaker.in_a_row = 0;
        breaker.recent.push_back((now, true));
        breaker.forget_old(now);
        if self.is_probe || breaker.recent.iter().all(|(_, worked)| *worked) {
            breakers.remove(&self.installation);
        }
    }

    /// The platform failed. How long it is left alone from now on, if it is. `jitter` is in
    /// 0.0..1.0.
    pub(super) fn failed(self, now: Instant, jitter: f64) -> Option<Duration> {
        let mut breakers = self.breakers.lock();
        let breaker = breakers.entry(self.installation).or_default();
        breaker.in_a_row = breaker.in_a_row.saturating_add(1);
        breaker.recent.push_back((now, false));
        breaker.forget_old(now);
        let opens = match self.is_probe {
            true => true,
            // What was on its way when the breaker opened doesn't open it again.
            false => breaker.open_until.is_none() && breaker.must_open(),
        };
        if !opens {
            return None;
        }
        let pause = FIRST.saturating_mul(1 << breaker.openings.min(10)).min(LONGEST).mul_f64(0.75 + jitter / 2.0);
        breaker.openings = breaker.openings.saturating_add(1);
        breaker.open_until = Some(now + pause);
        Some(pause)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.is_probe
            && let Some(breaker) = self.breakers.lock().get_mut(&self.installation)
        {
            breaker.is_probing = false;
        }
    }
}

impl Breaker {
    fn forget_old(&mut self, now: Instant) {
        while self.recent.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > WINDOW) {
            self.recent.pop_front();
        }
    }

    fn must_open(&self) -> bool {
        let failures = self.recent.iter().filter(|(_, worked)| !worked).count();
        self.in_a_row >= IN_A_ROW || (self.recent.len() >= ENOUGH && failures * 2 >= self.recent.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(breakers: &Breakers, installation: InstallationId, now: Instant) -> Option<Duration> {
        breakers.pass(installation, now).expect("it is closed").failed(now, 0.5)
    }

    /// A breaker that has just opened, and for how long.
    fn opened(installation: InstallationId, now: Instant) -> (Breakers, Duration) {
        let breakers = Breakers::default();
        let pauses: Vec<_> = (0..IN_A_ROW).filter_map(|_| fail(&breakers, installation, now)).collect();
        assert_eq!(pauses, [FIRST], "it opens at the last of them");
        (breakers, pauses[0])
    }

    #[test]
    fn failures_in_a_row_open_it_for_that_installation_alone() {
        let (installation, other, now) = (InstallationId::new(), InstallationId::new(), Instant::now());
        let (breakers, pause) = opened(installation, now);
        assert_eq!(breakers.pass(installation, now).map(drop), Err(pause));
        assert!(breakers.pass(other, now).is_ok());
    }

    #[test]
    fn a_success_in_between_keeps_it_closed_until_half_have_failed() {
        let (breakers, installation, now) = (Breakers::default(), InstallationId::new(), Instant::now());
        for _ in 0..8 {
            assert_eq!(fail(&breakers, installation, now), None);
            breakers.pass(installation, now).expect("it is closed").worked(now);
        }
        let opened = (0..4).filter_map(|_| fail(&breakers, installation, now)).count();
        assert_eq!(opened, 1, "12 of 20");
    }

    #[test]
    fn one_tries_whether_the_platform_is_back_while_the_others_wait() {
        let (installation, now) = (InstallationId::new(), Instant::now());
        let (breakers, pause) = opened(installation, now);
        let later = now + pause;
        let probe = breakers.pass(installation, later).expect("one may try");
        assert_eq!(breakers.pass(installation, later).map(drop), Err(WHILE_PROBING));
        probe.worked(later);
        assert!(breakers.pass(installation, later).is_ok() && breakers.pass(installation, later).is_ok());
    }

    #[test]
    fn each_failed_try_doubles_the_pause_up_to_the_longest() {
        let (installation, mut now) = (InstallationId::new(), Instant::now());
        let (breakers, mut pause) = opened(installation, now);
        let mut pauses = Vec::new();
        for _ in 0..8 {
            now += pause;
            pause = fail(&breakers, installation, now).expect("it opens again");
            pauses.push(pause.as_secs());
        }
        assert_eq!(pauses, [10, 20, 40, 80, 160, 300, 300, 300]);
    }

    #[test]
    fn a_probe_that_never_ends_well_or_badly_gives_way_to_another() {
        let (installation, now) = (InstallationId::new(), Instant::now());
        let (breakers, pause) = opened(installation, now);
        drop(breakers.pass(installation, now + pause).expect("one may try"));
        assert!(breakers.pass(installation, now + pause).is_ok());
    }
}
