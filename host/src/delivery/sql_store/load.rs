//! Loading rows for a unit of work, and locking them where several replicas share the
//! database. SQLite has one writer, so nothing has to be locked there.

use std::{collections::BTreeSet, sync::LazyLock};

use chatport_sdk::time::Timestamp;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, FromQueryResult, QueryResult, Value};
use uuid::Uuid;

use super::tables;
use crate::{
    delivery::{
        CancelWhat,
        ledger::Stream,
        store::{Body, Documents, Full, MessageDocument, Rows, RowsWanted},
    },
    ids::{InstallationId, OrganizationId, StreamId},
    store::{
        entities::{copies, messages, streams},
        sheet::{self, Columns, Sheet},
        statement,
    },
};

/// How many due copies of a stream are looked at at once.
const HEADS: i64 = 4;
/// Most streams that one organization gets in one lease.
const ORGANIZATION_SHARE: i64 = 8;

/// A stream with the hold of its installation.
const STREAM: &str = "s.*, COALESCE((SELECT i.held_until FROM installations i
    WHERE i.organization = s.organization AND i.id = s.installation), 0) AS installation_held";

/// Urgent streams go before others that have been due for up to five minutes longer; those
/// with low urgency let others pass that came up to a minute later. So nothing starves.
const TURN: &str = "(CASE WHEN d.due_at > d.held_until THEN d.due_at ELSE d.held_until END
    - CASE d.urgency WHEN 2 THEN 300000000 WHEN 0 THEN -60000000 ELSE 0 END)";

