//! What is constant about a backend.

use std::time::Duration;

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use crate::token::TokenKind;

/// The level of the contract that this crate speaks. A backend states the level that it was
/// written for; the host refuses a level that it doesn't know.
pub const CONTRACT_LEVEL: u32 = 1;

/// What is constant about a backend: identity, labels, limits, settings, token kinds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Descriptor {
    /// Lower-case name, unique in a program: `[a-z][a-z0-9-]{1,31}`. It is part of paths
    /// and rows, so it never changes.
    pub id: &'static str,
    /// The platform's name as people write it.
    pub name: &'static str,
    /// One sentence on what the backend does.
    pub description: &'static str,
    /// A small picture.
    pub icon: Option<Icon>,
    /// The level of the contract; [`CONTRACT_LEVEL`] of the crate that it was built with.
    pub contract: u32,
    /// What the platform takes.
    pub limits: Limits,
    /// JSON Schema of the settings (draft 2020-12).
    pub settings: Schema,
    /// The version of the settings' shape, from 1.
    pub settings_version: u32,
    /// The kinds of token that it keeps.
    pub tokens: &'static [TokenKind],
    /// Rates that sending keeps to, by name. `stream` names one of them; what counts against a
    /// conversation's rate counts against those of the installation and of the server too.
    pub rates: &'static [Rate],
    /// How long the platform waits for the answer to a press.
    pub press_limit: Duration,
    /// Whether it may be used only where the host listens on loopback.
    pub loopback_only: bool,
    /// Whether it works only when the platform can reach the host's public address.
    pub needs_public_url: bool,
}

/// Whether a text can be a backend's id: `[a-z][a-z0-9-]{1,31}`.
pub fn is_id(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && (2..=32).contains(&text.len())
}

/// What a backend keeps to that names no rates.
const DEFAULT_RATES: &[Rate] = &[Rate::per_installation("default", 1.0, 1)];

impl Descriptor {
    /// A descriptor with careful defaults; set the rest on the fields.
    pub fn new(id: &'static str, name: &'static str) -> Self {
        Self {
            id,
            name,
            description: "",
            icon: None,
            contract: CONTRACT_LEVEL,
            limits: Limits::default(),
            settings: schemars::json_schema!({ "type": "object", "additionalProperties": false }),
            settings_version: 1,
            tokens: &[],
            rates: DEFAULT_RATES,
            press_limit: Duration::from_secs(3),
            loopback_only: false,
            needs_public_url: false,
        }
    }

    /// Take the settings' schema from the type `T`.
    pub fn settings<T: JsonSchema>(mut self) -> Self {
        self.settings = schemars::schema_for!(T);
        self
    }

    /// The token kind of this name.
    pub fn token_kind(&self, name: &str) -> Option<&TokenKind> {
        self.tokens.iter().find(|kind| kind.name == name)
    }

    /// All rates that count where a stream names `rate`: that one, and where it is a
    /// conversation's, those that an installation or a server has for all its conversations.
    pub fn rates_over<'a>(&'a self, rate: &'a Rate) -> impl Iterator<Item = &'a Rate> {
        let wider = |other: &&Rate| rate.per == RatePer::Conversation && other.per != RatePer::Conversation;
        std::iter::once(rate).chain(self.rates.iter().filter(wider))
    }

    /// The rate of this name.
    pub fn rate(&self, name: &str) -> Option<&Rate> {
        self.rates.iter().find(|rate| rate.name == name)
    }
}

/// A small picture for catalogues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Icon {
    /// `image/svg+xml` or `image/png`.
    pub media_type: &'static str,
    /// The file.
    pub bytes: &'static [u8],
}

/// How a platform counts lengths.
///
/// ```
/// use chatport_sdk::prelude::*;
///
/// let text = "né 📟";
/// assert_eq!(LengthUnit::Characters.length(text), 4);
/// assert_eq!(LengthUnit::Utf16.length(text), 5);
/// assert_eq!(LengthUnit::Bytes.length(text), 8);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LengthUnit {
    /// Unicode scalar values.
    Characters,
    /// UTF-16 code units.
    Utf16,
    /// UTF-8 bytes.
    Bytes,
}

impl LengthUnit {
    /// The length of `text`.
    pub fn length(self, text: &str) -> usize {
        match self {
            Self::Characters => text.chars().count(),
            Self::Utf16 => text.encode_utf16().count(),
            Self::Bytes => text.len(),
        }
    }
}

/// What a platform takes in one post.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Limits {
    /// How lengths are counted.
    pub unit: LengthUnit,
    /// Longest text of one post.
    pub text: usize,
    /// Most actions in one post.
    pub actions: usize,
    /// Most choices of a menu.
    pub choices: usize,
    /// Whether replies form a thread under the message.
    pub threads: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { unit: LengthUnit::Characters, text: 4_000, actions: 10, choices: 25, threads: false }
    }
}

/// Who shares a rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RatePer {
    /// All that one installation sends.
    #[default]
    Installation,
    /// All installations on one server.
    Origin,
    /// What goes to one conversation.
    Conversation,
}

/// A token bucket.
///
/// ```
/// use chatport_sdk::descriptor::Rate;
/// // 30 messages a second for a bot, 20 a minute for each group that it is in.
/// const RATES: &[Rate] = &[Rate::per_installation("bot", 30.0, 30), Rate::per_conversation("group", 20.0 / 60.0, 3)];
/// ```
///
/// ```
/// use chatport_sdk::prelude::*;
///
/// // 30 a second for the bot, and among them one a second in each chat, after a burst of three.
/// const RATES: &[Rate] = &[Rate::per_installation("bot", 30.0, 30), Rate::per_conversation("chat", 1.0, 3)];
/// assert_eq!(RATES[1].burst, 3);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rate {
    /// Its name; also the key by which an operator overrides it.
    #[serde(skip_deserializing, default)]
    pub name: &'static str,
    /// Who shares it.
    #[serde(default)]
    pub per: RatePer,
    /// How many in a second, in the long run.
    pub per_second: f64,
    /// How many at once.
    pub burst: u32,
}

impl Rate {
    /// A rate for all that one installation sends.
    pub const fn per_installation(name: &'static str, per_second: f64, burst: u32) -> Self {
        Self { name, per: RatePer::Installation, per_second, burst }
    }

    /// A rate for all installations on one server.
    pub const fn per_origin(name: &'static str, per_second: f64, burst: u32) -> Self {
        Self { name, per: RatePer::Origin, per_second, burst }
    }

    /// A rate for what goes to one conversation.
    pub const fn per_conversation(name: &'static str, per_second: f64, burst: u32) -> Self {
        Self { name, per: RatePer::Conversation, per_second, burst }
    }
}
