//! Posting, editing, deleting and finding posts in a world. Nothing here uses the network; a
//! world misbehaves only when it has been asked to.

use chatport_sdk::prelude::*;
use serde::Deserialize;
use serde_json::json;

use crate::{
    SandboxBackend,
    card::Card,
    faults::{Fault, FaultKind, Operation},
    file::FileError,
    render,
    world::{self, BOT, ButtonToken, Delivered, Draft, Post, Refusal, World},
};

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::new(Cause::Unavailable, error.to_string()).scope(Scope::Installation)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let cause = match refusal {
            Refusal::NoPlace(_) => Cause::ChannelNotFound,
            Refusal::NotMember { .. } => Cause::BotNotInChannel,
            Refusal::Archived(_) => Cause::ChannelArchived,
            Refusal::NoPerson(_) => Cause::RecipientUnreachable,
            Refusal::NoPost(_) | Refusal::Deleted(_) => Cause::ReplyRootMissing,
        };
        Self::new(cause, refusal.to_string())
    }
}

/// What an address of ours looks like.
#[derive(Deserialize)]
struct Where {
    v: u32,
    conversation: String,
}

fn place_at(address: &Address) -> Result<String, Failure> {
    match address.read::<Where>() {
        Ok(place) if place.v == 1 => Ok(place.conversation),
        _ => Err(Failure::new(Cause::ChannelNotFound, "the address isn't one of a sandbox")),
    }
}

/// What a receipt's handle looks like: ids are given anew when a world is lost, so the copy
/// tells whether a post is still the one that was meant.
#[derive(Deserialize)]
struct Handle {
    copy: String,
    part: u16,
}

/// The receipt of a post.
pub(crate) fn receipt(post: &Post) -> Receipt {
    let mut receipt = Receipt::new(post.id());
    if let Some(delivered) = &post.delivered {
        receipt.handle = json!({ "copy": delivered.copy, "part": delivered.part });
    }
    receipt
}

/// The post of a receipt, if it is still there.
fn post_of<'a>(world: &'a World, receipt: &Receipt) -> Result<&'a Post, Refusal> {
    let post = world.post(&receipt.id)?;
    let same = |handle: Handle| post.delivered.as_ref().is_some_and(|d| d.copy == handle.copy && d.part == handle.part);
    // A receipt without a handle names a post that somebody else wrote.
    let ours = receipt.handle.is_null() || Handle::deserialize(&receipt.handle).is_ok_and(same);
    if ours { Ok(post) } else { Err(Refusal::NoPost(receipt.id.clone())) }
}

/// What a part shows and carries.
pub(crate) fn shown(outgoing: &Outgoing) -> Result<(Card, Delivered), Failure> {
    let refused = |why: String| Failure::new(Cause::ContentRejected, format!("the part isn't one of a sandbox: {why}"));
    // A list would pass for a card whose fields are all absent.
    if !outgoing.part.payload.text().starts_with('{') {
        return Err(refused("it isn't an object".into()));
    }
    let card: Card = outgoing.part.payload.read().map_err(|error| refused(error.to_string()))?;
    let token = |button: &crate::card::Button| {
        let token = outgoing.token(&button.id)?.clone();
        Some(ButtonToken { action: button.id.clone(), token })
    };
    let tokens = card.buttons.iter().filter_map(token).collect();
    let delivered =
        Delivered { copy: outgoing.copy.clone(), part: outgoing.number, revision: outgoing.revision, tokens };
    Ok((card, delivered))
}

/// The answer after the deed, unless it is to be lost.
fn answer<T>(fault: Option<&Fault>, done: T) -> Result<T, Failure> {
    match fault {
        Some(Fault { kind: FaultKind::LoseAnswer, .. }) => Err(Fault::lost_answer()),
        _ => Ok(done),
    }
}

impl SandboxBackend {
    async fn struck(&self, site: &Site, operation: Operation) -> Result<Option<Fault>, Failure> {
        let fault = self.worlds.take_fault(site, operation)?;
        if let Some(fault) = &fault {
            fault.strike().await?;
        }
        Ok(fault)
    }

