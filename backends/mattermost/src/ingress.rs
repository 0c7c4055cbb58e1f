//! What Mattermost calls, below the slot:
//!
//! * `GET /manifest.json`, `GET /static/icon.png`: public ([`manifest`]);
//! * `POST /actions`: somebody pressed a button ([`actions`]);
//! * `POST /slash`: somebody ran the slash command ([`slash`]);
//! * `POST /commands`: somebody ran a command that the application declared ([`slash`]);
//! * every other `POST`: a call of the Apps plugin ([`apps`]), which the JWT opens.
//!
//! Nothing of a body is believed before it is proven, and every refusal of one kind has the
//! same bytes, whether or not the slot exists.

mod actions;
mod apps;
mod person;
mod slash;
mod words;

use chatport_sdk::prelude::*;
use http::{Method, StatusCode};

use crate::{MattermostBackend, declared, manifest};

/// Longest body, for everything but the slash command.
const MAX_BODY: usize = 64 * 1024;

#[async_trait]
impl Ingress for MattermostBackend {
    fn public(&self, base: &PublicBase<'_>, request: &Request) -> Option<Response> {
        manifest::public(base, request)
    }

    async fn receive(&self, site: &Site, request: &Request) -> Received {
        match (&request.method, request.path.as_str()) {
            (&Method::POST, "/actions") => actions::receive(site, request),
            (&Method::POST, "/slash") => slash::receive(site, request).await,
            (&Method::POST, declared::PATH) => slash::receive_declared(site, request),
            (&Method::POST, _) => apps::receive(site, request).await,
            _ => Received::Refused { response: Response::text(StatusCode::NOT_FOUND, "not found"), reason: "no-route" },
        }
    }

    async fn answer(&self, site: &Site, happenings: &[Happening], outcomes: &[Outcome]) -> Response {
        // Each request is one happening.
        let (Some(happening), outcome) = (happenings.first(), outcomes.first()) else { return Response::empty() };
        let outcome = outcome.unwrap_or(&Outcome::Unavailable);
        match &happening.kind {
            HappeningKind::Pressed { .. } => actions::answer(site, outcome),
            _ if happening.id.starts_with(apps::ID) => apps::answer(site, happening, outcome),
            _ => slash::answer(site, happening, outcome),
        }
    }
}
