//! The unit of work that writes: operations of applications and results of attempts in one
//! commit, each result under its lease. What can be sent next is taken in the same commit: the
//! next copies of streams whose worker goes on, and the first ones of streams that slept.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use chatport_sdk::time::Timestamp;
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    accept::{AcceptError, Accepted, Operation},
    desk::{Assignment, Desk},
    ledger::{Changes, Ledger},
    message::ShownPart,
    outcomes, revise,
    store::{Body, Documents, Lease, MessageDocument, Record, Recorded, RowsWanted, StoreError, Unit, Work},
    units::Units,
};
use crate::{ids::OrganizationId, store::entities::copies};

/// What a commit has answered.
#[derive(Debug)]
pub struct Written {
    /// To each operation.
    pub accepted: Vec<Result<Accepted, AcceptError>>,
    /// To each result.
    pub recorded: Vec<Recorded>,
    /// How long until something may be due that nobody has leased.
    pub next_due: Option<Duration>,
}

/// Within this, no other replica has been waited for: a unit of work of its own takes longer.
const UNDISTURBED: Duration = Duration::from_millis(2);

impl Units {
    /// Write operations and results in one commit. What can be sent at once is assigned at
    /// `desk`.
    ///
    /// # Errors
    /// The store fails.
    pub async fn write(
        &self,
        operations: &[&Operation],
        records: &[&Record],
        desk: Option<&Desk>,
    ) -> Result<Written, StoreError> {
        let begun = Instant::now();
        let (mut unit, mut ledger) = self.begin().await?;
        let asked = Instant::now();
        let mut rows = unit.load(&touched(operations, records)).await?;
        let was_kept_waiting = asked.elapsed() > UNDISTURBED;
        let mut backlogs = std::mem::take(&mut rows.backlogs);
        ledger.load(rows);
        let mut held = records.to_vec();
        held.retain(|record| outcomes::holds(&mut ledger, &record.work.lease));
        let mut wanted = Vec::with_capacity(held.len());
        for record in &held {
            outcomes::conclude(&mut ledger, record);
            let lease = record.work.lease.clone();
            match record.go_on {
                true => wanted.push(lease),
                false => outcomes::release(&mut ledger, &lease),
            }
        }
        let accepted = operations.iter().map(|operation| apply(&mut ledger, operation, &mut backlogs)).collect();
        let standing = standing(&mut ledger, operations);
        let documents = in_memory(&mut ledger, operations, &standing);
        let mut next = self.take(unit.as_mut(), &mut ledger, &wanted, &documents).await?;
        let taken = desk.map(|desk| take_new(&mut ledger, desk, &documents, begun)).unwrap_or_default();
        let waiting = waiting(&ledger, &standing);
        let next_due = ledger.next_due().map(|due| Timestamp::from_micros(due).since(ledger.now));
        let calls_others = !operations.is_empty() && next_due == Some(Duration::ZERO);
        let wakes_events = unit.commit(Changes { calls_others, ..ledger.into_changes() }).await?;
        self.recent.keep(&waiting);
        if let Some(desk) = desk {
            taken.into_iter().for_each(|assignment| desk.assign(assignment));
        }
        let is_held = |record: &Record| held.iter().any(|other| std::ptr::eq(*other, record));
        let answer = |record: &&Record| match next.iter().position(|work| work.lease == record.work.lease) {
            Some(position) => Recorded::Next(Box::new(next.swap_remove(position))),
            None if is_held(record) => Recorded::Released,
            None => Recorded::Lost,
        };
        let recorded: Vec<_> = records.iter().map(answer).collect();
        // What else is due in a stream isn't loaded where its worker doesn't go on; and what another
        // replica has added while its lock was waited for may have become due since this began.
        let is_unseen = |(record, answer): (&&Record, &Recorded)| {
            matches!(answer, Recorded::Released) && (was_kept_waiting || !record.go_on)
        };
        let leaves_unseen = records.iter().zip(&recorded).any(is_unseen);
        let next_due = if leaves_unseen || wakes_events { Some(Duration::ZERO) } else { next_due };
        Ok(Written { accepted, recorded, next_due })
    }

