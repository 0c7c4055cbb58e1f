//! The stateful model: the same random steps on the store in memory, on SQLite and on
//! Postgres give the same answers and the same rows, and a judge that knows none of the rules
//! finds nothing to object to after any of them.
//!
//! How many sequences: [`counts`].
#![allow(clippy::unwrap_used, missing_debug_implementations, unreachable_pub, reason = "a suite may fail by panicking")]

mod checker;
mod databases;
mod lockstep;
mod steps;
mod system;
mod view;

use proptest::{prelude::*, test_runner::FileFailurePersistence};
use proptest_state_machine::prop_state_machine;

use lockstep::{OnPostgres, OnSqlite, OnTwin};

/// Most steps of a sequence.
const STEPS: usize = 50;

/// How many sequences each test runs: in the ordinary test command, and where
/// `CHATPORT_PROOF` is `long`. `CHATPORT_PROOF_ROUNDS` names another number.
const COUNTS: [(&str, u32, u32); 3] = [("twin", 10_000, 1_000_000), ("sqlite", 300, 20_000), ("postgres", 100, 10_000)];

fn config(store: &str, regressions: &'static str) -> ProptestConfig {
    let (_, short, long) = COUNTS.into_iter().find(|(name, ..)| *name == store).expect("a known store");
    let is_long = std::env::var("CHATPORT_PROOF").is_ok_and(|form| form == "long");
    let rounds = std::env::var("CHATPORT_PROOF_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    ProptestConfig {
        cases: rounds.unwrap_or(if is_long { long } else { short }),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(regressions))),
        max_shrink_iters: 4_000,
        ..ProptestConfig::default()
    }
}

prop_state_machine! {
    #![proptest_config(config("twin", "model/regressions/twin.txt"))]
    #[test]
    fn the_store_in_memory_keeps_what_is_promised(sequential 1..STEPS => OnTwin);
}

prop_state_machine! {
    #![proptest_config(config("sqlite", "model/regressions/sqlite.txt"))]
    #[test]
    fn sqlite_does_as_the_store_in_memory(sequential 1..STEPS => OnSqlite);
}

prop_state_machine! {
    #![proptest_config(config("postgres", "model/regressions/postgres.txt"))]
    #[test]
    fn postgres_does_as_the_store_in_memory(sequential 1..STEPS => OnPostgres);
}
