//! Reading messages back: copies, attempts, dead letters, and the tallies.

use std::{collections::BTreeMap, sync::Arc};

use chatport_sdk::{schemars::JsonSchema, time::Timestamp};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use tokio::{sync::Mutex, time::Instant};
use uuid::Uuid;

use super::{
    message::PutMessage,
    view::{CopyView, copy_view},
};
use crate::{
    app::App,
    ids::OrganizationId,
    store::{
        entities::{attempts, copies, messages},
        statement,
    },
};

/// A message as it stands.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MessageView {
    /// The key.
    pub key: String,
    /// The newest revision.
    pub revision: i64,
    /// Whether it has been deleted.
    pub deleted: bool,
    /// What was asked for last.
    pub message: PutMessage,
    /// Its copies, the lines of its log among them.
    pub copies: Vec<CopyWithAttempts>,
}

/// A copy and the tries to bring it up to date.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CopyWithAttempts {
    /// The copy.
    #[serde(flatten)]
    pub copy: CopyView,
    /// The tries, in order.
    pub history: Vec<AttemptView>,
}

/// One try to bring a copy up to date.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AttemptView {
    /// From 1.
    pub number: usize,
    /// The revision that was sent.
    pub revision: i64,
    /// How it ended: `delivered`, `retry`, `unknown`, `dead` or `expired`.
    pub outcome: String,
    /// The failure code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The same in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// How long it took.
    pub milliseconds: f64,
    /// When it ended.
    pub at: Timestamp,
}

/// Read a message back.
///
/// # Errors
/// The database refuses.
pub async fn message(app: &App, organization: &OrganizationId, key: &str) -> Result<Option<MessageView>, DbErr> {
    let read = app.database.read();
    let stored = messages::Entity::find()
        .filter(messages::Column::Organization.eq(organization.as_str()))
        .filter(messages::Column::Key.eq(key))
        .one(read)
        .await?;
    let Some(stored) = stored else { return Ok(None) };
    let rows = copies::Entity::find()
        .filter(copies::Column::Organization.eq(organization.as_str()))
        .filter(copies::Column::Message.eq(stored.id))
        .order_by_asc(copies::Column::CreatedAt)
        .order_by_asc(copies::Column::Sequence)
        .all(read)
        .await?;
    let tries = attempts::Entity::find()
        .filter(attempts::Column::Organization.eq(organization.as_str()))
        .filter(attempts::Column::Copy.is_in(rows.iter().map(|row| row.id)))
        .order_by_asc(attempts::Column::Id)
        .all(read)
        .await?;
    let mut by_copy: BTreeMap<Uuid, Vec<AttemptView>> = BTreeMap::new();
    for row in tries {
        let history = by_copy.entry(row.copy).or_default();
        history.push(attempt_view(history.len() + 1, row));
    }
    let message =
        serde_json::from_str(&stored.body).map_err(|_| DbErr::Custom("a stored message can't be read".into()))?;
    let with_history = |row: &copies::Model| CopyWithAttempts {
        copy: copy_view(row),
        history: by_copy.get(&row.id).cloned().unwrap_or_default(),
    };
    Ok(Some(MessageView {
        key: stored.key,
        revision: stored.revision,
        deleted: stored.deleted,
        message,
        copies: rows.iter().map(with_history).collect(),
    }))
}

fn attempt_view(number: usize, row: attempts::Model) -> AttemptView {
    AttemptView {
        number,
        revision: row.revision,
        outcome: row.outcome,
        code: row.code,
        detail: row.detail,
        milliseconds: row.duration as f64 / 1_000.0,
        at: Timestamp::from_micros(row.at),
    }
}

/// How many copy-revisions of an organization wait to be sent.
///
/// # Errors
/// The database refuses.
pub async fn backlog(app: &App, organization: &OrganizationId) -> Result<i64, DbErr> {
    let read = app.database.read();
    let sql = "SELECT CAST(COALESCE(SUM(CASE WHEN outcome = 'accepted' THEN total ELSE -total END), 0) AS BIGINT)
        AS backlog FROM tallies WHERE organization = $1";
    let row = read.query_one_raw(statement(read, sql, [organization.as_str().into()])).await?;
    row.map_or(Ok(0), |row| row.try_get("", "backlog"))
}

/// Tallies as they were a moment ago. Counting what is open looks at every copy, so it takes
/// longer the more there are; whoever asks often gets the same answer again, for so long that
/// no more than a twentieth of the time goes into counting.
#[derive(Clone, Debug, Default)]
pub struct RecentTallies(Arc<Mutex<Option<Counted>>>);

#[derive(Debug)]
struct Counted {
    tallies: BTreeMap<String, i64>,
    good_until: Instant,
}

/// How much longer than it took to count a count is good for.
const REUSE: u32 = 19;

impl RecentTallies {
    /// The tallies. Those who ask at the same time share an answer.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn read(&self, app: &App) -> Result<BTreeMap<String, i64>, DbErr> {
        let mut counted = self.0.lock().await;
        let begun = Instant::now();
        if let Some(counted) = counted.as_ref().filter(|counted| begun < counted.good_until) {
            return Ok(counted.tallies.clone());
        }
        let tallies = tallies(app).await?;
        let now = Instant::now();
        *counted = Some(Counted { tallies: tallies.clone(), good_until: now + (now - begun) * REUSE });
        Ok(tallies)
    }
}

/// How many copy-revisions ended how, and how many are still open.
///
/// # Errors
/// The database refuses.
pub async fn tallies(app: &App) -> Result<BTreeMap<String, i64>, DbErr> {
    let read = app.database.read();
    let sql = "SELECT outcome, CAST(SUM(total) AS BIGINT) AS total FROM tallies GROUP BY outcome
        UNION ALL SELECT 'in_flight', CAST(COUNT(*) AS BIGINT) FROM copies WHERE is_open AND message IS NOT NULL
        UNION ALL SELECT 'in_flight_older', CAST(COUNT(*) AS BIGINT) FROM copies
            WHERE sending IS NOT NULL AND sending <> revision AND message IS NOT NULL
        UNION ALL SELECT 'in_flight_final', CAST(COUNT(*) AS BIGINT) FROM copies
            WHERE pinned IS NOT NULL AND pinned IS DISTINCT FROM sending AND message IS NOT NULL";
    let rows = read.query_all_raw(statement(read, sql, [])).await?;
    rows.iter().map(|row| Ok((row.try_get("", "outcome")?, row.try_get("", "total")?))).collect()
}
