//! What Telegram calls: `POST /updates`, one update a request, proven by the secret that was set with the
//! webhook. What is said to an update goes back in the answer to the request, which may itself be
//! a call of a method. <https://core.telegram.org/bots/api#making-requests-when-getting-updates>

use chatport_sdk::prelude::*;
use http::{Method, StatusCode};

use crate::{TelegramBackend, descriptor::WEBHOOK_SECRET, replies, settings::PATH, updates::Update};

/// Where the secret stands.
const SECRET: &str = "x-telegram-bot-api-secret-token";

#[async_trait]
impl Ingress for TelegramBackend {
    async fn receive(&self, site: &Site, request: &Request) -> Received {
        let refused = |reason| {
            let response = Response::text(StatusCode::UNAUTHORIZED, "this isn't Telegram");
            Received::Refused { response, reason }
        };
        let secret = request.header(SECRET).unwrap_or_default();
        if site.matches(WEBHOOK_SECRET, secret.as_bytes()).is_none() {
            return refused("webhook-secret");
        }
        if request.method != Method::POST || request.path != PATH {
            return refused("no-route");
        }
        // What can't be understood is taken all the same: Telegram would send it again and again.
        let update = serde_json::from_slice(&request.body).ok();
        match update.and_then(|update| Update::happening(update, site)) {
            Some(happening) => Received::Happenings(vec![happening]),
            None => Received::Answer(Response::empty()),
        }
    }

    async fn answer(&self, site: &Site, happenings: &[Happening], outcomes: &[Outcome]) -> Response {
        let (Some(happening), Some(outcome)) = (happenings.first(), outcomes.first()) else {
            return Response::empty();
        };
        if matches!(outcome, Outcome::Unavailable) {
            // Telegram sends it again.
            return Response::text(StatusCode::SERVICE_UNAVAILABLE, "not recorded");
        }
        match replies::reply(site, happening, outcome) {
            Some(reply) => Response::json(&reply.in_response()),
            None => Response::empty(),
        }
    }
}
