//! What platforms call. A request becomes an answer at once, or happenings: the host
//! commits them, asks the application where that is due, and only then lets an answer out.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;
use url::Url;

use crate::{
    async_trait,
    happening::{Happening, Outcome},
    site::Site,
};

/// The platform's way in: `/in/{backend}/{slot}/…`.
///
/// ```
/// use chatport_sdk::prelude::*;
/// use serde_json::Value;
///
/// struct Noticeboard;
///
/// #[async_trait]
/// impl Ingress for Noticeboard {
///     async fn receive(&self, site: &Site, request: &Request) -> Received {
///         let presented = request.header("x-board-token").unwrap_or_default();
///         if site.matches("board_token", presented.as_bytes()).is_none() {
///             let response = Response::text("403".parse().expect("a status"), "not proven");
///             return Received::Refused { response, reason: "the token is wrong" };
///         }
///         let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
///         let (Some(id), Some(by), Some(code)) = (body["id"].as_str(), body["by"].as_str(), body["code"].as_str()) else {
///             return Received::Answer(Response::empty());
///         };
///         let place = Place::Direct { address: None };
///         let kind = HappeningKind::CodeEntered { code: Secret::new(code), account: Account::new(by), place };
///         Received::Happenings(vec![Happening::new(id, kind)])
///     }
///
///     async fn answer(&self, _: &Site, _: &[Happening], outcomes: &[Outcome]) -> Response {
///         match outcomes.first() {
///             Some(Outcome::Unavailable) => Response::text("503".parse().expect("a status"), "not recorded"),
///             Some(Outcome::Linked { name, .. }) => Response::text("200".parse().expect("a status"), format!("Hello, {name}.")),
///             _ => Response::empty(),
///         }
///     }
/// }
/// ```
#[async_trait]
pub trait Ingress: Send + Sync {
    /// Answer what is public and the same for every installation (a manifest, an icon).
    /// Pure, and asked before the slot is looked up: the answer must not depend on whether
    /// the slot exists.
    fn public(&self, _base: &PublicBase<'_>, _request: &Request) -> Option<Response> {
        None
    }

    /// Understand a request. Verify before parsing; accept nothing that isn't proven. May
    /// use the network to verify. For a slot that doesn't exist it runs with a decoy
    /// ([`Site::is_decoy`]) whose tokens are random, and nothing that it returns is
    /// committed: known and unknown slots must look alike.
    async fn receive(&self, site: &Site, request: &Request) -> Received;

    /// Say to the platform what came of the happenings that `receive` returned; `outcomes`
    /// has one entry for each. May use the network.
    async fn answer(&self, site: &Site, happenings: &[Happening], outcomes: &[Outcome]) -> Response;
}

/// What `public` may know.
#[derive(Clone, Copy, Debug)]
pub struct PublicBase<'a> {
    /// The public address of this slot's ingress, without a slash at the end.
    pub ingress_url: &'a Url,
    /// The public address of the host.
    pub public_url: &'a Url,
    /// The operator's name for the app, e.g. `OnCall`.
    pub app_name: &'a str,
    /// The slot, as it stands in the path.
    pub slot: &'a str,
}

/// A request from a platform.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path below the slot as it came, not decoded; starts with `/`.
    pub path: String,
    /// The query as it came, without `?`.
    pub query: Option<String>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, at most 256 KiB.
    pub body: Bytes,
}

impl fmt::Debug for Request {
    /// The method and how much: path, query, headers and body may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("host", &self.header("host").unwrap_or_default())
            .field("headers", &self.headers.len())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Request {
    /// A header's value, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// What became of a request.
#[derive(Debug)]
#[non_exhaustive]
pub enum Received {
    /// This answer, and nothing to remember.
    Answer(Response),
    /// These happened; `answer` will be asked for the response.
    Happenings(Vec<Happening>),
    /// Refused: this answer, counted and audited under the reason, which holds no secret.
    Refused {
        /// What the caller sees.
        response: Response,
        /// For the operator.
        reason: &'static str,
    },
}

/// An answer to a platform.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// Other headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Bytes,
}

impl Response {
    /// 200 with JSON.
    pub fn json(value: &Value) -> Self {
        Self::new(StatusCode::OK, "application/json", value.to_string())
    }

    /// A status with plain text.
    pub fn text(status: StatusCode, text: impl Into<String>) -> Self {
        Self::new(status, "text/plain; charset=utf-8", text.into())
    }

    /// 200 without a body.
    pub fn empty() -> Self {
        Self::new(StatusCode::OK, "text/plain; charset=utf-8", Bytes::new())
    }

    /// An answer.
    pub fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status, content_type, headers: Vec::new(), body: body.into() }
    }

    /// With one more header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_secret_is_not_in_the_debug_form_of_a_request() {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", "Token hush-header".parse().expect("a header value"));
        let request = Request {
            method: Method::POST,
            path: "/hush-path".into(),
            query: Some("hush=query".into()),
            headers,
            body: Bytes::from_static(b"token=hush-body"),
        };
        let shown = format!("{request:?}");
        assert!(!shown.contains("hush") && shown.contains("POST"), "{shown}");
    }
}
