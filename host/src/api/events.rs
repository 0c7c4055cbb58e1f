//! What the application hears: subscriptions for signed webhooks, and the same events by
//! cursor or as a stream (server-sent events).

use std::{convert::Infallible, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::State,
    response::{IntoResponse, Response},
};
use chatport_sdk::secret::Secret;
use futures_util::stream;
use http::{HeaderMap, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{
    answer::{Answered, Created, Either, NoContent},
    callers::{Holder, MayManage, MaySend, unavailable},
    extract::{Json, Path, Query},
    operation::Operation,
    problem::Problem,
    problem_types as types,
    routes::Api,
};
use crate::{
    access,
    app::App,
    events::{
        log::{self, EventPage},
        subscriptions::{self, PutSubscription, SubscriptionError, SubscriptionView},
    },
    ids::OrganizationId,
    setup::audit,
};

/// How often a stream looks for new events.
const LOOK: Duration = Duration::from_millis(250);
/// After how many looks in vain a stream shows that it lives.
const ALIVE: usize = 60;
/// How often a stream looks whether its key is still valid.
const AUTHENTICATE_EVERY: Duration = Duration::from_secs(5);

#[derive(Debug, Deserialize, JsonSchema)]
struct SubscriptionPath {
    /// The subscription's name: 1 to 64 of `A-Z a-z 0-9 . _ -`.
    name: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Subscriptions {
    subscriptions: Vec<SubscriptionView>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Reading {
    /// The `next` of the page before; 0 begins with the oldest event that is kept. Absent:
    /// for a page the oldest, for a stream only what comes from now on.
    after: Option<i64>,
}

async fn put(
    holder: Holder<MayManage>,
    State(app): State<App>,
    Path(path): Path<SubscriptionPath>,
    Json(request): Json<PutSubscription>,
) -> Result<Either<Created<SubscriptionView>, Json<SubscriptionView>>, Problem> {
    host_wide(&holder)?;
    let (view, is_new) = subscriptions::put(&app, &path.name, request).await?;
    note(&app, &holder, "subscription.put", &path.name).await?;
    Ok(if is_new { Either::One(Answered(view)) } else { Either::Other(Json(view)) })
}

async fn list(holder: Holder<MayManage>, State(app): State<App>) -> Result<Json<Subscriptions>, Problem> {
    host_wide(&holder)?;
    Ok(Json(Subscriptions { subscriptions: subscriptions::list(&app).await? }))
}

async fn remove(
    holder: Holder<MayManage>,
    State(app): State<App>,
    Path(path): Path<SubscriptionPath>,
) -> Result<NoContent, Problem> {
    host_wide(&holder)?;
    if !subscriptions::remove(&app, &path.name).await? {
        return Err(types::SUBSCRIPTION_NOT_FOUND.into());
    }
    note(&app, &holder, "subscription.remove", &path.name).await?;
    Ok(NoContent)
}

/// For the audit: subscriptions are no organization's.
async fn note(app: &App, holder: &Holder<MayManage>, action: &str, subscription: &str) -> Result<(), Problem> {
    let (on, now) = (app.database.write_uncached(), app.clock.now());
    audit::write_for(on, None, &holder.actor, action, subscription, "done", now).await.map_err(unavailable)
}

/// Subscriptions hear of all organizations.
fn host_wide(holder: &Holder<MayManage>) -> Result<(), Problem> {
    match holder.caller.organization {
        None => Ok(()),
        Some(_) => Err(Problem::new(types::FORBIDDEN).detail("this key is narrowed to one organization")),
    }
}

impl From<SubscriptionError> for Problem {
    fn from(error: SubscriptionError) -> Self {
        match error {
            SubscriptionError::Store(error) => unavailable(error),
            SubscriptionError::Name => Self::new(types::INVALID_PATH).detail(error.to_string()),
            SubscriptionError::Url(detail) => Self::new(types::INVALID_BODY).pointer("/url").detail(detail),
            SubscriptionError::Sealing(error) => Self::internal(error),
        }
    }
}

async fn read(
    holder: Holder<MaySend>,
    State(app): State<App>,
    headers: HeaderMap,
    Query(reading): Query<Reading>,
) -> Result<Either<Json<EventPage>, Response>, Problem> {
    let organization = holder.caller.organization;
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepts.contains("text/event-stream") {
        let resumed = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok());
        let after = match resumed.or(reading.after) {
            Some(after) => after,
            None => log::latest(&app).await.map_err(unavailable)?,
        };
        return Ok(Either::Other(follow(Following {
            app,
            key: holder.key,
            organization,
            after,
            silent: 0,
            authenticated: Instant::now(),
            authenticate_every: AUTHENTICATE_EVERY,
        })));
    }
    let page = log::after(&app, organization.as_ref(), reading.after.unwrap_or(0)).await.map_err(unavailable)?;
    Ok(Either::One(Json(page)))
}

/// A stream of events on its way to a reader.
struct Following {
    app: App,
    key: Secret,
    organization: Option<OrganizationId>,
    /// The cursor after what the reader has.
    after: i64,
    /// How often nothing was there since the last sign of life.
    silent: usize,
    /// When the key was looked at.
    authenticated: Instant,
    authenticate_every: Duration,
}

impl Following {
    /// What to send next; `None` ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.app.stopping.is_cancelled() || !self.may_go_on().await {
                return None;
            }
            match log::after_with_sequences(&self.app, self.organization.as_ref(), self.after).await {
                Ok(found) if !found.is_empty() => {
                    let text: String =
                        found.iter().map(|(sequence, body)| format!("id: {sequence}\ndata: {body}\n\n")).collect();
                    self.after = found.last().map_or(self.after, |(sequence, _)| *sequence);
                    self.silent = 0;
                    return Some(Bytes::from(text));
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "a stream of events ends: the database can't be read");
                    return None;
                }
            }
            tokio::time::sleep(LOOK).await;
            self.silent += 1;
            if self.silent == ALIVE {
                self.silent = 0;
                return Some(Bytes::from_static(b": alive\n\n"));
            }
        }
    }

    /// Whether the key is still valid, looked up every few seconds: a revoked or expired one
    /// ends what it began.
    async fn may_go_on(&mut self) -> bool {
        if self.authenticated.elapsed() < self.authenticate_every {
            return true;
        }
        self.authenticated = Instant::now();
        match access::authenticate(&self.app, self.key.expose()).await {
            Ok(caller) => caller.is_some(),
            Err(error) => {
                tracing::warn!(%error, "a stream of events ends: the database can't be read");
                false
            }
        }
    }
}

