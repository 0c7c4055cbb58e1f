//! What the application hears. An event is written in the transaction of the change that
//! it tells of; with it one copy for each subscription that wants its kind, so events are
//! delivered by the same engine as messages. The sequence is taken under a row lock that
//! lasts until commit: whoever reads up to a sequence has seen everything before it.

pub mod kind;
pub mod subscriptions;

use sea_orm::{ActiveValue::Set, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait};
use serde_json::{Value, json};

pub use kind::EventKind;

use crate::{
    ids::{CopyId, EventId, OrganizationId, StreamId},
    store::{entities, statement},
};
use chatport_sdk::time::Timestamp;

/// How long an event is tried, unless the application picks it up by cursor before.
const EVENT_LIFETIME: std::time::Duration = std::time::Duration::from_secs(7 * 24 * 3600);

/// Something to tell the application.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Its id; chosen early where something is sent under it before it is stored.
    pub id: EventId,
    /// What kind.
    pub kind: EventKind,
    /// What stands under `data`.
    pub data: Value,
}

impl NewEvent {
    /// An event.
    pub fn new(kind: EventKind, data: Value) -> Self {
        Self { id: EventId::new(), kind, data }
    }
}

/// The text that is stored, signed and sent: the same bytes each time.
pub fn body(organization: &OrganizationId, event: &NewEvent, now: Timestamp) -> String {
    json!({
        "id": event.id,
        "type": event.kind,
        "organization": organization,
        "timestamp": now,
        "data": event.data,
    })
    .to_string()
}

/// Write an event and its copies. Wake the delivery after the commit.
///
/// # Errors
/// The database refuses.
pub async fn append(
    transaction: &DatabaseTransaction,
    organization: &OrganizationId,
    event: NewEvent,
    now: Timestamp,
) -> Result<(), DbErr> {
    let next = "INSERT INTO facts (name, value) VALUES ('event_sequence', '1')
        ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(facts.value AS BIGINT) + 1 AS TEXT) RETURNING value";
    let row = transaction.query_one_raw(statement(transaction, next, [])).await?;
    let sequence: String = row.ok_or_else(|| DbErr::Custom("no event sequence".into()))?.try_get("", "value")?;
    let sequence: i64 = sequence.parse().map_err(|_| DbErr::Custom("the event sequence isn't a number".into()))?;
    let body = body(organization, &event, now);
    entities::events::Entity::insert(entities::events::ActiveModel {
        sequence: Set(sequence),
        organization: Set(organization.as_str().to_owned()),
        id: Set(event.id.0),
        kind: Set(event.kind.as_str().to_owned()),
        body: Set(body),
        created_at: Set(now.as_micros()),
    })
    .exec_without_returning(transaction)
    .await?;
    for subscription in entities::subscriptions::Entity::find().all(transaction).await? {
        if subscriptions::wants(&subscription.kinds, event.kind) {
            append_copy(transaction, organization, &subscription.name, event.id, now).await?;
        }
    }
    Ok(())
}

async fn append_copy(
    transaction: &DatabaseTransaction,
    organization: &OrganizationId,
    subscription: &str,
    event: EventId,
    now: Timestamp,
) -> Result<(), DbErr> {
    let upsert = "INSERT INTO streams (organization, id, subscription, key, rate, due_at, sequence)
        VALUES ($1, $2, $3, $3, '', $4, 1)
        ON CONFLICT (organization, subscription) WHERE subscription IS NOT NULL
        DO UPDATE SET sequence = streams.sequence + 1,
            due_at = CASE WHEN streams.due_at < excluded.due_at THEN streams.due_at ELSE excluded.due_at END
        RETURNING id, sequence";
    let values = [
        organization.as_str().into(),
        StreamId::new().0.into(),
        subscription.into(),
        now.as_micros().into(),
    ];
    let row = transaction
        .query_one_raw(statement(transaction, upsert, values))
        .await?
        .ok_or_else(|| DbErr::Custom("no stream".into()))?;
    entities::copies::Entity::insert(entities::copies::ActiveModel {
        organization: Set(organization.as_str().to_owned()),
        id: Set(CopyId::new().0),
        stream: Set(Some(row.try_get("", "id")?)),
        event: Set(Some(event.0)),
        target: Set(json!({ "subscription": subscription }).to_string()),
        sequence: Set(row.try_get("", "sequence")?),
        revision: Set(1),
        is_open: Set(true),
        removal: Set(false),
        state: Set("pending".to_owned()),
        due_at: Set(Some(now.as_micros())),
        attempts: Set(0),
        crashes: Set(0),
        parts: Set("[]".to_owned()),
        urgency: Set(1),
        expires_at: Set(now.plus(EVENT_LIFETIME).as_micros()),
        created_at: Set(now.as_micros()),
        updated_at: Set(now.as_micros()),
        ..Default::default()
    })
    .exec_without_returning(transaction)
    .await?;
    Ok(())
}
