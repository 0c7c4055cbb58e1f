//! A world: people, conversations and the posts in them, with the rules that a chat platform
//! has: who may write where, what a thread is, what remains of an edit or a deletion. It
//! knows neither the contract's parts nor HTTP.

use std::collections::{BTreeMap, VecDeque};

use chatport_sdk::{
    commands::DeclaredCommand,
    identity::{Account, Address, Conversation, ConversationKind},
    secret::Secret,
    time::Timestamp,
};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;

use crate::card::Card;

/// The bot's id in every world.
pub(crate) const BOT: &str = "bot";
/// From where a new world counts its ids.
pub(crate) const FIRST_ID: u64 = 1;
/// Most posts of a world; the oldest are forgotten first.
const MAX_POSTS: usize = 1_000;
/// Most earlier versions of a post; the oldest are forgotten first.
const MAX_EARLIER: usize = 50;
/// Most notices of a world; the oldest are forgotten first.
const MAX_NOTICES: usize = 200;

const PEOPLE: [(&str, &str); 3] = [("ada", "Ada Lovelace"), ("grace", "Grace Hopper"), ("linus", "Linus Torvalds")];
const CHANNELS: [(&str, &str, &[&str], bool); 4] = [
    ("incidents", "Incidents", &[BOT, "ada", "grace", "linus"], false),
    ("general", "General", &[BOT, "ada", "grace", "linus"], false),
    ("private", "Private", &["ada", "grace"], false),
    ("archive", "Archive", &[BOT, "ada", "grace", "linus"], true),
];

/// People, conversations and posts.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct World {
    pub(crate) name: String,
    next_post: u64,
    next_happening: u64,
    pub(crate) people: Vec<Person>,
    pub(crate) places: Vec<Place>,
    posts: BTreeMap<u64, Post>,
    pub(crate) notices: VecDeque<Notice>,
    /// What people can type to the bot; `None`: it isn't known (any more).
    #[serde(default = "no_commands")]
    pub(crate) commands: Option<Vec<DeclaredCommand>>,
}

/// What a world knows that was kept before there were commands.
fn no_commands() -> Option<Vec<DeclaredCommand>> {
    Some(Vec::new())
}

/// A person.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// A channel or a direct conversation.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) direct: bool,
    pub(crate) members: Vec<String>,
    pub(crate) archived: bool,
}

/// Something that somebody wrote.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Post {
    pub(crate) number: u64,
    pub(crate) place: String,
    pub(crate) by: String,
    pub(crate) at: Timestamp,
    /// The post that starts the thread in which this is.
    pub(crate) root: Option<u64>,
    pub(crate) card: Card,
    /// Set for what was delivered through the host.
    pub(crate) delivered: Option<Delivered>,
    /// The happening that a person's message became.
    pub(crate) happening: Option<String>,
    pub(crate) earlier: VecDeque<Version>,
    pub(crate) edited_at: Option<Timestamp>,
    pub(crate) deleted_at: Option<Timestamp>,
}

/// Which copy a post is, and what its buttons carry.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Delivered {
    pub(crate) copy: String,
    pub(crate) part: u16,
    pub(crate) revision: i64,
    pub(crate) tokens: Vec<ButtonToken>,
}

/// What a button carries. Readers never see it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ButtonToken {
    pub(crate) action: String,
    #[serde(serialize_with = "expose")]
    pub(crate) token: Secret,
}

fn expose<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

/// What a post showed before it was edited.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Version {
    pub(crate) until: Timestamp,
    #[serde(flatten)]
    pub(crate) card: Card,
}

/// A line that one person alone sees.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Notice {
    pub(crate) to: String,
    pub(crate) place: String,
    pub(crate) about: Option<String>,
    pub(crate) text: String,
    pub(crate) at: Timestamp,
}

/// Something to be written.
pub(crate) struct Draft {
    pub(crate) by: String,
    pub(crate) place: String,
    pub(crate) reply_to: Option<u64>,
    pub(crate) card: Card,
    pub(crate) delivered: Option<Delivered>,
    pub(crate) happening: Option<String>,
    pub(crate) at: Timestamp,
}

/// Why a world refuses something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("there is no person `{0}` in this world")]
    NoPerson(String),
    #[error("there is no conversation `{0}` in this world")]
    NoPlace(String),
    #[error("`{who}` is not a member of `{place}`")]
    NotMember { who: String, place: String },
    #[error("`{0}` is archived: nobody can write there")]
    Archived(String),
    #[error("there is no post `{0}` here")]
    NoPost(String),
    #[error("the post `{0}` has been deleted")]
    Deleted(String),
}

/// The id of a post by its number.
pub(crate) fn post_id(number: u64) -> String {
    format!("p{number}")
}

/// The number of a post by its id.
fn post_number(id: &str) -> Option<u64> {
    let number = id.strip_prefix('p')?.parse().ok()?;
    (post_id(number) == id).then_some(number)
}

impl World {
    /// The world as it starts. Ids count from `first`: a world that was lost is replaced by
    /// one with ids that the lost one didn't reach.
    pub(crate) fn new(name: &str, first: u64) -> Self {
        let people = PEOPLE.map(|(id, name)| Person { id: id.into(), name: name.into() });
        let channels = CHANNELS.map(|(id, name, members, archived)| Place {
            id: id.into(),
            name: name.into(),
            direct: false,
            members: members.iter().map(|&member| member.into()).collect(),
            archived,
        });
        let direct = people.iter().map(|person| Place {
            id: format!("dm-{}", person.id),
            name: person.name.clone(),
            direct: true,
            members: vec![BOT.into(), person.id.clone()],
            archived: false,
        });
        Self {
            name: name.into(),
            next_post: first,
            next_happening: first,
            places: channels.into_iter().chain(direct).collect(),
            people: people.into(),
            posts: BTreeMap::new(),
            notices: VecDeque::new(),
            commands: if first == FIRST_ID { no_commands() } else { None },
        }
    }

