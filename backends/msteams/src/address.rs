//! The backend's own forms of what the host keeps without reading it: conversation references
//! and handles of posts.
//!
//! A conversation is a channel, a group chat or a personal chat; its key is Teams' id of it
//! without a thread. Which thread of a channel a post is in stands in the post's receipt, so two
//! threads of one channel are never taken for each other.

use chatport_sdk::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    descriptor::RATE,
    settings::{ServiceUrl, Settings},
};

/// The version of both forms.
const VERSION: u32 = 1;
/// Longest id that Teams is believed, in bytes; the longest seen have some 200.
const MAX_ID: usize = 512;
/// Stands between a channel's id and the post that starts a thread.
const THREAD: &str = ";messageid=";

/// Whether a text can be an id of Teams: they hold `:`, `;`, `@`, `=`, `_`, `.` and more. In a
/// path, one of dots alone would lead to another place.
pub(crate) fn is_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic();
    (1..=MAX_ID).contains(&text.len()) && text.bytes().all(is_plain) && !matches!(text, "." | "..")
}

/// What sort of conversation it is, in Teams' words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Kind {
    Personal,
    GroupChat,
    Channel,
}

impl Kind {
    pub(crate) fn of(text: &str) -> Option<Self> {
        match text {
            "personal" => Some(Self::Personal),
            "groupChat" => Some(Self::GroupChat),
            "channel" => Some(Self::Channel),
            _ => None,
        }
    }

    pub(crate) fn conversation(self) -> ConversationKind {
        match self {
            Self::Personal => ConversationKind::Direct,
            Self::GroupChat => ConversationKind::Group,
            Self::Channel => ConversationKind::Channel,
        }
    }
}

/// All that is needed to write to a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reference {
    v: u32,
    /// Where the conversation is served, as the last verified activity of it said.
    pub(crate) service_url: String,
    /// The conversation's id, without a thread.
    pub(crate) conversation: String,
    pub(crate) kind: Kind,
    /// The tenant.
    pub(crate) tenant: String,
    /// The bot's own id in this conversation.
    pub(crate) bot: String,
    /// The person, in a personal chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    /// The team, for a channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) team: Option<String>,
}

/// A conversation as a verified activity describes it.
pub(crate) struct Described<'a> {
    pub(crate) service_url: &'a ServiceUrl,
    pub(crate) conversation: &'a str,
    pub(crate) kind: Kind,
    pub(crate) tenant: &'a str,
    pub(crate) bot: &'a str,
    pub(crate) user: Option<&'a str>,
    pub(crate) team: Option<&'a str>,
}

impl Reference {
    /// The reference of a conversation.
    pub(crate) fn new(described: &Described<'_>) -> Self {
        let (conversation, _) = split(described.conversation);
        Self {
            v: VERSION,
            service_url: described.service_url.as_str().to_owned(),
            conversation: conversation.to_owned(),
            kind: described.kind,
            tenant: described.tenant.to_owned(),
            bot: described.bot.to_owned(),
            user: described.user.filter(|_| described.kind == Kind::Personal).map(str::to_owned),
            team: described.team.filter(|_| described.kind == Kind::Channel).map(str::to_owned),
        }
    }

    /// The reference of an address.
    ///
    /// # Errors
    /// An address that isn't ours.
    pub(crate) fn of(address: &Address) -> Result<Self, Failure> {
        let reference = address.read::<Self>().ok().filter(|reference| {
            let ids = [&reference.conversation, &reference.tenant, &reference.bot];
            reference.v == VERSION && ids.into_iter().all(|id| is_id(id))
        });
        reference
            .ok_or_else(|| Failure::new(Cause::ChannelNotFound, "the address isn't one of a conversation in Teams"))
    }

    /// The same as an address.
    pub(crate) fn address(&self) -> Address {
        // Texts and a number: JSON holds all of it.
        Address(serde_json::to_value(self).unwrap_or_default())
    }

    /// What paces and orders what goes there.
    pub(crate) fn stream(&self) -> StreamKey {
        StreamKey { key: self.conversation.clone(), rate: RATE }
    }

    /// Where it is served, if the bot's access token may be sent there.
    ///
    /// # Errors
    /// A server that isn't (or isn't any more) in the settings.
    pub(crate) fn service(&self, settings: &Settings) -> Result<ServiceUrl, Failure> {
        settings.service_url(&self.service_url).ok_or_else(|| {
            let detail = "the conversation is served by a server that isn't in the setting `service_urls`";
            Failure::new(Cause::PermissionDenied, detail).scope(Scope::Conversation)
        })
    }
}

/// A conversation's id, and the post that starts the thread, if one is named.
pub(crate) fn split(id: &str) -> (&str, Option<&str>) {
    match id.split_once(THREAD) {
        Some((conversation, root)) => (conversation, Some(root).filter(|root| !root.is_empty())),
        None => (id, None),
    }
}

/// What is kept of a post.
#[derive(Serialize, Deserialize)]
struct Handle {
    v: u32,
    /// The conversation's id with the thread that the post is in.
    thread: String,
}

/// The receipt of a post in a thread.
pub(crate) fn receipt(post: &str, thread: &str) -> Receipt {
    let handle = Handle { v: VERSION, thread: thread.to_owned() };
    Receipt { handle: serde_json::to_value(handle).unwrap_or_default(), ..Receipt::new(post) }
}

/// The post of a receipt, and the thread that it is in.
///
/// # Errors
/// A receipt that isn't ours, or of another conversation.
pub(crate) fn post_of(receipt: &Receipt, reference: &Reference) -> Result<(String, String), Failure> {
    let refuse = || Failure::new(Cause::ContentRejected, "the receipt isn't one of a post in this conversation");
    if !is_id(&receipt.id) {
        return Err(refuse());
    }
    let handle = Handle::deserialize(&receipt.handle).ok().filter(|handle| handle.v == VERSION);
    let thread = handle.ok_or_else(refuse)?.thread;
    if !is_id(&thread) || split(&thread).0 != reference.conversation {
        return Err(refuse());
    }
    Ok((receipt.id.clone(), thread))
}

/// The thread that a post of a conversation starts: in a channel one of its own.
pub(crate) fn thread_of(reference: &Reference, post: &str) -> String {
    match reference.kind {
        Kind::Channel => format!("{}{THREAD}{post}", reference.conversation),
        Kind::Personal | Kind::GroupChat => reference.conversation.clone(),
    }
}
