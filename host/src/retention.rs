//! What is kept for how long. What is older goes in small batches, each committed by itself, and
//! is found without reading what stays: however much there is, accepting isn't held up.

use std::time::Duration;

use chatport_sdk::time::Timestamp;
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use crate::store::{Database, statement};

/// Rows that go in one transaction.
const BATCH: u64 = 100;
/// How long others may write in between.
const PAUSE: Duration = Duration::from_millis(20);

/// What of a table goes.
struct Rule {
    table: &'static str,
    days: u32,
    old: Old,
}

/// Finds up to a batch of rows that are old: a condition for rows of the table, in which `$1` is the
/// time before which they are, and `{batch}` the most that go.
enum Old {
    /// By a column that has an index.
    ByTime(&'static str),
    /// By their ids (version 7), which begin with the time at which they were made: `$2` is the
    /// least id of that time. Each organization's are looked for by themselves, since ids are in
    /// order within one.
    ById(&'static str),
}

/// A message goes with its copies and attempts once all of them are closed, and nothing is a
/// reply to it.
const RULES: [Rule; 4] = [
    Rule {
        table: "messages",
        days: 30,
        old: Old::ById(
            "updated_at < $1 AND (organization, id) IN (SELECT m.organization, m.id FROM organizations o CROSS JOIN messages m
            WHERE m.organization = o.id AND m.id < $2 AND m.updated_at < $1
            AND NOT EXISTS (SELECT 1 FROM copies c WHERE c.organization = m.organization AND c.message = m.id
                AND (c.is_open OR c.updated_at >= $1))
            AND NOT EXISTS (SELECT 1 FROM copies c
                JOIN copies r ON r.organization = c.organization AND r.root = c.id AND r.message <> m.id
                WHERE c.organization = m.organization AND c.message = m.id) LIMIT {batch})",
        ),
    },
    Rule {
        table: "events",
        days: 7,
        old: Old::ById(
            "(organization, id) IN (SELECT e.organization, e.id FROM organizations o CROSS JOIN events e
            WHERE e.organization = o.id AND e.id < $2 AND e.created_at < $1 AND NOT EXISTS
            (SELECT 1 FROM copies c WHERE c.organization = e.organization AND c.event = e.id AND c.is_open) LIMIT {batch})",
        ),
    },
    Rule {
        table: "happenings",
        days: 7,
        old: Old::ByTime(
            "(installation, id) IN (SELECT h.installation, h.id FROM happenings h WHERE h.received_at < $1 LIMIT {batch})",
        ),
    },
    Rule {
        table: "audit",
        days: 365,
        old: Old::ByTime("id IN (SELECT a.id FROM audit a WHERE a.at < $1 LIMIT {batch})"),
    },
];

impl Rule {
    /// The statement, and its values.
    fn statement(&self, now: Timestamp) -> (String, Vec<Value>) {
        let before = now.minus(Duration::from_secs(24 * 3600) * self.days);
        let at = before.as_micros().into();
        let (condition, values) = match self.old {
            Old::ByTime(condition) => (condition, vec![at]),
            Old::ById(condition) => (condition, vec![at, least_id(before).into()]),
        };
        let condition = condition.replace("{batch}", &BATCH.to_string());
        (format!("DELETE FROM {} WHERE {condition}", self.table), values)
    }
}

/// The least id of version 7 that is made at a time.
fn least_id(at: Timestamp) -> Uuid {
    let milliseconds = u128::try_from(at.as_micros() / 1_000).unwrap_or_default();
    Uuid::from_u128(milliseconds << 80)
}

/// Delete what is old.
///
/// # Errors
/// The database refuses.
pub async fn forget_old(database: &Database, now: Timestamp) -> Result<(), DbErr> {
    for rule in &RULES {
        let (sql, values) = rule.statement(now);
        let mut gone = 0;
        loop {
            let transaction = database.begin_uncached().await?;
            let deleted = transaction.execute_raw(statement(&transaction, &sql, values.clone())).await?.rows_affected();
            transaction.commit().await?;
            gone += deleted;
            if deleted < BATCH {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        if gone > 0 {
            tracing::debug!(table = rule.table, rows = gone, "forgot what is old");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use sea_orm::{DbBackend, Statement};

    use super::*;
    use crate::store::Location;

    #[tokio::test]
    async fn nothing_is_looked_through_but_the_organizations() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = Database::open(&Location::Sqlite(folder.path().join("chatport.db"))).await.expect("a database");
        for rule in &RULES {
            let (sql, values) = rule.statement(Timestamp::from_micros(1_767_225_600_000_000));
            let explain =
                Statement::from_sql_and_values(DbBackend::Sqlite, format!("EXPLAIN QUERY PLAN {sql}"), values);
            let steps = database.read().query_all_raw(explain).await.expect("a plan");
            let steps: Vec<String> = steps.iter().map(|step| step.try_get("", "detail").expect("a step")).collect();
            assert!(steps.iter().all(|step| !step.starts_with("SCAN") || step.starts_with("SCAN o")), "{steps:#?}");
            let within = if matches!(rule.old, Old::ById(_)) { "id<?" } else { "<?" };
            assert!(steps.iter().any(|step| step.contains(within)), "{steps:#?}");
        }
    }

    #[test]
    fn the_least_id_of_a_time_is_after_all_ids_before_it() {
        let at = Timestamp::from_micros(1_767_225_600_000_000);
        let made = |milliseconds| uuid::Builder::from_unix_timestamp_millis(milliseconds, &[0xff; 10]).into_uuid();
        assert!(made(1_767_225_599_999) < least_id(at) && least_id(at) < made(1_767_225_600_000));
    }
}
