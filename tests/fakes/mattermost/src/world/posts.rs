//! Posts: what making, changing and deleting them does to the stored data.

use serde_json::{Map, Value};

use super::{Pending, World};
use crate::attachments;
use crate::ids::new_id;
use crate::mentions;
use crate::model::{Ephemeral, Notification, Post};
use crate::options::{Options, RestrictDm};
use crate::reply::ApiError;

/// How long the server remembers a pending post id.
pub(crate) const PENDING_MS: i64 = 30_000;

/// Longest properties in Unicode characters of their JSON.
const MAX_PROPS: usize = 800_000;

/// What a pending post id says about a new post.
pub(crate) enum Seen {
    /// It is new (or none was given): make the post.
    New,
    /// The post exists already.
    Existing(Box<Post>),
}

impl World {
    /// Looks a pending post id up and, if it is new, remembers that a post is being made.
    pub(crate) fn note_pending(&mut self, pending_id: &str, reader_id: &str, now: i64) -> Result<Seen, ApiError> {
        if pending_id.is_empty() {
            return Ok(Seen::New);
        }
        self.pending.retain(|_, pending| pending.expires_at > now);
        let Some(pending) = self.pending.get(pending_id).cloned() else {
            self.set_pending(pending_id, String::new(), now);
            return Ok(Seen::New);
        };
        if pending.post_id.is_empty() {
            return Err(ApiError::named("create_post_pending_duplicate_in_flight"));
        }
        match self.posts.get(&pending.post_id) {
            Some(post) if !post.is_deleted() => {
                if !self.may_read_channel(&post.channel_id, reader_id) {
                    // Somebody else's id: the server ignores it and makes the post.
                    return Ok(Seen::New);
                }
                Ok(Seen::Existing(Box::new(post.clone())))
            }
            _ => Err(ApiError::new(
                500,
                "api.post.deduplicate_create_post.failed_to_get",
                "The post of the earlier request cannot be read.",
            )),
        }
    }

    /// Remembers which post a pending post id led to.
    pub(crate) fn set_pending(&mut self, pending_id: &str, post_id: String, now: i64) {
        if !pending_id.is_empty() {
            self.pending.insert(pending_id.to_owned(), Pending { post_id, expires_at: now + PENDING_MS });
        }
    }

    /// Checks and stores a new post. The caller has checked permissions.
    pub(crate) fn store_post(&mut self, mut post: Post, options: &Options, now: i64) -> Result<Post, ApiError> {
        self.check_root(&post)?;
        check_content(&post.message, &post.props, options)?;
        let stamp = self.stamp(now);
        post.id = new_id();
        post.create_at = stamp;
        post.update_at = stamp;
        attachments::generate_action_ids(&mut post.props);
        self.note_mentions(&post);
        if let Some(channel) = self.channels.get_mut(&post.channel_id) {
            channel.last_post_at = stamp;
            channel.total_msg_count += 1;
        }
        if let Some(root) = self.posts.get_mut(&post.root_id) {
            root.update_at = stamp;
        }
        self.post_order.push(post.id.clone());
        self.posts.insert(post.id.clone(), post.clone());
        Ok(post)
    }

    fn check_root(&self, post: &Post) -> Result<(), ApiError> {
        if post.root_id.is_empty() {
            return Ok(());
        }
        let bad = || ApiError::named("create_post_bad_root");
        let root = self.posts.get(&post.root_id).ok_or_else(bad)?;
        if root.is_deleted() || !root.root_id.is_empty() {
            return Err(bad());
        }
        if root.channel_id != post.channel_id {
            return Err(ApiError::new(
                400,
                "api.post.create_post.channel_root_id.app_error",
                "The thread is in another channel.",
            ));
        }
        Ok(())
    }

    fn note_mentions(&mut self, post: &Post) {
        for (keyword, place) in mentions::in_post(post) {
            let everybody = matches!(keyword.as_str(), "@channel" | "@all" | "@here");
            let person = self.find_user(&keyword).is_some();
            if everybody || person {
                self.notifications.push(Notification {
                    post_id: post.id.clone(),
                    channel_id: post.channel_id.clone(),
                    author_id: post.user_id.clone(),
                    keyword,
                    place,
                });
            }
        }
    }

