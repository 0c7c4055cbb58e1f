//! Chatport beside a stand-in for Telegram, and a bot that is set up there: what the flows need
//! before they can begin.

use chatport_fake_telegram::{ChatKind, FakeTelegram};
use serde_json::json;

use crate::{
    eventually,
    mattermost::grant_for,
    organization::{Organization, text},
    program::Chatport,
};

/// Start Chatport with what it needs to reach the server, under the name of an application.
pub async fn chatport_beside(server: &FakeTelegram, more: &[&str]) -> Chatport {
    let allowed = format!("--allow-networks={}", grant_for(server.url()));
    let usual = ["--demo=off", "--app-name=OnCall", &allowed];
    Chatport::start(&[&usual, more].concat()).await
}

/// A bot that is set up.
pub struct Connected {
    pub server: FakeTelegram,
    pub organization: Organization,
    pub installation: String,
    pub token: String,
    /// How updates come: `webhook` or `polling`.
    pub updates: &'static str,
}

/// Make a bot and set it up by what @BotFather wrote.
pub async fn connect(organization: &Organization, server: &FakeTelegram, updates: &'static str) -> Connected {
    let token = server.add_bot("OnCall");
    let settings = json!({ "api_url": server.url(), "updates": updates });
    let begun = organization.install("telegram", settings).await;
    let installation = text(&begun, "id");
    let pasted = json!({ "bot_token": server.botfather_says(&token) });
    let done = organization.submit(&installation, pasted).await.expect(200);
    assert_eq!(done["state"], "active", "{done}");
    let (server, organization) = (server.clone(), organization.clone());
    Connected { server, organization, installation, token, updates }
}

impl Connected {
    /// Link a person by the deep link of a code.
    pub async fn link(&self, person: &str, user: &str) {
        let code = self.organization.user_code(&self.installation, user).await;
        let link = url::Url::parse(&text(&code, "deep_link")).expect("a link");
        let (_, payload) = link.query_pairs().find(|(name, _)| name == "start").expect("a payload");
        self.server.start_bot(person, &self.token, &payload);
        let chat = self.private(person);
        self.says(chat, "You are linked").await;
    }

    /// The private chat with a person.
    pub fn private(&self, person: &str) -> i64 {
        self.server.user_id(person)
    }

    /// A supergroup with the bot in it, connected by a code; the group's id.
    pub async fn connect_group(&self, title: &str) -> i64 {
        let group = self.server.add_chat(ChatKind::Supergroup, title);
        self.server.add_to(group, "Ada", &self.token, false);
        self.connect_chat(group, "Ada").await;
        group
    }

    /// Post a code for channels in a chat.
    pub async fn connect_chat(&self, chat: i64, person: &str) {
        let code = self.organization.channel_code(&self.installation).await;
        let (_, name) = self.server.bot(&self.token);
        self.server.say(person, chat, &format!("/start@{name} {}", text(&code, "code")));
        self.says(chat, "This chat is linked").await;
    }

    /// Wait until the bot has said something in a chat.
    pub async fn says(&self, chat: i64, words: &str) {
        eventually(&format!("the bot to say {words}"), || async {
            let posts = self.server.posts(&self.token, chat);
            posts.iter().any(|post| post.text.contains(words)).then_some(())
        })
        .await;
    }
}
