//! What the application hears. An event is written in the transaction of the change that
//! it tells of; with it one copy for each subscription that wants its kind, so events are
//! delivered by the same engine as messages. The sequence is taken under a row lock that
//! lasts until commit: whoever reads up to a sequence has seen everything before it.

pub mod health;
pub mod invoke;
pub mod kind;
pub mod log;
pub mod subscriptions;
pub mod webhook;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chatport_sdk::{schemars::JsonSchema, time::Timestamp};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, Value};
use serde::Serialize;
use serde_json::{json, value::RawValue};

pub use invoke::{ActionReply, invoke};
pub use kind::EventKind;

use crate::{
    ids::{CopyId, EventId, OrganizationId, StreamId},
    store::{
        Database, entities,
        sheet::{self, Columns, Kind, Part, Rows, Script, Sheet},
        statement,
    },
};

/// How long an event is tried. It can be read by cursor for as long.
pub const EVENT_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);

/// Something to tell the application.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Its id; chosen early where something is sent under it before it is stored.
    pub id: EventId,
    /// What kind.
    pub kind: EventKind,
    /// What stands under `data`, as JSON.
    pub data: Box<RawValue>,
    /// When it happened.
    pub at: Timestamp,
    /// How long the engine leaves it to whoever sends it synchronously.
    pub hold: Duration,
}

impl NewEvent {
    /// An event.
    pub fn new(kind: EventKind, data: &impl Serialize, now: Timestamp) -> Self {
        Self::under(EventId::new(), kind, data, now)
    }

    /// An event under an id that has been made already.
    pub(crate) fn under(id: EventId, kind: EventKind, data: &impl Serialize, now: Timestamp) -> Self {
        // Serializing plain data into memory can't fail.
        let data = serde_json::value::to_raw_value(data).expect("what is told is plain data");
        Self { id, kind, data, at: now, hold: Duration::ZERO }
    }

    /// When the engine may send it.
    fn due(&self) -> Timestamp {
        self.at.plus(self.hold)
    }

    /// The text that is stored, signed and sent: the same bytes each time.
    pub fn body(&self, organization: &OrganizationId) -> String {
        let event = Event {
            id: self.id,
            kind: self.kind,
            organization: organization.clone(),
            timestamp: self.at,
            data: &self.data,
        };
        // Serializing plain data into memory can't fail.
        serde_json::to_string(&event).expect("an event is plain data")
    }
}

/// An event as the application receives it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Event<T> {
    /// The same for each time that it is sent, and in `webhook-id`.
    pub id: EventId,
    /// What kind.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// Whose it is.
    pub organization: OrganizationId,
    /// When it happened.
    pub timestamp: Timestamp,
    /// What it tells.
    pub data: T,
}

/// Write an event and its copies. Wake the delivery after the commit.
///
/// # Errors
/// The database refuses.
pub async fn append(
    transaction: &DatabaseTransaction,
    organization: &OrganizationId,
    event: NewEvent,
) -> Result<(), DbErr> {
    let subscriptions = entities::subscriptions::Entity::find().all(transaction).await?;
    append_for(transaction, &subscriptions, Vec::new(), vec![(organization.clone(), event)]).await?;
    Ok(())
}

/// Write several events and their copies, by what is known of the subscriptions; and in the same
/// exchange, before them, some other rows. The answer is whether there are any copies.
///
/// # Errors
/// The database refuses.
pub(crate) async fn append_all(
    transaction: &DatabaseTransaction,
    database: &Database,
    first: Vec<Part>,
    events: Vec<(OrganizationId, NewEvent)>,
) -> Result<bool, DbErr> {
    if events.is_empty() {
        Script::of(transaction.get_database_backend(), first).run(transaction).await?;
        return Ok(false);
    }
    append_for(transaction, &subscriptions::stored_rows(database).await?, first, events).await
}

