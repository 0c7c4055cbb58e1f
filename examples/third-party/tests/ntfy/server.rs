//! A stand-in for ntfy's server, no more: there is none here to test against. It is written after the
//! real one's documentation and source (2.16 and newer), and as strict: sizes, names, rights and codes
//! of refusals are the same. What the documentation doesn't allow it refuses, where the real server may
//! look away: a member of a message that isn't documented.

use std::sync::{Mutex, PoisonError};

use chatport_sdk::{
    http::{Answer, Call},
    prelude::*,
    testkit::{Cue, Platform, Post, Refusal, Stage, json_answer, text_answer},
};
use http::{HeaderMap, Method, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub const TOKEN: &str = "tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2";
pub const TOPIC: &str = "alerts";
/// A topic to which anybody may publish, and that nobody else may read.
pub const OPEN_TOPIC: &str = "suggestions";

/// A button of a notification.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// What is sent is not kept: the server makes up its own.
    #[serde(default)]
    id: String,
    action: String,
    pub label: String,
    #[serde(default)]
    pub url: String,
    #[serde(default)]
    method: String,
    #[serde(default)]
    pub body: String,
}

/// What is published as JSON: <https://docs.ntfy.sh/publish/#publish-as-json>.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Publication {
    topic: String,
    title: Option<String>,
    message: Option<String>,
    tags: Option<Vec<String>>,
    priority: Option<i64>,
    click: Option<String>,
    attach: Option<String>,
    markdown: Option<bool>,
    actions: Option<Vec<Action>>,
    sequence_id: Option<String>,
}

/// What subscribers get and the cache keeps: <https://docs.ntfy.sh/subscribe/api/#json-message-format>.
#[derive(Clone, Default, Serialize)]
pub struct Message {
    id: String,
    pub sequence_id: String,
    event: &'static str,
    topic: String,
    pub title: String,
    pub message: String,
    pub tags: Vec<String>,
    pub priority: i64,
    click: String,
    pub actions: Vec<Action>,
}

/// A request, as the server reads it.
pub struct Asked<'a> {
    pub method: &'a Method,
    pub path: &'a str,
    pub query: Option<&'a str>,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

/// A status and a body, or a refusal: a status and ntfy's code.
type Told = Result<String, (u16, u32)>;

/// The server, with one token that may do everything in [`TOPIC`].
#[derive(Default)]
pub struct FakeNtfy(Mutex<Vec<Message>>);

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn is_web(address: &str) -> bool {
    address.starts_with("http://") || address.starts_with("https://")
}

impl FakeNtfy {
    /// Answer a request: status and body.
    pub fn respond(&self, asked: &Asked<'_>) -> (u16, String) {
        match self.handle(asked) {
            Ok(body) => (200, body),
            Err((status, code)) => (status, json!({ "code": code, "http": status, "error": "refused" }).to_string()),
        }
    }

    fn handle(&self, asked: &Asked<'_>) -> Told {
        let bearer = match asked.headers.get(header::AUTHORIZATION) {
            None => None,
            Some(value) if value.as_bytes() == format!("Bearer {TOKEN}").as_bytes() => Some(TOKEN),
            Some(_) => return Err((401, 40_101)),
        };
        let authorize = |topic: &str, may_anybody: bool| match (topic, bearer) {
            (TOPIC, Some(_)) => Ok(()),
            (OPEN_TOPIC, _) if may_anybody => Ok(()),
            (topic, _) if !is_name(topic) => Err((400, 40_009)),
            _ => Err((403, 40_301)),
        };
        match (asked.method, asked.path.trim_start_matches('/').split('/').collect::<Vec<_>>().as_slice()) {
            (&Method::POST, [""]) => {
                if asked.body.len() > 8_192 {
                    return Err((413, 41_303));
                }
                let published: Publication = serde_json::from_slice(asked.body).map_err(|_| (400, 40_017))?;
                authorize(&published.topic, true)?;
                self.publish(published)
            }
            (&Method::DELETE, [topic, sequence_id]) if is_name(sequence_id) => {
                authorize(topic, true)?;
                let (topic, sequence_id) = ((*topic).to_owned(), (*sequence_id).to_owned());
                Ok(self.add(Message { event: "message_delete", topic, sequence_id, ..Message::default() }))
            }
            (&Method::GET, [topic, "json"]) => {
                authorize(topic, false)?;
                let query = asked.query.unwrap_or_default();
                let since = query.strip_prefix("poll=1&since=").ok_or((400, 40_008))?;
                since.parse::<i64>().map_err(|_| (400, 40_008))?;
                let line = |message: &Message| format!("{}\n", json!(message));
                Ok(self.kept().iter().filter(|message| message.topic == *topic).map(line).collect())
            }
            _ => Err((404, 40_401)),
        }
    }

