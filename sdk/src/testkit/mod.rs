//! What the author of a backend needs for tests: a site without a host, a network that fails
//! as it is told to, a clock that stands still, and the conformance suite.
//!
//! The author brings a [`Fixture`]: the backend, and a strict stand-in for the [`Platform`] in
//! memory, which knows how the real one says no. One line then plays every behaviour that the host relies on,
//! each as a test of its own:
//!
//! ```ignore
//! chatport_sdk::conformance!(NoticeboardFixture);
//! ```
//!
//! Behaviours of parts that a backend doesn't offer hold by being absent. Nothing here needs a
//! runtime: futures are polled by [`run`], and time doesn't pass by itself.
//!
//! For tests of one's own, [`Stage`] is an installation as the host keeps it:
//!
//! ```
//! use std::sync::Arc;
//! use chatport_sdk::{http::Call, prelude::*, testkit::{Platform, Post, Stage, json_answer, run}};
//! use serde_json::json;
//!
//! struct Board;
//!
//! #[async_trait]
//! impl Platform for Board {
//!     async fn answer(&self, _: &Call) -> Answer {
//!         json_answer(200, &json!({ "id": "p1" }))
//!     }
//!     async fn posts(&self) -> Vec<Post> {
//!         Vec::new()
//!     }
//!     fn place(&self) -> Conversation {
//!         Conversation {
//!             id: "town".into(),
//!             address: Address(json!({ "v": 1, "board": "town" })),
//!             kind: ConversationKind::Channel,
//!             name: "town".into(),
//!             display_name: "Town".into(),
//!             team: String::new(),
//!         }
//!     }
//! }
//!
//! let stage = Stage::new(Arc::new(Board), &[]);
//! let url = Url::parse("https://board.example.com/api/me").expect("a URL");
//! let answer = run(async { stage.site().http().get(url).send().await }).expect("an answer");
//! assert_eq!(answer.status, 200);
//! ```

pub mod conformance;
mod dice;
mod hostile;
mod line;
mod poll;
mod stage;
mod vault;

use std::{any::Any, borrow::Cow, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    async_trait,
    backend::MessagingBackend,
    failure::{Cause, Scope},
    http::{Answer, Call},
    identity::{Account, Conversation},
    ingress::Request,
    install::Fields,
    secret::Secret,
    steps::SetupStep,
    time::Timestamp,
};

pub use dice::Dice;
pub use line::{Fault, Line};
pub use poll::{poll_times, run};
pub use stage::{SetClock, Stage};
pub use vault::MemoryVault;

/// A stand-in for the platform, in memory: it answers as the real one does, and refuses what
/// the real one refuses. It is the truth that the suite compares with, and knows what people on
/// it do.
#[async_trait]
pub trait Platform: Send + Sync {
    /// What the platform answers to a request that has reached it.
    async fn answer(&self, call: &Call) -> Answer;

    /// What stands in the [place](Self::place), oldest first: what a person would see there.
    async fn posts(&self) -> Vec<Post>;

    /// A conversation in which the bot may post.
    fn place(&self) -> Conversation;

    /// The settings that an application sends to set this platform up.
    fn settings(&self) -> Value {
        json!({})
    }

    /// Settings as earlier releases of the backend stored them, with their version; each for this
    /// platform.
    fn earlier_settings(&self) -> Vec<(u32, Value)> {
        Vec::new()
    }

    /// What a person fills in for these steps, after doing what they say.
    fn fields(&self, _steps: &[SetupStep]) -> Fields {
        Fields::default()
    }

    /// A person to whom the bot may write.
    fn person(&self) -> Option<Account> {
        None
    }

    /// How the platform says no to a post: at least to a refused credential, where there are any.
    fn refusals(&self) -> Vec<Refusal> {
        Vec::new()
    }

    /// A genuine request to the ingress of this installation, signed as the platform signs;
    /// `None`: this doesn't come by a request. It is [`Self::person`] who does it.
    async fn request(&self, _stage: &Stage, _cue: &Cue) -> Option<Request> {
        None
    }

