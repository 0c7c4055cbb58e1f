//! Who may call a remote backend now. So many calls at once and no more, so that one that hangs
//! takes no more than its share of the host; and one that has fallen silent is left alone for a
//! while, then tried with one call before the others follow. Each lane counts for itself: nobody
//! who reaches the platforms' way in can stop what is being delivered.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout},
};

/// Calls of one remote backend that are on their way at once, in each lane.
const AT_ONCE: usize = 24;
/// The same of calls that wait for something to happen: one for each installation.
const LISTENING_AT_ONCE: usize = 512;
/// Calls in a row without a usable answer, after which it is left alone.
const IN_A_ROW: u32 = 3;
/// For how long at first; twice as long each time, up to the longest.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

/// Why there is no way through now. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// It has fallen silent; how long it is still left alone.
    Silent(Duration),
    /// Too many calls are on their way.
    Full,
}

/// On whose behalf a call is made.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lane {
    /// The application's: setup and delivery.
    Application,
    /// A platform's.
    Platform,
    /// Somebody's who waits for a quick answer and can do without: a slow one says nothing about
    /// calls that have more time.
    Quick,
    /// The host's, which waits for something to happen.
    Listening,
}

#[derive(Debug)]
pub(super) struct Gate {
    application: LaneState,
    platform: LaneState,
    quick: LaneState,
    listening: LaneState,
}

#[derive(Debug)]
struct LaneState {
    places: Semaphore,
    silence: Mutex<Silence>,
}

impl LaneState {
    fn of(places: usize) -> Self {
        Self { places: Semaphore::new(places), silence: Mutex::default() }
    }
}

#[derive(Debug, Default)]
struct Silence {
    in_a_row: u32,
    until: Option<Instant>,
}

/// Leave to call. Dropped without a word, it is as if nothing had been tried.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    lane: &'a LaneState,
    _place: SemaphorePermit<'a>,
    is_probe: bool,
}

impl Gate {
    pub(super) fn new() -> Self {
        let lane = || LaneState::of(AT_ONCE);
        Self { application: lane(), platform: lane(), quick: lane(), listening: LaneState::of(LISTENING_AT_ONCE) }
    }

    /// Leave to make a call that takes at most `limit`, after waiting at most `patience` for a
    /// place.
    pub(super) async fn enter(&self, lane: Lane, limit: Duration, patience: Duration) -> Result<Pass<'_>, Closed> {
        let lane = match lane {
            Lane::Application => &self.application,
            Lane::Platform => &self.platform,
            Lane::Quick => &self.quick,
            Lane::Listening => &self.listening,
        };
        lane.look(Instant::now())?;
        let places = &lane.places;
        let place = match places.try_acquire() {
            Ok(place) => place,
            // The semaphore is never closed.
            Err(_) => timeout(patience, places.acquire()).await.ok().and_then(Result::ok).ok_or(Closed::Full)?,
        };
        let now = Instant::now();
        let mut silence = lane.lock();
        let is_probe = match silence.until {
            Some(until) if now < until => return Err(Closed::Silent(until - now)),
            until => until.is_some(),
        };
        if is_probe {
            // The others wait for what becomes of this one.
            silence.until = Some(now + limit);
        }
        Ok(Pass { lane, _place: place, is_probe })
    }
}

impl LaneState {
    fn look(&self, now: Instant) -> Result<(), Closed> {
        match self.lock().until {
            Some(until) if now < until => Err(Closed::Silent(until - now)),
            _ => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Silence> {
        self.silence.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// A usable answer came.
    pub(super) fn answered(self) {
        *self.lane.lock() = Silence::default();
    }

    /// None came. For how long it is left alone from now on, if it is.
    pub(super) fn silent(self) -> Option<Duration> {
        let mut silence = self.lane.lock();
        // What was on its way when it was given up says nothing new.
        if silence.until.is_some() && !self.is_probe {
            return None;
        }
        silence.in_a_row = silence.in_a_row.saturating_add(1);
        let over = silence.in_a_row.checked_sub(IN_A_ROW)?;
        let pause = FIRST.saturating_mul(1 << over.min(10)).min(LONGEST);
        silence.until = Some(Instant::now() + pause);
        Some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(18);

    async fn enter(gate: &Gate) -> Result<Pass<'_>, Closed> {
        gate.enter(Lane::Application, LIMIT, Duration::from_secs(1)).await
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_falls_silent_is_left_alone_then_tried_once() {
        let gate = Gate::new();
        let mut pauses = Vec::new();
        for _ in 0..IN_A_ROW {
            pauses.push(enter(&gate).await.expect("it is tried").silent());
        }
        assert_eq!(pauses, [None, None, Some(FIRST)]);
        assert_eq!(enter(&gate).await.map(drop), Err(Closed::Silent(FIRST)));
        tokio::time::advance(FIRST).await;
        let probe = enter(&gate).await.expect("one may try");
        assert_eq!(enter(&gate).await.map(drop), Err(Closed::Silent(LIMIT)), "the others wait for it");
        assert_eq!(probe.silent(), Some(FIRST * 2));
        tokio::time::advance(FIRST * 2).await;
        enter(&gate).await.expect("one may try").answered();
        assert!(enter(&gate).await.is_ok() && enter(&gate).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_on_its_way_when_it_was_given_up_counts_once() {
        let gate = Gate::new();
        let mut passes = Vec::new();
        for _ in 0..10 {
            passes.push(enter(&gate).await.expect("it is tried"));
        }
        let pauses: Vec<_> = passes.into_iter().filter_map(Pass::silent).collect();
        assert_eq!(pauses, [FIRST]);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_its_share_is_on_its_way() {
        let gate = Gate::new();
        let mut passes = Vec::new();
        for _ in 0..AT_ONCE {
            passes.push(enter(&gate).await.expect("a place"));
        }
        assert_eq!(enter(&gate).await.map(drop), Err(Closed::Full));
        assert!(gate.enter(Lane::Platform, LIMIT, Duration::ZERO).await.is_ok(), "the other lane is free");
        passes.pop();
        assert!(enter(&gate).await.is_ok());
    }
}
