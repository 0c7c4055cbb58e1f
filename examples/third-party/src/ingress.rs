//! Taps on buttons: the app that shows the notification calls the installation's own address.

use chatport_sdk::{crypto, prelude::*};
use http::{Method, StatusCode};
use serde::Deserialize;

use crate::Ntfy;

/// What a button sends, as `publish` has put it in. By the token the host knows whether it is one of ours.
#[derive(Deserialize)]
struct Press {
    token: Secret,
    topic: String,
    post: String,
}

/// The app shows no more than whether it went well.
fn status(outcome: Option<&Outcome>) -> StatusCode {
    match outcome {
        Some(Outcome::Duplicate { first: Some(first), .. }) => status(Some(first)),
        Some(Outcome::Pressed(answer)) if answer.refused => StatusCode::FORBIDDEN,
        Some(Outcome::NotLinked) => StatusCode::FORBIDDEN,
        Some(Outcome::NotOurs) => StatusCode::GONE,
        Some(Outcome::Unavailable) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::OK,
    }
}

#[async_trait]
impl Ingress for Ntfy {
    async fn receive(&self, _: &Site, request: &Request) -> Received {
        let is_press = request.method == Method::POST && request.path == "/press";
        let press = is_press.then(|| serde_json::from_slice(&request.body).ok()).flatten();
        let Some(Press { token, topic, post }) = press else {
            let response = Response::text(StatusCode::NOT_FOUND, "this isn't a button");
            return Received::Refused { response, reason: "it isn't a tap on a button" };
        };
        // Nobody in particular: ntfy proves only that it was somebody who reads the topic.
        let account = Account::new("anyone");
        let part = Receipt::new(post);
        let kind = HappeningKind::Pressed { token, choice: None, account, conversation: topic, part };
        // ntfy gives a tap no id: the same button of the same revision is the same tap.
        let id = crypto::hex(&crypto::sha256(&request.body));
        Received::Happenings(vec![Happening::new(id, kind)])
    }

    async fn answer(&self, _: &Site, _: &[Happening], outcomes: &[Outcome]) -> Response {
        // ntfy's web app calls from a browser.
        Response::text(status(outcomes.first()), "").header("access-control-allow-origin", "*")
    }
}
