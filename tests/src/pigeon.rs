//! A scripted chat platform for the engine's suites: it keeps a ground-truth log of what it
//! was asked to do, refuses what a strict platform refuses, and fails as it is told to.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chatport_sdk::{
    delivery::{Delete, Direct},
    prelude::*,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What happens to the next call.
#[derive(Clone, Debug)]
pub enum Fate {
    /// It fails like this; nothing is done.
    Fail(Failure),
    /// It is done, and the answer is lost.
    LoseAnswer,
    /// It takes this long.
    Slow(Duration),
    /// The backend panics.
    Panic,
}

/// One post.
#[derive(Clone, Debug, Default)]
pub struct Post {
    pub conversation: String,
    pub key: String,
    /// Every content that it has shown, in order.
    pub shown: Vec<String>,
    pub reply_to: Option<String>,
    pub deleted: bool,
    pub buttons: HashMap<String, String>,
}

#[derive(Default)]
pub struct World {
    pub posts: Vec<Post>,
    pub fates: HashMap<String, VecDeque<Fate>>,
    pub calls: usize,
    /// How often looking for a post fails before it works.
    pub blind: usize,
    /// Calls under way, by conversation; more than one at a time is an error.
    busy: HashMap<String, usize>,
    pub overlaps: usize,
}

/// The backend.
#[derive(Clone)]
pub struct Pigeon {
    world: Arc<Mutex<World>>,
    descriptor: Arc<Descriptor>,
    finds: bool,
}

#[derive(Serialize, Deserialize)]
struct Place {
    v: u8,
    loft: String,
}

/// The address of a conversation.
pub fn address(loft: &str) -> Address {
    Address::of(&Place { v: 1, loft: loft.into() }).expect("plain data")
}

impl Pigeon {
    pub fn new() -> Self {
        let mut descriptor = Descriptor::new("pigeon", "Carrier pigeon");
        descriptor.rates = const { &[Rate::per_installation("loft", 10_000.0, 10_000)] };
        Self { world: Arc::default(), descriptor: Arc::new(descriptor), finds: true }
    }

    /// One that can't tell whether a post arrived.
    pub fn forgetful() -> Self {
        Self { finds: false, ..Self::new() }
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next call to this conversation meets this fate.
    pub fn fate(&self, loft: &str, fate: Fate) {
        self.world().fates.entry(loft.into()).or_default().push_back(fate);
    }

    /// The posts of a conversation.
    pub fn posts(&self, loft: &str) -> Vec<Post> {
        self.world().posts.iter().filter(|post| post.conversation == loft).cloned().collect()
    }

    async fn call<T>(&self, loft: &str, act: impl FnOnce(&mut World) -> Result<T, Failure>) -> Result<T, Failure> {
        let fate = {
            let mut world = self.world();
            world.calls += 1;
            let busy = world.busy.entry(loft.into()).or_default();
            *busy += 1;
            if *busy > 1 {
                world.overlaps += 1;
            }
            world.fates.get_mut(loft).and_then(VecDeque::pop_front)
        };
        if let Some(Fate::Slow(time)) = &fate {
            tokio::time::sleep(*time).await;
        }
        let mut world = self.world();
        if let Some(busy) = world.busy.get_mut(loft) {
            *busy -= 1;
        }
        match fate {
            Some(Fate::Fail(failure)) => Err(failure),
            Some(Fate::Panic) => panic!("the pigeon hit a window"),
            Some(Fate::LoseAnswer) => {
                act(&mut world)?;
                Err(Failure::new(Cause::NoAnswer, "the pigeon didn't come back"))
            }
            _ => act(&mut world),
        }
    }
}

impl Default for Pigeon {
    fn default() -> Self {
        Self::new()
    }
}

fn loft(address: &Address) -> Result<String, Failure> {
    let place: Place = address.read().map_err(|_| Failure::new(Cause::ChannelNotFound, "no such loft"))?;
    Ok(place.loft)
}

impl MessagingBackend for Pigeon {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }
    fn delivery(&self) -> Option<&dyn Delivery> {
        Some(self)
    }
}

