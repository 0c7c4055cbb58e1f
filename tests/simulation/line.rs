//! The line between a replica and the store. It is cut for a while, loses answers, and breaks
//! when the store starts anew: what was under way then has not happened, or nobody knows.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
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
use chatport_tests::{seeded::Dice, twin::Twin};
use uuid::Uuid;

/// How long a replica waits for the store.
const PATIENCE: Duration = Duration::from_secs(5);
const GLANCE: Duration = Duration::from_millis(250);

/// What passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    Open = 0,
    /// Nothing.
    Whole = 1,
    /// Requests, but no answers.
    Answers = 2,
}

#[derive(Debug)]
struct State {
    cut: AtomicU8,
    /// Grows when the store starts anew.
    life: AtomicU64,
    dice: Mutex<Dice>,
}

/// The line of one replica.
#[derive(Clone, Debug)]
pub struct Line {
    twin: Twin,
    state: Arc<State>,
    /// Of a thousand commits, how many have an unknown fate without any reason.
    doubt: Arc<AtomicU64>,
}

impl Line {
    pub fn to(twin: &Twin, dice: Dice, doubt: u64) -> Self {
        let state = State { cut: AtomicU8::new(0), life: AtomicU64::new(0), dice: Mutex::new(dice) };
        Self { twin: twin.clone(), state: Arc::new(state), doubt: Arc::new(AtomicU64::new(doubt)) }
    }

    pub fn set(&self, cut: Cut) {
        self.state.cut.store(cut as u8, Ordering::Relaxed);
    }

    /// The store starts anew: what is under way breaks off.
    pub fn break_off(&self) {
        self.state.life.fetch_add(1, Ordering::Relaxed);
    }

    /// From now on no commit has an unknown fate.
    pub fn calm_down(&self) {
        self.doubt.store(0, Ordering::Relaxed);
    }

    fn cut(&self) -> Cut {
        match self.state.cut.load(Ordering::Relaxed) {
            0 => Cut::Open,
            1 => Cut::Whole,
            _ => Cut::Answers,
        }
    }

    fn life(&self) -> u64 {
        self.state.life.load(Ordering::Relaxed)
    }

    fn roll<T>(&self, roll: impl FnOnce(&mut Dice) -> T) -> T {
        roll(&mut self.state.dice.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Pass a question and its answer.
    async fn pass(&self, life: u64) -> Result<(), StoreError> {
        let waits = self.roll(|dice| dice.chance(100).then(|| dice.below(40)));
        if let Some(millis) = waits {
            tokio::time::sleep(Duration::from_millis(millis)).await;
        }
        let mut waited = Duration::ZERO;
        while self.cut() != Cut::Open {
            if waited >= PATIENCE {
                return Err(StoreError::Unreachable("the store doesn't answer".into()));
            }
            tokio::time::sleep(GLANCE).await;
            waited += GLANCE;
        }
        match self.life() == life {
            true => Ok(()),
            false => Err(StoreError::Unreachable("the store has started anew".into())),
        }
    }
}

fn unknown() -> StoreError {
    StoreError::CommitUnknown("no answer came".into())
}

#[async_trait]
impl DeliveryStore for Line {
    async fn begin(&self) -> Result<Box<dyn Unit>, StoreError> {
        let life = self.life();
        self.pass(life).await?;
        let inner = self.twin.begin().await?;
        Ok(Box::new(LineUnit { inner, line: self.clone(), life }))
    }

    async fn set_back(&self, was: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        self.twin.set_back(was, now).await
    }

    async fn recover(&self) -> Result<u64, StoreError> {
        self.pass(self.life()).await?;
        self.twin.recover().await
    }

    async fn abandon(&self, owner: Uuid, held: &Held) -> Result<u64, StoreError> {
        self.pass(self.life()).await?;
        self.twin.abandon(owner, held).await
    }

    async fn is_unneeded(&self, organization: &OrganizationId, fallback: CopyId) -> Result<bool, StoreError> {
        self.pass(self.life()).await?;
        self.twin.is_unneeded(organization, fallback).await
    }

    async fn root(&self, organization: &OrganizationId, root: CopyId) -> Result<Root, StoreError> {
        self.pass(self.life()).await?;
        self.twin.root(organization, root).await
    }
}

struct LineUnit {
    inner: Box<dyn Unit>,
    line: Line,
    life: u64,
}

#[async_trait]
impl Unit for LineUnit {
    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    async fn load(&mut self, wanted: &RowsWanted) -> Result<Rows, StoreError> {
        self.line.pass(self.life).await?;
        self.inner.load(wanted).await
    }

    async fn due(&mut self, limit: usize, full: &Full) -> Result<Vec<Stream>, StoreError> {
        self.line.pass(self.life).await?;
        self.inner.due(limit, full).await
    }

    async fn overdue(&mut self, limit: u64) -> Result<Vec<copies::Model>, StoreError> {
        self.line.pass(self.life).await?;
        self.inner.overdue(limit).await
    }

    async fn foldable(
        &mut self,
        waiting: usize,
        late: Timestamp,
        streams: usize,
        limit: usize,
    ) -> Result<Vec<copies::Model>, StoreError> {
        self.line.pass(self.life).await?;
        self.inner.foldable(waiting, late, streams, limit).await
    }

    async fn folded(&mut self, limit: usize) -> Result<Vec<(copies::Model, bool)>, StoreError> {
        self.line.pass(self.life).await?;
        self.inner.folded(limit).await
    }

    async fn open_copies(
        &mut self,
        organization: &OrganizationId,
        what: &CancelWhat,
    ) -> Result<Vec<copies::Model>, StoreError> {
        self.line.pass(self.life).await?;
        self.inner.open_copies(organization, what).await
    }

    async fn documents(
        &mut self,
        messages: &BTreeSet<(OrganizationId, Uuid)>,
        events: &BTreeSet<(OrganizationId, Uuid)>,
    ) -> Result<Documents, StoreError> {
        self.line.pass(self.life).await?;
        self.inner.documents(messages, events).await
    }

    async fn commit(self: Box<Self>, changes: Changes) -> Result<bool, StoreError> {
        let Self { inner, line, life } = *self;
        let doubt = line.doubt.load(Ordering::Relaxed);
        let (is_doubtful, is_done) = line.roll(|dice| (dice.chance(doubt), dice.chance(500)));
        if line.life() != life {
            return Err(unknown());
        }
        if is_doubtful {
            if is_done {
                inner.commit(changes).await?;
            }
            return Err(unknown());
        }
        match line.cut() {
            Cut::Open => inner.commit(changes).await,
            Cut::Whole => {
                drop(inner);
                tokio::time::sleep(PATIENCE).await;
                Err(unknown())
            }
            Cut::Answers => {
                inner.commit(changes).await?;
                tokio::time::sleep(PATIENCE).await;
                Err(unknown())
            }
        }
    }
}
