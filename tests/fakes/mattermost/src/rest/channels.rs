//! Routes about channels and their members.

use serde::Deserialize;

use super::{Call, require_id};
use crate::model::{Channel, ChannelKind};
use crate::options::RestrictDm;
use crate::reply::{Answer, ApiError, Reply};
use crate::state::Shared;
use crate::views::{self, Level};
use crate::world::World;

fn missing() -> ApiError {
    ApiError::named("channel_not_found")
}

fn show(channel: &Channel) -> Reply {
    Reply::json(200, &views::channel(channel, Level::All))
}

/// `GET channels/{id}`: existence is checked before permission here, unlike with posts.
pub(crate) fn get(shared: &Shared, call: &Call, id: &str) -> Answer {
    let caller = call.caller()?;
    require_id(id, "channel_id")?;
    let world = shared.world();
    let channel = world.channels.get(id).ok_or_else(missing)?;
    if !world.may_read_channel(id, &caller.user_id) {
        return Err(ApiError::permission());
    }
    Ok(show(channel))
}

/// `GET teams/{id}/channels/name/{name}`.
pub(crate) fn by_name(shared: &Shared, call: &Call, team: &str, name: &str) -> Answer {
    let caller = call.caller()?;
    require_id(team, "team_id")?;
    named(&shared.world(), &caller.user_id, team, name)
}

/// `GET teams/name/{team}/channels/name/{name}`.
pub(crate) fn by_names(shared: &Shared, call: &Call, team: &str, name: &str) -> Answer {
    let caller = call.caller()?;
    let world = shared.world();
    let team = world.teams.values().find(|t| t.name == team);
    let team = team.ok_or_else(missing)?;
    named(&world, &caller.user_id, &team.id, name)
}

fn named(world: &World, user: &str, team: &str, name: &str) -> Answer {
    let hidden = || ApiError::new(404, "app.channel.get_by_name.missing.app_error", "There is no such channel.");
    let channel = world.channel_by_name(team, name).ok_or_else(hidden)?;
    let visible = channel.delete_at == 0 && world.may_read_channel(&channel.id, user);
    match (visible, channel.kind) {
        (true, _) => Ok(show(channel)),
        // A public channel of a team one is not in is a question of permission; a private one
        // does not exist for outsiders.
        (false, ChannelKind::Public) if channel.delete_at == 0 => Err(ApiError::permission()),
        _ => Err(hidden()),
    }
}

/// `GET channels/{id}/members/{user}`: only members may ask.
pub(crate) fn member(shared: &Shared, call: &Call, id: &str, user: &str) -> Answer {
    let caller = call.caller()?;
    require_id(id, "channel_id")?;
    let user = if user == "me" { &caller.user_id } else { user };
    require_id(user, "user_id")?;
    let world = shared.world();
    if !world.may_use_channel(id, &caller.user_id) {
        return Err(ApiError::permission());
    }
    if !world.in_channel(id, user) {
        return Err(ApiError::new(404, "app.channel.get_member.missing.app_error", "The user is not in the channel."));
    }
    Ok(Reply::json(200, &views::channel_member(id, user, Level::All)))
}

#[derive(Deserialize)]
struct NewMember {
    #[serde(default)]
    user_id: String,
}

/// `POST channels/{id}/members`: one joins public channels of one's team; into private ones one
/// is taken by a member.
pub(crate) fn add_member(shared: &Shared, call: &Call, id: &str) -> Answer {
    let caller = call.caller()?;
    require_id(id, "channel_id")?;
    let wanted: NewMember = call.json(shared, "channel_member")?;
    if !crate::ids::is_id(&wanted.user_id) {
        return Err(ApiError::body_param("user_id"));
    }
    let mut world = shared.world();
    let channel = world.channels.get(id).ok_or_else(missing)?.clone();
    if channel.kind == ChannelKind::Direct {
        return Err(ApiError::new(
            400,
            "api.channel.add_user_to_channel.type.app_error",
            "Nobody can be added to this kind of channel.",
        ));
    }
    let caller_id = &caller.user_id;
    if !world.in_channel(id, &wanted.user_id) {
        let allowed = match channel.kind {
            ChannelKind::Public if wanted.user_id == *caller_id => {
                world.in_team(&channel.team_id, caller_id) || world.is_sysadmin(caller_id)
            }
            _ => world.may_use_channel(id, caller_id),
        };
        if !allowed {
            return Err(ApiError::permission());
        }
        if channel.delete_at != 0 {
            return Err(ApiError::new(
                400,
                "api.channel.add_user_to_channel.deleted.app_error",
                "The channel is archived.",
            ));
        }
        if !world.in_team(&channel.team_id, &wanted.user_id) {
            return Err(ApiError::new(404, "app.team.get_member.missing.app_error", "The user is not in the team."));
        }
        world.join_channel(id, &wanted.user_id);
    }
    Ok(Reply::json(201, &views::channel_member(id, &wanted.user_id, Level::All)))
}

/// `POST channels/direct`: makes or finds the channel of two users.
pub(crate) fn direct(shared: &Shared, call: &Call) -> Answer {
    let caller = call.caller()?;
    let ids: Vec<String> = call.json(shared, "user_ids")?;
    let [one, other] = ids.as_slice() else {
        return Err(ApiError::body_param("user_ids"));
    };
    if !crate::ids::is_id(one) || !crate::ids::is_id(other) {
        return Err(ApiError::body_param("user_id"));
    }
    let mut world = shared.world();
    let me = &caller.user_id;
    if one != me && other != me && !world.is_sysadmin(me) {
        return Err(ApiError::permission());
    }
    if !world.users.contains_key(one) || !world.users.contains_key(other) {
        return Err(ApiError::new(
            400,
            "api.channel.create_direct_channel.invalid_user.app_error",
            "One of the users does not exist.",
        ));
    }
    let restricted = shared.options.restrict_dm != RestrictDm::Any;
    if restricted && !world.may_write_directly(one, other, &shared.options) {
        return Err(ApiError::named("direct_channel_team_restricted"));
    }
    let channel = world.direct_channel(one, other, shared.now());
    Ok(Reply::json(201, &views::channel(&channel, Level::All)))
}
