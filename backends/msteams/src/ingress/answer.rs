//! What is said to Teams. An invoke is answered in its response; a message by a message of the
//! bot, for the response to it is shown to nobody.
//! <https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/universal-actions-for-adaptive-cards/work-with-universal-actions-for-adaptive-cards#response-format>

use chatport_sdk::prelude::*;
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    TeamsBackend,
    card::{ADAPTIVE, Card},
    connector::Connector,
    settings::ServiceUrl,
    words::{self, NOT_ACTIVE, NOT_RECORDED},
};

/// The sorts of a happening's id by which it is answered.
pub(super) const ID_MESSAGE: &str = "message";
pub(super) const ID_INVOKE: &str = "invoke";

fn response(kind: &str, value: Value) -> Response {
    Response::json(&json!({ "statusCode": 200, "type": kind, "value": value }))
}

/// A text for the presser alone.
pub(super) fn notice(text: &str) -> Response {
    response("application/vnd.microsoft.activity.message", text.into())
}

fn error(status: u16, code: &str, text: &str) -> Response {
    let value = json!({ "code": code, "message": text });
    Response::json(&json!({ "statusCode": status, "type": "application/vnd.microsoft.error", "value": value }))
}

/// An action that isn't understood.
pub(super) fn bad_request(text: &str) -> Response {
    error(400, "BadRequest", text)
}

impl TeamsBackend {
    pub(super) async fn answer_to(&self, site: &Site, happenings: &[Happening], outcomes: &[Outcome]) -> Response {
        for (happening, outcome) in happenings.iter().zip(outcomes) {
            self.note_stored(site, happening, outcome);
        }
        // What else there is only tells of a service.
        let Some(happening) = happenings.first() else { return Response::empty() };
        let outcome = outcomes.first().unwrap_or(&Outcome::Unavailable);
        match happening.id.split_once('/') {
            Some((ID_INVOKE, _)) => invoked(site, happening, outcome),
            Some((ID_MESSAGE, place)) => {
                self.reply(site, happening, outcome, place).await;
                received(outcome)
            }
            _ => received(outcome),
        }
    }

    /// Say what came of a message, below it.
    async fn reply(&self, site: &Site, happening: &Happening, outcome: &Outcome, place: &str) {
        // Said already, when it came for the first time.
        if matches!(outcome, Outcome::Duplicate { .. }) {
            return;
        }
        let Some((conversation, activity)) = place.rsplit_once('/') else { return };
        let said = words::of_outcome(site, happening, outcome);
        let (Some(text), Some(service)) = (said, self.heard.service(site, conversation)) else { return };
        self.say(site, &service, (conversation, activity), &text).await;
    }

    /// Say something below an activity: in a chat that is behind it, in a channel in its thread.
    pub(super) async fn say(
        &self,
        site: &Site,
        service: &ServiceUrl,
        (conversation, activity): (&str, &str),
        text: &str,
    ) {
        let message = json!({ "type": "message", "text": text, "textFormat": "plain" });
        let sent = async {
            let connector = Connector::borrowing(site, service, &self.borrowed).await?;
            connector.post(conversation, Some(activity), &message).await
        };
        // A failure changes nothing of what happened, and there is nobody else to tell.
        let _ = sent.await;
    }
}

/// That a message arrived; Teams may send it again where it wasn't stored.
fn received(outcome: &Outcome) -> Response {
    match outcome {
        Outcome::Unavailable => Response::text(StatusCode::SERVICE_UNAVAILABLE, "not recorded, try again"),
        _ => Response::empty(),
    }
}

fn invoked(site: &Site, happening: &Happening, outcome: &Outcome) -> Response {
    match outcome {
        Outcome::Pressed(answer) => pressed(answer),
        Outcome::Refreshed(shown) => match Card::of(&shown.part) {
            Ok(card) => response(ADAPTIVE, card.live(shown, None)),
            Err(_) => error(500, "InternalError", NOT_ACTIVE),
        },
        // Nobody has done anything, so there is nothing to say: the client keeps what it shows.
        outcome if matches!(happening.kind, HappeningKind::RefreshAsked { .. }) => match outcome {
            Outcome::Unavailable => error(500, "InternalError", NOT_RECORDED),
            _ => bad_request(NOT_ACTIVE),
        },
        Outcome::Duplicate { same_content: true, first: Some(first) } => invoked(site, happening, first),
        outcome => notice(&words::of_outcome(site, happening, outcome).unwrap_or_else(|| "Recorded.".into())),
    }
}

/// The card as it is from now on, with the notice on it, for the presser; everybody else gets it
/// by the engine's edit. Without a card the notice alone.
fn pressed(answer: &PressAnswer) -> Response {
    let text = answer.notice.as_deref().or(answer.refused.then_some("You can't do that."));
    // A part that can't be read is left to the engine's edit, which says what is wrong.
    let shown = answer.shown.as_deref().and_then(|shown| Some((shown, Card::of(&shown.part).ok()?)));
    match shown {
        Some((outgoing, card)) => response(ADAPTIVE, card.live(outgoing, text)),
        None => notice(text.unwrap_or("Recorded.")),
    }
}
