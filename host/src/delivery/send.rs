//! One attempt: bring one copy up to date on its platform, and say how it went. Parts are
//! posted, edited or deleted one by one, and each is recorded as it stands.

mod prepare;

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use chatport_sdk::{
    crypto,
    delivery::{Edited, Found, Outgoing, Receipt, RenderRequest, Rendering},
    descriptor::Rate,
    failure::{Cause, Failure, Scope},
    identity::Address,
    time::Timestamp,
};
use futures_util::FutureExt;
use tokio::time::Instant;

use super::{
    message::{OnUnknown, ShownPart},
    outcomes::UNKNOWN,
    pace::{Destination, Pace},
    store::{LEASE, Outcome, What, Work},
    units::in_time,
};
use crate::{
    app::App,
    ids::InstallationId,
    ingress::press,
    setup::{contain::contained_pure, sites},
};
use prepare::{Task, origin};

/// How long one call of a backend may take.
const CALL_LIMIT: Duration = Duration::from_secs(20);
/// How often a part is posted again while nobody can tell whether it arrived.
const BLIND_REPEATS: u32 = 5;
/// What a lease must still have for a call to be begun under it.
const CALL_RESERVE: Duration = Duration::from_secs(30);
/// How often a copy waits for its rate before it lets the stream go.
const RATE_WAITS: u32 = 3;
/// A wait for a rate that is shorter than this is waited out.
const SHORT_WAIT: Duration = Duration::from_millis(1_500);

/// Why an attempt ends before the copy is up to date.
pub(super) enum Stop {
    Outcome(Outcome),
    Failure(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// One copy on its way.
pub(super) struct Sending<'a> {
    app: &'a App,
    pace: &'a Pace,
    pub(super) work: &'a Work,
    /// When the lease was last known to hold.
    leased: Instant,
    pub(super) parts: Vec<ShownPart>,
    pub(super) address: Option<String>,
    /// Whether its conversation has moved: no thread is there any more.
    has_moved: bool,
    /// Whether a call that posts may have left the machine without an answer.
    pub(super) sent: bool,
    /// The server that it goes to, once that is known.
    pub(super) origin: String,
}

impl<'a> Sending<'a> {
    pub(super) fn new(app: &'a App, pace: &'a Pace, work: &'a Work, leased: Instant) -> Self {
        let (parts, origin) = (work.parts.clone(), String::new());
        Self { app, pace, work, leased, parts, address: None, has_moved: false, sent: false, origin }
    }

    /// The same at the new address of a conversation that has moved.
    pub(super) fn there(self, work: &'a Work) -> Self {
        Self { has_moved: true, address: work.address.clone(), ..Self::new(self.app, self.pace, work, self.leased) }
    }

    pub(super) async fn run(&mut self, installation: InstallationId) -> Result<(), Stop> {
        let task = self.prepare(installation).await?;
        self.origin = origin(&task.loaded);
        if self.work.removal {
            return self.take_away(&task).await;
        }
        let address = self.find_address(&task).await?;
        let limits = &task.backend.descriptor().limits;
        let mention = task.account.as_ref().filter(|_| self.is_mention());
        let request = RenderRequest::new(&task.content, limits).mention(mention);
        let delivery = task.delivery()?;
        // What failed once is rendered anew.
        let is_as_accepted = self.work.attempts == 0 && mention.is_none() && task.is_whole();
        let rendering = match is_as_accepted {
            true => task.put.rendering(&task.backend),
            false => contained_pure(|| delivery.render(&request)).ok().map(Arc::new),
        };
        let rendering =
            rendering.ok_or_else(|| Failure::new(Cause::Unavailable, "the backend panicked while it rendered"))?;
        // Nothing that would be posted is no delivery.
        if rendering.parts.is_empty() {
            return Err(Failure::new(Cause::Unavailable, "the backend rendered nothing").into());
        }
        self.converge(&task, &address, &rendering).await
    }

    async fn converge(&mut self, task: &Task<'_>, address: &Address, rendering: &Rendering) -> Result<(), Stop> {
        let wanted = rendering.parts.len();
        for (number, part) in rendering.parts.iter().enumerate() {
            let digest = crypto::hex(&crypto::sha256(part.payload.text().as_bytes()));
            if self.parts.get(number).is_some_and(|shown| shown.digest == digest) {
                continue;
            }
            self.keep_to_rate(task, address).await?;
            let tokens = press::tokens_for(
                self.app,
                &self.work.lease.organization,
                task.loaded.id,
                self.work.copy,
                self.work.revision,
                &task.content,
                part,
            );
            let mut outgoing =
                Outgoing::new(self.work.copy.to_string(), self.work.revision, address.clone(), part.clone());
            outgoing.number = u16::try_from(number).unwrap_or(u16::MAX);
            outgoing.reply_to.clone_from(&task.root);
            outgoing.urgency = self.work.urgency;
            outgoing.first_tried = self.work.first_tried;
            outgoing.tokens = tokens;
            if matches!(self.work.what, What::Message { root: None, .. }) {
                let (organization, copy) = (&self.work.lease.organization, self.work.copy);
                outgoing.refresh =
                    Some(press::refresh_token(self.app, organization, task.loaded.id, copy, outgoing.number));
            }
            let receipt = match self.parts.get(number).map(|shown| shown.receipt.clone()) {
                Some(receipt) => self.change(task, outgoing, receipt).await?,
                None => self.post(task, outgoing).await?,
            };
            let shown =
                ShownPart { receipt, digest, revision: self.work.revision, actions: task.content.actions.clone() };
            match self.parts.get_mut(number) {
                Some(part) => *part = shown,
                None => self.parts.push(shown),
            }
            if number + 1 < wanted {
                self.record_part().await?;
            }
        }
        self.drop_surplus(task, address, wanted).await
    }

