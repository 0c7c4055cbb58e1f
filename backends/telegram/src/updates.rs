//! An update, and what has happened by it. Telegram's `from` proves who did something; all texts,
//! and what a button carried, are whatever somebody sent. An update is one happening at most, under
//! the update's id, by which one that comes again is known.

use chatport_sdk::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    address::{self, Spot},
    api::{self, User},
    chat::{self, Chat},
    details::Details,
    typed,
};

/// The kinds of update that are asked for.
pub(crate) const WANTED: [&str; 4] = ["message", "channel_post", "callback_query", "my_chat_member"];
/// Longest token of a button.
const MAX_DATA: usize = 64;

/// <https://core.telegram.org/bots/api#update>
#[derive(Debug, Deserialize)]
pub(crate) struct Update {
    update_id: i64,
    message: Option<Message>,
    channel_post: Option<Message>,
    callback_query: Option<CallbackQuery>,
    my_chat_member: Option<MemberChanged>,
}

/// <https://core.telegram.org/bots/api#message>
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Message {
    message_id: i64,
    date: i64,
    chat: Chat,
    from: Option<User>,
    /// Who wrote, where that isn't a person.
    sender_chat: Option<Chat>,
    text: String,
    /// The text of a picture or a file.
    caption: String,
    message_thread_id: Option<i64>,
    is_topic_message: bool,
    is_automatic_forward: bool,
    reply_to_message: Option<Box<Message>>,
    migrate_to_chat_id: Option<i64>,
    migrate_from_chat_id: Option<i64>,
}

/// <https://core.telegram.org/bots/api#callbackquery>
#[derive(Debug, Deserialize)]
struct CallbackQuery {
    id: String,
    from: User,
    message: Option<Message>,
    #[serde(default)]
    data: String,
}

/// <https://core.telegram.org/bots/api#chatmemberupdated>
#[derive(Debug, Deserialize)]
struct MemberChanged {
    chat: Chat,
    #[serde(default)]
    date: i64,
    new_chat_member: Member,
}

#[derive(Debug, Deserialize)]
struct Member {
    status: String,
    /// Who is restricted may have left, too.
    is_member: Option<bool>,
}

impl Update {
    /// What has happened by an update, if it can be understood and is anything.
    pub(crate) fn happening(written: Value, site: &Site) -> Option<Happening> {
        api::read::<Self>(written).ok()?.understood(site)
    }

    fn understood(self, site: &Site) -> Option<Happening> {
        let bot = Details::of(site)?;
        let id = self.update_id.to_string();
        let (date, kind) = match self {
            Self { message: Some(message), .. } => (message.date, message.kind(&bot)?),
            Self { channel_post: Some(post), .. } => (post.date, post.kind(&bot)?),
            Self { callback_query: Some(query), .. } => (0, query.kind()?),
            Self { my_chat_member: Some(change), .. } => (change.date, change.kind()?),
            _ => return None,
        };
        let mut happening = Happening::new(id, kind);
        happening.at = (date > 0).then(|| Timestamp::from_seconds(date));
        Some(happening)
    }
}

impl Message {
    /// The topic in which it stands. Replies in other groups have such a number too.
    fn thread(&self) -> Option<i64> {
        self.message_thread_id.filter(|thread| self.is_topic_message && *thread > 0)
    }

    /// Who wrote it. Other bots are not listened to.
    fn account(&self) -> Option<Account> {
        match (&self.sender_chat, &self.from) {
            (Some(chat), _) if chat.is_known() => Some(chat.account()),
            (None, Some(user)) if !user.is_bot && user.id > 0 => {
                let mut account = chat::account(user);
                account.direct = self.chat.is_private().then(|| Spot::new(user.id, None).address());
                Some(account)
            }
            _ => None,
        }
    }

