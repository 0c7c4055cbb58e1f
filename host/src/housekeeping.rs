//! Work that nobody waits for: forgetting what is finished and old, in small batches that
//! never hold up accepting.

use std::{path::Path, time::Duration};

use chatport_sdk::time::Timestamp;
use sea_orm::{ConnectionTrait, DbErr};
use tokio_util::sync::CancellationToken;

use crate::{
    app::App,
    config::DatabaseAddress,
    ingress::happenings,
    setup::{codes, guesses},
    store::statement,
    telemetry,
};

/// How often the disk is looked at.
const LOOK: Duration = Duration::from_secs(5);
/// After how many looks it is tidied.
const TIDY_EVERY: u32 = 12;
/// Rows that go in one statement.
const BATCH: i64 = 100;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What is kept for how long: the table, the condition for its rows to go, and for how many
/// days they stay. A message goes with its copies and attempts once all of them are closed.
const RETENTION: &[(&str, &str, u32)] = &[
    (
        "messages",
        "updated_at < $1 AND (organization, id) IN (SELECT m.organization, m.id FROM messages m WHERE m.updated_at < $1
            AND NOT EXISTS (SELECT 1 FROM copies c WHERE c.organization = m.organization AND c.message = m.id
                AND (c.is_open OR c.updated_at >= $1))
            AND NOT EXISTS (SELECT 1 FROM copies c
                JOIN copies r ON r.organization = c.organization AND r.root = c.id AND r.message <> m.id
                WHERE c.organization = m.organization AND c.message = m.id) LIMIT $2)",
        30,
    ),
    (
        "events",
        "(organization, id) IN (SELECT e.organization, e.id FROM events e WHERE e.created_at < $1 AND NOT EXISTS
            (SELECT 1 FROM copies c WHERE c.organization = e.organization AND c.event = e.id AND c.is_open) LIMIT $2)",
        7,
    ),
    ("audit", "id IN (SELECT id FROM audit WHERE at < $1 LIMIT $2)", 365),
];

/// Run until `stop` is cancelled.
pub(crate) async fn run(app: App, stop: CancellationToken) {
    let mut round: u32 = 0;
    loop {
        watch_disk(&app);
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        round = round.wrapping_add(1);
        if !round.is_multiple_of(TIDY_EVERY) {
            continue;
        }
        if let Ok(metrics) = telemetry::metrics() {
            metrics.run_upkeep();
        }
        if let Err(error) = tidy(&app).await {
            tracing::warn!(%error, "can't forget what is old; trying again in a minute");
        }
    }
}

/// Refuse new messages while the database's disk has too little room. Where Postgres keeps
/// it, the room isn't ours to watch.
fn watch_disk(app: &App) {
    let DatabaseAddress::Sqlite(file) = &app.settings.database else { return };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match rustix::fs::statvfs(folder) {
        Ok(disk) => {
            app.delivery.set_storage_low(disk.f_bavail.saturating_mul(disk.f_frsize) < app.settings.min_free_disk)
        }
        Err(error) => tracing::warn!(%error, "can't see how much room the disk has"),
    }
}

async fn tidy(app: &App) -> Result<(), DbErr> {
    for (table, condition, days) in RETENTION {
        let before = app.clock.now().minus(DAY * *days);
        let gone = forget(app, table, condition, before).await?;
        if gone > 0 {
            tracing::debug!(table, rows = gone, "forgot what is old");
        }
    }
    happenings::forget_old(app).await?;
    codes::forget_old(app).await?;
    guesses::forget_old(app).await?;
    Ok(())
}

async fn forget(app: &App, table: &str, condition: &str, before: Timestamp) -> Result<u64, DbErr> {
    let write = app.database.write_uncached();
    let sql = format!("DELETE FROM {table} WHERE {condition}");
    let mut total = 0;
    loop {
        let values = [before.as_micros().into(), BATCH.into()];
        let gone = write.execute_raw(statement(write, &sql, values)).await?.rows_affected();
        total += gone;
        if gone < BATCH as u64 {
            return Ok(total);
        }
        // Let others write in between.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
