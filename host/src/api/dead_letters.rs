//! Dead letters: what was given up, and trying it again.

use axum::extract::State;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    callers::{MayReplay, MaySend, Within, unavailable},
    extract::{Json, Query},
    operation::Operation,
    page::{Cursor, Page, PageLimit},
    problem::Problem,
    problem_types as types,
    routes::Api,
};
use crate::{
    app::App,
    delivery::replay::{self, DeadFilter, DeadLetter, MAX_REPLAY, Replay},
    ids::{CopyId, InstallationId},
    setup::audit,
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Listing {
    /// With this failure code.
    code: Option<String>,
    /// Of this installation.
    installation: Option<InstallationId>,
    /// Where to go on.
    cursor: Option<Cursor>,
    /// Most items on a page.
    #[serde(default)]
    limit: PageLimit,
}

/// Which dead letters to try again; at least one of the first three must be said.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReplayRequest {
    /// These copies.
    #[serde(default)]
    copies: Option<Vec<CopyId>>,
    /// All with this failure code.
    #[serde(default)]
    code: Option<String>,
    /// All of this installation.
    #[serde(default)]
    installation: Option<InstallationId>,
    /// At most so many, the oldest first: 1 to 1000, usually 100.
    #[serde(default)]
    limit: Option<u64>,
    /// Only say which they would be.
    #[serde(default)]
    dry_run: bool,
}

async fn list(
    within: Within<MaySend>,
    State(app): State<App>,
    Query(listing): Query<Listing>,
) -> Result<Json<Page<DeadLetter>>, Problem> {
    let before = listing.cursor.as_ref().map(Cursor::position).transpose()?;
    let filter = DeadFilter { copies: None, code: listing.code, installation: listing.installation };
    let wanted = listing.limit.get() as u64 + 1;
    let found = replay::list(&app, &within.organization, &filter, before, wanted).await.map_err(unavailable)?;
    let page = Page::of(found, listing.limit, |(_, position)| *position)?;
    Ok(Json(page.map(|(letter, _)| letter)))
}

async fn again(
    within: Within<MayReplay>,
    State(app): State<App>,
    Json(request): Json<ReplayRequest>,
) -> Result<Json<Replay>, Problem> {
    let limit = request.limit.unwrap_or(100);
    if !(1..=MAX_REPLAY).contains(&limit) {
        return Err(Problem::new(types::INVALID_BODY).pointer("/limit").detail("must be 1 to 1000"));
    }
    let filter = DeadFilter { copies: request.copies, code: request.code, installation: request.installation };
    if filter.copies.is_none() && filter.code.is_none() && filter.installation.is_none() {
        return Err(Problem::new(types::INVALID_BODY).detail("say which: `copies`, `code` or `installation`"));
    }
    let replayed = replay::replay(&app, &within.organization, &filter, limit, request.dry_run).await;
    let replayed = replayed.map_err(unavailable)?;
    if !request.dry_run {
        let object = format!("{} copies", replayed.replayed.len());
        let (organization, actor) = (&within.organization, &within.actor);
        let written = audit::write(
            app.database.write_uncached(),
            organization,
            actor,
            "dead-letters.replay",
            &object,
            "done",
            app.clock.now(),
        );
        written.await.map_err(unavailable)?;
    }
    Ok(Json(replayed))
}

pub(super) fn routes(api: Api<App>) -> Api<App> {
    api.route(
        Operation::get("/v1/organizations/{org}/dead-letters", "listDeadLetters", "List copies that were given up")
            .tag("Messages")
            .about("The newest first; kept for 30 days."),
        list,
    )
    .route(
        Operation::post("/v1/organizations/{org}/dead-letters/replay", "replayDeadLetters", "Try dead letters again")
            .tag("Messages")
            .about(
                "Each is tried in the newest revision of its message, for 24 hours. With `dry_run` nothing changes.",
            ),
        again,
    )
}
