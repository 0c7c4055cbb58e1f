//! The reference backend's directory and commands, and how it renews its credential.

use chatport_sdk::{
    commands::{Commands, DeclaredCommand, Synced},
    directory::{Directory, Entry, EntryKind, Lookup, Page, Posting, Search},
    prelude::*,
};
use serde_json::{Value, json};

use crate::{
    backend::{Kind, LoftBackend, token},
    flaw::Flaw,
};

fn entry(kind: EntryKind, id: &str) -> Entry {
    if kind == EntryKind::People {
        let mut account = Account::new(id);
        account.username = id.to_owned();
        return Entry::Person(account);
    }
    let conversation = Conversation {
        id: id.to_owned(),
        address: Address(json!({ "v": 1, "loft": id })),
        kind: ConversationKind::Channel,
        name: id.to_owned(),
        display_name: id.to_owned(),
        team: String::new(),
    };
    Entry::Channel { conversation, posting: Posting::Member }
}

impl LoftBackend {
    async fn list(&self, site: &Site, search: &Search) -> Result<(Vec<String>, bool), Failure> {
        let list = if search.kind == EntryKind::People { "people" } else { "lofts" };
        let path = match self.is(Flaw::QueryNotEscaped) {
            true => format!("/api/{list}/{}", search.query),
            false => {
                let mut url = Url::parse("https://loft.example.com").expect("an address");
                let limit = search.limit.to_string();
                let mut pairs = url.query_pairs_mut();
                pairs.append_pair("query", &search.query).append_pair("limit", &limit);
                pairs.append_pair("after", search.cursor.as_deref().unwrap_or_default());
                drop(pairs);
                format!("/api/{list}?{}", url.query().unwrap_or_default())
            }
        };
        let found = self.call(site, &token(site)?, http::Method::GET, &path, None, Kind::Repeatable).await?;
        let ids = found["ids"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
        Ok((ids.collect(), found["more"] == true))
    }
}

#[async_trait]
impl Directory for LoftBackend {
    async fn search(&self, site: &Site, search: &Search) -> Result<Page, Failure> {
        let mut asked = search.clone();
        if self.is(Flaw::PageRepeated) {
            asked.cursor = None;
        }
        let (mut ids, more) = self.list(site, &asked).await?;
        let next = ids.last().filter(|_| more).cloned();
        if self.is(Flaw::PlaceNotListed) {
            ids.retain(|id| id != crate::platform::LOFT);
        }
        Ok(Page { entries: ids.iter().map(|id| entry(search.kind, id)).collect(), next })
    }

    async fn resolve(&self, site: &Site, wanted: &Lookup) -> Result<Vec<Entry>, Failure> {
        let Lookup::Name(name) = wanted else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for kind in [EntryKind::People, EntryKind::Channels] {
            let (ids, _) = self.list(site, &Search::new(kind, name.as_str(), 3)).await?;
            found.extend(ids.iter().filter(|id| *id == name).map(|id| entry(kind, id)));
        }
        Ok(found)
    }
}

#[async_trait]
impl Commands for LoftBackend {
    async fn sync(&self, site: &Site, commands: &[DeclaredCommand]) -> Result<Synced, Failure> {
        if commands.is_empty() && self.is(Flaw::OldCommandsLeft) {
            return Ok(Synced::default());
        }
        let names: Vec<&str> = commands.iter().map(|command| command.name.as_str()).collect();
        let body = Some(json!({ "commands": names }));
        match self.call(site, &token(site)?, http::Method::PUT, "/api/commands", body, Kind::Repeatable).await {
            Err(failure) if !self.is(Flaw::CommandsOutageSwallowed) => Err(failure),
            _ => Ok(Synced::default()),
        }
    }
}

#[async_trait]
impl Renew for LoftBackend {
    fn kinds(&self, _: &Site) -> &'static [&'static str] {
        &["api_token"]
    }

    async fn renew(&self, site: &Site, _: &str) -> Result<Renewal, Failure> {
        let made = self.call(site, &token(site)?, http::Method::POST, "/api/token", None, Kind::Repeatable).await?;
        let kind = if self.is(Flaw::AnotherKindRenewed) { "signing" } else { "api_token" };
        let value = made["token"].as_str().ok_or_else(|| Failure::new(Cause::Unavailable, "no token came"))?;
        Ok(Renewal::Renewed(vec![NewToken::new(kind, Secret::new(value))]))
    }
}
