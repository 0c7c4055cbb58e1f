//! Loading rows for a unit of work by their names, and locking them where several replicas
//! share the database. SQLite has one writer, so nothing has to be locked there. There, rows come
//! back gathered into one text a kind: each row by itself would wake the task that waits. Postgres
//! sends them together anyway, and would take longer to make the text.

use std::{collections::BTreeSet, sync::LazyLock};

use chatport_sdk::time::Timestamp;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, FromQueryResult, QueryResult, Value};
use uuid::Uuid;

use super::tables;
use crate::{
    delivery::{
        ledger::Stream,
        store::{Body, Documents, MessageDocument, Rows, RowsWanted},
    },
    ids::{InstallationId, OrganizationId},
    store::{
        entities::{copies, messages, streams},
        sheet::{self, Columns, Sheet},
        statement,
    },
};

/// How many due copies of a stream are looked at at once.
const HEADS: i64 = 4;

/// A stream with the hold of its installation.
pub(super) const STREAM: &str = "s.*, COALESCE((SELECT i.held_until FROM installations i
    WHERE i.organization = s.organization AND i.id = s.installation), 0) AS installation_held";

/// A lock, where the database has several writers.
pub(super) fn locking(engine: DbBackend, lock: &'static str) -> &'static str {
    match engine {
        DbBackend::Postgres => lock,
        _ => "",
    }
}

/// Streams with these ids. Postgres finds the ids first: a row that was waited for is looked at
/// once more with the whole of its condition, and where that has a union in it, it may not be
/// found again, though nothing but a lock was in the way.
pub(super) fn among(engine: DbBackend, ids: &str) -> String {
    match engine {
        DbBackend::Postgres => format!("= ANY (ARRAY({ids}))"),
        _ => format!("IN ({ids})"),
    }
}

pub(super) fn source<const N: usize>(on: &DatabaseTransaction, columns: &Columns<N>, number: usize) -> String {
    sheet::rows(on.get_database_backend(), columns, number)
}

pub(super) async fn query(
    on: &DatabaseTransaction,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<QueryResult>, DbErr> {
    on.query_all_raw(statement(on, sql, values)).await
}

fn owned(ids: &BTreeSet<(OrganizationId, Uuid)>) -> Sheet {
    Sheet::of(&tables::OWNED, ids, |(organization, id)| [organization.as_str().into(), (*id).into()])
}

/// What a statement asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Input {
    Messages,
    Places,
    Streams,
    Copies,
    Heads,
    Now,
    Organizations,
}

/// A query that loads rows of one kind.
struct Load {
    inputs: &'static [Input],
    /// Its text; its places are numbered from the second argument on.
    text: fn(DbBackend, usize) -> String,
    /// What SQLite gathers of each row.
    cells: fn() -> String,
    /// Reads what SQLite has gathered.
    read: fn(&mut Rows, &str) -> Result<(), serde_json::Error>,
    /// Takes a row of Postgres.
    take: fn(&mut Rows, &QueryResult) -> Result<(), DbErr>,
}

/// In the order in which rows are locked.
const LOADS: [Load; 4] = [
    Load {
        inputs: &[Input::Messages],
        text: messages,
        cells: || sheet::row(&tables::MESSAGES),
        read: |rows, text| read(&mut rows.messages, text, |row| row),
        take: |rows, row| {
            rows.messages.push(messages::Model::from_query_result(row, "")?);
            Ok(())
        },
    },
    Load {
        inputs: &[Input::Places, Input::Messages, Input::Streams],
        text: streams,
        cells: || format!("json_array({}, r.installation_held)", sheet::row(&tables::STREAMS)),
        read: |rows, text| {
            let stream = |(row, held): (streams::Model, i64)| Stream::loaded(row, held);
            read(&mut rows.streams, text, stream)
        },
        take: |rows, row| {
            rows.streams.push(stream_of(row)?);
            Ok(())
        },
    },
    Load {
        inputs: &[Input::Messages, Input::Copies, Input::Heads, Input::Now],
        text: copies,
        cells: || sheet::row(&tables::COPIES),
        read: |rows, text| read(&mut rows.copies, text, |row| row),
        take: |rows, row| {
            rows.copies.push(copies::Model::from_query_result(row, "")?);
            Ok(())
        },
    },
    Load {
        inputs: &[Input::Places, Input::Organizations],
        text: numbers,
        cells: || sheet::row(&tables::NUMBERS),
        read: |rows, text| {
            for (installation, organization, number) in serde_json::from_str::<Vec<_>>(text)? {
                note(rows, installation, organization, number);
            }
            Ok(())
        },
        take: |rows, row| {
            note(rows, row.try_get("", "installation")?, row.try_get("", "name")?, row.try_get("", "number")?);
            Ok(())
        },
    },
];

/// A stream with the hold of its installation, see [`STREAM`].
pub(super) fn stream_of(row: &QueryResult) -> Result<Stream, DbErr> {
    Ok(Stream::loaded(streams::Model::from_query_result(row, "")?, row.try_get("", "installation_held")?))
}

fn read<R: serde::de::DeserializeOwned, T>(
    into: &mut impl Extend<T>,
    text: &str,
    row: impl Fn(R) -> T,
) -> Result<(), serde_json::Error> {
    let rows: Vec<R> = serde_json::from_str(text)?;
    into.extend(rows.into_iter().map(row));
    Ok(())
}

fn messages(engine: DbBackend, first: usize) -> String {
    format!(
        "SELECT m.* FROM {} AS v CROSS JOIN messages m
        WHERE m.organization = v.organization AND m.key = v.key {}",
        sheet::rows(engine, &tables::KEYED, first),
        locking(engine, "ORDER BY m.id FOR UPDATE OF m")
    )
}

fn streams(engine: DbBackend, first: usize) -> String {
    let ids = format!(
        "SELECT p.id FROM {} AS v CROSS JOIN streams p WHERE p.installation = v.installation AND p.key = v.key
        UNION ALL
        SELECT c.stream FROM {} AS w CROSS JOIN messages m CROSS JOIN copies c
            WHERE m.organization = w.organization AND m.key = w.key
            AND c.organization = m.organization AND c.message = m.id
        UNION ALL
        SELECT x.id FROM {} AS x",
        sheet::rows(engine, &tables::PLACES, first),
        sheet::rows(engine, &tables::KEYED, first + 1),
        sheet::rows(engine, &tables::OWNED, first + 2),
    );
    format!(
        "SELECT {STREAM} FROM streams s WHERE s.id {} {}",
        among(engine, &ids),
        locking(engine, "ORDER BY s.id FOR UPDATE OF s")
    )
}

fn copies(engine: DbBackend, first: usize) -> String {
    let heads_of = sheet::rows(engine, &tables::HEADS_OF, first + 2);
    let heads =
        format!("FROM copies h WHERE h.stream = w.id AND h.due_at <= ${} ORDER BY h.sequence LIMIT {HEADS}", first + 3);
    let heads = match engine {
        DbBackend::Postgres => {
            format!("SELECT d.* FROM {heads_of} AS w CROSS JOIN LATERAL (SELECT h.* {heads}) AS d WHERE TRUE")
        }
        _ => format!("SELECT d.* FROM {heads_of} AS w CROSS JOIN copies d WHERE d.rowid IN (SELECT h.rowid {heads})"),
    };
    // The order is found in the index; the one that isn't wanted is among the first.
    let heads = format!("{heads} AND d.id IS DISTINCT FROM w.without");
    format!(
        "SELECT c.* FROM {} AS v CROSS JOIN messages m CROSS JOIN copies c
            WHERE m.organization = v.organization AND m.key = v.key
            AND c.organization = m.organization AND c.message = m.id
        UNION ALL
        SELECT c.* FROM {} AS v CROSS JOIN copies c WHERE c.organization = v.organization AND c.id = v.id
        UNION ALL {heads}",
        sheet::rows(engine, &tables::KEYED, first),
        sheet::rows(engine, &tables::OWNED, first + 1)
    )
}

/// Until when installations are held, and how much of organizations waits: in one go, since an
/// exchange with the database costs more than either. Messages are written only where this was
/// loaded: their organization stays as long.
fn numbers(engine: DbBackend, first: usize) -> String {
    let organizations = format!(
        "SELECT g.id FROM {} AS v CROSS JOIN organizations g WHERE g.id = v.name {}",
        sheet::rows(engine, &tables::NAMES, first + 1),
        locking(engine, "ORDER BY g.id FOR KEY SHARE OF g")
    );
    format!(
        "SELECT i.id AS installation, CAST(NULL AS TEXT) AS name, i.held_until AS number FROM installations i
            WHERE i.id IN (SELECT v.installation FROM {} AS v)
        UNION ALL
        SELECT NULL, o.id, CAST(COALESCE(SUM(CASE WHEN t.outcome = 'accepted' THEN t.total ELSE -t.total END), 0) AS BIGINT)
            FROM ({organizations}) AS o LEFT JOIN tallies t ON t.organization = o.id GROUP BY o.id",
        sheet::rows(engine, &tables::PLACES, first)
    )
}

fn note(rows: &mut Rows, installation: Option<Uuid>, organization: Option<String>, number: i64) {
    if let Some(id) = installation {
        rows.holds.insert(InstallationId(id), number);
    } else if let Some(id) = organization {
        rows.backlogs.insert(OrganizationId::stored(id), number);
    }
}

/// All loads as the columns of one row, for SQLite: there, an exchange with the connection's
/// thread costs more than what is done in it.
static ALL_LOADS: LazyLock<String> = LazyLock::new(|| {
    let mut first = 1;
    let texts = LOADS.iter().map(|load| {
        let text = sheet::gathered(&(load.cells)(), &(load.text)(DbBackend::Sqlite, first));
        first += load.inputs.len();
        format!("({text})")
    });
    format!("SELECT {}", texts.collect::<Vec<_>>().join(",\n"))
});

/// Each load for Postgres: it must see what was committed while the one before it waited for
/// its locks.
static EACH_LOAD: LazyLock<[String; 4]> = LazyLock::new(|| LOADS.map(|load| (load.text)(DbBackend::Postgres, 1)));

/// Load and lock rows.
pub(super) async fn rows(on: &DatabaseTransaction, wanted: &RowsWanted, now: Timestamp) -> Result<Rows, DbErr> {
    let asked = asked(wanted, now);
    let value = |input: &Input| asked[*input as usize].1.clone();
    let mut rows = Rows::default();
    if on.get_database_backend() == DbBackend::Sqlite {
        let values = LOADS.iter().flat_map(|load| load.inputs).map(value);
        let found = query(on, &ALL_LOADS, values).await?;
        let found = found.first().ok_or_else(|| DbErr::Custom("nothing was gathered".into()))?;
        for (index, load) in LOADS.iter().enumerate() {
            let text: String = found.try_get_by_index(index)?;
            (load.read)(&mut rows, &text).map_err(|error| DbErr::Json(error.to_string()))?;
        }
        return Ok(rows);
    }
    let mut may_find = asked.each_ref().map(|(is_asked, _)| *is_asked);
    for (load, text) in LOADS.iter().zip(EACH_LOAD.iter()) {
        if load.inputs.iter().any(|input| may_find[*input as usize]) {
            for row in query(on, text, load.inputs.iter().map(value)).await? {
                (load.take)(&mut rows, &row)?;
            }
        }
        // They come first; those that aren't there have no copies.
        may_find[Input::Messages as usize] = !rows.messages.is_empty();
    }
    complete(rows, wanted)
}

/// A copy that is changed while its stream isn't loaded would never be sent: rather fail.
fn complete(rows: Rows, wanted: &RowsWanted) -> Result<Rows, DbErr> {
    if wanted.messages.is_empty() {
        return Ok(rows);
    }
    let loaded: BTreeSet<Uuid> = rows.streams.iter().map(|stream| stream.row.id).collect();
    match rows.copies.iter().filter_map(|copy| copy.stream).find(|id| !loaded.contains(id)) {
        Some(id) => Err(DbErr::Custom(format!("stream {id} was not loaded"))),
        None => Ok(rows),
    }
}

/// Each input's value, and whether anything is asked for by it.
fn asked(wanted: &RowsWanted, now: Timestamp) -> [(bool, Value); 7] {
    let messages =
        Sheet::of(&tables::KEYED, &wanted.messages, |(organization, key)| [organization.as_str().into(), key.into()]);
    let places = Sheet::of(&tables::PLACES, &wanted.places, |(installation, key)| [installation.0.into(), key.into()]);
    let streams = Sheet::of(&tables::OWNED, &wanted.streams, |(organization, stream)| {
        [organization.as_str().into(), stream.0.into()]
    });
    let copies =
        Sheet::of(&tables::OWNED, &wanted.copies, |(organization, copy)| [organization.as_str().into(), copy.0.into()]);
    let heads_of: Vec<_> = wanted.heads_of.iter().collect();
    let heads = Sheet::of(&tables::HEADS_OF, &heads_of, |(stream, without)| {
        [stream.0.into(), without.map(|copy| copy.0).into()]
    });
    let organizations = Sheet::of(&tables::NAMES, &wanted.backlogs_of, |organization| [organization.as_str().into()]);
    [
        (!wanted.messages.is_empty(), messages.into()),
        (!wanted.places.is_empty(), places.into()),
        (!wanted.streams.is_empty(), streams.into()),
        (!wanted.copies.is_empty(), copies.into()),
        (!wanted.heads_of.is_empty(), heads.into()),
        (false, now.as_micros().into()),
        (!wanted.backlogs_of.is_empty(), organizations.into()),
    ]
}

pub(super) async fn documents(
    on: &DatabaseTransaction,
    messages: &BTreeSet<(OrganizationId, Uuid)>,
    events: &BTreeSet<(OrganizationId, Uuid)>,
) -> Result<Documents, DbErr> {
    let mut documents = Documents::default();
    if !messages.is_empty() {
        let sql = format!(
            "SELECT m.id, m.key, m.body, m.pinned FROM {} AS v CROSS JOIN messages m
            WHERE m.organization = v.organization AND m.id = v.id",
            source(on, &tables::OWNED, 1)
        );
        for row in query(on, &sql, [owned(messages).into()]).await? {
            let document = MessageDocument {
                key: row.try_get("", "key")?,
                body: Body::Stored(row.try_get("", "body")?),
                pinned: row.try_get::<Option<String>>("", "pinned")?.map(Body::Stored),
            };
            documents.messages.insert(row.try_get("", "id")?, document);
        }
    }
    if !events.is_empty() {
        let sql = format!(
            "SELECT e.id, e.body FROM {} AS v CROSS JOIN events e WHERE e.organization = v.organization AND e.id = v.id",
            source(on, &tables::OWNED, 1)
        );
        for row in query(on, &sql, [owned(events).into()]).await? {
            documents.events.insert(row.try_get("", "id")?, row.try_get("", "body")?);
        }
    }
    Ok(documents)
}
