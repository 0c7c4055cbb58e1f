//! The messages of the bench: an alert as an on-call system sends it, with state, text,
//! facts, a link and two buttons, about 1 KB.

use bytes::{BufMut, Bytes, BytesMut};
use chatport_bench::marker::Marker;
use serde_json::{Value, json};

/// Where the organization's messages are.
pub(crate) const ORGANIZATION: &str = "/v1/organizations/bench";

const TEXT: &str = "The **99th percentile** of `checkout` has been above 2 s for ten minutes.\n\n\
    - *cluster*: eu-west-1\n- *service*: checkout\n- *team*: payments\n\n\
    Requests queue up behind the database: connections are all in use since 10:42. \
    The last deployment was at 10:31. See the [dashboard](https://grafana.example.com/d/checkout) \
    and the [runbook](https://runbooks.example.com/checkout/latency), and tell the owner of the service.";

/// Where the marker goes, until it is known.
const MARKER: &str = "<marker>";
/// Where the channel goes, until it is known.
const CHANNEL: &str = "<channel>";

/// The path of a message.
pub(crate) fn path(marker: &Marker) -> String {
    format!("{ORGANIZATION}/messages/{}-{}", marker.run, marker.number)
}

/// What all messages say.
pub(crate) fn content(title: &str) -> Value {
    json!({
        "state": "firing",
        "title": title,
        "text": TEXT,
        "facts": [
            { "name": "Severity", "value": "critical", "short": true },
            { "name": "Environment", "value": "production", "short": true },
        ],
        "link": { "url": "https://oncall.example.com/alerts/1", "label": "Open the alert group" },
        "actions": [
            { "id": "acknowledge", "label": "Acknowledge", "style": "primary" },
            { "id": "resolve", "label": "Resolve", "style": "success" },
        ],
    })
}

/// A message for one channel, written out once: the driver shares the machine with what it
/// measures, so a message costs it three copies of memory.
pub(crate) struct Message {
    before: String,
    between: String,
    after: String,
}

impl Message {
    pub(crate) fn new() -> Self {
        // Names are sorted, so the title is written before the targets.
        let whole = json!({
            "content": content(&format!("High latency of checkout {MARKER}")),
            "revision": 1,
            "targets": [{ "channel": CHANNEL }],
        })
        .to_string();
        let (before, rest) = whole.split_once(MARKER).unwrap_or((&whole, ""));
        let (between, after) = rest.split_once(CHANNEL).unwrap_or((rest, ""));
        Self { before: before.to_owned(), between: between.to_owned(), after: after.to_owned() }
    }

    /// The document of a message.
    pub(crate) fn body(&self, marker: &Marker, channel: &str) -> Bytes {
        let mut body = BytesMut::with_capacity(self.before.len() + self.between.len() + self.after.len() + 128);
        for part in [&self.before, &marker.to_string(), &self.between, channel, &self.after] {
            body.put_slice(part.as_bytes());
        }
        body.freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_its_marker_and_its_channel() {
        let marker = Marker { run: 1, number: 2, sent: 3 };
        let body: Value = serde_json::from_slice(&Message::new().body(&marker, "town-square")).expect("JSON");
        assert_eq!(body["content"]["title"], "High latency of checkout bm1x2x3z");
        assert_eq!(body["targets"], json!([{ "channel": "town-square" }]));
    }
}
