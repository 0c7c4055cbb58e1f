//! Chatport's backend for [ntfy](https://docs.ntfy.sh), 2.16 or newer: notifications on phones and
//! desktops, by topic. It is the example of `docs/backends.md`: a crate as anybody could publish it.
//!
//! ntfy has topics and no people: whoever knows a topic reads it, and a tapped button doesn't tell
//! who tapped it. So nobody can be linked, and only actions with `"allow": "anyone"` work.

mod delivery;
mod ingress;
mod install;

use std::{sync::LazyLock, time::Duration};

use chatport_sdk::{http::RequestBuilder, prelude::*, schemars, schemars::JsonSchema};
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Default)]
pub struct Ntfy;

register_backend!(Ntfy);

/// What the application sends as `settings`.
#[derive(Deserialize, JsonSchema)]
#[schemars(crate = "schemars")]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The server's address, e.g. `https://ntfy.sh`.
    server_url: Url,
    /// The topics to publish to, each 1 to 64 of `A-Z a-z 0-9 _ -`.
    topics: Vec<String>,
}

const TOKEN: TokenKind =
    TokenKind { name: "access_token", usage: TokenUse::Reveal, origin: TokenOrigin::Person, lifetime: None };

/// The limits are in <https://docs.ntfy.sh/publish/#limitations>.
static DESCRIPTOR: LazyLock<Descriptor> = LazyLock::new(|| {
    let mut descriptor = Descriptor::new("ntfy", "ntfy").settings::<Settings>();
    descriptor.description = "Notifications on phones and desktops, by topic.";
    descriptor.tokens = &[TOKEN];
    descriptor.limits.unit = LengthUnit::Bytes;
    descriptor.limits.text = 4_095; // with one more, a message becomes an attachment
    descriptor.limits.actions = 3;
    descriptor.limits.choices = 0;
    descriptor.rates = const { &[Rate::per_origin("requests", 0.2, 60)] };
    descriptor
});

impl MessagingBackend for Ntfy {
    fn descriptor(&self) -> &Descriptor {
        &DESCRIPTOR
    }
    fn install(&self) -> Option<&dyn Install> {
        Some(self)
    }
    fn delivery(&self) -> Option<&dyn Delivery> {
        Some(self)
    }
    fn ingress(&self) -> Option<&dyn Ingress> {
        Some(self)
    }
}

fn settings(site: &Site) -> Result<Settings, Failure> {
    site.settings().map_err(|error| Failure::new(Cause::InstallationRevoked, error.to_string()))
}

/// The address of something on the server.
fn url(site: &Site, path: &str) -> Result<Url, Failure> {
    let server = settings(site)?.server_url;
    server.join(path).map_err(|error| Failure::new(Cause::InstallationRevoked, error.to_string()))
}

/// The access token. A server that is open to everybody needs none.
fn token(site: &Site) -> Option<Secret> {
    site.token(TOKEN.name).map(|token| token.value)
}

/// Send a request. `lost` is what it means if no usable answer comes: `NoAnswer` where it may have
/// been carried out, `Unavailable` where it can be repeated without harm.
async fn send(site: &Site, token: Option<Secret>, request: RequestBuilder<'_>, lost: Cause) -> Result<Answer, Failure> {
    let request = if lost == Cause::NoAnswer { request } else { request.repeatable() };
    let request = token.iter().fold(request, |request, token| request.bearer(token));
    let answer = request.send().await.map_err(|error| settle(error, lost))?;
    let cause = match answer.status.as_u16() {
        200..=299 => return Ok(answer),
        300..=399 => Cause::RedirectRefused,
        401 => Cause::Unauthorized,
        403 => Cause::PermissionDenied,
        404 => Cause::ChannelNotFound,
        429 => Cause::RateLimited,
        503 | 507 => Cause::Unavailable,
        500..=599 => lost, // ntfy sends a message out before it stores it
        _ => Cause::ContentRejected,
    };
    // ntfy doesn't say how long to wait. 42908 is the quota of a day: asking each second is of no use.
    let refusal: Value = answer.json().unwrap_or_default();
    let quota = (refusal["code"] == 42_908).then_some(Duration::from_secs(15 * 60));
    let wait = answer.retry_after(site.now()).or(quota);
    Err(Failure::new(cause, format!("ntfy answered {}", answer.status)).retry_after(wait))
}

/// What it means that no usable answer came.
fn settle(error: HttpError, lost: Cause) -> Failure {
    match Failure::from(error) {
        failure if failure.cause == Cause::NoAnswer => Failure::new(lost, failure.detail),
        failure => failure,
    }
}

fn is_topic(topic: &str) -> bool {
    (1..=64).contains(&topic.len()) && topic.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}
