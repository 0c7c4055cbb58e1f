//! The twin's rows, how they are looked up, and how a unit's changes are written.

use std::collections::{BTreeMap, BTreeSet};

use chatport_host::{
    delivery::{
        CancelWhat,
        ledger::{Changes, Stream},
        store::{Body, Documents, Full, MessageDocument, SHARE, StoreError},
    },
    events::{EVENT_LIFETIME, EventKind, NewEvent},
    ids::{CopyId, InstallationId, OrganizationId, StreamId},
    store::entities::{attempts, copies, messages, streams},
};
use uuid::Uuid;

/// How many due copies of a stream are looked at at once.
const HEADS: usize = 4;

/// What is kept of an installation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Installation {
    pub held_until: i64,
    pub last_delivered_at: Option<i64>,
}

/// An event that was told.
#[derive(Clone, Debug, PartialEq)]
pub struct Happened {
    pub organization: OrganizationId,
    pub id: Uuid,
    pub kind: EventKind,
    pub body: String,
}

/// The rows.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    pub organizations: BTreeSet<OrganizationId>,
    pub installations: BTreeMap<InstallationId, Installation>,
    /// Who hears which kinds of events, by name.
    pub subscriptions: BTreeMap<String, Vec<EventKind>>,
    pub messages: BTreeMap<(OrganizationId, String), messages::Model>,
    pub streams: BTreeMap<Uuid, streams::Model>,
    pub copies: BTreeMap<Uuid, copies::Model>,
    pub attempts: Vec<attempts::Model>,
    pub events: Vec<Happened>,
    pub tallies: BTreeMap<(String, String), i64>,
    /// When each copy was first taken to be sent; for a judge, nobody else reads it.
    pub taken: BTreeMap<Uuid, i64>,
    /// In which commit each copy came; for a judge.
    pub came: BTreeMap<Uuid, u64>,
    commits: u64,
    /// Streams by conversation.
    pub(super) places: BTreeMap<(InstallationId, String), Uuid>,
    by_stream: BTreeMap<Uuid, BTreeSet<(i64, Uuid)>>,
    by_message: BTreeMap<Uuid, BTreeSet<Uuid>>,
    by_event: BTreeMap<Uuid, usize>,
    ids: u128,
}

impl Tables {
    /// How many copy-revisions of an organization wait.
    pub fn backlog(&self, organization: &OrganizationId) -> i64 {
        let own = self.tallies.iter().filter(|((owner, _), _)| owner == organization.as_str());
        own.map(|((_, outcome), total)| if outcome == "accepted" { *total } else { -total }).sum()
    }

    pub(super) fn stream(&self, id: Uuid) -> Option<Stream> {
        let row = self.streams.get(&id)?;
        let installation = row.installation.and_then(|id| self.installations.get(&InstallationId(id)));
        Some(Stream::loaded(row.clone(), installation.map_or(0, |installation| installation.held_until)))
    }

    pub(super) fn copies_of(&self, (organization, message): &(OrganizationId, Uuid)) -> Vec<&copies::Model> {
        let ids = self.by_message.get(message).into_iter().flatten();
        let copies = ids.filter_map(|id| self.copies.get(id));
        copies.filter(|copy| copy.organization == organization.as_str()).collect()
    }

    fn in_order(&self, stream: Uuid) -> impl Iterator<Item = &copies::Model> {
        let places = self.by_stream.get(&stream).into_iter().flatten();
        places.filter_map(|(_, copy)| self.copies.get(copy))
    }

    pub(super) fn heads(
        &self,
        stream: Uuid,
        without: Option<CopyId>,
        now: i64,
    ) -> impl Iterator<Item = &copies::Model> {
        let due = self.in_order(stream).filter(move |copy| copy.due_at.is_some_and(|due| due <= now));
        due.take(HEADS).filter(move |copy| Some(CopyId(copy.id)) != without)
    }

    fn first_due(&self, stream: Uuid) -> Option<i64> {
        self.in_order(stream).filter_map(|copy| copy.due_at).min()
    }

