//! The loop: lease streams that are due, bring their copies up to date one after the other,
//! record each. A worker keeps its stream while there is something due in it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chatport_sdk::{failure::Scope, time::Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use super::{
    pace::{Pace, Party},
    send,
    sql_store::LEASE,
    store::{Outcome, Record, Recorded, What, Work},
};
use crate::app::App;

/// How often the engine looks without having been woken.
const POLL: Duration = Duration::from_millis(500);
/// A send starts only while the lease has at least this much left.
const RESERVE: Duration = Duration::from_secs(20);
/// Attempts that may end in a crash before a copy is given up.
const POISON: u32 = 8;
/// How long a worker stays with one stream while others wait for a worker.
const TURN: Duration = Duration::from_secs(2);
/// How many copies are expired in one go.
const EXPIRE_BATCH: u64 = 200;

/// Run the engine until `stop` is cancelled; then finish what is on its way.
///
/// What isn't finished within the settings' grace is dropped; it is found out at the next
/// start.
pub async fn run(app: App, stop: CancellationToken) {
    let grace = app.settings.shutdown_grace.max(Duration::from_secs(1));
    let engine = Engine {
        stop: stop.clone(),
        drop_now: CancellationToken::new(),
        slots: Arc::new(Semaphore::new(app.settings.workers)),
        owner: Uuid::from_bytes(crate::security::random::bytes(app.random.as_ref())),
        pace: Pace::default(),
        tasks: TaskTracker::new(),
        app,
    };
    match engine.app.delivery.store.recover().await {
        Ok(0) => {}
        Ok(freed) => tracing::info!(streams = freed, "took over what an earlier run left on its way"),
        Err(error) => tracing::error!(%error, "can't take over what an earlier run left on its way"),
    }
    let mut last_expiry = Instant::now();
    while !stop.is_cancelled() {
        let found = engine.lease().await;
        if last_expiry.elapsed() >= Duration::from_secs(1) {
            last_expiry = Instant::now();
            engine.expire().await;
        }
        if found {
            continue;
        }
        let pause = engine.pause().await;
        tokio::select! {
            () = stop.cancelled() => {}
            () = engine.app.delivery.wake.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    engine.tasks.close();
    if tokio::time::timeout(grace, engine.tasks.wait()).await.is_err() {
        tracing::warn!("some deliveries didn't end in time; they are found out at the next start");
        engine.drop_now.cancel();
        engine.tasks.wait().await;
    }
}

#[derive(Clone)]
struct Engine {
    app: App,
    owner: Uuid,
    slots: Arc<Semaphore>,
    pace: Pace,
    tasks: TaskTracker,
    stop: CancellationToken,
    drop_now: CancellationToken,
}

impl Engine {
    /// Lease as many streams as there are free workers. Whether there may be more.
    async fn lease(&self) -> bool {
        // Wait for one free worker, then take what else is free.
        let first = tokio::select! {
            () = self.stop.cancelled() => return false,
            first = Arc::clone(&self.slots).acquire_owned() => first,
        };
        let Ok(first) = first else { return false };
        let mut permits = vec![first];
        while permits.len() < 32 {
            let Ok(permit) = Arc::clone(&self.slots).try_acquire_owned() else { break };
            permits.push(permit);
        }
        let started = Instant::now();
        let wanted = permits.len();
        let leased = match self.app.delivery.store.lease(self.owner, wanted, &self.pace.full()).await {
            Ok(leased) => leased,
            Err(error) => {
                tracing::error!(%error, "can't look for what is due; trying again");
                tokio::time::sleep(POLL).await;
                return false;
            }
        };
        let found = leased.len();
        for (work, permit) in leased.into_iter().zip(permits) {
            let engine = self.clone();
            self.tasks.spawn(async move {
                tokio::select! {
                    () = engine.drop_now.cancelled() => {}
                    () = engine.work(work, started, permit) => {}
                }
            });
        }
        found == wanted
    }

    /// Bring the copies of one stream up to date until nothing is due.
    async fn work(&self, mut work: Work, mut leased: Instant, _permit: OwnedSemaphorePermit) {
        let begun = Instant::now();
        loop {
            let others_wait = begun.elapsed() > TURN && self.slots.available_permits() == 0;
            if self.stop.is_cancelled() || others_wait || leased.elapsed() + RESERVE > LEASE {
                let now = self.app.clock.now();
                if let Err(error) = self.app.delivery.store.give_back(&work, now).await {
                    tracing::error!(%error, "can't give a lease back; it runs out by itself");
                }
                return;
            }
            let record = self.attempt(work, leased).await;
            let renewed = Instant::now();
            match self.record(record).await {
                Some(Recorded::Next(next)) => {
                    work = *next;
                    leased = renewed;
                }
                Some(Recorded::Released) => return,
                Some(Recorded::Lost) => {
                    metrics::counter!("chatport_lost_leases_total").increment(1);
                    tracing::warn!("a lease was lost; its result is dropped");
                    return;
                }
                None => return,
            }
        }
    }

    async fn attempt(&self, work: Work, leased: Instant) -> Record {
        let now = self.app.clock.now();
        let started = Instant::now();
        let done = |work: Work, outcome| Record {
            parts: work.parts.clone(),
            address: None,
            took: started.elapsed(),
            work,
            outcome,
        };
        if work.expires_at <= now && !work.unsure {
            return done(work, Outcome::Expired);
        }
        if work.crashes >= POISON {
            let detail = format!("{POISON} attempts ended in a crash");
            return done(work, Outcome::Dead { code: "poison", detail });
        }
        let party = match &work.what {
            What::Message { installation, .. } => Party::Installation(*installation),
            What::Event { subscription, .. } => Party::Subscription(subscription.clone()),
        };
        let Some(_place) = self.pace.enter(party) else { return done(work, busy(now)) };
        let (outcome, parts, address) = send::bring_up_to_date(&self.app, &self.pace, &work, leased).await;
        Record { parts, address, took: started.elapsed(), work, outcome }
    }

    /// Write a result down. The result is kept and tried again while the lease lasts: losing
    /// it would mean sending twice.
    async fn record(&self, record: Record) -> Option<Recorded> {
        observe(&record);
        let started = Instant::now();
        let mut pause = Duration::from_millis(50);
        loop {
            match self.app.delivery.store.record(record.clone()).await {
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

    async fn expire(&self) {
        match self.app.delivery.store.expire(EXPIRE_BATCH).await {
            Ok(0) => {}
            Ok(number) => tracing::warn!(copies = number, "copies expired before they could be delivered"),
            Err(error) => tracing::error!(%error, "can't look for what has expired"),
        }
    }

    async fn pause(&self) -> Duration {
        let next = self.app.delivery.store.next_due().await.unwrap_or_default();
        next.unwrap_or(POLL).clamp(Duration::from_millis(20), POLL)
    }
}

/// All places of the installation are taken: come back soon.
fn busy(now: Timestamp) -> Outcome {
    Outcome::Hold {
        until: now.plus(Duration::from_millis(250)),
        scope: Scope::Conversation,
        code: "rate_limited",
        detail: "others of this installation are on their way".into(),
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
