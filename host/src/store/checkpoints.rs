//! Checkpoints of SQLite: what was committed moves from the log into the database by a
//! connection of its own, so that no commit has to wait for it. The writer itself does so only
//! when the log grows beyond [`MOST_PAGES`], as it does while something is always written: then
//! little is left to move, and the log begins anew.

use std::{sync::Arc, time::Duration};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};
use tokio_util::task::AbortOnDropHandle;

/// The log's length at which the writer sees to it itself: 16 MB.
pub(super) const MOST_PAGES: &str = "4000";
/// Between two checkpoints.
const EVERY: Duration = Duration::from_millis(250);

/// The task, and its connection. It ends with the last handle.
#[derive(Clone, Debug)]
pub(super) struct Checkpoints {
    connection: DatabaseConnection,
    task: Arc<AbortOnDropHandle<()>>,
}

impl Checkpoints {
    pub(super) fn start(connection: DatabaseConnection) -> Self {
        let on = connection.clone();
        let task = tokio::spawn(async move {
            loop {
                tokio::time::sleep(EVERY).await;
                // What can't be moved now is moved the next time, or by the writer.
                if let Err(error) = on.execute_unprepared("PRAGMA wal_checkpoint(PASSIVE)").await {
                    tracing::debug!(%error, "no checkpoint");
                }
            }
        });
        Self { connection, task: Arc::new(AbortOnDropHandle::new(task)) }
    }

    /// End it.
    ///
    /// # Errors
    /// The engine refuses.
    pub(super) async fn end(&self) -> Result<(), DbErr> {
        self.task.abort();
        self.connection.close_by_ref().await
    }
}