    pub(crate) fn person(&self, id: &str) -> Result<&Person, Refusal> {
        self.people.iter().find(|person| person.id == id).ok_or_else(|| Refusal::NoPerson(id.into()))
    }

    pub(crate) fn place(&self, id: &str) -> Result<&Place, Refusal> {
        self.places.iter().find(|place| place.id == id).ok_or_else(|| Refusal::NoPlace(id.into()))
    }

    /// The conversation, if `who` is in it.
    pub(crate) fn place_of(&self, id: &str, who: &str) -> Result<&Place, Refusal> {
        let place = self.place(id)?;
        if place.has(who) { Ok(place) } else { Err(Refusal::NotMember { who: who.into(), place: id.into() }) }
    }

    /// A post that is still there.
    pub(crate) fn post(&self, id: &str) -> Result<&Post, Refusal> {
        let post = post_number(id).and_then(|number| self.posts.get(&number));
        let post = post.ok_or_else(|| Refusal::NoPost(id.into()))?;
        if post.deleted_at.is_some() { Err(Refusal::Deleted(id.into())) } else { Ok(post) }
    }

    /// The posts of a conversation, oldest first, with what is left of deleted ones.
    pub(crate) fn posts_in<'a>(&'a self, place: &'a str) -> impl Iterator<Item = &'a Post> {
        self.posts.values().filter(move |post| post.place == place)
    }

    /// The post that a person's message with this happening made.
    pub(crate) fn post_of_happening(&self, id: &str) -> Option<&Post> {
        self.posts.values().rev().find(|post| post.happening.as_deref() == Some(id))
    }

    /// The id of the next happening.
    pub(crate) fn next_happening(&mut self) -> String {
        let id = format!("h{}", self.next_happening);
        self.next_happening = self.next_happening.saturating_add(1);
        id
    }

    /// Write something.
    pub(crate) fn write(&mut self, draft: Draft) -> Result<Post, Refusal> {
        let place = self.place_of(&draft.place, &draft.by)?;
        if place.archived {
            return Err(Refusal::Archived(draft.place));
        }
        let target = draft.reply_to.map(|number| self.post_in(&draft.place, number)).transpose()?;
        let root = target.map(|target| target.root.unwrap_or(target.number));
        let number = self.next_post;
        self.next_post = number.saturating_add(1);
        let post = Post {
            number,
            place: draft.place,
            by: draft.by,
            at: draft.at,
            root,
            card: draft.card,
            delivered: draft.delivered,
            happening: draft.happening,
            earlier: VecDeque::new(),
            edited_at: None,
            deleted_at: None,
        };
        self.posts.insert(number, post.clone());
        while self.posts.len() > MAX_POSTS {
            self.posts.pop_first();
        }
        Ok(post)
    }

    fn post_in(&self, place: &str, number: u64) -> Result<&Post, Refusal> {
        let post = self.post(&post_id(number))?;
        if post.place == place { Ok(post) } else { Err(Refusal::NoPost(post_id(number))) }
    }

    /// Let a delivered post show something else. The same again changes nothing.
    pub(crate) fn edit(&mut self, id: &str, card: Card, delivered: Delivered, at: Timestamp) -> Result<(), Refusal> {
        let number = self.post(id)?.number;
        let post = self.posts.get_mut(&number).ok_or_else(|| Refusal::NoPost(id.into()))?;
        post.delivered = Some(delivered);
        if post.card != card {
            post.earlier.push_back(Version { until: at, card: std::mem::replace(&mut post.card, card) });
            post.edited_at = Some(at);
            while post.earlier.len() > MAX_EARLIER {
                post.earlier.pop_front();
            }
        }
        Ok(())
    }

    /// Take a post back. Its place in the thread remains, its content doesn't.
    pub(crate) fn delete(&mut self, id: &str, at: Timestamp) -> Result<(), Refusal> {
        let number = self.post(id)?.number;
        if let Some(post) = self.posts.get_mut(&number) {
            post.card = Card::default();
            post.earlier.clear();
            post.deleted_at = Some(at);
            if let Some(delivered) = &mut post.delivered {
                delivered.tokens.clear();
            }
        }
        Ok(())
    }

    /// Show a line to one person alone.
    pub(crate) fn notify(&mut self, notice: Notice) {
        self.notices.push_back(notice);
        while self.notices.len() > MAX_NOTICES {
            self.notices.pop_front();
        }
    }

    /// A place as the host knows it.
    pub(crate) fn conversation(&self, place: &Place) -> Conversation {
        Conversation {
            id: place.id.clone(),
            address: address_of(&place.id),
            kind: if place.direct { ConversationKind::Direct } else { ConversationKind::Channel },
            name: place.id.clone(),
            display_name: place.name.clone(),
            team: self.name.clone(),
        }
    }
}

impl Place {
    pub(crate) fn has(&self, who: &str) -> bool {
        self.members.iter().any(|member| member == who)
    }
}

impl Post {
    pub(crate) fn id(&self) -> String {
        post_id(self.number)
    }
}

impl Person {
    /// The person as the host knows them.
    pub(crate) fn account(&self) -> Account {
        let mut account = Account::new(&self.id);
        account.username = self.id.clone();
        account.display_name = self.name.clone();
        account.direct = Some(address_of(&direct_place(&self.id)));
        account
    }
}

/// The id of the direct conversation with a person.
pub(crate) fn direct_place(person: &str) -> String {
    format!("dm-{person}")
}

/// How to post in a conversation.
pub(crate) fn address_of(place: &str) -> Address {
    Address(json!({ "v": 1, "conversation": place }))
}
