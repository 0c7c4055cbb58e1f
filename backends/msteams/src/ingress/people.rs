//! Who did it. The connector's token doesn't cover the body, so whoever an activity names is
//! looked up in the conversation's roster. What was found is remembered for a while.

use std::time::Duration;

use chatport_sdk::{crypto, prelude::*};

use super::Proven;
use crate::{
    TeamsBackend,
    address::split,
    connector::{Connector, Member},
    memory::Bounded,
    settings::ServiceUrl,
};

/// How long somebody who was found is taken to be still there.
const REMEMBERED: Duration = Duration::from_secs(10 * 60);
/// Most people and places that are remembered.
const MAX_PEOPLE: usize = 20_000;
const MAX_PLACES: usize = 20_000;

/// What was heard: people that were found, and places with their services.
#[derive(Debug)]
pub(crate) struct Heard {
    people: Bounded<Found>,
    services: Bounded<ServiceUrl>,
    /// The service of each place that the host is known to have stored.
    pub(super) stored: Bounded<String>,
}

#[derive(Clone)]
struct Found {
    until: Timestamp,
    name: String,
    username: String,
    directory_id: String,
}

impl Default for Heard {
    fn default() -> Self {
        Self { people: Bounded::new(MAX_PEOPLE), services: Bounded::new(MAX_PLACES), stored: Bounded::new(MAX_PLACES) }
    }
}

/// A key of this installation.
pub(super) fn key(site: &Site, parts: &[&str]) -> String {
    let text = parts.iter().fold(site.slot().to_owned(), |text, part| format!("{text}\n{part}"));
    crypto::hex(&crypto::sha256(text.as_bytes()))
}

impl Heard {
    /// Remember which service a conversation was just heard from: the answer goes there.
    pub(super) fn note_service(&self, site: &Site, proven: &Proven) {
        let conversation = split(&proven.activity.conversation.id).0;
        self.services.put(key(site, &[conversation]), proven.service.clone());
    }

    /// The service from which a conversation was last heard by this process.
    pub(crate) fn service(&self, site: &Site, conversation: &str) -> Option<ServiceUrl> {
        self.services.get(&key(site, &[split(conversation).0]))
    }
}

/// Why nobody is known to have done it.
pub(super) enum Nobody {
    /// There is no such member.
    NotThere,
    /// The roster couldn't be asked.
    Unknown,
}

impl TeamsBackend {
    /// The person whom an activity names, as the roster knows them.
    pub(super) async fn person(&self, site: &Site, proven: &Proven) -> Result<Account, Nobody> {
        let (activity, from) = (&proven.activity, &proven.activity.from);
        let roster = split(&activity.conversation.id).0;
        let key = key(site, &[proven.service.as_str(), roster, &from.id]);
        let known = self.heard.people.get(&key).filter(|found| site.now() < found.until);
        let found = match known {
            Some(found) => found,
            None => {
                let member = self.look_up(site, &proven.service, roster, &from.id).await?;
                let until = site.now().plus(REMEMBERED);
                let directory_id = member.directory_id().to_owned();
                let found = Found { until, name: member.name, username: member.user_principal_name, directory_id };
                self.heard.people.put(key, found.clone());
                found
            }
        };
        let claimed = &from.aad_object_id;
        if !claimed.is_empty() && !found.directory_id.is_empty() && *claimed != found.directory_id {
            return Err(Nobody::NotThere);
        }
        let mut account = Account::new(&from.id);
        account.username = found.username;
        account.display_name = if found.name.is_empty() { from.name.clone() } else { found.name };
        Ok(account)
    }

    async fn look_up(&self, site: &Site, service: &ServiceUrl, roster: &str, id: &str) -> Result<Member, Nobody> {
        let found = async { Connector::borrowing(site, service, &self.borrowed).await?.member(roster, id).await };
        match found.await {
            Ok(Some(member)) => Ok(member),
            Ok(None) => Err(Nobody::NotThere),
            Err(_) => Err(Nobody::Unknown),
        }
    }
}
