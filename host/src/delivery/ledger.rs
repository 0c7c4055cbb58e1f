//! What one unit of work has loaded and what became of it. Rules read and change rows here,
//! without a database; a store loads them before and writes the changes after.

use std::{collections::BTreeMap, sync::Arc};

use chatport_sdk::{site::Random, time::Timestamp};
use uuid::Uuid;

use super::{
    store::{Lease, Rows},
    tally::Tallies,
    view::MessageEvent,
};
use crate::{
    events::{EventKind, NewEvent},
    ids::{EventId, InstallationId, OrganizationId, StreamId},
    store::entities::{attempts, copies, messages, streams},
};

/// A stream as it was loaded, with what holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stream {
    /// Its row.
    pub row: streams::Model,
    /// Until when its installation is held.
    pub installation_held: i64,
    /// Whether its due time is to be taken anew from its copies when this is written.
    pub is_released: bool,
}

impl Stream {
    /// A stream as it stands in the store.
    pub fn loaded(row: streams::Model, installation_held: i64) -> Self {
        Self { row, installation_held, is_released: false }
    }

    /// Lease it.
    pub(super) fn lease(&mut self, owner: Uuid, until: Timestamp) -> Lease {
        self.row.owner = Some(owner);
        self.row.fence += 1;
        self.row.lease_until = until.as_micros();
        self.is_released = false;
        Lease {
            organization: OrganizationId::stored(self.row.organization.clone()),
            stream: StreamId(self.row.id),
            owner,
            fence: self.row.fence,
        }
    }

    /// Give it back: it is due again with the first of its copies.
    pub(super) fn release(&mut self) {
        self.row.owner = None;
        self.row.lease_until = 0;
        self.is_released = true;
    }

    /// Something in it is due at this time. It is as pressing as the most pressing that has
    /// come since it slept.
    pub(super) fn wake(&mut self, due: i64, urgency: i16) {
        self.row.urgency = self.row.due_at.map_or(urgency, |_| Ord::max(self.row.urgency, urgency));
        self.row.due_at = Some(self.row.due_at.map_or(due, |other| Ord::min(other, due)));
    }

    /// It waits at least until this time.
    pub(super) fn hold(&mut self, until: Timestamp) {
        self.row.held_until = Ord::max(self.row.held_until, until.as_micros());
    }
}

/// A row, and whether the store has it as it is.
#[derive(Clone, Debug)]
struct Entry<T> {
    row: T,
    /// As the store has it; `None`: it doesn't.
    loaded: Option<T>,
}

/// What is to be written of one kind of row.
#[derive(Clone, Debug)]
pub struct Written<T> {
    /// Rows that are new.
    pub new: Vec<T>,
    /// Rows that have changed: as they were, and as they are.
    pub changed: Vec<(T, T)>,
}

impl<T> Default for Written<T> {
    fn default() -> Self {
        Self { new: Vec::new(), changed: Vec::new() }
    }
}

#[derive(Clone, Debug)]
struct Kept<K, T>(BTreeMap<K, Entry<T>>);

impl<K: Ord, T: Clone + PartialEq> Kept<K, T> {
    fn load(&mut self, key: K, row: T) {
        self.0.entry(key).or_insert_with(|| Entry { loaded: Some(row.clone()), row });
    }

    fn insert(&mut self, key: K, row: T) {
        self.0.insert(key, Entry { row, loaded: None });
    }

    fn written(self) -> Written<T> {
        let mut written = Written::default();
        for Entry { row, loaded } in self.0.into_values() {
            match loaded {
                None => written.new.push(row),
                Some(loaded) if loaded != row => written.changed.push((loaded, row)),
                Some(_) => {}
            }
        }
        written
    }
}

/// What a unit of work is to write.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Messages.
    pub messages: Written<messages::Model>,
    /// Streams.
    pub streams: Written<Stream>,
    /// Copies.
    pub copies: Written<copies::Model>,
    /// The history of tries.
    pub attempts: Vec<attempts::Model>,
    /// What the application is told.
    pub events: Vec<(OrganizationId, NewEvent)>,
    /// How many copy-revisions ended how.
    pub tallies: Tallies,
    /// Installations that wait until a time.
    pub holds: BTreeMap<(OrganizationId, InstallationId), Timestamp>,
    /// Whether something is due now for which this replica has no seat: others are told.
    pub calls_others: bool,
    /// When installations last delivered.
    pub delivered: BTreeMap<(OrganizationId, InstallationId), Timestamp>,
}

