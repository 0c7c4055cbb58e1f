//! Mattermost in bot mode, end to end over real HTTP: the catalogue, setup step by step,
//! linking by the slash command, messages, presses, and everything that must be refused.

mod commands;
mod directory;
mod failures;
mod forgeries;
mod linking;
mod messages;
mod presses;
mod setup;

use chatport_fake_mattermost::{FakeMattermost, Options, Post};
use chatport_tests::{
    application::Application,
    mattermost::{BOT, Connected, chatport_beside, connect_bot},
    organization::{Organization, text},
    program::Chatport,
};
use serde_json::{Value, json};

/// Everything at hand: Alice is linked, `incidents` is the default channel.
struct World {
    chatport: Chatport,
    server: FakeMattermost,
    application: Application,
    acme: Organization,
    bot: Connected,
}

impl World {
    async fn begin() -> Self {
        let server = FakeMattermost::start(Options::default()).await;
        let chatport = chatport_beside(&server, &[]).await;
        let application = Application::subscribed(&chatport.client()).await;
        let acme = Organization::create(&chatport.client(), "acme").await;
        let bot = connect_bot(&acme, &server).await;
        bot.link("alice", "u-alice").await;
        bot.connect("incidents").await;
        Self { chatport, server, application, acme, bot }
    }

    /// The message's one post in a channel.
    fn post(&self, channel: &str) -> Post {
        let mut posts = self.posts(channel);
        assert_eq!(posts.len(), 1, "{posts:?}");
        posts.remove(0)
    }

    /// The posts of the bot in a channel that start threads.
    fn posts(&self, channel: &str) -> Vec<Post> {
        let bot = self.server.user_id(BOT);
        let posts = self.server.posts(channel).into_iter();
        posts.filter(|post| post.user_id == bot && post.root_id.is_empty()).collect()
    }

    /// Deliver a message to the default channel; its one post is given back.
    async fn deliver(&self, key: &str, content: Value) -> Post {
        self.acme.say(key, json!({ "revision": 1, "targets": [{ "default": true }], "content": content })).await;
        let message = self.acme.delivered(key).await;
        self.server.post(message["copies"][0]["posts"][0].as_str().expect("a post")).expect("it is there")
    }

    /// The presses that the application has heard of.
    fn presses(&self) -> usize {
        self.application.heard_of("action.invoked").len()
    }
}

fn attachment(post: &Post) -> &Value {
    &post.props["attachments"][0]
}

fn with_button(title: &str) -> Value {
    let acknowledge = json!({ "id": "ack", "label": "Acknowledge", "style": "primary" });
    json!({ "state": "firing", "title": title, "text": "The disk is **full**.", "actions": [acknowledge] })
}

/// What any frontend can do with setup steps, knowing nothing of the platform: one line for
/// each, by its kind alone.
fn render(steps: &Value) -> Vec<String> {
    let line = |step: &Value| {
        let shown = |value: &Value| value["value"].as_str().unwrap_or("(hidden)").to_owned();
        let what = match step["kind"].as_str().expect("a kind") {
            "open_link" => format!("open {}", text(step, "url")),
            "copy_value" => format!("copy {} {}", text(step, "label"), shown(&step["value"])),
            "run_command" => format!("run {}", shown(&step["command"])),
            "send_text" => format!("send {} to {}", shown(&step["send"]), text(step, "to")),
            "wait" => format!("wait for {}", text(step, "what")),
            "fields" => {
                let fields = step["fields"].as_array().expect("fields").iter();
                let field = |field: &Value| match field["kind"].as_str() {
                    Some(kind @ ("text" | "secret" | "url" | "toggle")) => format!("{kind} {}", text(field, "label")),
                    _ => format!("select {}", text(field, "label")),
                };
                format!("fill in {}", fields.map(field).collect::<Vec<_>>().join(", "))
            }
            other => panic!("a frontend doesn't know the kind {other}"),
        };
        assert!(!text(step, "id").is_empty() && !text(step, "title").is_empty(), "{step}");
        what
    };
    steps.as_array().expect("steps").iter().map(line).collect()
}
