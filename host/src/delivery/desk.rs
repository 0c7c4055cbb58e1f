//! Where work gets its worker. There are so many seats in all, and of those so many at most
//! for one organization, one installation, one subscription: nobody takes all. A seat notes
//! which stream is worked on, from before the lease is committed until the work is over.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::Instant,
};
use uuid::Uuid;

use super::{
    ledger::Stream,
    store::{Full, StoreError, Work},
};
use crate::ids::{InstallationId, OrganizationId, StreamId};

/// Most streams of one organization that are worked on at once.
const ORGANIZATION_SEATS: usize = 32;
/// Most streams of one installation or subscription that are worked on at once.
const PARTY_SEATS: usize = 8;

/// Who takes seats.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Party {
    Organization(OrganizationId),
    Installation(InstallationId),
    Subscription(String),
}

impl Party {
    const fn seats(&self) -> usize {
        match self {
            Self::Organization(_) => ORGANIZATION_SEATS,
            Self::Installation(_) | Self::Subscription(_) => PARTY_SEATS,
        }
    }
}

#[derive(Default)]
struct Taken {
    by: HashMap<Party, usize>,
    streams: BTreeSet<StreamId>,
    /// Whether somebody was left without a seat.
    is_short: bool,
}

/// Leased work with its seat.
#[derive(Debug)]
pub struct Assignment {
    /// The work.
    pub work: Work,
    /// Its seat.
    pub seat: Seat,
    /// When the lease was asked for: it lasts from then on at least.
    pub leased: Instant,
}

/// The seats of one process, and the way to its workers.
pub struct Desk {
    /// This process; random at each start.
    pub owner: Uuid,
    seats: Arc<Semaphore>,
    taken: Arc<Mutex<Taken>>,
    strays: AtomicBool,
    sender: mpsc::UnboundedSender<Assignment>,
}

impl Desk {
    /// A desk with this number of seats. Work comes out of the receiver.
    pub fn new(owner: Uuid, seats: usize) -> (Self, mpsc::UnboundedReceiver<Assignment>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let seats = Arc::new(Semaphore::new(seats));
        (Self { owner, seats, taken: Arc::default(), strays: AtomicBool::new(false), sender }, receiver)
    }

    /// How many seats are free.
    pub fn free(&self) -> usize {
        self.seats.available_permits()
    }

    /// Wait until a seat is free.
    pub(super) async fn until_free(&self) {
        // The semaphore is never closed.
        drop(self.seats.acquire().await);
    }

    /// A seat for a stream, if there is one.
    pub(super) fn seat(&self, stream: &Stream) -> Option<Seat> {
        let parties = parties(stream);
        let mut taken = lock(&self.taken);
        let is_full = |party: &Party| taken.by.get(party).copied().unwrap_or(0) >= party.seats();
        let stream = StreamId(stream.row.id);
        let permit = Arc::clone(&self.seats).try_acquire_owned().ok();
        let Some(permit) = permit.filter(|_| !parties.iter().any(is_full) && !taken.streams.contains(&stream)) else {
            taken.is_short = true;
            return None;
        };
        taken.streams.insert(stream);
        for party in &parties {
            *taken.by.entry(party.clone()).or_default() += 1;
        }
        drop(taken);
        Some(Seat { permit: Some(permit), taken: Arc::clone(&self.taken), parties, stream })
    }

    /// Who may take no more.
    pub(super) fn full(&self) -> Full {
        let mut full = Full::default();
        let mut taken = lock(&self.taken);
        for (party, _) in taken.by.iter().filter(|(party, count)| **count >= party.seats()) {
            match party {
                Party::Organization(id) => drop(full.organizations.insert(id.clone())),
                Party::Installation(id) => drop(full.installations.insert(*id)),
                Party::Subscription(name) => drop(full.subscriptions.insert(name.clone())),
            }
        }
        taken.is_short |= full != Full::default();
        full
    }

    /// Whether somebody was, or may have been, left without a seat; asked once.
    pub(super) fn was_short(&self) -> bool {
        std::mem::take(&mut lock(&self.taken).is_short)
    }

