//! A request of a platform as `chatport record` keeps it: real, with secrets and persons taken
//! out. In a test it is filled in again and played to the backend's ingress:
//!
//! ```
//! use chatport_sdk::recorded::Recorded;
//!
//! let file = r#"{ "method": "POST", "path": "/slash", "query": null, "headers": [["x-key", "{{KEY}}"]], "body": "token={{KEY}}" }"#;
//! let recorded = Recorded::read(file).expect("a recorded request");
//! let request = recorded.request(&[("KEY", "5f0c1d")]);
//! assert_eq!(request.header("x-key"), Some("5f0c1d"));
//! assert_eq!(request.body, "token=5f0c1d");
//! ```

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::{Deserialize, Serialize};

use crate::{
    crypto::{base64, base64_decode},
    ingress::Request,
};

/// A recorded request. Where a secret stood, there is its name: `{{NAME}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// The method.
    pub method: String,
    /// The path below the slot.
    pub path: String,
    /// The query, without `?`.
    pub query: Option<String>,
    /// The headers, in order; those of the connection are left out.
    pub headers: Vec<(String, String)>,
    /// The body, if it is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The body in base64, if it isn't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    /// What the host answered: its status and its body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<(u16, String)>,
}

impl Recorded {
    /// Read a file that `chatport record` has written.
    ///
    /// # Errors
    /// It isn't such a file.
    pub fn read(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// With this body.
    #[must_use]
    pub fn with_body(mut self, body: &[u8]) -> Self {
        match std::str::from_utf8(body) {
            Ok(text) => self.body = Some(text.to_owned()),
            Err(_) => self.body_base64 = Some(base64(body)),
        }
        self
    }

    /// The request, with these values in the place of names; a name without a value stays as it
    /// stands. A header that can't be one is left out.
    pub fn request(&self, values: &[(&str, &str)]) -> Request {
        let fill = |text: &str| {
            values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{{{name}}}}}"), value))
        };
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&fill(value))) {
                headers.append(name, value);
            }
        }
        let bytes = self.body_base64.as_deref().and_then(base64_decode);
        let body = bytes.unwrap_or_else(|| fill(self.body.as_deref().unwrap_or_default()).into_bytes());
        Request {
            method: Method::from_bytes(self.method.as_bytes()).unwrap_or(Method::POST),
            path: fill(&self.path),
            query: self.query.as_deref().map(fill),
            headers,
            body: body.into(),
        }
    }
}
