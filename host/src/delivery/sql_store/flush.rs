//! Writing what a unit of work has changed, each table once. On SQLite all of it is one
//! exchange with the connection's thread; on Postgres one statement writes everything but the
//! streams, since a stream that is given back is due when the first of its copies is, as they
//! are then.

use std::{collections::BTreeMap, sync::LazyLock};

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Value};

use super::tables;
use crate::{
    delivery::ledger::Changes,
    events,
    store::{
        Database,
        sheet::{self, Columns, Sheet},
        statement,
    },
};

/// A statement that writes rows; its sheet has this number.
type Text = fn(DbBackend, usize) -> String;

/// Rows in the order in which they refer to each other. The sheets of [`sheets`] are theirs.
const TEXTS: [Text; 8] = [
    |engine, number| insert(engine, "streams", &tables::STREAMS, number),
    |engine, number| insert(engine, "messages", &tables::MESSAGES, number),
    |engine, number| update(engine, "messages", &tables::MESSAGES, "", number),
    |engine, number| insert(engine, "copies", &tables::COPIES, number),
    |engine, number| update(engine, "copies", &tables::COPY_CHANGES, "", number),
    |engine, number| insert(engine, "attempts", &tables::ATTEMPTS, number),
    note_times,
    count,
];

fn change_streams(engine: DbBackend, number: usize) -> String {
    update(engine, "streams", &tables::STREAM_CHANGES, "AND t.fence = v.was_fence", number)
}

/// Everything in one text, for SQLite.
static SCRIPT: LazyLock<String> = LazyLock::new(|| {
    let texts = TEXTS.iter().chain([&(change_streams as Text)]).zip(1..);
    texts.map(|(text, number)| text(DbBackend::Sqlite, number)).collect::<Vec<_>>().join(";\n")
});

/// Everything but changed streams in one statement, for Postgres: the answer is the number of
/// rows.
static STATEMENT: LazyLock<String> = LazyLock::new(|| {
    let texts = TEXTS.iter().zip(1..);
    let parts = texts.map(|(text, number)| format!("p{number} AS ({} RETURNING 1)", text(DbBackend::Postgres, number)));
    let counts = (1..=TEXTS.len()).map(|number| format!("(SELECT count(*) FROM p{number})"));
    let (parts, counts): (Vec<_>, Vec<_>) = (parts.collect(), counts.collect());
    format!("WITH {} SELECT {} AS total", parts.join(", "), counts.join(" + "))
});

/// The streams, for Postgres.
static CHANGED_STREAMS: LazyLock<String> = LazyLock::new(|| change_streams(DbBackend::Postgres, 1));

/// Write everything.
///
/// # Errors
/// The database refuses, or a row isn't any more as it was loaded.
pub(super) async fn write(on: &DatabaseTransaction, database: &Database, changes: Changes) -> Result<(), DbErr> {
    let (sheets, rows) = sheets(&changes);
    let streams = Sheet::of(&tables::STREAM_CHANGES, &changes.streams.changed, tables::stream_change);
    let changed = changes.streams.changed.len();
    match on.get_database_backend() {
        DbBackend::Sqlite if rows + changed > 0 => {
            let values = sheets.into_iter().chain([streams.into()]);
            let written = on.execute_raw(statement(on, &SCRIPT, values)).await?.rows_affected();
            expect(written, rows + changed)?;
        }
        DbBackend::Sqlite => {}
        _ => {
            if rows > 0 {
                let row = on.query_one_raw(statement(on, &STATEMENT, sheets)).await?;
                let row = row.ok_or_else(|| DbErr::Custom("a count has no row".into()))?;
                expect(u64::try_from(row.try_get::<i64>("", "total")?).unwrap_or_default(), rows)?;
            }
            if changed > 0 {
                let values: [Value; 1] = [streams.into()];
                expect(on.execute_raw(statement(on, &CHANGED_STREAMS, values)).await?.rows_affected(), changed)?;
            }
        }
    }
    // Last, since all who append wait for each other here.
    events::append_all(on, database, changes.events).await
}

/// The sheets of [`TEXTS`], and how many rows they have.
fn sheets(changes: &Changes) -> ([Value; 8], usize) {
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
    let rows = changes.streams.new.len()
        + changes.messages.new.len()
        + changed_messages.len()
        + changes.copies.new.len()
        + changed_copies.len()
        + changes.attempts.len()
        + times.len()
        + tallies.len();
    let sheets = [
        Sheet::of(&tables::STREAMS, &changes.streams.new, tables::stream).into(),
        Sheet::of(&tables::MESSAGES, &changes.messages.new, tables::message).into(),
        Sheet::of(&tables::MESSAGES, &changed_messages, |row| tables::message(row)).into(),
        Sheet::of(&tables::COPIES, &changes.copies.new, tables::copy).into(),
        Sheet::of(&tables::COPY_CHANGES, &changed_copies, |row| tables::copy_change(row)).into(),
        Sheet::of(&tables::ATTEMPTS, &changes.attempts, tables::attempt).into(),
        Sheet::of(&tables::INSTALLATION_TIMES, &times, |((organization, id), (held, delivered))| {
            [organization.as_str().into(), id.0.into(), (*held).into(), (*delivered).into()]
        })
        .into(),
        Sheet::of(&tables::TALLIES, &tallies, |(organization, outcome, total)| {
            [(*organization).into(), (*outcome).into(), (*total).into()]
        })
        .into(),
    ];
    (sheets, rows)
}

fn expect(written: u64, rows: usize) -> Result<(), DbErr> {
    match usize::try_from(written) == Ok(rows) {
        true => Ok(()),
        false => Err(DbErr::Custom(format!("{written} rows instead of {rows} were as they were loaded"))),
    }
}

fn insert<const N: usize>(engine: DbBackend, table: &str, columns: &Columns<N>, number: usize) -> String {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let names = names.join(", ");
    format!("INSERT INTO {table} ({names}) SELECT {names} FROM {} AS v", sheet::rows(engine, columns, number))
}

/// Change rows by organization and id; each must be there, as `condition` says.
fn update<const N: usize>(
    engine: DbBackend,
    table: &str,
    columns: &Columns<N>,
    condition: &str,
    number: usize,
) -> String {
    let sets: Vec<String> = columns[2..].iter().filter_map(|(name, _)| set(table, name)).collect();
    format!(
        "UPDATE {table} AS t SET {} FROM {} AS v WHERE t.organization = v.organization AND t.id = v.id {condition}",
        sets.join(", "),
        sheet::rows(engine, columns, number)
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
fn note_times(engine: DbBackend, number: usize) -> String {
    let later = |column| {
        format!(
            "{column} = CASE WHEN v.{column} IS NULL OR v.{column} < t.{column} THEN t.{column} ELSE v.{column} END"
        )
    };
    format!(
        "UPDATE installations AS t SET {}, {} FROM {} AS v WHERE t.organization = v.organization AND t.id = v.id",
        later("held_until"),
        later("last_delivered_at"),
        sheet::rows(engine, &tables::INSTALLATION_TIMES, number)
    )
}

fn count(engine: DbBackend, number: usize) -> String {
    format!(
        "INSERT INTO tallies (organization, outcome, total) SELECT organization, outcome, total FROM {} AS v
        WHERE TRUE ON CONFLICT (organization, outcome) DO UPDATE SET total = tallies.total + excluded.total",
        sheet::rows(engine, &tables::TALLIES, number)
    )
}
