//! Secrets that an installation keeps: verification codes, install secrets, webhook
//! secrets and platform credentials alike are rows of one table, typed by backend and kind.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{secret::Secret, time::Timestamp};

/// One kind of token that a backend keeps; declared in its descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenKind {
    /// Its name within the backend: `[a-z][a-z0-9_]*`.
    pub name: &'static str,
    /// Whether it is compared or used.
    pub usage: TokenUse,
    /// Who makes it up.
    pub origin: TokenOrigin,
    /// How long it lives, unless the token says otherwise.
    pub lifetime: Option<Duration>,
}

/// What a token is for; decides how it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenUse {
    /// Only compared with what is presented: a keyed digest is stored.
    Compare,
    /// Used again: sealed, and revealed by `site.tokens`.
    Reveal,
}

/// Who makes a token up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenOrigin {
    /// The backend, from the host's randomness.
    Host,
    /// The platform.
    Platform,
    /// A person, who pastes it.
    Person,
}

/// A token to be stored, together with whatever brought it, in one transaction.
///
/// ```
/// use chatport_sdk::prelude::*;
///
/// let token = NewToken::new("command_token", Secret::new("x1y2")).labelled("acme");
/// assert_eq!(token.kind, "command_token");
/// ```
#[derive(Clone, Debug)]
pub struct NewToken {
    /// The kind's name.
    pub kind: &'static str,
    /// The value.
    pub value: Secret,
    /// Tells several of one kind apart (e.g. the team of a command token).
    pub label: Option<String>,
    /// When it runs out, if that is known.
    pub expires_at: Option<Timestamp>,
    /// What becomes of older tokens of the kind.
    pub replace: Replace,
}

impl NewToken {
    /// A token that replaces the older ones of its kind.
    pub fn new(kind: &'static str, value: Secret) -> Self {
        Self { kind, value, label: None, expires_at: None, replace: Replace::All }
    }

    /// One of several of its kind: replaces only the older one with the same label.
    pub fn labelled(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self.replace = Replace::SameLabel;
        self
    }

    /// Runs out at this time.
    pub fn expires_at(mut self, at: Timestamp) -> Self {
        self.expires_at = Some(at);
        self
    }

    /// In use from now on; the one before it stays valid for an hour.
    pub fn rotating(mut self) -> Self {
        self.replace = Replace::AfterGrace;
        self
    }

    /// Not in use yet: what is in use stays until the platform has shown that it uses this one.
    pub fn awaiting_confirmation(mut self) -> Self {
        self.replace = Replace::OnceConfirmed;
        self
    }
}

/// What becomes of older tokens when a new one is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Replace {
    /// All of the kind are revoked at once.
    #[default]
    All,
    /// Those with the same label are revoked at once.
    SameLabel,
    /// This one is in use from now on. The newest other one stays usable for one more hour;
    /// the rest are revoked. A value that is stored already (as with [`Self::OnceConfirmed`])
    /// isn't stored again: handing it over once more confirms it.
    AfterGrace,
    /// This one waits until the platform is known to use it; what is in use stays as it is,
    /// for as long as it takes. Of those that wait only the newest is kept. When the platform
    /// has used it, hand the same value over with [`Self::AfterGrace`], e.g. in
    /// [`Installed`](crate::happening::HappeningKind::Installed).
    OnceConfirmed,
}

/// A stored token that may be used.
#[derive(Clone, Debug)]
pub struct Token {
    /// The value.
    pub value: Secret,
    /// Tells several of one kind apart.
    pub label: Option<String>,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When it runs out.
    pub expires_at: Option<Timestamp>,
}
