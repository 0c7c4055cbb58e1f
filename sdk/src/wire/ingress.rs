//! What the platform sends, and what it is answered.

use std::collections::BTreeMap;

use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Take,
    bounds::{self, Broken},
    happenings::Happening,
};
use crate::{
    crypto,
    descriptor::Descriptor,
    ingress,
    listen::{self, MAX_CURSOR},
};

/// Most happenings of one request.
const MAX_HAPPENINGS: usize = 100;

/// A request from the platform.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The path below the slot as it came, not decoded; starts with `/`.
    pub path: String,
    /// The query as it came, without `?`.
    pub query: Option<String>,
    /// The headers as pairs of lower-case name and value; those that aren't text are left out.
    pub headers: Vec<(String, String)>,
    /// The body in base64.
    pub body_base64: String,
}

impl From<&ingress::Request> for Request {
    fn from(request: &ingress::Request) -> Self {
        let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        Self {
            method: request.method.to_string(),
            path: request.path.clone(),
            query: request.query.clone(),
            headers: request.headers.iter().filter_map(text).collect(),
            body_base64: crypto::base64(&request.body),
        }
    }
}

/// What became of a request.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Received {
    /// This answer, and nothing to remember.
    Answer(Response),
    /// These happened; `ingress/answer` is asked for the response.
    Happenings(Vec<Happening>),
    /// Refused.
    Refused(Refused),
}

/// What was heard.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Heard {
    /// What happened, in order.
    #[serde(default)]
    pub happenings: Vec<Happening>,
    /// Where to go on; absent: where it was.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Take for Heard {
    type Taken = listen::Heard;

    fn take(self, backend: &Descriptor) -> Result<listen::Heard, Broken> {
        if self.cursor.as_ref().is_some_and(|cursor| cursor.len() > MAX_CURSOR) {
            return Err(Broken::new(format!("cursor must have at most {MAX_CURSOR} bytes")));
        }
        let happenings = take_happenings(self.happenings, backend)?;
        Ok(listen::Heard { happenings, cursor: self.cursor })
    }
}

fn take_happenings(
    happenings: Vec<Happening>,
    backend: &Descriptor,
) -> Result<Vec<crate::happening::Happening>, Broken> {
    bounds::count("happenings", &happenings, MAX_HAPPENINGS)?;
    happenings.into_iter().map(|happening| happening.take(backend)).collect()
}

/// A refusal.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// What the caller sees.
    pub response: Response,
    /// Under which it is counted and audited.
    pub reason: Reason,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It isn't signed, or not by the platform.
    Signature,
    /// Its token isn't the installation's.
    Token,
    /// It is too old.
    Stale,
    /// It can't be read.
    Malformed,
    /// Anything else.
    Other,
}

impl Reason {
    fn name(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Token => "token",
            Self::Stale => "stale",
            Self::Malformed => "malformed",
            Self::Other => "other",
        }
    }
}

/// An answer to the platform.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// The status, 200 to 599.
    pub status: u16,
    /// What the body is. HTML isn't among them: it would run under the host's own address.
    #[serde(default)]
    pub content_type: ContentType,
    /// Other headers.
    #[serde(default)]
    pub headers: BTreeMap<ResponseHeader, String>,
    /// The body.
    #[serde(default)]
    pub body: String,
}

/// What a body is.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
pub enum ContentType {
    /// Plain text in UTF-8.
    #[default]
    #[serde(rename = "text/plain")]
    Text,
    /// JSON.
    #[serde(rename = "application/json")]
    Json,
    /// XML.
    #[serde(rename = "application/xml")]
    Xml,
}

/// A header that an answer may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ResponseHeader {
    /// `Cache-Control`.
    CacheControl,
    /// `Retry-After`.
    RetryAfter,
    /// `WWW-Authenticate`.
    WwwAuthenticate,
}

impl Take for Response {
    type Taken = ingress::Response;

    fn take(self, _: &Descriptor) -> Result<ingress::Response, Broken> {
        let status = StatusCode::from_u16(self.status).ok().filter(|status| (200..600).contains(&status.as_u16()));
        let status = status.ok_or_else(|| Broken::new("status must be 200 to 599"))?;
        let content_type = match self.content_type {
            ContentType::Text => "text/plain; charset=utf-8",
            ContentType::Json => "application/json",
            ContentType::Xml => "application/xml",
        };
        let mut response = ingress::Response::new(status, content_type, self.body);
        for (name, value) in self.headers {
            if value.len() > 512 || http::HeaderValue::from_str(&value).is_err() {
                return Err(Broken::new("a header's value is too long, or none that a header can hold"));
            }
            let name = match name {
                ResponseHeader::CacheControl => "cache-control",
                ResponseHeader::RetryAfter => "retry-after",
                ResponseHeader::WwwAuthenticate => "www-authenticate",
            };
            response = response.header(name, value);
        }
        Ok(response)
    }
}

impl Take for Received {
    type Taken = ingress::Received;

    fn take(self, backend: &Descriptor) -> Result<ingress::Received, Broken> {
        Ok(match self {
            Self::Answer(response) => ingress::Received::Answer(response.take(backend)?),
            Self::Happenings(happenings) => ingress::Received::Happenings(take_happenings(happenings, backend)?),
            Self::Refused(Refused { response, reason }) => {
                ingress::Received::Refused { response: response.take(backend)?, reason: reason.name() }
            }
        })
    }
}
