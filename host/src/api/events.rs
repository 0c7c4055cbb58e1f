//! What the application hears: subscriptions for signed webhooks, and the same events by
//! cursor or as a stream (server-sent events).

use std::{convert::Infallible, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::State,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use http::{HeaderMap, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    app::App,
    events::{
        log::{self, EventPage},
        subscriptions::{self, PutSubscription, SubscriptionError, SubscriptionView},
    },
    ids::OrganizationId,
};

/// How often a stream looks for new events.
const LOOK: Duration = Duration::from_millis(250);
/// How often a silent stream shows that it lives.
const ALIVE: usize = 60;

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
    if subscriptions::remove(&app, &path.name).await? {
        Ok(NoContent)
    } else {
        Err(types::SUBSCRIPTION_NOT_FOUND.into())
    }
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
        return Ok(Either::Other(follow(app, organization, after)));
    }
    let page = log::after(&app, organization.as_ref(), reading.after.unwrap_or(0)).await.map_err(unavailable)?;
    Ok(Either::One(Json(page)))
}

/// The events as they come, each under its cursor.
fn follow(app: App, organization: Option<OrganizationId>, after: i64) -> Response {
    let stream = stream::unfold((app, organization, after, 0_usize), |(app, organization, after, silent)| async move {
        let (mut after, mut silent) = (after, silent);
        loop {
            match log::after_with_sequences(&app, organization.as_ref(), after).await {
                Ok(found) if !found.is_empty() => {
                    let text: String =
                        found.iter().map(|(sequence, body)| format!("id: {sequence}\ndata: {body}\n\n")).collect();
                    after = found.last().map_or(after, |(sequence, _)| *sequence);
                    return Some((Ok::<_, Infallible>(Bytes::from(text)), (app, organization, after, 0)));
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "a stream of events ends: the database can't be read");
                    return None;
                }
            }
            if app.stopping.is_cancelled() {
                return None;
            }
            silent += 1;
            tokio::time::sleep(LOOK).await;
            if silent % ALIVE == 0 {
                return Some((Ok(Bytes::from_static(b": alive\n\n")), (app, organization, after, silent)));
            }
        }
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
                 `200 {notice?, content?, revision?}` or `403 {notice}` within 2 seconds.",
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
