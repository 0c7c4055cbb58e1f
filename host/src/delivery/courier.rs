//! Who brings copies up to date: messages to their platforms, events to their receivers. It
//! says what an attempt's end means for the copy, and for what the copy shares with others.

use std::time::Duration;

use async_trait::async_trait;
use chatport_sdk::{
    failure::{Cause, Class, Failure, Scope},
    time::Timestamp,
};
use tokio::time::Instant;

use super::{
    breaker::{Breakers, Pass},
    moved,
    pace::Pace,
    schedule,
    send::{Sending, Stop},
    store::{Outcome, What, Work},
    worker::{Carried, Courier},
};
use crate::{
    app::App,
    events::{subscriptions, webhook},
    ids::InstallationId,
    security::random,
    setup::{sites, suspension},
};

/// The longest that a platform can make anything wait: no message lives longer.
const LONGEST_HOLD: Duration = Duration::from_secs(7 * 24 * 3600);
/// A wait that is longer than this is worth a line in the log.
const LONG_HOLD: Duration = Duration::from_secs(3600);
/// How long everything waits where no time is said.
const SHORT_HOLD: Duration = Duration::from_secs(5);
const SHORTEST_HOLD: Duration = Duration::from_millis(100);
/// How long a receiver of events may take.
const EVENT_LIMIT: Duration = Duration::from_secs(15);
/// Before an unknown outcome is found out.
const FIND_AFTER: Duration = Duration::from_millis(1_000);
/// A refused credential that is younger than this isn't renewed but reported.
const FRESH: Duration = Duration::from_secs(60);

/// Brings messages to their platforms, and events to their receivers.
pub(super) struct PlatformCourier {
    app: App,
    pace: Pace,
    breakers: Breakers,
}

#[async_trait]
impl Courier for PlatformCourier {
    async fn carry(&self, work: &Work, leased: Instant) -> Carried {
        match &work.what {
            What::Event { subscription, id, body } => {
                let outcome = send_event(&self.app, work, subscription, &id.to_string(), body).await;
                Carried { outcome, parts: Vec::new(), address: None }
            }
            What::Message { installation, .. } => self.carry_message(work, *installation, leased).await,
        }
    }
}

impl PlatformCourier {
    pub(super) fn new(app: App) -> Self {
        Self { app, pace: Pace::default(), breakers: Breakers::default() }
    }

    async fn carry_message(&self, work: &Work, installation: InstallationId, leased: Instant) -> Carried {
        let there: Work;
        let mut sending = Sending::new(&self.app, &self.pace, work, leased);
        if work.is_fallback && work.parts.is_empty() && !work.unsure {
            let unneeded = self.app.delivery.units.store.is_unneeded(&work.lease.organization, work.copy).await;
            // In doubt it is sent: rather once too often than never.
            if unneeded.unwrap_or(false) {
                return Carried { outcome: Outcome::Unneeded, parts: Vec::new(), address: None };
            }
        }
        let outcome = match self.breakers.pass(installation, Instant::now()) {
            Err(wait) => Outcome::Hold {
                until: self.app.clock.now().plus(wait),
                scope: Scope::Installation,
                code: "platform_unavailable",
                detail: "the platform has failed several times: it is left alone for a while".into(),
            },
            Ok(pass) => {
                let mut result = sending.run(installation).await;
                if let Err(Stop::Failure(failure)) = &result
                    && let Some(to) = moved::destination(work, failure)
                {
                    // Seldom, and much to carry about.
                    Box::pin(moved::follow(&self.app, work, installation, to)).await;
                    there = moved::there(work, to);
                    sending = sending.there(&there);
                    result = sending.run(installation).await;
                }
                self.judge(pass, installation, &result);
                match result {
                    Ok(()) => Outcome::Delivered,
                    Err(Stop::Outcome(outcome)) => outcome,
                    Err(Stop::Failure(failure)) if failure.cause == Cause::Unauthorized => {
                        self.refused(&sending, installation, failure).await
                    }
                    Err(Stop::Failure(failure)) => self.outcome_of(&sending, installation, failure).await,
                }
            }
        };
        Carried { outcome, parts: sending.parts, address: sending.address }
    }

    /// Whether the platform works, as far as this shows it. A refusal shows that it does.
    fn judge(&self, pass: Pass, installation: InstallationId, result: &Result<(), Stop>) {
        let now = Instant::now();
        match result {
            // Nothing was asked of it.
            Err(Stop::Outcome(_)) => {}
            Err(Stop::Failure(failure))
                if matches!(failure.cause.class(), Class::Temporary | Class::Unknown)
                    && failure.retry_after.is_none() =>
            {
                if let Some(pause) = pass.failed(now, jitter(&self.app)) {
                    metrics::counter!("chatport_breaker_openings_total").increment(1);
                    tracing::warn!(%installation, seconds = pause.as_secs_f64(), "the platform keeps failing: it is left alone for a while");
                }
            }
            Ok(()) | Err(Stop::Failure(_)) => pass.worked(now),
        }
    }