    /// Let this happen so that whoever listens ([`Listen`](crate::listen::Listen)) hears of it;
    /// `false`: this isn't heard by listening. It is [`Self::person`] who does it.
    async fn happens(&self, _stage: &Stage, _cue: &Cue) -> bool {
        false
    }

    /// The names of the commands that it offers, declared ones and others; `None`: it keeps no
    /// list of them.
    async fn commands(&self) -> Option<Vec<String>> {
        None
    }

    /// The time by the platform's clock, at which a stage's clock begins:
    /// 2026-01-01T12:00:00Z unless the platform has its own.
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_767_268_800)
    }
}

/// A post as people see it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Post {
    /// The platform's id of it, as in [`Receipt::id`](crate::delivery::Receipt::id).
    pub id: String,
    /// All that can be read, titles and fields included, without what the platform adds. Its
    /// length is compared with the declared limit.
    pub text: String,
    /// The addresses that it leads to.
    pub links: Vec<String>,
    /// The buttons and menu entries: what is read, and what a press brings back.
    pub buttons: Vec<(String, String)>,
    /// The post to which it is a reply.
    pub reply_to: Option<String>,
}

/// How a platform says no to a post.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Refusal {
    /// What has happened, in words.
    pub name: Cow<'static, str>,
    /// What the platform answers; nothing was done.
    pub answer: Answer,
    /// What the backend must make of it.
    pub cause: Cause,
    /// How far it must say that this reaches.
    pub scope: Scope,
}

impl Refusal {
    /// A refusal.
    pub fn new(name: impl Into<Cow<'static, str>>, answer: Answer, cause: Cause, scope: Scope) -> Self {
        Self { name: name.into(), answer, cause, scope }
    }
}

/// What a person does on the platform, or the platform by itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Cue {
    /// Setup is completed on the platform's side.
    Install,
    /// Somebody enters this code.
    Code(Secret),
    /// Somebody presses a button that carries this token, in the post of this id.
    Press {
        /// The token.
        token: Secret,
        /// The post's id.
        post: String,
    },
    /// Somebody types this as a command, or replies with it.
    Text(String),
    /// Somebody uses a declared command.
    Command {
        /// Its name.
        name: String,
        /// What follows.
        text: String,
    },
}

/// What the suite plays with.
pub trait Fixture: Send + Sync {
    /// The backend, as at the start of a process. A new one each time shows whether it keeps
    /// anything to itself.
    fn backend(&self) -> Arc<dyn MessagingBackend>;

    /// A platform on which nothing has happened yet.
    fn platform(&self) -> Arc<dyn Platform>;

    /// What is kept while a behaviour is played, e.g. the guard by which a backend that needs a
    /// runtime finds it.
    fn surroundings(&self) -> Box<dyn Any> {
        Box::new(())
    }

    /// A stage begins, with this line to its platform: for a backend in another process, whose
    /// calls must be led there.
    fn connected(&self, _line: &Arc<Line>) {}

    /// Whether the backend is another process, beyond the kit's reach: no connection of its can
    /// be refused, and nothing stops it at an await.
    fn is_elsewhere(&self) -> bool {
        false
    }
}

/// An answer with JSON.
pub fn json_answer(status: u16, body: &Value) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Answer { status: status_of(status), headers, body: Bytes::from(body.to_string()) }
}

/// An answer with text.
pub fn text_answer(status: u16, body: &str) -> Answer {
    Answer { status: status_of(status), headers: HeaderMap::new(), body: Bytes::copy_from_slice(body.as_bytes()) }
}

/// The same answer with a header.
///
/// # Panics
/// Where `value` can't stand in a header.
#[must_use]
pub fn with_header(mut answer: Answer, name: &'static str, value: &str) -> Answer {
    answer.headers.insert(name, HeaderValue::from_str(value).expect("a header's value"));
    answer
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).expect("a status from 100 to 999")
}
