//! Routes that find users and channels.

use serde::Deserialize;

use super::{Call, require_id};
use crate::model::{Channel, ChannelKind, User};
use crate::reply::{Answer, ApiError, Reply};
use crate::state::Shared;
use crate::views::{self, Level};
use crate::world::World;

/// The most things on a page, whatever is asked for.
const MAX_PER_PAGE: usize = 200;
/// Things on a page if nothing is asked for.
const PER_PAGE: usize = 60;
/// The most users a search gives; more may not be asked for.
const MAX_FOUND: i64 = 1_000;
/// Users a search gives if nothing is asked for.
const FOUND: i64 = 100;

fn show_users(users: Vec<&User>) -> Reply {
    let users: Vec<_> = users.into_iter().map(|user| views::user(user, Level::All)).collect();
    Reply::json(200, &users)
}

fn show_channels(channels: Vec<&Channel>) -> Reply {
    let channels: Vec<_> = channels.into_iter().map(|channel| views::channel(channel, Level::All)).collect();
    Reply::json(200, &channels)
}

/// The part of a list that `page` and `per_page` ask for; nonsense counts as nothing said.
fn page<'a, T>(call: &Call, all: Vec<&'a T>) -> Vec<&'a T> {
    let page: usize = call.query("page").parse().unwrap_or(0);
    let per_page = call.query("per_page").parse().unwrap_or(PER_PAGE).min(MAX_PER_PAGE);
    all.into_iter().skip(page * per_page).take(per_page).collect()
}

fn sorted_users(world: &World) -> Vec<&User> {
    let mut users: Vec<&User> = world.users.values().collect();
    users.sort_by(|one, other| one.username.cmp(&other.username));
    users
}

/// `GET users?page=…&per_page=…&active=true`, by name.
pub(crate) fn users(shared: &Shared, call: &Call) -> Answer {
    call.caller()?;
    let (active, inactive) = (call.query("active") == "true", call.query("inactive") == "true");
    if active && inactive {
        return Err(ApiError::url_param("inactive"));
    }
    let world = shared.world();
    let mut users = sorted_users(&world);
    users.retain(|user| !(active && user.delete_at != 0 || inactive && user.delete_at == 0));
    Ok(show_users(page(call, users)))
}

#[derive(Deserialize)]
struct UserSearch {
    #[serde(default)]
    term: String,
    #[serde(default)]
    team_id: String,
    #[serde(default)]
    allow_inactive: bool,
    #[serde(default)]
    limit: i64,
}

/// `POST users/search`: a term is needed, and the number is limited. Names are searched from
/// their beginning; mail addresses only where they are shown.
pub(crate) fn search_users(shared: &Shared, call: &Call) -> Answer {
    let caller = call.caller()?;
    let search: UserSearch = call.json(shared, "props")?;
    if search.term.is_empty() {
        return Err(ApiError::body_param("term"));
    }
    let limit = if search.limit == 0 { FOUND } else { search.limit };
    if !(1..=MAX_FOUND).contains(&limit) {
        return Err(ApiError::body_param("limit"));
    }
    let world = shared.world();
    let (team, me) = (search.team_id.as_str(), &caller.user_id);
    if !team.is_empty() && !world.in_team(team, me) && !world.is_sysadmin(me) {
        return Err(ApiError::permission());
    }
    let with_email = shared.options.show_email || world.is_sysadmin(me);
    let term = search.term.trim_start_matches('@').to_lowercase();
    let mut users = sorted_users(&world);
    users.retain(|user| {
        let names = [&user.username, &user.first_name, &user.last_name];
        let names = names.into_iter().chain(with_email.then_some(&user.email));
        let fits = names.into_iter().any(|name| name.to_lowercase().starts_with(&term));
        fits && (search.allow_inactive || user.delete_at == 0) && (team.is_empty() || world.in_team(team, &user.id))
    });
    users.truncate(usize::try_from(limit).unwrap_or(0));
    Ok(show_users(users))
}

