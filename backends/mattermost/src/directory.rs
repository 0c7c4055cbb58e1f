//! Finding people and channels with the bot's own rights. Private channels come only from
//! the list of those that the bot is in: a bot with more rights could see others, and what
//! it sees would be shown to people who may not.

use chatport_sdk::prelude::*;

use crate::{
    MattermostBackend,
    address::is_id,
    api::{Channel, Client, Team, User},
    delivery::bot_of,
};

/// The most accounts or channels that the server gives at once.
const PER_PAGE: usize = 200;
/// The most accounts that the server finds.
const MOST_FOUND: usize = 1_000;
/// How many calls one page may take; the next page goes on from there.
const MAX_CALLS: usize = 10;

#[async_trait]
impl Directory for MattermostBackend {
    async fn search(&self, site: &Site, search: &Search) -> Result<Page, Failure> {
        let client = Client::bot(site)?;
        match search.kind {
            EntryKind::People => people(&client, search).await,
            EntryKind::Channels => channels(&client, search).await,
            _ => Ok(Page::default()),
        }
    }

    async fn resolve(&self, site: &Site, wanted: &Lookup) -> Result<Vec<Entry>, Failure> {
        let client = Client::bot(site)?;
        match wanted {
            Lookup::Email(email) => {
                let found = client.user_by_email(email).await.map_err(hidden)?;
                Ok(found.and_then(person).into_iter().collect())
            }
            Lookup::Name(name) => named(&client, bot_of(site)?, name).await,
            _ => Ok(Vec::new()),
        }
    }
}

/// The server shows mail addresses to nobody but administrators.
fn hidden(mut failure: Failure) -> Failure {
    if failure.cause != Cause::PermissionDenied {
        return failure;
    }
    let detail = "the server hides mail addresses: they can be looked up only where *Show Email Address* is on";
    failure.detail = detail.into();
    failure
}

/// A person who could be written to.
fn person(user: User) -> Option<Entry> {
    (is_id(&user.id) && !user.is_bot && user.delete_at == 0).then(|| Entry::Person(user.account()))
}

/// A text that can be part of a user's or channel's short name.
fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_');
    (1..=64).contains(&text.len()) && text.bytes().all(allowed) && !matches!(text, "." | "..")
}

/// What is looked for, without the sign that people put before it.
fn term(query: &str) -> &str {
    query.trim_start_matches(['@', '~', '#']).trim()
}

/// The cursor is how many accounts were looked at.
async fn people(client: &Client<'_>, search: &Search) -> Result<Page, Failure> {
    let term = term(&search.query);
    let mut seen: usize = read_cursor(search.cursor.as_deref())?.unwrap_or(0);
    let mut page = Page::default();
    for _ in 0..MAX_CALLS {
        let (found, asked) = if term.is_empty() {
            let users = client.users(seen / PER_PAGE, PER_PAGE).await?;
            (users.into_iter().skip(seen % PER_PAGE).collect::<Vec<_>>(), PER_PAGE - seen % PER_PAGE)
        } else {
            // The search has no pages: ask for all up to the end of this one.
            let until = (seen + PER_PAGE).min(MOST_FOUND);
            let users = client.search_users(term, until.max(1)).await?;
            (users.into_iter().skip(seen).collect(), until.saturating_sub(seen))
        };
        let is_last = found.len() < asked || asked == 0;
        for user in found {
            if page.entries.len() == search.limit {
                page.next = Some(seen.to_string());
                return Ok(page);
            }
            seen += 1;
            page.entries.extend(person(user));
        }
        if is_last {
            return Ok(page);
        }
    }
    page.next = Some(seen.to_string());
    Ok(page)
}

fn read_cursor<T: std::str::FromStr>(cursor: Option<&str>) -> Result<Option<T>, Failure> {
    let read = |text: &str| text.parse().map_err(|_| Failure::new(Cause::ContentRejected, "isn't one of our cursors"));
    cursor.map(read).transpose()
}

/// Where the list of channels goes on: team by team, first the channels that the bot is in,
/// then the public ones that it could join.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Position {
    team: String,
    part: Part,
    /// How many of this part were looked at.
    seen: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Own,
    Public,
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let part = if self.part == Part::Own { "own" } else { "public" };
        write!(f, "{}.{part}.{}", self.team, self.seen)
    }
}

impl std::str::FromStr for Position {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('.');
        let (team, part, seen) = (parts.next().ok_or(())?, parts.next().ok_or(())?, parts.next().ok_or(())?);
        let part = match part {
            "own" => Part::Own,
            "public" => Part::Public,
            _ => return Err(()),
        };
        let seen = seen.parse().map_err(|_| ())?;
        if is_id(team) { Ok(Self { team: team.into(), part, seen }) } else { Err(()) }
    }
}

