//! Asking the application at once what a press means, so that the presser sees it.

use std::time::Duration;

use chatport_sdk::{content::Content, schemars::JsonSchema};
use http::StatusCode;
use serde::Deserialize;

use super::{NewEvent, subscriptions, webhook};
use crate::{app::App, ids::OrganizationId};

/// What the application answered to a press.
#[derive(Clone, Debug, Default)]
pub struct ActionReply {
    /// Whether it refused.
    pub refused: bool,
    /// For the presser alone.
    pub notice: Option<String>,
    /// What the message says from now on.
    pub content: Option<Content>,
    /// The revision of that content.
    pub revision: Option<i64>,
}

/// What an application answers to an event for which somebody waits.
#[derive(Debug, Deserialize, Default, JsonSchema)]
pub struct EventReply {
    /// Shown to the person who waits, and to nobody else.
    #[serde(default)]
    notice: Option<String>,
    /// What the message says from now on, with the same targets; only for `action.invoked`.
    #[serde(default)]
    content: Option<Content>,
    /// The revision of that content; absent: the next one after the message's.
    #[serde(default)]
    revision: Option<i64>,
}

/// Send a stored event to the first subscription that wants it and wait for the answer, at
/// most until `limit`. With its answer comes the subscription's name: the copy of the event
/// need not be sent there any more. `None`: no usable answer in time; the engine delivers the
/// same event, with the same id, like any other.
pub async fn invoke(
    app: &App,
    organization: &OrganizationId,
    event: &NewEvent,
    limit: Duration,
) -> Option<(String, ActionReply)> {
    let all = subscriptions::stored_rows(&app.database)
        .await
        .inspect_err(|error| tracing::error!(%error, "can't read the subscriptions"))
        .ok()?;
    let subscription = all.iter().find(|subscription| subscriptions::wants(&subscription.kinds, event.kind))?;
    let body = event.body(organization);
    let is_reply = |status: StatusCode| matches!(status.as_u16(), 200 | 204 | 403);
    let sent = webhook::send_expecting(app, subscription, &event.id.to_string(), &body, limit, is_reply).await;
    let answer = match sent {
        Ok(answer) if is_reply(answer.status) => answer,
        Ok(answer) => {
            tracing::warn!(
                subscription = subscription.name,
                status = answer.status.as_u16(),
                "a press was not answered"
            );
            return None;
        }
        Err(error) => {
            tracing::warn!(subscription = subscription.name, %error, "a press was not answered");
            return None;
        }
    };
    let reply = if answer.body.is_empty() { Ok(EventReply::default()) } else { answer.json::<EventReply>() };
    let reply = reply.unwrap_or_else(|_| {
        tracing::warn!(
            subscription = subscription.name,
            "the answer to a press isn't {{notice?, content?, revision?}}"
        );
        EventReply::default()
    });
    let reply = ActionReply {
        refused: answer.status.as_u16() == 403,
        notice: reply.notice,
        content: reply.content,
        revision: reply.revision,
    };
    Some((subscription.name.clone(), reply))
}