/// A lock, where the database has several writers.
fn locking(engine: DbBackend, lock: &'static str) -> &'static str {
    match engine {
        DbBackend::Postgres => lock,
        _ => "",
    }
}

/// Streams with these ids. Postgres finds the ids first: a row that was waited for is looked at
/// once more with the whole of its condition, and where that has a union in it, it may not be
/// found again, though nothing but a lock was in the way.
fn among(engine: DbBackend, ids: &str) -> String {
    match engine {
        DbBackend::Postgres => format!("= ANY (ARRAY({ids}))"),
        _ => format!("IN ({ids})"),
    }
}

fn source<const N: usize>(on: &DatabaseTransaction, columns: &Columns<N>, number: usize) -> String {
    sheet::rows(on.get_database_backend(), columns, number)
}

async fn query(
    on: &DatabaseTransaction,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<QueryResult>, DbErr> {
    on.query_all_raw(statement(on, sql, values)).await
}

fn models<T: FromQueryResult>(rows: &[QueryResult]) -> Result<Vec<T>, DbErr> {
    rows.iter().map(|row| T::from_query_result(row, "")).collect()
}

fn stream_of(row: &QueryResult) -> Result<Stream, DbErr> {
    Ok(Stream::loaded(streams::Model::from_query_result(row, "")?, row.try_get("", "installation_held")?))
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

/// A statement that loads rows of one kind, which stands in their first column.
struct Load {
    inputs: &'static [Input],
    /// Its text; its places are numbered from the second argument on.
    text: fn(DbBackend, usize) -> String,
}

/// In the order in which rows are locked.
const LOADS: [Load; 5] = [
    Load { inputs: &[Input::Messages], text: messages },
    Load { inputs: &[Input::Places, Input::Messages, Input::Streams], text: streams },
    Load { inputs: &[Input::Messages, Input::Copies, Input::Heads, Input::Now], text: copies },
    Load { inputs: &[Input::Places], text: holds },
    Load { inputs: &[Input::Organizations], text: backlogs },
];

fn messages(engine: DbBackend, first: usize) -> String {
    format!(
        "SELECT 'message' AS kind, m.* FROM {} AS v CROSS JOIN messages m
        WHERE m.organization = v.organization AND m.key = v.key ORDER BY m.id {}",
        sheet::rows(engine, &tables::KEYED, first),
        locking(engine, "FOR UPDATE OF m")
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
        "SELECT 'stream' AS kind, {STREAM} FROM streams s WHERE s.id {} ORDER BY s.id {}",
        among(engine, &ids),
        locking(engine, "FOR UPDATE OF s")
    )
}

fn copies(engine: DbBackend, first: usize) -> String {
    let heads_of = sheet::rows(engine, &tables::IDS, first + 2);
    let heads =
        format!("FROM copies h WHERE h.stream = w.id AND h.due_at <= ${} ORDER BY h.sequence LIMIT {HEADS}", first + 3);
    let heads = match engine {
        DbBackend::Postgres => {
            format!("SELECT 'copy', d.* FROM {heads_of} AS w CROSS JOIN LATERAL (SELECT h.* {heads}) AS d")
        }
        _ => format!(
            "SELECT 'copy', d.* FROM {heads_of} AS w CROSS JOIN copies d WHERE d.rowid IN (SELECT h.rowid {heads})"
        ),
    };
    format!(
        "SELECT 'copy' AS kind, c.* FROM {} AS v CROSS JOIN messages m CROSS JOIN copies c
            WHERE m.organization = v.organization AND m.key = v.key
            AND c.organization = m.organization AND c.message = m.id
        UNION ALL
        SELECT 'copy', c.* FROM {} AS v CROSS JOIN copies c WHERE c.organization = v.organization AND c.id = v.id
        UNION ALL {heads}",
        sheet::rows(engine, &tables::KEYED, first),
        sheet::rows(engine, &tables::OWNED, first + 1)
    )
}

fn holds(engine: DbBackend, first: usize) -> String {
    format!(
        "SELECT 'hold' AS kind, i.id, i.held_until FROM installations i WHERE i.id IN (SELECT v.installation FROM {} AS v)",
        sheet::rows(engine, &tables::PLACES, first)
    )
}

fn backlogs(engine: DbBackend, first: usize) -> String {
    format!(
        "SELECT 'backlog' AS kind, o.id,
            CAST(COALESCE(SUM(CASE WHEN t.outcome = 'accepted' THEN t.total ELSE -t.total END), 0) AS BIGINT) AS backlog
        FROM {} AS v CROSS JOIN organizations o LEFT JOIN tallies t ON t.organization = o.id
        WHERE o.id = v.name GROUP BY o.id",
        sheet::rows(engine, &tables::NAMES, first)
    )
}

/// All loads in one text, for SQLite: there, an exchange with the connection's thread costs
/// more than what is done in it.
static ALL_LOADS: LazyLock<String> = LazyLock::new(|| {
    let mut first = 1;
    let texts = LOADS.iter().map(|load| {
        let text = (load.text)(DbBackend::Sqlite, first);
        first += load.inputs.len();
        text
    });
    texts.collect::<Vec<_>>().join(";\n")
});

/// Each load for Postgres: it must see what was committed while the one before it waited for
/// its locks.
static EACH_LOAD: LazyLock<[String; 5]> = LazyLock::new(|| LOADS.map(|load| (load.text)(DbBackend::Postgres, 1)));

/// Load and lock rows.
pub(super) async fn rows(on: &DatabaseTransaction, wanted: &RowsWanted, now: Timestamp) -> Result<Rows, DbErr> {
    let asked = asked(wanted, now);
    let value = |input: &Input| asked[*input as usize].1.clone();
    let mut rows = Rows::default();
    if on.get_database_backend() == DbBackend::Sqlite {
        let values = LOADS.iter().flat_map(|load| load.inputs).map(value);
        add(&mut rows, query(on, &ALL_LOADS, values).await?)?;
        return Ok(rows);
    }
    for (load, text) in LOADS.iter().zip(EACH_LOAD.iter()) {
        if load.inputs.iter().any(|input| asked[*input as usize].0) {
            add(&mut rows, query(on, text, load.inputs.iter().map(value)).await?)?;
        }
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
    let heads = Sheet::of(&tables::IDS, &wanted.heads_of, |stream| [stream.0.into()]);
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

fn add(rows: &mut Rows, found: Vec<QueryResult>) -> Result<(), DbErr> {
    for row in found {
        match row.try_get::<String>("", "kind")?.as_str() {
            "message" => rows.messages.push(messages::Model::from_query_result(&row, "")?),
            "stream" => rows.streams.push(stream_of(&row)?),
            "copy" => rows.copies.push(copies::Model::from_query_result(&row, "")?),
            "hold" => {
                rows.holds.insert(InstallationId(row.try_get("", "id")?), row.try_get("", "held_until")?);
            }
            _ => {
                rows.backlogs.insert(OrganizationId::stored(row.try_get("", "id")?), row.try_get("", "backlog")?);
            }
        }
    }
    Ok(())
}

/// Each organization that has something due gets its turn, found by hopping from one to the
/// next in the index: the cost depends on how many there are, not on how much waits.
pub(super) async fn due(
    on: &DatabaseTransaction,
    limit: usize,
    full: &Full,
    now: Timestamp,
) -> Result<Vec<Stream>, DbErr> {
    let share = format!(
        "SELECT d.id, {TURN} AS turn FROM streams d
            LEFT JOIN installations h ON h.organization = d.organization AND h.id = d.installation
        WHERE d.organization = o.organization AND d.due_at <= $1 AND d.held_until <= $1
            AND (d.owner IS NULL OR d.lease_until <= $1) AND (h.held_until IS NULL OR h.held_until <= $1)
            AND (d.installation IS NULL OR d.installation NOT IN {})
            AND (d.subscription IS NULL OR d.subscription NOT IN {})
        ORDER BY turn LIMIT {ORGANIZATION_SHARE}",
        source(on, &tables::IDS, 4),
        source(on, &tables::NAMES, 5)
    );
    // The one thing that the two say differently: a subquery that runs for each row before it.
    let shares = match on.get_database_backend() {
        DbBackend::Postgres => format!("CROSS JOIN LATERAL ({share}) AS p"),
        _ => format!("CROSS JOIN streams d0 ON d0.id IN (SELECT id FROM ({share}))"),
    };
    let (id, turn) = match on.get_database_backend() {
        DbBackend::Postgres => ("p.id", "p.turn".to_owned()),
        _ => ("d0.id", TURN.replace("d.", "d0.")),
    };
    let sql = format!(
        "WITH RECURSIVE o(organization) AS (
            SELECT (SELECT a.organization FROM streams a WHERE a.due_at IS NOT NULL ORDER BY a.organization LIMIT 1)
            UNION ALL
            SELECT (SELECT b.organization FROM streams b WHERE b.due_at IS NOT NULL AND b.organization > o.organization
                ORDER BY b.organization LIMIT 1) FROM o WHERE o.organization IS NOT NULL),
        picked AS (SELECT {id} AS id, {turn} AS turn,
                ROW_NUMBER() OVER (PARTITION BY o.organization ORDER BY {turn}) AS place
            FROM o {shares} WHERE o.organization IS NOT NULL AND o.organization NOT IN {}),
        first AS (SELECT id FROM picked ORDER BY place, turn LIMIT $2)
        SELECT {STREAM} FROM streams s WHERE s.id {}
            AND s.due_at <= $1 AND (s.owner IS NULL OR s.lease_until <= $1) {}",
        source(on, &tables::NAMES, 3),
        among(on.get_database_backend(), "SELECT id FROM first"),
        locking(on.get_database_backend(), "FOR UPDATE OF s SKIP LOCKED")
    );
    let values: [Value; 5] = [
        now.as_micros().into(),
        i64::try_from(limit).unwrap_or(i64::MAX).into(),
        Sheet::of(&tables::NAMES, &full.organizations, |organization| [organization.as_str().into()]).into(),
        Sheet::of(&tables::IDS, &full.installations, |installation| [installation.0.into()]).into(),
        Sheet::of(&tables::NAMES, &full.subscriptions, |name| [name.into()]).into(),
    ];
    query(on, &sql, values).await?.iter().map(stream_of).collect()
}

pub(super) async fn overdue(on: &DatabaseTransaction, limit: u64, now: Timestamp) -> Result<Vec<copies::Model>, DbErr> {
    // A copy that is leased right now is expired by its worker.
    let sql = format!(
        "SELECT c.* FROM copies c JOIN streams s ON s.organization = c.organization AND s.id = c.stream
        WHERE c.is_open AND c.expires_at <= $1 AND (s.owner IS NULL OR s.lease_until <= $1) LIMIT {limit} {}",
        locking(on.get_database_backend(), "FOR UPDATE OF c, s SKIP LOCKED")
    );
    models(&query(on, &sql, [now.as_micros().into()]).await?)
}

/// Of the index of what may be folded alone, so it costs nothing where nobody has asked for it.
pub(super) async fn foldable(
    on: &DatabaseTransaction,
    waiting: usize,
    late: Timestamp,
    (streams, limit): (usize, usize),
    now: Timestamp,
) -> Result<Vec<copies::Model>, DbErr> {
    let is_waiting = |copy: &str| {
        format!(
            "{copy}.may_fold AND {copy}.due_at <= $1 AND {copy}.state = 'pending' AND {copy}.parts = '[]'
                AND {copy}.sending IS NULL AND {copy}.attempts = 0"
        )
    };
    let sql = format!(
        "SELECT c.* FROM copies c JOIN streams s ON s.organization = c.organization AND s.id = c.stream
        WHERE {} AND c.stream IN (SELECT f.stream FROM copies f WHERE {} GROUP BY f.stream
            HAVING COUNT(*) >= {waiting} AND MIN(f.due_at) <= $2 ORDER BY MIN(f.due_at) LIMIT {streams})
        ORDER BY c.stream, c.sequence, c.id LIMIT {limit} {}",
        is_waiting("c"),
        is_waiting("f"),
        locking(on.get_database_backend(), "FOR UPDATE OF c, s SKIP LOCKED")
    );
    models(&query(on, &sql, [now.as_micros().into(), late.as_micros().into()]).await?)
}

pub(super) async fn folded(on: &DatabaseTransaction, limit: usize) -> Result<Vec<(copies::Model, bool)>, DbErr> {
    let sql = format!(
        "SELECT c.*, r.shown IS NOT NULL AS was_shown
        FROM copies c JOIN streams s ON s.organization = c.organization AND s.id = c.stream
            LEFT JOIN copies r ON r.organization = c.organization AND r.message = c.folded_into
        WHERE c.is_open AND c.folded_into IS NOT NULL AND (r.id IS NULL OR NOT r.is_open)
        ORDER BY c.id LIMIT {limit} {}",
        locking(on.get_database_backend(), "FOR UPDATE OF c, s SKIP LOCKED")
    );
    let rows = query(on, &sql, []).await?;
    rows.iter().map(|row| Ok((copies::Model::from_query_result(row, "")?, row.try_get("", "was_shown")?))).collect()
}

/// Lock the streams that this process has leased.
pub(super) async fn leased(on: &DatabaseTransaction, owner: Uuid) -> Result<Vec<StreamId>, DbErr> {
    let lock = locking(on.get_database_backend(), "FOR UPDATE");
    let sql = format!("SELECT s.id FROM streams s WHERE s.owner = $1 ORDER BY s.id {lock}");
    query(on, &sql, [owner.into()]).await?.iter().map(|row| Ok(StreamId(row.try_get("", "id")?))).collect()
}

/// The streams that a cancellation concerns, and their places in the statement.
fn cancelled(organization: &OrganizationId, what: &CancelWhat) -> (String, Vec<Value>) {
    let (condition, mut values): (&str, Vec<Value>) = match what {
        CancelWhat::Installation(installation) => ("s.installation = $2", vec![installation.0.into()]),
        CancelWhat::Conversation(installation, key) => {
            ("s.installation = $2 AND s.key = $3", vec![installation.0.into(), key.as_str().into()])
        }
    };
    values.insert(0, organization.as_str().into());
    (format!("FROM streams s WHERE s.organization = $1 AND {condition} AND s.due_at IS NOT NULL"), values)
}

/// Lock the streams in which copies are to be called off. Whoever records results locks
/// streams before anything else, and so must a transaction that will cancel.
///
/// # Errors
/// The database refuses.
pub(crate) async fn lock_streams(
    on: &DatabaseTransaction,
    organization: &OrganizationId,
    what: &CancelWhat,
) -> Result<(), DbErr> {
    if on.get_database_backend() == DbBackend::Postgres {
        let (streams, values) = cancelled(organization, what);
        query(on, &format!("SELECT s.id {streams} ORDER BY s.id FOR UPDATE"), values).await?;
    }
    Ok(())
}

pub(super) async fn open_copies(
    on: &DatabaseTransaction,
    organization: &OrganizationId,
    what: &CancelWhat,
) -> Result<Vec<copies::Model>, DbErr> {
    lock_streams(on, organization, what).await?;
    let (streams, values) = cancelled(organization, what);
    let condition = match what {
        CancelWhat::Installation(_) => "",
        // Those to the conversation, whichever target led there; not those to persons.
        CancelWhat::Conversation(..) => "AND c.account IS NULL",
    };
    let sql = format!("SELECT c.* FROM copies c WHERE c.is_open AND c.stream IN (SELECT s.id {streams}) {condition}");
    models(&query(on, &sql, values).await?)
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
