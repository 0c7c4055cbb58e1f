//! What handlers take from a request. Each refuses with a problem that says where the
//! request is wrong; a request type that is meant to refuse unknown fields says
//! `#[serde(deny_unknown_fields)]`, and a test over the whole API holds it to that.

use axum::{
    Extension,
    extract::{
        FromRequest, FromRequestParts, Path as AxumPath, Query as AxumQuery, RawPathParams, Request, State,
        rejection::PathRejection,
    },
};
use http::{HeaderMap, header, request::Parts};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

use super::{
    operation::Description,
    problem::{Problem, ProblemType},
    problem_types as types, strict_json,
};
use crate::server::{BodyError, read_body};

/// Longest JSON body.
pub const MAX_BODY: usize = 256 * 1024;
/// Longest piece of a request that is repeated in a problem.
const MAX_DETAIL: usize = 400;

/// Something that a handler takes, after its policy.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is nothing that a handler of the API takes",
    note = "take Json, Query, Path, State, Extension or HeaderMap, or implement `Argument` for an extractor of your own"
)]
pub trait Argument {
    /// Tell what the caller must send for it; nothing, by default.
    fn describe(_description: &mut Description<'_>) {}
}

/// A JSON body of at most [`MAX_BODY`] bytes, read strictly; as an answer, 200 with JSON.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

/// The parameters of the query string, read into a struct.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

/// Parts of the path, read into a struct that has their names.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<T: JsonSchema> Argument for Json<T> {
    fn describe(description: &mut Description<'_>) {
        description.body::<T>();
    }
}

impl<T: JsonSchema> Argument for Query<T> {
    fn describe(description: &mut Description<'_>) {
        description.query::<T>();
    }
}

impl<T: JsonSchema> Argument for Path<T> {
    fn describe(description: &mut Description<'_>) {
        description.path::<T>();
    }
}

impl<T> Argument for State<T> {}
impl<T> Argument for Extension<T> {}
impl Argument for HeaderMap {}
/// The whole request, for what platforms call.
impl Argument for Request {}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(types::UNSUPPORTED_MEDIA_TYPE));
        }
        let bytes = read_body(request.into_body(), MAX_BODY).await.map_err(body_problem)?;
        let malformed =
            |error: serde_json::Error| Problem::new(types::MALFORMED_JSON).detail(shortened(error.to_string()));
        strict_json::check(&bytes).map_err(malformed)?;
        match serde_json::from_slice(&bytes) {
            Ok(body) => Ok(Self(body)),
            // Only what doesn't fit is looked at for where.
            Err(_) => from_json(serde_json::from_slice(&bytes).map_err(malformed)?).map(Self),
        }
    }
}

/// Read a JSON document as `T`.
///
/// # Errors
/// A problem with a JSON pointer to what doesn't fit.
fn from_json<T: DeserializeOwned>(document: Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(document).map_err(|error| {
        let pointer: String = error.path().iter().filter_map(pointer_segment).collect();
        Problem::new(types::INVALID_BODY).pointer(pointer).detail(shortened(error.into_inner().to_string()))
    })
}

