//! The API's documentation: its description at `/openapi.json`, a page over it at `/docs`
//! that needs nothing from elsewhere, and an address for each kind of problem.

use std::sync::{Arc, LazyLock};

use axum::{
    Router,
    body::Bytes,
    extract::Path,
    response::{IntoResponse, Response},
    routing::get,
};
use chatport_sdk::crypto;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::{operation::Operation, problem::Problem, problem_types as types, routes::Outline};

/// The group of the documentation's own operations.
pub(super) const TAG: &str = "Documentation";

/// Only what comes from here, and no script or style in the page itself.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                              base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";

struct File {
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    media_type: &'static str,
    text: &'static str,
}

static FILES: &[File] = &[
    File {
        path: "/docs",
        id: "readDocs",
        summary: "Read this documentation",
        media_type: HTML,
        text: include_str!("docs.html"),
    },
    File {
        path: "/docs/docs.js",
        id: "getDocsScript",
        summary: "Get the script of the documentation page",
        media_type: "text/javascript; charset=utf-8",
        text: include_str!("docs.js"),
    },
    File {
        path: "/docs/docs.css",
        id: "getDocsStyle",
        summary: "Get the style of the documentation page",
        media_type: "text/css; charset=utf-8",
        text: include_str!("docs.css"),
    },
];

/// What the description says about the documentation's own paths.
pub(super) fn operations() -> Vec<Operation> {
    let files = FILES
        .iter()
        .map(|file| Operation::get(file.path, file.id, file.summary).medium(200, file.media_type, "The file."));
    let description = Operation::get("/openapi.json", "getDescription", "Get this description").medium(
        200,
        "application/json",
        "The description in OpenAPI 3.1.",
    );
    let problem = Operation::get("/problems/{slug}", "explainProblem", "Explain a kind of problem")
        .about("The address that stands in a problem's `type`.")
        .medium(303, "", "It is explained on the documentation page.")
        .problems(&[types::ROUTE_NOT_FOUND]);
    files.chain([description, problem]).map(|operation| operation.tag(TAG)).collect()
}

/// The documentation's routes.
pub(super) fn router<S: Clone + Send + Sync + 'static>(outline: Arc<Outline>) -> Router<S> {
    let description = Arc::new(LazyLock::new(move || {
        let json = Bytes::from(outline.describe().to_string());
        (entity_tag(&json), json)
    }));
    let described = move |headers: HeaderMap| async move {
        let (tag, json) = &**description;
        file(&headers, "application/json", tag, json.clone())
    };
    let router = Router::new().route("/openapi.json", get(described)).route("/problems/{slug}", get(explain));
    FILES.iter().fold(router, |router, page| {
        let tag = entity_tag(page.text.as_bytes());
        let serve = move |headers: HeaderMap| async move {
            file(&headers, page.media_type, &tag, Bytes::from_static(page.text.as_bytes()))
        };
        router.route(page.path, get(serve))
    })
}

fn entity_tag(bytes: &[u8]) -> String {
    format!("\"{}\"", crypto::hex(&crypto::sha256(bytes)[..8]))
}

fn file(asked: &HeaderMap, media_type: &'static str, tag: &str, bytes: Bytes) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.extend(HeaderValue::from_str(tag).map(|value| (header::ETAG, value)));
    if asked.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_POLICY));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    (headers, bytes).into_response()
}

/// Relative, so that it also leads to the page behind a proxy that adds to the path.
async fn explain(Path(slug): Path<String>) -> Response {
    match types::ALL.iter().find(|kind| kind.slug == slug) {
        Some(kind) => {
            (StatusCode::SEE_OTHER, [(header::LOCATION, format!("../docs#problem-{}", kind.slug))]).into_response()
        }
        None => Problem::new(types::ROUTE_NOT_FOUND).into_response(),
    }
}
