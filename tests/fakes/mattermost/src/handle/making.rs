//! Making and changing users, bots, tokens, teams, channels and commands.

use std::time::Duration;

use super::FakeMattermost;
use crate::model::ChannelKind;
use crate::rest::commands::{CommandInput, check, store};
use crate::world::TokenKind;

impl FakeMattermost {
    /// Makes a person; gives the id.
    ///
    /// # Panics
    /// If the name is taken.
    pub fn create_user(&self, username: &str) -> String {
        let now = self.shared.now();
        let user = self.shared.world().add_user(username, false, now);
        user.expect("the user name is free").id
    }

    /// Makes a system administrator; gives the id.
    ///
    /// # Panics
    /// If the name is taken.
    pub fn create_sysadmin(&self, username: &str) -> String {
        let now = self.shared.now();
        let user = self.shared.world().add_user(username, true, now);
        user.expect("the user name is free").id
    }

    /// Makes a bot with a personal access token; gives the bot's user id and the token. The bot
    /// is in no team yet.
    ///
    /// # Panics
    /// If the name is taken.
    pub fn create_bot(&self, username: &str, owner: &str) -> (String, String) {
        let owner = self.user_id(owner);
        let now = self.shared.now();
        let mut world = self.shared.world();
        let bot = world.add_bot(username, &owner, now);
        let id = bot.expect("the user name is free").id;
        let token = world.add_token(&id, TokenKind::Personal, None);
        (id, token)
    }

    /// Makes another personal access token for somebody.
    pub fn create_token(&self, user: &str) -> String {
        let user = self.user_id(user);
        let mut world = self.shared.world();
        world.add_token(&user, TokenKind::Personal, None)
    }

    /// Makes a personal access token that ends after a while.
    pub fn create_expiring_token(&self, user: &str, life: Duration) -> String {
        let user = self.user_id(user);
        let life = i64::try_from(life.as_millis()).expect("the life fits 64 bits");
        let end = self.shared.now() + life;
        let mut world = self.shared.world();
        world.add_token(&user, TokenKind::Personal, Some(end))
    }

    /// Logs somebody in; gives the session's token.
    pub fn login(&self, user: &str) -> String {
        let user = self.user_id(user);
        let now = self.shared.now();
        self.shared.world().login(&user, now)
    }

    /// Ends a token. The Apps plugin does not notice when it was one of its own.
    pub fn revoke_token(&self, token: &str) {
        self.shared.world().tokens.remove(token);
    }

    /// Deactivates an account (and the bots it owns).
    pub fn deactivate_user(&self, user: &str) {
        let user = self.user_id(user);
        let now = self.shared.now();
        let bots_too = self.shared.options.disable_bots_with_owner;
        self.shared.world().deactivate(&user, bots_too, now);
    }

    /// Activates an account again.
    pub fn reactivate_user(&self, user: &str) {
        let user = self.user_id(user);
        let now = self.shared.now();
        self.shared.world().reactivate(&user, now);
    }

    /// Makes somebody a system administrator, bots included.
    pub fn make_sysadmin(&self, user: &str) {
        let user = self.user_id(user);
        if let Some(user) = self.shared.world().users.get_mut(&user) {
            user.roles = "system_admin system_user".into();
        }
    }

    /// Makes a team; gives the id.
    ///
    /// # Panics
    /// If the name is taken.
    pub fn create_team(&self, name: &str) -> String {
        let now = self.shared.now();
        let team = self.shared.world().add_team(name, now);
        team.expect("the team name is free").id
    }

    /// Puts somebody into a team.
    pub fn join_team(&self, team: &str, user: &str) {
        let (team, user) = (self.team_id(team), self.user_id(user));
        self.shared.world().join_team(&team, &user);
    }

    /// Takes somebody out of a team and its channels.
    pub fn leave_team(&self, team: &str, user: &str) {
        let (team, user) = (self.team_id(team), self.user_id(user));
        self.shared.world().leave_team(&team, &user);
    }

    /// Makes somebody administrate a team: who may manage slash commands there.
    pub fn make_team_admin(&self, team: &str, user: &str) {
        let (team, user) = (self.team_id(team), self.user_id(user));
        self.shared.world().make_team_admin(&team, &user);
    }

    /// Makes a public channel; gives the id.
    pub fn create_channel(&self, team: &str, name: &str) -> String {
        self.add_channel(team, name, ChannelKind::Public)
    }

    /// Makes a private channel; gives the id.
    pub fn create_private_channel(&self, team: &str, name: &str) -> String {
        self.add_channel(team, name, ChannelKind::Private)
    }

    fn add_channel(&self, team: &str, name: &str, kind: ChannelKind) -> String {
        let team = self.team_id(team);
        let now = self.shared.now();
        let channel = self.shared.world().add_channel(&team, name, kind, now);
        channel.expect("the channel name is free").id
    }

    /// Makes or finds the direct channel of two users; gives the id.
    pub fn direct_channel(&self, one: &str, other: &str) -> String {
        let (one, other) = (self.user_id(one), self.user_id(other));
        let now = self.shared.now();
        self.shared.world().direct_channel(&one, &other, now).id
    }

    /// Puts somebody into a channel, and into its team.
    pub fn join_channel(&self, channel: &str, user: &str) {
        let (channel, user) = (self.channel(channel), self.user_id(user));
        let mut world = self.shared.world();
        if !channel.team_id.is_empty() {
            world.join_team(&channel.team_id, &user);
        }
        world.join_channel(&channel.id, &user);
    }

    /// Takes somebody out of a channel.
    pub fn leave_channel(&self, channel: &str, user: &str) {
        let (channel, user) = (self.channel_id(channel), self.user_id(user));
        self.shared.world().leave_channel(&channel, &user);
    }

    /// Archives a channel.
    pub fn archive_channel(&self, channel: &str) {
        let now = self.shared.now();
        self.set_archived(channel, now);
    }

    /// Brings an archived channel back.
    pub fn unarchive_channel(&self, channel: &str) {
        self.set_archived(channel, 0);
    }

    fn set_archived(&self, channel: &str, at: i64) {
        let id = self.channel_id(channel);
        if let Some(channel) = self.shared.world().channels.get_mut(&id) {
            channel.delete_at = at;
        }
    }

    /// Removes a custom slash command as the system administrator would.
    pub fn remove_command(&self, id: &str) {
        self.shared.world().commands.remove(id);
    }

    /// Makes a custom slash command as the system administrator would; gives its token.
    ///
    /// # Panics
    /// If the server would refuse it.
    pub fn create_command(&self, team: &str, trigger: &str, url: &str) -> String {
        let team = self.team_id(team);
        let now = self.shared.now();
        let mut world = self.shared.world();
        let admin = world.users.values().find(|user| user.is_sysadmin());
        let admin = admin.map(|user| user.id.clone()).unwrap_or_default();
        let input = CommandInput {
            team_id: team,
            trigger: trigger.to_owned(),
            method: "P".into(),
            url: url.to_owned(),
            ..CommandInput::default()
        };
        check(&world, &input, "").expect("the server accepts the command");
        store(&mut world, input, &admin, now).token
    }
}
