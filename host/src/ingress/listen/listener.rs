//! One installation's listener.

use std::{sync::Arc, time::Duration};

use chatport_sdk::{
    failure::{Cause, Class, Failure, Scope},
    happening::{Happening, Outcome},
    listen::{Heard, MAX_CURSOR},
};
use sea_orm::DbErr;
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::{
    super::{
        CALL_LIMIT,
        happenings::{self, Committed},
        outcome,
    },
    lease::{Lease, RENEWAL},
};
use crate::{
    app::App,
    setup::{
        contain::contained,
        sites::{self, LoadError, Loaded},
        suspension,
    },
};

/// How long a backend may wait for something to happen.
const LISTEN_LIMIT: Duration = Duration::from_secs(45);
/// Two calls begin at least so far apart: a backend that doesn't wait keeps nobody busy.
const LEAST_APART: Duration = Duration::from_millis(500);
/// The waits after failures in a row; the last one is repeated.
const WAITS: [Duration; 6] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(20),
    Duration::from_secs(30),
];
/// The wait where only a person can mend it, and the longest that a platform may ask for.
const LONG_WAIT: Duration = Duration::from_secs(5 * 60);
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);
/// How often what was heard is tried to be stored. Where the database takes everything else,
/// one happening that it refuses must not make the installation deaf for ever.
const STORE_TRIES: usize = 6;
/// Most happenings of which the application is being asked; more wait to be heard.
const MOST_ASKED: usize = 64;

/// Why a listener ends.
enum End {
    /// The host stops, or the installation isn't heard in this way any more.
    Done,
    /// Another replica listens.
    Lost,
}

/// What came of asking a backend.
enum Asked {
    Heard(Heard),
    Failed(Failure),
    Ended(End),
}

/// Listen until `stop` is cancelled, the installation isn't heard in this way any more, or
/// another replica has the lease.
pub(super) async fn run(app: App, lease: Lease, stop: CancellationToken) {
    let span = tracing::info_span!("listen", organization = %lease.organization, installation = %lease.installation);
    let mut listener =
        Listener { app, lease, stop, failures: 0, store_tries: 0, is_failing: true, asked: JoinSet::new() };
    async {
        let end = loop {
            match listener.round().await {
                Ok(None) => {}
                Ok(Some(end)) => break end,
                Err(error) => {
                    tracing::warn!(%error, "the database refuses; listening goes on soon");
                    if let Some(end) = listener.pause(RENEWAL).await {
                        break end;
                    }
                }
            }
        };
        let Listener { app, lease, mut asked, .. } = listener;
        while asked.join_next().await.is_some() {}
        if matches!(end, End::Done)
            && let Err(error) = lease.give_back(&app).await
        {
            tracing::warn!(%error, "a lease wasn't given back; it runs out by itself");
        }
    }
    .instrument(span)
    .await;
}

struct Listener {
    app: App,
    lease: Lease,
    stop: CancellationToken,
    /// Failures in a row.
    failures: usize,
    /// How often what was heard last could not be stored.
    store_tries: usize,
    /// Whether a problem may stand in the row.
    is_failing: bool,
    /// Of these happenings the application is being asked, and the platform is told then.
    asked: JoinSet<()>,
}

impl Listener {
    /// Ask once what has happened, and store it.
    async fn round(&mut self) -> Result<Option<End>, DbErr> {
        if self.stop.is_cancelled() {
            return Ok(Some(End::Done));
        }
        let loaded = match sites::load(&self.app, &self.lease.organization, self.lease.installation).await {
            Ok(loaded) => loaded,
            Err(LoadError::Store(error)) => return Err(error),
            Err(_) => return Ok(Some(End::Done)),
        };
        if !super::listens(&loaded) {
            return Ok(Some(End::Done));
        }
        let begun = Instant::now();
        let asked = match self.app.renewals.fresh(&self.app, loaded).await {
            Ok(loaded) => self.ask(&loaded).await?,
            Err(failure) => Asked::Failed(failure),
        };
        let wait = match asked {
            Asked::Ended(end) => return Ok(Some(end)),
            Asked::Heard(heard) => {
                if let Some(end) = self.take(heard).await? {
                    return Ok(Some(end));
                }
                LEAST_APART.saturating_sub(begun.elapsed())
            }
            Asked::Failed(failure) => match self.failed(&failure).await? {
                Some(wait) => wait,
                None => return Ok(Some(End::Lost)),
            },
        };
        Ok(self.pause(wait).await)
    }

