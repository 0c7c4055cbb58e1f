//! One store with two processes that work on it. It does what a step says, and answers in a
//! form in which the answers of two stores can be compared.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use chatport_host::{
    delivery::{
        AcceptError, Accepted, Operation,
        desk::{Assignment, Desk, Seat},
        fold::Storm,
        message::ShownPart,
        store::{DeliveryStore, Outcome, Record, Recorded, What, Work},
        units::Units,
    },
    ids::{CopyId, OrganizationId, StreamId},
};
use chatport_sdk::{delivery::Receipt, failure::Scope, time::Timestamp};
use chatport_tests::seeded::SeededRandom;
use tokio::sync::mpsc::UnboundedReceiver;
use uuid::Uuid;

use crate::steps::{End, How};

/// Seats of a process: more than there are streams.
const SEATS: usize = 64;
const LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// Few enough for the model to meet it.
const STORM: Storm = Storm { waiting: 2, late: Duration::ZERO, most: 3 };
/// Between the copies of one replay.
const APART: Duration = Duration::from_secs(2);

/// Work that a process does.
pub struct Hand {
    pub work: Work,
    /// What has been written down without hearing an answer, and is written down again.
    pub unheard: Option<Record>,
    _seat: Option<Seat>,
}

/// A process.
pub struct Process {
    pub owner: Uuid,
    desk: Desk,
    assignments: UnboundedReceiver<Assignment>,
}

impl Process {
    fn start(number: u128) -> Self {
        let owner = Uuid::from_u128(number);
        let (desk, assignments) = Desk::new(owner, SEATS);
        Self { owner, desk, assignments }
    }
}

/// A result that was written down, with the answer.
pub struct Recording {
    pub record: Record,
    pub answer: Recorded,
    /// Whether the process heard the answer.
    pub heard: bool,
    /// Whether it was written down before.
    pub is_repeated: bool,
}

/// The store with its processes.
pub struct System {
    pub store: Arc<dyn DeliveryStore>,
    pub units: Units,
    pub processes: [Process; 2],
    pub hands: Vec<Hand>,
    started: u128,
}

impl System {
    pub fn over(store: Arc<dyn DeliveryStore>) -> Self {
        let units = Units::new(Arc::clone(&store), Arc::new(SeededRandom::new(7)));
        Self { store, units, processes: [Process::start(1), Process::start(2)], hands: Vec::new(), started: 2 }
    }

    pub async fn accept(
        &mut self,
        operations: &[Operation],
        process: Option<usize>,
    ) -> (Vec<Result<Accepted, AcceptError>>, Vec<Work>) {
        let operations: Vec<&Operation> = operations.iter().collect();
        let desk = process.map(|process| &self.processes[process].desk);
        let answers = self.units.write(&operations, &[], desk).await.expect("accepted").accepted;
        let taken = process.map(|process| self.take_up(process, false)).unwrap_or_default();
        (answers, taken)
    }

    /// Lease what is due. The answer is also whether there may be more.
    pub async fn lease(&mut self, process: usize, unheard: bool) -> (bool, Vec<Work>) {
        let more = self.units.lease(&self.processes[process].desk).await.expect("leased");
        (more, self.take_up(process, unheard))
    }

    /// Take what was assigned in hand, in an order that doesn't depend on the store.
    fn take_up(&mut self, process: usize, unheard: bool) -> Vec<Work> {
        let mut assigned: Vec<Assignment> = Vec::new();
        while let Ok(assignment) = self.processes[process].assignments.try_recv() {
            assigned.push(assignment);
        }
        assigned.sort_by_key(|assignment| place(&assignment.work));
        let works = assigned.iter().map(|assignment| assignment.work.clone()).collect();
        if !unheard {
            let hand = |Assignment { work, seat, .. }| Hand { work, unheard: None, _seat: Some(seat) };
            self.hands.extend(assigned.into_iter().map(hand));
        }
        works
    }

    /// Write results down: those of messages together, and those of events.
    pub async fn record(&mut self, ends: &[End], now: Timestamp) -> Vec<Recording> {
        let (mut events, mut messages) = (Vec::new(), Vec::new());
        let mut streams = BTreeSet::new();
        for end in ends {
            if self.hands.is_empty() {
                break;
            }
            let hand = end.hand % self.hands.len();
            let work = &self.hands[hand].work;
            if streams.insert(work.lease.stream) {
                let is_event = matches!(work.what, What::Event { .. });
                if is_event { &mut events } else { &mut messages }.push((hand, end));
            }
        }
        let mut recordings = Vec::new();
        let mut done = BTreeSet::new();
        for jobs in [events, messages] {
            let earlier: Vec<bool> = jobs.iter().map(|(hand, _)| self.hands[*hand].unheard.is_some()).collect();
            let record = |(hand, end): &(usize, &End)| {
                let hand = &self.hands[*hand];
                hand.unheard.clone().unwrap_or_else(|| record(&hand.work, end, now))
            };
            let records: Vec<Record> = jobs.iter().map(record).collect();
            if records.is_empty() {
                continue;
            }
            let borrowed: Vec<&Record> = records.iter().collect();
            let answers = self.units.write(&[], &borrowed, None).await.expect("recorded").recorded;
            for ((((hand, end), record), answer), is_repeated) in jobs.iter().zip(records).zip(answers).zip(earlier) {
                let heard = !end.unheard;
                match &answer {
                    _ if !heard => self.hands[*hand].unheard = Some(record.clone()),
                    Recorded::Next(next) => {
                        self.hands[*hand].work = next.as_ref().clone();
                        self.hands[*hand].unheard = None;
                    }
                    Recorded::Released | Recorded::Lost => drop(done.insert(*hand)),
                }
                recordings.push(Recording { record, answer, heard, is_repeated });
            }
        }
        let mut index = 0;
        self.hands.retain(|_| {
            index += 1;
            !done.contains(&(index - 1))
        });
        recordings
    }