/// For how many ids randomness is asked for at once.
const IDS_AT_ONCE: usize = 16;

/// The rows of one unit of work.
pub(super) struct Ledger {
    /// Now, by the clock that decides leases.
    pub now: Timestamp,
    /// When this process has run well for long enough to take suspects.
    pub calm_at: Timestamp,
    random: Arc<dyn Random>,
    /// Asked for in one go, since each asking costs more than what it gives.
    randomness: Vec<[u8; 10]>,
    made: u16,
    messages: Kept<(OrganizationId, String), messages::Model>,
    streams: Kept<Uuid, Stream>,
    by_place: BTreeMap<(Uuid, String), Uuid>,
    installation_holds: BTreeMap<InstallationId, i64>,
    copies: Kept<Uuid, copies::Model>,
    by_stream: BTreeMap<Uuid, Vec<Uuid>>,
    /// What is written along.
    pub changes: Changes,
}

impl Ledger {
    pub(super) fn new(now: Timestamp, random: Arc<dyn Random>) -> Self {
        Self {
            now,
            calm_at: now,
            random,
            randomness: Vec::new(),
            made: 0,
            messages: Kept(BTreeMap::new()),
            streams: Kept(BTreeMap::new()),
            by_place: BTreeMap::new(),
            installation_holds: BTreeMap::new(),
            copies: Kept(BTreeMap::new()),
            by_stream: BTreeMap::new(),
            changes: Changes::default(),
        }
    }

    /// A new id (version 7); within one unit of work each is greater than the one before.
    pub(super) fn new_id(&mut self) -> Uuid {
        if self.randomness.is_empty() {
            self.randomness.resize(IDS_AT_ONCE, [0; 10]);
            self.random.fill(self.randomness.as_flattened_mut());
        }
        let mut bytes = self.randomness.pop().unwrap_or_default();
        self.made = self.made.wrapping_add(1);
        bytes[..2].copy_from_slice(&self.made.to_be_bytes());
        let milliseconds = u64::try_from(self.now.as_micros() / 1_000).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(milliseconds, &bytes).into_uuid()
    }

    pub(super) fn load(&mut self, rows: Rows) {
        for row in rows.messages {
            self.messages.load((OrganizationId::stored(row.organization.clone()), row.key.clone()), row);
        }
        self.load_streams(rows.streams);
        self.load_copies(rows.copies);
        self.installation_holds.extend(rows.holds);
    }

    pub(super) fn load_streams(&mut self, rows: Vec<Stream>) {
        for stream in rows {
            self.place(&stream);
            self.streams.load(stream.row.id, stream);
        }
    }

    /// Until when an installation is held; one that isn't loaded isn't touched.
    pub(super) fn hold_of(&self, installation: InstallationId) -> i64 {
        self.installation_holds.get(&installation).copied().unwrap_or(i64::MAX)
    }

    pub(super) fn load_copies(&mut self, rows: Vec<copies::Model>) {
        for row in rows {
            self.note_stream(&row);
            self.copies.load(row.id, row);
        }
    }

    pub(super) fn add_message(&mut self, row: messages::Model) {
        self.messages.insert((OrganizationId::stored(row.organization.clone()), row.key.clone()), row);
    }

    pub(super) fn add_stream(&mut self, stream: Stream) {
        self.place(&stream);
        self.streams.insert(stream.row.id, stream);
    }

    pub(super) fn add_copy(&mut self, row: copies::Model) {
        self.note_stream(&row);
        self.copies.insert(row.id, row);
    }

    fn note_stream(&mut self, row: &copies::Model) {
        if let Some(stream) = row.stream {
            self.by_stream.entry(stream).or_default().push(row.id);
        }
    }

    fn place(&mut self, stream: &Stream) {
        if let Some(installation) = stream.row.installation {
            self.by_place.insert((installation, stream.row.key.clone()), stream.row.id);
        }
    }

    pub(super) fn message(&mut self, organization: &OrganizationId, key: &str) -> Option<&mut messages::Model> {
        self.messages.0.get_mut(&(organization.clone(), key.to_owned())).map(|entry| &mut entry.row)
    }

