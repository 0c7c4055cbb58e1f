//! What happens to every request, whatever it asks for: an id, the client's address, limits
//! on its body, one line in the log, one measurement, and an answer even if a handler panics
//! or hangs.

use std::{net::IpAddr, panic::AssertUnwindSafe, sync::Arc};

use axum::{
    body::Body,
    extract::{MatchedPath, Request},
    middleware::Next,
    response::{IntoResponse, Response},
};
use chatport_sdk::{crypto::hex, site::Random};
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use hyper::body::Incoming;
use ipnet::IpNet;
use metrics::{counter, histogram};
use tokio::time::{Instant, timeout};
use tower::ServiceExt;
use tracing::Instrument;

use super::{
    Shared,
    body::{Answering, Bounded},
    connection::Busy,
};
use crate::api::{
    problem::{Cause, Problem},
    problem_types as types,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The id of a request, in its extensions: the caller's own if it is sane, else a random
/// one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub Arc<str>);

/// The address of the client, in a request's extensions: the peer, or what a trusted proxy
/// says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// Answer one request.
pub(super) async fn answer(shared: &Shared, peer: IpAddr, request: hyper::Request<Incoming>, busy: Busy) -> Response {
    let id = RequestId::of(request.headers(), shared.options.random.as_ref());
    let span = tracing::info_span!("request", id = %id.0);
    let mut response = measured(shared, peer, request, &id).instrument(span).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        problem.write_into(&mut response, &id.0);
    }
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        headers.insert(REQUEST_ID, value);
    }
    response.map(|body| Body::new(Answering { body, _busy: busy }))
}

async fn measured(shared: &Shared, peer: IpAddr, request: hyper::Request<Incoming>, id: &RequestId) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let response = guarded(shared, peer, request, id).await;
    let elapsed = started.elapsed();
    let route = response.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let status = response.status();
    tracing::debug!(%method, route, status = status.as_u16(), seconds = elapsed.as_secs_f64(), "answered");
    let cause = response.extensions().get::<Cause>().map(|cause| cause.0.as_ref());
    if status == StatusCode::INTERNAL_SERVER_ERROR {
        tracing::error!(%method, route, cause, "a request failed");
    } else if status.is_server_error() {
        tracing::warn!(%method, route, status = status.as_u16(), cause, "a request could not be served");
    }
    let route = route.to_owned();
    counter!("chatport_http_requests_total",
        "method" => method_label(&method), "route" => route.clone(), "status" => status.as_str().to_owned())
    .increment(1);
    histogram!("chatport_http_request_seconds", "route" => route).record(elapsed);
    response
}

async fn guarded(shared: &Shared, peer: IpAddr, request: hyper::Request<Incoming>, id: &RequestId) -> Response {
    let encodings = request.headers().get_all(header::CONTENT_ENCODING);
    if encodings.iter().any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Problem::new(types::UNSUPPORTED_ENCODING).into_response();
    }
    let limits = &shared.options.limits;
    let mut request = request.map(|body| Body::new(Bounded::new(body, limits.body_bytes, limits.body)));
    let client = client_address(peer, request.headers(), &shared.options.trusted_proxies);
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(ClientAddress(client));
    let handling = AssertUnwindSafe(shared.router.clone().oneshot(request)).catch_unwind();
    match timeout(limits.answer, handling).await {
        Ok(Ok(Ok(response))) => response,
        Ok(Ok(Err(never))) => match never {},
        Ok(Err(_panic)) => Problem::internal("a handler panicked").into_response(),
        Err(_elapsed) => Problem::new(types::TOO_LONG).because("a handler took too long").into_response(),
    }
}

/// Middleware that notes the route's template for the log, which must not hold paths: ids
/// and slots are in them.
pub(super) async fn remember_route(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    if let Some(route) = route {
        response.extensions_mut().insert(route);
    }
    response
}

impl RequestId {
    fn of(headers: &HeaderMap, random: &dyn Random) -> Self {
        let sane = |id: &&str| {
            (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        };
        let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok()).filter(sane);
        Self(given.map_or_else(
            || {
                let mut bytes = [0; 16];
                random.fill(&mut bytes);
                hex(&bytes).into()
            },
            Into::into,
        ))
    }
}

/// The nearest address on the way that isn't one of our proxies. What stands further left
/// in the header anybody can have written.
fn client_address(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let is_proxy = |address: &IpAddr| proxies.iter().any(|proxy| proxy.contains(address));
    if !is_proxy(&peer) {
        return peer;
    }
    let listed: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .flat_map(|value| value.to_str().unwrap_or_default().split(','))
        .map(str::trim)
        .collect();
    let mut nearest = peer;
    for hop in listed.into_iter().rev() {
        let Ok(address) = hop.parse::<IpAddr>() else { break };
        nearest = address.to_canonical();
        if !is_proxy(&nearest) {
            break;
        }
    }
    nearest
}

/// Methods are the client's words; a metric's labels must be few.
fn method_label(method: &Method) -> &'static str {
    const KNOWN: &[(Method, &str)] = &[
        (Method::GET, "GET"),
        (Method::HEAD, "HEAD"),
        (Method::POST, "POST"),
        (Method::PUT, "PUT"),
        (Method::PATCH, "PATCH"),
        (Method::DELETE, "DELETE"),
    ];
    KNOWN.iter().find(|(known, _)| known == method).map_or("other", |(_, label)| label)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sevens;
    impl Random for Sevens {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
    }

    fn headers(name: &'static str, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, value.parse().expect("a header's value"));
        }
        headers
    }

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let proxies = ["10.0.0.0/8".parse().expect("a network")];
        client_address(peer.parse().expect("an address"), &headers(FORWARDED_FOR, forwarded), &proxies).to_string()
    }

    #[test]
    fn a_callers_request_id_is_kept_if_it_is_sane() {
        let id = |given: &str| RequestId::of(&headers("x-request-id", &[given]), &Sevens).0.to_string();
        assert_eq!(id("trace-1.a_B"), "trace-1.a_B");
        for odd in ["", "a b", "ü", &"x".repeat(65), "<script>"] {
            assert_eq!(id(odd), "07070707070707070707070707070707");
        }
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_about_the_client() {
        assert_eq!(client("192.0.2.9", &["198.51.100.1"]), "192.0.2.9");
        assert_eq!(client("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
    }

    #[test]
    fn what_a_client_writes_itself_into_the_header_does_not_count() {
        assert_eq!(client("10.0.0.1", &["203.0.113.5, 198.51.100.1", "10.2.2.2"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["203.0.113.5, unknown"]), "10.0.0.1");
    }
}
