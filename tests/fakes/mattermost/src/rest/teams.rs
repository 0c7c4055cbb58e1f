//! Routes about teams.

use serde::Deserialize;

use super::{Call, require_id};
use crate::reply::{Answer, ApiError, Reply};
use crate::state::Shared;
use crate::views::{self, Level};

fn missing() -> ApiError {
    ApiError::new(404, "app.team.get.find.app_error", "There is no such team.")
}

/// `GET teams/{id}`.
pub(crate) fn get(shared: &Shared, call: &Call, id: &str) -> Answer {
    let caller = call.caller()?;
    require_id(id, "team_id")?;
    let world = shared.world();
    let team = world.teams.get(id).ok_or_else(missing)?;
    if !world.in_team(id, &caller.user_id) && !world.is_sysadmin(&caller.user_id) {
        return Err(ApiError::permission());
    }
    Ok(Reply::json(200, &views::team(team, Level::All)))
}

/// `GET teams/name/{name}`.
pub(crate) fn by_name(shared: &Shared, call: &Call, name: &str) -> Answer {
    let caller = call.caller()?;
    let world = shared.world();
    let team = world.teams.values().find(|team| team.name == name);
    let team = team.ok_or_else(|| {
        ApiError::new(404, "app.team.get_by_name.missing.app_error", "There is no team of that name.")
    })?;
    if !world.in_team(&team.id, &caller.user_id) && !world.is_sysadmin(&caller.user_id) {
        return Err(ApiError::permission());
    }
    Ok(Reply::json(200, &views::team(team, Level::All)))
}

#[derive(Deserialize)]
struct NewMember {
    #[serde(default)]
    team_id: String,
    #[serde(default)]
    user_id: String,
}

/// `POST teams/{id}/members`: for administrators of the team.
pub(crate) fn add_member(shared: &Shared, call: &Call, id: &str) -> Answer {
    let caller = call.caller()?;
    require_id(id, "team_id")?;
    let wanted: NewMember = call.json(shared, "team_member")?;
    if wanted.team_id != id {
        return Err(ApiError::body_param("team_id"));
    }
    let mut world = shared.world();
    if !world.administers_team(id, &caller.user_id) {
        return Err(ApiError::permission());
    }
    if !world.users.contains_key(&wanted.user_id) {
        return Err(ApiError::named("user_not_found"));
    }
    world.join_team(id, &wanted.user_id);
    Ok(Reply::json(201, &views::team_member(id, &wanted.user_id, false)))
}

/// `GET teams/{id}/members/{user}`.
pub(crate) fn member(shared: &Shared, call: &Call, id: &str, user: &str) -> Answer {
    let caller = call.caller()?;
    require_id(id, "team_id")?;
    let user = if user == "me" { &caller.user_id } else { user };
    require_id(user, "user_id")?;
    let world = shared.world();
    if !world.in_team(id, &caller.user_id) && !world.is_sysadmin(&caller.user_id) {
        return Err(ApiError::permission());
    }
    match world.team_members.get(id).and_then(|members| members.get(user)) {
        Some(admin) => Ok(Reply::json(200, &views::team_member(id, user, *admin))),
        None => Err(ApiError::new(404, "app.team.get_member.missing.app_error", "The user is not in the team.")),
    }
}
