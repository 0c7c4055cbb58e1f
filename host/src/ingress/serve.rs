//! From HTTP to the core of this part and back. Path and query go on as they came.

use axum::{
    body::{Body, to_bytes},
    extract::State,
};
use chatport_sdk::ingress::{Request, Response};
use http::StatusCode;
use tracing::Instrument as _;

use super::{failed, handle, not_found, unavailable};
use crate::{
    api::{
        operation::Operation,
        routes::{Api, PlatformIngress},
    },
    app::App,
    crowd::{self, What},
};

/// The longest body that is read.
const MAX_BODY: usize = 256 * 1024;

/// The routes of this part.
pub fn routes(api: Api<App>) -> Api<App> {
    let paths = [
        ("/in/{backend}/{slot}", "callRoot"),
        ("/in/{backend}/{slot}/", "callFolder"),
        ("/in/{backend}/{slot}/{*path}", "callPath"),
    ];
    let api = api
        .parameter("backend", "The backend's id.")
        .parameter("slot", "The random name of one installation.")
        .parameter("path", "What the backend serves below it.");
    paths.into_iter().fold(api, |api, (path, id)| {
        let operation = Operation::any(path, id, "What a platform calls")
            .tag("Platforms")
            .about("Not for applications: the backend verifies the request and answers as its platform expects.")
            .medium(200, "*/*", "What the platform expects.");
        api.route(operation, serve)
    })
}

async fn serve(
    _: PlatformIngress,
    State(app): State<App>,
    request: axum::extract::Request,
) -> axum::response::Response {
    let (parts, body) = request.into_parts();
    // The path as it came: signatures and manifests depend on its exact form.
    let mut segments = parts.uri.path().splitn(5, '/').skip(2);
    let (Some(backend), Some(slot)) = (segments.next(), segments.next()) else {
        return answer(not_found());
    };
    let (backend, slot) = (backend.to_owned(), slot.to_owned());
    let path = format!("/{}", segments.next().unwrap_or_default());
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return answer(Response::text(StatusCode::PAYLOAD_TOO_LARGE, "at most 256 KiB are read"));
    };
    let Some(place) = app.crowd.enter(What::Call) else { return answer(overloaded()) };
    let query = parts.uri.query().map(str::to_owned);
    let request = Request { method: parts.method, path, query, headers: parts.headers, body };
    // In a task of its own: a platform that hangs up must not stop what has begun.
    let handled = async move {
        let response = handle(&app, &backend, &slot, request).await;
        drop(place);
        response
    };
    let handled = tokio::spawn(handled.in_current_span());
    answer(handled.await.unwrap_or_else(|_| failed()))
}

fn overloaded() -> Response {
    let mut response = unavailable();
    response.headers.push(("retry-after", crowd::RETRY_AFTER.as_secs().to_string()));
    response
}

fn answer(response: Response) -> axum::response::Response {
    let mut builder = axum::response::Response::builder()
        .status(response.status)
        .header(http::header::CONTENT_TYPE, response.content_type);
    for (name, value) in &response.headers {
        builder = builder.header(*name, value);
    }
    builder.body(Body::from(response.body)).unwrap_or_else(|_| {
        tracing::error!("a backend answered with a header that can't be sent");
        let mut plain = axum::response::Response::new(Body::from("the answer can't be sent"));
        *plain.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        plain
    })
}
