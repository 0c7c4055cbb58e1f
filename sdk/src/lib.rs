//! The contract between Chatport and the code for one chat platform.
//!
//! A *backend* translates between a platform's protocol and Chatport's vocabulary: data
//! goes in, data comes out. It holds no state, decides no retry and writes no row; the host
//! does. What a backend can do is exactly what it implements: [`MessagingBackend`](backend::MessagingBackend) has one
//! accessor per optional part, and a part that is `None` is absent from the catalogue.
//!
//! ```
//! use chatport_sdk::prelude::*;
//!
//! #[derive(Default)]
//! struct Carrier { descriptor: std::sync::OnceLock<Descriptor> }
//!
//! impl MessagingBackend for Carrier {
//!     fn descriptor(&self) -> &Descriptor {
//!         self.descriptor.get_or_init(|| Descriptor::new("carrier", "Carrier pigeon"))
//!     }
//! }
//!
//! register_backend!(Carrier);
//! ```
//!
//! A crate is linked only when a path names it: the program that ships this backend says
//! `use carrier as _;`. `chatport backends` lists what is linked.
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
