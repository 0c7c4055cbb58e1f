//! One keep-alive connection to a server on this machine: a request, its answer, the next.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(30);

/// What went wrong, in words.
pub type Problem = String;

/// A connection that is made at the first request, and again after an error.
#[derive(Debug)]
pub struct Connection {
    server: String,
    headers: HeaderMap,
    open: Option<SendRequest<Full<Bytes>>>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The whole body.
    pub body: Bytes,
}

impl Answer {
    /// The body, where the status is one of success.
    ///
    /// # Errors
    /// Another status, with the body's words.
    pub fn of_success(&self) -> Result<&Bytes, Problem> {
        if self.status.is_success() {
            return Ok(&self.body);
        }
        Err(format!("{}: {}", self.status, String::from_utf8_lossy(&self.body)))
    }

    /// The body as JSON, where the status is one of success.
    ///
    /// # Errors
    /// Another status, or no JSON.
    pub fn json(&self) -> Result<Value, Problem> {
        serde_json::from_slice(self.of_success()?).map_err(|error| format!("the answer isn't JSON: {error}"))
    }
}

impl Connection {
    /// To `server`, an address and port.
    pub fn to(server: &str) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Ok(host) = HeaderValue::from_str(server) {
            headers.insert(header::HOST, host);
        }
        Self { server: server.to_owned(), headers, open: None }
    }

    /// The same, as whoever has this key.
    ///
    /// # Errors
    /// A key that no header can hold.
    pub fn with_key(server: &str, key: &str) -> Result<Self, Problem> {
        let mut connection = Self::to(server);
        let bearer = HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| "the key is no header")?;
        connection.headers.insert(header::AUTHORIZATION, bearer);
        Ok(connection)
    }

    /// Ask for a path.
    ///
    /// # Errors
    /// No answer.
    pub async fn get(&mut self, path: &str) -> Result<Answer, Problem> {
        self.send(Method::GET, path, Bytes::new()).await
    }

    /// Send one request and read its answer.
    ///
    /// # Errors
    /// No answer, or none in time. The next request goes over a new connection.
    pub async fn send(&mut self, method: Method, path: &str, body: Bytes) -> Result<Answer, Problem> {
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
