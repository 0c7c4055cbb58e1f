//! What the application was told: every request that was answered with 202, with the
//! moments of asking and of hearing. And what happened to the program meanwhile.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// What the application asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Show this revision.
    Show { revision: i64, is_final: bool },
    /// Take the message away.
    Delete,
}

/// One acknowledged request.
#[derive(Clone, Debug)]
pub struct Told {
    pub key: String,
    /// The conversation on the platform.
    pub conversation: String,
    pub wish: Wish,
    /// When it was asked for the first time.
    pub asked: Instant,
    /// When 202 was heard.
    pub told: Instant,
}

/// What was done to the program or to what it stands on.
#[derive(Clone, Debug)]
pub struct Incident {
    /// Its kind, under which duplicates are counted.
    pub cause: &'static str,
    pub from: Instant,
    /// When the program was there again; later where it recovers by a timeout.
    pub until: Instant,
}

#[derive(Debug, Default)]
struct Pages {
    told: Vec<Told>,
    incidents: Vec<Incident>,
}

/// The ledger; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pages: Arc<Mutex<Pages>>,
    news: Arc<tokio::sync::Notify>,
}

impl Ledger {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Write down an acknowledgement.
    pub fn acknowledge(&self, told: Told) {
        self.pages().told.push(told);
        self.news.notify_waiters();
    }

    /// Wait until something more is acknowledged.
    pub async fn next(&self) {
        self.news.notified().await;
    }

    /// Write down what was done.
    pub fn incident(&self, cause: &'static str, from: Instant, until: Instant) {
        self.pages().incidents.push(Incident { cause, from, until });
    }

    /// All acknowledgements.
    pub fn told(&self) -> Vec<Told> {
        self.pages().told.clone()
    }

    /// All incidents.
    pub fn incidents(&self) -> Vec<Incident> {
        self.pages().incidents.clone()
    }
}

/// The title of a revision: it tells a platform's log which message this is.
pub fn title(key: &str, revision: i64) -> String {
    format!("{key} r{revision}")
}

/// The message and the revision of a title.
pub fn read_title(title: &str) -> Option<(String, i64)> {
    let (key, revision) = title.split_once(" r")?;
    Some((key.to_owned(), revision.parse().ok()?))
}
