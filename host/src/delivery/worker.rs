//! The engine's loop: lease what is due, let a worker bring the copies of each leased stream
//! up to date one after the other, and record each. A worker keeps its stream while there is
//! something due in it.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chatport_sdk::{
    failure::Scope,
    time::{Clock, Timestamp},
};
use tokio::{sync::mpsc::UnboundedReceiver, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use super::{
    Delivery,
    clock::{SetBack, Watch},
    courier::PlatformCourier,
    desk::{Assignment, Desk},
    fold::STORM,
    message::ShownPart,
    store::{LEASE, Outcome, Record, Recorded, What, Work},
    units::in_time,
};
use crate::{
    app::App,
    ids::{InstallationId, OrganizationId},
};

/// How often the engine looks without having been woken.
pub(super) const POLL: Duration = Duration::from_millis(500);
/// A send starts only while the lease has at least this much left.
const RESERVE: Duration = Duration::from_secs(20);
/// Leases of a copy that may end in a crash before it is given up. One or two prove nothing:
/// others were on their way too, and who kills processes can hit the same copy twice. So a copy
/// that was there once is sent while no other suspect of its installation is; and one that was
/// there twice while no other such is at all, and not by a process that is young itself.
const POISON: u32 = 3;
/// How long a suspect waits for another.
const SUSPECT_WAIT: Duration = Duration::from_millis(500);
/// How long a worker stays with one stream while others wait for a worker.
const TURN: Duration = Duration::from_secs(2);
/// How often copies whose time has run out are looked for.
const EXPIRE_EVERY: Duration = Duration::from_secs(1);
/// How often what waits is folded into summaries.
const FOLD_EVERY: Duration = Duration::from_secs(5);
/// How many copies are expired in one go.
const EXPIRE_BATCH: u64 = 200;

/// Run the engine until `stop` is cancelled; then finish what is on its way.
///
/// What isn't finished within the settings' grace is dropped; it is found out at the next
/// start.
pub async fn run(app: App, stop: CancellationToken) {
    let engine = Engine {
        delivery: app.delivery.clone(),
        clock: Arc::clone(&app.clock),
        owner: Uuid::from_bytes(crate::security::random::bytes(app.random.as_ref())),
        workers: app.settings.workers,
        grace: app.settings.shutdown_grace.max(Duration::from_secs(1)),
        courier: Arc::new(PlatformCourier::new(app)),
    };
    engine.run(stop).await;
}

/// Who brings a copy up to date on its platform.
#[async_trait]
pub trait Courier: Send + Sync {
    /// Try once, under a lease that was asked for at `leased`.
    async fn carry(&self, work: &Work, leased: Instant) -> Carried;
}

/// How it went.
#[derive(Clone, Debug)]
pub struct Carried {
    /// How the attempt ended.
    pub outcome: Outcome,
    /// What stands on the platform now.
    pub parts: Vec<ShownPart>,
    /// The address, where it became known.
    pub address: Option<String>,
}

/// The engine of one process.
#[derive(Clone)]
pub struct Engine {
    /// What it works for.
    pub delivery: Delivery,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// This process; different at each start.
    pub owner: Uuid,
    /// How many streams it works on at once.
    pub workers: usize,
    /// How long what is on its way may take once it is told to stop.
    pub grace: Duration,
    /// Who brings copies up to date.
    pub courier: Arc<dyn Courier>,
}

impl Engine {
    /// Work until `stop` is cancelled; then finish what is on its way.
    pub async fn run(self, stop: CancellationToken) {
        let (desk, assignments) = Desk::new(self.owner, self.workers);
        let grace = self.grace;
        let engine = Running {
            desk: Arc::new(desk),
            stop,
            drop_now: CancellationToken::new(),
            tasks: TaskTracker::new(),
            suspects: Suspects::default(),
            engine: self,
        };
        let delivery = engine.engine.delivery.clone();
        match delivery.units.store.recover().await {
            Ok(0) => {}
            Ok(freed) => tracing::info!(streams = freed, "took over what an earlier run left on its way"),
            Err(error) => tracing::error!(%error, "can't take over what an earlier run left on its way"),
        }
        delivery.desks.set(Some(Arc::clone(&engine.desk)));
        let starter = tokio::spawn(engine.clone().start_workers(assignments));
        engine.look_until_stopped().await;
        delivery.desks.set(None);
        starter.abort();
        engine.tasks.close();
        if tokio::time::timeout(grace, engine.tasks.wait()).await.is_err() {
            tracing::warn!("some deliveries didn't end in time; they are found out at the next start");
            engine.drop_now.cancel();
            engine.tasks.wait().await;
        }
        // Whatever was leased and never reached a worker.
        if let Err(error) = delivery.units.store.abandon(engine.desk.owner, &|| engine.desk.held()).await {
            tracing::warn!(%error, "leases could not be given back; they run out by themselves");
        }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("owner", &self.owner).finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Running {
    engine: Engine,
    desk: Arc<Desk>,
    tasks: TaskTracker,
    suspects: Suspects,
    stop: CancellationToken,
    drop_now: CancellationToken,
}

impl Running {
    async fn look_until_stopped(&self) {
        let (mut last_expiry, mut last_fold) = (Instant::now(), Instant::now());
        let mut watch = Watch::new(Arc::clone(&self.engine.clock));
        while !self.stop.is_cancelled() {
            if let Some(SetBack { was, now }) = watch.look() {
                self.set_back(was, now).await;
            }
            let may_be_more = self.look().await;
            if last_expiry.elapsed() >= EXPIRE_EVERY {
                last_expiry = Instant::now();
                self.expire().await;
            }
            if last_fold.elapsed() >= FOLD_EVERY {
                last_fold = Instant::now();
                self.fold().await;
            }
            if may_be_more {
                tokio::select! {
                    biased;
                    () = self.stop.cancelled() => {}
                    () = self.desk.until_free() => {}
                }
                continue;
            }
            let pause = self.engine.delivery.alarm.pause(POLL);
            tokio::select! {
                biased;
                () = self.stop.cancelled() => {}
                () = self.engine.delivery.wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    async fn set_back(&self, was: Timestamp, now: Timestamp) {
        if let Err(error) = self.engine.delivery.units.store.set_back(was, now).await {
            tracing::error!(%error, "what waits to be tried again waits until its time by the clock as it was");
        }
    }

    /// Lease what is due. Whether there may be more.
    async fn look(&self) -> bool {
        let delivery = &self.engine.delivery;
        if self.desk.take_strays() {
            match in_time(delivery.units.store.abandon(self.desk.owner, &|| self.desk.held())).await {
                Ok(freed) => tracing::warn!(streams = freed, "gave back leases whose commit was never confirmed"),
                Err(_) => self.desk.note_strays(),
            }
        }
        let leased = in_time(delivery.units.lease(&self.desk)).await;
        match leased {
            Ok(may_be_more) => may_be_more || self.desk.free() == 0,
            Err(error) => {
                self.desk.note_strays_after(&error);
                tracing::error!(%error, "can't look for what is due; trying again");
                tokio::time::sleep(POLL).await;
                false
            }
        }
    }

    async fn start_workers(self, mut assignments: UnboundedReceiver<Assignment>) {
        while let Some(assignment) = assignments.recv().await {
            let engine = self.clone();
            self.tasks.spawn(async move {
                tokio::select! {
                    biased;
                    () = engine.drop_now.cancelled() => {}
                    () = engine.work(assignment) => {}
                }
            });
        }
    }

    /// Bring the copies of one stream up to date until nothing is due.
    async fn work(&self, assignment: Assignment) {
        let Assignment { mut work, mut leased, seat } = assignment;
        let begun = Instant::now();
        let mut is_stray = false;
        loop {
            let mut record = match self.stop.is_cancelled() || leased.elapsed() + RESERVE > LEASE {
                true => untried(work, self.engine.clock.now()),
                false => self.attempt(work, leased).await,
            };
            let others_wait = begun.elapsed() > TURN && self.desk.free() == 0;
            record.go_on &= !self.stop.is_cancelled() && !others_wait;
            let renewed = Instant::now();
            let hastened = fallback_of(&record);
            let recorded = self.record(record).await;
            if let Some((organization, key)) = hastened {
                self.hasten(&organization, &key).await;
            }
            match recorded {
                Some(Recorded::Next(next)) => {
                    work = *next;
                    leased = renewed;
                }
                Some(Recorded::Released) => break,
                Some(Recorded::Lost) => {
                    metrics::counter!("chatport_lost_leases_total").increment(1);
                    tracing::warn!("a lease was lost; its result is dropped");
                    break;
                }
                None => {
                    is_stray = true;
                    break;
                }
            }
        }
        drop(seat);
        if is_stray {
            self.desk.note_strays();
        }
        if self.desk.was_short() {
            self.engine.delivery.wake();
        }
    }

    /// Without this, fallbacks come in their own time.
    async fn hasten(&self, organization: &OrganizationId, key: &str) {
        match in_time(self.engine.delivery.units.hasten(organization, key)).await {
            Ok(()) => self.engine.delivery.wake(),
            Err(error) => tracing::warn!(%error, "a fallback could not be sent early; it comes in its time"),
        }
    }

    async fn attempt(&self, work: Work, leased: Instant) -> Record {
        let now = self.engine.clock.now();
        let started = Instant::now();
        let done = |work: Work, outcome| Record {
            parts: work.parts.clone(),
            address: None,
            took: started.elapsed(),
            work,
            outcome,
            go_on: true,
        };
        if work.expires_at <= now && !work.unsure {
            return done(work, Outcome::Expired);
        }
        if work.crashes >= POISON {
            let detail = format!("the process died {POISON} times while it was being sent");
            return done(work, Outcome::Dead { code: "poison", detail });
        }
        let _alone = match self.suspects.alone(&work) {
            Ok(alone) => alone,
            Err(wait) => {
                let detail = "it was being sent when the process died: others go first".into();
                let until = now.plus(wait);
                let code = "platform_unavailable";
                return done(work, Outcome::Hold { until, scope: Scope::Copy, code, detail });
            }
        };
        let Carried { outcome, parts, address } = self.engine.courier.carry(&work, leased).await;
        Record { parts, address, took: started.elapsed(), work, outcome, go_on: true }
    }

    /// Write a result down. The result is kept and tried again while the lease lasts: losing
    /// it would mean sending twice.
    async fn record(&self, record: Record) -> Option<Recorded> {
        observe(&record);
        if let Some(due) = record.outcome.due() {
            self.engine.delivery.alarm.set(due.since(self.engine.clock.now()));
        }
        let started = Instant::now();
        let mut pause = Duration::from_millis(50);
        loop {
            match self.engine.delivery.writer.record(record.clone()).await {
                Ok(recorded) => return Some(recorded),
                Err(error) if started.elapsed() > LEASE / 2 => {
                    tracing::error!(%error, copy = %record.work.copy, "a result could not be written; it will be found out again");
                    return None;
                }
                Err(error) => {
                    tracing::warn!(%error, "a result could not be written; trying again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(2));
                }
            }
        }
    }

    async fn fold(&self) {
        match in_time(self.engine.delivery.units.fold(&STORM)).await {
            Ok(0) => {}
            Ok(number) => {
                tracing::info!(copies = number, "a channel is behind: first posts became lines of summaries");
                self.engine.delivery.wake();
            }
            Err(error) => tracing::error!(%error, "can't look for what could be folded"),
        }
    }

    async fn expire(&self) {
        let delivery = &self.engine.delivery;
        match in_time(delivery.units.expire(EXPIRE_BATCH)).await {
            Ok(0) => {}
            Ok(number) => {
                tracing::warn!(copies = number, "copies expired before they could be delivered");
                // The application is told.
                delivery.wake();
            }
            Err(error) => tracing::error!(%error, "can't look for what has expired"),
        }
    }
}

/// The message whose fallbacks a copy's end calls for.
fn fallback_of(record: &Record) -> Option<(OrganizationId, String)> {
    let is_dead = matches!(record.outcome, Outcome::Dead { .. } | Outcome::Expired);
    match &record.work.what {
        What::Message { put, key, log_text: None, .. }
            if is_dead && put.fallback.is_some() && !record.work.is_fallback =>
        {
            Some((record.work.lease.organization.clone(), key.clone()))
        }
        _ => None,
    }
}

/// What has a copy under suspicion on its way: an installation; or nothing, for those that
/// share with nobody.
type Suspect = Option<InstallationId>;

/// The suspects that are on their way.
#[derive(Clone, Default)]
struct Suspects(Arc<Mutex<BTreeSet<Suspect>>>);

/// Says that a suspect is on its way; nothing, where the copy isn't one.
struct Alone(Suspects, Option<Suspect>);

impl Suspects {
    /// Leave to go, else how long to wait for another.
    fn alone(&self, work: &Work) -> Result<Alone, Duration> {
        let suspect = match (work.crashes, &work.what) {
            (0, _) | (_, What::Event { .. }) => return Ok(Alone(self.clone(), None)),
            (1, What::Message { installation, .. }) => Some(*installation),
            (_, What::Message { .. }) => None,
        };
        match self.lock().insert(suspect) {
            true => Ok(Alone(self.clone(), Some(suspect))),
            false => Err(SUSPECT_WAIT),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<Suspect>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        if let Some(suspect) = &self.1 {
            self.0.lock().remove(suspect);
        }
    }
}

/// There is no time for it any more: it is due at once, for somebody else.
fn untried(work: Work, now: Timestamp) -> Record {
    Record {
        parts: work.parts.clone(),
        address: None,
        took: Duration::ZERO,
        work,
        outcome: Outcome::Untried { due: now },
        go_on: false,
    }
}

fn observe(record: &Record) {
    metrics::counter!("chatport_attempts_total", "outcome" => record.outcome.name()).increment(1);
    metrics::histogram!("chatport_attempt_seconds").record(record.took.as_secs_f64());
    if let Outcome::Dead { code, detail } = &record.outcome {
        tracing::warn!(copy = %record.work.copy, organization = %record.work.lease.organization, code, detail, "a copy will not be delivered");
    }
    if let Outcome::Unknown { detail, .. } = &record.outcome {
        tracing::warn!(copy = %record.work.copy, detail, "sent without an answer; finding out");
    }
}
