//! The optional parts that feed pickers and make commands known.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    NewToken, Take,
    bounds::{self, Broken},
    install::take_tokens,
};
use crate::{
    commands::{self, DeclaredCommand},
    descriptor::Descriptor,
    directory::{self, EntryKind, MAX_CURSOR, Posting, is_cursor},
    identity::{Account, Conversation},
};

/// Most entries of an answer.
const MAX_ENTRIES: usize = 500;
/// Most words on what could not be offered.
const MAX_MISSING: usize = 50;

/// A page that is asked for.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Searching {
    /// People or channels.
    pub kind: EntryKind,
    /// A part of a name; empty: everything.
    pub query: String,
    /// The `next` of the page before; null: the first page.
    pub cursor: Option<String>,
    /// Most entries of the page.
    pub limit: usize,
}

impl From<&directory::Search> for Searching {
    fn from(search: &directory::Search) -> Self {
        let (query, cursor) = (search.query.clone(), search.cursor.clone());
        Self { kind: search.kind, query, cursor, limit: search.limit }
    }
}

/// What is to be resolved: exactly one of the two.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Resolving {
    /// The mail address of a person.
    pub email: Option<String>,
    /// The whole short name of a person or channel.
    pub name: Option<String>,
}

impl From<&directory::Lookup> for Resolving {
    fn from(wanted: &directory::Lookup) -> Self {
        match wanted.clone() {
            directory::Lookup::Email(email) => Self { email: Some(email), name: None },
            directory::Lookup::Name(name) => Self { email: None, name: Some(name) },
        }
    }
}

/// A person or a channel.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "entry", rename_all = "snake_case", deny_unknown_fields)]
pub enum Entry {
    /// A person.
    Person {
        /// The account.
        account: Account,
    },
    /// A channel.
    Channel {
        /// The channel, as it can be connected.
        conversation: Conversation,
        /// Whether the bot can post there.
        posting: Posting,
    },
}

impl Take for Entry {
    type Taken = directory::Entry;

    fn take(self, backend: &Descriptor) -> Result<directory::Entry, Broken> {
        Ok(match self {
            Self::Person { account } => directory::Entry::Person(account.take(backend)?),
            Self::Channel { conversation, posting } => {
                directory::Entry::Channel { conversation: conversation.take(backend)?, posting }
            }
        })
    }
}

fn take_entries(entries: Vec<Entry>, backend: &Descriptor) -> Result<Vec<directory::Entry>, Broken> {
    bounds::count("entries", &entries, MAX_ENTRIES)?;
    entries.into_iter().map(|entry| entry.take(backend)).collect()
}

/// One page of what was found.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// What fits.
    pub entries: Vec<Entry>,
    /// Where to go on; absent at the end.
    #[serde(default)]
    pub next: Option<String>,
}

impl Take for Page {
    type Taken = directory::Page;

    fn take(self, backend: &Descriptor) -> Result<directory::Page, Broken> {
        if !self.next.iter().all(|next| !next.is_empty() && is_cursor(next)) {
            return Err(Broken::new(format!("next must have 1 to {MAX_CURSOR} plain characters")));
        }
        Ok(directory::Page { entries: take_entries(self.entries, backend)?, next: self.next })
    }
}

/// What a name or an address stands for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resolved {
    /// Usually one or none.
    pub entries: Vec<Entry>,
}

impl Take for Resolved {
    type Taken = Vec<directory::Entry>;

    fn take(self, backend: &Descriptor) -> Result<Vec<directory::Entry>, Broken> {
        take_entries(self.entries, backend)
    }
}

/// The commands that the application has declared.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Declaring {
    /// All of them.
    pub commands: Vec<DeclaredCommand>,
}

/// What came of making commands known.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Synced {
    /// Tokens to store.
    pub tokens: Vec<NewToken>,
    /// What could not be offered, in words.
    pub missing: Vec<String>,
}

impl Take for Synced {
    type Taken = commands::Synced;

    fn take(self, backend: &Descriptor) -> Result<commands::Synced, Broken> {
        bounds::count("missing", &self.missing, MAX_MISSING)?;
        let missing = self.missing.iter().map(|words| bounds::words(words)).collect();
        Ok(commands::Synced { tokens: take_tokens(self.tokens, backend)?, missing })
    }
}
