//! Teams, channels and memberships.

use super::World;
use crate::ids::new_id;
use crate::model::{Channel, ChannelKind, Team};

impl World {
    /// Makes a team. `None` if the name is taken.
    pub(crate) fn add_team(&mut self, name: &str, now: i64) -> Option<Team> {
        if self.find_team(name).is_some() {
            return None;
        }
        let team = Team { id: new_id(), name: name.to_owned(), display_name: name.to_owned(), create_at: now };
        self.teams.insert(team.id.clone(), team.clone());
        Some(team)
    }

    /// Puts a user into a team.
    pub(crate) fn join_team(&mut self, team_id: &str, user_id: &str) {
        self.team_members.entry(team_id.to_owned()).or_default().entry(user_id.to_owned()).or_insert(false);
    }

    /// Makes a user administrate a team.
    pub(crate) fn make_team_admin(&mut self, team_id: &str, user_id: &str) {
        self.team_members.entry(team_id.to_owned()).or_default().insert(user_id.to_owned(), true);
    }

    /// Takes a user out of a team and out of the team's channels.
    pub(crate) fn leave_team(&mut self, team_id: &str, user_id: &str) {
        if let Some(members) = self.team_members.get_mut(team_id) {
            members.remove(user_id);
        }
        for channel in self.channels.values().filter(|c| c.team_id == team_id) {
            if let Some(members) = self.channel_members.get_mut(&channel.id) {
                members.remove(user_id);
            }
        }
    }

    /// Makes a channel in a team. `None` if the name is taken there.
    pub(crate) fn add_channel(&mut self, team_id: &str, name: &str, kind: ChannelKind, now: i64) -> Option<Channel> {
        if self.channel_by_name(team_id, name).is_some() {
            return None;
        }
        let channel = Channel {
            id: new_id(),
            kind,
            team_id: team_id.to_owned(),
            name: name.to_owned(),
            display_name: name.to_owned(),
            create_at: now,
            update_at: now,
            ..Channel::default()
        };
        self.channels.insert(channel.id.clone(), channel.clone());
        Some(channel)
    }

    /// Puts a user into a channel.
    pub(crate) fn join_channel(&mut self, channel_id: &str, user_id: &str) {
        self.channel_members.entry(channel_id.to_owned()).or_default().insert(user_id.to_owned());
    }

    /// Takes a user out of a channel.
    pub(crate) fn leave_channel(&mut self, channel_id: &str, user_id: &str) {
        if let Some(members) = self.channel_members.get_mut(channel_id) {
            members.remove(user_id);
        }
    }

    /// The direct channel of two users, made if it does not exist.
    pub(crate) fn direct_channel(&mut self, one: &str, other: &str, now: i64) -> Channel {
        let name = direct_name(one, other);
        if let Some(channel) = self.channel_by_name("", &name) {
            return channel.clone();
        }
        let channel = Channel {
            id: new_id(),
            kind: ChannelKind::Direct,
            name,
            creator_id: one.to_owned(),
            create_at: now,
            update_at: now,
            ..Channel::default()
        };
        self.channels.insert(channel.id.clone(), channel.clone());
        self.join_channel(&channel.id, one);
        self.join_channel(&channel.id, other);
        channel
    }

    /// The other side of a direct channel.
    pub(crate) fn direct_peer(&self, channel: &Channel, user_id: &str) -> Option<String> {
        let (one, other) = channel.name.split_once("__")?;
        Some(if one == user_id { other } else { one }.to_owned())
    }
}

/// Name of the direct channel of two users: both ids in order.
fn direct_name(one: &str, other: &str) -> String {
    if one < other { format!("{one}__{other}") } else { format!("{other}__{one}") }
}