async fn append_for(
    transaction: &DatabaseTransaction,
    subscriptions: &[entities::subscriptions::Model],
    first: Vec<Part>,
    events: Vec<(OrganizationId, NewEvent)>,
) -> Result<bool, DbErr> {
    let count = i64::try_from(events.len()).map_err(|_| DbErr::Custom("too many events at once".into()))?;
    let bodies: Vec<String> = events.iter().map(|(organization, event)| event.body(organization)).collect();
    let rows: Vec<_> = events.iter().zip(&bodies).zip((0..count).rev()).collect();
    let engine = transaction.get_database_backend();
    let new_events = Rows::of(engine, &EVENTS, &rows, |(((organization, event), body), behind)| {
        let (id, kind, at) = (event.id.0, event.kind.as_str(), event.at.as_micros());
        [organization.as_str().into(), id.into(), kind.into(), (*body).into(), at.into(), (*behind).into()]
    });
    let (streams, copies) = wanted(subscriptions, &events);
    let woken = Rows::of(engine, &STREAMS, &streams, |((subscription, organization), (due, copies))| {
        let id = StreamId::new().0;
        [(*organization).into(), id.into(), (*subscription).into(), (*due).into(), (*copies).into()]
    });
    let new_copies = Rows::of(engine, &COPIES, &copies, |copy| {
        let (organization, event) = copy.event;
        let (due, expires) = (event.due().as_micros(), event.at.plus(EVENT_LIFETIME).as_micros());
        [
            organization.as_str().into(),
            CopyId::new().0.into(),
            copy.subscription.into(),
            event.id.0.into(),
            (&copy.target).into(),
            copy.behind.into(),
            due.into(),
            expires.into(),
            event.at.as_micros().into(),
        ]
    });
    write_events(transaction, first, &events, new_events).await?;
    if copies.is_empty() {
        return Ok(false);
    }
    let (woken_from, copies_from) = (woken.source(engine, 1), new_copies.source(engine, 2));
    let sql = match engine {
        DbBackend::Sqlite => format!("{};\n{}", wake_streams(&woken_from), insert_copies(&copies_from, "streams")),
        _ => {
            let (streams, copies) = (wake_streams(&woken_from), insert_copies(&copies_from, "s"));
            format!("WITH s AS ({streams} RETURNING organization, id, subscription, sequence) {copies}")
        }
    };
    let values = woken.into_values().into_iter().chain(new_copies.into_values());
    transaction.execute_raw(statement(transaction, &sql, values)).await?;
    Ok(true)
}

/// Write other rows, and events after them, in one exchange. On Postgres, one statement can use
/// what another returns, so that takes the last of the others.
async fn write_events(
    transaction: &DatabaseTransaction,
    mut others: Vec<Part>,
    events: &[(OrganizationId, NewEvent)],
    rows: Rows,
) -> Result<(), DbErr> {
    let (engine, wanted) = (transaction.get_database_backend(), rows.count);
    let count = i64::try_from(wanted).unwrap_or(i64::MAX);
    if engine == DbBackend::Sqlite {
        let mut script = Script::of(engine, others);
        script.add(&take_sequence("(SELECT 1)", "?"), [count.into(), count.into()], 1);
        let from = "organizations AS o CROSS JOIN (SELECT value FROM facts WHERE name = 'event_sequence') AS f";
        script.add(&insert_events(&rows.source(engine, 1), from), rows.into_values(), wanted);
        return script.run(transaction).await;
    }
    let last = others.pop();
    for part in others {
        Script::of(engine, [part]).run(transaction).await?;
    }
    let names: BTreeSet<&str> = events.iter().map(|(organization, _)| organization.as_str()).collect();
    let names = Sheet::of(&ORGANIZATIONS, &names, |name| [(*name).into()]);
    let sql = event_statement(&rows, last.as_ref());
    let mut values: Vec<Value> = vec![names.into(), count.into()];
    values.extend(rows.into_values());
    if let Some((_, rows)) = last {
        let count = i64::try_from(rows.count).unwrap_or(i64::MAX);
        values.extend(rows.into_values().into_iter().chain([count.into()]));
    }
    sheet::expect(transaction.execute_raw(statement(transaction, &sql, values)).await?.rows_affected(), wanted)
}

/// Events, and how many of their batch come after each.
const EVENTS: Columns<6> = [
    ("organization", Kind::Text),
    ("id", Kind::Id),
    ("kind", Kind::Text),
    ("body", Kind::Text),
    ("created_at", Kind::Integer),
    ("behind", Kind::Integer),
];

/// The organizations of events.
const ORGANIZATIONS: Columns<1> = [("name", Kind::Text)];

/// What a subscription's stream in an organization gets: how many copies, and when the first
/// is due.
const STREAMS: Columns<5> = [
    ("organization", Kind::Text),
    ("id", Kind::Id),
    ("subscription", Kind::Text),
    ("due_at", Kind::Integer),
    ("copies", Kind::Integer),
];

/// Copies of events, and how many of the same stream come after each.
const COPIES: Columns<9> = [
    ("organization", Kind::Text),
    ("id", Kind::Id),
    ("subscription", Kind::Text),
    ("event", Kind::Id),
    ("target", Kind::Text),
    ("behind", Kind::Integer),
    ("due_at", Kind::Integer),
    ("expires_at", Kind::Integer),
    ("created_at", Kind::Integer),
];

