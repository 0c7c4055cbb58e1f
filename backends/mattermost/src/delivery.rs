//! Posting, editing, deleting and finding posts, and writing to people.

use chatport_sdk::prelude::*;

use crate::{
    MattermostBackend, address,
    api::{Client, NewPost, PER_PAGE, Patch, Post},
    card::{COPY, Card, copy_id},
    descriptor::RATE,
    errors::{DELETED_MEANWHILE, EDIT_TIME_OVER, NO_PERMISSION},
    render,
};

/// How long the server surely remembers the id of a creation (it keeps it for 30 s).
const REPEATABLE: std::time::Duration = std::time::Duration::from_secs(25);
/// How far the server's clock may be from ours when a post is looked for.
const CLOCKS_APART: std::time::Duration = std::time::Duration::from_secs(120);
/// How many pages are looked through for a post.
const MAX_PAGES: usize = 50;

#[async_trait]
impl Delivery for MattermostBackend {
    fn render(&self, request: &RenderRequest<'_>) -> Rendering {
        render::render(request)
    }

    fn stream(&self, address: &Address) -> Result<StreamKey, Failure> {
        Ok(StreamKey { key: address::channel_at(address)?, rate: RATE })
    }

    async fn post(&self, site: &Site, outgoing: &Outgoing) -> Result<Receipt, Failure> {
        let channel = address::channel_at(&outgoing.address)?;
        let card = Card::of(&outgoing.part)?;
        let bot = bot_of(site)?;
        let client = Client::bot(site)?;
        if let Some(root) = &outgoing.reply_to {
            address::post_of(root)?;
        }
        let post = NewPost {
            channel_id: &channel,
            message: &card.message,
            props: card.props(outgoing, site.ingress_url()),
            pending_post_id: format!("{bot}:{}", copy_id(outgoing)),
            root_id: outgoing.reply_to.as_ref().map(address::thread_of),
        };
        let made = match client.create_post(&post).await {
            Err(failure) if failure.cause == Cause::BotNotInChannel => {
                enter(&client, &channel, bot, failure).await?;
                client.create_post(&post).await.map_err(still_refused)?
            }
            made => made?,
        };
        Ok(address::receipt(client.base(), &made.id, &made.root_id))
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

/// The bot's account.
pub(crate) fn bot_of(site: &Site) -> Result<&str, Failure> {
    let identity = site.identity().filter(|identity| address::is_id(&identity.account));
    identity
        .map(|identity| identity.account.as_str())
        .ok_or_else(|| Failure::new(Cause::InstallationRevoked, "setup isn't complete: the bot isn't known"))
}

/// Join a public channel that the bot isn't in; `refused` is what happened without.
async fn enter(client: &Client<'_>, channel: &str, bot: &str, refused: Failure) -> Result<(), Failure> {
    let channel = match client.channel(channel).await {
        Ok(channel) => channel,
        // A private channel, or none: the server doesn't tell.
        Err(failure) if matches!(failure.cause, Cause::PermissionDenied) => return Err(refused),
        Err(failure) => return Err(failure),
    };
    if channel.delete_at > 0 {
        return Err(Failure::new(Cause::ChannelArchived, "the channel is archived").scope(Scope::Conversation));
    }
    if channel.kind != "O" {
        return Err(refused);
    }
    match client.join(&channel.id, bot).await {
        Err(failure) if matches!(failure.cause, Cause::PermissionDenied | Cause::ChannelNotFound) => Err(refused),
        joined => joined,
    }
}

/// A member that is refused lacks a right.
fn still_refused(mut failure: Failure) -> Failure {
    if failure.cause == Cause::BotNotInChannel {
        failure.cause = Cause::PermissionDenied;
    }
    failure
}

/// Whether a post is there. One that was deleted, or isn't known, isn't.
async fn is_there(client: &Client<'_>, post: &str) -> Result<bool, Failure> {
    match client.post(post).await {
        Ok(post) => Ok(post.delete_at == 0),
        Err(failure) if failure.cause == Cause::ChannelNotFound => Ok(false),
        Err(mut failure) if failure.cause == Cause::PermissionDenied => {
            failure.cause = Cause::BotNotInChannel;
            Err(failure.scope(Scope::Conversation))
        }
        Err(failure) => Err(failure),
    }
}

#[async_trait]
impl Edit for MattermostBackend {
    /// Only the properties are sent: they are replaced as a whole, and a patch without a
    /// message isn't an edit to which the server's time limit applies.
    async fn edit(&self, site: &Site, outgoing: &Outgoing, receipt: &Receipt) -> Result<Edited, Failure> {
        let channel = address::channel_at(&outgoing.address)?;
        let post = address::post_of(receipt)?;
        let card = Card::of(&outgoing.part)?;
        let patch = Patch { props: card.props(outgoing, site.ingress_url()) };
        let client = Client::bot(site)?;
        let refused = match client.patch_post(post, &patch).await {
            Ok(_) => return Ok(Edited::Done(receipt.clone())),
            Err(failure) => failure,
        };
        match refused.error_id.as_deref() {
            Some(EDIT_TIME_OVER) => return Ok(Edited::TooOld),
            Some(DELETED_MEANWHILE) => return Ok(Edited::Gone),
            Some(NO_PERMISSION) => {}
            _ if refused.cause == Cause::ChannelNotFound => return Ok(Edited::Gone),
            _ => return Err(refused),
        }
        // "No permission" is said of posts that are gone as well as of channels that the bot
        // has been taken out of.
        if !is_there(&client, post).await? {
            return Ok(Edited::Gone);
        }
        enter(&client, &channel, bot_of(site)?, refused).await?;
        client.patch_post(post, &patch).await?;
        Ok(Edited::Done(receipt.clone()))
    }
}

#[async_trait]
impl Delete for MattermostBackend {
    async fn delete(&self, site: &Site, _address: &Address, receipt: &Receipt) -> Result<(), Failure> {
        let post = address::post_of(receipt)?;
        let client = Client::bot(site)?;
        match client.delete_post(post).await {
            Err(failure) if failure.cause == Cause::ChannelNotFound => Ok(()),
            Err(failure) if failure.cause == Cause::PermissionDenied => {
                if is_there(&client, post).await? {
                    Err(failure)
                } else {
                    Ok(())
                }
            }
            done => done,
        }
    }
}

#[async_trait]
impl Find for MattermostBackend {
    async fn find(&self, site: &Site, outgoing: &Outgoing) -> Result<Found, Failure> {
        let Some(first_tried) = outgoing.first_tried else { return Ok(Found::Unknowable) };
        if site.now().since(first_tried) <= REPEATABLE {
            return Ok(Found::SafeToRepeat);
        }
        let channel = address::channel_at(&outgoing.address)?;
        let bot = bot_of(site)?;
        let client = Client::bot(site)?;
        let (since, copy) = (first_tried.minus(CLOCKS_APART).as_millis(), copy_id(outgoing));
        let is_it = |post: &&Post| post.user_id == bot && post.delete_at == 0 && post.props[COPY] == copy.as_str();
        for number in 0..MAX_PAGES {
            let page = client.posts(&channel, number).await?;
            // New posts may shift the pages, but only so that a post is seen twice.
            if let Some(post) = page.posts.values().find(is_it) {
                return Ok(Found::Posted(address::receipt(client.base(), &post.id, &post.root_id)));
            }
            let listed = page.order.iter().filter_map(|id| page.posts.get(id));
            let oldest = listed.map(|post| post.create_at).min();
            if page.order.len() < PER_PAGE || oldest.is_some_and(|oldest| oldest < since) {
                return Ok(Found::Absent);
            }
        }
        Ok(Found::Unknowable)
    }
}

#[async_trait]
impl Direct for MattermostBackend {
    async fn direct(&self, site: &Site, account: &Account) -> Result<Address, Failure> {
        if !address::is_id(&account.id) {
            return Err(Failure::new(Cause::RecipientUnreachable, "the account isn't one of Mattermost"));
        }
        let bot = bot_of(site)?;
        let client = Client::bot(site)?;
        // The server opens a conversation with a closed account, too.
        if client.user(&account.id).await?.delete_at > 0 {
            return Err(Failure::new(Cause::RecipientDeactivated, "the account is deactivated"));
        }
        Ok(address::of_channel(&client.direct(bot, &account.id).await?.id))
    }
}
