//! The contract between Chatport and the code for one chat platform.
//!
//! A *backend* translates between a platform's protocol and Chatport's vocabulary: data
//! goes in, data comes out. It holds no state, decides no retry and writes no row; the host
//! does. What a backend can do is exactly what it implements: [`MessagingBackend`](backend::MessagingBackend) has one
//! accessor per optional part, and a part that is `None` is absent from the catalogue.
//!
//! A whole backend, for a made-up platform to whose address posts are sent as JSON, and which
//! answers with the post's id:
//!
//! ```
//! use std::sync::LazyLock;
//!
//! use chatport_sdk::{prelude::*, schemars::{self, JsonSchema}};
//! use serde_json::{Value, json};
//!
//! #[derive(Debug, Default)]
//! struct Board;
//!
//! register_backend!(Board);
//!
//! /// What an application sends to set it up.
//! #[derive(serde::Deserialize, JsonSchema)]
//! #[schemars(crate = "schemars")]
//! struct Settings {
//!     address: Url,
//! }
//!
//! static DESCRIPTOR: LazyLock<Descriptor> = LazyLock::new(|| {
//!     let mut descriptor = Descriptor::new("board", "Board").settings::<Settings>();
//!     descriptor.rates = const { &[Rate::per_origin("server", 5.0, 20)] };
//!     descriptor
//! });
//!
//! impl MessagingBackend for Board {
//!     fn descriptor(&self) -> &Descriptor {
//!         &DESCRIPTOR
//!     }
//!     // Each optional part is there because its accessor gives it.
//!     fn install(&self) -> Option<&dyn Install> {
//!         Some(self)
//!     }
//!     fn delivery(&self) -> Option<&dyn Delivery> {
//!         Some(self)
//!     }
//! }
//!
//! fn settings(site: &Site) -> Result<Settings, SetupError> {
//!     site.settings().map_err(|error| SetupError::field("address", error.to_string()))
//! }
//!
//! #[async_trait]
//! impl Install for Board {
//!     async fn begin(&self, site: &Site) -> Result<Progress, SetupError> {
//!         // Nothing is asked of a person here; usually steps with fields come first.
//!         let server = settings(site)?.address.to_string();
//!         let (account, display_name) = ("board".into(), "Board".into());
//!         Ok(Progress::installed(Identity { server, account, display_name, details: Value::Null }))
//!     }
//!     async fn submit(&self, _: &Site, _: &Fields) -> Result<Progress, SetupError> {
//!         Err(SetupError::WrongStage("nothing is to be filled in".into()))
//!     }
//!     async fn reauthorize(&self, site: &Site) -> Result<Progress, SetupError> {
//!         self.begin(site).await
//!     }
//!     async fn probe(&self, _: &Site) -> Health {
//!         Health { can_post: true, ..Health::default() }
//!     }
//!     async fn remove(&self, _: &Site) -> Result<(), Failure> {
//!         Ok(())
//!     }
//! }
//!
//! #[async_trait]
//! impl Delivery for Board {
//!     fn render(&self, request: &RenderRequest<'_>) -> Rendering {
//!         let content = request.content;
//!         let link = content.link.as_ref().map(|link| format!("\n{}", link.url)).unwrap_or_default();
//!         // Cut to the limit; the link survives every trimming.
//!         let room = request.limits.text.saturating_sub(link.chars().count());
//!         let text: String = format!("{}\n{}", content.title, content.text).chars().take(room).collect();
//!         Rendering { parts: vec![Part { payload: json!({ "text": text + &link }).into(), actions: vec![] }], notes: vec![] }
//!     }
//!     fn stream(&self, address: &Address) -> Result<StreamKey, Failure> {
//!         match address.0["topic"].as_str() {
//!             Some(topic) => Ok(StreamKey { key: topic.into(), rate: "server" }),
//!             None => Err(Failure::new(Cause::ChannelNotFound, "the address names no topic")),
//!         }
//!     }
//!     async fn post(&self, site: &Site, outgoing: &Outgoing) -> Result<Receipt, Failure> {
//!         let topic = self.stream(&outgoing.address)?.key;
//!         let gone = |error: SetupError| Failure::new(Cause::InstallationRevoked, error.to_string());
//!         let body = json!({ "topic": topic, "text": outgoing.part.payload.value()["text"], "once": outgoing.copy });
//!         // "Never sent" and "sent, no answer" are told apart by the client.
//!         let answer = site.http().post(settings(site).map_err(gone)?.address).json(&body).send().await?;
//!         match answer.status.as_u16() {
//!             200 => match answer.json::<Value>()?["id"].as_str() {
//!                 Some(id) => Ok(Receipt::new(id)),
//!                 None => Err(Failure::new(Cause::NoAnswer, "the answer names no post")),
//!             },
//!             300..=399 => Err(Failure::new(Cause::RedirectRefused, "the board has moved")),
//!             404 => Err(Failure::new(Cause::ChannelNotFound, "no such topic")),
//!             429 => Err(Failure::new(Cause::RateLimited, "slower").retry_after(answer.retry_after(site.now()))),
//!             503 => Err(Failure::new(Cause::Unavailable, "the board is away")),
//!             500..=599 => Err(Failure::new(Cause::NoAnswer, "it may stand there")),
//!             _ => Err(Failure::new(Cause::ContentRejected, "the board refuses this")),
//!         }
//!     }
//! }
//! ```
//!
//! A crate is linked only when a path names it: the program that ships this backend says
//! `use board as _;`. `chatport backends` lists what is linked. The feature `testkit` has what tests
//! of a backend need; `docs/backends.md` leads from nothing to a backend that passes.
#![deny(missing_docs)]