#[async_trait]
impl Delivery for Pigeon {
    fn render(&self, request: &RenderRequest<'_>) -> Rendering {
        let mention = request.mention.map(|account| format!("@{} ", account.username)).unwrap_or_default();
        let payload = json!({ "text": format!("{mention}{} {}", request.content.title, request.content.text).trim() });
        let actions = request.content.actions.iter().map(|action| action.id.clone()).collect();
        Rendering { parts: vec![Part { payload: payload.into(), actions }], notes: Vec::new() }
    }

    fn stream(&self, address: &Address) -> Result<StreamKey, Failure> {
        Ok(StreamKey { key: loft(address)?, rate: "loft" })
    }

    async fn post(&self, _: &Site, outgoing: &Outgoing) -> Result<Receipt, Failure> {
        let loft = loft(&outgoing.address)?;
        self.call(&loft.clone(), |world| {
            let number = world.posts.len();
            world.posts.push(Post {
                conversation: loft,
                key: format!("{}-{}", outgoing.copy, outgoing.number),
                shown: vec![outgoing.part.payload.value()["text"].as_str().unwrap_or_default().into()],
                reply_to: outgoing.reply_to.as_ref().map(|receipt| receipt.id.clone()),
                deleted: false,
                buttons: buttons(outgoing),
            });
            Ok(Receipt::new(number.to_string()))
        })
        .await
    }

    fn edit(&self) -> Option<&dyn Edit> {
        Some(self)
    }
    fn delete(&self) -> Option<&dyn Delete> {
        Some(self)
    }
    fn find(&self) -> Option<&dyn Find> {
        self.finds.then_some(self as &dyn Find)
    }
    fn direct(&self) -> Option<&dyn Direct> {
        Some(self)
    }
}

fn buttons(outgoing: &Outgoing) -> HashMap<String, String> {
    let plain = outgoing.tokens.iter().filter(|token| token.choice.is_none());
    plain.map(|token| (token.action.clone(), token.token.expose().to_owned())).collect()
}

#[async_trait]
impl Edit for Pigeon {
    async fn edit(&self, _: &Site, outgoing: &Outgoing, receipt: &Receipt) -> Result<Edited, Failure> {
        let loft = loft(&outgoing.address)?;
        self.call(&loft, |world| {
            let number: usize = receipt.id.parse().map_err(|_| Failure::new(Cause::ContentRejected, "no such post"))?;
            let Some(post) = world.posts.get_mut(number).filter(|post| !post.deleted) else { return Ok(Edited::Gone) };
            post.shown.push(outgoing.part.payload.value()["text"].as_str().unwrap_or_default().into());
            post.buttons = buttons(outgoing);
            Ok(Edited::Done(receipt.clone()))
        })
        .await
    }
}

#[async_trait]
impl Delete for Pigeon {
    async fn delete(&self, _: &Site, address: &Address, receipt: &Receipt) -> Result<(), Failure> {
        self.call(&loft(address)?, |world| {
            let number: usize = receipt.id.parse().unwrap_or(usize::MAX);
            if let Some(post) = world.posts.get_mut(number) {
                post.deleted = true;
            }
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl Find for Pigeon {
    async fn find(&self, _: &Site, outgoing: &Outgoing) -> Result<Found, Failure> {
        let key = format!("{}-{}", outgoing.copy, outgoing.number);
        let mut world = self.world();
        if world.blind > 0 {
            world.blind -= 1;
            return Err(Failure::new(Cause::Unavailable, "the loft is dark"));
        }
        let found = world.posts.iter().position(|post| post.key == key);
        Ok(found.map_or(Found::Absent, |number| Found::Posted(Receipt::new(number.to_string()))))
    }
}

#[async_trait]
impl Direct for Pigeon {
    async fn direct(&self, _: &Site, account: &Account) -> Result<Address, Failure> {
        Ok(address(&format!("to-{}", account.id)))
    }
}
