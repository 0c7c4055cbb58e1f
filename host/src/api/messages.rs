//! Messages: a desired state, put under the application's own key.

use axum::extract::State;
use futures_util::TryFutureExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    answer::{Accepted as Accepted202, Answered, Either},
    callers::{MaySend, Within, in_time, unavailable},
    extract::{Json, Path},
    operation::Operation,
    problem::Problem,
    problem_types as types,
    routes::Api,
};
use crate::{
    app::App,
    crowd::{self, What},
    delivery::{self, AcceptError, Accepted, message::PutMessage, read::MessageView, view::CopyView},
};
use std::time::Duration;

#[derive(Debug, Deserialize, JsonSchema)]
struct MessagePath {
    #[expect(dead_code, reason = "read by the policy")]
    org: String,
    /// The application's own key: 1 to 256 bytes.
    key: String,
}

/// Copies that are being taken away.
#[derive(Debug, Serialize, JsonSchema)]
struct Deleted {
    copies: Vec<CopyView>,
}

async fn put(
    within: Within<MaySend>,
    State(app): State<App>,
    Path(path): Path<MessagePath>,
    Json(request): Json<PutMessage>,
) -> Result<Either<Accepted202<Accepted>, Json<Accepted>>, Problem> {
    if !(1..=256).contains(&path.key.len()) {
        return Err(Problem::new(types::INVALID_PATH).detail("a message's key has 1 to 256 bytes"));
    }
    let place = app.crowd.enter(What::Message);
    let _place = place.ok_or_else(|| Problem::new(types::OVERLOADED).retry_after(crowd::RETRY_AFTER))?;
    let accepting = delivery::accept(&app, &within.organization, &path.key, request).map_err(Problem::from);
    let accepted = in_time(accepting, types::COMMIT_UNKNOWN).await?;
    // A repeated request gets the first answer, so it gets its status too; a lower revision
    // than the present one has changed nothing.
    Ok(if accepted.is_older { Either::Other(Json(accepted)) } else { Either::One(Answered(accepted)) })
}

impl From<AcceptError> for Problem {
    fn from(error: AcceptError) -> Self {
        let detail = error.to_string();
        match error {
            AcceptError::Invalid { pointer, detail } => Self::new(types::INVALID_BODY).pointer(pointer).detail(detail),
            AcceptError::NoOrganization => types::ORGANIZATION_NOT_FOUND.into(),
            AcceptError::Conflict(_) => Self::new(types::REVISION_CONFLICT).detail(detail),
            AcceptError::BacklogFull { .. } => {
                Self::new(types::BACKLOG_FULL).detail(detail).retry_after(Duration::from_secs(10))
            }
            AcceptError::StorageLow => Self::new(types::STORAGE_LOW).retry_after(Duration::from_secs(30)),
            AcceptError::CommitUnknown(cause) => {
                Self::new(types::COMMIT_UNKNOWN).because(cause).retry_after(Duration::from_secs(1))
            }
            AcceptError::Store(error) => unavailable(error),
            AcceptError::Unreadable => Self::new(types::UNAVAILABLE).because(detail),
            AcceptError::Stopping => Self::new(types::UNAVAILABLE).retry_after(Duration::from_secs(1)),
        }
    }
}

async fn get(
    within: Within<MaySend>,
    State(app): State<App>,
    Path(path): Path<MessagePath>,
) -> Result<Json<MessageView>, Problem> {
    let reading = delivery::read::message(&app, &within.organization, &path.key).map_err(unavailable);
    let found = in_time(reading, types::UNAVAILABLE).await?;
    Ok(Json(found.ok_or(types::MESSAGE_NOT_FOUND)?))
}

async fn delete(
    within: Within<MaySend>,
    State(app): State<App>,
    Path(path): Path<MessagePath>,
) -> Result<Accepted202<Deleted>, Problem> {
    let deleting = delivery::delete(&app, &within.organization, &path.key).map_err(unavailable);
    let deleted = in_time(deleting, types::COMMIT_UNKNOWN).await?;
    Ok(Answered(Deleted { copies: deleted.ok_or(types::MESSAGE_NOT_FOUND)? }))
}

pub(super) fn routes(api: Api<App>) -> Api<App> {
    api.route(
        Operation::put(
            "/v1/organizations/{org}/messages/{key}",
            "putMessage",
            "Say what a message should show, and where",
        )
        .tag("Messages")
        .about(
            "Accepted means on disk: the answer comes after the commit. Every copy converges to the newest \
                 revision; revisions that wait are merged. The same revision with the same content gives the same \
                 answer again; a lower one changes nothing.",
        )
        .says(202, "It is on disk and will be delivered.")
        .says(200, "A newer revision is there already; nothing has changed.")
        .problems(&[
            types::REVISION_CONFLICT,
            types::BACKLOG_FULL,
            types::STORAGE_LOW,
            types::OVERLOADED,
            types::COMMIT_UNKNOWN,
        ]),
        put,
    )
    .route(
        Operation::get(
            "/v1/organizations/{org}/messages/{key}",
            "getMessage",
            "Read a message, its copies and their history",
        )
        .tag("Messages")
        .problems(&[types::MESSAGE_NOT_FOUND]),
        get,
    )
    .route(
        Operation::delete("/v1/organizations/{org}/messages/{key}", "deleteMessage", "Take a message away")
            .tag("Messages")
            .about("What stands is deleted, what waits is called off.")
            .problems(&[types::MESSAGE_NOT_FOUND, types::COMMIT_UNKNOWN]),
        delete,
    )
}
