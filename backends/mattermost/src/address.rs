//! The backend's own forms of what the host keeps without reading it: addresses of
//! channels and handles of posts.

use chatport_sdk::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::settings::SiteUrl;

/// The version of both forms.
const VERSION: u32 = 1;

/// Whether a text has the shape of an id: 26 characters of `[a-z0-9]`. Nothing else is ever
/// put into a path.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == 26 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

#[derive(Deserialize)]
struct Place {
    v: u32,
    channel: String,
}

/// The address of a channel.
pub(crate) fn of_channel(channel: &str) -> Address {
    Address(json!({ "v": VERSION, "channel": channel }))
}

/// The channel of an address.
///
/// # Errors
/// An address that isn't ours.
pub(crate) fn channel_at(address: &Address) -> Result<String, Failure> {
    match address.read::<Place>() {
        Ok(place) if place.v == VERSION && is_id(&place.channel) => Ok(place.channel),
        _ => Err(Failure::new(Cause::ChannelNotFound, "the address isn't one of a Mattermost channel")),
    }
}

#[derive(Serialize, Deserialize)]
struct Handle {
    v: u32,
    root: String,
}

/// The receipt of a post. `root` is the post that starts its thread, empty if it does.
pub(crate) fn receipt(site: &SiteUrl, post: &str, root: &str) -> Receipt {
    let mut receipt = Receipt::new(post);
    receipt.permalink = Some(site.at(&format!("/_redirect/pl/{post}")));
    receipt.handle = json!(Handle { v: VERSION, root: root.to_owned() });
    receipt
}

/// The post that starts the thread of this receipt's post: replies go below it.
pub(crate) fn thread_of(receipt: &Receipt) -> String {
    let root = Handle::deserialize(&receipt.handle).ok().filter(|handle| handle.v == VERSION).map(|handle| handle.root);
    root.filter(|root| !root.is_empty()).unwrap_or_else(|| receipt.id.clone())
}

/// The id of a receipt's post.
///
/// # Errors
/// A receipt that isn't ours.
pub(crate) fn post_of(receipt: &Receipt) -> Result<&str, Failure> {
    if is_id(&receipt.id) {
        Ok(&receipt.id)
    } else {
        Err(Failure::new(Cause::ContentRejected, "the receipt isn't one of a Mattermost post"))
    }
}
