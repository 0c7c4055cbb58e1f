//! A courier for simulated platforms. It goes about it as the real one does: it looks for what
//! may have arrived before it posts again, edits what stands, and says truly what it doesn't
//! know.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chatport_host::{
    delivery::{
        Carried, Courier,
        message::ShownPart,
        schedule,
        store::{DeliveryStore, LEASE, Outcome, Root, What, Work},
        units::Units,
    },
    ids::CopyId,
};
use chatport_sdk::{
    delivery::Receipt,
    failure::Scope,
    time::{Clock, Timestamp},
};
use chatport_tests::seeded::Dice;
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    asks::platform_of,
    platform::{Reply, Request, Wanted},
    truth::{Call, Truth},
};

/// How long a courier waits for an answer.
pub const PATIENCE: Duration = Duration::from_secs(15);
/// What a lease must still have for a call to be begun under it.
const RESERVE: Duration = Duration::from_secs(30);
const ROOT_WAIT: Duration = Duration::from_secs(30);

/// The way to platforms and to the application. `None`: no answer came.
#[async_trait]
pub trait Wire: Send + Sync {
    async fn ask(&self, platform: usize, request: &Request) -> Option<Reply>;
    /// Tell the application; whether it heard.
    async fn tell(&self, event: Uuid) -> bool;
}

/// The courier of one replica.
pub struct Carrier {
    pub replica: usize,
    pub wire: Arc<dyn Wire>,
    pub units: Units,
    pub store: Arc<dyn DeliveryStore>,
    pub clock: Arc<dyn Clock>,
    pub truth: Truth,
    pub dice: Mutex<Dice>,
}

/// One attempt.
struct Trip<'a> {
    carrier: &'a Carrier,
    work: &'a Work,
    platform: usize,
    leased: Instant,
    parts: Vec<ShownPart>,
}

#[async_trait]
impl Courier for Carrier {
    async fn carry(&self, work: &Work, leased: Instant) -> Carried {
        let now = self.clock.now();
        self.truth.carry(now, self.replica, work.copy.0, work.revision);
        match &work.what {
            What::Event { id, .. } => {
                let outcome = match self.wire.tell(*id).await {
                    true => Outcome::Delivered,
                    false => self.retry(work),
                };
                Carried { outcome, parts: Vec::new(), address: None }
            }
            What::Message { installation, root, .. } => {
                let platform = platform_of(*installation);
                let mut trip = Trip { carrier: self, work, platform, leased, parts: work.parts.clone() };
                let outcome = match trip.go(*root).await {
                    Ok(()) => Outcome::Delivered,
                    Err(outcome) => outcome,
                };
                Carried { outcome, parts: trip.parts, address: None }
            }
        }
    }
}

impl Carrier {
    fn at(&self, work: &Work) -> Timestamp {
        let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
        let jitter = dice.below(1_000) as f64 / 1_000.0;
        self.clock.now().plus(schedule::wait(work.attempts as usize + 1, jitter))
    }

    fn retry(&self, work: &Work) -> Outcome {
        Outcome::Retry { at: self.at(work), code: "platform_unavailable", detail: "down".into() }
    }
}

