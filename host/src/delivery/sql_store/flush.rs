//! Writing what a unit of work has changed, each table once. On SQLite all of it is one
//! exchange with the connection's thread; on Postgres one statement writes everything but the
//! streams, since a stream that is given back is due when the first of its copies is, as they
//! are then.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr};

use super::tables;
use crate::{
    delivery::ledger::Changes,
    events,
    store::{
        Database,
        sheet::{Columns, Rows},
        statement,
    },
};

/// A statement that writes rows of a table, which come from a subquery.
type Text = fn(&str) -> String;

/// It, and the rows.
type Part = (Text, Rows);

/// Write everything. The answer is whether subscriptions are told of it.
///
/// # Errors
/// The database refuses, or a row isn't any more as it was loaded.
pub(super) async fn write(on: &DatabaseTransaction, database: &Database, changes: Changes) -> Result<bool, DbErr> {
    let engine = on.get_database_backend();
    let (mut parts, streams) = parts(engine, &changes);
    if engine == DbBackend::Postgres {
        at_once(on, std::mem::take(&mut parts)).await?;
    }
    one_after_another(on, parts.into_iter().chain(streams)).await?;
    // Last, since all who append wait for each other here.
    events::append_all(on, database, changes.events).await
}

/// What there is to write, in the order in which rows refer to each other; and the changed streams.
fn parts(engine: DbBackend, changes: &Changes) -> (Vec<Part>, Option<Part>) {
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
    let parts: [Part; 8] = [
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
    ];
    let streams = Rows::of(engine, &tables::STREAM_CHANGES, &changes.streams.changed, tables::stream_change);
    let change_streams: Text = |from| update("streams", &tables::STREAM_CHANGES, "AND t.fence = v.was_fence", from);
    // Postgres plans each text in each session, which costs more than a part without rows.
    let is_there = |part: &Part| part.1.count > 0 || engine == DbBackend::Postgres;
    (parts.into_iter().filter(is_there).collect(), Some((change_streams, streams)).filter(is_there))
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

/// A statement for each table, in one exchange with the database.
async fn one_after_another(on: &DatabaseTransaction, parts: impl Iterator<Item = Part>) -> Result<(), DbErr> {
    let engine = on.get_database_backend();
    let (mut sql, mut values, mut wanted) = (String::new(), Vec::new(), 0);
    for (text, rows) in parts {
        sql += &text(&rows.source(engine, 1));
        sql += ";";
        wanted += rows.count;
        values.extend(rows.into_values());
    }
    if wanted == 0 {
        return Ok(());
    }
    expect(on.execute_raw(statement(on, &sql, values)).await?.rows_affected(), wanted)
}

fn expect(written: u64, rows: usize) -> Result<(), DbErr> {
    match usize::try_from(written) == Ok(rows) {
        true => Ok(()),
        false => Err(DbErr::Custom(format!("{written} rows instead of {rows} were as they were loaded"))),
    }
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