    /// The streams that are worked on.
    pub(super) fn held(&self) -> BTreeSet<StreamId> {
        lock(&self.taken).streams.clone()
    }

    /// Hand work to a worker.
    pub(super) fn assign(&self, assignment: Assignment) {
        // Without workers the lease runs out by itself.
        if self.sender.send(assignment).is_err() {
            self.note_strays();
        }
    }

    /// The store may hold leases that this process doesn't know of.
    pub(super) fn note_strays(&self) {
        self.strays.store(true, Ordering::Relaxed);
    }

    /// The same, after a unit of work that may have leased streams. Their seats have been given
    /// back by then: what has a seat is no stray.
    pub(super) fn note_strays_after(&self, error: &StoreError) {
        if matches!(error, StoreError::CommitUnknown(_)) {
            self.note_strays();
        }
    }

    /// Whether it may; asked once.
    pub(super) fn take_strays(&self) -> bool {
        self.strays.swap(false, Ordering::Relaxed)
    }
}

fn parties(stream: &Stream) -> Vec<Party> {
    let row = &stream.row;
    let installation = row.installation.map(|id| Party::Installation(InstallationId(id)));
    let subscription = row.subscription.clone().map(Party::Subscription);
    // Events of one receiver are paced by it alone.
    let organization = row.installation.map(|_| Party::Organization(OrganizationId::stored(row.organization.clone())));
    [organization, installation, subscription].into_iter().flatten().collect()
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The right to be worked on; given back when dropped.
pub struct Seat {
    permit: Option<OwnedSemaphorePermit>,
    taken: Arc<Mutex<Taken>>,
    parties: Vec<Party>,
    stream: StreamId,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        drop(self.permit.take());
        taken.streams.remove(&self.stream);
        for party in &self.parties {
            if let Some(count) = taken.by.get_mut(party) {
                *count -= 1;
                if *count == 0 {
                    taken.by.remove(party);
                }
            }
        }
    }
}

impl std::fmt::Debug for Seat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Seat").field(&self.stream).finish()
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("owner", &self.owner).field("free", &self.free()).finish_non_exhaustive()
    }
}

/// The desk of the running engine, if it runs.
#[derive(Clone, Default)]
pub(super) struct Desks(Arc<RwLock<Option<Arc<Desk>>>>);

impl Desks {
    pub(super) fn get(&self) -> Option<Arc<Desk>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, desk: Option<Arc<Desk>>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = desk;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::entities::streams;

    fn stream(installation: InstallationId) -> Stream {
        let row = streams::Model {
            organization: "acme".into(),
            id: Uuid::now_v7(),
            installation: Some(installation.0),
            subscription: None,
            key: "loft".into(),
            rate: String::new(),
            urgency: 1,
            owner: None,
            fence: 0,
            lease_until: 0,
            due_at: Some(0),
            held_until: 0,
            sequence: 0,
        };
        Stream::loaded(row, 0)
    }

    #[test]
    fn one_installation_cannot_take_every_seat() {
        let (desk, _work) = Desk::new(Uuid::nil(), 64);
        let (busy, other) = (InstallationId::new(), InstallationId::new());
        let seats: Vec<_> = (0..PARTY_SEATS).map(|_| desk.seat(&stream(busy)).expect("a seat")).collect();
        assert!(desk.seat(&stream(busy)).is_none());
        assert_eq!(desk.full().installations, BTreeSet::from([busy]));
        assert!(desk.seat(&stream(other)).is_some());
        drop(seats);
        assert!(desk.seat(&stream(busy)).is_some());
        assert_eq!(desk.held(), BTreeSet::new());
    }

    #[test]
    fn a_stream_has_one_seat() {
        let (desk, _work) = Desk::new(Uuid::nil(), 64);
        let stream = stream(InstallationId::new());
        let seat = desk.seat(&stream);
        assert!(seat.is_some() && desk.seat(&stream).is_none());
    }
}