    /// Record that parts of a copy stand on the platform; renews the lease. `false`: lost.
    ///
    /// # Errors
    /// The store fails.
    pub async fn record_parts(
        &self,
        work: &Work,
        parts: &[ShownPart],
        address: Option<&str>,
    ) -> Result<bool, StoreError> {
        let (mut unit, mut ledger) = self.begin().await?;
        let streams = BTreeSet::from([(work.lease.organization.clone(), work.lease.stream)]);
        let copies = BTreeSet::from([(work.lease.organization.clone(), work.copy)]);
        ledger.load(unit.load(&RowsWanted { streams, copies, ..RowsWanted::default() }).await?);
        if !outcomes::holds(&mut ledger, &work.lease) {
            return Ok(false);
        }
        outcomes::renew(&mut ledger, &work.lease);
        let now = ledger.now;
        if let Some(copy) = ledger.copy(work.copy.0) {
            copy.parts = outcomes::parts_text(parts);
            copy.address = address.map(str::to_owned).or(copy.address.take());
            copy.updated_at = now.as_micros();
        }
        unit.commit(ledger.into_changes()).await?;
        Ok(true)
    }
}

/// What is touched: the operations' messages with their copies and streams, the streams that
/// new copies go into, and the streams and copies of the results.
fn touched(operations: &[&Operation], records: &[&Record]) -> RowsWanted {
    let planned = operations.iter().flat_map(|operation| &operation.planned);
    let places = planned.filter_map(|planned| planned.place.as_ref().ok());
    let works = records.iter().map(|record| &record.work);
    let going_on = records.iter().filter(|record| record.go_on);
    RowsWanted {
        messages: operations.iter().map(|operation| (operation.organization.clone(), operation.key.clone())).collect(),
        places: places.map(|place| (place.installation, place.stream.clone())).collect(),
        streams: works.clone().map(|work| (work.lease.organization.clone(), work.lease.stream)).collect(),
        copies: works.map(|work| (work.lease.organization.clone(), work.copy)).collect(),
        heads_of: going_on.map(|record| (record.work.lease.stream, Some(record.work.copy))).collect(),
        backlogs_of: operations.iter().map(|operation| operation.organization.clone()).collect(),
    }
}

fn apply(
    ledger: &mut Ledger,
    operation: &Operation,
    backlogs: &mut BTreeMap<OrganizationId, i64>,
) -> Result<Accepted, AcceptError> {
    let backlog = backlogs.get_mut(&operation.organization).ok_or(AcceptError::NoOrganization)?;
    // What is known is still brought up to date: nothing keeps burning that is resolved.
    let is_new = ledger.message(&operation.organization, &operation.key).is_none();
    if is_new && *backlog >= operation.quota {
        return Err(AcceptError::BacklogFull { backlog: *backlog, quota: operation.quota });
    }
    *backlog += i64::try_from(operation.planned.len()).unwrap_or(0);
    revise::apply(ledger, &operation.by(ledger.now))
}

/// Lease what can be sent at once: the streams that slept until these operations came.
fn take_new(ledger: &mut Ledger, desk: &Desk, documents: &Documents, begun: Instant) -> Vec<Assignment> {
    let mut taken = Vec::new();
    for id in ledger.slept() {
        let Some(copy) = outcomes::next(ledger, id) else { continue };
        let Some(seat) = ledger.stream(id).and_then(|stream| desk.seat(stream)) else { continue };
        let Some(lease) = outcomes::lease(ledger, id, desk.owner) else { continue };
        match outcomes::take(ledger, &lease, copy, documents) {
            Some(work) => taken.push(Assignment { work, seat, leased: begun }),
            None => outcomes::release(ledger, &lease),
        }
    }
    taken
}

/// The operations whose message stands as they ask, each with the message's id.
fn standing<'o>(ledger: &mut Ledger, operations: &[&'o Operation]) -> Vec<(Uuid, &'o Operation)> {
    let message = |operation: &&'o Operation| {
        let message = ledger.message(&operation.organization, &operation.key)?;
        let is_this = message.revision == operation.put.revision && message.fingerprint == operation.fingerprint;
        is_this.then_some((message.id, *operation))
    };
    operations.iter().filter_map(message).collect()
}

