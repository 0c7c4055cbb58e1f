//! Sending an event: a POST, signed as Standard Webhooks describes
//! (<https://www.standardwebhooks.com>): id, timestamp and body under each active secret.

use std::time::Duration;

use chatport_sdk::{
    http::{Answer, Dispatch, HttpClient, HttpError, HttpErrorKind},
    secret::Secret,
};
use http::{HeaderName, StatusCode};
use url::Url;

use super::subscriptions;
use crate::{app::App, security::webhook_signature, store::entities};

/// Send `body` to a subscription and wait for the answer at most `limit`. Whether the
/// receiver took it is noted.
///
/// # Errors
/// No answer.
pub async fn send(
    app: &App,
    subscription: &entities::subscriptions::Model,
    id: &str,
    body: &str,
    limit: Duration,
) -> Result<Answer, HttpError> {
    send_expecting(app, subscription, id, body, limit, |status| status.is_success()).await
}

/// The same where other answers may be as good.
pub(super) async fn send_expecting(
    app: &App,
    subscription: &entities::subscriptions::Model,
    id: &str,
    body: &str,
    limit: Duration,
    is_good: impl FnOnce(StatusCode) -> bool,
) -> Result<Answer, HttpError> {
    let sent = post(app, subscription, id, body, limit).await;
    let outcome = match &sent {
        Ok(answer) if is_good(answer.status) => Ok(()),
        Ok(answer) => Err(format!("the receiver answered {}", answer.status.as_u16())),
        Err(error) => Err(error.to_string()),
    };
    app.subscription_health.note(&subscription.name, outcome, app.clock.now());
    sent
}

async fn post(
    app: &App,
    subscription: &entities::subscriptions::Model,
    id: &str,
    body: &str,
    limit: Duration,
) -> Result<Answer, HttpError> {
    let unusable = |detail: &str| HttpError::new(HttpErrorKind::BadRequest, false, detail);
    let url = Url::parse(&subscription.url).map_err(|_| unusable("the subscription's URL can't be read"))?;
    let secrets: Vec<Secret> = subscriptions::secrets(app, subscription)
        .map_err(|_| unusable("the subscription's secret can't be opened: is this the right key file?"))?;
    let timestamp = app.clock.now().as_seconds();
    let signature = webhook_signature::sign(&secrets, id, timestamp, body.as_bytes());
    let transport = app.transports.for_subscription(&subscription.name);
    HttpClient::new(transport, Dispatch::default())
        .post(url)
        .header(HeaderName::from_static("webhook-id"), id)
        .header(HeaderName::from_static("webhook-timestamp"), &timestamp.to_string())
        .header(HeaderName::from_static("webhook-signature"), &signature)
        .body("application/json", body.to_owned())
        .timeout(limit)
        .send()
        .await
}
