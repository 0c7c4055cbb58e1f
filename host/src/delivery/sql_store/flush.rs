//! Writing what a unit of work has changed, each table once. On SQLite all of it is one
//! exchange with the connection's thread. On Postgres it is two: one statement for everything but
//! streams that are given back, since such a stream is due when the first of its copies is, as
//! they are then; and one for those and for events. Copies of events are one more.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr};

use super::tables;
use crate::{
    delivery::ledger::{Changes, Stream},
    events,
    store::{
        Database,
        sheet::{Columns, Part, Rows, expect},
        statement,
    },
};

/// Write everything. The answer is whether subscriptions are told of it.
///
/// # Errors
/// The database refuses, or a row isn't any more as it was loaded.
pub(super) async fn write(on: &DatabaseTransaction, database: &Database, mut changes: Changes) -> Result<bool, DbErr> {
    let engine = on.get_database_backend();
    let changed = std::mem::take(&mut changes.streams.changed);
    let (released, changed): (Vec<_>, Vec<_>) = changed.into_iter().partition(|(_, stream)| stream.is_released);
    let mut parts = parts(engine, &changes);
    parts.push(changed_streams(engine, &changed));
    let mut last = vec![changed_streams(engine, &released)];
    match engine {
        // Postgres plans each text in each session, which costs more than a part without rows.
        DbBackend::Postgres => at_once(on, parts).await?,
        _ => last.splice(0..0, parts).for_each(drop),
    }
    last.retain(|(_, rows)| rows.count > 0);
    // Events last, since all who append wait for each other there.
    events::append_all(on, database, last, changes.events).await
}

/// Streams that aren't as they were loaded, each under the fence of then.
fn changed_streams(engine: DbBackend, streams: &[(Stream, Stream)]) -> Part {
    (
        |from| update("streams", &tables::STREAM_CHANGES, "AND t.fence = v.was_fence", from),
        Rows::of(engine, &tables::STREAM_CHANGES, streams, tables::stream_change),
    )
}

/// What there is to write but changed streams and events, in the order in which rows refer to each other.
fn parts(engine: DbBackend, changes: &Changes) -> Vec<Part> {
    let changed_messages: Vec<_> = changes.messages.changed.iter().map(|(_, row)| row).collect();
    let changed_copies: Vec<_> = changes.copies.changed.iter().map(|(_, row)| row).collect();
    let mut times: BTreeMap<_, (Option<i64>, Option<i64>)> = BTreeMap::new();
    for (installation, until) in &changes.holds {
        times.entry(installation).or_default().0 = Some(until.as_micros());
    }
    for (installation, at) in &changes.delivered {
        times.entry(installation).or_default().1 = Some(at.as_micros());
    }
    let times: Vec<_> = times.into_iter().collect();
    let tallies: Vec<_> = changes.tallies.rows().collect();
    vec![
        (
            |from| insert("streams", &tables::STREAMS, from),
            Rows::of(engine, &tables::STREAMS, &changes.streams.new, tables::stream),
        ),
        (
            |from| insert("messages", &tables::MESSAGES, from),
            Rows::of(engine, &tables::MESSAGES, &changes.messages.new, tables::message),
        ),
        (
            |from| update("messages", &tables::MESSAGES, "", from),
            Rows::of(engine, &tables::MESSAGES, &changed_messages, |row| tables::message(row)),
        ),
        (
            |from| insert("copies", &tables::COPIES, from),
            Rows::of(engine, &tables::COPIES, &changes.copies.new, tables::copy),
        ),
        (
            |from| update("copies", &tables::COPY_CHANGES, "", from),
            Rows::of(engine, &tables::COPY_CHANGES, &changed_copies, |row| tables::copy_change(row)),
        ),
        (
            |from| insert("attempts", &tables::ATTEMPTS, from),
            Rows::of(engine, &tables::ATTEMPTS, &changes.attempts, tables::attempt),
        ),
        (
            note_times,
            Rows::of(engine, &tables::INSTALLATION_TIMES, &times, |((organization, id), (held, delivered))| {
                [organization.as_str().into(), id.0.into(), (*held).into(), (*delivered).into()]
            }),
        ),
        (
            count,
            Rows::of(engine, &tables::TALLIES, &tallies, |(organization, outcome, total)| {
                [(*organization).into(), (*outcome).into(), (*total).into()]
            }),
        ),
    ]
}

/// One statement, in which Postgres writes all the tables; its answer is the number of rows.
async fn at_once(on: &DatabaseTransaction, parts: Vec<Part>) -> Result<(), DbErr> {
    let engine = on.get_database_backend();
    let wanted = parts.iter().map(|(_, rows)| rows.count).sum();
    if wanted == 0 {
        return Ok(());
    }
    let part = |((text, rows), number): (&Part, usize)| {
        format!("p{number} AS ({} RETURNING 1)", text(&rows.source(engine, number)))
    };
    let texts: Vec<String> = parts.iter().zip(1..).map(part).collect();
    let counts: Vec<String> = (1..=parts.len()).map(|number| format!("(SELECT count(*) FROM p{number})")).collect();
    let sql = format!("WITH {} SELECT {} AS total", texts.join(", "), counts.join(" + "));
    let values = parts.into_iter().flat_map(|(_, rows)| rows.into_values());
    let row = on.query_one_raw(statement(on, &sql, values)).await?;
    let row = row.ok_or_else(|| DbErr::Custom("a count has no row".into()))?;
    expect(u64::try_from(row.try_get::<i64>("", "total")?).unwrap_or_default(), wanted)
}

fn insert<const N: usize>(table: &str, columns: &Columns<N>, from: &str) -> String {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let names = names.join(", ");
    format!("INSERT INTO {table} ({names}) SELECT {names} FROM {from} AS v")
}

/// Change rows by organization and id; each must be there, as `condition` says.
fn update<const N: usize>(table: &str, columns: &Columns<N>, condition: &str, from: &str) -> String {
    let sets: Vec<String> = columns[2..].iter().filter_map(|(name, _)| set(table, name)).collect();
    format!(
        "UPDATE {table} AS t SET {} FROM {from} AS v WHERE t.organization = v.organization AND t.id = v.id {condition}",
        sets.join(", ")
    )
}

fn set(table: &str, name: &str) -> Option<String> {
    match (table, name) {
        ("streams", "was_fence" | "is_released") => None,
        // A stream that is given back is due with the first of its copies.
        ("streams", "due_at") => Some(
            "due_at = CASE WHEN v.is_released THEN (SELECT MIN(c.due_at) FROM copies c WHERE c.stream = t.id AND c.due_at IS NOT NULL)
                ELSE v.due_at END"
                .to_owned(),
        ),
        (_, name) => Some(format!("{name} = v.{name}")),
    }
}

/// Until when installations are held, and when they last delivered; neither goes back.
fn note_times(from: &str) -> String {
    let later = |column| {
        format!(
            "{column} = CASE WHEN v.{column} IS NULL OR v.{column} < t.{column} THEN t.{column} ELSE v.{column} END"
        )
    };
    format!(
        "UPDATE installations AS t SET {}, {} FROM {from} AS v WHERE t.organization = v.organization AND t.id = v.id",
        later("held_until"),
        later("last_delivered_at")
    )
}

fn count(from: &str) -> String {
    format!(
        "INSERT INTO tallies (organization, outcome, total) SELECT organization, outcome, total FROM {from} AS v
        WHERE TRUE ON CONFLICT (organization, outcome) DO UPDATE SET total = tallies.total + excluded.total"
    )
}
