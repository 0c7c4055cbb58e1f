//! What there is: one tenant with people, teams and chats, and one bot's registration.

use std::{collections::BTreeMap, time::Instant};

use serde_json::{Value, json};

use crate::{
    keys::KeySet,
    post::Post,
    refusal::{Asked, Reply},
};

/// What a stand-in is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// The bot's app id.
    pub app_id: String,
    /// The tenant.
    pub tenant_id: String,
    /// The bot's client secret.
    pub secret: String,
    /// The bot's certificate, DER, and its public key as the keys of a set.
    pub certificate: Option<(Vec<u8>, Value)>,
    /// How long access tokens last, in seconds.
    pub token_lifetime: u64,
    /// Whether limits of requests are kept.
    pub throttled: bool,
    /// The largest activity, in bytes of UTF-16. The documentation promises about 100 KB; less
    /// than 80 KB is what surely passes.
    pub largest: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            app_id: "5d3c8f2e-1b7a-4c9d-8e6f-0a1b2c3d4e5f".into(),
            tenant_id: "72f988bf-86f1-41af-91ab-2d7cd011db47".into(),
            secret: "Q~8s3cr3t-of-the-bot".into(),
            certificate: None,
            token_lifetime: 3_600,
            throttled: true,
            largest: 80 * 1024,
        }
    }
}

/// Somebody in the tenant.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) name: String,
    /// The id by which this bot knows them.
    pub(crate) id: String,
    pub(crate) aad: String,
    /// The personal chat with the bot.
    pub(crate) chat: String,
    /// Whether they have the app for themselves.
    pub(crate) has_app: bool,
    pub(crate) has_blocked: bool,
}

/// A team; its first channel has its id.
#[derive(Clone, Debug)]
pub(crate) struct Team {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) has_app: bool,
    pub(crate) members: Vec<String>,
    /// By name.
    pub(crate) channels: BTreeMap<String, String>,
}

/// A chat of several people.
#[derive(Clone, Debug)]
pub(crate) struct Chat {
    pub(crate) id: String,
    pub(crate) has_app: bool,
    pub(crate) members: Vec<String>,
}

/// What happens to a coming request instead.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) path: String,
    pub(crate) reply: Reply,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) options: Options,
    pub(crate) url: String,
    pub(crate) region: String,
    pub(crate) people: BTreeMap<String, Person>,
    pub(crate) teams: BTreeMap<String, Team>,
    pub(crate) chats: BTreeMap<String, Chat>,
    pub(crate) posts: Vec<Post>,
    pub(crate) sent: Vec<(String, Instant)>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) asked: Vec<Asked>,
    /// The connector's signing keys, newest first: number and name.
    pub(crate) signing: Vec<(usize, String)>,
    /// Whose access tokens are taken besides the login service's own.
    pub(crate) trusted: Option<KeySet>,
    /// Tokens issued before this are refused, in seconds since 1970.
    pub(crate) revoked_before: u64,
    pub(crate) counter: u64,
}

impl World {
    /// A new number, larger than all before; in milliseconds since 1970, as Teams numbers posts.
    pub(crate) fn next(&mut self) -> u64 {
        self.counter = (self.counter + 1).max(crate::teams::now_ms());
        self.counter
    }

    /// The address of the service at present.
    pub(crate) fn service_url(&self) -> String {
        format!("{}/{}/", self.url, self.region)
    }

    pub(crate) fn bot(&self) -> String {
        format!("28:{}", self.options.app_id)
    }

    pub(crate) fn person_by_id(&self, id: &str) -> Option<&Person> {
        self.people.values().find(|person| person.id == id)
    }

    /// The team and the name of a channel.
    pub(crate) fn channel(&self, id: &str) -> Option<(&Team, &str)> {
        self.teams.values().find_map(|team| {
            let (name, _) = team.channels.iter().find(|(_, channel)| *channel == id)?;
            Some((team, name.as_str()))
        })
    }

    /// Whether the bot may write to a conversation, given without a thread.
    pub(crate) fn may_write(&self, conversation: &str) -> Result<(), Reply> {
        if let Some((team, _)) = self.channel(conversation) {
            return if team.has_app { Ok(()) } else { Err(Reply::not_in_roster()) };
        }
        if let Some(chat) = self.chats.values().find(|chat| chat.id == conversation) {
            return if chat.has_app { Ok(()) } else { Err(Reply::not_in_roster()) };
        }
        match self.people.values().find(|person| person.chat == conversation) {
            Some(person) if person.has_app && !person.has_blocked => Ok(()),
            Some(_) => Err(Reply::blocked()),
            None => Err(Reply::no_conversation()),
        }
    }

    /// The ids of the members of a conversation or team.
    pub(crate) fn members(&self, conversation: &str) -> Option<Vec<&Person>> {
        let team = self
            .teams
            .values()
            .find(|team| team.id == conversation || team.channels.values().any(|it| it == conversation));
        let chat = self.chats.values().find(|chat| chat.id == conversation);
        let names = team.map(|team| &team.members).or(chat.map(|chat| &chat.members));
        match names {
            Some(names) => Some(names.iter().filter_map(|name| self.people.get(name)).collect()),
            None => self.people.values().find(|person| person.chat == conversation).map(|person| vec![person]),
        }
    }

    /// Limits of the documentation: sends of a bot to one thread.
    pub(crate) fn throttle(&mut self, thread: &str) -> Result<(), Reply> {
        if !self.options.throttled {
            return Ok(());
        }
        let now = Instant::now();
        let limits = [(1, 7), (2, 8), (30, 60)];
        for (seconds, most) in limits {
            let recent = |(to, at): &&(String, Instant)| to == thread && now.duration_since(*at).as_secs() < seconds;
            if self.sent.iter().filter(recent).count() >= most {
                return Err(Reply::too_many(seconds));
            }
        }
        self.sent.push((thread.to_owned(), now));
        Ok(())
    }
}

/// A person as rosters show them.
pub(crate) fn member(world: &World, person: &Person) -> Value {
    json!({
        "id": person.id, "name": person.name, "givenName": person.name, "surname": "",
        "email": upn(person), "userPrincipalName": upn(person), "aadObjectId": person.aad,
        "objectId": person.aad, "tenantId": world.options.tenant_id, "userRole": "user",
    })
}

fn upn(person: &Person) -> String {
    format!("{}@contoso.example", person.name.to_lowercase().replace(' ', "."))
}
