//! Finding people and channels of a world: what the bot may see there. Everybody has the
//! mail address `{id}@example.com`.

use chatport_sdk::prelude::*;

use crate::{
    SandboxBackend,
    world::{BOT, World},
};

#[async_trait]
impl Directory for SandboxBackend {
    /// The cursor is how many entries were shown.
    async fn search(&self, site: &Site, search: &Search) -> Result<Page, Failure> {
        let unknown = |_| Failure::new(Cause::ContentRejected, "isn't one of our cursors");
        let shown: usize = search.cursor.as_deref().map_or(Ok(0), str::parse).map_err(unknown)?;
        let query = search.query.to_lowercase();
        let fits = |id: &str, name: &str| id.contains(&query) || name.to_lowercase().contains(&query);
        let mut entries = self.worlds.read(site, |world| match search.kind {
            EntryKind::People => people(world, fits),
            EntryKind::Channels => channels(world, fits),
            _ => Vec::new(),
        })?;
        let until = shown.saturating_add(search.limit);
        let next = (entries.len() > until).then(|| until.to_string());
        entries.truncate(until);
        Ok(Page { entries: entries.split_off(shown.min(entries.len())), next })
    }

    async fn resolve(&self, site: &Site, wanted: &Lookup) -> Result<Vec<Entry>, Failure> {
        Ok(self.worlds.read(site, |world| match wanted {
            Lookup::Email(email) => people(world, |id, _| email.eq_ignore_ascii_case(&format!("{id}@example.com"))),
            Lookup::Name(name) => {
                let is_it = |id: &str, _: &str| id.eq_ignore_ascii_case(name);
                [people(world, is_it), channels(world, is_it)].concat()
            }
            _ => Vec::new(),
        })?)
    }
}

fn people(world: &World, fits: impl Fn(&str, &str) -> bool) -> Vec<Entry> {
    let found = world.people.iter().filter(|person| fits(&person.id, &person.name));
    found.map(|person| Entry::Person(person.account())).collect()
}

/// Channels that the bot isn't in are private.
fn channels(world: &World, fits: impl Fn(&str, &str) -> bool) -> Vec<Entry> {
    let visible = world.places.iter().filter(|place| !place.direct && place.has(BOT));
    let found = visible.filter(|place| fits(&place.id, &place.name));
    let posting = |archived: bool| if archived { Posting::Archived } else { Posting::Member };
    found
        .map(|place| Entry::Channel { conversation: world.conversation(place), posting: posting(place.archived) })
        .collect()
}
