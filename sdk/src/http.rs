//! The HTTP client that a backend calls its platform with. The host supplies the transport
//! beneath it, which guards addresses, measures, limits and never follows a redirect. The
//! client knows whether a request may have left the machine, so "not sent" and "sent, no
//! answer" are told apart without the author's help.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};
use url::Url;

use crate::{
    async_trait,
    failure::{Cause, Failure},
    secret::Secret,
    time::Timestamp,
};

/// The longest answer that is read, unless a request says otherwise.
pub const MAX_ANSWER: usize = 256 * 1024;
/// How long a whole call may take, unless a request says otherwise.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(15);

/// Carries requests. Implemented by the host and by tests.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Send one request and read the whole answer. Call [`Dispatch::mark`] before the first
    /// byte may leave.
    ///
    /// # Errors
    /// No answer, or none that could be read.
    async fn send(&self, call: Call, dispatch: &Dispatch) -> Result<Answer, HttpError>;
}

/// One request, ready to go.
#[non_exhaustive]
pub struct Call {
    /// The method.
    pub method: Method,
    /// Where to. It may hold secrets: log the host alone.
    pub url: Url,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// How long the whole call may take.
    pub timeout: Duration,
    /// The longest answer to read.
    pub max_answer: usize,
}

impl Call {
    /// A request: how a stand-in for a network makes one.
    pub fn new(
        method: Method,
        url: Url,
        headers: HeaderMap,
        body: Bytes,
        timeout: Duration,
        max_answer: usize,
    ) -> Self {
        Self { method, url, headers, body, timeout, max_answer }
    }
}

impl fmt::Debug for Call {
    /// Where to and how much: path, query, headers and body may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.method)
            .field("host", &self.url.host_str().unwrap_or_default())
            .field("headers", &self.headers.len())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Whether a request that changes something may have left the machine.
#[derive(Clone, Debug, Default)]
pub struct Dispatch(Arc<AtomicBool>);

impl Dispatch {
    /// It may leave from now on.
    pub fn mark(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it may have left.
    pub fn is_marked(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// The client.
///
/// ```
/// use chatport_sdk::prelude::*;
///
/// async fn who_am_i(site: &Site, token: &Secret) -> Result<String, Failure> {
///     let url = Url::parse("https://board.example.com/api/me").expect("an address");
///     let answer = site.http().get(url).bearer(token).send().await?;
///     match answer.status.as_u16() {
///         200 => Ok(answer.json()?),
///         401 => Err(Failure::new(Cause::Unauthorized, "the board refuses the token")),
///         status => Err(Failure::new(Cause::Unavailable, format!("the board answered {status}"))),
///     }
/// }
/// ```
#[derive(Clone)]
pub struct HttpClient {
    transport: Arc<dyn Transport>,
    dispatch: Dispatch,
}

impl HttpClient {
    /// A client over `transport`. `dispatch` is marked by requests that change something.
    pub fn new(transport: Arc<dyn Transport>, dispatch: Dispatch) -> Self {
        Self { transport, dispatch }
    }

    /// Read something.
    pub fn get(&self, url: Url) -> RequestBuilder<'_> {
        self.request(Method::GET, url)
    }

    /// Change something.
    pub fn post(&self, url: Url) -> RequestBuilder<'_> {
        self.request(Method::POST, url)
    }

    /// Any method.
    pub fn request(&self, method: Method, url: Url) -> RequestBuilder<'_> {
        let repeatable = matches!(method, Method::GET | Method::HEAD | Method::OPTIONS);
        let call = Call {
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            timeout: CALL_TIMEOUT,
            max_answer: MAX_ANSWER,
        };
        RequestBuilder { client: self, call, repeatable, broken: None }
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpClient")
    }
}

/// A request in the making.
#[derive(Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct RequestBuilder<'a> {
    client: &'a HttpClient,
    call: Call,
    repeatable: bool,
    broken: Option<&'static str>,
}

