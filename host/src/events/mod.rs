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

use std::{collections::BTreeMap, time::Duration};

use chatport_sdk::{schemars::JsonSchema, time::Timestamp};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait};
use serde::Serialize;
use serde_json::{json, value::RawValue};
use uuid::Uuid;

pub use invoke::{ActionReply, invoke};
pub use kind::EventKind;

use crate::{
    delivery::insert_copies,
    ids::{CopyId, EventId, OrganizationId, StreamId},
    store::{
        Database, entities,
        sheet::{self, Columns, Kind, Sheet},
        statement,
    },
};

/// How long an event is tried. It can be read by cursor for as long.
pub const EVENT_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);

const EVENTS: Columns<6> = [
    ("sequence", Kind::Integer),
    ("organization", Kind::Text),
    ("id", Kind::Id),
    ("kind", Kind::Text),
    ("body", Kind::Text),
    ("created_at", Kind::Integer),
];

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
        // Serializing plain data into memory can't fail.
        let data = serde_json::value::to_raw_value(data).expect("what is told is plain data");
        Self { id: EventId::new(), kind, data, at: now, hold: Duration::ZERO }
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
    append_for(transaction, &subscriptions, vec![(organization.clone(), event)]).await
}

/// Write several events and their copies, by what is known of the subscriptions.
///
/// # Errors
/// The database refuses.
pub async fn append_all(
    transaction: &DatabaseTransaction,
    database: &Database,
    events: Vec<(OrganizationId, NewEvent)>,
) -> Result<(), DbErr> {
    if events.is_empty() {
        return Ok(());
    }
    append_for(transaction, &subscriptions::stored_rows(database).await?, events).await
}

async fn append_for(
    transaction: &DatabaseTransaction,
    subscriptions: &[entities::subscriptions::Model],
    events: Vec<(OrganizationId, NewEvent)>,
) -> Result<(), DbErr> {
    let first = next_sequence(transaction, events.len()).await?;
    let numbered: Vec<_> = events.iter().zip(first..).collect();
    let bodies: Vec<String> = events.iter().map(|(organization, event)| event.body(organization)).collect();
    let rows: Vec<_> = numbered.iter().zip(&bodies).collect();
    let sheet = Sheet::of(&EVENTS, &rows, |(((organization, event), sequence), body)| {
        let (id, kind, at) = (event.id.0, event.kind.as_str(), event.at.as_micros());
        [(*sequence).into(), organization.as_str().into(), id.into(), kind.into(), (*body).into(), at.into()]
    });
    let sql = format!(
        "INSERT INTO events (sequence, organization, id, kind, body, created_at)
        SELECT sequence, organization, id, kind, body, created_at FROM {} AS v",
        sheet::rows(transaction.get_database_backend(), &EVENTS, 1)
    );
    transaction.execute_raw(statement(transaction, &sql, [sheet.into()])).await?;
    for subscription in subscriptions {
        let wanted: Vec<_> =
            events.iter().filter(|(_, event)| subscriptions::wants(&subscription.kinds, event.kind)).collect();
        append_copies(transaction, &subscription.name, &wanted).await?;
    }
    Ok(())
}

/// Take `count` sequence numbers; the answer is the first.
async fn next_sequence(transaction: &DatabaseTransaction, count: usize) -> Result<i64, DbErr> {
    let count = i64::try_from(count).map_err(|_| DbErr::Custom("too many events at once".into()))?;
    let take = "INSERT INTO facts (name, value) VALUES ('event_sequence', CAST($1 AS TEXT))
        ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(facts.value AS BIGINT) + $1 AS TEXT) RETURNING value";
    let row = transaction.query_one_raw(statement(transaction, take, [count.into()])).await?;
    let last: String = row.ok_or_else(|| DbErr::Custom("no event sequence".into()))?.try_get("", "value")?;
    let last: i64 = last.parse().map_err(|_| DbErr::Custom("the event sequence isn't a number".into()))?;
    Ok(last - count + 1)
}

