//! Work that nobody waits for: watching the disk, and forgetting what is finished and old.

use std::{path::Path, time::Duration};

use sea_orm::DbErr;
use tokio_util::sync::CancellationToken;

use crate::{
    app::App,
    config::DatabaseAddress,
    retention,
    setup::{codes, guesses},
    telemetry,
};

/// How often the disk is looked at.
const LOOK: Duration = Duration::from_secs(5);
/// After how many looks it is tidied.
const TIDY_EVERY: u32 = 12;
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
    retention::forget_old(&app.database, app.clock.now()).await?;
    codes::forget_old(app).await?;
    guesses::forget_old(app).await?;
    Ok(())
}
