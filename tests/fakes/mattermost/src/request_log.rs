//! What was asked of the server, and what the server asked of integrations.

use std::time::Instant;

use bytes::Bytes;
use serde::Serialize;

/// A request the server got.
#[derive(Debug, Clone, Serialize)]
pub struct LoggedRequest {
    /// Counts from 0.
    pub number: usize,
    /// Method.
    pub method: String,
    /// Path below the site URL.
    pub path: String,
    /// Query without the question mark.
    pub query: String,
    /// Token sent, empty if none.
    pub token: String,
    /// Name of the token's user, empty if the token is not good.
    pub user: String,
    /// Body.
    #[serde(skip)]
    pub body: Bytes,
    /// Channel a new post is meant for, empty for other requests.
    pub channel_id: String,
    /// Status answered; `None` while it is under way or if the connection was closed instead.
    pub status: Option<u16>,
    /// Whether a fault was applied.
    pub faulted: bool,
    /// The server's time at the start, ms.
    pub at_ms: i64,
    /// Real time at the start.
    #[serde(skip)]
    pub started: Instant,
    /// Real time at the end.
    #[serde(skip)]
    pub ended: Option<Instant>,
}

/// A request the server sent to an integration.
#[derive(Debug, Clone, Serialize)]
pub struct SentRequest {
    /// Method.
    pub method: String,
    /// Address.
    pub url: String,
    /// Headers in the order they were set.
    pub headers: Vec<(String, String)>,
    /// Body as text.
    pub body: String,
    /// Status of the answer, if one came.
    pub status: Option<u16>,
    /// Body of the answer as text.
    pub answer: String,
    /// Why no answer came, empty if one did.
    pub failure: String,
}

impl SentRequest {
    /// The body as JSON, `null` if it is not.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// A header's value, empty if it was not sent.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .iter()
            .find(|(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .unwrap_or_default()
    }
}

/// Both logs.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    pub(crate) got: Vec<LoggedRequest>,
    /// Number of the first request in `got`: a cleared log goes on counting.
    first: usize,
    pub(crate) sent: Vec<SentRequest>,
}

impl RequestLog {
    /// Notes the start of a request and gives its number.
    pub(crate) fn start(&mut self, mut request: LoggedRequest) -> usize {
        let number = self.first + self.got.len();
        request.number = number;
        self.got.push(request);
        number
    }

    /// Forgets everything so far.
    pub(crate) fn clear(&mut self) {
        self.first += self.got.len();
        self.got.clear();
        self.sent.clear();
    }

    /// Notes the end of a request. A cleared log has forgotten the request.
    pub(crate) fn end(&mut self, number: usize, status: Option<u16>) {
        let place = number.checked_sub(self.first);
        if let Some(request) = place.and_then(|place| self.got.get_mut(place)) {
            request.status = status;
            request.ended = Some(Instant::now());
        }
    }

    /// The most requests for new posts in a channel that were under way at the same time.
    pub(crate) fn most_posts_at_once(&self, channel_id: &str) -> usize {
        let mut steps: Vec<(Instant, i32)> = Vec::new();
        let now = Instant::now();
        for request in self.got.iter().filter(|r| r.channel_id == channel_id) {
            steps.push((request.started, 1));
            steps.push((request.ended.unwrap_or(now), -1));
        }
        // Ends sort before starts at the same instant: touching requests do not overlap.
        steps.sort();
        let (mut under_way, mut most) = (0, 0);
        for (_, step) in steps {
            under_way += step;
            most = most.max(under_way);
        }
        usize::try_from(most).unwrap_or(0)
    }
}
