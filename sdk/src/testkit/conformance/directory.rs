//! The directory: it finds what is there, page by page, and nothing breaks it.

use std::collections::BTreeSet;

use super::{super::hostile, Finding, Fixture, Obstacle, Ready, ensure};
use crate::{
    directory::{Directory, Entry, EntryKind, Lookup, MAX_QUERY, Search, is_cursor},
    testkit::Dice,
};

const ABSENT: Obstacle = Obstacle::Absent("the backend finds nobody");

impl Ready {
    fn directory(&self) -> Result<&dyn Directory, Obstacle> {
        self.backend.directory().ok_or(ABSENT)
    }
}

async fn ready(fixture: &dyn Fixture) -> Result<Ready, Obstacle> {
    fixture.backend().directory().ok_or(ABSENT)?;
    Ready::new(fixture).await
}

fn id_of(entry: &Entry) -> &str {
    match entry {
        Entry::Person(account) => &account.id,
        Entry::Channel { conversation, .. } => &conversation.id,
    }
}

/// All that fits, page by page.
async fn all(ready: &Ready, kind: EntryKind, query: &str, limit: usize) -> Result<Vec<Entry>, Obstacle> {
    let (mut found, mut cursor, mut ids) = (Vec::new(), None, BTreeSet::new());
    for _ in 0..500 {
        let search = Search::new(kind, query, limit).after(cursor);
        let page = ready.directory()?.search(&ready.stage.site(), &search).await;
        let page = page.map_err(|failure| format!("search: {failure}"))?;
        ensure!(page.entries.len() <= limit, "a page of {} where {limit} was asked for", page.entries.len());
        for entry in page.entries {
            ensure!(ids.insert(id_of(&entry).to_owned()), "`{}` is on two pages", id_of(&entry));
            let fits = matches!(
                (kind, &entry),
                (EntryKind::People, Entry::Person(_)) | (EntryKind::Channels, Entry::Channel { .. })
            );
            ensure!(fits, "{kind:?} were looked for, and {entry:?} was found");
            found.push(entry);
        }
        let Some(next) = page.next else { return Ok(found) };
        ensure!(!next.is_empty() && is_cursor(&next), "the cursor `{next}` isn't one");
        cursor = Some(next);
    }
    Err(Obstacle::Broken("the pages don't come to an end".into()))
}

pub(super) async fn the_directory_finds_what_is_there(fixture: &dyn Fixture) -> Finding {
    let ready = ready(fixture).await?;
    let place = ready.stage.platform.place();
    let is_place = |entry: &Entry| match entry {
        Entry::Channel { conversation, posting } => {
            conversation.id == place.id && conversation.address == place.address && posting.is_possible()
        }
        Entry::Person(_) => false,
    };
    let found = all(&ready, EntryKind::Channels, &place.name, 20).await?;
    ensure!(found.iter().any(is_place), "`{}`, where the bot can post, isn't among {found:?}", place.name);
    let named = ready.directory()?.resolve(&ready.stage.site(), &Lookup::Name(place.name.clone())).await;
    let named = named.map_err(|failure| format!("resolve: {failure}"))?;
    ensure!(named.iter().any(is_place), "the name `{}` stands for {named:?}", place.name);
    if let Some(person) = ready.stage.platform.person().filter(|person| !person.username.is_empty()) {
        let found = all(&ready, EntryKind::People, &person.username, 20).await?;
        ensure!(found.iter().any(|entry| id_of(entry) == person.id), "{} isn't among {found:?}", person.username);
    }
    Ok(())
}

pub(super) async fn pages_lead_to_an_end_and_repeat_nothing(fixture: &dyn Fixture) -> Finding {
    let ready = ready(fixture).await?;
    for kind in [EntryKind::People, EntryKind::Channels] {
        let (small, large) = (all(&ready, kind, "", 1).await?, all(&ready, kind, "", 50).await?);
        let ids = |entries: &[Entry]| entries.iter().map(|entry| id_of(entry).to_owned()).collect::<BTreeSet<_>>();
        ensure!(ids(&small) == ids(&large), "{} were found one by one, and {} at once", small.len(), large.len());
    }
    Ok(())
}

pub(super) async fn any_query_is_answered(fixture: &dyn Fixture) -> Finding {
    let ready = ready(fixture).await?;
    let dice = Dice::new(23);
    let queries = (0..200).map(|_| hostile::query(&dice, MAX_QUERY));
    let crafted = ["../../api/me", "a/b?c=d#e", "%00", "\u{0}", "*", "."].map(str::to_owned);
    for query in queries.chain(crafted) {
        let search = Search::new(EntryKind::Channels, query.as_str(), 5);
        let found = ready.directory()?.search(&ready.stage.site(), &search).await;
        ensure!(found.is_ok(), "looking for {query:?} became {found:?}");
        let named = ready.directory()?.resolve(&ready.stage.site(), &Lookup::Name(query.clone())).await;
        ensure!(named.is_ok(), "the name {query:?} became {named:?}");
    }
    Ok(())
}