    pub(super) fn due(&self, limit: usize, full: &Full, now: i64) -> Vec<Stream> {
        let mut shares: BTreeMap<&str, Vec<(i64, Uuid)>> = BTreeMap::new();
        for (id, row) in &self.streams {
            let Some(due) = row.due_at.filter(|due| *due <= now && row.held_until <= now) else { continue };
            let is_held = self.stream(*id).is_some_and(|stream| stream.installation_held > now);
            let is_leased = row.owner.is_some() && row.lease_until > now;
            let is_full = full.organizations.iter().any(|id| id.as_str() == row.organization)
                || row.installation.is_some_and(|id| full.installations.contains(&InstallationId(id)))
                || row.subscription.as_ref().is_some_and(|name| full.subscriptions.contains(name));
            if !is_held && !is_leased && !is_full {
                let head_start = match row.urgency {
                    2 => 300_000_000,
                    0 => -60_000_000,
                    _ => 0,
                };
                let turn = Ord::max(due, row.held_until) - head_start;
                shares.entry(&row.organization).or_default().push((turn, *id));
            }
        }
        let mut turns = Vec::new();
        for share in shares.values_mut() {
            share.sort_unstable();
            turns.extend(share.iter().take(SHARE).enumerate().map(|(place, (turn, id))| (place, *turn, *id)));
        }
        turns.sort_unstable();
        turns.into_iter().take(limit).filter_map(|(_, _, id)| self.stream(id)).collect()
    }

    fn is_leased(&self, copy: &copies::Model, now: i64) -> Option<bool> {
        let stream = self.streams.get(&copy.stream?)?;
        Some(stream.owner.is_some() && stream.lease_until > now)
    }

    pub(super) fn overdue(&self, limit: usize, now: i64) -> Vec<copies::Model> {
        let is_overdue =
            |copy: &&copies::Model| copy.is_open && copy.expires_at <= now && self.is_leased(copy, now) == Some(false);
        self.copies.values().filter(is_overdue).take(limit).cloned().collect()
    }

    pub(super) fn foldable(
        &self,
        waiting: usize,
        late: i64,
        streams: usize,
        limit: usize,
        now: i64,
    ) -> Vec<copies::Model> {
        let is_waiting = |copy: &&copies::Model| {
            let is_first = copy.parts == "[]" && copy.sending.is_none() && copy.attempts == 0;
            copy.may_fold && is_first && copy.state == "pending" && copy.due_at.is_some_and(|due| due <= now)
        };
        let of_stream = |stream: &Uuid| self.in_order(*stream).filter(is_waiting).cloned().collect::<Vec<_>>();
        let all = self.by_stream.keys().map(|stream| (*stream, of_stream(stream)));
        let first_due = |rows: &[copies::Model]| rows.iter().filter_map(|row| row.due_at).min();
        let mut found: Vec<_> =
            all.filter(|(_, rows)| rows.len() >= waiting && first_due(rows).is_some_and(|due| due <= late)).collect();
        found.sort_by_key(|(_, rows)| first_due(rows));
        found.truncate(streams);
        found.sort_by_key(|(stream, _)| *stream);
        found.into_iter().flat_map(|(_, rows)| rows).take(limit).collect()
    }

    pub(super) fn folded(&self, limit: usize) -> Vec<(copies::Model, bool)> {
        let ended = |copy: &copies::Model| {
            let summary = self.by_message.get(&copy.folded_into?).into_iter().flatten().next();
            let summary = summary.and_then(|id| self.copies.get(id));
            let has_ended = copy.is_open && summary.is_none_or(|summary| !summary.is_open);
            has_ended.then(|| (copy.clone(), summary.is_some_and(|summary| summary.shown.is_some())))
        };
        self.copies.values().filter_map(ended).take(limit).collect()
    }

    pub(super) fn open_copies(&self, organization: &OrganizationId, what: &CancelWhat) -> Vec<copies::Model> {
        let is_meant = |copy: &&copies::Model| {
            let Some(stream) = copy.stream.and_then(|id| self.streams.get(&id)) else { return false };
            let is_there = match what {
                CancelWhat::Installation(id) => stream.installation == Some(id.0),
                CancelWhat::Conversation(id, key) => {
                    stream.installation == Some(id.0) && stream.key == *key && copy.account.is_none()
                }
            };
            copy.is_open && is_there && stream.organization == organization.as_str() && stream.due_at.is_some()
        };
        self.copies.values().filter(is_meant).cloned().collect()
    }