    /// An edit that became shorter leaves posts over.
    async fn drop_surplus(&mut self, task: &Task<'_>, address: &Address, wanted: usize) -> Result<(), Stop> {
        if self.parts.len() == wanted {
            self.find_stray(task, address).await?;
        }
        while self.parts.len() > wanted {
            let Some(delete) = task.delivery()?.delete() else { break };
            let Some(last) = self.parts.last().map(|part| part.receipt.clone()) else { break };
            self.secure().await?;
            call(CALL_LIMIT, delete.delete(&task.loaded.site, address, &last)).await?;
            self.parts.pop();
            self.record_part().await?;
        }
        Ok(())
    }

    async fn post(&mut self, task: &Task<'_>, mut outgoing: Outgoing) -> Result<Receipt, Stop> {
        let delivery = task.delivery()?;
        let is_first_open = usize::from(outgoing.number) == self.parts.len();
        if self.work.unsure && is_first_open {
            match delivery.find() {
                Some(find) => match call(CALL_LIMIT, find.find(&task.loaded.site, &outgoing)).await? {
                    Found::Posted(receipt) => return self.found(task, outgoing, receipt).await,
                    Found::Unknowable => self.doubt(task)?,
                    // The platform may answer with what it got the first time: what it shows isn't
                    // known, so it is kept as a part that equals no rendering, and edited.
                    Found::SafeToRepeat => {
                        let receipt = self.post_now(task, &outgoing).await?;
                        let (digest, revision) = (String::new(), self.work.revision);
                        self.parts.push(ShownPart { receipt: receipt.clone(), digest, revision, actions: Vec::new() });
                        return self.found(task, outgoing, receipt).await;
                    }
                    _ => {}
                },
                None => self.doubt(task)?,
            }
        }
        match self.post_now(task, &outgoing).await {
            // The root has gone meanwhile: what then is the message's to say.
            Err(Stop::Failure(failure)) if failure.cause == Cause::ReplyRootMissing && outgoing.reply_to.is_some() => {
                outgoing.reply_to = self.without_root(task.put)?;
                self.post_now(task, &outgoing).await
            }
            result => result,
        }
    }

    async fn post_now(&mut self, task: &Task<'_>, outgoing: &Outgoing) -> Result<Receipt, Stop> {
        if self.app.clock.now() >= self.work.expires_at {
            return Err(Stop::Outcome(Outcome::Expired));
        }
        // From here on a failure may mean that it has been posted.
        self.secure().await?;
        let sites::SiteCall { site, dispatch } = task.loaded.call(self.app);
        let receipt = call(CALL_LIMIT, task.delivery()?.post(&site, outgoing)).await;
        self.sent = receipt.is_err() && dispatch.is_marked();
        Ok(receipt?)
    }

    /// It had arrived, with the content of that time: bring it to the present one.
    async fn found(&mut self, task: &Task<'_>, outgoing: Outgoing, receipt: Receipt) -> Result<Receipt, Stop> {
        if task.delivery()?.edit().is_some() { self.change(task, outgoing, receipt).await } else { Ok(receipt) }
    }

    /// Nobody can tell whether it arrived: the message says what to do.
    fn doubt(&self, task: &Task<'_>) -> Result<(), Stop> {
        metrics::counter!("chatport_duplicates_possible_total", "backend" => task.backend.descriptor().id).increment(1);
        match task.put.on_unknown {
            OnUnknown::Repeat if self.work.attempts > BLIND_REPEATS => {
                Err(dead(UNKNOWN, "it was sent several times and never answered; it may have arrived"))
            }
            OnUnknown::Repeat => Ok(()),
            OnUnknown::Dead => Err(dead(UNKNOWN, "it may have arrived; the message asks not to repeat it")),
        }
    }

    async fn change(&mut self, task: &Task<'_>, mut outgoing: Outgoing, receipt: Receipt) -> Result<Receipt, Stop> {
        let Some(edit) = task.delivery()?.edit() else {
            // No edits here: what is new is said in a reply to what stands.
            outgoing.reply_to.get_or_insert(receipt);
            return self.post_now(task, &outgoing).await;
        };
        self.secure().await?;
        match call(CALL_LIMIT, edit.edit(&task.loaded.site, &outgoing, &receipt)).await? {
            Edited::Done(receipt) => Ok(receipt),
            Edited::TooOld => {
                outgoing.reply_to = Some(receipt);
                self.post_now(task, &outgoing).await
            }
            _ => self.post_now(task, &outgoing).await,
        }
    }