/// `from` gives one row, so that it comes first; `count` is how many are taken.
fn take_sequence(from: &str, count: &str) -> String {
    format!(
        "INSERT INTO facts (name, value) SELECT 'event_sequence', CAST({count} AS TEXT) FROM {from} WHERE TRUE
        ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(facts.value AS BIGINT) + {count} AS TEXT)"
    )
}

/// Nothing is written of an organization that was deleted a moment ago.
fn insert_events(events: &str, from: &str) -> String {
    format!(
        "INSERT INTO events (sequence, organization, id, kind, body, created_at)
        SELECT CAST(f.value AS BIGINT) - v.behind, v.organization, v.id, v.kind, v.body, v.created_at
        FROM {events} AS v CROSS JOIN {from} WHERE o.id = v.organization"
    )
}

/// What writes events on Postgres. The sequence is taken after the other rows have been written,
/// since all who take it wait for each other. Organizations are locked, so that none is deleted and
/// leaves events behind.
fn event_statement(events: &Rows, other: Option<&Part>) -> String {
    let engine = DbBackend::Postgres;
    let names = sheet::rows(engine, &ORGANIZATIONS, 1);
    let mut before = format!(
        "o AS (SELECT g.id FROM {names} AS n CROSS JOIN organizations g WHERE g.id = n.name
            ORDER BY g.id FOR KEY SHARE OF g)"
    );
    let (mut done, mut condition) = ("(SELECT COUNT(*) FROM o) AS locked".to_owned(), "");
    if let Some((text, rows)) = other {
        before = format!("{before}, w AS ({} RETURNING 1)", text(&rows.source(engine, 4)));
        done += " CROSS JOIN (SELECT COUNT(*) FROM w) AS written";
        condition = "AND (SELECT COUNT(*) FROM w) = $5";
    }
    let (take, insert) = (take_sequence(&done, "$2"), insert_events(&events.source(engine, 3), "o CROSS JOIN f"));
    format!("WITH {before}, f AS ({take} RETURNING value) {insert} {condition}")
}

/// A subscription that was removed a moment ago hears nothing.
fn wake_streams(streams: &str) -> String {
    format!(
        "INSERT INTO streams (organization, id, subscription, key, rate, due_at, sequence)
        SELECT organization, id, subscription, subscription, '', due_at, copies FROM {streams} AS v
        WHERE EXISTS (SELECT 1 FROM subscriptions u WHERE u.name = v.subscription)
        ON CONFLICT (organization, subscription) WHERE subscription IS NOT NULL
        DO UPDATE SET sequence = streams.sequence + excluded.sequence,
            due_at = CASE WHEN streams.due_at < excluded.due_at THEN streams.due_at ELSE excluded.due_at END"
    )
}

fn insert_copies(copies: &str, from: &str) -> String {
    format!(
        "INSERT INTO copies (organization, id, stream, event, target, sequence, revision, is_open, state, due_at,
            expires_at, created_at, updated_at)
        SELECT v.organization, v.id, s.id, v.event, v.target, s.sequence - v.behind, 1, TRUE, 'pending', v.due_at,
            v.expires_at, v.created_at, v.created_at
        FROM {copies} AS v CROSS JOIN {from} AS s WHERE s.organization = v.organization AND s.subscription = v.subscription"
    )
}

/// A copy of an event that a subscription wants.
struct WantedCopy<'e> {
    subscription: &'e str,
    event: &'e (OrganizationId, NewEvent),
    target: String,
    /// How many of the same stream come after it.
    behind: i64,
}

/// By subscription and organization, since streams are locked in one order by all: when the
/// first copy is due, and how many there are.
type WantedStreams<'e> = Vec<((&'e str, &'e str), (i64, i64))>;

/// What the subscriptions want of these events.
fn wanted<'e>(
    subscriptions: &'e [entities::subscriptions::Model],
    events: &'e [(OrganizationId, NewEvent)],
) -> (WantedStreams<'e>, Vec<WantedCopy<'e>>) {
    let mut streams: BTreeMap<(&str, &str), (i64, i64)> = BTreeMap::new();
    let mut copies = Vec::new();
    for subscription in subscriptions {
        let target = json!({ "subscription": subscription.name }).to_string();
        // From the last to the first, so that each knows how many come after it.
        for event in events.iter().rev().filter(|(_, event)| subscriptions::wants(&subscription.kinds, event.kind)) {
            let due = event.1.due().as_micros();
            let stream = streams.entry((&subscription.name, event.0.as_str())).or_insert((due, 0));
            let (name, target) = (&subscription.name, target.clone());
            copies.push(WantedCopy { subscription: name, event, target, behind: stream.1 });
            *stream = (Ord::min(stream.0, due), stream.1 + 1);
        }
    }
    (streams.into_iter().collect(), copies)
}
