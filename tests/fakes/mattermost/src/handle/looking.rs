//! Looking at the server's data.

use super::FakeMattermost;
use crate::model::{Channel, Command, Ephemeral, Notification, Post, User};

impl FakeMattermost {
    /// A user by id or name.
    ///
    /// # Panics
    /// If there is none.
    pub fn user(&self, user: &str) -> User {
        let world = self.shared.world();
        match world.find_user(user) {
            Some(found) => found.clone(),
            None => panic!("the server has no user {user:?}"),
        }
    }

    /// A user's id.
    pub fn user_id(&self, user: &str) -> String {
        self.user(user).id
    }

    /// A team's id.
    ///
    /// # Panics
    /// If there is none.
    pub fn team_id(&self, team: &str) -> String {
        let world = self.shared.world();
        match world.find_team(team) {
            Some(found) => found.id.clone(),
            None => panic!("the server has no team {team:?}"),
        }
    }

    /// A channel by id, by name, or by `team/name`.
    ///
    /// # Panics
    /// If there is none, or if two teams have one of that name.
    pub fn channel(&self, channel: &str) -> Channel {
        let world = self.shared.world();
        match world.find_channel(channel) {
            Some(found) => found.clone(),
            None => panic!("the server has no single channel {channel:?}"),
        }
    }

    /// A channel's id.
    pub fn channel_id(&self, channel: &str) -> String {
        self.channel(channel).id
    }

    /// Whether a user is in a channel.
    pub fn is_in_channel(&self, channel: &str, user: &str) -> bool {
        let (channel, user) = (self.channel_id(channel), self.user_id(user));
        self.shared.world().in_channel(&channel, &user)
    }

    /// Posts of a channel in the order they were made, without the deleted ones.
    pub fn posts(&self, channel: &str) -> Vec<Post> {
        let mut posts = self.all_posts(channel);
        posts.retain(|post| !post.is_deleted());
        posts
    }

    /// Posts of a channel in the order they were made, deleted ones included.
    pub fn all_posts(&self, channel: &str) -> Vec<Post> {
        let channel = self.channel_id(channel);
        let world = self.shared.world();
        world.channel_posts(&channel).cloned().collect()
    }

    /// A post with everything that is stored, integrations of buttons included.
    pub fn post(&self, id: &str) -> Option<Post> {
        self.shared.world().posts.get(id).cloned()
    }

    /// The replies to a post, without the deleted ones.
    pub fn replies(&self, root_id: &str) -> Vec<Post> {
        let world = self.shared.world();
        let posts = world.post_order.iter().filter_map(|id| world.posts.get(id));
        posts.filter(|post| post.root_id == root_id && !post.is_deleted()).cloned().collect()
    }

    /// What only this user got to see, in order: answers to clicks, commands and calls.
    pub fn ephemerals(&self, user: &str) -> Vec<Ephemeral> {
        let user = self.user_id(user);
        let world = self.shared.world();
        let all = world.ephemerals.iter();
        all.filter(|shown| shown.user_id == user).cloned().collect()
    }

    /// Everybody who would have been notified, in order.
    pub fn notifications(&self) -> Vec<Notification> {
        self.shared.world().notifications.clone()
    }

    /// The notifications to whole channels among them.
    pub fn everybody_notifications(&self) -> Vec<Notification> {
        let mut all = self.notifications();
        all.retain(Notification::is_everybody);
        all
    }

    /// Custom slash commands of a team.
    pub fn commands(&self, team: &str) -> Vec<Command> {
        let team = self.team_id(team);
        let world = self.shared.world();
        let all = world.commands.values();
        all.filter(|command| command.team_id == team).cloned().collect()
    }

    /// Whether a token is good now.
    pub fn is_good_token(&self, token: &str) -> bool {
        let now = self.shared.now();
        self.shared.world().session(token, now).is_some()
    }
}
