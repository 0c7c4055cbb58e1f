//! Telling a page that something has changed, as server-sent events. An answer goes out
//! whole, so each holds one event, or none if nothing changes for a while: the browser asks
//! again at once, and says by `Last-Event-ID` what it has seen.
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html>

use std::time::Duration;

use chatport_sdk::prelude::*;
use http::StatusCode;

use crate::{SandboxBackend, file::FileError};

/// How long an answer waits for a change: half of what a call to a backend may take. A host
/// that ends waits for it.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a browser is to wait before it asks again.
const RETRY_MILLISECONDS: u32 = 200;

/// What the reader has seen, if it says so. What isn't one of our ids, nobody has seen.
pub(crate) fn last_id(request: &Request) -> Option<i64> {
    request.header("last-event-id")?.parse().ok()
}

impl SandboxBackend {
    /// Wait for a change after the one that was `seen`.
    pub(crate) async fn events(&self, site: &Site, seen: Option<i64>) -> Result<Response, FileError> {
        let changes = self.worlds.changes(site, seen, PATIENCE).await?;
        let mut text = format!("retry: {RETRY_MILLISECONDS}\nid: {changes}\n");
        if Some(changes) != seen {
            text += "event: change\ndata: {}\n";
        }
        text.push('\n');
        Ok(Response::new(StatusCode::OK, "text/event-stream", text).header("cache-control", "no-store"))
    }
}
