//! A store that fails when it is told to: at the n-th operation of a kind, before it or after
//! it, in a commit whose fate stays unknown, or by not answering for a long time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chatport_host::{
    delivery::{
        CancelWhat,
        ledger::{Changes, Stream},
        store::{DeliveryStore, Documents, Full, Held, Root, Rows, RowsWanted, StoreError, Unit},
    },
    ids::{CopyId, OrganizationId},
    store::entities::copies,
};
use chatport_sdk::time::Timestamp;
use uuid::Uuid;

/// How long a store that hangs takes until it gives up: longer than a lease.
const HANG: Duration = Duration::from_secs(90);

/// What a store is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Begin,
    Load,
    Due,
    Overdue,
    Documents,
    Commit,
    Recover,
    Abandon,
    Root,
}

/// How it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Certainly nothing has been done.
    Before,
    /// It has been done, and nobody knows: of a commit, it says so.
    After,
    /// It hasn't been done, and nobody knows.
    Unknown,
    /// Nothing is heard for a long time; then it has failed.
    Hang,
}

impl Fault {
    pub const ALL: [Self; 4] = [Self::Before, Self::After, Self::Unknown, Self::Hang];
}

#[derive(Debug, Default)]
struct Plan {
    fault: Option<(Kind, usize, Fault)>,
    counts: BTreeMap<Kind, usize>,
}

/// What goes wrong, and what has been asked so far.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Plan>>);

impl Faults {
    /// One fault, at the n-th operation (from 1) of a kind.
    pub fn at(kind: Kind, number: usize, fault: Fault) -> Self {
        Self(Arc::new(Mutex::new(Plan { fault: Some((kind, number, fault)), counts: BTreeMap::new() })))
    }

    /// How often each operation was asked for.
    pub fn counts(&self) -> BTreeMap<Kind, usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).counts.clone()
    }

    /// Count an operation; what goes wrong with it, if something does.
    fn next(&self, kind: Kind) -> Option<Fault> {
        let mut plan = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = plan.counts.entry(kind).or_default();
        *count += 1;
        let count = *count;
        plan.fault.filter(|(other, number, _)| (*other, *number) == (kind, count)).map(|(.., fault)| fault)
    }

    /// Do something that changes nothing, or fail.
    async fn read<T>(
        &self,
        kind: Kind,
        act: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        match self.next(kind) {
            None => act.await,
            Some(Fault::Hang) => {
                tokio::time::sleep(HANG).await;
                refused()
            }
            Some(_) => refused(),
        }
    }

    /// Do something that takes effect, or fail before or after it.
    async fn write<T>(
        &self,
        kind: Kind,
        act: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let unknown = || Err(StoreError::CommitUnknown("the answer was lost".into()));
        match self.next(kind) {
            None => act.await,
            Some(Fault::Before) => refused(),
            Some(Fault::After) => {
                act.await?;
                unknown()
            }
            Some(Fault::Unknown) => unknown(),
            Some(Fault::Hang) => {
                act.await?;
                tokio::time::sleep(HANG).await;
                unknown()
            }
        }
    }
}

fn refused<T>() -> Result<T, StoreError> {
    Err(StoreError::Refused("told to fail".into()))
}

/// The store.
#[derive(Clone)]
pub struct FaultyStore {
    inner: Arc<dyn DeliveryStore>,
    faults: Faults,
}

impl FaultyStore {
    pub fn new(inner: Arc<dyn DeliveryStore>, faults: Faults) -> Self {
        Self { inner, faults }
    }
}

#[async_trait]
impl DeliveryStore for FaultyStore {
    async fn begin(&self) -> Result<Box<dyn Unit>, StoreError> {
        let inner = self.faults.read(Kind::Begin, self.inner.begin()).await?;
        Ok(Box::new(FaultyUnit { inner, faults: self.faults.clone() }))
    }

    async fn recover(&self) -> Result<u64, StoreError> {
        self.faults.write(Kind::Recover, self.inner.recover()).await
    }

    async fn abandon(&self, owner: Uuid, held: &Held) -> Result<u64, StoreError> {
        self.faults.write(Kind::Abandon, self.inner.abandon(owner, held)).await
    }

    async fn set_back(&self, was: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        self.inner.set_back(was, now).await
    }

    async fn is_unneeded(&self, organization: &OrganizationId, fallback: CopyId) -> Result<bool, StoreError> {
        self.faults.read(Kind::Root, self.inner.is_unneeded(organization, fallback)).await
    }

    async fn root(&self, organization: &OrganizationId, root: CopyId) -> Result<Root, StoreError> {
        self.faults.read(Kind::Root, self.inner.root(organization, root)).await
    }
}

struct FaultyUnit {
    inner: Box<dyn Unit>,
    faults: Faults,
}

#[async_trait]
impl Unit for FaultyUnit {
    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    async fn load(&mut self, wanted: &RowsWanted) -> Result<Rows, StoreError> {
        self.faults.read(Kind::Load, self.inner.load(wanted)).await
    }

    async fn due(&mut self, limit: usize, full: &Full) -> Result<Vec<Stream>, StoreError> {
        self.faults.read(Kind::Due, self.inner.due(limit, full)).await
    }

    async fn overdue(&mut self, limit: u64) -> Result<Vec<copies::Model>, StoreError> {
        self.faults.read(Kind::Overdue, self.inner.overdue(limit)).await
    }

    async fn foldable(
        &mut self,
        waiting: usize,
        late: Timestamp,
        streams: usize,
        limit: usize,
    ) -> Result<Vec<copies::Model>, StoreError> {
        self.inner.foldable(waiting, late, streams, limit).await
    }

    async fn folded(&mut self, limit: usize) -> Result<Vec<(copies::Model, bool)>, StoreError> {
        self.inner.folded(limit).await
    }

    async fn open_copies(
        &mut self,
        organization: &OrganizationId,
        what: &CancelWhat,
    ) -> Result<Vec<copies::Model>, StoreError> {
        self.inner.open_copies(organization, what).await
    }

    async fn documents(
        &mut self,
        messages: &BTreeSet<(OrganizationId, Uuid)>,
        events: &BTreeSet<(OrganizationId, Uuid)>,
    ) -> Result<Documents, StoreError> {
        self.faults.read(Kind::Documents, self.inner.documents(messages, events)).await
    }

    async fn commit(self: Box<Self>, changes: Changes) -> Result<bool, StoreError> {
        let Self { inner, faults } = *self;
        faults.write(Kind::Commit, inner.commit(changes)).await
    }
}

impl std::fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FaultyStore")
    }
}
