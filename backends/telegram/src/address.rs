//! The backend's own forms of what the host keeps without reading it: addresses of chats and
//! handles of messages.

use chatport_sdk::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The version of both forms.
const VERSION: u32 = 1;
/// What stands before the bare number in the id of a supergroup or channel.
const LARGE: &str = "-100";
/// Ids have at most 52 significant bits. <https://core.telegram.org/bots/api#chat>
const MAX_ID: u64 = 1 << 52;

/// Where messages go: a chat, and in a forum one of its topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spot {
    v: u32,
    /// People have positive ids, groups and channels negative ones.
    pub(crate) chat: i64,
    /// The topic of a forum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) thread: Option<i64>,
}

impl Spot {
    pub(crate) fn new(chat: i64, thread: Option<i64>) -> Self {
        Self { v: VERSION, chat, thread }
    }

    /// The place of an address.
    ///
    /// # Errors
    /// An address that isn't ours.
    pub(crate) fn of(address: &Address) -> Result<Self, Failure> {
        match address.read::<Self>() {
            Ok(spot) if spot.v == VERSION && is_id(spot.chat) && spot.thread.is_none_or(|thread| thread > 0) => {
                Ok(spot)
            }
            _ => Err(Failure::new(Cause::ChannelNotFound, "the address isn't one of a Telegram chat")),
        }
    }

    /// It as an address.
    pub(crate) fn address(self) -> Address {
        Address(json!(self))
    }

    /// The key of the conversation. The topics of a group share it, for they share its rate and
    /// its fate.
    pub(crate) fn key(self) -> String {
        self.chat.to_string()
    }

    /// Whether only one person reads there.
    pub(crate) fn is_private(self) -> bool {
        self.chat > 0
    }
}

/// Whether a number can be the id of a chat.
pub(crate) fn is_id(chat: i64) -> bool {
    chat != 0 && chat.unsigned_abs() <= MAX_ID
}

/// What is needed of a message besides its id.
#[derive(Serialize, Deserialize)]
struct Handle {
    v: u32,
    chat: i64,
    /// The press that told of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    press: Option<String>,
}

/// The receipt of a message. `name`: the public name of its chat, if it has one.
pub(crate) fn receipt(spot: Spot, message: i64, name: &str) -> Receipt {
    let mut receipt = Receipt::new(message.to_string());
    receipt.permalink = permalink(spot, message, name);
    receipt.handle = json!(Handle { v: VERSION, chat: spot.chat, press: None });
    receipt
}

/// The receipt of a message whose button was pressed.
pub(crate) fn pressed(chat: i64, message: i64, press: String) -> Receipt {
    let mut receipt = receipt(Spot::new(chat, None), message, "");
    receipt.handle = json!(Handle { v: VERSION, chat, press: Some(press) });
    receipt
}

/// The press that told of a message.
pub(crate) fn press_of(receipt: &Receipt) -> Option<String> {
    Handle::deserialize(&receipt.handle).ok()?.press
}

/// The id of a receipt's message, if the message is in this chat: in another one the same id
/// means something else.
pub(crate) fn message_in(chat: i64, receipt: &Receipt) -> Option<i64> {
    let elsewhere = Handle::deserialize(&receipt.handle).is_ok_and(|handle| handle.chat != chat);
    receipt.id.parse().ok().filter(|id| *id > 0 && !elsewhere)
}

/// Where people can look at a message; only large groups and channels have such addresses.
/// <https://core.telegram.org/api/links#message-links>
fn permalink(spot: Spot, message: i64, name: &str) -> Option<Url> {
    let chat = spot.chat.to_string();
    let place = match name {
        "" => format!("c/{}", chat.strip_prefix(LARGE)?),
        name if !spot.is_private() => name.to_owned(),
        _ => return None,
    };
    let thread = spot.thread.map(|thread| format!("/{thread}")).unwrap_or_default();
    Url::parse(&format!("https://t.me/{place}{thread}/{message}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_chat_and_topic() {
        for spot in [Spot::new(7, None), Spot::new(-1_001_234, Some(5))] {
            assert_eq!(Spot::of(&spot.address()), Ok(spot));
        }
        for wrong in
            [json!({}), json!({ "v": 2, "chat": 7 }), json!({ "v": 1, "chat": 0 }), json!({ "v": 1, "chat": "7" })]
        {
            assert!(Spot::of(&Address(wrong)).is_err());
        }
    }

    #[test]
    fn large_groups_and_channels_have_links_to_messages() {
        let link = |chat, thread, name| permalink(Spot::new(chat, thread), 9, name).map(|url| url.to_string());
        assert_eq!(link(-1_001_234, None, "").as_deref(), Some("https://t.me/c/1234/9"));
        assert_eq!(link(-1_001_234, Some(5), "").as_deref(), Some("https://t.me/c/1234/5/9"));
        assert_eq!(link(-1_001_234, None, "news").as_deref(), Some("https://t.me/news/9"));
        assert_eq!((link(-1_234, None, ""), link(7, None, "ada")), (None, None));
    }

    #[test]
    fn an_id_counts_in_its_own_chat_alone() {
        let receipt = receipt(Spot::new(-7, None), 9, "");
        assert_eq!((message_in(-7, &receipt), message_in(-8, &receipt)), (Some(9), None));
    }
}
