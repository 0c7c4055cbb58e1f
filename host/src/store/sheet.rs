//! Many rows in one statement. They travel as one JSON text, so that a statement has the same
//! text for any number of rows and is prepared once; rows that SQLite reads travel so too. To
//! SQLite a few rows that are written travel cell by cell, which costs a fifth of that: there are
//! a few texts then, each with room for a number of rows.

use std::{borrow::Cow, fmt::Write};

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Value};
use serde::{Deserialize, Deserializer, de::Error};
use uuid::Uuid;

use super::statement;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Integer,
    Boolean,
    Id,
    Bytes,
}

/// The columns of a sheet, by name.
pub(crate) type Columns<const N: usize> = [(&'static str, Kind); N];

/// A subquery that gives the rows of the sheet in parameter `$number`.
pub(crate) fn rows<const N: usize>(engine: DbBackend, columns: &Columns<N>, number: usize) -> String {
    rows_at(engine, columns, &format!("${number}"))
}

fn rows_at(engine: DbBackend, columns: &[(&str, Kind)], place: &str) -> String {
    let mut sql = String::from("(SELECT ");
    for (index, (name, kind)) in columns.iter().enumerate() {
        let value = format!("value ->> {index}");
        let cell = match (engine, kind) {
            (DbBackend::Postgres, Kind::Text) => value,
            (DbBackend::Postgres, Kind::Integer) => format!("CAST({value} AS BIGINT)"),
            (DbBackend::Postgres, Kind::Boolean) => format!("CAST({value} AS BOOLEAN)"),
            (DbBackend::Postgres, Kind::Id) => format!("CAST({value} AS UUID)"),
            (DbBackend::Postgres, Kind::Bytes) => format!("decode({value}, 'hex')"),
            (_, Kind::Id | Kind::Bytes) => format!("unhex({value})"),
            (_, Kind::Text | Kind::Integer | Kind::Boolean) => value,
        };
        let comma = if index == 0 { "" } else { ", " };
        // Writing to a String can't fail.
        let _ = write!(sql, "{comma}{cell} AS {name}");
    }
    match engine {
        DbBackend::Postgres => write!(sql, " FROM jsonb_array_elements(CAST({place} AS JSONB)) AS e(value))"),
        _ => write!(sql, " FROM jsonb_each({place}))"),
    }
    .unwrap_or_default();
    sql
}

/// A query that gives all rows of `from` as one text, on SQLite. `row`: what is kept of each,
/// see [`row`].
pub(crate) fn gathered(row: &str, from: &str) -> String {
    format!("SELECT json_group_array({row}) FROM ({from}) AS r")
}

/// The columns of `r`, in their order.
pub(crate) fn row<const N: usize>(columns: &Columns<N>) -> String {
    let cells = columns.map(|(name, kind)| match kind {
        // `hex` makes an empty text of nothing.
        Kind::Id | Kind::Bytes => format!("nullif(hex(r.{name}), '')"),
        Kind::Boolean => format!("json(iif(r.{name}, 'true', 'false'))"),
        Kind::Text | Kind::Integer => format!("r.{name}"),
    });
    format!("json_array({})", cells.join(", "))
}

/// Reads the bytes of a cell.
pub(crate) fn bytes<'de, D: Deserializer<'de>>(cell: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(cell)?;
    let byte = |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
    text.as_bytes().chunks(2).map(byte).collect::<Option<_>>().ok_or_else(|| D::Error::custom("these are no bytes"))
}

/// One value.
pub(crate) enum Cell<'a> {
    Nothing,
    Text(&'a str),
    Integer(i64),
    Boolean(bool),
    Id(Uuid),
    Bytes(&'a [u8]),
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Cell<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Cell<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Cell<'_> {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<Uuid> for Cell<'_> {
    fn from(id: Uuid) -> Self {
        Self::Id(id)
    }
}

impl<'a, T: Into<Cell<'a>>> From<Option<T>> for Cell<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Into::into)
    }
}

/// Rows on their way into a statement.
#[derive(Default)]
pub(crate) struct Sheet {
    json: String,
}

impl Sheet {
    /// Rows of `N` cells, as many as the columns.
    pub(crate) fn of<'r, const N: usize, T: 'r>(
        _: &Columns<N>,
        rows: impl IntoIterator<Item = &'r T>,
        cells: impl Fn(&'r T) -> [Cell<'r>; N],
    ) -> Self {
        let rows = rows.into_iter();
        let mut sheet = Self { json: String::with_capacity(64 + rows.size_hint().0 * 256) };
        sheet.json.push('[');
        for (index, row) in rows.enumerate() {
            if index > 0 {
                sheet.json.push(',');
            }
            sheet.add(&cells(row));
        }
        sheet.json.push(']');
        sheet
    }

    fn add(&mut self, cells: &[Cell<'_>]) {
        for (index, cell) in cells.iter().enumerate() {
            self.json.push(if index == 0 { '[' } else { ',' });
            match cell {
                Cell::Nothing => self.json.push_str("null"),
                Cell::Text(text) => self.text(text),
                Cell::Integer(number) => write!(self.json, "{number}").unwrap_or_default(),
                Cell::Boolean(value) => self.json.push_str(if *value { "true" } else { "false" }),
                Cell::Id(id) => write!(self.json, "\"{}\"", id.simple()).unwrap_or_default(),
                Cell::Bytes(bytes) => write!(self.json, "\"{}\"", chatport_sdk::crypto::hex(bytes)).unwrap_or_default(),
            }
        }
        self.json.push(']');
    }

    fn text(&mut self, text: &str) {
        // A string can always be written as JSON.
        self.json.push_str(&serde_json::to_string(&clean(text)).unwrap_or_default());
    }
}

impl From<Sheet> for Value {
    fn from(sheet: Sheet) -> Self {
        sheet.json.into()
    }
}

/// For how many rows a text that takes them cell by cell has room. More travel as a sheet.
const ROOMS: [usize; 2] = [8, 40];

/// Rows that are to be written.
pub(crate) struct Rows {
    columns: &'static [(&'static str, Kind)],
    /// How many.
    pub(crate) count: usize,
    /// As one sheet, or the cells of so many rows.
    room: Option<usize>,
    values: Vec<Value>,
}

