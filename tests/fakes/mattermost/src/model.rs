//! The things a server keeps, as the handle shows them to tests.

use serde::Serialize;
use serde_json::{Map, Value};

/// A person or a bot.
#[derive(Debug, Clone, Default, Serialize)]
pub struct User {
    /// Identifier.
    pub id: String,
    /// Login name.
    pub username: String,
    /// Mail address.
    pub email: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// System roles, e.g. `system_admin system_user`.
    pub roles: String,
    /// Language.
    pub locale: String,
    /// Whether this is a bot account.
    pub is_bot: bool,
    /// Who made the bot: a user id, or the Apps plugin's name.
    pub bot_owner: String,
    /// When the account was made, ms.
    pub create_at: i64,
    /// When it was changed, ms.
    pub update_at: i64,
    /// When it was deactivated, ms; 0 if active.
    pub delete_at: i64,
}

impl User {
    /// Whether the user is a system administrator.
    pub fn is_sysadmin(&self) -> bool {
        self.roles.split_whitespace().any(|role| role == "system_admin")
    }
}

/// A team.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Team {
    /// Identifier.
    pub id: String,
    /// Name in URLs.
    pub name: String,
    /// Name for people.
    pub display_name: String,
    /// When it was made, ms.
    pub create_at: i64,
}

/// Kinds of channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum ChannelKind {
    /// Anybody of the team may join.
    #[default]
    #[serde(rename = "O")]
    Public,
    /// By invitation.
    #[serde(rename = "P")]
    Private,
    /// Between two users.
    #[serde(rename = "D")]
    Direct,
}

impl ChannelKind {
    /// The letter the server uses.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Public => "O",
            Self::Private => "P",
            Self::Direct => "D",
        }
    }
}

/// A channel.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Channel {
    /// Identifier.
    pub id: String,
    /// Kind.
    #[serde(rename = "type")]
    pub kind: ChannelKind,
    /// Team, empty for direct channels.
    pub team_id: String,
    /// Name in URLs.
    pub name: String,
    /// Name for people.
    pub display_name: String,
    /// Who made it.
    pub creator_id: String,
    /// When it was made, ms.
    pub create_at: i64,
    /// When it was changed, ms.
    pub update_at: i64,
    /// When it was archived, ms; 0 if not.
    pub delete_at: i64,
    /// When the last post came, ms.
    pub last_post_at: i64,
    /// Number of posts.
    pub total_msg_count: i64,
}

/// A stored post, with everything clients never see.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Post {
    /// Identifier.
    pub id: String,
    /// When it was made, ms.
    pub create_at: i64,
    /// When it was last touched, ms.
    pub update_at: i64,
    /// When its text was last edited, ms; 0 if never.
    pub edit_at: i64,
    /// When it was deleted, ms; 0 if not.
    pub delete_at: i64,
    /// Pinned to the channel.
    pub is_pinned: bool,
    /// Has reactions.
    pub has_reactions: bool,
    /// Author.
    pub user_id: String,
    /// Channel.
    pub channel_id: String,
    /// First post of the thread, empty if this is one.
    pub root_id: String,
    /// Text.
    pub message: String,
    /// Kind of post, empty for ordinary ones.
    #[serde(rename = "type")]
    pub kind: String,
    /// Properties, integrations of buttons included.
    pub props: Map<String, Value>,
    /// The id the writer sent to make the request repeatable; the server forgets it.
    pub pending_post_id: String,
    /// How often the post was changed after it was made.
    pub updates: u32,
}

impl Post {
    /// Whether the post is deleted.
    pub fn is_deleted(&self) -> bool {
        self.delete_at != 0
    }

    /// The attachments, empty if there are none.
    pub fn attachments(&self) -> &[Value] {
        self.props.get("attachments").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    /// The button or menu with this id, integration included.
    pub fn action(&self, action_id: &str) -> Option<&Value> {
        self.attachments()
            .iter()
            .filter_map(|attachment| attachment.get("actions"))
            .filter_map(Value::as_array)
            .flatten()
            .find(|action| action.get("id").and_then(Value::as_str) == Some(action_id))
    }

    /// Ids of all buttons and menus, in order.
    pub fn action_ids(&self) -> Vec<String> {
        self.attachments()
            .iter()
            .filter_map(|attachment| attachment.get("actions"))
            .filter_map(Value::as_array)
            .flatten()
            .filter_map(|action| action.get("id").and_then(Value::as_str))
            .map(str::to_owned)
            .collect()
    }
}

/// A post only one user sees, and only until the page is loaded again.
#[derive(Debug, Clone, Serialize)]
pub struct Ephemeral {
    /// Identifier.
    pub id: String,
    /// Who sees it.
    pub user_id: String,
    /// Where.
    pub channel_id: String,
    /// Thread, empty if none.
    pub root_id: String,
    /// Text.
    pub message: String,
    /// Properties.
    pub props: Map<String, Value>,
    /// When, ms.
    pub at: i64,
}

/// A custom slash command.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Command {
    /// Identifier.
    pub id: String,
    /// Secret the server shows to the integration.
    pub token: String,
    /// When it was made, ms.
    pub create_at: i64,
    /// When it was changed, ms.
    pub update_at: i64,
    /// Always 0: deleted commands are gone.
    pub delete_at: i64,
    /// Who made it.
    pub creator_id: String,
    /// Team.
    pub team_id: String,
    /// The word after the slash.
    pub trigger: String,
    /// `P` for POST, `G` for GET.
    pub method: String,
    /// Name shown as the author of answers.
    pub username: String,
    /// Icon of answers.
    pub icon_url: String,
    /// Whether the command is offered while typing.
    pub auto_complete: bool,
    /// Text shown while typing.
    pub auto_complete_desc: String,
    /// Hint shown while typing.
    pub auto_complete_hint: String,
    /// Name for people.
    pub display_name: String,
    /// Description.
    pub description: String,
    /// Where it is sent.
    pub url: String,
}

/// Place of a mention in a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum MentionPlace {
    /// The post's text.
    Message,
    /// The text above an attachment.
    Pretext,
    /// The text of an attachment.
    AttachmentText,
    /// The value of an attachment's field (newer servers).
    FieldValue,
}

/// A mention that would have notified people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notification {
    /// The post.
    pub post_id: String,
    /// The channel.
    pub channel_id: String,
    /// The author.
    pub author_id: String,
    /// `@channel`, `@all`, `@here` or `@username`.
    pub keyword: String,
    /// Where it stood.
    pub place: MentionPlace,
}

impl Notification {
    /// Whether it would have notified the whole channel.
    pub fn is_everybody(&self) -> bool {
        matches!(self.keyword.as_str(), "@channel" | "@all" | "@here")
    }
}