/// What a subscription's stream gets: how many copies, and when the first is due.
const STREAMS: Columns<4> =
    [("organization", Kind::Text), ("id", Kind::Id), ("due_at", Kind::Integer), ("copies", Kind::Integer)];

/// Write the copies of events for one subscription, each in its organization's stream.
async fn append_copies(
    transaction: &DatabaseTransaction,
    subscription: &str,
    events: &[&(OrganizationId, NewEvent)],
) -> Result<(), DbErr> {
    if events.is_empty() {
        return Ok(());
    }
    // Streams are locked in one order by all.
    let mut streams: BTreeMap<&OrganizationId, (i64, i64)> = BTreeMap::new();
    for (organization, event) in events {
        let stream = streams.entry(organization).or_insert((event.due().as_micros(), 0));
        *stream = (Ord::min(stream.0, event.due().as_micros()), stream.1 + 1);
    }
    let streams: Vec<_> = streams.into_iter().collect();
    let sheet = Sheet::of(&STREAMS, &streams, |(organization, (due, copies))| {
        [organization.as_str().into(), StreamId::new().0.into(), (*due).into(), (*copies).into()]
    });
    let upsert = format!(
        "INSERT INTO streams (organization, id, subscription, key, rate, due_at, sequence)
        SELECT organization, id, CAST($1 AS TEXT), CAST($1 AS TEXT), '', due_at, copies FROM {} AS v 
        WHERE EXISTS (SELECT 1 FROM subscriptions WHERE name = $1)
        ON CONFLICT (organization, subscription) WHERE subscription IS NOT NULL
        DO UPDATE SET sequence = streams.sequence + excluded.sequence,
            due_at = CASE WHEN streams.due_at < excluded.due_at THEN streams.due_at ELSE excluded.due_at END
        RETURNING organization, id, sequence",
        sheet::rows(transaction.get_database_backend(), &STREAMS, 2)
    );
    let rows = transaction.query_all_raw(statement(transaction, &upsert, [subscription.into(), sheet.into()])).await?;
    let mut places: BTreeMap<String, (Uuid, i64)> = BTreeMap::new();
    for row in rows {
        let organization: String = row.try_get("", "organization")?;
        let copies = streams.iter().find(|(other, _)| other.as_str() == organization).map_or(0, |(_, (_, n))| *n);
        let last: i64 = row.try_get("", "sequence")?;
        places.insert(organization, (row.try_get("", "id")?, last - copies));
    }
    let target = json!({ "subscription": subscription }).to_string();
    let mut copies = Vec::with_capacity(events.len());
    for (organization, event) in events {
        // One that was removed a moment ago hears nothing.
        let Some(place) = places.get_mut(organization.as_str()) else { continue };
        place.1 += 1;
        copies.push(copy_of(organization, event, *place, &target));
    }
    insert_copies(transaction, &copies).await
}

fn copy_of(
    organization: &OrganizationId,
    event: &NewEvent,
    (stream, sequence): (Uuid, i64),
    target: &str,
) -> entities::copies::Model {
    entities::copies::Model {
        organization: organization.as_str().to_owned(),
        id: CopyId::new().0,
        stream: Some(stream),
        installation: None,
        message: None,
        event: Some(event.id.0),
        root: None,
        log_id: None,
        log_text: None,
        target: target.to_owned(),
        account: None,
        address: None,
        sequence,
        revision: 1,
        pinned: None,
        shown: None,
        sending: None,
        is_open: true,
        removal: false,
        is_fallback: false,
        may_fold: false,
        folded_into: None,
        state: "pending".to_owned(),
        code: None,
        detail: None,
        due_at: Some(event.due().as_micros()),
        attempts: 0,
        crashes: 0,
        first_tried_at: None,
        parts: "[]".to_owned(),
        urgency: 1,
        expires_at: event.at.plus(EVENT_LIFETIME).as_micros(),
        created_at: event.at.as_micros(),
        updated_at: event.at.as_micros(),
    }
}