    pub(super) fn documents(
        &self,
        messages: &BTreeSet<(OrganizationId, Uuid)>,
        events: &BTreeSet<(OrganizationId, Uuid)>,
    ) -> Documents {
        let wanted = self.messages.iter().filter(|((owner, _), row)| messages.contains(&(owner.clone(), row.id)));
        let document = |row: &messages::Model| MessageDocument {
            key: row.key.clone(),
            body: Body::Stored(row.body.clone()),
            pinned: row.pinned.clone().map(Body::Stored),
        };
        let told = events.iter().filter_map(|(_, id)| self.events.get(*self.by_event.get(id)?));
        Documents {
            messages: wanted.map(|(_, row)| (row.id, document(row))).collect(),
            events: told.map(|event| (event.id, event.body.clone())).collect(),
        }
    }

    pub(super) fn free_all(&mut self) -> u64 {
        let mut freed = 0;
        for row in self.streams.values_mut().filter(|row| row.owner.is_some()) {
            (row.owner, row.lease_until) = (None, 0);
            freed += 1;
        }
        freed
    }

    pub(super) fn abandon(&mut self, owner: Uuid, held: &BTreeSet<StreamId>) -> u64 {
        let is_left = |row: &&streams::Model| row.owner == Some(owner) && !held.contains(&StreamId(row.id));
        let left: Vec<Uuid> = self.streams.values().filter(is_left).map(|row| row.id).collect();
        for id in &left {
            self.release(*id);
        }
        u64::try_from(left.len()).unwrap_or(u64::MAX)
    }

    pub(super) fn set_back(&mut self, was: i64, now: i64) {
        let earlier = |at: i64| Ord::min(at, Ord::max(at - (was - now), now));
        self.installations.values_mut().for_each(|row| row.held_until = earlier(row.held_until));
        let is_chosen = |copy: &copies::Model, due: i64| {
            due <= was || copy.code.is_some() || matches!(copy.state.as_str(), "retry" | "unknown")
        };
        for copy in self.copies.values_mut() {
            copy.due_at = copy.due_at.map(|due| if is_chosen(copy, due) { earlier(due) } else { due });
        }
        let asleep: Vec<Uuid> = self.streams.values().filter(|row| row.owner.is_none()).map(|row| row.id).collect();
        for id in asleep {
            let due = self.first_due(id);
            self.streams.entry(id).and_modify(|row| row.due_at = due);
        }
        self.streams.values_mut().for_each(|row| row.held_until = earlier(row.held_until));
    }

    fn release(&mut self, stream: Uuid) {
        let due = self.first_due(stream);
        if let Some(row) = self.streams.get_mut(&stream) {
            (row.owner, row.lease_until, row.due_at) = (None, 0, due);
        }
    }

    /// Write everything, or nothing where a row isn't as it was loaded. The answer is whether
    /// subscriptions are told of it.
    pub(super) fn write(&mut self, changes: Changes) -> Result<bool, StoreError> {
        let refused = |what: &str| Err(StoreError::Refused(format!("{what} was not as it was loaded")));
        let is_same_lease =
            |(was, _): &(Stream, Stream)| self.streams.get(&was.row.id).is_some_and(|row| row.fence == was.row.fence);
        if !changes.streams.changed.iter().all(is_same_lease) {
            return refused("a stream");
        }
        let is_there = |stream: &Stream| stream.row.installation.map(|id| (InstallationId(id), stream.row.key.clone()));
        if changes.streams.new.iter().filter_map(is_there).any(|place| self.places.contains_key(&place)) {
            return refused("a conversation");
        }
        for Stream { row, .. } in changes.streams.new {
            self.places.extend(row.installation.map(|id| ((InstallationId(id), row.key.clone()), row.id)));
            self.streams.insert(row.id, row);
        }
        for row in changes.messages.new.into_iter().chain(changes.messages.changed.into_iter().map(|(_, is)| is)) {
            let organization = organization(&row.organization)?;
            self.messages.insert((organization, row.key.clone()), row);
        }
        self.commits += 1;
        self.came.extend(changes.copies.new.iter().map(|row| (row.id, self.commits)));
        for row in changes.copies.new.into_iter().chain(changes.copies.changed.into_iter().map(|(_, is)| is)) {
            self.insert_copy(row);
        }
        for (_, Stream { row, is_released, .. }) in changes.streams.changed {
            let id = row.id;
            self.streams.insert(id, row);
            if is_released {
                self.release(id);
            }
        }
        self.attempts.extend(changes.attempts);
        for ((_, id), at) in changes.holds {
            if let Some(installation) = self.installations.get_mut(&id) {
                installation.held_until = Ord::max(installation.held_until, at.as_micros());
            }
        }
        for ((_, id), at) in changes.delivered {
            if let Some(installation) = self.installations.get_mut(&id) {
                installation.last_delivered_at = Ord::max(installation.last_delivered_at, Some(at.as_micros()));
            }
        }
        let mut is_told = false;
        for (organization, event) in &changes.events {
            is_told |= self.tell(organization, event);
        }
        for (organization, outcome, number) in changes.tallies.rows() {
            *self.tallies.entry((organization.to_owned(), outcome.to_owned())).or_default() += number;
        }
        Ok(is_told)
    }