/// The events as they come, each under its cursor.
fn follow(following: Following) -> Response {
    let stream = stream::unfold(following, |mut following| async move {
        let sent = following.next().await?;
        Some((Ok::<_, Infallible>(sent), following))
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(stream)).into_response()
}

pub(super) fn routes(api: Api<App>) -> Api<App> {
    api.route(
        Operation::put("/v1/subscriptions/{name}", "putSubscription", "Create or change a subscription")
            .tag("Events")
            .about(
                "Events are posted to `url`, signed as Standard Webhooks describes. The signing secret is in the \
                 answer that makes it, and never again. `action.invoked` is sent while the presser waits: answer \
                 `200 {notice?, content?, revision?}` or `403 {notice}` within 2 seconds. Content without a \
                 `revision` gets the next one after the message's.",
            ),
        put,
    )
    .route(Operation::get("/v1/subscriptions", "listSubscriptions", "List subscriptions").tag("Events"), list)
    .route(
        Operation::delete(
            "/v1/subscriptions/{name}",
            "removeSubscription",
            "Remove a subscription and what waits for it",
        )
        .tag("Events")
        .problems(&[types::SUBSCRIPTION_NOT_FOUND]),
        remove,
    )
    .route(
        Operation::get("/v1/events", "readEvents", "Read events by cursor, or as a stream")
            .tag("Events")
            .about(
                "The same events as the signed webhooks, in order, of all organizations that the key is for. With \
                 `Accept: text/event-stream` they come as they happen; `Last-Event-ID` resumes.",
            )
            .medium(200, "text/event-stream", "The events as they happen."),
        read,
    )
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;
    use crate::{
        access::NewKey,
        security::api_keys::Scopes,
        setup::{audit::Actor, test_world::World},
    };

    #[tokio::test]
    async fn a_stream_ends_with_its_key() {
        let world = World::new().await;
        world.installed().await;
        let new = NewKey { name: "reader".into(), scopes: Scopes::all(), organization: None, days: 1 };
        let (view, key) = access::create(&world.app, new, &Actor::host()).await.unwrap();
        let caller = access::authenticate(&world.app, key.expose()).await.unwrap().unwrap();
        let mut body = follow(Following {
            app: world.app.clone(),
            key,
            organization: None,
            after: 0,
            silent: 0,
            authenticated: Instant::now(),
            authenticate_every: Duration::ZERO,
        })
        .into_body();
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert!(first.starts_with(b"id: 1\ndata: {"), "{first:?}");
        access::revoke(&world.app, &caller, &view.id, &Actor::host()).await.unwrap();
        world.begin().await;
        let rest = tokio::time::timeout(Duration::from_secs(10), body.frame()).await.expect("it ends");
        assert!(rest.is_none(), "{rest:?}");
    }
}
