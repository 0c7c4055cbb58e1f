//! The one task that writes presses: those that come at the same time share a commit, and
//! each is answered after it. With a press its event is written, for the engine to deliver if
//! the application can't be asked at once. What came of asking follows in a later commit, many
//! at once: nobody waits for that one, and until then it is known here.
//!
//! If a batch fails, each of its parts is written once alone, so that a bad one can't fail its
//! neighbours. More presses than [`crowd::PRESSES`] don't wait
//! here: they are refused at once.

use std::{collections::HashMap, time::Duration};

use chatport_sdk::{happening::Outcome, time::Timestamp};
use serde_json::Value;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout_at},
};
use uuid::Uuid;

use super::{
    outcome,
    press::{self, Judged, Press, Pressed, Verdict},
    press_rows::{self as rows, Claim},
};
use crate::{
    crowd,
    delivery::{Delivery, store::StoreError, units::in_time},
    events,
    ids::{EventId, InstallationId, OrganizationId},
    setup::{
        audit::{self, Actor},
        contain::contained_pure,
        links,
    },
    store::Database,
};

/// Most presses that share a commit, and most conclusions.
const BATCH: usize = 128;
/// How long conclusions wait for others.
const PATIENCE: Duration = Duration::from_millis(30);

/// What came of writing a press.
#[derive(Debug)]
pub(super) enum Written {
    /// This is its outcome.
    Answer(Outcome),
    /// It is on disk; the application is to be asked.
    Ask(Box<Pressed>),
    /// Its twin came to another replica in the same moment: try again, then it is known.
    Raced(Box<Press>),
}

/// What came of asking the application.
#[derive(Debug)]
pub(super) struct Conclusion {
    pub organization: OrganizationId,
    pub installation: InstallationId,
    /// The press's id.
    pub id: String,
    /// As it is kept.
    pub outcome: Option<Value>,
    /// The event, and the subscription that has taken it.
    pub taken: Option<(EventId, String)>,
    pub at: Timestamp,
}

pub(super) type Reply = oneshot::Sender<Written>;

pub(super) enum Job {
    Press(Box<Press>, Reply),
    Conclude(Box<Conclusion>),
    Flush(oneshot::Sender<()>),
}

/// The way to the task.
#[derive(Clone, Debug)]
pub(super) struct Recorder(pub(super) mpsc::Sender<Job>);

impl Recorder {
    /// Start the task. It ends when the last handle is dropped.
    pub(super) fn start(database: Database, delivery: Delivery) -> Self {
        let (sender, receiver) = mpsc::channel::<Job>(crowd::PRESSES);
        tokio::spawn(Task { database, delivery, unwritten: Vec::new() }.run(receiver));
        Self(sender)
    }

    /// Write a press; the answer comes after the commit. It is refused where too many wait.
    pub(super) async fn record(&self, press: Box<Press>) -> Written {
        let (reply, answer) = oneshot::channel();
        if self.0.try_send(Job::Press(press, reply)).is_err() {
            crowd::refused("press");
            return Written::Answer(Outcome::Unavailable);
        }
        answer.await.unwrap_or(Written::Answer(Outcome::Unavailable))
    }

    /// Write down what came of a press, some time after this. Later presses find it.
    pub(super) async fn conclude(&self, conclusion: Conclusion) {
        // The task lives as long as this handle.
        let _ = self.0.send(Job::Conclude(Box::new(conclusion))).await;
    }

    /// Wait until everything that was given before is on disk.
    pub(super) async fn flush(&self) {
        let (reply, answer) = oneshot::channel();
        if self.0.send(Job::Flush(reply)).await.is_ok() {
            let _ = answer.await;
        }
    }
}

pub(super) struct Task {
    pub(super) database: Database,
    pub(super) delivery: Delivery,
    /// What came of presses, and isn't on disk yet.
    pub(super) unwritten: Vec<Conclusion>,
}

/// What is to become of one press of a batch.
enum Step {
    /// Known before this batch.
    Repeated(Outcome),
    /// A repetition of an earlier one of this batch, by its place.
    Twin(usize, Outcome),
    Judged(Judged),
}

impl Step {
    /// What it makes the first happening of its id.
    fn claim<'a>(&self, press: &'a Press) -> Option<Claim<'a>> {
        let Self::Judged(Judged { verdict, .. }) = self else { return None };
        match verdict {
            Verdict::Ask(pressed) => Some(Claim { press, outcome: None, copy: Some(pressed.copy) }),
            Verdict::Answer(outcome) => Some(Claim { press, outcome: outcome::store(outcome), copy: None }),
            Verdict::TryAgain => None,
        }
    }
}

