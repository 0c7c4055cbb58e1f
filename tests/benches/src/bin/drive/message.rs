//! The messages of the bench: an alert as an on-call system sends it, with state, text,
//! facts, a link and two buttons, about 1 KB.

use bytes::Bytes;
use chatport_bench::marker::Marker;
use serde_json::json;

/// Where the organization's messages are.
pub(crate) const ORGANIZATION: &str = "/v1/organizations/bench";

const TEXT: &str = "The **99th percentile** of `checkout` has been above 2 s for ten minutes.\n\n\
    - *cluster*: eu-west-1\n- *service*: checkout\n- *team*: payments\n\n\
    Requests queue up behind the database: connections are all in use since 10:42. \
    The last deployment was at 10:31. See the [dashboard](https://grafana.example.com/d/checkout) \
    and the [runbook](https://runbooks.example.com/checkout/latency), and tell the owner of the service.";

/// The path of a message.
pub(crate) fn path(marker: &Marker) -> String {
    format!("{ORGANIZATION}/messages/{}-{}", marker.run, marker.number)
}

/// The document of a message.
pub(crate) fn body(marker: &Marker, channel: &str) -> Bytes {
    let document = json!({
        "revision": 1,
        "targets": [{ "channel": channel }],
        "content": {
            "state": "firing",
            "title": format!("High latency of checkout {marker}"),
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
        },
    });
    document.to_string().into()
}