    /// Record that one more part stands. `None`: there is nothing in hand.
    pub async fn parts(&mut self, hand: usize) -> Option<(Work, bool)> {
        let is_message = |hand: &&mut Hand| matches!(hand.work.what, What::Message { .. }) && hand.unheard.is_none();
        let count = self.hands.iter_mut().filter(is_message).count();
        let hand = self.hands.iter_mut().filter(is_message).nth(hand % count.max(1))?;
        let mut parts = hand.work.parts.clone();
        parts.push(part(&hand.work));
        let held = self.units.record_parts(&hand.work, &parts, Some("\"an address\"")).await.expect("recorded");
        if held {
            hand.work.parts = parts;
        }
        Some((hand.work.clone(), held))
    }

    pub async fn expire(&self) -> usize {
        self.units.expire(1_000).await.expect("expired")
    }

    pub async fn fold(&self) -> usize {
        self.units.fold(&STORM).await.expect("folded")
    }

    pub async fn delete(&self, organization: &OrganizationId, key: &str, now: Timestamp) -> String {
        format!("{:?}", self.units.delete(organization, key, now).await.expect("deleted"))
    }

    pub async fn replay(
        &self,
        organization: &OrganizationId,
        copies: &[(CopyId, StreamId)],
        now: Timestamp,
    ) -> Vec<CopyId> {
        self.units.replay(organization, copies, now, APART, LIFETIME).await.expect("replayed")
    }

    /// A process gives back what it doesn't have in hand. The answer is the number.
    pub async fn abandon(&self, process: usize) -> u64 {
        let owner = self.processes[process].owner;
        self.store.abandon(owner, &|| self.held(owner)).await.expect("abandoned")
    }

    pub fn held(&self, owner: Uuid) -> BTreeSet<StreamId> {
        let own = self.hands.iter().filter(|hand| hand.work.lease.owner == owner);
        own.map(|hand| hand.work.lease.stream).collect()
    }

    /// Replace a process. What it had in hand is lost, or is recorded later.
    pub fn restart(&mut self, process: usize, frozen: bool) {
        let owner = self.processes[process].owner;
        if !frozen {
            self.hands.retain(|hand| hand.work.lease.owner != owner);
        }
        self.started += 1;
        self.processes[process] = Process::start(self.started);
    }
}

/// Where work stands among others, the same for each store.
fn place(work: &Work) -> (String, Uuid) {
    let id = match &work.what {
        What::Event { id, .. } => *id,
        What::Message { .. } => work.lease.stream.0,
    };
    (work.lease.organization.to_string(), id)
}

/// Work in words, without the ids that each store makes for itself.
pub fn work_text(work: &Work) -> String {
    match &work.what {
        What::Message { .. } => format!("{work:?}"),
        What::Event { .. } => {
            let same = (&work.lease.organization, work.lease.owner, work.lease.fence, &work.what, work.attempts);
            format!("{same:?} {} {} {:?} {}", work.unsure, work.crashes, work.first_tried, work.expires_at)
        }
    }
}

/// An answer to a record in words.
pub fn recorded_text(recorded: &Recorded) -> String {
    match recorded {
        Recorded::Next(work) => work_text(work),
        other => format!("{other:?}"),
    }
}

fn part(work: &Work) -> ShownPart {
    let number = work.parts.len();
    ShownPart {
        receipt: Receipt::new(format!("{}-{number}", work.copy)),
        digest: format!("{}", work.revision),
        revision: work.revision,
        actions: Vec::new(),
    }
}

fn record(work: &Work, end: &End, now: Timestamp) -> Record {
    let after = |seconds: u64| now.plus(Duration::from_secs(seconds));
    let (code, detail) = ("platform_unavailable", "down".to_owned());
    let mut parts = work.parts.clone();
    let is_event = matches!(work.what, What::Event { .. });
    let outcome = match end.how {
        How::Delivered => {
            parts = if work.removal || is_event {
                Vec::new()
            } else {
                vec![part(&Work { parts: Vec::new(), ..work.clone() })]
            };
            Outcome::Delivered
        }
        How::Retry(seconds) => Outcome::Retry { at: after(seconds), code, detail },
        How::Hold(scope, seconds) => {
            let scope = if is_event { Scope::Conversation } else { scope };
            Outcome::Hold { until: after(seconds), scope, code: "rate_limited", detail }
        }
        How::Unknown { .. } if is_event => Outcome::Retry { at: after(1), code, detail },
        How::Unknown { posted } => {
            if posted {
                parts.push(part(work));
            }
            Outcome::Unknown { at: after(1), detail }
        }
        How::Dead => Outcome::Dead { code: "channel_not_found", detail },
        How::Expired => Outcome::Expired,
        How::Untried => Outcome::Untried { due: now },
    };
    let address = matches!(end.how, How::Delivered).then(|| "\"an address\"".to_owned());
    Record { work: work.clone(), outcome, parts, address, took: Duration::from_millis(3), go_on: end.go_on }
}
