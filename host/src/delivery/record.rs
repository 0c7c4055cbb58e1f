//! Writing down how attempts ended, and taking what comes next. Results that come in together
//! share a commit, as accepts do; each is answered after it.

use std::collections::BTreeSet;

use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::{
    ledger::Ledger,
    message::ShownPart,
    outcomes,
    store::{Documents, Lease, Record, Recorded, StoreError, Unit, What, Work},
    units::Units,
};
use crate::ids::OrganizationId;

/// Most results that share a commit.
const BATCH: usize = 64;

struct Job {
    record: Box<Record>,
    reply: oneshot::Sender<Result<Recorded, StoreError>>,
}

/// The way to the task that writes results down.
#[derive(Clone)]
pub(super) struct Recorder(mpsc::Sender<Job>);

impl Recorder {
    /// Start the task. It ends when the last handle is dropped.
    pub(super) fn start(units: Units) -> Self {
        let (sender, mut receiver) = mpsc::channel::<Job>(BATCH * 4);
        tokio::spawn(async move {
            let mut jobs = Vec::with_capacity(BATCH);
            while receiver.recv_many(&mut jobs, BATCH).await > 0 {
                // Telling of messages locks streams of events, so events are recorded apart.
                let (events, messages): (Vec<_>, Vec<_>) =
                    jobs.drain(..).partition(|job| matches!(job.record.work.what, What::Event { .. }));
                for jobs in [events, messages] {
                    if !jobs.is_empty() {
                        write_and_answer(&units, jobs).await;
                    }
                }
            }
        });
        Self(sender)
    }

    /// Write a result down; the answer comes after the commit.
    pub(super) async fn record(&self, record: Record) -> Result<Recorded, StoreError> {
        let stopped = || StoreError::Refused("the recorder has stopped".into());
        let (reply, answer) = oneshot::channel();
        self.0.send(Job { record: Box::new(record), reply }).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

async fn write_and_answer(units: &Units, jobs: Vec<Job>) {
    metrics::histogram!("chatport_record_batch_size").record(jobs.len() as f64);
    let records: Vec<&Record> = jobs.iter().map(|job| job.record.as_ref()).collect();
    let answers = match units.record(&records).await {
        Ok(answers) => answers.into_iter().map(Ok).collect(),
        // One that can't be written must not keep the others from it.
        Err(StoreError::Refused(_)) if jobs.len() > 1 => {
            let mut answers = Vec::with_capacity(jobs.len());
            for record in records {
                let alone = units.record(&[record]).await;
                answers.push(alone.map(|mut answers| answers.pop().unwrap_or(Recorded::Lost)));
            }
            answers
        }
        Err(error) => jobs.iter().map(|_| Err(error.clone())).collect(),
    };
    for (job, answer) in jobs.into_iter().zip(answers) {
        // A worker that is gone leaves its lease to run out.
        let _ = job.reply.send(answer);
    }
}

impl Units {
    /// Write results down, each under its lease, and take the next copies of their streams.
    ///
    /// # Errors
    /// The store fails.
    pub async fn record(&self, records: &[&Record]) -> Result<Vec<Recorded>, StoreError> {
        let (mut unit, mut ledger) = self.begin().await?;
        let leases: Vec<Lease> = records.iter().map(|record| record.work.lease.clone()).collect();
        ledger.load_streams(unit.leased(&leases).await?);
        let held: Vec<&Record> =
            records.iter().copied().filter(|record| outcomes::holds(&mut ledger, &record.work.lease)).collect();
        let copies = held.iter().map(|record| (record.work.lease.organization.clone(), record.work.copy)).collect();
        let going_on = held.iter().filter(|record| record.go_on).map(|record| record.work.lease.stream).collect();
        ledger.load_copies(unit.copies(&copies, &going_on).await?);
        let mut wanted = Vec::new();
        for record in &held {
            // A copy that is being sent under this very lease was taken by the commit whose answer
            // was lost: it is ours, and hasn't been sent.
            let is_new = outcomes::conclude(&mut ledger, record);
            let lease = record.work.lease.clone();
            match record.go_on {
                true => wanted.push(Wanted { lease, adopt: !is_new }),
                false => outcomes::release(&mut ledger, &lease),
            }
        }
        let mut next = take(unit.as_mut(), &mut ledger, &wanted).await?;
        unit.commit(ledger.into_changes()).await?;
        let is_held = |record: &&Record| held.iter().any(|other| std::ptr::eq(*other, *record));
        let answer = |record: &&Record| {
            let position = next.iter().position(|work| work.lease == record.work.lease);
            match position {
                Some(position) => Recorded::Next(Box::new(next.swap_remove(position))),
                None if is_held(record) => Recorded::Released,
                None => Recorded::Lost,
            }
        };
        Ok(records.iter().map(answer).collect())
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
        ledger.load_streams(unit.leased(std::slice::from_ref(&work.lease)).await?);
        if !outcomes::holds(&mut ledger, &work.lease) {
            return Ok(false);
        }
        outcomes::renew(&mut ledger, &work.lease);
        let copies = BTreeSet::from([(work.lease.organization.clone(), work.copy)]);
        ledger.load_copies(unit.copies(&copies, &BTreeSet::new()).await?);
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

/// A leased stream whose next copy is wanted.
pub(super) struct Wanted {
    pub lease: Lease,
    /// Whether what is being sent in it is this process's own.
    pub adopt: bool,
}

/// Take the next copy of each of these leased streams, the due ones of which are loaded; give
/// those back that have none.
pub(super) async fn take(unit: &mut dyn Unit, ledger: &mut Ledger, wanted: &[Wanted]) -> Result<Vec<Work>, StoreError> {
    let mut works = Vec::with_capacity(wanted.len());
    let mut open: Vec<&Wanted> = wanted.iter().collect();
    while !open.is_empty() {
        let mut next: Vec<(&Wanted, Uuid)> = Vec::with_capacity(open.len());
        for wanted in open {
            match outcomes::next(ledger, wanted.lease.stream.0, wanted.adopt) {
                Some(copy) => next.push((wanted, copy)),
                None => outcomes::release(ledger, &wanted.lease),
            }
        }
        let documents = documents(unit, ledger, next.iter().map(|(_, copy)| *copy)).await?;
        open = Vec::new();
        for (wanted, copy) in next {
            match outcomes::take(ledger, &wanted.lease, copy, &documents) {
                Some(work) => {
                    outcomes::renew(ledger, &wanted.lease);
                    works.push(work);
                }
                // It couldn't be read: then the one after it.
                None => open.push(wanted),
            }
        }
    }
    Ok(works)
}

/// The texts of these copies.
pub(super) async fn documents(
    unit: &mut dyn Unit,
    ledger: &mut Ledger,
    copies: impl Iterator<Item = Uuid>,
) -> Result<Documents, StoreError> {
    let (mut messages, mut events) = (BTreeSet::new(), BTreeSet::new());
    for copy in copies {
        let Some(copy) = ledger.copy(copy) else { continue };
        let organization = || OrganizationId::stored(copy.organization.clone());
        messages.extend(copy.message.map(|id| (organization(), id)));
        events.extend(copy.event.map(|id| (organization(), id)));
    }
    match messages.is_empty() && events.is_empty() {
        true => Ok(Documents::default()),
        false => unit.documents(&messages, &events).await,
    }
}
