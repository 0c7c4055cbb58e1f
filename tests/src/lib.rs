//! What the suites share: the real program as a child process, a small HTTP client, an
//! application that hears signed events, and databases of their own.
#![allow(missing_debug_implementations)]

pub mod application;
pub mod browser;
pub mod client;
pub mod database;
pub mod engine;
pub mod faulty_store;
pub mod mattermost;
pub mod msteams;
pub mod organization;
pub mod pigeon;
pub mod program;
pub mod proof;
pub mod sandbox;
pub mod seeded;
pub mod telegram;
pub mod twin;

use std::{future::Future, time::Duration};

/// Wait until `check` gives a value; fail after ten seconds, saying what was waited for.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut check: impl FnMut() -> F) -> T {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(value) = check().await {
            return value;
        }
        assert!(tokio::time::Instant::now() < deadline, "waited ten seconds in vain for: {what}");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}