async fn channels(client: &Client<'_>, search: &Search) -> Result<Page, Failure> {
    let term = term(&search.query).to_lowercase();
    let start: Option<Position> = read_cursor(search.cursor.as_deref())?;
    let mut teams = client.teams().await?;
    teams.sort_by(|one, other| one.id.cmp(&other.id));
    // The team of the cursor may be gone; then those after it follow.
    teams.retain(|team| start.as_ref().is_none_or(|start| team.id >= start.team));
    let mut page = Page::default();
    let mut calls = 1;
    for team in &teams {
        let (mut part, mut seen) = match &start {
            Some(start) if start.team == team.id => (start.part, start.seen),
            _ => (Part::Own, 0),
        };
        let full = |part, seen| Some(Position { team: team.id.clone(), part, seen }.to_string());
        if calls >= MAX_CALLS || page.entries.len() == search.limit {
            page.next = full(part, seen);
            return Ok(page);
        }
        let own = own_channels(client, team).await?;
        calls += 1;
        if part == Part::Own {
            for channel in own.iter().filter(|channel| fits(channel, &term)).skip(seen) {
                if page.entries.len() == search.limit {
                    page.next = full(part, seen);
                    return Ok(page);
                }
                seen += 1;
                page.entries.push(entry(channel.clone(), team, Posting::Member));
            }
            (part, seen) = (Part::Public, 0);
        }
        let is_own = |channel: &Channel| own.iter().any(|own| own.id == channel.id);
        loop {
            if calls >= MAX_CALLS || page.entries.len() == search.limit {
                page.next = full(part, seen);
                return Ok(page);
            }
            let (found, is_last) = public_channels(client, team, &term, seen).await?;
            calls += 1;
            for channel in found {
                if page.entries.len() == search.limit {
                    page.next = full(part, seen);
                    return Ok(page);
                }
                seen += 1;
                if channel.is_in_use() && channel.is_public() && !is_own(&channel) {
                    page.entries.push(entry(channel, team, Posting::Joins));
                }
            }
            if is_last {
                break;
            }
        }
    }
    Ok(page)
}

fn entry(channel: Channel, team: &Team, posting: Posting) -> Entry {
    Entry::Channel { conversation: channel.conversation(&team.name), posting }
}

fn fits(channel: &Channel, term: &str) -> bool {
    [&channel.name, &channel.display_name].into_iter().any(|name| name.to_lowercase().contains(term))
}

/// The channels of a team that the bot is in, in an order that stays.
async fn own_channels(client: &Client<'_>, team: &Team) -> Result<Vec<Channel>, Failure> {
    let mut own = client.own_channels(&team.id).await?;
    own.retain(Channel::is_in_use);
    own.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    Ok(own)
}

/// Public channels of a team after the first `seen`, and whether these are the last ones. A
/// bot that may not list them sees those that it is in alone.
async fn public_channels(
    client: &Client<'_>,
    team: &Team,
    term: &str,
    seen: usize,
) -> Result<(Vec<Channel>, bool), Failure> {
    let (found, skipped, is_last) = if term.is_empty() {
        match client.public_channels(&team.id, seen / PER_PAGE, PER_PAGE).await {
            Ok(found) => {
                let is_last = found.len() < PER_PAGE;
                (found, seen % PER_PAGE, is_last)
            }
            Err(failure) if failure.cause == Cause::PermissionDenied => (Vec::new(), 0, true),
            Err(failure) => return Err(failure),
        }
    } else {
        (client.search_channels(&team.id, term).await?, seen, true)
    };
    Ok((found.into_iter().skip(skipped).collect(), is_last))
}

/// The person of this name, and the channel of this name in each of the bot's teams.
async fn named(client: &Client<'_>, bot: &str, name: &str) -> Result<Vec<Entry>, Failure> {
    let name = term(name).to_lowercase();
    if !is_name(&name) {
        return Ok(Vec::new());
    }
    let mut entries: Vec<Entry> = client.user_by_name(&name).await?.and_then(person).into_iter().collect();
    for team in client.teams().await? {
        let Some(channel) = client.channel_by_name(&team.id, &name).await? else { continue };
        if !channel.is_in_use() {
            continue;
        }
        let posting = match client.is_member(&channel.id, bot).await? {
            true => Posting::Member,
            false if channel.is_public() => Posting::Joins,
            false => continue,
        };
        entries.push(entry(channel, &team, posting));
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_comes_back_as_it_was_and_garbage_is_refused() {
        let position = Position { team: "a".repeat(26), part: Part::Public, seen: 17 };
        assert_eq!(position.to_string().parse(), Ok(position));
        for garbage in
            ["", "a.own.1", "x", &format!("{}.mine.1", "a".repeat(26)), &format!("{}.own.-1", "a".repeat(26))]
        {
            assert_eq!(garbage.parse::<Position>(), Err(()), "{garbage}");
        }
    }

    #[test]
    fn only_a_short_name_is_ever_put_into_a_path() {
        assert!(is_name("on-call_2.x"));
        for name in ["", ".", "..", "a/b", "a?b", "A", "ä", &"a".repeat(65)] {
            assert!(!is_name(name), "{name}");
        }
    }
}
