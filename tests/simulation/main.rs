//! The real engine in made-up worlds: over a store in memory that fails at a chosen operation,
//! and in a simulated network of replicas, platforms and an application, where hosts crash and
//! links break. Time is simulated too, so that hours pass in moments; the same seed is the same
//! run.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_debug_implementations,
    unreachable_pub,
    reason = "a suite may fail by panicking and says what it did"
)]

mod asks;
mod checker;
mod courier;
mod faults;
mod line;
mod network;
mod platform;
mod seeds;
mod trouble;
mod truth;
mod wake;
mod world;

/// At how many operations of a kind a store fails, in the ordinary test command and where
/// `CHATPORT_PROOF` is `long`.
fn faults_of_a_kind() -> usize {
    if is_long() { 10_000 } else { 40 }
}

fn is_long() -> bool {
    std::env::var("CHATPORT_PROOF").is_ok_and(|form| form == "long")
}

/// How many worlds instead of those in the table.
fn rounds() -> Option<u64> {
    std::env::var("CHATPORT_PROOF_ROUNDS").ok().and_then(|rounds| rounds.parse().ok())
}