    fn publish(&self, published: Publication) -> Told {
        let text = published.message.unwrap_or_default();
        if text.len() >= 4_096 {
            return Err((400, 40_014)); // it would be an attachment, and those aren't allowed here
        }
        let actions = published.actions.unwrap_or_default();
        let is_button = |action: &Action| {
            let is_sent = ["", "POST", "PUT"].contains(&action.method.as_str()) || action.body.is_empty();
            ["view", "http"].contains(&action.action.as_str())
                && !action.label.is_empty()
                && is_web(&action.url)
                && is_sent
        };
        if actions.len() > 3 || !actions.iter().all(is_button) {
            return Err((400, 40_018));
        }
        let priority = published.priority.unwrap_or(3);
        if !(1..=5).contains(&priority) {
            return Err((400, 40_007));
        }
        if published.attach.is_some_and(|address| !is_web(&address)) {
            return Err((400, 40_013));
        }
        if !published.sequence_id.as_deref().is_none_or(is_name) {
            return Err((400, 40_049));
        }
        assert_ne!(published.markdown, Some(false), "the text of a message is Markdown");
        let shown = text.trim().replace('\0', "");
        Ok(self.add(Message {
            event: "message",
            topic: published.topic,
            title: published.title.unwrap_or_default().replace('\0', ""),
            message: if text.is_empty() { "triggered".to_owned() } else { shown },
            tags: published.tags.unwrap_or_default(),
            priority,
            click: published.click.unwrap_or_default(),
            actions,
            sequence_id: published.sequence_id.unwrap_or_default(),
            ..Message::default()
        }))
    }

    /// Send a message out and keep it; the answer is the message.
    fn add(&self, mut message: Message) -> String {
        let mut kept = self.kept();
        message.id = format!("{:012}", kept.len());
        if message.sequence_id.is_empty() {
            message.sequence_id.clone_from(&message.id);
        }
        let told = json!(message).to_string();
        kept.push(message);
        told
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<Message>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a phone shows of [`TOPIC`]: of each sequence the newest, unless it was taken back.
    pub fn shown(&self) -> Vec<Message> {
        let mut shown: Vec<Message> = Vec::new();
        for message in self.kept().iter().filter(|message| message.topic == TOPIC) {
            let place = shown.iter().position(|other| other.sequence_id == message.sequence_id);
            match (place, message.event) {
                (Some(place), "message") => shown[place] = message.clone(),
                (Some(place), _) => drop(shown.remove(place)),
                (None, "message") => shown.push(message.clone()),
                (None, _) => {}
            }
        }
        shown
    }
}

#[async_trait]
impl Platform for FakeNtfy {
    async fn answer(&self, call: &Call) -> Answer {
        let (status, body) = self.respond(&Asked {
            method: &call.method,
            path: call.url.path(),
            query: call.url.query(),
            headers: &call.headers,
            body: &call.body,
        });
        text_answer(status, &body)
    }

    async fn posts(&self) -> Vec<Post> {
        let post = |message: Message| Post {
            id: message.sequence_id,
            text: message.title + &message.message,
            links: vec![message.click],
            buttons: message.actions.into_iter().map(|action| (action.label, action.body)).collect(),
            reply_to: None,
        };
        self.shown().into_iter().map(post).collect()
    }

    fn place(&self) -> Conversation {
        Conversation {
            id: TOPIC.into(),
            address: Address(json!({ "v": 1, "topic": TOPIC })),
            kind: ConversationKind::Channel,
            name: TOPIC.into(),
            display_name: "Alerts".into(),
            team: String::new(),
        }
    }

    fn settings(&self) -> Value {
        json!({ "server_url": "https://ntfy.example.com", "topics": [TOPIC, OPEN_TOPIC] })
    }

    fn fields(&self, _: &[SetupStep]) -> Fields {
        [("access_token", TOKEN)].into_iter().collect()
    }

    fn refusals(&self) -> Vec<Refusal> {
        let refusal = |name: &'static str, status: u16, code, cause, scope| {
            let answer = json_answer(status, &json!({ "code": code, "http": status, "error": "refused" }));
            Refusal::new(name, answer, cause, scope)
        };
        vec![
            refusal("the token was revoked", 401, 40_101, Cause::Unauthorized, Scope::Installation),
            refusal("the token may not publish there", 403, 40_301, Cause::PermissionDenied, Scope::Copy),
            refusal("the message is too long", 413, 41_303, Cause::ContentRejected, Scope::Copy),
            refusal("the buttons are wrong", 400, 40_018, Cause::ContentRejected, Scope::Copy),
            refusal("too many requests", 429, 42_901, Cause::RateLimited, Scope::Installation),
            refusal("the day's quota is used up", 429, 42_908, Cause::RateLimited, Scope::Installation),
            refusal("nobody has subscribed", 507, 50_701, Cause::Unavailable, Scope::Copy),
        ]
    }

    /// What an app sends when somebody taps the button that carries this token.
    async fn request(&self, stage: &Stage, cue: &Cue) -> Option<Request> {
        let Cue::Press { token, post } = cue else { return None };
        let message = self.shown().into_iter().find(|message| message.sequence_id == *post)?;
        let button = message.actions.into_iter().find(|action| action.body.contains(token.expose()))?;
        let ingress = stage.site().ingress_url()?.to_string();
        let path = button.url.strip_prefix(&ingress).expect("the installation's own address").to_owned();
        Some(Request { method: Method::POST, path, query: None, headers: HeaderMap::new(), body: button.body.into() })
    }
}
