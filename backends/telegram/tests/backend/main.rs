//! The backend beside the stand-in for Telegram, without a host and without a network.

mod errors;
mod install;
mod rendering;
mod updates;

use std::sync::{Arc, Mutex};

use chatport_fake_telegram::{ChatKind, FakeTelegram, Options};
use chatport_sdk::{
    http::Call,
    prelude::*,
    testkit::{Platform, Post, Stage, json_answer, run},
};
use chatport_telegram::TelegramBackend;
use http::header;
use serde_json::{Value, json};

/// The secret that Telegram sends along is in this header.
const SECRET: &str = "x-telegram-bot-api-secret-token";

/// A bot that is set up, its server, and what it is answered instead.
struct Bench {
    stage: Stage,
    server: FakeTelegram,
    token: String,
    group: i64,
    instead: Arc<Mutex<Option<Answer>>>,
}

struct Telegram {
    server: FakeTelegram,
    group: i64,
    instead: Arc<Mutex<Option<Answer>>>,
}

#[async_trait]
impl Platform for Telegram {
    async fn answer(&self, call: &Call) -> Answer {
        if let Some(answer) = self.instead.lock().expect("no panic").clone() {
            return answer;
        }
        let content_type = call.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let (status, body) = self.server.answer(call.url.path(), content_type.unwrap_or_default(), &call.body);
        json_answer(status, &body)
    }

    async fn posts(&self) -> Vec<Post> {
        Vec::new()
    }

    fn place(&self) -> Conversation {
        Conversation {
            id: self.group.to_string(),
            address: address(self.group),
            kind: ConversationKind::Group,
            name: String::new(),
            display_name: "Incidents".into(),
            team: String::new(),
        }
    }
}

fn address(chat: i64) -> Address {
    Address(json!({ "v": 1, "chat": chat }))
}

impl Bench {
    /// A bot at whose setup nothing has been done.
    fn bare() -> Self {
        let server = FakeTelegram::offline(Options { limits: false, ..Options::default() });
        let token = server.add_bot("OnCall");
        server.add_user("Ada");
        let group = server.add_chat(ChatKind::Supergroup, "Incidents");
        server.start_bot("Ada", &token, "");
        server.add_to(group, "Ada", &token, false);
        while server.take_update(&token).is_some() {}
        let instead = Arc::default();
        let platform = Telegram { server: server.clone(), group, instead: Arc::clone(&instead) };
        let stage = Stage::new(Arc::new(platform), TelegramBackend.descriptor().tokens);
        stage.set_settings(json!({}));
        Self { stage, server, token, group, instead }
    }

    /// A bot that is set up, called by a webhook.
    fn new() -> Self {
        let bench = Self::bare();
        bench.set_up().expect("set up");
        bench
    }

    fn set_up(&self) -> Result<(), SetupError> {
        let install = TelegramBackend.install().expect("install steps");
        let site = || self.stage.site();
        self.stage.keep(run(install.begin(&site()))?).expect("kept");
        let fields: Fields = [("bot_token", self.token.as_str())].into_iter().collect();
        self.stage.keep(run(install.submit(&site(), &fields))?).expect("kept");
        Ok(())
    }

    /// Answer everything like this from now on.
    fn answers(&self, answer: Option<Answer>) {
        *self.instead.lock().expect("no panic") = answer;
    }

    /// What becomes of a request with this body and secret.
    fn receives(&self, secret: &str, body: impl Into<Bytes>) -> Received {
        let mut headers = http::HeaderMap::new();
        headers.insert(SECRET, secret.parse().expect("a header's value"));
        let (method, path) = (http::Method::POST, "/updates".to_owned());
        let request = Request { method, path, query: None, headers, body: body.into() };
        run(TelegramBackend.ingress().expect("an ingress").receive(&self.stage.site(), &request))
    }

    fn secret(&self) -> String {
        self.server.webhook(&self.token).and_then(|webhook| webhook.secret).expect("a secret")
    }

    /// What an update has become.
    fn hears(&self, update: &Value) -> Option<Happening> {
        match self.receives(&self.secret(), update.to_string()) {
            Received::Happenings(mut happenings) => happenings.pop(),
            Received::Answer(_) => None,
            other => panic!("{other:?}"),
        }
    }

    /// What is said to a happening, as it stands in the answer to the request.
    fn says(&self, happening: &Happening, outcome: Outcome) -> Value {
        let ingress = TelegramBackend.ingress().expect("an ingress");
        let happenings = std::slice::from_ref(happening);
        let response = run(ingress.answer(&self.stage.site(), happenings, &[outcome]));
        if response.body.is_empty() { Value::Null } else { serde_json::from_slice(&response.body).expect("JSON") }
    }

    /// A document on its way to a chat.
    fn outgoing(&self, content: &Content, chat: i64) -> Outgoing {
        let delivery = TelegramBackend.delivery().expect("delivery");
        let limits = &TelegramBackend.descriptor().limits;
        let part = delivery.render(&RenderRequest::new(content, limits)).parts.remove(0);
        let mut outgoing = Outgoing::new("copy", 1, address(chat), part);
        for action in &content.actions {
            let choices = action.choices.iter().map(|choice| Some(choice.value.clone()));
            for choice in std::iter::once(None).chain(choices) {
                let token = Secret::new(format!("{:060}", outgoing.tokens.len()));
                outgoing.tokens.push(chatport_sdk::delivery::ActionToken { action: action.id.clone(), choice, token });
            }
        }
        outgoing
    }

    fn post(&self, outgoing: &Outgoing) -> Result<Receipt, Failure> {
        run(TelegramBackend.delivery().expect("delivery").post(&self.stage.site(), outgoing))
    }
}

fn titled(title: &str) -> Content {
    Content { title: title.into(), ..Content::default() }
}
