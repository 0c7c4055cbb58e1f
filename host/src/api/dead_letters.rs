//! Dead letters: what was given up, and trying it again.

use std::time::Duration;

use axum::extract::State;
use chatport_sdk::time::Timestamp;
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
    delivery::replay::{self, DeadFilter, DeadLetter, HowToReplay, MAX_REPLAY, Replay},
    ids::{CopyId, InstallationId},
    setup::audit,
};

/// How far ahead a replay may begin.
const MAX_WAIT: Duration = Duration::from_secs(7 * 24 * 3600);

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Listing {
    /// With this failure code.
    code: Option<String>,
    /// Of this installation.
    installation: Option<InstallationId>,
    /// Given up at this time or later.
    since: Option<Timestamp>,
    /// Given up before this time.
    before: Option<Timestamp>,
    /// Where to go on.
    cursor: Option<Cursor>,
    /// Most items on a page.
    #[serde(default)]
    limit: PageLimit,
}

/// Which dead letters to try again; at least one of the first five must be said.
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
    /// All that were given up at this time or later.
    #[serde(default)]
    since: Option<Timestamp>,
    /// All that were given up before this time.
    #[serde(default)]
    before: Option<Timestamp>,
    /// At most so many a second, 0.01 to 1000: their times are spread. Usually all at once.
    #[serde(default)]
    rate: Option<f64>,
    /// When the first is tried, within 7 days; usually now.
    #[serde(default)]
    not_before: Option<Timestamp>,
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
    let filter = DeadFilter {
        copies: None,
        code: listing.code,
        installation: listing.installation,
        since: listing.since,
        before: listing.before,
    };
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
    if request.rate.is_some_and(|rate| !(0.01..=1_000.0).contains(&rate)) {
        return Err(Problem::new(types::INVALID_BODY).pointer("/rate").detail("must be 0.01 to 1000"));
    }
    if request.not_before.is_some_and(|time| time > app.clock.now().plus(MAX_WAIT)) {
        return Err(Problem::new(types::INVALID_BODY).pointer("/not_before").detail("must be within 7 days"));
    }
    let filter = DeadFilter {
        copies: request.copies,
        code: request.code,
        installation: request.installation,
        since: request.since,
        before: request.before,
    };
    let says_which = filter.copies.is_some()
        || filter.code.is_some()
        || filter.installation.is_some()
        || filter.since.is_some()
        || filter.before.is_some();
    if !says_which {
        let detail = "say which: `copies`, `code`, `installation`, `since` or `before`";
        return Err(Problem::new(types::INVALID_BODY).detail(detail));
    }
    let how = HowToReplay { limit, rate: request.rate, not_before: request.not_before, dry_run: request.dry_run };
    let replayed = replay::replay(&app, &within.organization, &filter, &how).await;
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
                "Each is tried in the newest revision of its message, for 24 hours. With `dry_run` nothing changes. \
                 With a `rate`, each becomes due in its turn, whichever replica sends it. For more than `limit`, \
                 ask again with the answer's `before` and its `next_due_at` as `not_before`.",
            ),
        again,
    )
}