    /// Ask the backend, renewing the lease meanwhile.
    async fn ask(&self, loaded: &Loaded) -> Result<Asked, DbErr> {
        let (backend, site, cursor) =
            (Arc::clone(&loaded.backend), loaded.call(&self.app).site, self.lease.cursor.clone());
        let asked = contained(LISTEN_LIMIT, async move {
            match backend.listen() {
                Some(listen) => listen.listen(&site, cursor.as_deref()).await,
                None => Ok(Heard::default()),
            }
        });
        tokio::pin!(asked);
        let mut renewal = tokio::time::interval_at(Instant::now() + RENEWAL, RENEWAL);
        renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return Ok(Asked::Ended(End::Done)),
                heard = &mut asked => return Ok(match heard {
                    Ok(Ok(heard)) => Asked::Heard(heard),
                    Ok(Err(failure)) => Asked::Failed(failure),
                    Err(error) => Asked::Failed(Failure::new(Cause::Unavailable, error.to_string())),
                }),
                _ = renewal.tick() => if !self.lease.renew(&self.app).await? {
                    return Ok(Asked::Ended(End::Lost));
                }
            }
        }
    }

    /// Store what was heard, then go on behind it.
    async fn take(&mut self, heard: Heard) -> Result<Option<End>, DbErr> {
        let is_stored = heard.happenings.is_empty() || self.commit(heard.happenings).await?;
        let next = heard.cursor.filter(|cursor| Some(cursor) != self.lease.cursor.as_ref());
        self.store_tries = if is_stored { 0 } else { self.store_tries + 1 };
        if !is_stored && (self.store_tries < STORE_TRIES || next.is_none()) {
            let wait = WAITS[self.store_tries.min(WAITS.len()) - 1];
            return Ok(self.pause(wait).await);
        }
        if let Some(cursor) = next {
            if cursor.len() > MAX_CURSOR {
                tracing::error!(bytes = cursor.len(), "a backend gave a cursor that is too long");
                return Ok(self.pause(LONG_WAIT).await);
            }
            if !self.lease.move_on(&self.app, cursor).await? {
                return Ok(Some(End::Lost));
            }
            if !is_stored {
                self.store_tries = 0;
                tracing::error!("what was heard can't be stored, again and again: it is passed over");
                metrics::counter!("chatport_listen_passed_over_total").increment(1);
            }
        }
        self.failures = 0;
        if std::mem::take(&mut self.is_failing) && !self.lease.note(&self.app, None).await? {
            return Ok(Some(End::Lost));
        }
        Ok(None)
    }

    /// Commit what happened, in order. Whether all of it is on disk.
    async fn commit(&mut self, heard: Vec<Happening>) -> Result<bool, DbErr> {
        let loaded = match sites::load_now(&self.app, &self.lease.organization, self.lease.installation).await {
            Ok(loaded) => loaded,
            Err(LoadError::Store(error)) => return Err(error),
            // There is nobody any more for whom it could be stored.
            Err(_) => return Ok(true),
        };
        super::super::heard(&self.app, Some(&loaded)).await;
        let mut is_stored = true;
        for happening in heard {
            while self.asked.len() >= MOST_ASKED {
                self.asked.join_next().await;
            }
            match happenings::begin(&self.app, &loaded, &happening).await {
                Committed::Answered(Outcome::Unavailable) => is_stored = false,
                committed => drop(self.asked.spawn(tell(loaded.clone(), happening, committed).in_current_span())),
            }
        }
        while self.asked.try_join_next().is_some() {}
        Ok(is_stored)
    }

    /// Note a failure. How long to wait; `None`: the lease is lost.
    async fn failed(&mut self, failure: &Failure) -> Result<Option<Duration>, DbErr> {
        self.failures = self.failures.saturating_add(1);
        self.is_failing = true;
        let code = failure.cause.code();
        metrics::counter!("chatport_listen_failures_total", "code" => code).increment(1);
        if self.failures == 1 {
            tracing::warn!(%failure, "a platform can't be listened to; trying again");
        }
        let is_whole = failure.scope == Scope::Installation;
        let needs_person = match failure.cause.class() {
            Class::Suspend => true,
            Class::Permanent => is_whole,
            _ => false,
        };
        if needs_person {
            let (organization, installation) = (&self.lease.organization, self.lease.installation);
            suspension::suspend(&self.app, organization, installation, code, &failure.detail).await?;
        }
        let is_ours = self.lease.note(&self.app, Some(failure.for_application())).await?;
        let wait = match failure.retry_after {
            Some(asked) => asked.clamp(WAITS[0], LONGEST_WAIT),
            None if needs_person => LONG_WAIT,
            None => WAITS[self.failures.min(WAITS.len()) - 1],
        };
        Ok(is_ours.then_some(wait))
    }

    /// When the installation was changed last, as this replica knows it.
    async fn changed_at(&self) -> Option<i64> {
        let loaded = sites::load(&self.app, &self.lease.organization, self.lease.installation).await;
        loaded.ok().map(|loaded| loaded.row.updated_at)
    }

    /// Wait, renewing the lease, at most until somebody changes the installation: that may have
    /// mended it. `None`: go on.
    async fn pause(&self, wait: Duration) -> Option<End> {
        let (deadline, changed_at) = (Instant::now() + wait, self.changed_at().await);
        while Instant::now() < deadline {
            let next = deadline.min(Instant::now() + RENEWAL);
            tokio::select! {
                () = self.stop.cancelled() => return Some(End::Done),
                () = tokio::time::sleep_until(next) => {}
            }
            // While the database is away nobody can take the lease either.
            if wait >= RENEWAL && matches!(self.lease.renew(&self.app).await, Ok(false)) {
                return Some(End::Lost);
            }
            if self.changed_at().await != changed_at {
                break;
            }
        }
        None
    }
}

/// Ask the application, where there is something to ask, and say to the platform what came of it.
async fn tell(loaded: Loaded, happening: Happening, committed: Committed) {
    let outcome = committed.outcome().await;
    let (backend, site) = (Arc::clone(&loaded.backend), loaded.site.clone());
    let name = outcome::name(&outcome);
    metrics::counter!("chatport_happenings_total", "backend" => loaded.backend_id(), "outcome" => name).increment(1);
    let told = contained(CALL_LIMIT, async move {
        if let Some(listen) = backend.listen() {
            listen.answer(&site, &[happening], &[outcome]).await;
        }
    });
    if let Err(error) = told.await {
        tracing::error!(%error, "what happened is on disk, but was not answered");
    }
}