impl Task {
    async fn run(mut self, mut receiver: mpsc::Receiver<Job>) {
        let mut jobs = Vec::with_capacity(BATCH);
        let mut due = Instant::now();
        loop {
            let is_idle = self.unwritten.is_empty();
            let receiving = receiver.recv_many(&mut jobs, BATCH);
            let is_open = match is_idle {
                true => receiving.await > 0,
                false => timeout_at(due, receiving).await.is_ok_and(|count| count > 0),
            };
            if !is_open && is_idle {
                return;
            }
            let (mut presses, mut flushes) = (Vec::with_capacity(jobs.len()), Vec::new());
            for job in jobs.drain(..) {
                match job {
                    Job::Press(press, reply) => presses.push((press, reply)),
                    Job::Conclude(conclusion) => self.unwritten.push(*conclusion),
                    Job::Flush(reply) => flushes.push(reply),
                }
            }
            if is_idle {
                due = Instant::now() + PATIENCE;
            }
            let is_due = !is_open || !flushes.is_empty() || self.unwritten.len() >= BATCH || due <= Instant::now();
            self.write(presses, is_due).await;
            for reply in flushes {
                let _ = reply.send(());
            }
        }
    }

    /// Write one batch and answer each press of it. `is_due`: write conclusions too.
    pub(super) async fn write(&mut self, presses: Vec<(Box<Press>, Reply)>, is_due: bool) {
        let count = if is_due { self.unwritten.len() } else { 0 };
        if presses.is_empty() && count == 0 {
            return;
        }
        metrics::histogram!("chatport_press_batch_size").record(presses.len() as f64);
        let all: Vec<&Press> = presses.iter().map(|(press, _)| press.as_ref()).collect();
        let conclusions: Vec<&Conclusion> = self.unwritten.iter().take(count).collect();
        match self.together(&all, &conclusions).await {
            // Who has gone away repeats the request, and is told that it is known.
            Ok(written) => presses.into_iter().zip(written).for_each(|((press, reply), written)| {
                drop(reply.send(written.unwrap_or(Written::Raced(press))));
            }),
            Err(StoreError::Refused(_)) if presses.len() + count > 1 => {
                self.conclude_alone(&conclusions).await;
                for (press, reply) in presses {
                    let written = match self.together(&[&press], &[]).await {
                        Ok(mut written) => written.pop().flatten().unwrap_or(Written::Raced(press)),
                        Err(error) => failed(&press, &error),
                    };
                    let _ = reply.send(written);
                }
            }
            // It isn't any better one by one; or nobody knows whether it is there.
            Err(error) => {
                presses.into_iter().for_each(|(press, reply)| drop(reply.send(failed(&press, &error))));
                self.conclude_alone(&conclusions).await;
            }
        }
        self.unwritten.drain(..count);
    }

    /// Without them a repetition is told that the press is being worked on, and the application
    /// hears of it once more.
    async fn conclude_alone(&self, conclusions: &[&Conclusion]) {
        for conclusion in conclusions {
            if let Err(error) = self.together(&[], &[conclusion]).await {
                tracing::warn!(%error, "the outcome of a press isn't remembered");
            }
        }
    }

    /// Write everything in one commit. `None`: it was not claimed.
    async fn together(
        &self,
        presses: &[&Press],
        conclusions: &[&Conclusion],
    ) -> Result<Vec<Option<Written>>, StoreError> {
        in_time(self.in_one_commit(presses, conclusions)).await
    }

