//! The names of things, each with a type of its own, so that one can't stand in for another.

use std::fmt;

use chatport_sdk::schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The application's own id of an organization: 1 to 128 of `[A-Za-z0-9._:@-]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct OrganizationId(String);

impl OrganizationId {
    /// Check and wrap; `None` if the text isn't allowed.
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._:@-".contains(c);
        ((1..=128).contains(&text.len()) && text.chars().all(allowed)).then(|| Self(text.to_owned()))
    }

    /// Wrap what the database holds.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrganizationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(#[schemars(with = "String")] pub Uuid);

        impl $name {
            /// A new one, later than those before.
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

uuid_ids! {
    /// One backend set up for one organization.
    InstallationId,
    /// A user of the application ↔ an account on a platform.
    LinkId,
    /// A conversation connected to an organization.
    ChannelId,
    /// A message.
    MessageId,
    /// A message at an address.
    CopyId,
    /// What is paced and ordered together.
    StreamId,
    /// What the host tells the application.
    EventId,
}
