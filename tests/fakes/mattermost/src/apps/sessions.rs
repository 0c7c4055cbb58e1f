//! The sessions the plugin makes for an app: one for the bot, one for each acting user.

use crate::world::{TokenKind, World};

/// How long a session lives.
pub(crate) const LENGTH_MS: i64 = 10 * 60 * 1000;
/// A session with less left is extended at a call.
pub(crate) const MIN_LEFT_MS: i64 = 5 * 60 * 1000;

/// A session as the plugin remembers it. The server may have ended it meanwhile; the plugin does
/// not notice before it wants to extend it.
#[derive(Debug, Clone)]
pub(crate) struct AppSession {
    pub(crate) token: String,
    pub(crate) expires_at: i64,
}

/// The token for a user's session with an app: the remembered one, extended if little of it is
/// left, or a new one.
pub(crate) fn get_or_create(world: &mut World, app_id: &str, user_id: &str, now: i64) -> Result<String, String> {
    let key = (app_id.to_owned(), user_id.to_owned());
    if let Some(session) = world.apps.sessions.get_mut(&key)
        && session.expires_at > now
    {
        if session.expires_at - now <= MIN_LEFT_MS {
            let token = world
                .tokens
                .get_mut(&session.token)
                .ok_or("failed to extend session length: the session does not exist any more")?;
            session.expires_at = now + LENGTH_MS;
            token.expires_at = Some(session.expires_at);
        }
        return Ok(session.token.clone());
    }
    if !world.users.contains_key(user_id) {
        return Err("failed to fetch user for new session: not found".into());
    }
    let expires_at = now + LENGTH_MS;
    let token = world.add_token(user_id, TokenKind::App, Some(expires_at));
    world.apps.sessions.insert(key, AppSession { token: token.clone(), expires_at });
    Ok(token)
}

/// Forgets an app's sessions. The tokens go on working until they expire.
pub(crate) fn forget(world: &mut World, app_id: &str) {
    world.apps.sessions.retain(|(app, _), _| app != app_id);
}

/// Ends an app's sessions, as deleting its OAuth app does.
pub(crate) fn end(world: &mut World, app_id: &str) {
    let ended: Vec<String> = world
        .apps
        .sessions
        .iter()
        .filter(|((app, _), _)| app == app_id)
        .map(|(_, session)| session.token.clone())
        .collect();
    world.tokens.retain(|token, _| !ended.contains(token));
    forget(world, app_id);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_kept_extended_and_renewed() {
        let mut world = World::default();
        let bot = world.add_bot("b", "plugin", 0).unwrap().id;
        let minute = 60_000;
        let get = |world: &mut World, at: i64| get_or_create(world, "app", &bot, at).unwrap();
        let first = get(&mut world, 0);
        assert_eq!(get(&mut world, 4 * minute), first);
        assert_eq!(world.tokens[&first].expires_at, Some(10 * minute));
        assert_eq!(get(&mut world, 6 * minute), first);
        assert_eq!(world.tokens[&first].expires_at, Some(16 * minute));
        assert_ne!(get(&mut world, 17 * minute), first);
    }

    #[test]
    fn a_revoked_session_is_handed_out_until_it_is_to_be_extended() {
        let mut world = World::default();
        let bot = world.add_bot("b", "plugin", 0).unwrap().id;
        let token = get_or_create(&mut world, "app", &bot, 0).unwrap();
        world.tokens.remove(&token);
        assert_eq!(get_or_create(&mut world, "app", &bot, 60_000).unwrap(), token);
        assert!(get_or_create(&mut world, "app", &bot, 6 * 60_000).is_err());
        assert_ne!(get_or_create(&mut world, "app", &bot, 11 * 60_000).unwrap(), token);
    }
}
