//! The one task that writes: what applications ask for, and what became of what was sent.
//! Whatever comes in meanwhile shares a commit, and each is answered after it. If a batch
//! fails, each of its parts is written once alone, so that a bad one can't fail its neighbours.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, mpsc, oneshot},
    time::Instant,
};

use super::{
    accept::{AcceptError, Accepted, Operation},
    alarm::Alarm,
    desk::Desks,
    store::{Record, Recorded, StoreError, What},
    units::{Units, in_time},
    worker::POLL,
    write::Written,
};

/// Most parts that share a commit.
const BATCH: usize = 256;
/// How often others get a turn while parts gather, as long as each turn brings some.
const GATHER: usize = 4;
/// Parts of a batch that make a rush.
const RUSH: usize = 24;
/// How long a batch waits for company, at most.
const MOST_PATIENCE: Duration = Duration::from_millis(4);
/// The least that timers know.
const TICK: Duration = Duration::from_millis(1);
/// How many parts may wait for the writer.
const QUEUE: usize = 1_024;
/// How often an operation that failed before its commit is tried alone.
const ALONE_TRIES: u64 = 3;

type AcceptReply = oneshot::Sender<Result<Accepted, AcceptError>>;
type RecordReply = oneshot::Sender<Result<Recorded, StoreError>>;

enum Job {
    Accept(Box<Operation>, AcceptReply),
    Record(Box<Record>, RecordReply),
}

/// The way to the writer.
#[derive(Clone)]
pub(super) struct Writer(mpsc::Sender<Job>);

/// What shares a commit.
#[derive(Default)]
struct Batch {
    operations: Vec<(Box<Operation>, AcceptReply)>,
    records: Vec<(Box<Record>, RecordReply)>,
}

impl Batch {
    fn refuse(self, error: &StoreError) {
        self.operations.into_iter().for_each(|(_, reply)| drop(reply.send(Err(error.clone().into()))));
        self.records.into_iter().for_each(|(_, reply)| drop(reply.send(Err(error.clone()))));
    }
}

impl Job {
    fn refuse(self, error: &StoreError) {
        match self {
            Self::Accept(_, reply) => drop(reply.send(Err(error.clone().into()))),
            Self::Record(_, reply) => drop(reply.send(Err(error.clone()))),
        }
    }
}

impl Writer {
    /// Start the writer's task. It ends when the last handle is dropped.
    pub(super) fn start(units: Units, desks: Desks, wake: Arc<Notify>, alarm: Alarm) -> Self {
        let (sender, mut receiver) = mpsc::channel::<Job>(QUEUE);
        let task = Task { units, desks, wake, alarm };
        tokio::spawn(async move {
            let mut jobs = Vec::with_capacity(BATCH);
            let mut last = Last::default();
            while receiver.recv_many(&mut jobs, BATCH).await > 0 {
                gather(&mut receiver, &mut jobs).await;
                await_company(&mut receiver, &mut jobs, last).await;
                let (parts, begun) = (jobs.len(), Instant::now());
                let (mut batch, mut events) = (Batch::default(), Batch::default());
                for job in jobs.drain(..) {
                    match job {
                        Job::Accept(operation, reply) => batch.operations.push((operation, reply)),
                        // Telling of messages locks streams of events, so events are recorded apart.
                        Job::Record(record, reply) if matches!(record.work.what, What::Event { .. }) => {
                            events.records.push((record, reply));
                        }
                        Job::Record(record, reply) => batch.records.push((record, reply)),
                    }
                }
                // Who has waited while the store wasn't there doesn't wait for another try: that
                // comes with the next who asks.
                if let Err(error) = task.write(batch).await {
                    events.refuse(&error);
                    while let Ok(job) = receiver.try_recv() {
                        job.refuse(&error);
                    }
                } else {
                    let _ = task.write(events).await;
                }
                last = Last { parts, took: begun.elapsed() };
            }
        });
        Self(sender)
    }

    /// Write what an application asks for; the answer comes after the commit.
    pub(super) async fn accept(&self, operation: Operation) -> Result<Accepted, AcceptError> {
        let (reply, answer) = oneshot::channel();
        self.0.send(Job::Accept(Box::new(operation), reply)).await.map_err(|_| AcceptError::Stopping)?;
        answer.await.map_err(|_| AcceptError::CommitUnknown("the writer stopped".into()))?
    }

