//! Who and where on a platform.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where to post: owned by the backend, opaque to the host, stored whole.
///
/// Put a version into it (`{"v":1,…}`) so that a later release can read what an earlier one
/// stored. Whatever is needed to post belongs here; the host looks nothing up.
///
/// ```
/// use chatport_sdk::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// struct Board {
///     v: u8,
///     board: String,
/// }
///
/// let town = Board { v: 1, board: "town".into() };
/// let address = Address::of(&town)?;
/// assert_eq!(address.read::<Board>()?, town);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Address(pub Value);

impl Address {
    /// Store `value` as an address. Fails only for values that JSON can't hold.
    pub fn of<T: Serialize>(value: &T) -> Result<Self, serde_json::Error> {
        serde_json::to_value(value).map(Self)
    }

    /// Read the address back as the backend's own type.
    pub fn read<T: for<'de> Deserialize<'de>>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(&self.0)
    }
}

/// A person (or bot) on a platform. Matched on `id` alone: names can be changed and reused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// The platform's immutable id.
    pub id: String,
    /// The name by which people mention it, without a sign such as `@`; may be empty.
    #[serde(default)]
    pub username: String,
    /// The name that people read.
    #[serde(default)]
    pub display_name: String,
    /// Where a direct message to this person goes, where the platform has told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direct: Option<Address>,
}

impl Account {
    /// An account of which only the id is known.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), username: String::new(), display_name: String::new(), direct: None }
    }

    /// The best name to show.
    pub fn name(&self) -> &str {
        [&self.display_name, &self.username, &self.id].into_iter().find(|name| !name.is_empty()).map_or("", |s| s)
    }
}

/// What sort of place a conversation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ConversationKind {
    /// Between one person and the bot.
    Direct,
    /// Several people, by invitation.
    Group,
    /// A channel of a team; whether it is open to all is the platform's matter.
    Channel,
}

/// A place on a platform where people talk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Conversation {
    /// The backend's key for it, unique within an installation and stable over time.
    pub id: String,
    /// How to post there.
    pub address: Address,
    /// What sort of place it is.
    pub kind: ConversationKind,
    /// The short name, e.g. `incidents`; may be empty.
    #[serde(default)]
    pub name: String,
    /// The name that people read.
    #[serde(default)]
    pub display_name: String,
    /// The team or workspace that it belongs to; may be empty.
    #[serde(default)]
    pub team: String,
}

/// What an installation turned out to be: stored when setup is complete.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// The server or workspace, e.g. `https://chat.example.com`.
    pub server: String,
    /// The platform's id of the bot.
    pub account: String,
    /// The name that people read.
    pub display_name: String,
    /// What else the backend wants to find again in [`Site::identity`](crate::site::Site::identity);
    /// never a secret.
    #[serde(default)]
    pub details: Value,
}
