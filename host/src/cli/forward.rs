//! Passing requests on to a program on this machine, for the commands that stand in between.

use bytes::Bytes;
use chatport_sdk::http::Answer;
use http::{HeaderMap, HeaderName, Method, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use url::Url;

/// Headers of a connection, which aren't passed on.
const OF_CONNECTIONS: [HeaderName; 6] = [
    header::HOST,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::ACCEPT_ENCODING,
    header::UPGRADE,
];

/// The way to the program.
pub(super) struct Forward {
    client: Client<HttpConnector, Full<Bytes>>,
    to: String,
    max_answer: usize,
}

impl Forward {
    /// To the program at this address, whose answers are read up to `max_answer` bytes.
    pub(super) fn to(address: &Url, max_answer: usize) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { client, to: address.as_str().trim_end_matches('/').to_owned(), max_answer }
    }

    /// Where it leads.
    pub(super) fn address(&self) -> &str {
        &self.to
    }

    /// Pass a request on; `path` with its query. The error is for a person's eyes.
    pub(super) async fn pass(
        &self,
        method: Method,
        path: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Answer, String> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = format!("{}{path}", self.to).parse().map_err(|_| "the path is none".to_owned())?;
        *request.headers_mut() = kept(headers);
        let response = self.client.request(request).await.map_err(|error| error.to_string())?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, self.max_answer).collect().await.map_err(|error| error.to_string())?;
        Ok(Answer { status: head.status, headers: kept(&head.headers), body: body.to_bytes() })
    }
}

/// Without those of the connection.
pub(super) fn kept(headers: &HeaderMap) -> HeaderMap {
    let mut kept = headers.clone();
    for name in &OF_CONNECTIONS {
        kept.remove(name);
    }
    kept
}
