//! People, chats and messages.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::html::Entity;

/// A person.
#[derive(Clone, Debug)]
pub struct User {
    pub id: i64,
    pub first_name: String,
    pub username: String,
}

impl User {
    pub(crate) fn shown(&self) -> Value {
        json!({ "id": self.id, "is_bot": false, "first_name": self.first_name, "username": self.username })
    }
}

/// What sort of chat it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChatKind {
    /// Between a person and a bot.
    Private,
    /// A small group.
    Group,
    /// A large group.
    Supergroup,
    /// Where admins alone write.
    Channel,
}

impl ChatKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Group => "group",
            Self::Supergroup => "supergroup",
            Self::Channel => "channel",
        }
    }
}

/// How a bot stands in a group or channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Member,
    Admin,
    Left,
    Kicked,
}

impl Standing {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "administrator",
            Self::Left => "left",
            Self::Kicked => "kicked",
        }
    }

    pub(crate) fn is_in(self) -> bool {
        matches!(self, Self::Member | Self::Admin)
    }
}

/// A group or channel.
#[derive(Clone, Debug)]
pub struct Chat {
    pub id: i64,
    pub kind: ChatKind,
    pub title: String,
    pub username: String,
    /// The topics of a forum, and whether each is open; none: it is no forum.
    pub topics: BTreeMap<i64, bool>,
    /// Whether members may write.
    pub muted: bool,
    pub(crate) moved_to: Option<i64>,
    pub(crate) bots: BTreeMap<i64, Standing>,
}

impl Chat {
    pub(crate) fn shown(&self) -> Value {
        let mut chat = json!({ "id": self.id, "type": self.kind.name(), "title": self.title });
        if !self.username.is_empty() {
            chat["username"] = self.username.as_str().into();
        }
        if !self.topics.is_empty() {
            chat["is_forum"] = true.into();
        }
        chat
    }
}

/// A message, by a bot or by a person.
#[derive(Clone, Debug)]
pub struct Message {
    pub id: i64,
    pub chat: i64,
    /// The topic in which it stands.
    pub thread: Option<i64>,
    /// The id of the bot or person; 0: the channel.
    pub from: i64,
    pub date: i64,
    pub text: String,
    pub entities: Vec<Entity>,
    pub reply_to: Option<i64>,
    /// The inline keyboard.
    pub markup: Option<Value>,
    pub silent: bool,
    pub edits: usize,
    /// The address whose preview is shown.
    pub preview: Option<String>,
    pub deleted: bool,
}

impl Message {
    /// The words on the buttons, and what each carries.
    pub fn buttons(&self) -> Vec<(String, String)> {
        let rows = self.markup.as_ref().and_then(|markup| markup["inline_keyboard"].as_array());
        let buttons = rows.into_iter().flatten().flat_map(|row| row.as_array().into_iter().flatten());
        let text = |button: &Value, name: &str| button[name].as_str().unwrap_or_default().to_owned();
        buttons.map(|button| (text(button, "text"), text(button, "callback_data"))).collect()
    }

    /// Where it leads.
    pub fn links(&self) -> Vec<String> {
        self.entities.iter().filter_map(|entity| entity.url.clone()).collect()
    }
}

/// A bot.
#[derive(Debug)]
pub(crate) struct Bot {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) username: String,
    /// Who has started it.
    pub(crate) started: BTreeSet<i64>,
    pub(crate) blocked: BTreeSet<i64>,
    pub(crate) commands: BTreeMap<String, Value>,
    pub(crate) queue: crate::updates::Queue,
}

impl Bot {
    pub(crate) fn shown(&self) -> Value {
        json!({ "id": self.id, "is_bot": true, "first_name": self.name, "username": self.username })
    }
}