    /// The credential was refused. One that runs out may have done so early: get another,
    /// unless this one is fresh.
    async fn refused(&self, sending: &Sending<'_>, installation: InstallationId, failure: Failure) -> Outcome {
        let now = self.app.clock.now();
        let organization = &sending.work.lease.organization;
        let Ok(loaded) = sites::load(&self.app, organization, installation).await else {
            return self.outcome_of(sending, installation, failure).await;
        };
        let renew = loaded.backend.install().and_then(|install| install.renew());
        let kinds = renew.map_or(&[][..], |renew| renew.kinds(&loaded.site));
        let stale = |kind: &&&str| loaded.site.token(kind).is_none_or(|token| now.since(token.created_at) > FRESH);
        let Some(kind) = kinds.iter().find(stale) else {
            return self.outcome_of(sending, installation, failure).await;
        };
        let until = match self.app.renewals.ensure(&self.app, &loaded, kind).await {
            Ok(true) => now,
            Ok(false) => now.plus(SHORT_HOLD),
            Err(failure) => return self.outcome_of(sending, installation, failure).await,
        };
        let detail = "the credential was refused; a fresh one has been asked for".into();
        Outcome::Hold { until, scope: Scope::Copy, code: "platform_unavailable", detail }
    }

    /// What becomes of the copy after a failure.
    async fn outcome_of(&self, sending: &Sending<'_>, installation: InstallationId, failure: Failure) -> Outcome {
        let (work, scope, now) = (sending.work, failure.scope, self.app.clock.now());
        let (mut class, code) = failure.cause.class_and_code();
        if sending.sent && class == Class::Temporary && failure.cause == Cause::Unreachable {
            class = Class::Unknown;
        }
        let detail = match &failure.error_id {
            Some(id) => format!("{} ({id})", failure.detail),
            None => failure.detail.clone(),
        };
        let asked = failure.retry_after.map(|wait| wait.min(LONGEST_HOLD));
        if let Some(wait) = asked.filter(|wait| *wait > LONG_HOLD) {
            tracing::warn!(%installation, seconds = wait.as_secs(), "the platform asks to wait for long");
        }
        let hold = |wait: Duration, detail| {
            if scope == Scope::Origin {
                self.pace.hold(&sending.origin, Instant::now() + wait);
            }
            Outcome::Hold { until: now.plus(wait), scope, code, detail }
        };
        let is_wide = matches!(scope, Scope::Installation | Scope::Origin);
        match (class, asked) {
            (Class::Unknown, _) => {
                Outcome::Unknown { at: retry_at(&self.app, work, now).max(now.plus(FIND_AFTER)), detail }
            }
            (Class::Hold, asked) => hold(asked.unwrap_or(SHORT_HOLD).max(SHORTEST_HOLD), detail),
            (Class::Permanent, _) if scope != Scope::Installation => Outcome::Dead { code, detail },
            (Class::Suspend | Class::Permanent, _) => {
                self.suspend(work, installation, code, &detail).await;
                Outcome::Hold { until: now.plus(SHORT_HOLD), scope: Scope::Copy, code, detail }
            }
            (Class::Temporary, Some(wait)) => hold(wait, detail),
            (Class::Temporary, None) if is_wide => hold(SHORT_HOLD, detail),
            (Class::Temporary, None) => Outcome::Retry { at: retry_at(&self.app, work, now), code, detail },
        }
    }

    async fn suspend(&self, work: &Work, installation: InstallationId, code: &str, detail: &str) {
        let organization = &work.lease.organization;
        let suspended = suspension::suspend(&self.app, organization, installation, code, detail).await;
        if let Err(error) = suspended {
            tracing::error!(%error, %installation, "an installation could not be suspended; its next message tries again");
        }
    }
}

async fn send_event(app: &App, work: &Work, subscription: &str, id: &str, body: &str) -> Outcome {
    let now = app.clock.now();
    let retry = |code, detail: String| Outcome::Retry { at: retry_at(app, work, now), code, detail };
    let found = subscriptions::stored_row(&app.database, subscription).await;
    let row = match found {
        Ok(Some(row)) => row,
        Ok(None) => return Outcome::Dead { code: "channel_not_found", detail: "the subscription is gone".into() },
        Err(error) => return retry("platform_unavailable", error.to_string()),
    };
    match webhook::send(app, &row, id, body, EVENT_LIMIT).await {
        Ok(answer) if answer.status.is_success() => Outcome::Delivered,
        Ok(answer) => {
            let detail = format!("the receiver answered {}", answer.status.as_u16());
            match answer.retry_after(now) {
                Some(wait) => {
                    let until = now.plus(wait.clamp(SHORTEST_HOLD, LONGEST_HOLD));
                    Outcome::Hold { until, scope: Scope::Conversation, code: "rate_limited", detail }
                }
                None => retry("platform_unavailable", detail),
            }
        }
        // The receiver drops a repeated id, so a doubt is no different from a failure.
        Err(error) => retry("platform_unavailable", error.to_string()),
    }
}

fn retry_at(app: &App, work: &Work, now: Timestamp) -> Timestamp {
    let attempts = usize::try_from(work.attempts).unwrap_or(usize::MAX).saturating_add(1);
    now.plus(schedule::wait(attempts, jitter(app)))
}

/// Evenly spread over 0.0..1.0.
fn jitter(app: &App) -> f64 {
    f64::from(u32::from_le_bytes(random::bytes(app.random.as_ref()))) / f64::from(u32::MAX)
}