    async fn in_one_commit(
        &self,
        presses: &[&Press],
        conclusions: &[&Conclusion],
    ) -> Result<Vec<Option<Written>>, StoreError> {
        let begun = self.database.begin_quietly_for_all().await;
        let change = begun.map_err(|error| StoreError::Unreachable(error.to_string()))?;
        let steps = self.judge_all(presses, rows::known(&change, presses).await?);
        let claims: Vec<Claim<'_>> = presses.iter().zip(&steps).filter_map(|(press, step)| step.claim(press)).collect();
        let claimed = rows::claim(&change, &claims).await?;
        let is_lost = |place: usize, step: &Step| {
            let press = presses[place];
            step.claim(press).is_some() && !claimed.contains(&(press.loaded.id.0, press.id.clone()))
        };
        let lost: Vec<bool> = steps.iter().enumerate().map(|(place, step)| is_lost(place, step)).collect();
        let mut written = Vec::with_capacity(presses.len());
        let (mut told, mut is_due) = (Vec::new(), false);
        for (place, (press, step)) in presses.iter().zip(steps).enumerate() {
            let outcome = match step {
                Step::Twin(twin, _) if lost[twin] => None,
                _ if lost[place] => None,
                Step::Repeated(outcome) | Step::Twin(_, outcome) => {
                    if matches!(outcome, Outcome::Duplicate { same_content: false, .. }) {
                        let (organization, object) = (&press.loaded.organization, press.loaded.id.to_string());
                        let (actor, action) = (Actor::host(), "happening.repeat");
                        let at = press.at;
                        audit::write(&*change, organization, &actor, action, &object, "other content", at).await?;
                    }
                    Some(Written::Answer(outcome))
                }
                Step::Judged(Judged { verdict, is_renamed }) => {
                    if is_renamed {
                        links::refresh(&change, &press.loaded, &press.account, press.at).await?;
                        is_due = true;
                    }
                    Some(match verdict {
                        Verdict::TryAgain => Written::Answer(Outcome::Unavailable),
                        Verdict::Answer(outcome) => Written::Answer(outcome),
                        Verdict::Ask(pressed) => {
                            if let Some(learned) = &pressed.learned {
                                rows::keep_part(&change, press, pressed.copy, learned).await?;
                            }
                            is_due |= pressed.event.hold.is_zero();
                            told.push((press.loaded.organization.clone(), pressed.event.clone()));
                            Written::Ask(pressed)
                        }
                    })
                }
            };
            written.push(outcome);
        }
        // Whoever appends locks the sequence, then the streams; workers lock a stream, then
        // its copies. So copies of events come last.
        events::append_all(&change, &self.database, Vec::new(), told).await?;
        rows::settle(&change, conclusions).await?;
        rows::conclude(&change, conclusions).await?;
        change.commit().await.map_err(|error| StoreError::CommitUnknown(error.to_string()))?;
        if is_due {
            self.delivery.wake();
        }
        Ok(written)
    }

    /// Judge each press of a batch by what is stored, and by those before it.
    fn judge_all(&self, presses: &[&Press], known: Vec<press::Known>) -> Vec<Step> {
        let mut places: HashMap<(Uuid, &str), usize> = HashMap::new();
        let mut steps = Vec::with_capacity(presses.len());
        for (place, (press, mut known)) in presses.iter().zip(known).enumerate() {
            let key = (press.loaded.id.0, press.id.as_str());
            let step = match (known.first.take(), places.get(&key)) {
                (Some(first), _) => {
                    let outcome = first.outcome.as_ref().or_else(|| self.unwritten_outcome(press));
                    Step::Repeated(repetition(press, &first.fingerprint, outcome))
                }
                (None, Some(&twin)) => {
                    let outcome = steps.get(twin).and_then(|first: &Step| first.claim(press)?.outcome);
                    Step::Twin(twin, repetition(press, &presses[twin].fingerprint, outcome.as_ref()))
                }
                (None, None) => Step::Judged(contained_pure(|| press::judge(press, known)).unwrap_or_else(|error| {
                    tracing::error!(installation = %press.loaded.id, %error, "a press could not be judged");
                    Verdict::TryAgain.into()
                })),
            };
            if step.claim(press).is_some() {
                places.insert(key, place);
            }
            steps.push(step);
        }
        steps
    }

    fn unwritten_outcome(&self, press: &Press) -> Option<&Value> {
        let is_its = |conclusion: &&Conclusion| conclusion.installation == press.loaded.id && conclusion.id == press.id;
        self.unwritten.iter().find(is_its)?.outcome.as_ref()
    }
}

fn failed(press: &Press, error: &StoreError) -> Written {
    tracing::error!(installation = %press.loaded.id, %error, "a press could not be stored");
    Written::Answer(Outcome::Unavailable)
}

fn repetition(press: &Press, first: &[u8], outcome: Option<&Value>) -> Outcome {
    if first == press.fingerprint {
        let first = outcome.and_then(outcome::load).map(Box::new);
        return Outcome::Duplicate { same_content: true, first };
    }
    tracing::warn!(installation = %press.loaded.id, "a known id came with another content");
    Outcome::Duplicate { same_content: false, first: None }
}
