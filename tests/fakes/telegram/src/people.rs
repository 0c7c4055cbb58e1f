//! What people do, and the updates that bots get of it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    handle::FakeTelegram,
    model::{ChatKind, Message, Standing},
    world::{Press, World, now},
};

/// How a press was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// What is shown; may be empty.
    pub text: String,
    /// Whether it must be closed.
    pub alert: bool,
}

/// What is said of an administrator.
const RIGHTS: [&str; 14] = [
    "can_be_edited",
    "is_anonymous",
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_post_messages",
    "can_send_welcome_messages",
];

/// How long somebody who has pressed looks on.
const PATIENCE: Duration = Duration::from_secs(12);

fn written(chat: i64, from: i64, text: &str) -> Message {
    Message {
        id: 0,
        chat,
        thread: None,
        from,
        date: 0,
        text: text.to_owned(),
        entities: Vec::new(),
        reply_to: None,
        markup: None,
        silent: false,
        edits: 0,
        preview: None,
        deleted: false,
    }
}

impl World {
    fn tell(&mut self, bot: i64, kind: &str, content: Value, lane: i64) {
        if let Some(bot) = self.bots.values_mut().find(|known| known.id == bot) {
            bot.queue.push(kind, content, lane);
        }
    }

    /// Tell the bots of a chat of a message. In groups those that are no admins hear commands and
    /// replies alone.
    fn spread(&mut self, message: &Message) {
        let mut shown = self.shown(message);
        if message.text.starts_with('/') {
            let length = message.text.split_whitespace().next().unwrap_or_default().encode_utf16().count();
            shown["entities"] = json!([{ "type": "bot_command", "offset": 0, "length": length }]);
        }
        let Some(chat) = self.chats.get(&message.chat) else { return };
        let kind = if chat.kind == ChatKind::Channel { "channel_post" } else { "message" };
        let root = message.reply_to.and_then(|id| self.message(message.chat, id)).map(|root| root.from);
        let bots = chat.bots.clone();
        for (bot, standing) in bots {
            let username = self.bot_of(bot).username.clone();
            let word = message.text.split_whitespace().next().unwrap_or_default();
            let to_it = word.split_once('@').is_none_or(|(_, to)| to.eq_ignore_ascii_case(&username));
            let is_command = message.text.starts_with('/') && to_it;
            if standing == Standing::Admin || (standing.is_in() && (is_command || root == Some(bot))) {
                self.tell(bot, kind, shown.clone(), message.chat);
            }
        }
    }

    fn stand(&mut self, bot: i64, chat: i64, by: i64, from: &str, to: &str) {
        let member = |status: &str| {
            let mut member = json!({ "user": self.bot_of(bot).shown(), "status": status });
            match status {
                "kicked" => member["until_date"] = 0.into(),
                "administrator" => RIGHTS.iter().for_each(|right| member[*right] = true.into()),
                _ => {}
            }
            member
        };
        let change = json!({
            "chat": self.chat_shown(chat), "from": self.users[&by].shown(), "date": now(),
            "old_chat_member": member(from), "new_chat_member": member(to),
        });
        self.tell(bot, "my_chat_member", change, chat);
    }
}

impl FakeTelegram {
    fn act<T>(&self, deed: impl FnOnce(&mut World) -> T) -> T {
        let done = deed(&mut self.shared.world());
        self.shared.changed.notify_waiters();
        done
    }

    /// Somebody opens a bot and presses Start, after a link with this payload.
    pub fn start_bot(&self, user: &str, token: &str, payload: &str) {
        self.act(|world| {
            let user = world.user(user).id;
            let bot = world.bots.get_mut(token).expect("a bot");
            bot.started.insert(user);
            bot.blocked.remove(&user);
        });
        self.tell_bot(user, token, format!("/start {payload}").trim());
    }

    /// Somebody writes to a bot.
    pub fn tell_bot(&self, user: &str, token: &str, text: &str) {
        self.act(|world| {
            let user = world.user(user).id;
            let bot = world.bots.get(token).expect("a bot");
            assert!(bot.started.contains(&user), "nobody writes to a bot before starting it");
            let bot = bot.id;
            let message = world.store(written(user, user, text));
            let shown = world.shown(&message);
            world.tell(bot, "message", shown, user);
        });
    }

    /// Somebody blocks a bot.
    pub fn block(&self, user: &str, token: &str) {
        self.act(|world| {
            let user = world.user(user).id;
            let bot = world.bots.get_mut(token).expect("a bot");
            bot.blocked.insert(user);
            let bot = bot.id;
            world.stand(bot, user, user, "member", "kicked");
        });
    }

    /// Somebody adds a bot to a group or channel.
    pub fn add_to(&self, chat: i64, user: &str, token: &str, as_admin: bool) {
        self.act(|world| {
            let (bot, user) = (world.bots[token].id, world.user(user).id);
            let standing = if as_admin { Standing::Admin } else { Standing::Member };
            let chats = &mut world.chats.get_mut(&chat).expect("a chat").bots;
            let before = chats.insert(bot, standing).unwrap_or(Standing::Left);
            world.stand(bot, chat, user, before.name(), standing.name());
        });
    }