    fn insert_copy(&mut self, row: copies::Model) {
        if let Some(at) = row.first_tried_at {
            self.taken.entry(row.id).or_insert(at);
        }
        if let Some(stream) = row.stream {
            self.by_stream.entry(stream).or_default().insert((row.sequence, row.id));
        }
        if let Some(message) = row.message {
            self.by_message.entry(message).or_default().insert(row.id);
        }
        self.copies.insert(row.id, row);
    }

    /// Write an event, with a copy for each subscription that wants it. Whether there is one.
    fn tell(&mut self, organization: &OrganizationId, event: &NewEvent) -> bool {
        let body = event.body(organization);
        self.by_event.insert(event.id.0, self.events.len());
        self.events.push(Happened { organization: organization.clone(), id: event.id.0, kind: event.kind, body });
        let wants = |(name, kinds): (&String, &Vec<EventKind>)| {
            (kinds.is_empty() || kinds.contains(&event.kind)).then(|| name.clone())
        };
        let names: Vec<_> = self.subscriptions.iter().filter_map(wants).collect();
        for name in &names {
            let due = event.at.plus(event.hold).as_micros();
            let stream = self.stream_of(organization, name);
            let id = self.own_id();
            let Some(row) = self.streams.get_mut(&stream) else { continue };
            row.sequence += 1;
            row.due_at = Some(row.due_at.map_or(due, |other| Ord::min(other, due)));
            let copy = copy_of(organization, event, id, row, name, due);
            self.insert_copy(copy);
        }
        !names.is_empty()
    }

    fn stream_of(&mut self, organization: &OrganizationId, subscription: &str) -> Uuid {
        let is_it = |row: &&streams::Model| {
            row.organization == organization.as_str() && row.subscription.as_deref() == Some(subscription)
        };
        if let Some(row) = self.streams.values().find(is_it) {
            return row.id;
        }
        let row = streams::Model {
            organization: organization.as_str().to_owned(),
            id: self.own_id(),
            installation: None,
            subscription: Some(subscription.to_owned()),
            key: subscription.to_owned(),
            rate: String::new(),
            urgency: 1,
            owner: None,
            fence: 0,
            lease_until: 0,
            due_at: None,
            held_until: 0,
            sequence: 0,
        };
        let id = row.id;
        self.streams.insert(id, row);
        id
    }

    /// An id that the store makes itself, for a stream of events or an event's copy.
    fn own_id(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128(self.ids)
    }
}

fn organization(text: &str) -> Result<OrganizationId, StoreError> {
    OrganizationId::parse(text).ok_or_else(|| StoreError::Refused(format!("{text} is no organization")))
}

fn copy_of(
    organization: &OrganizationId,
    event: &NewEvent,
    id: Uuid,
    stream: &streams::Model,
    subscription: &str,
    due: i64,
) -> copies::Model {
    let at = event.at.as_micros();
    copies::Model {
        organization: organization.as_str().to_owned(),
        id,
        stream: Some(stream.id),
        installation: None,
        message: None,
        event: Some(event.id.0),
        root: None,
        log_id: None,
        log_text: None,
        target: serde_json::json!({ "subscription": subscription }).to_string(),
        account: None,
        address: None,
        sequence: stream.sequence,
        revision: 1,
        pinned: None,
        shown: None,
        sending: None,
        is_open: true,
        removal: false,
        is_fallback: false,
        may_fold: false,
        folded_into: None,
        fence: 0,
        state: "pending".to_owned(),
        code: None,
        detail: None,
        due_at: Some(due),
        attempts: 0,
        crashes: 0,
        first_tried_at: None,
        parts: "[]".to_owned(),
        urgency: 1,
        expires_at: event.at.plus(EVENT_LIFETIME).as_micros(),
        created_at: at,
        updated_at: at,
    }
}