    /// Stores a changed post. The caller has checked permissions; the rules every change obeys
    /// are checked here.
    pub(crate) fn change_post(&mut self, changed: Post, options: &Options, now: i64) -> Result<Post, ApiError> {
        let old = match self.posts.get(&changed.id) {
            None => return Err(ApiError::named("delete_post_unknown_or_deleted")),
            Some(old) if old.is_deleted() => {
                return Err(ApiError::named("update_post_app_level_deleted"));
            }
            Some(old) => old.clone(),
        };
        check_content(&changed.message, &changed.props, options)?;
        let mut post = Post {
            message: changed.message,
            props: changed.props,
            is_pinned: changed.is_pinned,
            has_reactions: changed.has_reactions,
            updates: old.updates + 1,
            ..old.clone()
        };
        if options.at_least(11, 0) {
            keep_identity(&old.props, &mut post.props);
        }
        attachments::generate_action_ids(&mut post.props);
        post.update_at = self.stamp(now);
        if post.message != old.message || post.attachments() != old.attachments() {
            post.edit_at = post.update_at;
        }
        self.posts.insert(post.id.clone(), post.clone());
        Ok(post)
    }

    /// Deletes a post; the first post of a thread takes the thread with it.
    pub(crate) fn delete_post(&mut self, post_id: &str, now: i64) {
        let stamp = self.stamp(now);
        for post in self.posts.values_mut() {
            if (post.id == post_id || post.root_id == post_id) && post.delete_at == 0 {
                post.delete_at = stamp;
                post.update_at = stamp;
            }
        }
    }

    /// Shows a user something only this user sees.
    pub(crate) fn show_ephemeral(
        &mut self,
        user_id: &str,
        channel_id: &str,
        root_id: &str,
        message: &str,
        mut props: Map<String, Value>,
        now: i64,
    ) -> Ephemeral {
        attachments::generate_action_ids(&mut props);
        let shown = Ephemeral {
            id: new_id(),
            user_id: user_id.to_owned(),
            channel_id: channel_id.to_owned(),
            root_id: root_id.to_owned(),
            message: message.to_owned(),
            props,
            at: self.stamp(now),
        };
        self.ephemerals.push(shown.clone());
        shown
    }

    /// Posts of a channel in the order they were made.
    pub(crate) fn channel_posts(&self, channel_id: &str) -> impl DoubleEndedIterator<Item = &Post> {
        self.post_order.iter().filter_map(|id| self.posts.get(id)).filter(move |post| post.channel_id == channel_id)
    }

    /// Whether the direct channel is closed to these two, by the rule of newer servers.
    pub(crate) fn is_restricted_dm(&self, channel_id: &str, writer_id: &str, options: &Options) -> bool {
        let Some(channel) = self.channels.get(channel_id) else {
            return false;
        };
        if options.restrict_dm != RestrictDm::TeamV11 {
            return false;
        }
        match self.direct_peer(channel, writer_id) {
            Some(peer) => !self.may_write_directly(writer_id, &peer, options),
            None => false,
        }
    }

    /// Whether a user may open a direct channel to another.
    pub(crate) fn may_write_directly(&self, from: &str, to: &str, options: &Options) -> bool {
        let exempt = |user_id: &str, other: &str| {
            let Some(user) = self.users.get(user_id) else {
                return false;
            };
            user.is_bot
                && match options.restrict_dm {
                    RestrictDm::Any | RestrictDm::TeamV10 => true,
                    RestrictDm::TeamV11 => user.bot_owner == other || !self.users.contains_key(&user.bot_owner),
                }
        };
        options.restrict_dm == RestrictDm::Any || self.share_team(from, to) || exempt(from, to) || exempt(to, from)
    }
}

/// Checks text and properties of a post.
fn check_content(message: &str, props: &Map<String, Value>, options: &Options) -> Result<(), ApiError> {
    if message.chars().count() > options.max_post_size {
        return Err(ApiError::named("create_post_too_long"));
    }
    let bad_props = |why: String| ApiError::new(400, "model.post.is_valid.props.app_error", why);
    let json = serde_json::to_string(props).expect("properties are plain data");
    if json.chars().count() > MAX_PROPS {
        return Err(bad_props("The properties are too large.".into()));
    }
    attachments::check(props, options).map_err(bad_props)
}

/// Newer servers put the marks of a post's origin back when the properties are replaced.
fn keep_identity(old: &Map<String, Value>, new: &mut Map<String, Value>) {
    for key in ["from_bot", "from_webhook", "from_plugin", "from_oauth_app"] {
        match old.get(key) {
            Some(value) => new.insert(key.into(), value.clone()),
            None => new.remove(key),
        };
    }
}