impl Trip<'_> {
    async fn go(&mut self, root: Option<CopyId>) -> Result<(), Outcome> {
        let standing = match self.standing() {
            None if self.work.unsure => self.find().await?,
            standing => standing,
        };
        if self.work.removal {
            return match standing {
                Some(post) => self.take_away(post).await,
                None => Ok(()),
            };
        }
        match standing {
            Some(_) if self.parts.first().is_some_and(|part| part.revision == self.work.revision) => Ok(()),
            Some(post) => match self.answer(Wanted::Edit(post)).await? {
                Reply::Done(post) => {
                    self.shows(post);
                    Ok(())
                }
                // Somebody has taken it away: this becomes a new post.
                Reply::Gone => self.post().await,
                other => Err(self.refused(other)),
            },
            None => {
                if let Some(root) = root {
                    self.wait_for(root).await?;
                }
                self.post().await
            }
        }
    }

    async fn post(&mut self) -> Result<(), Outcome> {
        if self.carrier.clock.now() >= self.work.expires_at {
            return Err(Outcome::Expired);
        }
        let post = self.call(Wanted::Post).await?;
        self.shows(post);
        Ok(())
    }

    fn standing(&self) -> Option<u64> {
        self.parts.first().and_then(|part| part.receipt.id.parse().ok())
    }

    fn shows(&mut self, post: u64) {
        let revision = self.work.revision;
        let digest = revision.to_string();
        self.parts = vec![ShownPart { receipt: Receipt::new(post.to_string()), digest, revision, actions: Vec::new() }];
    }

    async fn find(&mut self) -> Result<Option<u64>, Outcome> {
        match self.answer(Wanted::Find).await? {
            Reply::Found(found) => Ok(found),
            other => Err(self.refused(other)),
        }
    }

    async fn take_away(&mut self, post: u64) -> Result<(), Outcome> {
        self.call(Wanted::Delete(post)).await?;
        self.parts.clear();
        Ok(())
    }

    async fn wait_for(&self, root: CopyId) -> Result<(), Outcome> {
        let now = self.carrier.clock.now();
        let found = self.carrier.store.root(&self.work.lease.organization, root).await;
        match found {
            Ok(Root::Pending) if now < self.work.first_tried.unwrap_or(now).plus(ROOT_WAIT) => Err(Outcome::Hold {
                until: now.plus(Duration::from_millis(500)),
                scope: Scope::Copy,
                code: "reply_root_missing",
                detail: "waits".into(),
            }),
            Ok(_) => Ok(()),
            Err(_) => Err(self.carrier.retry(self.work)),
        }
    }

    async fn call(&mut self, what: Wanted) -> Result<u64, Outcome> {
        match self.answer(what).await? {
            Reply::Done(post) => Ok(post),
            other => Err(self.refused(other)),
        }
    }

    async fn answer(&mut self, what: Wanted) -> Result<Reply, Outcome> {
        self.secure().await?;
        let Carrier { replica, wire, clock, truth, .. } = self.carrier;
        let (copy, revision) = (self.work.copy.0, self.work.revision);
        let call = truth.call(Call {
            replica: *replica,
            stream: self.work.lease.stream.0,
            copy,
            posts: matches!(what, Wanted::Post),
            begun: clock.now(),
            ended: None,
            answered: false,
        });
        let reply = wire.ask(self.platform, &Request { call, copy, revision, what }).await;
        truth.end_call(call, reply.is_some(), clock.now());
        reply.ok_or_else(|| Outcome::Unknown { at: self.carrier.at(self.work), detail: "no answer".into() })
    }

    fn refused(&self, reply: Reply) -> Outcome {
        let code = "platform_unavailable";
        match reply {
            Reply::SlowDown { seconds, whole } => Outcome::Hold {
                until: self.carrier.clock.now().plus(Duration::from_secs(seconds)),
                scope: if whole { Scope::Installation } else { Scope::Conversation },
                code: "rate_limited",
                detail: "slow down".into(),
            },
            Reply::Down => self.carrier.retry(self.work),
            _ => Outcome::Dead { code, detail: "never".into() },
        }
    }

    /// The lease must outlast one more call.
    async fn secure(&mut self) -> Result<(), Outcome> {
        if self.leased.elapsed() + RESERVE > LEASE {
            let asked = Instant::now();
            match self.carrier.units.record_parts(self.work, &self.parts, None).await {
                Ok(true) => self.leased = asked,
                Ok(false) => return Err(Outcome::Untried { due: self.carrier.clock.now() }),
                Err(_) => return Err(self.carrier.retry(self.work)),
            }
        }
        Ok(())
    }
}