fn pointer_segment(segment: &Segment) -> Option<String> {
    match segment {
        Segment::Seq { index } => Some(format!("/{index}")),
        Segment::Map { key } | Segment::Enum { variant: key } => {
            Some(format!("/{}", key.replace('~', "~0").replace('/', "~1")))
        }
        Segment::Unknown => None,
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// The problem of a body that can't be had.
pub fn body_problem(error: BodyError) -> Problem {
    match error {
        BodyError::TooLong => types::BODY_TOO_LARGE.into(),
        BodyError::TooSlow => types::BODY_TOO_SLOW.into(),
        BodyError::Broken => types::BODY_UNREADABLE.into(),
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let pairs = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        for (name, value) in pairs {
            without_controls(types::INVALID_QUERY, &name, &value)?;
        }
        let AxumQuery(query) = AxumQuery::try_from_uri(&parts.uri).map_err(|rejection| {
            let text = rejection.body_text();
            // axum's words before the colon; the parameter and what is wrong with it follow.
            let detail = text.split_once(": ").map_or(text.as_str(), |(_, detail)| detail).to_owned();
            Problem::new(types::INVALID_QUERY).detail(shortened(detail))
        })?;
        Ok(Self(query))
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if let Ok(params) = RawPathParams::from_request_parts(parts, state).await {
            for (name, value) in &params {
                without_controls(types::INVALID_PATH, name, value)?;
            }
        }
        match AxumPath::from_request_parts(parts, state).await {
            Ok(AxumPath(path)) => Ok(Self(path)),
            Err(PathRejection::FailedToDeserializePathParams(rejection)) if rejection.status().is_client_error() => {
                Err(Problem::new(types::INVALID_PATH).detail(shortened(rejection.body_text())))
            }
            Err(defect) => Err(Problem::internal(defect)),
        }
    }
}

/// Ids and filters are one line of text; what isn't can't be stored everywhere.
fn without_controls(kind: ProblemType, name: &str, value: &str) -> Result<(), Problem> {
    if name.contains(char::is_control) || value.contains(char::is_control) {
        let detail = format!("{}: control characters aren't accepted", name.escape_default());
        return Err(Problem::new(kind).detail(shortened(detail)));
    }
    Ok(())
}

fn shortened(mut text: String) -> String {
    if text.len() > MAX_DETAIL {
        let end = text.floor_char_boundary(MAX_DETAIL);
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Party {
        name: String,
        #[serde(default)]
        guests: Vec<Guest>,
        at: Option<chatport_sdk::time::Timestamp>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Guest {
        #[serde(rename = "a/ge")]
        age: u8,
    }

    async fn take(content_type: &str, body: impl Into<Body>) -> Result<Party, Value> {
        let request = http::Request::post("/").header("content-type", content_type).body(body.into()).expect("built");
        match Json::<Party>::from_request(request, &()).await {
            Ok(Json(party)) => Ok(party),
            Err(problem) => Err(problem.to_json(None)),
        }
    }

    async fn refusal(body: &'static str) -> (String, String, String) {
        let problem = take("application/json", body).await.expect_err("refused");
        let member = |name: &str| problem[name].as_str().unwrap_or("-").to_owned();
        (member("type"), member("pointer"), member("detail"))
    }

    #[tokio::test]
    async fn a_body_that_fits_is_taken() {
        let party = take("application/json; charset=utf-8", r#"{"name":"x","at":"2026-01-01T00:00:00Z"}"#).await;
        assert_eq!(party.expect("taken").name, "x");
        assert!(take("application/vnd.x+json", r#"{"name":"x"}"#).await.is_ok());
    }

    #[tokio::test]
    async fn a_problem_points_to_what_does_not_fit() {
        let (kind, pointer, detail) = refusal(r#"{"name":"x","guests":[{"a/ge":1},{"a/ge":"old"}]}"#).await;
        assert_eq!((kind.as_str(), pointer.as_str()), ("/problems/invalid-body", "/guests/1/a~1ge"));
        assert!(detail.contains("expected u8"), "{detail}");
        assert_eq!(refusal(r#"{"name":"x","at":"soon"}"#).await.1, "/at");
    }

    #[tokio::test]
    async fn an_unknown_field_is_refused_by_name() {
        let (kind, pointer, detail) = refusal(r#"{"name":"x","guests":[{"a/ge":1,"hat":true}]}"#).await;
        assert_eq!((kind.as_str(), pointer.as_str()), ("/problems/invalid-body", "/guests/0/hat"));
        assert!(detail.starts_with("unknown field `hat`"), "{detail}");
    }

    #[tokio::test]
    async fn a_missing_field_is_missed_where_it_belongs() {
        let (_, pointer, detail) = refusal(r#"{"name":"x","guests":[{}]}"#).await;
        assert_eq!((pointer.as_str(), detail.as_str()), ("/guests/0", "missing field `a/ge`"));
        assert_eq!(refusal("{}").await.1, "", "the whole document");
    }

    #[tokio::test]
    async fn what_is_no_strict_json_is_refused_before_it_is_understood() {
        for body in ["", "{", r#"{"name":"x","name":"y"}"#] {
            assert_eq!(refusal(body).await.0, "/problems/malformed-json", "{body}");
        }
    }

    #[tokio::test]
    async fn another_content_type_or_none_is_refused() {
        for content_type in ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonp"] {
            let problem = take(content_type, r#"{"name":"x"}"#).await.expect_err("refused");
            assert_eq!(problem["status"], 415, "{content_type}");
        }
    }

    #[tokio::test]
    async fn a_body_of_more_than_256_kib_is_refused() {
        let with_name_of = |length: usize| format!(r#"{{"name":"{}"}}"#, "x".repeat(length));
        assert!(take("application/json", with_name_of(MAX_BODY - 11)).await.is_ok());
        assert_eq!(take("application/json", with_name_of(MAX_BODY - 10)).await.expect_err("refused")["status"], 413);
    }

    #[tokio::test]
    async fn a_problem_does_not_repeat_a_long_value() {
        let body = format!(r#"{{"name":"x","guests":[{{"a/ge":"{}"}}]}}"#, "ü".repeat(10_000));
        let problem = take("application/json", body).await.expect_err("refused");
        assert!(problem["detail"].as_str().expect("a detail").len() < 500);
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Listing {
        #[serde(default)]
        limit: super::super::page::PageLimit,
        user: Option<String>,
    }

    async fn list(uri: &str) -> Result<Listing, Problem> {
        let (mut parts, ()) = http::Request::get(uri).body(()).expect("built").into_parts();
        Query::<Listing>::from_request_parts(&mut parts, &()).await.map(|Query(listing)| listing)
    }

    #[tokio::test]
    async fn query_parameters_are_read() {
        let listing = list("/?limit=7&user=a%20b").await.expect("read");
        assert_eq!((listing.limit.get(), listing.user.as_deref()), (7, Some("a b")));
        assert_eq!(list("/").await.expect("read").limit.get(), 100);
    }

    #[tokio::test]
    async fn a_query_parameter_that_does_not_fit_is_named() {
        for (uri, named) in [
            ("/?limit=many", "limit: "),
            ("/?limit=0", "limit: "),
            ("/?usr=x", "`usr`"),
            ("/?user=a&user=b", "`user`"),
            ("/?user=a%00b", "user: control characters"),
            ("/?user=a%0Ab", "user: control characters"),
        ] {
            let problem = list(uri).await.expect_err("refused");
            let document = problem.to_json(None);
            assert_eq!(problem.kind(), types::INVALID_QUERY);
            assert!(document["detail"].as_str().expect("a detail").contains(named), "{uri}: {document}");
        }
    }
}
