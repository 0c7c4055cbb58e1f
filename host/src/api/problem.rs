//! Problems: every answer from 400 on, in the form of RFC 9457. The `type` is a reference
//! to the host's own documentation, `/problems/{slug}`: it never changes, and it can be
//! opened in a browser. `cure` says what to do. Causes that are nobody else's business go to
//! the log, by way of the answer's extensions.

use std::{borrow::Cow, fmt, time::Duration};

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};

use super::problem_types as types;

/// The media type of problems.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// A kind of problem; all of them stand in [`types`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProblemType {
    /// The end of its address; never changes.
    pub slug: &'static str,
    /// The status of answers with it.
    pub status: u16,
    /// A few words; the same each time.
    pub title: &'static str,
    /// What to do about it.
    pub cure: &'static str,
}

impl ProblemType {
    /// The value of `type`.
    pub fn uri(&self) -> String {
        format!("/problems/{}", self.slug)
    }
}

/// An answer that says what is wrong.
#[derive(Clone, Debug)]
pub struct Problem(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    kind: ProblemType,
    detail: Option<Cow<'static, str>>,
    cure: Option<Cow<'static, str>>,
    members: Map<String, Value>,
    retry_after: Option<Duration>,
    cause: Option<Cause>,
}

/// Why it happened, for the log alone; in the extensions of the answer.
#[derive(Clone, Debug)]
pub struct Cause(pub Cow<'static, str>);

impl Problem {
    /// A problem of this kind.
    pub fn new(kind: ProblemType) -> Self {
        Self(Box::new(Parts { kind, detail: None, cure: None, members: Map::new(), retry_after: None, cause: None }))
    }

    /// Something of ours broke. The caller learns nothing but the request's id; `cause` is
    /// logged.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::new(types::INTERNAL).because(cause.to_string())
    }

    /// What is wrong this time.
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// What to do about it, where that is more exact than the kind's words.
    pub fn cure(mut self, cure: impl Into<Cow<'static, str>>) -> Self {
        self.0.cure = Some(cure.into());
        self
    }

    /// Where in the request's body it is wrong: a JSON pointer (RFC 6901).
    pub fn pointer(self, pointer: impl Into<String>) -> Self {
        self.with("pointer", pointer.into())
    }

    /// One more member.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.members.insert(name.to_owned(), value.into());
        self
    }

    /// When to try again.
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// Why it happened, for the log alone.
    pub fn because(mut self, cause: impl Into<Cow<'static, str>>) -> Self {
        self.0.cause = Some(Cause(cause.into()));
        self
    }

    /// Its kind.
    pub fn kind(&self) -> ProblemType {
        self.0.kind
    }

    /// The document; `request_id` is what a caller quotes when asking for help.
    pub fn to_json(&self, request_id: Option<&str>) -> Value {
        let ProblemType { status, title, cure, .. } = self.0.kind;
        let mut document = json!({
            "type": self.0.kind.uri(),
            "title": title,
            "status": status,
            "cure": self.0.cure.as_deref().unwrap_or(cure),
        });
        if let Some(object) = document.as_object_mut() {
            object.extend(self.0.members.clone());
            object.extend(self.0.detail.as_ref().map(|detail| ("detail".to_owned(), json!(detail))));
            object.extend(request_id.map(|id| ("request_id".to_owned(), json!(id))));
        }
        document
    }

    /// Put the document into an answer that this problem became, now that the request's id
    /// is known.
    pub(crate) fn write_into(&self, response: &mut Response, request_id: &str) {
        response.headers_mut().remove(header::CONTENT_LENGTH);
        *response.body_mut() = self.to_json(Some(request_id)).to_string().into();
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.kind.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(wait) = self.0.retry_after {
            // Rounded up: whoever comes back too early is refused again.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        let mut response = (status, headers, self.to_json(None).to_string()).into_response();
        if let Some(cause) = &self.0.cause {
            response.extensions_mut().insert(cause.clone());
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<ProblemType> for Problem {
    fn from(kind: ProblemType) -> Self {
        Self::new(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_what_is_wrong_where_and_what_to_do() {
        let problem = Problem::new(types::INVALID_BODY).detail("must not be empty").pointer("/content/title");
        assert_eq!(
            problem.to_json(Some("r-1")),
            json!({
                "type": "/problems/invalid-body",
                "title": types::INVALID_BODY.title,
                "status": 422,
                "cure": types::INVALID_BODY.cure,
                "detail": "must not be empty",
                "pointer": "/content/title",
                "request_id": "r-1",
            })
        );
    }

    #[test]
    fn the_cause_of_an_internal_problem_is_for_the_log_alone() {
        let response = Problem::internal("row 7 is torn").into_response();
        assert_eq!(response.extensions().get::<Cause>().expect("noted").0, "row 7 is torn");
        let problem = response.extensions().get::<Problem>().expect("kept until the id is known");
        assert!(!problem.to_json(Some("r")).to_string().contains("torn"));
    }

    #[test]
    fn a_wait_is_rounded_up() {
        let wait = |millis| {
            let problem = Problem::new(types::TOO_MANY_REQUESTS).retry_after(Duration::from_millis(millis));
            problem.into_response().headers()[header::RETRY_AFTER].clone()
        };
        assert_eq!((wait(0), wait(1_001)), (HeaderValue::from(1), HeaderValue::from(2)));
    }

    #[test]
    fn an_answer_to_a_missing_key_names_the_scheme() {
        let response = Problem::new(types::UNAUTHORIZED).into_response();
        assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer");
        assert_eq!(response.headers()[header::CONTENT_TYPE], PROBLEM_JSON);
    }

    #[test]
    fn slugs_are_unique_and_every_kind_is_an_error_with_a_cure() {
        let mut slugs: Vec<_> = types::ALL.iter().map(|kind| kind.slug).collect();
        slugs.sort_unstable();
        slugs.dedup();
        assert_eq!(slugs.len(), types::ALL.len());
        for kind in types::ALL {
            assert!(
                (400..600).contains(&kind.status) && kind.cure.ends_with('.') && !kind.title.ends_with('.'),
                "{kind:?}"
            );
            assert!(kind.slug.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{kind:?}");
        }
    }
}
