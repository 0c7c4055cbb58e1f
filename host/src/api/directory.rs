//! The directory: people and channels of a platform, for the pickers of applications.

use axum::extract::State;
use chatport_sdk::{
    crypto,
    directory::{self as contract, Entry, EntryKind, Lookup, Posting, Search},
    identity::Conversation,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    callers::{MayLink, Within},
    extract::{Json, Path, Query},
    operation::Operation,
    page::{Cursor, Page, PageLimit},
    problem::Problem,
    problem_types as types,
    routes::Api,
};
use crate::{
    app::App,
    ids::InstallationId,
    setup::{directory, links::LinkedAccount},
};

#[derive(Debug, Deserialize, JsonSchema)]
struct DirectoryPath {
    #[expect(dead_code, reason = "read by the policy")]
    org: String,
    /// The installation's id.
    id: InstallationId,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DirectorySearch {
    /// People or channels.
    kind: EntryKind,
    /// A part of a name, at most 128 characters; without it, everything is listed.
    #[serde(default)]
    query: String,
    /// Where to go on; only with the same `kind` and `query`.
    cursor: Option<Cursor>,
    /// Most items on a page. There may be fewer, and even none, before the last page.
    #[serde(default)]
    limit: PageLimit,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DirectoryLookup {
    /// The whole mail address of a person. Name either this or `name`.
    email: Option<String>,
    /// The whole short name of a person or a channel, with or without `@` or `#`.
    name: Option<String>,
}

/// Somebody or something that was found.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum DirectoryEntry {
    /// A person.
    Person {
        /// Who.
        account: LinkedAccount,
    },
    /// A channel.
    Channel {
        /// The channel, as `POST …/channels` takes it.
        conversation: Conversation,
        /// Whether a message would arrive as things are.
        can_post: bool,
        /// Why, or why not.
        posting: Posting,
    },
}

/// What has this address or name.
#[derive(Debug, Serialize, JsonSchema)]
struct Resolved {
    /// Usually one entry or none; a name may stand for several.
    items: Vec<DirectoryEntry>,
}

impl DirectoryEntry {
    /// `None`: an entry of a later contract, which this API can't show.
    fn of(entry: Entry) -> Option<Self> {
        match entry {
            Entry::Person(account) => Some(Self::Person { account: LinkedAccount::from(&account) }),
            Entry::Channel { conversation, posting } => {
                Some(Self::Channel { conversation, can_post: posting.is_possible(), posting })
            }
            _ => None,
        }
    }
}

/// Where a page ended, and of which listing it was.
#[derive(Serialize, Deserialize)]
struct Place {
    listing: String,
    next: String,
}

/// A short name of a listing: a cursor of another one means nothing here.
fn listing(installation: InstallationId, search: &Search) -> String {
    let text = format!("{installation}\n{:?}\n{}", search.kind, search.query);
    crypto::hex(&crypto::sha256(text.as_bytes())[..8])
}

async fn search(
    within: Within<MayLink>,
    State(app): State<App>,
    Path(path): Path<DirectoryPath>,
    Query(wanted): Query<DirectorySearch>,
) -> Result<Json<Page<DirectoryEntry>>, Problem> {
    let query = short("query", wanted.query.trim())?;
    let search = Search::new(wanted.kind, query, wanted.limit.get());
    let listing = listing(path.id, &search);
    let place = wanted.cursor.as_ref().map(Cursor::position::<Place>).transpose()?;
    if place.as_ref().is_some_and(|place| place.listing != listing) {
        return Err(Problem::new(types::INVALID_CURSOR).detail("this cursor is of another search"));
    }
    let search = search.after(place.map(|place| place.next));
    let found = directory::search(&app, &within.organization, path.id, search).await?;
    let next = found.next.map(|next| cursor(listing, next)).transpose()?;
    Ok(Json(Page { items: found.entries.into_iter().filter_map(DirectoryEntry::of).collect(), next }))
}

fn cursor(listing: String, next: String) -> Result<Cursor, Problem> {
    if !contract::is_cursor(&next) {
        return Err(Problem::internal("the backend's cursor is too long, or not plain"));
    }
    Cursor::at(&Place { listing, next })
}

async fn resolve(
    within: Within<MayLink>,
    State(app): State<App>,
    Path(path): Path<DirectoryPath>,
    Query(lookup): Query<DirectoryLookup>,
) -> Result<Json<Resolved>, Problem> {
    let wanted = match (lookup.email.as_deref(), lookup.name.as_deref()) {
        (Some(email), None) => Lookup::Email(address(email.trim())?),
        (None, Some(name)) => Lookup::Name(name_of(name.trim())?),
        _ => return Err(Problem::new(types::INVALID_QUERY).detail("name either `email` or `name`")),
    };
    let found = directory::resolve(&app, &within.organization, path.id, wanted).await?;
    Ok(Json(Resolved { items: found.into_iter().filter_map(DirectoryEntry::of).collect() }))
}

fn address(email: &str) -> Result<String, Problem> {
    let email = short("email", email)?;
    let is_address = email.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
    if is_address && !email.contains(char::is_whitespace) {
        return Ok(email);
    }
    Err(Problem::new(types::INVALID_QUERY).detail("email: isn't a mail address"))
}

fn name_of(name: &str) -> Result<String, Problem> {
    let name = short("name", name.strip_prefix(['@', '#']).unwrap_or(name))?;
    if name.is_empty() { Err(Problem::new(types::INVALID_QUERY).detail("name: is empty")) } else { Ok(name) }
}

fn short(parameter: &str, text: &str) -> Result<String, Problem> {
    if text.chars().count() <= contract::MAX_QUERY {
        return Ok(text.to_owned());
    }
    let detail = format!("{parameter}: has more than {} characters", contract::MAX_QUERY);
    Err(Problem::new(types::INVALID_QUERY).detail(detail))
}

pub(super) fn routes(api: Api<App>) -> Api<App> {
    let problems = [
        types::INSTALLATION_NOT_FOUND,
        types::BACKEND_NOT_FOUND,
        types::BACKEND_LACKS_PART,
        types::INSTALLATION_NOT_ACTIVE,
        types::SETUP_REFUSED,
        types::PLATFORM_UNREACHABLE,
        types::TOO_MANY_REQUESTS,
    ];
    api.route(
        Operation::get("/v1/organizations/{org}/installations/{id}/directory", "searchDirectory", "Find people or channels on the platform")
            .tag("Linking")
            .about("For pickers: what the bot can see on the platform, asked there each time. The `conversation` of a channel can be passed on to `POST …/channels` as it is.")
            .problems(&problems),
        search,
    )
    .route(
        Operation::get("/v1/organizations/{org}/installations/{id}/directory/resolve", "resolveInDirectory", "Find who or what has an address or a name")
            .tag("Linking")
            .about("Finding nothing is an empty list. A name may stand for a person and for a channel in each of several teams.")
            .problems(&problems),
        resolve,
    )
}
