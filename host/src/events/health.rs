//! How each subscription's receiver has answered since this process began: for whoever
//! looks at the subscriptions, and for the log at each turn from well to ill and back.
//! Each replica knows what it has sent itself.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chatport_sdk::{schemars::JsonSchema, time::Timestamp};
use serde::{Deserialize, Serialize};

/// A failed attempt to send an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LastFailure {
    /// When.
    pub at: Timestamp,
    /// What happened, for the operator.
    pub detail: String,
}

/// How a subscription's receiver has answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// The last attempt that failed.
    pub last_failure: Option<LastFailure>,
    /// When the receiver last took an event.
    pub last_success_at: Option<Timestamp>,
    is_failing: bool,
}

/// The health of all subscriptions, by name.
#[derive(Clone, Debug, Default)]
pub struct SubscriptionHealth(Arc<Mutex<HashMap<String, Health>>>);

impl SubscriptionHealth {
    /// How this one is.
    pub fn of(&self, subscription: &str) -> Health {
        self.lock().get(subscription).cloned().unwrap_or_default()
    }

    /// It has another receiver, or is gone.
    pub(super) fn forget(&self, subscription: &str) {
        self.lock().remove(subscription);
    }

    /// Note how an attempt ended. The answer tells whether that is a turn: the first failure,
    /// or the first success after one.
    pub(super) fn note(&self, subscription: &str, outcome: Result<(), String>, now: Timestamp) -> bool {
        let mut all = self.lock();
        let health = all.entry(subscription.to_owned()).or_default();
        let was_failing = health.is_failing;
        health.is_failing = outcome.is_err();
        match &outcome {
            Ok(()) => health.last_success_at = Some(now),
            Err(detail) => health.last_failure = Some(LastFailure { at: now, detail: detail.clone() }),
        }
        let turned = was_failing != health.is_failing;
        drop(all);
        match outcome {
            Err(detail) if turned => tracing::warn!(subscription, detail, "events don't reach their receiver"),
            Ok(()) if turned => tracing::info!(subscription, "events reach their receiver again"),
            _ => {}
        }
        turned
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Health>> {
        // A panic can't leave the map half changed: what it holds stays usable.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn only_the_turns_are_worth_a_line_in_the_log() {
        let health = SubscriptionHealth::default();
        let note = |outcome: Result<(), &str>, seconds| health.note("a", outcome.map_err(str::to_owned), at(seconds));
        let turns = [
            note(Ok(()), 1),
            note(Err("down"), 2),
            note(Err("still down"), 3),
            note(Ok(()), 4),
            note(Ok(()), 5),
            note(Err("again"), 6),
        ];
        assert_eq!(turns, [false, true, false, true, false, true]);
    }

    #[test]
    fn the_last_of_each_is_kept_until_there_is_another_receiver() {
        let health = SubscriptionHealth::default();
        health.note("a", Err("down".into()), at(1));
        health.note("a", Ok(()), at(2));
        let seen = health.of("a");
        assert_eq!(seen.last_failure, Some(LastFailure { at: at(1), detail: "down".into() }));
        assert_eq!(seen.last_success_at, Some(at(2)));
        assert_eq!(health.of("b"), Health::default());
        health.forget("a");
        assert_eq!(health.of("a"), Health::default());
    }
}
