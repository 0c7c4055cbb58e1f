//! What really happened, as somebody who sees everything would write it down: what the
//! application was told, what went over the wires, what the platforms did, and what was done
//! to all of them. The judge reads it at the end; its digest tells two runs apart.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chatport_sdk::time::Timestamp;
use uuid::Uuid;

use crate::asks::Ask;

/// A request from a courier to a platform, as the courier sees it.
#[derive(Clone, Debug)]
pub struct Call {
    pub replica: usize,
    pub stream: Uuid,
    pub copy: Uuid,
    pub posts: bool,
    pub begun: Timestamp,
    /// When it got an answer or gave up; `None`: it was stopped.
    pub ended: Option<Timestamp>,
    pub answered: bool,
}

/// What a platform did.
#[derive(Clone, Debug)]
pub struct Deed {
    pub at: Timestamp,
    pub call: usize,
    pub copy: Uuid,
    pub post: u64,
    pub revision: i64,
    pub kind: DeedKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeedKind {
    Posted,
    Edited,
    Deleted,
}

/// Something that was done to a replica: it crashed, or lost the store.
#[derive(Clone, Debug)]
pub struct Incident {
    pub replica: usize,
    pub from: Timestamp,
    pub until: Timestamp,
}

/// Seconds in which a copy may run out of time before anybody gets to it.
const LITTLE_TIME: u64 = 1_000;

/// The notes.
#[derive(Debug, Default)]
pub struct Notes {
    pub acknowledged: BTreeMap<(String, String), Ask>,
    /// Messages that had to wait, were taken away or had little time: their copies may have come
    /// back later, behind others.
    pub irregular: BTreeSet<(String, String)>,
    pub acknowledgements: usize,
    pub calls: Vec<Call>,
    pub deeds: Vec<Deed>,
    pub incidents: Vec<Incident>,
    /// Copies in the order in which couriers got them, with the time.
    pub carried: Vec<(Timestamp, usize, Uuid, i64)>,
    pub events: BTreeMap<Uuid, usize>,
    digest: u64,
    /// Whether each note is printed, for who replays a run.
    pub is_told_aloud: bool,
}

/// The notes, for all who write.
#[derive(Clone, Debug, Default)]
pub struct Truth(Arc<Mutex<Notes>>);

impl Truth {
    pub fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn acknowledge(&self, ask: &Ask, at: Timestamp) {
        let mut notes = self.notes();
        notes.acknowledged.insert((ask.organization.clone(), ask.key.clone()), ask.clone());
        notes.acknowledgements += 1;
        if ask.delay > 0 || ask.delete || ask.lifetime < LITTLE_TIME {
            notes.irregular.insert((ask.organization.clone(), ask.key.clone()));
        }
        notes.mark(&("acknowledged", at, &ask.key, ask.revision));
    }

    pub fn call(&self, call: Call) -> usize {
        let mut notes = self.notes();
        notes.mark(&("call", call.begun, call.replica, call.copy));
        notes.calls.push(call);
        notes.calls.len() - 1
    }

    pub fn end_call(&self, number: usize, answered: bool, at: Timestamp) {
        let mut notes = self.notes();
        notes.mark(&("end", number, answered, at));
        notes.calls[number].ended = Some(at);
        notes.calls[number].answered = answered;
    }

    pub fn deed(&self, deed: Deed) {
        let mut notes = self.notes();
        notes.mark(&("deed", deed.at, deed.copy, deed.post, deed.revision));
        notes.deeds.push(deed);
    }

    pub fn carry(&self, at: Timestamp, replica: usize, copy: Uuid, revision: i64) {
        let mut notes = self.notes();
        notes.mark(&("carry", at, replica, copy, revision));
        notes.carried.push((at, replica, copy, revision));
    }

    pub fn incident(&self, incident: Incident) {
        let mut notes = self.notes();
        notes.mark(&("incident", incident.replica, incident.from, incident.until));
        notes.incidents.push(incident);
    }

    pub fn event(&self, id: Uuid, at: Timestamp) {
        let mut notes = self.notes();
        notes.mark(&("event", at, id));
        *notes.events.entry(id).or_default() += 1;
    }

    /// Equal for equal runs.
    pub fn digest(&self) -> u64 {
        self.notes().digest
    }
}

impl Notes {
    fn mark(&mut self, what: &impl std::fmt::Debug) {
        let line = format!("{what:?}");
        if self.is_told_aloud {
            println!("{line}");
        }
        // FNV-1a.
        for byte in line.bytes() {
            self.digest = (self.digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        self.digest ^= 0xcbf2_9ce4_8422_2325;
    }
}