/// Those of them that are due while their streams are busy, each with the number of such copies.
fn waiting<'o>(ledger: &Ledger, standing: &[(Uuid, &'o Operation)]) -> Vec<(Uuid, &'o Operation, usize)> {
    let now = ledger.now.as_micros();
    let waits = |copy: &&copies::Model| !copy.is_taken() && copy.due_at.is_some_and(|due| due <= now);
    let mut counts: HashMap<Uuid, usize> = HashMap::new();
    for message in ledger.copies().filter(waits).filter_map(|copy| copy.message) {
        *counts.entry(message).or_default() += 1;
    }
    standing.iter().filter_map(|(id, operation)| Some((*id, *operation, *counts.get(id)?))).collect()
}

/// The messages of these operations as they stand now, so that they needn't be read.
fn in_memory(ledger: &mut Ledger, operations: &[&Operation], standing: &[(Uuid, &Operation)]) -> Documents {
    let read = standing.iter().map(|(_, operation)| (*operation, Some(Body::Read(Arc::clone(&operation.put)))));
    let mut documents = Documents::default();
    for (operation, body) in read.chain(operations.iter().map(|operation| (*operation, None))) {
        let Some(message) = ledger.message(&operation.organization, &operation.key) else { continue };
        documents.messages.entry(message.id).or_insert_with(|| MessageDocument {
            key: message.key.clone(),
            body: body.unwrap_or_else(|| Body::Stored(message.body.clone())),
            pinned: message.pinned.clone().map(Body::Stored),
        });
    }
    documents
}

impl Units {
    /// Take the next copy of each of these leased streams, the due ones of which are loaded; give
    /// those back that have none.
    pub(super) async fn take(
        &self,
        unit: &mut dyn Unit,
        ledger: &mut Ledger,
        wanted: &[Lease],
        known: &Documents,
    ) -> Result<Vec<Work>, StoreError> {
        let mut works = Vec::with_capacity(wanted.len());
        let mut open: Vec<&Lease> = wanted.iter().collect();
        while !open.is_empty() {
            let mut next: Vec<(&Lease, Uuid)> = Vec::with_capacity(open.len());
            for lease in open {
                match outcomes::next(ledger, lease.stream.0) {
                    Some(copy) => next.push((lease, copy)),
                    None => outcomes::release(ledger, lease),
                }
            }
            let documents = self.documents(unit, ledger, next.iter().map(|(_, copy)| *copy), known).await?;
            open = Vec::new();
            for (lease, copy) in next {
                match outcomes::take(ledger, lease, copy, &documents) {
                    Some(work) => {
                        outcomes::renew(ledger, lease);
                        works.push(work);
                    }
                    // It couldn't be read: then the one after it.
                    None => open.push(lease),
                }
            }
        }
        Ok(works)
    }

    /// The texts of these copies; those that are known or recent aren't loaded.
    pub(super) async fn documents(
        &self,
        unit: &mut dyn Unit,
        ledger: &mut Ledger,
        copies: impl Iterator<Item = Uuid>,
        known: &Documents,
    ) -> Result<Documents, StoreError> {
        let mut documents = known.clone();
        let (mut messages, mut events) = (BTreeSet::new(), BTreeSet::new());
        for copy in copies {
            let Some(copy) = ledger.copy(copy) else { continue };
            let organization = || OrganizationId::stored(copy.organization.clone());
            if let Some(id) = copy.message.filter(|id| !known.messages.contains_key(id)) {
                match self.recent.take(copy) {
                    Some((id, document)) => drop(documents.messages.insert(id, document)),
                    None => drop(messages.insert((organization(), id))),
                }
            }
            events.extend(copy.event.map(|id| (organization(), id)));
        }
        if !messages.is_empty() || !events.is_empty() {
            let loaded = unit.documents(&messages, &events).await?;
            documents.messages.extend(loaded.messages);
            documents.events.extend(loaded.events);
        }
        Ok(documents)
    }
}