impl RequestBuilder<'_> {
    /// `Authorization: Bearer …`.
    pub fn bearer(self, token: &Secret) -> Self {
        self.secret_header(header::AUTHORIZATION, &format!("Bearer {}", token.expose()))
    }

    /// A header. A value that a header can't hold fails the request.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(value) => {
                self.call.headers.insert(name, value);
            }
            Err(_) => self.broken = Some("a header's value has characters that no header can hold"),
        }
        self
    }

    /// A header that must not be logged.
    pub fn secret_header(mut self, name: HeaderName, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(mut value) => {
                value.set_sensitive(true);
                self.call.headers.insert(name, value);
            }
            Err(_) => self.broken = Some("a secret has characters that no header can hold"),
        }
        self
    }

    /// A JSON body.
    pub fn json<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => self.call.body = body.into(),
            Err(_) => self.broken = Some("the body can't be written as JSON"),
        }
        self.call.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self
    }

    /// Another body.
    pub fn body(mut self, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        self.call.body = body.into();
        self.call.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        self
    }

    /// Doing it twice is the same as once: it isn't counted as possibly sent.
    pub fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// How long the whole call may take.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.call.timeout = timeout;
        self
    }

    /// The longest answer to read, in bytes.
    pub fn max_answer(mut self, bytes: usize) -> Self {
        self.call.max_answer = bytes;
        self
    }

    /// Send it.
    ///
    /// # Errors
    /// No answer, or none that could be read. An answer with an error status is an answer.
    pub async fn send(self) -> Result<Answer, HttpError> {
        if let Some(detail) = self.broken {
            return Err(HttpError::new(HttpErrorKind::BadRequest, false, detail));
        }
        let dispatch = if self.repeatable { &Dispatch::default() } else { &self.client.dispatch };
        self.client.transport.send(self.call, dispatch).await
    }
}

/// An answer, whatever its status.
#[derive(Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl fmt::Debug for Answer {
    /// The status and how much: headers and body may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("headers", &self.headers.len())
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Errors
    /// A body that isn't JSON of that shape: an answer that can't be used.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, HttpError> {
        serde_json::from_slice(&self.body)
            .map_err(|_| HttpError::new(HttpErrorKind::BadAnswer, true, "the answer isn't the JSON that was expected"))
    }

    /// How long the platform asks to wait: `Retry-After` in seconds or as a date
    /// (RFC 9110 §10.2.3). Garbage is ignored.
    pub fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        let value = self.headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = value.parse::<u64>() {
            return Some(Duration::from_secs(seconds));
        }
        let date = jiff::fmt::rfc2822::parse(value).ok()?;
        Some(Timestamp::from_micros(date.timestamp().as_microsecond()).since(now))
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{detail}")]
#[non_exhaustive]
pub struct HttpError {
    /// What went wrong.
    pub kind: HttpErrorKind,
    /// Whether the request may have left the machine.
    pub sent: bool,
    /// For an operator; without secrets.
    pub detail: String,
}

/// What went wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpErrorKind {
    /// The network guard refuses the address.
    AddressRefused,
    /// The request can't be made.
    BadRequest,
    /// No connection: no such host, refused, no TLS.
    Connect,
    /// The time ran out.
    Timeout,
    /// The connection broke.
    Broken,
    /// The answer is too long.
    TooLong,
    /// The answer isn't what was expected.
    BadAnswer,
}

impl HttpError {
    /// An error.
    pub fn new(kind: HttpErrorKind, sent: bool, detail: impl Into<String>) -> Self {
        Self { kind, sent, detail: detail.into() }
    }
}

impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Self {
        let cause = match error.kind {
            HttpErrorKind::AddressRefused => Cause::AddressRefused,
            HttpErrorKind::BadRequest => Cause::ContentRejected,
            _ if error.sent => Cause::NoAnswer,
            _ => Cause::Unreachable,
        };
        Self::new(cause, error.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_retry_after(value: &str) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, value.parse().expect("a header value"));
        Answer { status: StatusCode::TOO_MANY_REQUESTS, headers, body: Bytes::new() }
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let now = Timestamp::parse("2015-10-21T07:28:00Z").expect("a time");
        assert_eq!(with_retry_after("120").retry_after(now), Some(Duration::from_secs(120)));
        let date = "Wed, 21 Oct 2015 07:30:00 GMT";
        assert_eq!(with_retry_after(date).retry_after(now), Some(Duration::from_secs(120)));
    }

    #[test]
    fn what_may_be_secret_is_not_in_the_debug_form() {
        let mut headers = HeaderMap::new();
        headers.insert("x-key", HeaderValue::from_static("hush-header"));
        let call = Call {
            method: Method::POST,
            url: Url::parse("https://hush-user:hush-password@chat.example.com/hush-path?hush=query").expect("a URL"),
            headers: headers.clone(),
            body: Bytes::from_static(b"hush-body"),
            timeout: CALL_TIMEOUT,
            max_answer: MAX_ANSWER,
        };
        let answer = Answer { status: StatusCode::OK, headers, body: Bytes::from_static(b"hush-answer") };
        let shown = format!("{call:?} {answer:?}");
        assert!(!shown.contains("hush"), "{shown}");
        assert!(shown.contains("chat.example.com") && shown.contains("200"), "{shown}");
    }

    #[test]
    fn garbage_in_retry_after_is_ignored() {
        for value in ["soon", "-1", "", "1.5", "99999999999999999999999"] {
            assert_eq!(with_retry_after(value).retry_after(Timestamp::EPOCH), None, "{value}");
        }
    }
}
