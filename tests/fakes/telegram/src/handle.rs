//! The handle: the server as tests hold it, and what it looks like behind the scenes.

use std::{sync::Arc, time::Instant};

use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    calls,
    model::{ChatKind, Message, Standing},
    options::Options,
    reply::Reply,
    serve,
    updates::Webhook,
    webhook,
    world::Shared,
};

/// What goes wrong with a call.
#[derive(Clone, Debug)]
pub enum Fault {
    /// This is answered, and nothing is done.
    Refused { status: u16, body: Value },
    /// It is done, and a gateway's page is answered.
    Lost,
}

#[derive(Debug)]
pub(crate) struct FaultRule {
    pub(crate) method: String,
    pub(crate) times: u32,
    pub(crate) fault: Fault,
}

/// A call that was made.
#[derive(Clone, Debug)]
pub struct Logged {
    pub method: String,
    pub body: Value,
    pub status: u16,
    pub answer: Value,
    pub at: Instant,
}

#[derive(Debug)]
struct Tasks(Vec<JoinHandle<()>>);

impl Drop for Tasks {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

/// The stand-in. Clones are the same server.
#[derive(Clone, Debug)]
pub struct FakeTelegram {
    pub(crate) shared: Arc<Shared>,
    url: String,
    _tasks: Arc<Tasks>,
}

impl FakeTelegram {
    /// Listen on a free port, and send updates.
    ///
    /// # Panics
    /// No port is free.
    pub async fn start(options: Options) -> Self {
        let shared = Arc::new(Shared::new(options));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let serving = tokio::spawn(serve::serve(Arc::clone(&shared), listener));
        let delivering = tokio::spawn(webhook::deliver(Arc::clone(&shared)));
        Self { shared, url, _tasks: Arc::new(Tasks(vec![serving, delivering])) }
    }

    /// Without a network: calls are answered by [`Self::answer`], updates taken by
    /// [`Self::take_update`].
    pub fn offline(options: Options) -> Self {
        let shared = Arc::new(Shared::new(options));
        Self { shared, url: "http://telegram.invalid".into(), _tasks: Arc::new(Tasks(Vec::new())) }
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Answer a request: a status, and a body.
    pub fn answer(&self, path: &str, content_type: &str, body: &[u8]) -> (u16, Value) {
        let called = path.strip_prefix("/bot").and_then(|path| path.split_once('/'));
        let Some((token, method)) = called else { return (404, json!("Not Found")) };
        let reply = match serve::parameters(content_type, body) {
            Ok(parameters) => calls::answer(&self.shared, token, method, parameters),
            Err(refusal) => Reply::from(Err(refusal)),
        };
        (reply.status, reply.body)
    }

    /// Let the next calls of a method go wrong.
    pub fn fail(&self, method: &str, times: u32, fault: Fault) {
        self.shared.world().faults.push(FaultRule { method: method.to_owned(), times, fault });
    }

    /// Every call so far.
    pub fn calls(&self) -> Vec<Logged> {
        self.shared.world().log.clone()
    }

    /// The calls of one method so far.
    pub fn calls_of(&self, method: &str) -> Vec<Logged> {
        self.calls().into_iter().filter(|call| call.method == method).collect()
    }

    /// Make a bot, as @BotFather does; its token.
    pub fn add_bot(&self, name: &str) -> String {
        self.shared.world().add_bot(name)
    }

    /// What @BotFather says about a new bot.
    pub fn botfather_says(&self, token: &str) -> String {
        let username = self.shared.world().bots[token].username.clone();
        format!(
            "Done! Congratulations on your new bot. You will find it at t.me/{username}.\n\nUse this token to access the HTTP \
             API:\n{token}\nKeep your token secure and store it safely."
        )
    }

    /// A bot's id and username.
    pub fn bot(&self, token: &str) -> (i64, String) {
        let world = self.shared.world();
        (world.bots[token].id, world.bots[token].username.clone())
    }

    /// The token is no longer valid.
    pub fn revoke(&self, token: &str) -> String {
        let mut world = self.shared.world();
        let bot = world.bots.remove(token).expect("a bot of this token");
        let token = format!("{}:BBF{}", bot.id, "z9-Yx_".repeat(5));
        world.bots.insert(token.clone(), bot);
        token
    }

    /// A bot's webhook.
    pub fn webhook(&self, token: &str) -> Option<Webhook> {
        self.shared.world().bots[token].queue.webhook.clone()
    }

    /// How many updates wait for a bot.
    pub fn pending(&self, token: &str) -> usize {
        self.shared.world().bots[token].queue.waiting.len()
    }

    /// Every update so far, whoever got it.
    pub fn updates(&self) -> Vec<Value> {
        self.shared.world().bots.values().flat_map(|bot| bot.queue.made.clone()).collect()
    }

    /// Take the oldest update that waits, instead of whoever would get it.
    pub fn take_update(&self, token: &str) -> Option<Value> {
        let mut world = self.shared.world();
        world.bots.get_mut(token)?.queue.waiting.pop_front().map(|update| update.body)
    }

    /// The names of the commands that a bot has in a scope.
    pub fn commands(&self, token: &str, scope: &str) -> Vec<String> {
        let world = self.shared.world();
        let list = world.bots[token].commands.get(scope).and_then(Value::as_array).cloned();
        let names = list.into_iter().flatten();
        names.filter_map(|command| command["command"].as_str().map(str::to_owned)).collect()
    }

    /// The id of somebody.
    pub fn user_id(&self, name: &str) -> i64 {
        self.shared.world().user(name).id
    }

    /// Somebody new.
    pub fn add_user(&self, name: &str) -> i64 {
        self.shared.world().add_user(name)
    }

    /// A group or channel in which no bot is.
    pub fn add_chat(&self, kind: ChatKind, title: &str) -> i64 {
        self.shared.world().add_chat(kind, title)
    }

    /// A topic of a forum.
    pub fn add_topic(&self, chat: i64) -> i64 {
        let mut world = self.shared.world();
        let topic = world.number();
        world.chats.get_mut(&chat).expect("a chat").topics.insert(topic, true);
        topic
    }

    /// Close a topic.
    pub fn close_topic(&self, chat: i64, topic: i64) {
        self.shared.world().chats.get_mut(&chat).expect("a chat").topics.insert(topic, false);
    }

    /// Members may not write any more, or may again.
    pub fn mute(&self, chat: i64, muted: bool) {
        self.shared.world().chats.get_mut(&chat).expect("a chat").muted = muted;
    }

    /// How a bot stands in a group or channel.
    pub fn is_in(&self, token: &str, chat: i64) -> bool {
        let world = self.shared.world();
        let id = world.bots[token].id;
        world.chats[&chat].bots.get(&id).copied().is_some_and(Standing::is_in)
    }

    /// What stands in a chat, oldest first.
    pub fn messages(&self, chat: i64) -> Vec<Message> {
        let world = self.shared.world();
        world.messages.iter().filter(|message| message.chat == chat && !message.deleted).cloned().collect()
    }

    /// What a bot has written in a chat and stands there, oldest first.
    pub fn posts(&self, token: &str, chat: i64) -> Vec<Message> {
        let (bot, _) = self.bot(token);
        self.messages(chat).into_iter().filter(|message| message.from == bot).collect()
    }

    /// A message that stands.
    pub fn message(&self, chat: i64, id: i64) -> Option<Message> {
        self.shared.world().message(chat, id).cloned()
    }

    /// Take a message away, as an admin does.
    pub fn delete(&self, chat: i64, id: i64) {
        self.shared.world().message_mut(chat, id).expect("a message").deleted = true;
    }
}
