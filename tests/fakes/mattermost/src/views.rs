//! How users, teams, channels, memberships and posts look in JSON, in the server's key order.
//! The REST interface and the Apps plugin share these.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::attachments;
use crate::model::{Channel, Post, Team, User};

/// How much of an entity the Apps plugin passes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Id,
    Summary,
    All,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

/// A user in JSON.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct UserJson {
    pub(crate) id: String,
    #[serde(skip_serializing_if = "is_zero")]
    create_at: i64,
    #[serde(skip_serializing_if = "is_zero")]
    update_at: i64,
    delete_at: i64,
    username: String,
    auth_service: String,
    email: String,
    nickname: String,
    first_name: String,
    last_name: String,
    position: String,
    roles: String,
    locale: String,
    timezone: Option<BTreeMap<&'static str, &'static str>>,
    #[serde(skip_serializing_if = "is_false")]
    is_bot: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    bot_description: String,
    disable_welcome_email: bool,
}

/// A user, at a level of detail.
pub(crate) fn user(user: &User, level: Level) -> UserJson {
    if level == Level::Id {
        return UserJson { id: user.id.clone(), ..UserJson::default() };
    }
    let everything = level == Level::All;
    UserJson {
        id: user.id.clone(),
        create_at: if everything { user.create_at } else { 0 },
        update_at: if everything { user.update_at } else { 0 },
        delete_at: user.delete_at,
        username: user.username.clone(),
        email: user.email.clone(),
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        roles: user.roles.clone(),
        locale: user.locale.clone(),
        timezone: Some(BTreeMap::from([
            ("automaticTimezone", ""),
            ("manualTimezone", ""),
            ("useAutomaticTimezone", "true"),
        ])),
        is_bot: user.is_bot,
        ..UserJson::default()
    }
}

/// A team in JSON.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct TeamJson {
    id: String,
    create_at: i64,
    update_at: i64,
    delete_at: i64,
    display_name: String,
    name: String,
    description: String,
    email: String,
    #[serde(rename = "type")]
    kind: &'static str,
    company_name: String,
    allowed_domains: String,
    invite_id: String,
    allow_open_invite: bool,
    scheme_id: Option<String>,
    group_constrained: Option<bool>,
    policy_id: Option<String>,
    cloud_limits_archived: bool,
}

/// A team, at a level of detail.
pub(crate) fn team(team: &Team, level: Level) -> TeamJson {
    let mut out = TeamJson { id: team.id.clone(), ..TeamJson::default() };
    if level != Level::Id {
        out.display_name.clone_from(&team.display_name);
        out.name.clone_from(&team.name);
        out.kind = "O";
    }
    if level == Level::All {
        out.create_at = team.create_at;
        out.update_at = team.create_at;
    }
    out
}

/// A channel in JSON.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct ChannelJson {
    pub(crate) id: String,
    create_at: i64,
    update_at: i64,
    delete_at: i64,
    pub(crate) team_id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    display_name: String,
    name: String,
    header: String,
    purpose: String,
    last_post_at: i64,
    total_msg_count: i64,
    extra_update_at: i64,
    creator_id: String,
    scheme_id: Option<String>,
    props: Option<Value>,
    group_constrained: Option<bool>,
    shared: Option<bool>,
    total_msg_count_root: i64,
    policy_id: Option<String>,
    last_root_post_at: i64,
}

/// A channel, at a level of detail.
pub(crate) fn channel(channel: &Channel, level: Level) -> ChannelJson {
    let mut out = ChannelJson { id: channel.id.clone(), team_id: channel.team_id.clone(), ..ChannelJson::default() };
    if level != Level::Id {
        out.delete_at = channel.delete_at;
        out.kind = channel.kind.code();
        out.display_name.clone_from(&channel.display_name);
        out.name.clone_from(&channel.name);
    }
    if level == Level::All {
        out.create_at = channel.create_at;
        out.update_at = channel.update_at;
        out.last_post_at = channel.last_post_at;
        out.total_msg_count = channel.total_msg_count;
        out.creator_id.clone_from(&channel.creator_id);
        out.total_msg_count_root = channel.total_msg_count;
        out.last_root_post_at = channel.last_post_at;
    }
    out
}

/// A membership in a channel.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct ChannelMemberJson {
    pub(crate) channel_id: String,
    pub(crate) user_id: String,
    roles: &'static str,
    last_viewed_at: i64,
    msg_count: i64,
    mention_count: i64,
    mention_count_root: i64,
    urgent_mention_count: i64,
    msg_count_root: i64,
    notify_props: Option<BTreeMap<&'static str, &'static str>>,
    last_update_at: i64,
    scheme_guest: bool,
    scheme_user: bool,
    scheme_admin: bool,
    explicit_roles: &'static str,
}

/// A membership in a channel, at a level of detail.
pub(crate) fn channel_member(channel_id: &str, user_id: &str, level: Level) -> ChannelMemberJson {
    let mut out = ChannelMemberJson {
        channel_id: channel_id.to_owned(),
        user_id: user_id.to_owned(),
        ..ChannelMemberJson::default()
    };
    if level != Level::Id {
        out.roles = "channel_user";
        out.scheme_user = true;
        out.notify_props = Some(BTreeMap::from([
            ("desktop", "default"),
            ("email", "default"),
            ("ignore_channel_mentions", "default"),
            ("mark_unread", "all"),
            ("push", "default"),
        ]));
    }
    out
}

/// A membership in a team.
pub(crate) fn team_member(team_id: &str, user_id: &str, admin: bool) -> Value {
    json!({
        "team_id": team_id,
        "user_id": user_id,
        "roles": if admin { "team_user team_admin" } else { "team_user" },
        "delete_at": 0,
        "scheme_guest": false,
        "scheme_user": true,
        "scheme_admin": admin,
        "explicit_roles": "",
    })
}

/// A post in JSON.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct PostJson {
    id: String,
    create_at: i64,
    update_at: i64,
    edit_at: i64,
    delete_at: i64,
    is_pinned: bool,
    user_id: String,
    pub(crate) channel_id: String,
    root_id: String,
    original_id: String,
    message: String,
    #[serde(rename = "type")]
    kind: String,
    props: Option<Map<String, Value>>,
    hashtags: String,
    pub(crate) pending_post_id: String,
    #[serde(skip_serializing_if = "is_false")]
    has_reactions: bool,
    reply_count: i64,
    last_reply_at: i64,
    participants: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<Value>,
}

/// A post, at a level of detail, without the integrations of its buttons.
pub(crate) fn post(post: &Post, level: Level) -> PostJson {
    let mut out = PostJson { id: post.id.clone(), ..PostJson::default() };
    if level != Level::Id {
        out.user_id.clone_from(&post.user_id);
        out.channel_id.clone_from(&post.channel_id);
        out.root_id.clone_from(&post.root_id);
        out.message.clone_from(&post.message);
        out.kind.clone_from(&post.kind);
    }
    if level == Level::All {
        out.create_at = post.create_at;
        out.update_at = post.update_at;
        out.edit_at = post.edit_at;
        out.delete_at = post.delete_at;
        out.is_pinned = post.is_pinned;
        out.has_reactions = post.has_reactions;
        out.props = Some(attachments::for_client(&post.props));
    }
    out
}

/// A post as the REST interface gives it.
pub(crate) fn rest_post(stored: &Post) -> PostJson {
    PostJson { metadata: Some(json!({})), ..post(stored, Level::All) }
}
