//! The document of `PUT …/messages/{key}`, and what is stored of it. The stored body is the
//! canonical JSON of the request: equal requests have equal fingerprints.

use chatport_sdk::{
    content::{Action, Content},
    crypto,
    delivery::{Receipt, Urgency},
    schemars::JsonSchema,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::ids::{ChannelId, InstallationId};

/// Most targets of a message.
pub const MAX_TARGETS: usize = 200;
/// Most log lines of a message.
pub const MAX_LOG: usize = 200;

/// What an application wants to be shown, and where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PutMessage {
    /// Grows with the content; milliseconds of the time at which it was read will do. A
    /// lower revision than the present one changes nothing.
    pub revision: i64,
    /// Nothing more is expected, e.g. resolved: this revision is always sent.
    #[serde(default, rename = "final")]
    pub is_final: bool,
    /// Where it is to be shown. A target that a later revision leaves out is handled as
    /// `on_removed` says.
    pub targets: Vec<Target>,
    /// What it says.
    pub content: Content,
    /// Lines for the thread under the message; each id is posted once.
    #[serde(default)]
    pub log: Vec<LogLine>,
    /// How pressing it is.
    #[serde(default)]
    pub urgency: Urgency,
    /// Not to be sent before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Not to be sent after this time: by default 24 hours (urgent: 1 hour) after it was
    /// accepted, at most 7 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// What to do when a platform didn't answer and can't be asked whether it posted.
    #[serde(default)]
    pub on_unknown: OnUnknown,
    /// What to do when the message to reply to doesn't appear.
    #[serde(default)]
    pub on_missing_root: OnMissingRoot,
    /// What becomes of copies whose target is left out.
    #[serde(default)]
    pub on_removed: OnRemoved,
    /// Where it is shown too if it isn't delivered in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Fallback>,
}

/// More targets, for the case that one of the others doesn't show this revision in time: it
/// is still on its way, or it can't be delivered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fallback {
    /// How many seconds the others have: 1 to 86400, from `not_before` on if there is one. A
    /// target that can't be delivered to ends the wait at once.
    pub after: u32,
    /// Where it is shown then.
    pub targets: Vec<Target>,
}

/// Where a message is to be shown.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Target {
    /// A connected channel.
    Channel(ChannelTarget),
    /// The default channel.
    Default(DefaultTarget),
    /// A user of the application.
    User(UserTarget),
}

/// A connected channel.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelTarget {
    /// Its id.
    pub channel: ChannelId,
}

/// The default channel.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DefaultTarget {
    /// Always `true`.
    pub default: bool,
    /// Of this installation; absent: of each active one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installation: Option<InstallationId>,
}

/// A user of the application.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserTarget {
    /// The application's id of the user.
    pub user: String,
    /// Through this installation; absent: the account that was linked last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<InstallationId>,
    /// By a direct message, or by name in a thread.
    #[serde(default)]
    pub prefer: Prefer,
    /// The thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<ReplyTo>,
}

/// How a user is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Prefer {
    /// By a direct message.
    #[default]
    Direct,
    /// By name, in the thread of `reply_to`.
    Mention,
}

/// A message to reply to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplyTo {
    /// The key of the message.
    pub message: String,
    /// Its copy in this channel; absent: its first copy in the user's installation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
}

/// A line for the thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogLine {
    /// Unique within the message.
    pub id: String,
    /// CommonMark.
    pub text: String,
}

/// What to do when an outcome can't be found out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnUnknown {
    /// Post again: rather twice than never.
    #[default]
    Repeat,
    /// Give up: rather never than twice.
    Dead,
}

/// What to do when the message to reply to doesn't appear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnMissingRoot {
    /// Post outside the thread.
    #[default]
    Unthreaded,
    /// Give up.
    Dead,
}

/// What becomes of copies whose target is left out of a later revision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnRemoved {
    /// They stay as they are.
    #[default]
    Leave,
    /// They are deleted.
    Delete,
}

impl PutMessage {
    /// A message with this content and nothing else.
    pub(super) fn of(revision: i64, content: Content) -> Self {
        Self {
            revision,
            is_final: false,
            targets: Vec::new(),
            content,
            log: Vec::new(),
            urgency: Urgency::default(),
            not_before: None,
            expires_at: None,
            on_unknown: OnUnknown::default(),
            on_missing_root: OnMissingRoot::default(),
            fallback: None,
            on_removed: OnRemoved::default(),
        }
    }

    /// The canonical text: what is stored, and what the fingerprint is taken of.
    pub fn canonical(&self) -> String {
        // Serializing plain data into memory can't fail.
        serde_json::to_string(self).expect("a message is plain data")
    }

    /// Check the limits that hold everywhere.
    ///
    /// # Errors
    /// The first violation: a JSON pointer, and what is wrong.
    pub fn check(&self) -> Result<(), (String, String)> {
        self.content.check().map_err(|error| (format!("/content{}", error.pointer), error.detail))?;
        check_targets("/targets", &self.targets, &[])?;
        if let Some(fallback) = &self.fallback {
            check_targets("/fallback/targets", &fallback.targets, &self.targets)?;
            if !(1..=86_400).contains(&fallback.after) {
                return Err(("/fallback/after".into(), "must be 1 to 86400 seconds".into()));
            }
        }
        if self.log.len() > MAX_LOG {
            return Err(("/log".into(), format!("more than {MAX_LOG} lines")));
        }
        for (index, line) in self.log.iter().enumerate() {
            if line.id.is_empty() || line.id.len() > 128 || line.text.is_empty() || line.text.len() > 20_000 {
                let detail = "`id` must have 1 to 128 bytes, `text` 1 to 20000";
                return Err((format!("/log/{index}"), detail.into()));
            }
            if self.log[..index].iter().any(|other| other.id == line.id) {
                return Err((format!("/log/{index}/id"), "stands there twice".into()));
            }
        }
        Ok(())
    }
}

/// Check a list of targets, none of which may stand in `others` too.
fn check_targets(pointer: &str, targets: &[Target], others: &[Target]) -> Result<(), (String, String)> {
    if targets.is_empty() || targets.len() > MAX_TARGETS {
        return Err((pointer.into(), format!("must have 1 to {MAX_TARGETS} targets")));
    }
    for (index, target) in targets.iter().enumerate() {
        let at = format!("{pointer}/{index}");
        match target {
            Target::Default(target) if !target.default => return Err((at, "`default` can only be true".into())),
            Target::User(target) if target.user.is_empty() || target.user.len() > 256 => {
                return Err((at, "`user` must have 1 to 256 bytes".into()));
            }
            Target::User(target) if target.prefer == Prefer::Mention && target.reply_to.is_none() => {
                return Err((at, "a mention needs `reply_to`: the message in whose thread it is made".into()));
            }
            _ if targets[..index].contains(target) || others.contains(target) => {
                return Err((at, "stands there twice".into()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// SHA-256 of a canonical text.
pub fn fingerprint(canonical: &str) -> [u8; 32] {
    crypto::sha256(canonical.as_bytes())
}

/// One part of a copy as it stands on the platform; the elements of `copies.parts`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShownPart {
    /// What the platform gave back.
    pub receipt: Receipt,
    /// Digest of what it shows; an equal rendering isn't sent again.
    pub digest: String,
    /// The revision that it shows.
    pub revision: i64,
    /// The actions of that revision's content, in order: a press names one by its index.
    #[serde(default)]
    pub actions: Vec<Action>,
}
