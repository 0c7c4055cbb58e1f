//! Chats and people, in Telegram's words and in ours.

use chatport_sdk::prelude::*;
use serde::Deserialize;

use crate::{
    address::{self, Spot},
    api::User,
};

/// A chat: with a person, a group, a channel. <https://core.telegram.org/bots/api#chat>
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Chat {
    pub(crate) id: i64,
    #[serde(rename = "type")]
    kind: String,
    title: String,
    pub(crate) username: String,
}

impl Chat {
    /// Whether its id is one.
    pub(crate) fn is_known(&self) -> bool {
        address::is_id(self.id) && self.is_private() == (self.id > 0)
    }

    /// Whether only one person reads there.
    pub(crate) fn is_private(&self) -> bool {
        self.kind == "private"
    }

    /// The chat as the host's conversation; `thread` is a topic of it.
    pub(crate) fn conversation(&self, thread: Option<i64>) -> Conversation {
        let spot = Spot::new(self.id, thread);
        let kind = match self.kind.as_str() {
            "private" => ConversationKind::Direct,
            "channel" => ConversationKind::Channel,
            _ => ConversationKind::Group,
        };
        Conversation {
            id: spot.key(),
            address: spot.address(),
            kind,
            name: self.username.clone(),
            display_name: self.title.clone(),
            team: String::new(),
        }
    }

    /// The chat as the one who wrote: admins can write in a group's name, and posts of a channel
    /// are the channel's.
    pub(crate) fn account(&self) -> Account {
        let mut account = Account::new(self.id.to_string());
        account.username.clone_from(&self.username);
        account.display_name.clone_from(&self.title);
        account
    }
}

/// A person as the host's account. The chat with a person has the person's id; it exists once the
/// person has begun it.
pub(crate) fn account(user: &User) -> Account {
    let mut account = Account::new(user.id.to_string());
    account.username.clone_from(&user.username);
    account.display_name = user.name();
    account
}
