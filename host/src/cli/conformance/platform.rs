//! The author's stand-in for the platform, reached over HTTP, and what its file says of it.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use chatport_sdk::{
    failure::{Cause, Scope},
    http::{Answer, CALL_TIMEOUT, Call},
    identity::{Account, Conversation},
    ingress::Request,
    install::Fields,
    recorded::Recorded,
    steps::{SetupStep, StepKind},
    testkit::{Cue, Platform, Post, Refusal, Stage, text_answer},
    time::{Clock, Timestamp},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::runtime::Handle;
use url::Url;

use super::super::forward::Forward;

/// Most bytes of an answer of the stand-in; it lists all that stands.
const MAX_LISTED: usize = 64 << 20;

/// What an author says of the stand-in; the file of `--fixture`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Described {
    /// What an application sends as settings.
    #[serde(default)]
    settings: Value,
    /// What a person fills in, by field.
    #[serde(default)]
    fields: BTreeMap<String, String>,
    /// Where the bot may post.
    place: Conversation,
    /// To whom it may write.
    #[serde(default)]
    person: Option<Account>,
    /// Where the stand-in lists what stands in the place, oldest first.
    posts: String,
    /// How the platform says no.
    #[serde(default)]
    refusals: Vec<DescribedRefusal>,
    /// Where the stand-in lists the names of the commands that it offers, if it does.
    #[serde(default)]
    commands: Option<String>,
    /// Genuine requests, by `code`, `press`, `text`, `command`, `install`; in them `{{code}}`, `{{token}}`,
    /// `{{post}}`, `{{text}}`, `{{name}}`, and the tokens of the installation by their kinds.
    #[serde(default)]
    requests: BTreeMap<String, Recorded>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DescribedRefusal {
    name: String,
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
    cause: Cause,
    scope: Scope,
}

#[derive(Deserialize)]
struct ListedPost {
    id: String,
    text: String,
    #[serde(default)]
    links: Vec<String>,
    #[serde(default)]
    buttons: Vec<(String, String)>,
    #[serde(default)]
    reply_to: Option<String>,
}

/// The stand-in.
pub(super) struct StandIn {
    forward: Forward,
    described: Described,
    clock: Arc<dyn Clock>,
    runtime: Handle,
}

impl StandIn {
    pub(super) fn new(base: Url, described: Described, clock: Arc<dyn Clock>, runtime: Handle) -> Self {
        Self { forward: Forward::to(&base, MAX_LISTED), described, clock, runtime }
    }

    /// What comes in time.
    async fn exchange(&self, method: Method, path: &str, headers: &HeaderMap, body: Bytes) -> Option<Answer> {
        let passed = self.forward.pass(method, path, headers, body);
        tokio::time::timeout(CALL_TIMEOUT, passed).await.ok()?.ok()
    }

    /// What the stand-in lists at this path.
    fn listed<T: DeserializeOwned>(&self, path: &str) -> T {
        // The suite polls its futures itself, so what needs the runtime waits for it here.
        let none = HeaderMap::new();
        let asked = self.exchange(Method::GET, path, &none, Bytes::new());
        let answer = self.runtime.block_on(asked).filter(|answer| answer.status == StatusCode::OK);
        let listed = answer.and_then(|answer| serde_json::from_slice(&answer.body).ok());
        listed.unwrap_or_else(|| panic!("the stand-in lists nothing at {path}"))
    }
}

#[async_trait]
impl Platform for StandIn {
    async fn answer(&self, call: &Call) -> Answer {
        let path = call.url.path();
        let query = call.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let path = format!("{path}{query}");
        let passed = self.exchange(call.method.clone(), &path, &call.headers, call.body.clone());
        passed.await.unwrap_or_else(|| text_answer(502, "the stand-in doesn't answer"))
    }

    async fn posts(&self) -> Vec<Post> {
        let listed: Vec<ListedPost> = self.listed(&self.described.posts);
        let post = |post: ListedPost| Post {
            id: post.id,
            text: post.text,
            links: post.links,
            buttons: post.buttons,
            reply_to: post.reply_to,
        };
        listed.into_iter().map(post).collect()
    }

    fn place(&self) -> Conversation {
        self.described.place.clone()
    }

    fn settings(&self) -> Value {
        self.described.settings.clone()
    }

    /// Of the fields that are asked for, those that the file has.
    fn fields(&self, steps: &[SetupStep]) -> Fields {
        let asked = steps.iter().filter_map(|step| match &step.kind {
            StepKind::Fields { fields } => Some(fields),
            _ => None,
        });
        let known = asked.flatten().filter_map(|field| self.described.fields.get_key_value(&field.name));
        known.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    fn person(&self) -> Option<Account> {
        self.described.person.clone()
    }

    async fn commands(&self) -> Option<Vec<String>> {
        self.described.commands.as_deref().map(|path| self.listed(path))
    }

    fn refusals(&self) -> Vec<Refusal> {
        let refusal = |refusal: &DescribedRefusal| {
            let mut headers = HeaderMap::new();
            for (name, value) in &refusal.headers {
                if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
                    headers.insert(name, value);
                }
            }
            let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
            let answer = Answer { status, headers, body: refusal.body.clone().into() };
            Refusal::new(refusal.name.clone(), answer, refusal.cause, refusal.scope)
        };
        self.described.refusals.iter().map(refusal).collect()
    }

    async fn request(&self, stage: &Stage, cue: &Cue) -> Option<Request> {
        let (name, mut values) = match cue {
            Cue::Install => ("install", Vec::new()),
            Cue::Code(code) => ("code", vec![("code".to_owned(), code.expose().to_owned())]),
            Cue::Press { token, post } => {
                ("press", vec![("token".to_owned(), token.expose().to_owned()), ("post".to_owned(), post.clone())])
            }
            Cue::Text(text) => ("text", vec![("text".to_owned(), text.clone())]),
            Cue::Command { name, text } => {
                ("command", vec![("name".to_owned(), name.clone()), ("text".to_owned(), text.clone())])
            }
            _ => return None,
        };
        values.extend(stage.vault.named());
        let filled: Vec<(&str, &str)> = values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Some(self.described.requests.get(name)?.request(&filled))
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
