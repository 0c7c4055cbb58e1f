//! Who and what is on a platform, for pickers: people and channels by a part of their name,
//! an address or a whole name. It shows what the bot may see and nothing more.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    async_trait,
    failure::Failure,
    identity::{Account, Conversation},
    site::Site,
};

/// Longest query, name or address that is looked for, in characters.
pub const MAX_QUERY: usize = 128;

/// Longest cursor of a page, in bytes.
pub const MAX_CURSOR: usize = 512;

/// Whether a text can be a [`Page::next`].
pub fn is_cursor(text: &str) -> bool {
    text.len() <= MAX_CURSOR && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
}

/// The directory of a platform.
///
/// What the bot may not see must not be in it: above all no private channel that the bot
/// isn't in, whatever rights the bot has. Nothing is changed on the platform.
///
/// ```
/// use chatport_sdk::prelude::*;
///
/// struct Noticeboard;
///
/// #[async_trait]
/// impl Directory for Noticeboard {
///     async fn search(&self, site: &Site, search: &Search) -> Result<Page, Failure> {
///         let mut url = Url::parse("https://board.example.com/api/people").expect("an address");
///         url.query_pairs_mut()
///             .append_pair("q", &search.query)
///             .append_pair("after", search.cursor.as_deref().unwrap_or_default())
///             .append_pair("limit", &search.limit.to_string());
///         let ids: Vec<String> = site.http().get(url).send().await?.json()?;
///         let next = ids.last().filter(|_| ids.len() == search.limit).cloned();
///         Ok(Page { entries: ids.into_iter().map(|id| Entry::Person(Account::new(id))).collect(), next })
///     }
///
///     async fn resolve(&self, site: &Site, wanted: &Lookup) -> Result<Vec<Entry>, Failure> {
///         let Lookup::Name(name) = wanted else { return Ok(Vec::new()) };
///         let found = self.search(site, &Search::new(EntryKind::People, name.as_str(), 20)).await?;
///         Ok(found.entries.into_iter().filter(|entry| matches!(entry, Entry::Person(it) if it.id == *name)).collect())
///     }
/// }
/// ```
#[async_trait]
pub trait Directory: Send + Sync {
    /// One page of what fits a query, in an order that stays. May use the network;
    /// repeatable. A page may be shorter than asked for, and even empty: only a page without
    /// `next` is the last one.
    ///
    /// # Errors
    /// A failure to look. Finding nothing is an empty page.
    async fn search(&self, site: &Site, search: &Search) -> Result<Page, Failure>;

    /// Everything that has exactly this address or name: usually one entry or none; a name
    /// may stand for a person and for a channel in each of several teams. May use the
    /// network; repeatable.
    ///
    /// # Errors
    /// A failure to look, e.g. [`PermissionDenied`](crate::failure::Cause::PermissionDenied)
    /// where addresses are hidden. Finding nothing is an empty list.
    async fn resolve(&self, site: &Site, wanted: &Lookup) -> Result<Vec<Entry>, Failure>;
}

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EntryKind {
    /// People to whom a message could be written.
    People,
    /// Channels that could be connected.
    Channels,
}

/// A page that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Search {
    /// People or channels.
    pub kind: EntryKind,
    /// A part of a name, trimmed, at most [`MAX_QUERY`] characters; empty: everything.
    pub query: String,
    /// The `next` of the page before, as the backend gave it; only ever together with the
    /// same kind and query.
    pub cursor: Option<String>,
    /// Most entries of the page, at least 1.
    pub limit: usize,
}

impl Search {
    /// The first page.
    pub fn new(kind: EntryKind, query: impl Into<String>, limit: usize) -> Self {
        Self { kind, query: query.into(), cursor: None, limit }
    }

    /// Go on where a page ended.
    pub fn after(mut self, cursor: Option<String>) -> Self {
        self.cursor = cursor;
        self
    }
}

/// What is to be resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lookup {
    /// The mail address of a person.
    Email(String),
    /// The whole short name of a person or channel, without a sign such as `@` or `#`.
    Name(String),
}

/// One page of what was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// What fits.
    pub entries: Vec<Entry>,
    /// Where to go on, opaque to the host: at most [`MAX_CURSOR`] of ASCII letters, digits
    /// and punctuation without `"` and `\\`. `None` at the end.
    pub next: Option<String>,
}

/// A person or a channel.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Entry {
    /// A person.
    Person(Account),
    /// A channel.
    Channel {
        /// The channel, as it can be connected.
        conversation: Conversation,
        /// Whether the bot can post there.
        posting: Posting,
    },
}

/// Whether the bot can post in a channel, and why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Posting {
    /// It is a member.
    Member,
    /// It isn't a member, and joins by itself with its first message.
    Joins,
    /// It isn't a member, and somebody must invite it first.
    NeedsInvitation,
    /// Nobody can post there.
    Archived,
}

impl Posting {
    /// Whether a message would arrive as things are.
    pub const fn is_possible(self) -> bool {
        matches!(self, Self::Member | Self::Joins)
    }
}
