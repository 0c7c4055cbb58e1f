//! Writing what a unit of work has changed: each table once, in the order in which rows refer
//! to each other.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Value};

use super::tables;
use crate::{
    delivery::ledger::Changes,
    events,
    store::{
        Database,
        entities::copies,
        sheet::{self, Columns, Sheet},
        statement,
    },
};

/// Write everything.
///
/// # Errors
/// The database refuses, or a row isn't any more as it was loaded.
pub(super) async fn write(on: &DatabaseTransaction, database: &Database, changes: Changes) -> Result<(), DbErr> {
    insert(on, "streams", &tables::STREAMS, &changes.streams.new, tables::stream).await?;
    insert(on, "messages", &tables::MESSAGES, &changes.messages.new, tables::message).await?;
    let changed: Vec<_> = changes.messages.changed.into_iter().map(|(_, row)| row).collect();
    update(on, "messages", &tables::MESSAGES, "", &changed, tables::message).await?;
    // A root before the replies that refer to it.
    let (roots, replies): (Vec<_>, Vec<_>) = changes.copies.new.into_iter().partition(|copy| copy.root.is_none());
    insert_copies(on, &roots).await?;
    insert_copies(on, &replies).await?;
    let changed: Vec<_> = changes.copies.changed.into_iter().map(|(_, row)| row).collect();
    update(on, "copies", &tables::COPY_CHANGES, "", &changed, tables::copy_change).await?;
    let is_same_lease = "AND t.fence = v.was_fence";
    update(on, "streams", &tables::STREAM_CHANGES, is_same_lease, &changes.streams.changed, tables::stream_change)
        .await?;
    insert(on, "attempts", &tables::ATTEMPTS, &changes.attempts, tables::attempt).await?;
    for (column, times) in [("held_until", changes.holds), ("last_delivered_at", changes.delivered)] {
        let times: Vec<_> = times.into_iter().collect();
        let sheet = Sheet::of(&tables::INSTALLATION_TIMES, &times, |((organization, id), at)| {
            [organization.as_str().into(), id.0.into(), at.as_micros().into()]
        });
        if !times.is_empty() {
            let rows = sheet::rows(on.get_database_backend(), &tables::INSTALLATION_TIMES, 1);
            let sql = format!(
                "UPDATE installations SET {column} = v.at FROM {rows} AS v WHERE installations.organization = v.organization
                AND installations.id = v.id AND (installations.{column} IS NULL OR installations.{column} < v.at)"
            );
            execute(on, &sql, sheet).await?;
        }
    }
    // Last, since all who append wait for each other here.
    events::append_all(on, database, changes.events).await?;
    let tallies: Vec<_> = changes.tallies.rows().collect();
    if tallies.is_empty() {
        return Ok(());
    }
    let rows = sheet::rows(on.get_database_backend(), &tables::TALLIES, 1);
    let sql = format!(
        "INSERT INTO tallies (organization, outcome, total) SELECT organization, outcome, total FROM {rows} AS v
        WHERE TRUE ON CONFLICT (organization, outcome) DO UPDATE SET total = tallies.total + excluded.total"
    );
    let sheet = Sheet::of(&tables::TALLIES, &tallies, |(organization, outcome, total)| {
        [(*organization).into(), (*outcome).into(), (*total).into()]
    });
    execute(on, &sql, sheet).await?;
    Ok(())
}

/// Write new copies.
///
/// # Errors
/// The database refuses.
pub(crate) async fn insert_copies(on: &DatabaseTransaction, rows: &[copies::Model]) -> Result<(), DbErr> {
    insert(on, "copies", &tables::COPIES, rows, tables::copy).await
}

async fn execute(on: &DatabaseTransaction, sql: &str, sheet: Sheet) -> Result<u64, DbErr> {
    let values: [Value; 1] = [sheet.into()];
    Ok(on.execute_raw(statement(on, sql, values)).await?.rows_affected())
}

async fn insert<const N: usize, T>(
    on: &DatabaseTransaction,
    table: &str,
    columns: &Columns<N>,
    rows: &[T],
    cells: impl for<'r> Fn(&'r T) -> [sheet::Cell<'r>; N],
) -> Result<(), DbErr> {
    if rows.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let names = names.join(", ");
    let source = sheet::rows(on.get_database_backend(), columns, 1);
    let sql = format!("INSERT INTO {table} ({names}) SELECT {names} FROM {source} AS v");
    execute(on, &sql, Sheet::of(columns, rows, cells)).await?;
    Ok(())
}

/// Change rows by organization and id; each must be there, as `condition` says.
async fn update<const N: usize, T>(
    on: &DatabaseTransaction,
    table: &str,
    columns: &Columns<N>,
    condition: &str,
    rows: &[T],
    cells: impl for<'r> Fn(&'r T) -> [sheet::Cell<'r>; N],
) -> Result<(), DbErr> {
    if rows.is_empty() {
        return Ok(());
    }
    let source = sheet::rows(on.get_database_backend(), columns, 1);
    let sets: Vec<String> = columns[2..].iter().filter_map(|(name, _)| set(table, name)).collect();
    let sets = sets.join(", ");
    let sql = format!(
        "UPDATE {table} AS t SET {sets} FROM {source} AS v
        WHERE t.organization = v.organization AND t.id = v.id {condition}"
    );
    let changed = execute(on, &sql, Sheet::of(columns, rows, cells)).await?;
    match usize::try_from(changed) == Ok(rows.len()) {
        true => Ok(()),
        false => Err(DbErr::Custom(format!("{changed} of {} rows of {table} were as they were loaded", rows.len()))),
    }
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
