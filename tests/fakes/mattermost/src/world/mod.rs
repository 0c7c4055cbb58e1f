//! Everything the server stores, behind one lock, with the rules about who may do what.

pub(crate) mod people;
pub(crate) mod places;
pub(crate) mod posts;
pub(crate) mod standard;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::apps::AppsState;
use crate::hooks::ResponseHook;
use crate::model::{Channel, ChannelKind, Command, Ephemeral, Notification, Post, Team, User};

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A login of a person.
    Login,
    /// A personal access token of a bot or person.
    Personal,
    /// A session the Apps plugin made.
    App,
}

/// A token the server knows.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) id: String,
    pub(crate) user_id: String,
    pub(crate) kind: TokenKind,
    /// When it ends, ms; `None` for never.
    pub(crate) expires_at: Option<i64>,
}

/// Who is calling.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) user_id: String,
    /// Whether the session was made for an OAuth app, as those of the Apps plugin are.
    pub(crate) is_oauth: bool,
}

/// A post id seen with a pending post id.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    /// The post; empty while it is being made.
    pub(crate) post_id: String,
    pub(crate) expires_at: i64,
}

/// The server's data.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) users: HashMap<String, User>,
    pub(crate) teams: BTreeMap<String, Team>,
    pub(crate) channels: HashMap<String, Channel>,
    /// Team id → members, with whether they administer the team.
    pub(crate) team_members: HashMap<String, BTreeMap<String, bool>>,
    /// Channel id → members.
    pub(crate) channel_members: HashMap<String, BTreeSet<String>>,
    pub(crate) tokens: HashMap<String, Token>,
    pub(crate) posts: HashMap<String, Post>,
    /// Post ids in the order they were made.
    pub(crate) post_order: Vec<String>,
    pub(crate) ephemerals: Vec<Ephemeral>,
    pub(crate) notifications: Vec<Notification>,
    pub(crate) pending: HashMap<String, Pending>,
    pub(crate) commands: BTreeMap<String, Command>,
    pub(crate) response_hooks: HashMap<String, ResponseHook>,
    pub(crate) apps: AppsState,
    /// The last time stamp given to a post: they never repeat, so orders are unambiguous.
    pub(crate) last_stamp: i64,
}

impl World {
    /// A user by id or name.
    pub(crate) fn find_user(&self, reference: &str) -> Option<&User> {
        self.users.get(reference).or_else(|| {
            let name = reference.trim_start_matches('@');
            self.users.values().find(|user| user.username == name)
        })
    }

    /// A team by id or name.
    pub(crate) fn find_team(&self, reference: &str) -> Option<&Team> {
        self.teams.get(reference).or_else(|| self.teams.values().find(|team| team.name == reference))
    }

    /// A channel by id, by name if only one team has it, or by `team/name`.
    pub(crate) fn find_channel(&self, reference: &str) -> Option<&Channel> {
        if let Some(channel) = self.channels.get(reference) {
            return Some(channel);
        }
        if let Some((team, name)) = reference.split_once('/') {
            let team = self.find_team(team)?;
            return self.channel_by_name(&team.id, name);
        }
        let mut named = self.channels.values().filter(|c| c.name == reference);
        match (named.next(), named.next()) {
            (Some(channel), None) => Some(channel),
            _ => None,
        }
    }

    /// A channel of a team by its name.
    pub(crate) fn channel_by_name(&self, team_id: &str, name: &str) -> Option<&Channel> {
        self.channels.values().find(|channel| channel.team_id == team_id && channel.name == name)
    }

    /// The session behind a token at a time, if it is good.
    pub(crate) fn session(&self, token: &str, now_ms: i64) -> Option<Session> {
        let token = self.tokens.get(token)?;
        if token.expires_at.is_some_and(|end| end <= now_ms) {
            return None;
        }
        let user = self.users.get(&token.user_id)?;
        if user.delete_at != 0 {
            return None;
        }
        Some(Session { user_id: user.id.clone(), is_oauth: token.kind == TokenKind::App })
    }

    /// Whether the user is a system administrator.
    pub(crate) fn is_sysadmin(&self, user_id: &str) -> bool {
        self.users.get(user_id).is_some_and(User::is_sysadmin)
    }

    /// Whether the user is in the team.
    pub(crate) fn in_team(&self, team_id: &str, user_id: &str) -> bool {
        self.team_members.get(team_id).is_some_and(|members| members.contains_key(user_id))
    }

    /// Whether the user may manage the team: its administrators and the system's.
    pub(crate) fn administers_team(&self, team_id: &str, user_id: &str) -> bool {
        let team_admin =
            self.team_members.get(team_id).and_then(|members| members.get(user_id)).copied().unwrap_or(false);
        team_admin || (self.is_sysadmin(user_id) && self.teams.contains_key(team_id))
    }

    /// Whether two users have a team in common.
    pub(crate) fn share_team(&self, one: &str, other: &str) -> bool {
        self.team_members.values().any(|members| members.contains_key(one) && members.contains_key(other))
    }

    /// Whether the user is in the channel.
    pub(crate) fn in_channel(&self, channel_id: &str, user_id: &str) -> bool {
        self.channel_members.get(channel_id).is_some_and(|members| members.contains(user_id))
    }

    /// Whether the user has the rights of a member in the channel. Says no for channels that do
    /// not exist unless the user is a system administrator, as the server does.
    pub(crate) fn may_use_channel(&self, channel_id: &str, user_id: &str) -> bool {
        self.in_channel(channel_id, user_id) || self.is_sysadmin(user_id)
    }

    /// Whether the user may read the channel: members, and for public ones the whole team.
    pub(crate) fn may_read_channel(&self, channel_id: &str, user_id: &str) -> bool {
        if self.may_use_channel(channel_id, user_id) {
            return true;
        }
        self.channels
            .get(channel_id)
            .is_some_and(|channel| channel.kind == ChannelKind::Public && self.in_team(&channel.team_id, user_id))
    }

    /// A time stamp for a post: the clock, but later than the one before.
    pub(crate) fn stamp(&mut self, now_ms: i64) -> i64 {
        self.last_stamp = now_ms.max(self.last_stamp + 1);
        self.last_stamp
    }
}