pub mod backend;
pub mod commands;
pub mod content;
pub mod crypto;
pub mod delivery;
pub mod descriptor;
pub mod directory;
pub mod failure;
pub mod happening;
pub mod http;
pub mod identity;
pub mod ingress;
pub mod install;
pub mod jwt;
pub mod listen;
pub mod payload;
pub mod recorded;
pub mod secret;
pub mod site;
pub mod steps;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod time;
pub mod token;
pub mod verification;
pub mod wire;

pub use async_trait::async_trait;
pub use bytes::Bytes;
pub use inventory;
pub use schemars;
pub use url::Url;

/// What almost every backend needs; `use chatport_sdk::prelude::*;`.
pub mod prelude {
    pub use crate::backend::{MessagingBackend, Registration};
    pub use crate::commands::{Commands, DeclaredCommand, Synced};
    pub use crate::content::{Action, Choice, Content, State};
    pub use crate::delivery::{
        Delete, Delivery, Direct, Edit, Edited, Find, Found, Note, NoteCode, Outgoing, Part, Receipt, RenderRequest,
        Rendering, StreamKey, Urgency,
    };
    pub use crate::descriptor::{Descriptor, Icon, LengthUnit, Limits, Rate};
    pub use crate::directory::{Directory, Entry, EntryKind, Lookup, Page, Posting, Search};
    pub use crate::failure::{Cause, Failure, Scope};
    pub use crate::happening::{CodeRefusal, Happening, HappeningKind, Outcome, Place, PressAnswer};
    pub use crate::http::{Answer, HttpClient, HttpError};
    pub use crate::identity::{Account, Address, Conversation, ConversationKind, Identity};
    pub use crate::ingress::{Ingress, PublicBase, Received, Request, Response};
    pub use crate::install::{Fields, Health, Install, Progress, Renew, Renewal, SetupError};
    pub use crate::listen::{Heard, Listen};
    pub use crate::payload::Payload;
    pub use crate::register_backend;
    pub use crate::secret::Secret;
    pub use crate::site::Site;
    pub use crate::steps::{Field, FieldKind, SetupStep, ShownValue, StepKind};
    pub use crate::time::Timestamp;
    pub use crate::token::{NewToken, Replace, Token, TokenKind, TokenOrigin, TokenUse};
    pub use crate::verification::{Presentation, Purpose, Verification};
    pub use async_trait::async_trait;
    pub use bytes::Bytes;
    pub use url::Url;
}