    /// Somebody takes a bot out.
    pub fn kick(&self, chat: i64, user: &str, token: &str) {
        self.act(|world| {
            let (bot, user) = (world.bots[token].id, world.user(user).id);
            let chats = &mut world.chats.get_mut(&chat).expect("a chat").bots;
            let before = chats.insert(bot, Standing::Kicked).unwrap_or(Standing::Left);
            world.stand(bot, chat, user, before.name(), Standing::Kicked.name());
        });
    }

    /// Somebody writes in a group; the message's id.
    pub fn say(&self, user: &str, chat: i64, text: &str) -> i64 {
        self.write(user, chat, None, None, text)
    }

    /// Somebody writes in a topic of a forum.
    pub fn say_in(&self, user: &str, chat: i64, topic: i64, text: &str) -> i64 {
        self.write(user, chat, Some(topic), None, text)
    }

    /// Somebody replies to a message.
    pub fn reply(&self, user: &str, chat: i64, to: i64, text: &str) -> i64 {
        self.write(user, chat, None, Some(to), text)
    }

    fn write(&self, user: &str, chat: i64, thread: Option<i64>, reply_to: Option<i64>, text: &str) -> i64 {
        self.act(|world| {
            let user = world.user(user).id;
            let message = world.store(Message { thread, reply_to, ..written(chat, user, text) });
            match chat > 0 {
                false => world.spread(&message),
                true => {
                    let bot = reply_to.and_then(|id| world.message(chat, id)).expect("a message of a bot").from;
                    let shown = world.shown(&message);
                    world.tell(bot, "message", shown, chat);
                }
            }
            message.id
        })
    }

    /// An admin posts in a channel.
    pub fn post_in(&self, channel: i64, text: &str) -> i64 {
        self.act(|world| {
            let message = world.store(written(channel, 0, text));
            world.spread(&message);
            message.id
        })
    }

    /// An admin turns a group into a supergroup; its new id.
    pub fn upgrade(&self, group: i64) -> i64 {
        self.act(|world| {
            let title = world.chats[&group].title.clone();
            let new = world.add_chat(ChatKind::Supergroup, &title);
            let old = world.chats.get_mut(&group).expect("a group");
            old.moved_to = Some(new);
            let bots = old.bots.clone();
            world.chats.get_mut(&new).expect("just made").bots = bots.clone();
            for bot in bots.keys() {
                let mut left = world.store(written(group, 0, ""));
                left.text.clear();
                let (mut gone, mut come) = (world.shown(&left), world.shown(&left));
                gone["migrate_to_chat_id"] = new.into();
                come["chat"] = world.chat_shown(new);
                come["migrate_from_chat_id"] = group.into();
                for (lane, mut message) in [(group, gone), (new, come)] {
                    message.as_object_mut().expect("a message").remove("text");
                    world.tell(*bot, "message", message, lane);
                }
            }
            new
        })
    }

    /// Somebody presses the button with these words; the press's id.
    ///
    /// # Panics
    /// There is no such button.
    pub fn begin_press(&self, user: &str, chat: i64, message: i64, label: &str) -> String {
        let shown = self.message(chat, message).expect("a message that stands");
        let buttons = shown.buttons();
        let (_, data) = buttons.iter().find(|(text, _)| text == label).unwrap_or_else(|| panic!("{buttons:?}"));
        self.begin_forged_press(user, chat, message, data)
    }

    /// Somebody sends what they like, as if a button of the message carried it.
    pub fn begin_forged_press(&self, user: &str, chat: i64, message: i64, data: &str) -> String {
        self.act(|world| {
            let user = world.user(user);
            let shown = world.message(chat, message).expect("a message that stands").clone();
            let id = format!("{}{:09}", user.id, world.number());
            let query = json!({
                "id": id, "from": user.shown(), "message": world.shown(&shown), "chat_instance": chat.to_string(),
                "data": data,
            });
            world.presses.insert(id.clone(), Press { bot: shown.from, at: Instant::now(), answer: None });
            world.tell(shown.from, "callback_query", query, user.id);
            id
        })
    }

    /// How a press was answered, if it was.
    pub fn answered(&self, press: &str) -> Option<Answered> {
        self.shared.world().presses.get(press)?.answer.clone()
    }

    /// Press, and wait for the answer.
    ///
    /// # Panics
    /// None comes.
    pub async fn press(&self, user: &str, chat: i64, message: i64, label: &str) -> Answered {
        let press = self.begin_press(user, chat, message, label);
        self.wait_for(&press).await
    }

    /// Wait for the answer to a press.
    ///
    /// # Panics
    /// None comes.
    pub async fn wait_for(&self, press: &str) -> Answered {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let changed = self.shared.changed.notified();
            if let Some(answered) = self.answered(press) {
                return answered;
            }
            assert!(tokio::time::Instant::now() < deadline, "the press was not answered");
            let _ = tokio::time::timeout(Duration::from_millis(50), changed).await;
        }
    }
}
