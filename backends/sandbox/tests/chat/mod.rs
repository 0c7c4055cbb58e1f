//! A sandbox as the host sees it, without a host: a site with a clock that stands still, no
//! tokens, and a network that must not be used.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::{path::Path, sync::Arc, time::Duration};

use chatport_sandbox::SandboxBackend;
use chatport_sdk::{
    async_trait,
    delivery::ActionToken,
    http::{Call, Dispatch, Transport},
    prelude::*,
    site::{Random, SiteParts, Vault},
    time::Clock,
};
use http::{HeaderMap, Method};
use serde_json::{Value, json};

pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

struct Nothing;

impl Vault for Nothing {
    fn tokens(&self, _kind: &str) -> Vec<Token> {
        Vec::new()
    }
    fn matches(&self, _kind: &str, _presented: &[u8]) -> Option<String> {
        None
    }
}

impl Random for Nothing {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

impl Clock for Nothing {
    fn now(&self) -> Timestamp {
        NOW
    }
}

#[async_trait]
impl Transport for Nothing {
    async fn send(&self, _call: Call, _dispatch: &Dispatch) -> Result<Answer, HttpError> {
        panic!("a sandbox must not use the network")
    }
}

pub(crate) fn site_with(change: impl FnOnce(&mut SiteParts)) -> Site {
    let mut parts = SiteParts::new("slot", Arc::new(Nothing), Arc::new(Nothing), Arc::new(Nothing));
    parts.settings = json!({});
    parts.app_name = "OnCall".into();
    parts.ingress_url = Url::parse("http://127.0.0.1:8080/in/sandbox/slot").ok();
    change(&mut parts);
    Site::new(parts, HttpClient::new(Arc::new(Nothing), Dispatch::default()))
}

pub(crate) struct Chat {
    pub(crate) backend: SandboxBackend,
    pub(crate) site: Site,
}

impl Chat {
    pub(crate) fn new() -> Self {
        Self { backend: SandboxBackend::default(), site: site_with(|_| {}) }
    }

    /// As after a start of the program: nothing in memory.
    pub(crate) fn with_file(path: &Path) -> Self {
        let settings = json!({ "file": path });
        Self { backend: SandboxBackend::default(), site: site_with(|parts| parts.settings = settings) }
    }

    pub(crate) fn delivery(&self) -> &dyn Delivery {
        self.backend.delivery().expect("it delivers")
    }

    pub(crate) async fn post(&self, outgoing: &Outgoing) -> Result<Receipt, Failure> {
        self.delivery().post(&self.site, outgoing).await
    }

    pub(crate) async fn edit(&self, outgoing: &Outgoing, receipt: &Receipt) -> Result<Edited, Failure> {
        self.delivery().edit().expect("it edits").edit(&self.site, outgoing, receipt).await
    }

    pub(crate) async fn delete(&self, outgoing: &Outgoing, receipt: &Receipt) -> Result<(), Failure> {
        self.delivery().delete().expect("it deletes").delete(&self.site, &outgoing.address, receipt).await
    }

    pub(crate) async fn find(&self, outgoing: &Outgoing) -> Found {
        self.delivery().find().expect("it finds").find(&self.site, outgoing).await.expect("a world can be searched")
    }

    pub(crate) async fn receive(&self, method: Method, path: &str, body: impl Into<Bytes>) -> Received {
        receive(&self.backend, &self.site, method, path, body).await
    }

    /// A request that is answered at once.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        match self.receive(method, path, body.to_string()).await {
            Received::Answer(response) => read(&response),
            other => panic!("{path} should be answered at once, not {other:?}"),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, value) = self.call(Method::GET, path, Value::Null).await;
        assert_eq!(status, 200, "{value}");
        value
    }

    pub(crate) async fn posts(&self, place: &str) -> Vec<Value> {
        let seen = self.get(&format!("/conversations/{place}/posts")).await;
        seen["posts"].as_array().expect("a list of posts").clone()
    }

    /// A request from which something happens.
    pub(crate) async fn happening(&self, path: &str, body: Value) -> Happening {
        match self.receive(Method::POST, path, body.to_string()).await {
            Received::Happenings(mut all) if all.len() == 1 => all.remove(0),
            other => panic!("one thing should happen at {path}, not {other:?}"),
        }
    }

    pub(crate) async fn answer(&self, happening: Happening, outcome: Outcome) -> (u16, Value) {
        let ingress = self.backend.ingress().expect("it has an ingress");
        read(&ingress.answer(&self.site, &[happening], &[outcome]).await)
    }

    pub(crate) async fn fault(&self, body: Value) {
        let (status, value) = self.call(Method::POST, "/faults", body).await;
        assert_eq!(status, 200, "{value}");
    }
}

pub(crate) async fn receive(
    backend: &SandboxBackend,
    site: &Site,
    method: Method,
    path: &str,
    body: impl Into<Bytes>,
) -> Received {
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query.to_owned())));
    let request = Request { method, path: path.into(), query, headers: HeaderMap::new(), body: body.into() };
    backend.ingress().expect("it has an ingress").receive(site, &request).await
}

pub(crate) fn read(response: &Response) -> (u16, Value) {
    (response.status.as_u16(), serde_json::from_slice(&response.body).expect("every answer is JSON"))
}

/// Stops waiting soon, as the host does. `None`: no answer came.
pub(crate) async fn soon<T>(work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(Duration::from_millis(50), work).await.ok()
}

pub(crate) fn address(place: &str) -> Address {
    Address(json!({ "v": 1, "conversation": place }))
}

/// A message of one part, on its way to a place.
pub(crate) fn outgoing(place: &str, copy: &str, content: Value) -> Outgoing {
    let content: Content = serde_json::from_value(content).expect("a document");
    let backend = SandboxBackend::default();
    let limits = &backend.descriptor().limits;
    let delivery = backend.delivery().expect("it delivers");
    let mut rendering = delivery.render(&RenderRequest::new(&content, limits));
    assert_eq!(rendering.parts.len(), 1);
    let mut outgoing = Outgoing::new(copy, 1, address(place), rendering.parts.remove(0));
    outgoing.tokens = outgoing.part.actions.iter().map(|action| token(action, copy)).collect();
    outgoing
}

fn token(action: &str, copy: &str) -> ActionToken {
    ActionToken { action: action.into(), choice: None, token: Secret::new(format!("token-of-{action}-{copy}")) }
}

/// An alert with a button and a menu.
pub(crate) fn alert(copy: &str) -> Outgoing {
    outgoing(
        "incidents",
        copy,
        json!({
            "state": "firing", "title": "Disk full", "text": "on `db1`",
            "link": { "url": "https://oncall.example/a/1" },
            "actions": [
                { "id": "ack", "label": "Acknowledge", "style": "primary" },
                { "id": "silence", "label": "Silence", "choices": [{ "value": "1h", "label": "1 hour" }] },
            ],
        }),
    )
}