    /// Write a result down; the answer comes after the commit.
    pub(super) async fn record(&self, record: Record) -> Result<Recorded, StoreError> {
        let stopped = || StoreError::Unreachable("the writer has stopped".into());
        let (reply, answer) = oneshot::channel();
        self.0.send(Job::Record(Box::new(record), reply)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

/// Let everybody who is about to write do so: a commit costs much more than a part of it.
async fn gather(receiver: &mut mpsc::Receiver<Job>, jobs: &mut Vec<Job>) {
    for _ in 0..GATHER {
        let had = jobs.len();
        tokio::task::yield_now().await;
        while jobs.len() < BATCH
            && let Ok(job) = receiver.try_recv()
        {
            jobs.push(job);
        }
        if jobs.len() == had {
            break;
        }
    }
}

/// The batch before this one.
#[derive(Clone, Copy, Default)]
struct Last {
    parts: usize,
    took: Duration,
}

/// Whoever was answered by the last batch of a rush often comes again at once. Where a batch takes
/// some milliseconds, it pays to wait for them a little: otherwise those who ask and those whose
/// attempts have ended take turns, and each turn costs nearly as much as one for both.
async fn await_company(receiver: &mut mpsc::Receiver<Job>, jobs: &mut Vec<Job>, last: Last) {
    let patience = Ord::min(last.took / 2, MOST_PATIENCE);
    if last.parts < RUSH || patience < TICK {
        return;
    }
    let until = Instant::now() + patience;
    // Not woken by each of them, which would cost what is to be saved.
    while jobs.len() + receiver.len() < last.parts && Instant::now() < until {
        tokio::time::sleep(TICK).await;
    }
    gather(receiver, jobs).await;
}

struct Task {
    units: Units,
    desks: Desks,
    wake: Arc<Notify>,
    alarm: Alarm,
}

impl Task {
    /// Write a batch and answer each. The error: the store can't be reached.
    async fn write(&self, batch: Batch) -> Result<(), StoreError> {
        let Batch { operations, records } = batch;
        if operations.is_empty() && records.is_empty() {
            return Ok(());
        }
        metrics::histogram!("chatport_accept_batch_size").record(operations.len() as f64);
        metrics::histogram!("chatport_record_batch_size").record(records.len() as f64);
        let all_operations: Vec<&Operation> = operations.iter().map(|(operation, _)| operation.as_ref()).collect();
        let all_records: Vec<&Record> = records.iter().map(|(record, _)| record.as_ref()).collect();
        match self.together(&all_operations, &all_records).await {
            Ok(Written { accepted, recorded, .. }) => {
                // Who has gone away will repeat the request, or leaves its lease to run out.
                operations.into_iter().zip(accepted).for_each(|((_, reply), answer)| drop(reply.send(answer)));
                records.into_iter().zip(recorded).for_each(|((_, reply), answer)| drop(reply.send(Ok(answer))));
            }
            Err(StoreError::Refused(_)) if operations.len() + records.len() > 1 => {
                for (operation, reply) in operations {
                    let _ = reply.send(self.accept_alone(&operation).await);
                }
                for (record, reply) in records {
                    let alone = self.together(&[], &[&record]).await;
                    let _ = reply.send(alone.map(|mut written| written.recorded.pop().unwrap_or(Recorded::Lost)));
                }
            }
            // It isn't any better one by one; or nobody knows whether it is there.
            Err(error) => {
                Batch { operations, records }.refuse(&error);
                if matches!(error, StoreError::Unreachable(_)) {
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// One operation in a commit of its own. What failed before its commit certainly isn't
    /// there, e.g. because two replicas waited for each other: try it again.
    async fn accept_alone(&self, operation: &Operation) -> Result<Accepted, AcceptError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.together(&[operation], &[]).await {
                Ok(mut written) => return written.accepted.pop().unwrap_or(Err(AcceptError::Stopping)),
                Err(StoreError::Refused(_)) if tries < ALONE_TRIES => {
                    tokio::time::sleep(Duration::from_millis(20 * tries)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn together(&self, operations: &[&Operation], records: &[&Record]) -> Result<Written, StoreError> {
        let desk = self.desks.get();
        let written = in_time(self.units.write(operations, records, desk.as_deref())).await;
        if let (Some(desk), Err(error)) = (&desk, &written) {
            desk.note_strays_after(error);
        }
        let written = written?;
        // What is due later is found in time anyway.
        if let Some(wait) = written.next_due.filter(|wait| *wait < POLL) {
            if !wait.is_zero() {
                self.alarm.set(wait);
            }
            self.wake.notify_one();
        }
        Ok(written)
    }
}
