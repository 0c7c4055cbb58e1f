//! Telegram, end to end over real HTTP: setup by what @BotFather wrote, linking by codes, messages
//! with buttons, presses, edits, and what goes wrong.

mod commands;
mod failures;
mod linking;
mod messages;
mod replicas;
mod setup;

use chatport_fake_telegram::{FakeTelegram, Message, Options};
use chatport_tests::{
    application::Application,
    organization::Organization,
    program::Chatport,
    telegram::{Connected, chatport_beside, connect},
};
use serde_json::{Value, json};

/// Everything at hand: Ada is linked, a group is the default channel.
struct World {
    chatport: Chatport,
    server: FakeTelegram,
    application: Application,
    acme: Organization,
    bot: Connected,
    group: i64,
}

impl World {
    async fn begin(updates: &'static str) -> Self {
        let server = FakeTelegram::start(Options::local()).await;
        server.add_user("Ada");
        server.add_user("Mallory");
        let chatport = chatport_beside(&server, &[]).await;
        let application = Application::subscribed(&chatport.client()).await;
        let acme = Organization::create(&chatport.client(), "acme").await;
        let bot = connect(&acme, &server, updates).await;
        bot.link("Ada", "u-ada").await;
        let group = bot.connect_group("Incidents").await;
        Self { chatport, server, application, acme, bot, group }
    }

    /// Deliver a message to the default channel; its one post is given back.
    async fn deliver(&self, key: &str, revision: i64, content: Value) -> Message {
        let message = json!({ "revision": revision, "targets": [{ "default": true }], "content": content });
        self.acme.say(key, message).await;
        let message = self.acme.delivered(key).await;
        let id = message["copies"][0]["posts"][0].as_str().and_then(|id| id.parse().ok()).expect("a post");
        self.server.message(self.group, id).expect("it is there")
    }
}

fn with_button(title: &str) -> Value {
    let acknowledge = json!({ "id": "ack", "label": "Acknowledge", "style": "primary" });
    json!({ "state": "firing", "title": title, "text": "The disk is **full**.", "actions": [acknowledge] })
}
