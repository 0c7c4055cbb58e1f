//! `chatport replay`: has a running host try dead letters again, over its API. So it works
//! beside a host that has its SQLite file for itself, and from another machine.

use std::{io::Read, sync::Arc, time::Duration};

use bytes::Bytes;
use chatport_sdk::secret::Secret;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use url::Url;

use crate::{
    config::{ReplayCommand, Settings},
    delivery::replay::{MAX_REPLAY, Replay},
    ids::OrganizationId,
    security::transport::{TransportError, client_config},
};

/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Most bytes of an answer: a thousand ids, twice.
const MAX_ANSWER: usize = 1 << 20;

/// Why dead letters aren't tried again. Each is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReplayError {
    #[error("an organization's id has 1 to 128 of A-Z a-z 0-9 . _ : @ -")]
    Organization,
    #[error("--url must be where the host is, e.g. https://chatport.example.com, not {0}")]
    Url(Url),
    #[error("no API key came on standard input")]
    NoKey,
    #[error("{0}")]
    Tls(#[from] TransportError),
    #[error("nothing answers at {0}: {1}; is the host running, and is --url right?")]
    Unreachable(Url, String),
    #[error("{0} isn't Chatport's API: {1}; is --url right?")]
    Strange(Url, String),
    #[error("the host refuses: {0}")]
    Refused(String),
    #[error("{0}; {1} copies are tried again already: repeat the command for the rest")]
    Halfway(Box<ReplayError>, u64),
}

/// Ask for it, a thousand at a time; the answer is what to tell.
pub(super) async fn replay(settings: &Settings, request: ReplayCommand) -> Result<String, ReplayError> {
    let organization = OrganizationId::parse(&request.organization).ok_or(ReplayError::Organization)?;
    let host = Host::new(settings, &request, &organization)?;
    let mut body = json!({ "limit": MAX_REPLAY, "dry_run": request.dry_run });
    let which = [
        ("copies", (!request.copies.is_empty()).then(|| json!(request.copies))),
        ("code", request.code.map(Value::from)),
        ("installation", request.installation.map(|id| json!(id))),
        ("since", request.since.map(|time| json!(time))),
        ("before", request.before.map(|time| json!(time))),
        ("rate", request.rate.map(Value::from)),
    ];
    for (name, value) in which {
        if let Some(value) = value {
            body[name] = value;
        }
    }
    let mut copies = 0;
    loop {
        let answer = match host.ask(&body).await {
            Ok(answer) => answer,
            Err(error) if copies == 0 => return Err(error),
            Err(error) => return Err(ReplayError::Halfway(Box::new(error), copies)),
        };
        copies += answer.replayed.len() as u64;
        if request.dry_run || answer.remaining == 0 || answer.replayed.is_empty() {
            return Ok(told(&answer, copies, request.dry_run, request.rate));
        }
        // The rest, as if it had been one request.
        body["before"] = json!(answer.before);
        if let Some(next) = answer.next_due_at {
            body["not_before"] = json!(next);
        }
    }
}

fn told(answer: &Replay, copies: u64, dry_run: bool, rate: Option<f64>) -> String {
    let (all, verb) = if dry_run { (copies + answer.remaining, "would be") } else { (copies, "are") };
    let mut text = format!("{all} copies {verb} tried again");
    if let Some(rate) = rate {
        text += &format!(", at most {rate} a second");
    }
    if let (Some(next), false) = (answer.next_due_at, dry_run) {
        text += &format!(", the last before {next}");
    }
    match answer.without_address.len() {
        0 => {}
        without => text += &format!("\n{without} have no address: put their messages again once the target exists"),
    }
    text + "\n"
}

/// The host's API.
struct Host {
    client: Client<hyper_rustls::HttpsConnector<hyper_util::client::legacy::connect::HttpConnector>, Full<Bytes>>,
    url: Url,
    key: Secret,
}

impl Host {
    fn new(settings: &Settings, request: &ReplayCommand, organization: &OrganizationId) -> Result<Self, ReplayError> {
        let mut url = match &request.url {
            Some(url) => url.clone(),
            None => here(settings),
        };
        let is_base = matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none();
        if !is_base {
            return Err(ReplayError::Url(url));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{path}/v1/organizations/{organization}/dead-letters/replay"));
        let key = match request.key.0.expose() {
            "-" => from_stdin()?,
            _ => request.key.0.clone(),
        };
        let tls = client_config(settings.extra_ca_file.as_deref())?;
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(Arc::unwrap_or_clone(tls))
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Self { client: Client::builder(TokioExecutor::new()).build(connector), url, key })
    }

    async fn ask(&self, body: &Value) -> Result<Replay, ReplayError> {
        let unreachable = |what: String| ReplayError::Unreachable(self.url.clone(), what);
        let request = Request::post(self.url.as_str())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.key.expose()))
            .body(Full::new(Bytes::from(body.to_string())))
            .map_err(|_| ReplayError::Refused("the key has characters that no key has".into()))?;
        let exchange = async {
            let response = self.client.request(request).await.map_err(|error| unreachable(innermost(&error)))?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, MAX_ANSWER).collect().await;
            Ok::<_, ReplayError>((head.status, body.map_err(|error| unreachable(error.to_string()))?.to_bytes()))
        };
        let answer = tokio::time::timeout(TIMEOUT, exchange).await;
        let (status, body) = answer.map_err(|_| unreachable("no answer within a minute".into()))??;
        let strange = || ReplayError::Strange(self.url.clone(), format!("it answered {status}"));
        if status == StatusCode::OK {
            return serde_json::from_slice(&body).map_err(|_| strange());
        }
        let problem: Value = serde_json::from_slice(&body).map_err(|_| strange())?;
        let said = |name: &str| problem[name].as_str().map(|text| text.trim_end_matches('.'));
        let words: Vec<&str> = [said("title"), said("detail"), said("cure")].into_iter().flatten().collect();
        if words.is_empty() { Err(strange()) } else { Err(ReplayError::Refused(words.join("; "))) }
    }
}

/// Where the host of these settings is reached from this machine.
fn here(settings: &Settings) -> Url {
    let mut address = settings.listen;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() {
            std::net::Ipv4Addr::LOCALHOST.into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    Url::parse(&format!("http://{address}")).expect("an address makes a URL")
}

fn from_stdin() -> Result<Secret, ReplayError> {
    let mut text = String::new();
    let read = std::io::stdin().take(4_096).read_to_string(&mut text);
    match (read, text.trim()) {
        (Ok(_), key) if !key.is_empty() => Ok(Secret::new(key)),
        _ => Err(ReplayError::NoKey),
    }
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
