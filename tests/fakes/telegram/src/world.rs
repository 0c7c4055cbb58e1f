//! All that is there: bots, people, chats, messages.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::{
    handle::{FaultRule, Logged},
    limits::Limits,
    model::{Bot, Chat, ChatKind, Message, Standing, User},
    options::Options,
    people::Answered,
    reply::Refusal,
    updates::Queue,
};

/// What the tasks share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: Options,
    world: Mutex<World>,
    /// Something has changed.
    pub(crate) changed: Notify,
}

impl Shared {
    pub(crate) fn new(options: Options) -> Self {
        Self { options, world: Mutex::default(), changed: Notify::new() }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A press that is being answered.
#[derive(Debug)]
pub(crate) struct Press {
    pub(crate) bot: i64,
    pub(crate) at: Instant,
    pub(crate) answer: Option<Answered>,
}

#[derive(Debug, Default)]
pub(crate) struct World {
    /// By token.
    pub(crate) bots: BTreeMap<String, Bot>,
    pub(crate) users: BTreeMap<i64, User>,
    pub(crate) chats: BTreeMap<i64, Chat>,
    pub(crate) messages: Vec<Message>,
    pub(crate) presses: BTreeMap<String, Press>,
    pub(crate) limits: Limits,
    pub(crate) faults: Vec<FaultRule>,
    pub(crate) log: Vec<Logged>,
    next: i64,
}

/// Seconds since 1970.
#[allow(clippy::disallowed_methods, reason = "this is the clock")]
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or_default()
}

impl World {
    /// A number that nothing else has.
    pub(crate) fn number(&mut self) -> i64 {
        self.next += 1;
        self.next
    }

    pub(crate) fn add_bot(&mut self, name: &str) -> String {
        let id = 7_000_000_000 + self.number();
        let token = format!("{id}:AAF{}{id}", "x1-Yz_".repeat(4));
        let username = format!("{}_bot", name.to_lowercase());
        let bot = Bot {
            id,
            name: name.to_owned(),
            username,
            started: Default::default(),
            blocked: Default::default(),
            commands: BTreeMap::new(),
            queue: Queue::starting_at(100_000 + id % 1_000),
        };
        self.bots.insert(token.clone(), bot);
        token
    }

    pub(crate) fn add_user(&mut self, name: &str) -> i64 {
        let id = 500_000 + 10 * self.number();
        self.users.insert(id, User { id, first_name: name.to_owned(), username: name.to_lowercase() });
        id
    }

    pub(crate) fn add_chat(&mut self, kind: ChatKind, title: &str) -> i64 {
        let number = self.number();
        let id = match kind {
            ChatKind::Group => -(4_000_000 + number),
            _ => -(1_001_000_000_000 + number),
        };
        let chat = Chat {
            id,
            kind,
            title: title.to_owned(),
            username: String::new(),
            topics: BTreeMap::new(),
            muted: false,
            moved_to: None,
            bots: BTreeMap::new(),
        };
        self.chats.insert(id, chat);
        id
    }

    pub(crate) fn bot_of(&self, id: i64) -> &Bot {
        self.bots.values().find(|bot| bot.id == id).expect("a bot of this id")
    }

    pub(crate) fn user(&self, name: &str) -> User {
        let found = self.users.values().find(|user| user.first_name == name);
        found.unwrap_or_else(|| panic!("nobody is called {name}")).clone()
    }

    pub(crate) fn message(&self, chat: i64, id: i64) -> Option<&Message> {
        self.messages.iter().find(|message| message.chat == chat && message.id == id && !message.deleted)
    }

    pub(crate) fn message_mut(&mut self, chat: i64, id: i64) -> Option<&mut Message> {
        self.messages.iter_mut().find(|message| message.chat == chat && message.id == id && !message.deleted)
    }

    pub(crate) fn store(&mut self, mut message: Message) -> Message {
        message.id = self.number();
        message.date = now();
        self.messages.push(message.clone());
        message
    }

    /// The chat in which a bot wants to do something, if it may.
    pub(crate) fn reach(&self, token: &str, chat: i64) -> Result<(), Refusal> {
        let bot = &self.bots[token];
        if chat > 0 {
            return match self.users.get(&chat) {
                _ if bot.blocked.contains(&chat) => Err(Refusal::forbidden("bot was blocked by the user")),
                Some(_) if bot.started.contains(&chat) => Ok(()),
                Some(_) => Err(Refusal::forbidden("bot can't initiate conversation with a user")),
                None => Err(Refusal::bad("chat not found")),
            };
        }
        let Some(found) = self.chats.get(&chat) else { return Err(Refusal::bad("chat not found")) };
        if let Some(to) = found.moved_to {
            return Err(Refusal::migrated(to));
        }
        let kind = found.kind.name();
        match found.bots.get(&bot.id) {
            Some(Standing::Admin) => Ok(()),
            Some(Standing::Member) if found.kind == ChatKind::Channel => {
                Err(Refusal::bad("need administrator rights in the channel chat"))
            }
            Some(Standing::Member) if found.muted => {
                Err(Refusal::bad("not enough rights to send text messages to the chat"))
            }
            Some(Standing::Member) => Ok(()),
            Some(Standing::Kicked) => Err(Refusal::forbidden(format!("bot was kicked from the {kind} chat"))),
            Some(Standing::Left) => Err(Refusal::forbidden(format!("bot is not a member of the {kind} chat"))),
            None => Err(Refusal::bad("chat not found")),
        }
    }

    pub(crate) fn chat_shown(&self, chat: i64) -> Value {
        match (self.chats.get(&chat), self.users.get(&chat)) {
            (Some(chat), _) => chat.shown(),
            (None, Some(user)) => {
                json!({ "id": chat, "type": "private", "first_name": user.first_name, "username": user.username })
            }
            (None, None) => json!({ "id": chat, "type": "private" }),
        }
    }

    /// A message as methods and updates show it.
    pub(crate) fn shown(&self, message: &Message) -> Value {
        let mut shown = self.without_reply(message);
        let root = message.reply_to.and_then(|id| self.message(message.chat, id));
        if let Some(root) = root {
            shown["reply_to_message"] = self.without_reply(root);
        }
        shown
    }

    fn without_reply(&self, message: &Message) -> Value {
        let chat = self.chat_shown(message.chat);
        let mut shown = json!({ "message_id": message.id, "date": message.date, "chat": chat, "text": message.text });
        match (self.users.get(&message.from), self.bots.values().find(|bot| bot.id == message.from)) {
            (Some(user), _) => shown["from"] = user.shown(),
            (_, Some(bot)) if chat_kind(&chat) != "channel" => shown["from"] = bot.shown(),
            _ => shown["sender_chat"] = chat,
        }
        if let Some(thread) = message.thread {
            shown["message_thread_id"] = thread.into();
            shown["is_topic_message"] = true.into();
        }
        if !message.entities.is_empty() {
            shown["entities"] = message.entities.iter().map(crate::html::Entity::shown).collect();
        }
        if let Some(markup) = &message.markup {
            shown["reply_markup"] = markup.clone();
        }
        if message.edits > 0 {
            shown["edit_date"] = now().into();
        }
        shown
    }
}

fn chat_kind(chat: &Value) -> &str {
    chat["type"].as_str().unwrap_or_default()
}
