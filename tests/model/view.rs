//! All that a store holds of the engine, as it can be looked at from outside.

use std::collections::BTreeMap;

use chatport_host::store::entities::{attempts, copies, messages, streams};
use chatport_tests::twin::Tables;
use sea_orm::{DatabaseConnection, EntityTrait, QueryOrder};
use uuid::Uuid;

/// The rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    pub now: i64,
    pub messages: BTreeMap<(String, String), messages::Model>,
    pub streams: BTreeMap<Uuid, streams::Model>,
    pub copies: BTreeMap<Uuid, copies::Model>,
    /// Until when installations are held, and whether they have delivered something: when is
    /// noted by the way, not to the second.
    pub installations: BTreeMap<Uuid, (i64, bool)>,
    /// In the order in which they were told: organization, id, kind, body.
    pub events: Vec<(String, Uuid, String, String)>,
    pub tallies: BTreeMap<(String, String), i64>,
    pub attempts: Vec<attempts::Model>,
}

impl View {
    pub fn of_twin(tables: &Tables, now: i64) -> Self {
        let key = |row: &messages::Model| (row.organization.clone(), row.key.clone());
        let event = |event: &chatport_tests::twin::Happened| {
            (event.organization.to_string(), event.id, event.kind.as_str().to_owned(), event.body.clone())
        };
        Self {
            now,
            messages: tables.messages.values().map(|row| (key(row), row.clone())).collect(),
            streams: tables.streams.clone(),
            copies: tables.copies.clone(),
            installations: tables
                .installations
                .iter()
                .map(|(id, row)| (id.0, (row.held_until, row.last_delivered_at.is_some())))
                .collect(),
            events: tables.events.iter().map(event).collect(),
            tallies: tables.tallies.clone(),
            attempts: tables.attempts.clone(),
        }
    }

    pub async fn of_database(on: &DatabaseConnection, now: i64) -> Self {
        use chatport_host::store::entities::{events, installations, tallies};
        const READS: &str = "the database can be read";
        let messages = messages::Entity::find().all(on).await.expect(READS);
        let streams = streams::Entity::find().all(on).await.expect(READS);
        let copies = copies::Entity::find().all(on).await.expect(READS);
        let held = installations::Entity::find().all(on).await.expect(READS);
        let told = events::Entity::find().order_by_asc(events::Column::Sequence).all(on).await.expect(READS);
        let tries = attempts::Entity::find().order_by_asc(attempts::Column::Id).all(on).await.expect(READS);
        let sums = tallies::Entity::find().all(on).await.expect(READS);
        Self {
            now,
            messages: messages.into_iter().map(|row| ((row.organization.clone(), row.key.clone()), row)).collect(),
            streams: streams.into_iter().map(|row| (row.id, row)).collect(),
            copies: copies.into_iter().map(|row| (row.id, row)).collect(),
            installations: held
                .into_iter()
                .map(|row| (row.id, (row.held_until, row.last_delivered_at.is_some())))
                .collect(),
            events: told.into_iter().map(|row| (row.organization, row.id, row.kind, row.body)).collect(),
            tallies: sums.into_iter().map(|row| ((row.organization, row.outcome), row.total)).collect(),
            attempts: tries,
        }
    }

    /// The same without the ids that each store makes for itself: those of streams of events,
    /// and of the copies in them. Such a copy is known by its event.
    pub fn normal(&self) -> Self {
        let mut normal = Self { streams: BTreeMap::new(), copies: BTreeMap::new(), ..self.clone() };
        for row in self.streams.values() {
            let own = row.subscription.as_ref().map(|_| own_stream(&row.organization));
            let id = own.unwrap_or(row.id);
            normal.streams.insert(id, streams::Model { id, ..row.clone() });
        }
        for row in self.copies.values() {
            let id = row.event.unwrap_or(row.id);
            let stream = row.stream.filter(|_| row.event.is_none());
            normal.copies.insert(id, copies::Model { id, stream, ..row.clone() });
        }
        for row in &mut normal.attempts {
            row.copy = self.copies.get(&row.copy).and_then(|copy| copy.event).unwrap_or(row.copy);
        }
        normal.attempts.sort_by_key(|row| row.id);
        normal.tallies.retain(|_, total| *total != 0);
        normal
    }

    /// The same in words, for whoever looks for a difference.
    pub fn lines(&self) -> Vec<String> {
        let normal = self.normal();
        let mut lines: Vec<String> = normal.messages.values().map(|row| format!("{row:?}")).collect();
        lines.extend(normal.streams.values().map(|row| format!("{row:?}")));
        lines.extend(normal.copies.values().map(|row| format!("{row:?}")));
        lines.extend(normal.installations.iter().map(|row| format!("{row:?}")));
        lines.extend(normal.events.iter().enumerate().map(|row| format!("{row:?}")));
        lines.extend(normal.tallies.iter().map(|row| format!("{row:?}")));
        lines.extend(normal.attempts.iter().map(|row| format!("{row:?}")));
        lines
    }
}

/// One name for an organization's stream of events, whatever its store calls it.
fn own_stream(organization: &str) -> Uuid {
    let mut bytes = [0xff; 16];
    let length = organization.len().min(16);
    bytes[..length].copy_from_slice(&organization.as_bytes()[..length]);
    Uuid::from_bytes(bytes)
}