    fn kind(mut self, bot: &Details) -> Option<HappeningKind> {
        if self.text.is_empty() {
            self.text = std::mem::take(&mut self.caption);
        }
        if !self.chat.is_known() {
            return None;
        }
        if let Some(moved) = self.moved() {
            return Some(moved);
        }
        // What a channel posts comes again in the group where it is discussed.
        if self.text.is_empty() || self.is_automatic_forward {
            return None;
        }
        let account = self.account()?;
        match typed::command(&self.text, &bot.username) {
            Some(command) => self.command(account, command.name, command.text),
            None if self.text.starts_with('/') => None,
            None => match typed::bare_code(&self.text) {
                Some(code) => Some(self.code(account, code)),
                None => self.words(account, bot),
            },
        }
    }

    /// A group that became a supergroup: both say so, in a message of their own.
    fn moved(&self) -> Option<HappeningKind> {
        let (from, to) = match (self.migrate_to_chat_id, self.migrate_from_chat_id) {
            (Some(to), _) => (self.chat.id, to),
            (None, Some(from)) => (from, self.chat.id),
            (None, None) => return None,
        };
        let spots = [from, to].iter().all(|chat| address::is_id(*chat) && *chat < 0);
        let mut chat = self.chat.clone();
        chat.id = to;
        let to = chat.conversation(None);
        spots.then(|| HappeningKind::ConversationMoved { from: Spot::new(from, None).key(), to })
    }

    fn command(&self, account: Account, name: String, text: &str) -> Option<HappeningKind> {
        match name.as_str() {
            "start" | "link" if !text.is_empty() => Some(self.code(account, Secret::new(text))),
            "unlink" => Some(HappeningKind::UnlinkAsked { account }),
            "start" | "link" | "help" => {
                let (text, conversation) = ("help".to_owned(), self.conversation());
                self.chat.is_private().then_some(HappeningKind::Commanded { text, account, conversation })
            }
            _ => {
                let (text, conversation) = (text.to_owned(), self.conversation());
                Some(HappeningKind::CommandUsed { name, text, account, conversation })
            }
        }
    }

    fn code(&self, account: Account, code: Secret) -> HappeningKind {
        let place = if self.chat.is_private() {
            Place::Direct { address: Some(Spot::new(self.chat.id, None).address()) }
        } else {
            Place::Posted { conversation: self.conversation() }
        };
        HappeningKind::CodeEntered { code, account, place }
    }

    /// Neither a command nor a code: a reply to one of ours, or something said to the bot.
    fn words(self, account: Account, bot: &Details) -> Option<HappeningKind> {
        let is_ours = |root: &&Message| root.from.as_ref().is_some_and(|from| from.id == bot.bot);
        if let Some(root) = self.reply_to_message.as_deref().filter(is_ours) {
            let part = address::receipt(Spot::new(self.chat.id, None), root.message_id, &self.chat.username);
            let conversation = Spot::new(self.chat.id, None).key();
            return Some(HappeningKind::Replied { part, conversation, account, text: self.text });
        }
        let conversation = self.conversation();
        self.chat.is_private().then_some(HappeningKind::Commanded { text: self.text, account, conversation })
    }

    fn conversation(&self) -> Conversation {
        self.chat.conversation(self.thread())
    }
}

impl CallbackQuery {
    fn kind(self) -> Option<HappeningKind> {
        // A message that can't be reached any more still tells its chat and its id.
        let message = self.message.filter(|message| message.chat.is_known() && message.message_id > 0)?;
        if self.data.is_empty() || self.data.len() > MAX_DATA || self.id.is_empty() || self.from.id <= 0 {
            return None;
        }
        let chat = message.chat.id;
        Some(HappeningKind::Pressed {
            token: Secret::new(self.data),
            choice: None,
            account: chat::account(&self.from),
            conversation: Spot::new(chat, None).key(),
            part: address::pressed(chat, message.message_id, self.id),
        })
    }
}

impl MemberChanged {
    /// The bot was taken out, or a person has blocked it.
    fn kind(self) -> Option<HappeningKind> {
        let Member { status, is_member } = self.new_chat_member;
        let is_out = match status.as_str() {
            "left" | "kicked" => true,
            "restricted" => is_member == Some(false),
            _ => false,
        };
        let conversation = Spot::new(self.chat.id, None).key();
        (is_out && self.chat.is_known()).then_some(HappeningKind::ConversationLost { conversation })
    }
}