    async fn take_away(&mut self, task: &Task<'_>) -> Result<(), Stop> {
        let Some(delete) = task.delivery()?.delete() else { return Ok(()) };
        let Some(text) = self.work.address.clone() else { return Ok(()) };
        let address: Address =
            serde_json::from_str(&text).map_err(|_| dead("poison", "the stored address can't be read"))?;
        self.find_stray(task, &address).await?;
        while let Some(part) = self.parts.last() {
            let receipt = part.receipt.clone();
            self.secure().await?;
            call(CALL_LIMIT, delete.delete(&task.loaded.site, &address, &receipt)).await?;
            self.parts.pop();
        }
        Ok(())
    }

    /// After a doubt, a part may stand on the platform that isn't wanted any more: the one
    /// after those that are known.
    async fn find_stray(&mut self, task: &Task<'_>, address: &Address) -> Result<(), Stop> {
        let Some(find) = task.delivery()?.find().filter(|_| self.work.unsure) else { return Ok(()) };
        let part = chatport_sdk::delivery::Part { payload: Default::default(), actions: Vec::new() };
        let mut outgoing = Outgoing::new(self.work.copy.to_string(), self.work.revision, address.clone(), part);
        outgoing.number = u16::try_from(self.parts.len()).unwrap_or(u16::MAX);
        outgoing.first_tried = Some(Timestamp::EPOCH);
        if let Found::Posted(receipt) = call(CALL_LIMIT, find.find(&task.loaded.site, &outgoing)).await? {
            let digest = String::new();
            self.parts.push(ShownPart { receipt, digest, revision: self.work.revision, actions: Vec::new() });
        }
        Ok(())
    }

    async fn record_part(&self) -> Result<(), Stop> {
        let units = &self.app.delivery.units;
        match in_time(units.record_parts(self.work, &self.parts, self.address.as_deref())).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Stop::Outcome(Outcome::Hold {
                until: self.app.clock.now(),
                scope: Scope::Copy,
                code: "platform_unavailable",
                detail: "the lease was lost".into(),
            })),
            Err(error) => Err(Failure::new(Cause::Unavailable, error.to_string()).into()),
        }
    }

    /// Make sure that the lease outlasts one more call: another worker must not begin before
    /// this one has ended.
    async fn secure(&mut self) -> Result<(), Stop> {
        if self.leased.elapsed() + CALL_RESERVE > LEASE {
            let asked = Instant::now();
            self.record_part().await?;
            self.leased = asked;
        }
        Ok(())
    }

    async fn keep_to_rate(&self, task: &Task<'_>, address: &Address) -> Result<(), Stop> {
        let wait_until = |wait: Duration, scope, detail: String| {
            let until = self.app.clock.now().plus(wait);
            Err(Stop::Outcome(Outcome::Hold { until, scope, code: "rate_limited", detail }))
        };
        if let Some(wait) = self.pace.held(&self.origin, Instant::now()) {
            return wait_until(wait, Scope::Installation, "the platform's server asked to wait".into());
        }
        let descriptor = task.backend.descriptor();
        let stream = task.delivery()?.stream(address).ok();
        let named = stream.as_ref().and_then(|key| descriptor.rate(key.rate));
        let Some(rate) = named.or_else(|| descriptor.rates.first()) else { return Ok(()) };
        let rates: Vec<Rate> =
            descriptor.rates_over(rate).map(|rate| self.app.settings.rate(descriptor.id, *rate)).collect();
        let conversation = stream.as_ref().map_or("", |key| &key.key);
        let to = Destination { installation: task.loaded.id, origin: &self.origin, conversation };
        let mut waits = 0;
        while let Err(wait) = self.pace.take(to, &rates, Instant::now()) {
            waits += 1;
            if wait > SHORT_WAIT || waits > RATE_WAITS {
                let names: Vec<String> = rates.iter().map(|rate| format!("{} a second", rate.per_second)).collect();
                return wait_until(wait, Scope::Conversation, format!("keeps to {}", names.join(", ")));
            }
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }
}

fn dead(code: &'static str, detail: &str) -> Stop {
    Stop::Outcome(Outcome::Dead { code, detail: detail.to_owned() })
}

/// Call a backend: bounded in time, and a panic is a failure of its own.
async fn call<T>(limit: Duration, future: impl Future<Output = Result<T, Failure>> + Send) -> Result<T, Failure> {
    match tokio::time::timeout(limit, AssertUnwindSafe(future).catch_unwind()).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(Failure::new(Cause::Unreachable, "the backend panicked")),
        Err(_) => Err(Failure::new(Cause::Unreachable, "the backend took too long")),
    }
}