/// `GET users/email/{email}`: for administrators, and for all where addresses are shown.
pub(crate) fn user_by_email(shared: &Shared, call: &Call, email: &str) -> Answer {
    let caller = call.caller()?;
    let email = email.to_lowercase();
    if !email.contains('@') {
        return Err(ApiError::url_param("email"));
    }
    let world = shared.world();
    if !shared.options.show_email && !world.is_sysadmin(&caller.user_id) {
        let id = "api.user.get_user_by_email.permissions.app_error";
        return Err(ApiError::new(403, id, "Unable to get user by email."));
    }
    let user = world.users.values().find(|user| user.email == email);
    let user = user.ok_or_else(|| ApiError::named("user_not_found"))?;
    Ok(Reply::json(200, &views::user(user, Level::All)))
}

/// `GET users/{id}/teams/{team}/channels`: one's own, direct ones among them; archived ones
/// aren't.
pub(crate) fn own_channels(shared: &Shared, call: &Call, id: &str, team: &str) -> Answer {
    let caller = call.caller()?;
    let id = if id == "me" { &caller.user_id } else { id };
    require_id(id, "user_id")?;
    require_id(team, "team_id")?;
    let world = shared.world();
    if id != caller.user_id && !world.is_sysadmin(&caller.user_id) {
        return Err(ApiError::permission());
    }
    if !world.in_team(team, &caller.user_id) && !world.is_sysadmin(&caller.user_id) {
        return Err(ApiError::permission());
    }
    let is_own = |channel: &&Channel| {
        let of_team = channel.team_id == team || channel.kind == ChannelKind::Direct;
        of_team && channel.delete_at == 0 && world.in_channel(&channel.id, id)
    };
    let own = sorted_channels(&world, is_own);
    if own.is_empty() {
        return Err(ApiError::new(404, "app.channel.get_channels.not_found.app_error", "No channels were found."));
    }
    Ok(show_channels(own))
}

/// `GET teams/{id}/channels?page=…&per_page=…`: the public ones, for those who may list them.
pub(crate) fn public_channels(shared: &Shared, call: &Call, team: &str) -> Answer {
    let caller = call.caller()?;
    require_id(team, "team_id")?;
    let world = shared.world();
    if !may_list(shared, &world, team, &caller.user_id) {
        return Err(ApiError::permission());
    }
    Ok(show_channels(page(call, sorted_channels(&world, |channel| is_public(channel, team)))))
}

#[derive(Deserialize)]
struct ChannelSearch {
    #[serde(default)]
    term: String,
}

/// `POST teams/{id}/channels/search`: public channels; who may not list them searches among
/// those that one is in. For outsiders the team has no member.
pub(crate) fn search_channels(shared: &Shared, call: &Call, team: &str) -> Answer {
    let caller = call.caller()?;
    require_id(team, "team_id")?;
    let search: ChannelSearch = call.json(shared, "channel_search")?;
    let world = shared.world();
    let may_list = may_list(shared, &world, team, &caller.user_id);
    if !may_list && !world.in_team(team, &caller.user_id) {
        return Err(ApiError::new(404, "app.team.get_member.missing.app_error", "The user is not in the team."));
    }
    let term = search.term.to_lowercase();
    Ok(show_channels(sorted_channels(&world, |channel| {
        let names = [&channel.name, &channel.display_name];
        is_public(channel, team)
            && (may_list || world.in_channel(&channel.id, &caller.user_id))
            && names.into_iter().any(|name| name.to_lowercase().starts_with(&term))
    })))
}

fn is_public(channel: &Channel, team: &str) -> bool {
    channel.team_id == team && channel.kind == ChannelKind::Public && channel.delete_at == 0
}

fn may_list(shared: &Shared, world: &World, team: &str, user: &str) -> bool {
    world.is_sysadmin(user) || (shared.options.list_team_channels && world.in_team(team, user))
}

fn sorted_channels(world: &World, fits: impl Fn(&&Channel) -> bool) -> Vec<&Channel> {
    let mut channels: Vec<&Channel> = world.channels.values().filter(fits).collect();
    channels.sort_by(|one, other| (&one.display_name, &one.id).cmp(&(&other.display_name, &other.id)));
    channels
}
