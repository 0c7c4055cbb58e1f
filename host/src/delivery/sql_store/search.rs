//! Rows that are found by how they stand: what is due, what has run out, what may be folded,
//! what is to be called off. Where several replicas share the database they are locked.

use chatport_sdk::time::Timestamp;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, FromQueryResult, QueryResult, Value};
use uuid::Uuid;

use super::{
    load::{STREAM, among, locking, query, source, stream_of},
    tables,
};
use crate::{
    delivery::{
        CancelWhat,
        ledger::Stream,
        store::{Full, SHARE},
    },
    ids::{OrganizationId, StreamId},
    store::{entities::copies, sheet::Sheet},
};

/// Urgent streams go before others that have been due for up to five minutes longer; those
/// with low urgency let others pass that came up to a minute later. So nothing starves.
const TURN: &str = "(CASE WHEN d.due_at > d.held_until THEN d.due_at ELSE d.held_until END
    - CASE d.urgency WHEN 2 THEN 300000000 WHEN 0 THEN -60000000 ELSE 0 END)";

fn models<T: FromQueryResult>(rows: &[QueryResult]) -> Result<Vec<T>, DbErr> {
    rows.iter().map(|row| T::from_query_result(row, "")).collect()
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
            LEFT JOIN installations h ON h.id = d.installation
        WHERE d.organization = o.organization AND d.due_at <= $1 AND d.held_until <= $1
            AND (d.owner IS NULL OR d.lease_until <= $1) AND (h.held_until IS NULL OR h.held_until <= $1)
            AND (d.installation IS NULL OR d.installation NOT IN {})
            AND (d.subscription IS NULL OR d.subscription NOT IN {})
        ORDER BY turn LIMIT {SHARE}",
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
    // A copy that is leased right now is expired by its worker. Its stream is looked at for each
    // copy: of a join, Postgres may take streams first and read all that were ever sent there.
    let lock = locking(on.get_database_backend(), "FOR UPDATE SKIP LOCKED");
    let sql = format!(
        "SELECT c.* FROM copies c WHERE c.is_open AND c.expires_at <= $1 AND EXISTS
            (SELECT 1 FROM streams s WHERE s.id = c.stream AND (s.owner IS NULL OR s.lease_until <= $1) {lock})
        LIMIT {limit} {lock}"
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
        "SELECT c.* FROM copies c JOIN streams s ON s.id = c.stream
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
        FROM copies c JOIN streams s ON s.id = c.stream
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
    let (streams, mut values) = cancelled(organization, what);
    values.push(Uuid::nil().into());
    let condition = match what {
        CancelWhat::Installation(_) => "",
        // Those to the conversation, whichever target led there; not those to persons.
        CancelWhat::Conversation(..) => "AND c.account IS NULL",
    };
    // Open are those that are due some time, and lines of summaries. For each there is an index;
    // for both together Postgres would read all that is open.
    let open = |which: &str| {
        format!(
            "SELECT c.* FROM copies c WHERE c.is_open AND {which} AND c.stream IN (SELECT s.id {streams}) {condition}"
        )
    };
    let (due, folded) = ("c.due_at IS NOT NULL", format!("c.due_at IS NULL AND c.folded_into > ${}", values.len()));
    models(&query(on, &format!("{} UNION ALL {}", open(due), open(&folded)), values).await?)
}
