//! What Teams calls, below the slot: `POST /api/messages` with an activity, and
//! `GET /app-package.zip` with a key.
//!
//! An activity counts only with a token of the connector for this bot, for the service that it
//! names, in the tenant of this installation. Every refusal of a token has the same bytes,
//! whether or not the slot exists. Whoever an activity names is then looked up in the roster of the
//! conversation, for the token doesn't cover the body.

mod answer;
mod people;
mod places;
mod understand;

use std::sync::Arc;

use chatport_sdk::prelude::*;
use http::{Method, StatusCode};

pub(crate) use self::people::Heard;

use self::understand::Understood;
use crate::{
    TeamsBackend,
    activity::Activity,
    descriptor::AUDIENCE,
    details::{Details, audience_digest},
    jwt::{self, TokenError},
    keys::NoKey,
    package,
    settings::{ServiceUrl, Settings},
};

/// Where activities go, below the slot.
pub(crate) const MESSAGES: &str = "/api/messages";
/// The channel's name in every activity.
const CHANNEL: &str = "msteams";

/// An activity that is proven to come from Teams, for this installation.
struct Proven {
    activity: Activity,
    details: Details,
    /// Where it came from.
    service: ServiceUrl,
}

fn refused(status: StatusCode, text: &'static str, reason: &'static str) -> Received {
    Received::Refused { response: Response::text(status, text), reason }
}

#[async_trait]
impl Ingress for TeamsBackend {
    async fn receive(&self, site: &Site, request: &Request) -> Received {
        match (&request.method, request.path.as_str()) {
            (&Method::POST, MESSAGES) => {}
            (&Method::GET, package::PATH) => return package::serve(site, request),
            _ => return refused(StatusCode::NOT_FOUND, "not found", "no-route"),
        }
        let proof = match self.prove(site, request).await {
            Ok(proof) => proof,
            Err(error) => return refused(StatusCode::UNAUTHORIZED, "unauthorized", error.reason()),
        };
        let proven = match read(proof, request) {
            Ok(proven) => proven,
            Err(Refusal::Token(error)) => return refused(StatusCode::UNAUTHORIZED, "unauthorized", error.reason()),
            Err(Refusal::Activity(reason)) => return refused(StatusCode::FORBIDDEN, "forbidden", reason),
        };
        self.heard.note_service(site, &proven);
        match self.understand(site, &proven).await {
            Understood::Happened(happenings) if happenings.is_empty() => Received::Answer(Response::empty()),
            Understood::Happened(happenings) => Received::Happenings(happenings),
            Understood::Answered(response) => Received::Answer(response),
            Understood::Refused(response, reason) => Received::Refused { response, reason },
        }
    }

    async fn answer(&self, site: &Site, happenings: &[Happening], outcomes: &[Outcome]) -> Response {
        self.answer_to(site, happenings, outcomes).await
    }
}

/// What a token proves of an installation.
struct Installed {
    proof: jwt::Proof,
    settings: Arc<Settings>,
    details: Details,
}

enum Refusal {
    Token(TokenError),
    Activity(&'static str),
}

impl TeamsBackend {
    /// Prove the token. For whom it is is checked first: for a slot that doesn't exist it is for
    /// nobody, and nothing else is asked.
    async fn prove(&self, site: &Site, request: &Request) -> Result<Installed, TokenError> {
        let token = jwt::of(request)?;
        site.matches(AUDIENCE, audience_digest(token.audience()).as_bytes()).ok_or(TokenError::Audience)?;
        let (Some(details), Ok(settings)) = (Details::of(site), Settings::of(site)) else {
            return Err(TokenError::Audience);
        };
        token.from(&settings.issuer)?;
        let key = self.keys.find(site, &settings.openid_metadata_url, &token.key_id).await;
        let key = key.map_err(|missing| match missing {
            NoKey::Unknown => TokenError::UnknownKey,
            NoKey::Unavailable => TokenError::NoKeys,
        })?;
        Ok(Installed { proof: token.prove(&key, site.now())?, settings, details })
    }
}

/// Read the body that the token came with, and check that the two belong together.
fn read(installed: Installed, request: &Request) -> Result<Proven, Refusal> {
    let Installed { proof, settings, details } = installed;
    let activity: Activity = serde_json::from_slice(&request.body).map_err(|_| Refusal::Activity("activity-form"))?;
    proof.covers(&activity.service_url, &activity.channel_id).map_err(Refusal::Token)?;
    if activity.channel_id != CHANNEL || !activity.has_ids() {
        return Err(Refusal::Activity("activity-form"));
    }
    let tenant = activity.tenant().ok_or(Refusal::Activity("activity-tenant"))?;
    if !tenant.eq_ignore_ascii_case(&details.tenant_id) {
        return Err(Refusal::Activity("activity-tenant"));
    }
    let service = settings.service_url(&activity.service_url);
    let service = service.ok_or(Refusal::Activity("service-url-not-allowed"))?;
    Ok(Proven { activity, details, service })
}
