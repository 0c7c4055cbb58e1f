//! Posting, editing and deleting messages, and writing to people. Telegram knows no idempotency
//! key and lets no bot look at a chat, so what was sent without an answer can't be found.

use chatport_sdk::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    TelegramBackend,
    address::{self, Spot},
    api::{Bot, Sent},
    descriptor::{CHAT, GROUP},
    errors::{GONE, NOT_EDITABLE, NOT_MODIFIED, UNREADABLE},
    render::{self, Card},
};

/// Say a text. If the server can't read its markup, it goes out without: the words matter more than their looks.
async fn say<T: DeserializeOwned>(bot: &Bot<'_>, method: &'static str, mut body: Value) -> Result<T, Failure> {
    match bot.call(method, &body).await {
        Err(failure) if failure.error_id.as_deref() == Some(UNREADABLE) => {
            render::without_markup(&mut body);
            bot.call(method, &body).await
        }
        said => said,
    }
}

#[async_trait]
impl Delivery for TelegramBackend {
    fn render(&self, request: &RenderRequest<'_>) -> Rendering {
        render::render(request)
    }

    fn stream(&self, address: &Address) -> Result<StreamKey, Failure> {
        let spot = Spot::of(address)?;
        Ok(StreamKey { key: spot.key(), rate: if spot.is_private() { CHAT } else { GROUP } })
    }

    async fn post(&self, site: &Site, outgoing: &Outgoing) -> Result<Receipt, Failure> {
        let spot = Spot::of(&outgoing.address)?;
        let mut body = Card::of(&outgoing.part)?.body(outgoing);
        body["chat_id"] = spot.chat.into();
        if let Some(thread) = spot.thread {
            body["message_thread_id"] = thread.into();
        }
        if outgoing.urgency == Urgency::Low {
            body["disable_notification"] = true.into();
        }
        if let Some(root) = &outgoing.reply_to {
            let gone = || Failure::new(Cause::ReplyRootMissing, "what is replied to isn't in this chat");
            let message = address::message_in(spot.chat, root).ok_or_else(gone)?;
            body["reply_parameters"] = json!({ "message_id": message });
        }
        let sent: Sent = say(&Bot::of(site)?, "sendMessage", body).await?;
        if sent.message_id <= 0 {
            return Err(Failure::new(Cause::NoAnswer, "the answer names no message"));
        }
        Ok(address::receipt(spot, sent.message_id, &sent.chat.username))
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

#[async_trait]
impl Edit for TelegramBackend {
    async fn edit(&self, site: &Site, outgoing: &Outgoing, receipt: &Receipt) -> Result<Edited, Failure> {
        let spot = Spot::of(&outgoing.address)?;
        let Some(message) = address::message_in(spot.chat, receipt) else { return Ok(Edited::Gone) };
        let mut body = Card::of(&outgoing.part)?.body(outgoing);
        body["chat_id"] = spot.chat.into();
        body["message_id"] = message.into();
        let refused = match say::<Value>(&Bot::of(site)?, "editMessageText", body).await {
            Ok(_) => return Ok(Edited::Done(receipt.clone())),
            Err(failure) => failure,
        };
        match refused.error_id.as_deref() {
            Some(NOT_MODIFIED) => Ok(Edited::Done(receipt.clone())),
            Some(NOT_EDITABLE) => Ok(Edited::TooOld),
            Some(id) if GONE.contains(&id) => Ok(Edited::Gone),
            _ => Err(refused),
        }
    }
}

#[async_trait]
impl Delete for TelegramBackend {
    async fn delete(&self, site: &Site, address: &Address, receipt: &Receipt) -> Result<(), Failure> {
        let spot = Spot::of(address)?;
        let Some(message) = address::message_in(spot.chat, receipt) else { return Ok(()) };
        let body = json!({ "chat_id": spot.chat, "message_id": message });
        match Bot::of(site)?.tell("deleteMessage", &body).await {
            Err(failure) if failure.error_id.as_deref().is_some_and(|id| GONE.contains(&id)) => Ok(()),
            done => done,
        }
    }
}

#[async_trait]
impl Direct for TelegramBackend {
    /// The chat with a person has the person's id.
    async fn direct(&self, _site: &Site, account: &Account) -> Result<Address, Failure> {
        match account.id.parse::<i64>() {
            Ok(id) if id > 0 && address::is_id(id) => Ok(Spot::new(id, None).address()),
            _ => Err(Failure::new(Cause::RecipientUnreachable, "the account isn't a person's on Telegram")),
        }
    }
}
