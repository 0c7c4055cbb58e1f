//! One keep-alive connection to a server on this machine: a request, its answer, the next.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::Problem;

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(30);

/// A connection that is made at the first request, and again after an error.
#[derive(Debug)]
pub(crate) struct Connection {
    server: String,
    headers: HeaderMap,
    open: Option<SendRequest<Full<Bytes>>>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The body as JSON, where the status is one of success.
    pub(crate) fn json(&self) -> Result<Value, Problem> {
        if !self.status.is_success() {
            return Err(format!("{}: {}", self.status, String::from_utf8_lossy(&self.body)));
        }
        serde_json::from_slice(&self.body).map_err(|error| format!("the answer isn't JSON: {error}"))
    }
}

impl Connection {
    /// To `server`, an address and port.
    pub(crate) fn to(server: &str) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Ok(host) = HeaderValue::from_str(server) {
            headers.insert(header::HOST, host);
        }
        Self { server: server.to_owned(), headers, open: None }
    }

    /// The same, as whoever has this key.
    pub(crate) fn with_key(server: &str, key: &str) -> Result<Self, Problem> {
        let mut connection = Self::to(server);
        let bearer = HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| "the key is no header")?;
        connection.headers.insert(HeaderName::from_static("authorization"), bearer);
        Ok(connection)
    }

    pub(crate) async fn get(&mut self, path: &str) -> Result<Answer, Problem> {
        self.send(Method::GET, path, Bytes::new()).await
    }

    /// Send one request and read its answer.
    pub(crate) async fn send(&mut self, method: Method, path: &str, body: Bytes) -> Result<Answer, Problem> {
        let exchanged = tokio::time::timeout(LIMIT, self.exchange(method, path, body)).await;
        let exchanged = exchanged.unwrap_or_else(|_| Err(format!("no answer in {} s", LIMIT.as_secs())));
        if exchanged.is_err() {
            self.open = None;
        }
        exchanged
    }

    async fn exchange(&mut self, method: Method, path: &str, body: Bytes) -> Result<Answer, Problem> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().map_err(|_| format!("{path} is no path"))?;
        *request.headers_mut() = self.headers.clone();
        let sender = match &mut self.open {
            Some(sender) => sender,
            closed => closed.insert(open(&self.server).await?),
        };
        let in_words = |error: hyper::Error| error.to_string();
        sender.ready().await.map_err(in_words)?;
        let (head, body) = sender.send_request(request).await.map_err(in_words)?.into_parts();
        let body = body.collect().await.map_err(in_words)?.to_bytes();
        Ok(Answer { status: head.status, body })
    }
}

async fn open(server: &str) -> Result<SendRequest<Full<Bytes>>, Problem> {
    let stream = TcpStream::connect(server).await.map_err(|error| error.to_string())?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    tokio::spawn(connection);
    Ok(sender)
}