    pub(super) fn stream(&mut self, id: Uuid) -> Option<&mut Stream> {
        self.streams.0.get_mut(&id).map(|entry| &mut entry.row)
    }

    /// The stream of a conversation.
    pub(super) fn stream_at(&mut self, installation: InstallationId, key: &str) -> Option<&mut Stream> {
        let id = *self.by_place.get(&(installation.0, key.to_owned()))?;
        self.stream(id)
    }

    pub(super) fn copy(&mut self, id: Uuid) -> Option<&mut copies::Model> {
        self.copies.0.get_mut(&id).map(|entry| &mut entry.row)
    }

    pub(super) fn copies(&self) -> impl Iterator<Item = &copies::Model> {
        self.copies.0.values().map(|entry| &entry.row)
    }

    /// The loaded streams that slept: nothing in them was open before this unit of work.
    pub(super) fn slept(&self) -> Vec<Uuid> {
        let slept = |entry: &Entry<Stream>| match &entry.loaded {
            None => true,
            Some(loaded) => loaded.row.due_at.is_none() && loaded.row.owner.is_none(),
        };
        self.streams.0.iter().filter(|(_, entry)| slept(entry)).map(|(id, _)| *id).collect()
    }

    /// When something is due in a loaded stream that nobody has leased, now or later. One that is
    /// given back is due when the first of its copies is, of those that are loaded.
    pub(super) fn next_due(&self) -> Option<i64> {
        let due = |stream: &Stream| {
            let due = match stream.is_released {
                true => self.copies_of(stream.row.id).filter_map(|copy| copy.due_at).min(),
                false => stream.row.due_at,
            };
            due.map(|due| Ord::max(due, self.held_until(stream)))
        };
        let free = self.streams.0.values().map(|entry| &entry.row).filter(|stream| stream.row.owner.is_none());
        free.filter_map(due).min()
    }

    /// The first copy of a stream that is due, of those that are loaded.
    pub(super) fn first_due(&self, stream: Uuid) -> Option<&copies::Model> {
        self.due(stream).min_by_key(|copy| (copy.sequence, copy.id))
    }

    /// The first of them that is being sent under this fence.
    pub(super) fn first_taken(&self, stream: Uuid, fence: i64) -> Option<&copies::Model> {
        let taken = self.due(stream).filter(|copy| copy.is_taken() && copy.fence == fence);
        taken.min_by_key(|copy| (copy.sequence, copy.id))
    }

    fn due(&self, stream: Uuid) -> impl Iterator<Item = &copies::Model> {
        let now = self.now.as_micros();
        self.copies_of(stream).filter(move |copy| copy.due_at.is_some_and(|due| due <= now))
    }

    fn copies_of(&self, stream: Uuid) -> impl Iterator<Item = &copies::Model> {
        let copies = self.by_stream.get(&stream).map(Vec::as_slice).unwrap_or_default();
        copies.iter().filter_map(|id| Some(&self.copies.0.get(id)?.row))
    }

    /// Whether a stream has to wait, for its own sake or for its installation's.
    pub(super) fn is_held(&self, stream: &Stream) -> bool {
        self.held_until(stream) > self.now.as_micros()
    }

    fn held_until(&self, stream: &Stream) -> i64 {
        let by_installation = stream.row.installation.and_then(|installation| {
            let key = (OrganizationId::stored(stream.row.organization.clone()), InstallationId(installation));
            self.changes.holds.get(&key).map(|until| until.as_micros())
        });
        let until = Ord::max(stream.row.held_until, stream.installation_held);
        Ord::max(until, by_installation.unwrap_or(0))
    }

    /// Tell how a revision of a message's copy ended.
    pub(super) fn tell(&mut self, organization: &str, told: &MessageEvent) {
        let kind = if told.failure.is_some() { EventKind::MessageFailed } else { EventKind::MessageDelivered };
        let id = EventId(self.new_id());
        let event = NewEvent::under(id, kind, told, self.now);
        self.changes.events.push((OrganizationId::stored(organization.to_owned()), event));
    }

    /// What is to be written.
    pub(super) fn into_changes(self) -> Changes {
        Changes {
            messages: self.messages.written(),
            streams: self.streams.written(),
            copies: self.copies.written(),
            ..self.changes
        }
    }
}