impl Rows {
    /// Rows of `N` cells, as many as the columns; the first of each isn't empty.
    pub(crate) fn of<'r, const N: usize, T>(
        engine: DbBackend,
        columns: &'static Columns<N>,
        rows: &'r [T],
        cells: impl Fn(&'r T) -> [Cell<'r>; N],
    ) -> Self {
        let count = rows.len();
        let room = ROOMS.into_iter().find(|room| engine == DbBackend::Sqlite && *room >= count);
        let values = match room {
            None => vec![Sheet::of(columns, rows, cells).into()],
            Some(room) => {
                let mut values: Vec<Value> = Vec::with_capacity(room * N);
                values.extend(rows.iter().flat_map(|row| cells(row).map(Value::from)));
                values.resize(room * N, Value::String(None));
                values
            }
        };
        Self { columns, count, room, values }
    }

    /// A subquery that gives them. On Postgres from parameter `$number`, on SQLite from the next ones
    /// that haven't been used.
    pub(crate) fn source(&self, engine: DbBackend, number: usize) -> String {
        let Some(room) = self.room else {
            let place = if engine == DbBackend::Sqlite { "?".to_owned() } else { format!("${number}") };
            return rows_at(engine, self.columns, &place);
        };
        let names = self.columns.iter().zip(1..).map(|((name, _), number)| format!("column{number} AS {name}"));
        let names: Vec<String> = names.collect();
        let row = format!("(?{})", ",?".repeat(self.columns.len() - 1));
        let rows = vec![row; room].join(",");
        format!("(SELECT {} FROM (VALUES {rows}) WHERE column1 IS NOT NULL)", names.join(", "))
    }

    /// What the parameters are.
    pub(crate) fn into_values(self) -> Vec<Value> {
        self.values
    }
}

/// A statement that writes rows of a table, which come from a subquery; and the rows.
pub(crate) type Part = (fn(&str) -> String, Rows);

/// Statements that write rows, in one exchange with the database.
#[derive(Default)]
pub(crate) struct Script {
    sql: String,
    values: Vec<Value>,
    /// How many rows they write.
    count: usize,
}

impl Script {
    /// One after the other. Postgres takes one alone.
    pub(crate) fn of(engine: DbBackend, parts: impl IntoIterator<Item = Part>) -> Self {
        let mut script = Self::default();
        for (text, rows) in parts {
            let (sql, count) = (text(&rows.source(engine, 1)), rows.count);
            script.add(&sql, rows.into_values(), count);
        }
        script
    }

    /// One more that writes so many rows.
    pub(crate) fn add(&mut self, sql: &str, values: impl IntoIterator<Item = Value>, count: usize) {
        self.sql += sql;
        self.sql.push(';');
        self.values.extend(values);
        self.count += count;
    }

    /// Run them.
    ///
    /// # Errors
    /// The database refuses, or another number of rows was written.
    pub(crate) async fn run(self, on: &impl ConnectionTrait) -> Result<(), DbErr> {
        if self.count == 0 {
            return Ok(());
        }
        let done = on.execute_raw(statement(on, &self.sql, self.values)).await?;
        expect(done.rows_affected(), self.count)
    }
}

/// Whether as many rows were written as there were.
pub(crate) fn expect(written: u64, count: usize) -> Result<(), DbErr> {
    match usize::try_from(written) == Ok(count) {
        true => Ok(()),
        false => Err(DbErr::Custom(format!("{written} rows instead of {count} were as they were loaded"))),
    }
}

impl From<Cell<'_>> for Value {
    fn from(cell: Cell<'_>) -> Self {
        match cell {
            Cell::Nothing => Self::String(None),
            Cell::Text(text) => clean(text).into_owned().into(),
            Cell::Integer(number) => number.into(),
            Cell::Boolean(value) => value.into(),
            Cell::Id(id) => id.into(),
            Cell::Bytes(bytes) => bytes.to_vec().into(),
        }
    }
}

/// Postgres keeps no text with a zero in it; a platform's words may have one.
fn clean(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}