    fn take_back(&self, site: &Site, receipt: &Receipt) -> Result<(), Failure> {
        self.worlds.change(site, |world| match post_of(world, receipt).map(Post::id) {
            Ok(id) => Ok(world.delete(&id, site.now())?),
            // Gone already: that is what was wanted.
            Err(_) => Ok(()),
        })
    }
}

fn is_gone(fault: Option<&Fault>) -> bool {
    fault.is_some_and(|fault| fault.kind == FaultKind::Gone)
}

#[async_trait]
impl Delivery for SandboxBackend {
    fn render(&self, request: &RenderRequest<'_>) -> Rendering {
        render::render(request)
    }

    fn stream(&self, address: &Address) -> Result<StreamKey, Failure> {
        Ok(StreamKey { key: place_at(address)?, rate: "conversation" })
    }

    async fn post(&self, site: &Site, outgoing: &Outgoing) -> Result<Receipt, Failure> {
        let place = place_at(&outgoing.address)?;
        let (card, delivered) = shown(outgoing)?;
        let fault = self.struck(site, Operation::Post).await?;
        if is_gone(fault.as_ref()) {
            return Err(Failure::new(
                Cause::ChannelNotFound,
                "the world was asked to say that the conversation is gone",
            ));
        }
        let receipt = self.worlds.change(site, |world| {
            let root = outgoing.reply_to.as_ref().map(|root| post_of(world, root).map(|post| post.number));
            let draft = Draft {
                by: BOT.into(),
                place,
                reply_to: root.transpose()?,
                card,
                delivered: Some(delivered),
                happening: None,
                at: site.now(),
            };
            Ok::<_, Failure>(receipt(&world.write(draft)?))
        })?;
        answer(fault.as_ref(), receipt)
    }

    fn edit(&self) -> Option<&dyn Edit> {
        Some(self)
    }

    fn delete(&self) -> Option<&dyn Delete> {
        Some(self)
    }

    fn find(&self) -> Option<&dyn Find> {
        Some(self)
    }

    fn direct(&self) -> Option<&dyn Direct> {
        Some(self)
    }
}

#[async_trait]
impl Edit for SandboxBackend {
    async fn edit(&self, site: &Site, outgoing: &Outgoing, receipt: &Receipt) -> Result<Edited, Failure> {
        let (card, delivered) = shown(outgoing)?;
        let fault = self.struck(site, Operation::Edit).await?;
        if is_gone(fault.as_ref()) {
            self.take_back(site, receipt)?;
            return Ok(Edited::Gone);
        }
        let edited = self.worlds.change(site, |world| {
            let Ok(id) = post_of(world, receipt).map(Post::id) else { return Ok(Edited::Gone) };
            world.edit(&id, card, delivered, site.now())?;
            Ok::<_, Failure>(Edited::Done(receipt.clone()))
        })?;
        answer(fault.as_ref(), edited)
    }
}

#[async_trait]
impl Delete for SandboxBackend {
    async fn delete(&self, site: &Site, _address: &Address, receipt: &Receipt) -> Result<(), Failure> {
        let fault = self.struck(site, Operation::Delete).await?;
        self.take_back(site, receipt)?;
        answer(fault.as_ref(), ())
    }
}

#[async_trait]
impl Find for SandboxBackend {
    async fn find(&self, site: &Site, outgoing: &Outgoing) -> Result<Found, Failure> {
        let place = place_at(&outgoing.address)?;
        let is_it = |post: &&Post| {
            let same = |d: &Delivered| d.copy == outgoing.copy && d.part == outgoing.number;
            post.deleted_at.is_none() && post.delivered.as_ref().is_some_and(same)
        };
        let found = self.worlds.read(site, |world| world.posts_in(&place).find(is_it).map(receipt))?;
        Ok(found.map_or(Found::Absent, Found::Posted))
    }
}

#[async_trait]
impl Direct for SandboxBackend {
    async fn direct(&self, site: &Site, account: &Account) -> Result<Address, Failure> {
        self.worlds.read(site, |world| {
            let place = world::direct_place(&world.person(&account.id)?.id);
            Ok(world::address_of(&world.place(&place)?.id))
        })?
    }
}
