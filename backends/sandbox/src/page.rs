//! The page on which people use a world in a browser. It is plain files that talk to the JSON
//! API; what they may do is stated to the browser by a strict policy.

use chatport_sdk::prelude::*;
use http::StatusCode;

/// Nothing but what is served here, and no markup from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const SCRIPT: &str = "text/javascript; charset=utf-8";

const INDEX: &str = include_str!("page/index.html");
/// The files that the page consists of, by name.
const FILES: [(&str, &str, &str); 8] = [
    ("icon.svg", "image/svg+xml", include_str!("icon.svg")),
    ("page.css", "text/css; charset=utf-8", include_str!("page/page.css")),
    ("page.js", SCRIPT, include_str!("page/page.js")),
    ("dom.js", SCRIPT, include_str!("page/dom.js")),
    ("faults.js", SCRIPT, include_str!("page/faults.js")),
    ("live.js", SCRIPT, include_str!("page/live.js")),
    ("markdown.js", SCRIPT, include_str!("page/markdown.js")),
    ("posts.js", SCRIPT, include_str!("page/posts.js")),
];

/// Whether it is a browser that asks, for something to show.
pub(crate) fn is_wanted(request: &Request) -> bool {
    request.header("accept").is_some_and(|accept| accept.contains("text/html"))
}

/// The page itself. Its address may lack the slash at the end, so the addresses of its files
/// are absolute; a URL's path holds nothing that ends an attribute.
pub(crate) fn index(site: &Site) -> Response {
    let base = site.ingress_url().map_or(".", |url| url.path());
    by_accept(guarded("text/html; charset=utf-8", INDEX.replace("{base}", base)))
}

/// What the page's address answers, depending on who asks.
pub(crate) fn by_accept(response: Response) -> Response {
    response.header("vary", "accept")
}

/// A file of the page.
pub(crate) fn file(name: &str) -> Option<Response> {
    let (_, content_type, text) = FILES.into_iter().find(|(known, ..)| *known == name)?;
    Some(guarded(content_type, text))
}

fn guarded(content_type: &'static str, body: impl Into<Bytes>) -> Response {
    Response::new(StatusCode::OK, content_type, body)
        .header("content-security-policy", POLICY)
        .header("x-content-type-options", "nosniff")
        .header("referrer-policy", "no-referrer")
        .header("cache-control", "no-store")
}
