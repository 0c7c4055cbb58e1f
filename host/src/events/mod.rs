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

use std::time::Duration;

use chatport_sdk::{schemars::JsonSchema, time::Timestamp};
use sea_orm::{ActiveValue::Set, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait};
use serde::Serialize;
use serde_json::{Value, json};

pub use invoke::{ActionReply, invoke};
pub use kind::EventKind;

use crate::{
    ids::{CopyId, EventId, OrganizationId, StreamId},
    store::{Database, entities, statement},
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
    /// What stands under `data`.
    pub data: Value,
    /// When it happened.
    pub at: Timestamp,
    /// How long the engine leaves it to whoever sends it synchronously.
    pub hold: Duration,
}

impl NewEvent {
    /// An event.
    pub fn new(kind: EventKind, data: Value, now: Timestamp) -> Self {
        Self { id: EventId::new(), kind, data, at: now, hold: Duration::ZERO }
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
    let rows = events.iter().zip(first..).map(|((organization, event), sequence)| entities::events::ActiveModel {
        sequence: Set(sequence),
        organization: Set(organization.as_str().to_owned()),
        id: Set(event.id.0),
        kind: Set(event.kind.as_str().to_owned()),
        body: Set(event.body(organization)),
        created_at: Set(event.at.as_micros()),
    });
    entities::events::Entity::insert_many(rows).exec_without_returning(transaction).await?;
    for subscription in subscriptions {
        // Streams are locked in one order by all.
        let mut ordered: Vec<&(OrganizationId, NewEvent)> = events.iter().collect();
        ordered.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (organization, event) in ordered {
            if subscriptions::wants(&subscription.kinds, event.kind) {
                append_copy(transaction, organization, &subscription.name, event).await?;
            }
        }
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

async fn append_copy(
    transaction: &DatabaseTransaction,
    organization: &OrganizationId,
    subscription: &str,
    event: &NewEvent,
) -> Result<(), DbErr> {
    let due = event.at.plus(event.hold).as_micros();
    let upsert = "INSERT INTO streams (organization, id, subscription, key, rate, due_at, sequence)
        SELECT $1, $2, name, name, '', $4, 1 FROM subscriptions WHERE name = $3
        ON CONFLICT (organization, subscription) WHERE subscription IS NOT NULL
        DO UPDATE SET sequence = streams.sequence + 1,
            due_at = CASE WHEN streams.due_at < excluded.due_at THEN streams.due_at ELSE excluded.due_at END
        RETURNING id, sequence";
    let values = [organization.as_str().into(), StreamId::new().0.into(), subscription.into(), due.into()];
    // One that was removed a moment ago hears nothing.
    let Some(row) = transaction.query_one_raw(statement(transaction, upsert, values)).await? else { return Ok(()) };
    entities::copies::Entity::insert(entities::copies::ActiveModel {
        organization: Set(organization.as_str().to_owned()),
        id: Set(CopyId::new().0),
        stream: Set(Some(row.try_get("", "id")?)),
        event: Set(Some(event.id.0)),
        target: Set(json!({ "subscription": subscription }).to_string()),
        sequence: Set(row.try_get("", "sequence")?),
        revision: Set(1),
        is_open: Set(true),
        removal: Set(false),
        state: Set("pending".to_owned()),
        due_at: Set(Some(due)),
        attempts: Set(0),
        crashes: Set(0),
        parts: Set("[]".to_owned()),
        urgency: Set(1),
        expires_at: Set(event.at.plus(EVENT_LIFETIME).as_micros()),
        created_at: Set(event.at.as_micros()),
        updated_at: Set(event.at.as_micros()),
        ..Default::default()
    })
    .exec_without_returning(transaction)
    .await?;
    Ok(())
}
