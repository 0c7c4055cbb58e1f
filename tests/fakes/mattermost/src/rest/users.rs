//! Routes about users and their tokens.

use serde::Deserialize;
use serde_json::json;

use super::{Call, require_id};
use crate::model::User;
use crate::reply::{Answer, ApiError, Reply};
use crate::state::Shared;
use crate::views::{self, Level};
use crate::world::TokenKind;

fn show(user: &User) -> Reply {
    Reply::json(200, &views::user(user, Level::All))
}

fn unknown() -> ApiError {
    ApiError::named("user_not_found")
}

/// `GET users/me`.
pub(crate) fn me(shared: &Shared, call: &Call) -> Answer {
    let caller = call.caller()?;
    let world = shared.world();
    world.users.get(&caller.user_id).map(show).ok_or_else(unknown)
}

/// `GET users/{id}`.
pub(crate) fn get(shared: &Shared, call: &Call, id: &str) -> Answer {
    call.caller()?;
    require_id(id, "user_id")?;
    shared.world().users.get(id).map(show).ok_or_else(unknown)
}

/// `GET users/username/{name}`.
pub(crate) fn by_name(shared: &Shared, call: &Call, name: &str) -> Answer {
    call.caller()?;
    let world = shared.world();
    let user = world.users.values().find(|user| user.username == name);
    user.map(show).ok_or_else(unknown)
}

/// `GET users/{id}/teams`.
pub(crate) fn teams(shared: &Shared, call: &Call, id: &str) -> Answer {
    let caller = call.caller()?;
    let id = if id == "me" { &caller.user_id } else { id };
    require_id(id, "user_id")?;
    let world = shared.world();
    if id != caller.user_id && !world.is_sysadmin(&caller.user_id) {
        return Err(ApiError::permission());
    }
    let teams: Vec<_> = world
        .teams
        .values()
        .filter(|team| world.in_team(&team.id, id))
        .map(|team| views::team(team, Level::All))
        .collect();
    Ok(Reply::json(200, &teams))
}

#[derive(Deserialize)]
struct NewToken {
    #[serde(default)]
    description: String,
}

/// `POST users/{id}/tokens`: a personal access token. Sessions of OAuth apps get none; others
/// get them for themselves, for their bots, and administrators for everybody.
pub(crate) fn add_token(shared: &Shared, call: &Call, id: &str) -> Answer {
    let caller = call.caller()?;
    require_id(id, "user_id")?;
    if caller.is_oauth {
        return Err(ApiError::named("create_token_from_oauth_session"));
    }
    let wanted: NewToken = call.json(shared, "access_token")?;
    if wanted.description.is_empty() {
        return Err(ApiError::body_param("description"));
    }
    let mut world = shared.world();
    let admin = world.is_sysadmin(&caller.user_id);
    let user = world.users.get(id).ok_or_else(|| if admin { unknown() } else { ApiError::permission() })?;
    let own_bot = user.is_bot && user.bot_owner == caller.user_id;
    if !admin && !own_bot {
        return Err(ApiError::permission());
    }
    let token = world.add_token(id, TokenKind::Personal, None);
    let token_id = world.tokens[&token].id.clone();
    Ok(Reply::json(
        200,
        &json!({
            "id": token_id,
            "token": token,
            "user_id": id,
            "description": wanted.description,
            "is_active": true,
        }),
    ))
}
