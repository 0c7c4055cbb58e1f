//! The server's HTTP client towards integrations: its user agent, its redirects, its time limits.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use url::Url;

use crate::request_log::SentRequest;
use crate::state::Shared;

/// How many redirects the client follows.
const MAX_REDIRECTS: usize = 10;

/// Connecting takes no longer than this.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The client's name.
const USER_AGENT: &str = "Mattermost-Bot/1.1";

/// A request to an integration.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) method: &'static str,
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) timeout: Duration,
    /// More than this of the answer's body is an error.
    pub(crate) max_answer: usize,
}

/// An integration's answer.
#[derive(Debug, Clone)]
pub(crate) struct Incoming {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) body: Bytes,
    /// What was sent, the last hop if there were redirects.
    pub(crate) sent: SentRequest,
}

/// Why no answer came.
#[derive(Debug, Clone)]
pub(crate) struct SendFailure {
    pub(crate) why: String,
    pub(crate) sent: SentRequest,
}

/// The client.
#[derive(Debug, Clone)]
pub(crate) struct HttpClient {
    client: Client<HttpConnector, Full<Bytes>>,
}

impl HttpClient {
    pub(crate) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        Self { client: Client::builder(TokioExecutor::new()).build(connector) }
    }
}

/// Sends a request, follows redirects as the real client does, and logs every hop.
pub(crate) async fn send(shared: &Shared, request: Outgoing) -> Result<Incoming, SendFailure> {
    let mut request = request;
    let deadline = tokio::time::Instant::now() + request.timeout;
    for _ in 0..=MAX_REDIRECTS {
        let mut sent = note(&request);
        let hop = tokio::time::timeout_at(deadline, one_hop(shared, &request)).await;
        let (status, headers, body) = match hop {
            Ok(Ok(parts)) => parts,
            Ok(Err(why)) => return Err(fail(shared, sent, why)),
            Err(_) => return Err(fail(shared, sent, "context deadline exceeded".into())),
        };
        sent.status = Some(status);
        sent.answer = String::from_utf8_lossy(&body).into_owned();
        shared.log().sent.push(sent.clone());
        let location = header(&headers, "location");
        if matches!(status, 301 | 302 | 303 | 307 | 308) && !location.is_empty() {
            redirect(&mut request, status, &location).map_err(|why| SendFailure { why, sent })?;
            continue;
        }
        return Ok(Incoming { status, content_type: header(&headers, "content-type"), body, sent });
    }
    let sent = note(&request);
    Err(fail(shared, sent, "stopped after 10 redirects".into()))
}

fn fail(shared: &Shared, mut sent: SentRequest, why: String) -> SendFailure {
    sent.failure.clone_from(&why);
    shared.log().sent.push(sent.clone());
    SendFailure { why, sent }
}

fn note(request: &Outgoing) -> SentRequest {
    let headers = all_headers(request);
    SentRequest {
        method: request.method.to_owned(),
        url: request.url.clone(),
        headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        body: String::from_utf8_lossy(&request.body).into_owned(),
        status: None,
        answer: String::new(),
        failure: String::new(),
    }
}

fn all_headers(request: &Outgoing) -> Vec<(&'static str, String)> {
    let mut headers = vec![("User-Agent", USER_AGENT.to_owned()), ("Accept-Encoding", "gzip".to_owned())];
    headers.extend(request.headers.iter().cloned());
    headers
}

async fn one_hop(shared: &Shared, request: &Outgoing) -> Result<(u16, http::HeaderMap, Bytes), String> {
    if request.url.starts_with("https://") {
        return Err("this stand-in speaks plain http only".into());
    }
    let mut builder = http::Request::builder().method(request.method).uri(request.url.as_str());
    for (name, value) in all_headers(request) {
        builder = builder.header(name, value);
    }
    let built = builder.body(Full::new(Bytes::from(request.body.clone()))).map_err(|error| error.to_string())?;
    let answer = shared.http.client.request(built).await.map_err(|error| describe(&error))?;
    let (parts, body) = answer.into_parts();
    if header(&parts.headers, "content-encoding") == "gzip" {
        return Err("this stand-in cannot read compressed answers".into());
    }
    let body = read(body, request.max_answer).await?;
    Ok((parts.status.as_u16(), parts.headers, body))
}

async fn read(mut body: hyper::body::Incoming, limit: usize) -> Result<Bytes, String> {
    let mut all = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| "unexpected EOF".to_owned())?;
        if let Ok(data) = frame.into_data() {
            all.extend_from_slice(&data);
            if all.len() > limit {
                return Err("the answer is too large".into());
            }
        }
    }
    Ok(all.into())
}

/// The error with its causes, as one line.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn header(headers: &http::HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// Turns the request into the one the redirect asks for. Other headers than the standard
/// credentials go along, even to another host.
fn redirect(request: &mut Outgoing, status: u16, location: &str) -> Result<(), String> {
    let from = Url::parse(&request.url).map_err(|error| error.to_string())?;
    let to = from.join(location).map_err(|error| error.to_string())?;
    if matches!(status, 301..=303) && request.method != "HEAD" {
        request.method = "GET";
        request.body = Vec::new();
        request.headers.retain(|(name, _)| *name != "Content-Type");
    }
    if from.host_str() != to.host_str() {
        request.headers.retain(|(name, _)| *name != "Authorization");
    }
    request.url = to.to_string();
    Ok(())
}
