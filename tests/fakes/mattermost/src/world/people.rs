//! Users, bots and tokens.

use super::{Token, TokenKind, World};
use crate::ids::new_id;
use crate::model::User;

/// How long a login of a person lives.
const LOGIN_MS: i64 = 30 * 24 * 3600 * 1000;

impl World {
    /// Makes a person. `None` if the name is taken.
    pub(crate) fn add_user(&mut self, username: &str, sysadmin: bool, now: i64) -> Option<User> {
        if self.find_user(username).is_some() {
            return None;
        }
        let user = User {
            id: new_id(),
            username: username.to_owned(),
            email: format!("{username}@example.com"),
            first_name: capitalised(username),
            roles: if sysadmin { "system_admin system_user".to_owned() } else { "system_user".to_owned() },
            locale: "en".to_owned(),
            create_at: now,
            update_at: now,
            ..User::default()
        };
        self.users.insert(user.id.clone(), user.clone());
        Some(user)
    }

    /// Makes a bot account owned by a user or by the Apps plugin.
    pub(crate) fn add_bot(&mut self, username: &str, owner: &str, now: i64) -> Option<User> {
        let mut bot = self.add_user(username, false, now)?;
        bot.is_bot = true;
        bot.bot_owner = owner.to_owned();
        bot.email = format!("{username}@localhost");
        bot.first_name = String::new();
        self.users.insert(bot.id.clone(), bot.clone());
        Some(bot)
    }

    /// Makes a token for a user.
    pub(crate) fn add_token(&mut self, user_id: &str, kind: TokenKind, expires_at: Option<i64>) -> String {
        let value = new_id();
        self.tokens.insert(value.clone(), Token { id: new_id(), user_id: user_id.to_owned(), kind, expires_at });
        value
    }

    /// Logs a person in.
    pub(crate) fn login(&mut self, user_id: &str, now: i64) -> String {
        self.add_token(user_id, TokenKind::Login, Some(now + LOGIN_MS))
    }

    /// Deactivates an account: its logins and sessions end at once, personal access tokens stop
    /// working for as long as the account is deactivated.
    pub(crate) fn deactivate(&mut self, user_id: &str, bots_too: bool, now: i64) {
        if let Some(user) = self.users.get_mut(user_id) {
            user.delete_at = now;
            user.update_at = now;
        }
        self.tokens.retain(|_, token| token.user_id != user_id || token.kind == TokenKind::Personal);
        if bots_too {
            let owned: Vec<String> = self
                .users
                .values()
                .filter(|user| user.is_bot && user.bot_owner == user_id && user.delete_at == 0)
                .map(|user| user.id.clone())
                .collect();
            for bot in owned {
                self.deactivate(&bot, false, now);
            }
        }
    }

    /// Activates an account again.
    pub(crate) fn reactivate(&mut self, user_id: &str, now: i64) {
        if let Some(user) = self.users.get_mut(user_id) {
            user.delete_at = 0;
            user.update_at = now;
        }
    }
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}
