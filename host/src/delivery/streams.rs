//! The streams that new copies go into: made where they are missing, woken where they sleep,
//! and room taken in their order. A batch touches each stream once.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Value};
use uuid::Uuid;

use super::{accept::Operation, message, targets::PlannedPlace};
use crate::{ids::StreamId, store::statement};

/// Room in a stream's order for one copy and the lines of its log.
const STEP: i64 = message::MAX_LOG as i64 + 1;

/// What a batch wants of one stream.
struct Wanted {
    organization: String,
    rate: String,
    due: i64,
    copies: i64,
}

/// The streams of a batch, each with the next free place in its order.
pub(super) struct Streams(BTreeMap<(Uuid, String), (Uuid, i64)>);

impl Streams {
    /// Make or wake the streams of all copies that these operations plan.
    pub(super) async fn wake(transaction: &DatabaseTransaction, operations: &[&Operation]) -> Result<Self, DbErr> {
        let mut wanted: BTreeMap<(Uuid, String), Wanted> = BTreeMap::new();
        for operation in operations {
            for place in operation.planned.iter().filter_map(|planned| planned.place.as_ref().ok()) {
                let due = operation.due_at.as_micros();
                let stream = wanted.entry((place.installation.0, place.stream.clone())).or_insert_with(|| Wanted {
                    organization: operation.organization.as_str().to_owned(),
                    rate: place.rate.clone(),
                    due,
                    copies: 0,
                });
                stream.due = stream.due.min(due);
                stream.copies += 1;
            }
        }
        lock(transaction, wanted.keys()).await?;
        let mut streams = BTreeMap::new();
        for (key, stream) in wanted {
            let woken = upsert(transaction, &key, &stream).await?;
            streams.insert(key, woken);
        }
        Ok(Self(streams))
    }

    /// A place in the stream of a copy.
    pub(super) fn take(&mut self, place: &PlannedPlace) -> Option<(Uuid, i64)> {
        let (id, next) = self.0.get_mut(&(place.installation.0, place.stream.clone()))?;
        let sequence = *next;
        *next += STEP;
        Some((*id, sequence))
    }
}

/// Lock the streams that are there in the order in which workers' results lock them, so that
/// neither can wait for the other in a circle. SQLite has one writer anyway.
async fn lock(
    transaction: &DatabaseTransaction,
    keys: impl ExactSizeIterator<Item = &(Uuid, String)> + Clone,
) -> Result<(), DbErr> {
    if transaction.get_database_backend() != DbBackend::Postgres || keys.len() == 0 {
        return Ok(());
    }
    let places: Vec<String> =
        (0..keys.len()).map(|number| format!("(${}, ${})", number * 2 + 1, number * 2 + 2)).collect();
    let values = keys.flat_map(|(installation, key)| [Value::from(*installation), Value::from(key.clone())]);
    let sql =
        format!("SELECT id FROM streams WHERE (installation, key) IN ({}) ORDER BY id FOR UPDATE", places.join(", "));
    transaction.query_all_raw(statement(transaction, &sql, values)).await?;
    Ok(())
}

/// The answer is the stream's id and the first of the places that were taken.
async fn upsert(
    transaction: &DatabaseTransaction,
    (installation, key): &(Uuid, String),
    wanted: &Wanted,
) -> Result<(Uuid, i64), DbErr> {
    let sql = "INSERT INTO streams (organization, id, installation, key, rate, due_at, sequence)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (installation, key) WHERE installation IS NOT NULL
        DO UPDATE SET sequence = streams.sequence + $7,
            due_at = CASE WHEN streams.due_at < excluded.due_at THEN streams.due_at ELSE excluded.due_at END
        RETURNING id, sequence";
    let room = wanted.copies * STEP;
    let values: [Value; 7] = [
        wanted.organization.clone().into(),
        StreamId::new().0.into(),
        (*installation).into(),
        key.clone().into(),
        wanted.rate.clone().into(),
        wanted.due.into(),
        room.into(),
    ];
    let row = transaction.query_one_raw(statement(transaction, sql, values)).await?;
    let row = row.ok_or_else(|| DbErr::Custom("no stream".into()))?;
    let last: i64 = row.try_get("", "sequence")?;
    Ok((row.try_get("", "id")?, last - room))
}
