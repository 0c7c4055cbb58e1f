//! Telegram against the strict stand-in, without a network between them.

use chatport_fake_telegram::{ChatKind, FakeTelegram, Message, Options};
use chatport_sdk::{
    http::{Answer, Call},
    prelude::*,
    testkit::{Cue, Fixture, Platform, Post, Refusal, Stage, json_answer, text_answer},
};
use chatport_telegram::TelegramBackend;
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::{Value, json};
use std::sync::Arc;

/// Telegram and its backend.
pub(crate) struct TelegramFixture;

impl Fixture for TelegramFixture {
    fn backend(&self) -> Arc<dyn MessagingBackend> {
        Arc::new(TelegramBackend)
    }

    fn platform(&self) -> Arc<dyn Platform> {
        // The suite posts more in a moment than anybody may; pacing is the host's.
        let server = FakeTelegram::offline(Options { limits: false, ..Options::default() });
        let token = server.add_bot("OnCall");
        server.add_user("Ada");
        let group = server.add_chat(ChatKind::Supergroup, "Incidents");
        server.start_bot("Ada", &token, "");
        server.add_to(group, "Ada", &token, false);
        while server.take_update(&token).is_some() {}
        Arc::new(Telegram { server, token, group })
    }
}

struct Telegram {
    server: FakeTelegram,
    token: String,
    group: i64,
}

impl Telegram {
    fn shown(&self, message: &Message) -> Post {
        Post {
            id: message.id.to_string(),
            text: message.text.clone(),
            links: message.links(),
            buttons: message.buttons(),
            reply_to: message.reply_to.map(|id| id.to_string()),
        }
    }
}

#[async_trait]
impl Platform for Telegram {
    async fn answer(&self, call: &Call) -> Answer {
        let content_type = call.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let (status, body) = self.server.answer(call.url.path(), content_type.unwrap_or_default(), &call.body);
        json_answer(status, &body)
    }

    async fn posts(&self) -> Vec<Post> {
        self.server.posts(&self.token, self.group).iter().map(|message| self.shown(message)).collect()
    }

    fn place(&self) -> Conversation {
        Conversation {
            id: self.group.to_string(),
            address: Address(json!({ "v": 1, "chat": self.group })),
            kind: ConversationKind::Group,
            name: String::new(),
            display_name: "Incidents".into(),
            team: String::new(),
        }
    }

    fn fields(&self, _: &[SetupStep]) -> Fields {
        [("bot_token", self.server.botfather_says(&self.token))].into_iter().collect()
    }

    fn person(&self) -> Option<Account> {
        let mut account = Account::new(self.server.user_id("Ada").to_string());
        account.display_name = "Ada".into();
        Some(account)
    }

    async fn commands(&self) -> Option<Vec<String>> {
        Some(self.server.commands(&self.token, "all_group_chats"))
    }

    fn refusals(&self) -> Vec<Refusal> {
        let refusal = |name: &'static str, status: u16, description: &str, parameters: Value, cause, scope| {
            let body =
                json!({ "ok": false, "error_code": status, "description": description, "parameters": parameters });
            Refusal::new(name, json_answer(status, &body), cause, scope)
        };
        let none = || json!({});
        vec![
            refusal("the token is revoked", 401, "Unauthorized", none(), Cause::Unauthorized, Scope::Installation),
            refusal(
                "the bot was kicked",
                403,
                "Forbidden: bot was kicked from the supergroup chat",
                none(),
                Cause::BotNotInChannel,
                Scope::Conversation,
            ),
            refusal(
                "the group writes too much",
                429,
                "Too Many Requests: retry after 35",
                json!({ "retry_after": 35 }),
                Cause::RateLimited,
                Scope::Conversation,
            ),
            refusal(
                "the bot writes too much",
                429,
                "Too Many Requests: retry after 3600",
                json!({ "retry_after": 3600 }),
                Cause::RateLimited,
                Scope::Installation,
            ),
            refusal(
                "nobody knows the chat",
                400,
                "Bad Request: chat not found",
                none(),
                Cause::ChannelNotFound,
                Scope::Conversation,
            ),
            Refusal::new("the server is being restarted", text_answer(503, "away"), Cause::Unavailable, Scope::Copy),
        ]
    }

    async fn happens(&self, _: &Stage, cue: &Cue) -> bool {
        match cue {
            Cue::Press { token, post } => {
                let Ok(post) = post.parse() else { return false };
                self.server.begin_forged_press("Ada", self.group, post, token.expose());
            }
            Cue::Code(code) => self.server.tell_bot("Ada", &self.token, code.expose()),
            Cue::Text(text) => self.server.tell_bot("Ada", &self.token, text),
            Cue::Command { name, text } => {
                self.server.say("Ada", self.group, &format!("/{name} {text}"));
            }
            _ => return false,
        }
        true
    }

    async fn request(&self, stage: &Stage, cue: &Cue) -> Option<Request> {
        if !self.happens(stage, cue).await {
            return None;
        }
        let update = self.server.take_update(&self.token)?;
        let webhook = self.server.webhook(&self.token)?;
        let ingress = stage.site().ingress_url()?.to_string();
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert("x-telegram-bot-api-secret-token", webhook.secret?.parse().ok()?);
        let path = webhook.url.strip_prefix(&ingress)?.to_owned();
        Some(Request { method: Method::POST, path, query: None, headers, body: update.to_string().into() })
    }
}
