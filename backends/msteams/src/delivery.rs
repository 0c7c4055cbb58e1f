//! Posting, editing and deleting posts, and writing to people. Bots can't read what stands in a
//! conversation, so nothing is looked for: after a lost answer the message's policy decides.

use chatport_sdk::prelude::*;
use serde_json::{Value, json};

use crate::{
    TeamsBackend,
    address::{self, Described, Kind, Reference},
    card::Card,
    connector::Connector,
    details::Details,
    errors::Operation,
    render,
    settings::{ServiceUrl, Settings},
};

#[async_trait]
impl Delivery for TeamsBackend {
    fn render(&self, request: &RenderRequest<'_>) -> Rendering {
        render::render(request)
    }

    fn stream(&self, address: &Address) -> Result<StreamKey, Failure> {
        Ok(Reference::of(address)?.stream())
    }

    async fn post(&self, site: &Site, outgoing: &Outgoing) -> Result<Receipt, Failure> {
        let reference = Reference::of(&outgoing.address)?;
        let message = Card::of(&outgoing.part)?.message(outgoing);
        let service = self.service(site, &reference)?;
        let below = outgoing.reply_to.as_ref().map(|root| address::post_of(root, &reference)).transpose()?;
        let connector = Connector::new(site, &service)?;
        match below {
            Some((root, thread)) => {
                let post = connector.post(&thread, Some(&root), &message).await?;
                Ok(address::receipt(&post, &thread))
            }
            None if reference.kind == Kind::Channel => start_thread(&connector, &reference, message).await,
            None => {
                let posted = connector.post(&reference.conversation, None, &message).await;
                let post = posted.map_err(|failure| of_person(failure, &reference))?;
                Ok(address::receipt(&post, &reference.conversation))
            }
        }
    }

    fn edit(&self) -> Option<&dyn Edit> {
        Some(self)
    }

    fn delete(&self) -> Option<&dyn Delete> {
        Some(self)
    }

    fn direct(&self) -> Option<&dyn Direct> {
        Some(self)
    }
}

impl TeamsBackend {
    /// Where a conversation is served. What was posted long ago is kept with the address of that
    /// time: where this process has heard from the conversation since, that counts.
    fn service(&self, site: &Site, reference: &Reference) -> Result<ServiceUrl, Failure> {
        let settings = Settings::in_use(site)?;
        let heard = self.heard.service(site, &reference.conversation);
        match heard.and_then(|heard| settings.service_url(heard.as_str())) {
            Some(service) => Ok(service),
            None => reference.service(&settings),
        }
    }
}

/// A personal chat that isn't there, or in which the bot isn't, is somebody who can't be written to.
fn of_person(mut failure: Failure, reference: &Reference) -> Failure {
    let is_gone = matches!(failure.cause, Cause::ChannelNotFound | Cause::BotNotInChannel);
    if reference.kind == Kind::Personal && is_gone {
        failure.cause = Cause::RecipientUnreachable;
    }
    failure
}

/// A post in a channel starts a thread, which is a conversation of its own.
async fn start_thread(connector: &Connector<'_>, reference: &Reference, message: Value) -> Result<Receipt, Failure> {
    let thread = json!({
        "isGroup": true,
        "bot": { "id": reference.bot },
        "tenantId": reference.tenant,
        "channelData": { "channel": { "id": reference.conversation }, "tenant": { "id": reference.tenant } },
        "activity": message,
    });
    let (thread, post) = connector.start(Operation::Create, &thread).await?;
    let (channel, root) = address::split(&thread);
    // The thread is named after the post that starts it.
    match root.map(str::to_owned).or(post) {
        Some(post) if channel == reference.conversation => {
            Ok(address::receipt(&post, &address::thread_of(reference, &post)))
        }
        _ => Err(Failure::new(Cause::NoAnswer, "the answer names no thread of the channel")),
    }
}

#[async_trait]
impl Edit for TeamsBackend {
    async fn edit(&self, site: &Site, outgoing: &Outgoing, receipt: &Receipt) -> Result<Edited, Failure> {
        let reference = Reference::of(&outgoing.address)?;
        let message = Card::of(&outgoing.part)?.message(outgoing);
        let (post, thread) = address::post_of(receipt, &reference)?;
        let service = self.service(site, &reference)?;
        let connector = Connector::new(site, &service)?;
        match connector.update(&thread, &post, &message).await? {
            Some(_) => Ok(Edited::Done(address::receipt(&post, &thread))),
            None => Ok(Edited::Gone),
        }
    }
}

#[async_trait]
impl Delete for TeamsBackend {
    async fn delete(&self, site: &Site, address: &Address, receipt: &Receipt) -> Result<(), Failure> {
        let reference = Reference::of(address)?;
        let (post, thread) = address::post_of(receipt, &reference)?;
        let service = self.service(site, &reference)?;
        Connector::new(site, &service)?.delete(&thread, &post).await
    }
}

#[async_trait]
impl Direct for TeamsBackend {
    /// Opens the personal chat anew at the service at which the person was last heard: no other
    /// place is known to be theirs.
    async fn direct(&self, site: &Site, account: &Account) -> Result<Address, Failure> {
        let unknown = || {
            let detail = "the person hasn't written to the bot, so where to write to isn't known";
            Failure::new(Cause::RecipientUnreachable, detail).scope(Scope::Conversation)
        };
        let known = Reference::of(account.direct.as_ref().ok_or_else(unknown)?)?;
        let (details, service) = (Details::in_use(site)?, self.service(site, &known)?);
        let chat = json!({
            "isGroup": false,
            "bot": { "id": known.bot },
            "members": [{ "id": account.id }],
            "tenantId": details.tenant_id,
            "channelData": { "tenant": { "id": details.tenant_id } },
        });
        let connector = Connector::new(site, &service)?;
        let (conversation, _) = connector.start(Operation::Open, &chat).await?;
        let described = Described {
            service_url: &service,
            conversation: &conversation,
            kind: Kind::Personal,
            tenant: &details.tenant_id,
            bot: &known.bot,
            user: Some(&account.id),
            team: None,
        };
        Ok(Reference::new(&described).address())
    }
}
