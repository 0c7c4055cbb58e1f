//! The way out to the network for backends and subscriptions. It follows no redirect, knows
//! no proxy, asks for no compression, reads no more than it was told to, and always says
//! whether the request may have left this machine.

mod connector;
mod pools;
#[cfg(test)]
mod tests;
mod tls;

use std::{
    error::Error,
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use chatport_sdk::{
    async_trait,
    http::{Answer, Call, Dispatch, HttpError, HttpErrorKind, Transport},
};
use http::{HeaderValue, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{
        Client,
        connect::{CaptureConnection, capture_connection},
    },
    rt::{TokioExecutor, TokioTimer},
};

use self::connector::Connector;
use super::network::Scheme;

pub use connector::{Resolve, SystemResolver};
pub use pools::{TransportError, Transports};
pub(crate) use tls::client_config;

/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(60);
/// How many idle connections to one host are kept: as many as an installation has under way
/// at once, see the engine's desk. With fewer, each rush would open some of them anew.
const IDLE_PER_HOST: usize = 8;

type HttpClient = Client<HttpsConnector<Connector>, Full<Bytes>>;

/// A transport behind the network guard, with connections of its own.
#[derive(Debug)]
pub struct GuardedTransport {
    client: HttpClient,
}

impl GuardedTransport {
    fn new(connector: Connector, tls: Arc<rustls::ClientConfig>) -> Self {
        let connector = HttpsConnector::from((connector, tls));
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .build(connector);
        Self { client }
    }
}

#[async_trait]
impl Transport for GuardedTransport {
    async fn send(&self, call: Call, dispatch: &Dispatch) -> Result<Answer, HttpError> {
        let (host, method) = (call.url.host_str().unwrap_or_default().to_owned(), call.method.clone());
        let started = Instant::now();
        let result = self.exchange(call, dispatch).await;
        let milliseconds = started.elapsed().as_millis();
        match &result {
            Ok(answer) => {
                tracing::debug!(host, %method, status = answer.status.as_u16(), milliseconds, "called");
            }
            Err(error) => {
                tracing::debug!(host, %method, kind = ?error.kind, sent = error.sent, milliseconds, "call failed");
            }
        }
        result
    }
}

impl GuardedTransport {
    async fn exchange(&self, call: Call, dispatch: &Dispatch) -> Result<Answer, HttpError> {
        let (timeout, max_answer) = (call.timeout, call.max_answer);
        let mut request = request(call)?;
        let chosen = capture_connection(&mut request);
        let exchange = async {
            let response = self.respond(request, &chosen, dispatch).await?;
            read(response, max_answer).await
        };
        let result = tokio::time::timeout(timeout, exchange).await;
        result.unwrap_or_else(|_| {
            let detail = format!("no answer within {} ms", timeout.as_millis());
            Err(HttpError::new(HttpErrorKind::Timeout, has_chosen(&chosen), detail))
        })
    }

    /// Bytes may leave from the moment the client has a connection for the request, be it new
    /// or kept, and not before: looking up, connecting and TLS come earlier. That moment is
    /// within a poll, so the mark that follows the poll is right whenever somebody looks,
    /// also when this future is dropped between two polls. A kept connection that turns out
    /// to be closed counts as chosen, although the client then tries a new one: an error on
    /// the safe side.
    async fn respond(
        &self,
        request: Request<Full<Bytes>>,
        chosen: &CaptureConnection,
        dispatch: &Dispatch,
    ) -> Result<Response<Incoming>, HttpError> {
        let mut response = pin!(self.client.request(request));
        let response = poll_fn(|context| {
            let polled = response.as_mut().poll(context);
            if has_chosen(chosen) {
                dispatch.mark();
            }
            polled
        });
        response.await.map_err(|error| failure(&error, has_chosen(chosen)))
    }
}

fn has_chosen(chosen: &CaptureConnection) -> bool {
    chosen.connection_metadata().is_some()
}

fn request(call: Call) -> Result<Request<Full<Bytes>>, HttpError> {
    let bad = |detail: &str| HttpError::new(HttpErrorKind::BadRequest, false, detail);
    if Scheme::parse(call.url.scheme()).is_none() {
        return Err(bad("only http and https URLs can be called"));
    }
    if !call.url.username().is_empty() || call.url.password().is_some() {
        return Err(bad("a URL with a user or password in it isn't called"));
    }
    let uri: Uri = call.url.as_str().parse().map_err(|_| bad("the URL can't be called"))?;
    // Two parsers read the URL: what was meant must be what is dialled.
    if uri.host() != call.url.host_str() || uri.port_u16() != call.url.port() {
        return Err(bad("the URL is ambiguous"));
    }
    let mut request = Request::new(Full::new(call.body));
    *request.method_mut() = call.method;
    *request.uri_mut() = uri;
    *request.headers_mut() = call.headers;
    request.headers_mut().remove(header::ACCEPT_ENCODING);
    let product = HeaderValue::from_static(concat!("Chatport/", env!("CARGO_PKG_VERSION")));
    request.headers_mut().entry(header::USER_AGENT).or_insert(product);
    Ok(request)
}

async fn read(response: Response<Incoming>, max_answer: usize) -> Result<Answer, HttpError> {
    let (head, mut body) = response.into_parts();
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            HttpError::new(HttpErrorKind::Broken, true, "the connection broke in the middle of the answer")
        })?;
        let Ok(data) = frame.into_data() else { continue };
        if read.len() + data.len() > max_answer {
            let detail = format!("the answer is longer than {max_answer} bytes");
            return Err(HttpError::new(HttpErrorKind::TooLong, true, detail));
        }
        read.extend_from_slice(&data);
    }
    Ok(Answer { status: head.status, headers: head.headers, body: read.freeze() })
}

/// The connector's own error where there is one; else what the client met.
fn failure(error: &hyper_util::client::legacy::Error, sent: bool) -> HttpError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if let Some(own) = current.downcast_ref::<HttpError>() {
            return HttpError::new(own.kind, sent, own.detail.clone());
        }
        cause = current.source();
    }
    // Details of the TLS library name certificates and names, no secrets.
    if error.is_connect() {
        let detail = format!("no secure connection: {}", innermost(error));
        return HttpError::new(HttpErrorKind::Connect, sent, detail);
    }
    HttpError::new(HttpErrorKind::Broken, sent, "the connection broke before an answer came")
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
