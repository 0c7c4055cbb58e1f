//! Replies to our posts: which copy was replied to, and what the application hears of it.

use std::time::Duration;

use chatport_sdk::{identity::Account, time::Timestamp};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;

use super::{press::shown_address, told::ReplyPosted};
use crate::{
    delivery::message::ShownPart,
    events::{self, EventKind, NewEvent},
    ids::{ChannelId, CopyId},
    setup::{
        channels,
        links::{self, LinkedAccount},
        sites::Loaded,
    },
    store::{
        Change,
        entities::{copies, messages},
    },
};

/// A reply to an older message isn't looked for.
const REPLIES_REACH: Duration = Duration::from_secs(30 * 24 * 3600);

/// Somebody replied to a post: if it is one of ours, tell the application. The answer is whether
/// it is.
pub(super) async fn replied(
    transaction: &Change,
    loaded: &Loaded,
    part: &str,
    conversation: &str,
    account: &Account,
    text: &str,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let Some((copy, message)) = find_part(transaction, loaded, part, conversation, now).await? else {
        return Ok(false);
    };
    let (organization, installation) = (&loaded.organization, loaded.id);
    let link = links::refresh(transaction, loaded, account, now).await?;
    let channel = channels::of_conversation(transaction, organization, installation, conversation).await?;
    let told = ReplyPosted {
        installation,
        backend: loaded.backend_id().to_owned(),
        message: message.key,
        copy: CopyId(copy.id),
        channel: channel.map(|channel| ChannelId(channel.id)),
        text: text.to_owned(),
        user: link.map(|link| link.user_id),
        account: LinkedAccount::from(account),
    };
    events::append(transaction, organization, NewEvent::new(EventKind::ReplyPosted, &told, now)).await?;
    Ok(true)
}

/// The copy that a post belongs to.
async fn find_part(
    transaction: &Change,
    loaded: &Loaded,
    part: &str,
    conversation: &str,
    now: Timestamp,
) -> Result<Option<(copies::Model, messages::Model)>, DbErr> {
    // Parts are kept as JSON: look for the id as it stands there, then read what was found.
    let quoted = json!(part).to_string();
    let candidates = copies::Entity::find()
        .filter(copies::Column::Organization.eq(loaded.organization.as_str()))
        .filter(copies::Column::Installation.eq(loaded.id.0))
        .filter(copies::Column::Message.is_not_null())
        .filter(copies::Column::CreatedAt.gt(now.minus(REPLIES_REACH).as_micros()))
        .filter(copies::Column::Parts.contains(format!("\"id\":{quoted}")))
        .order_by_desc(copies::Column::CreatedAt)
        .limit(8)
        .all(transaction)
        .await?;
    let is_shown = |copy: &copies::Model| {
        let parts: Vec<ShownPart> = serde_json::from_str(&copy.parts).unwrap_or_default();
        parts.iter().any(|shown| shown.receipt.id == part)
            && shown_address(loaded, copy.address.as_deref(), conversation).is_some()
    };
    match candidates.into_iter().find(is_shown) {
        Some(copy) => find(&**transaction, loaded, copy.id).await,
        None => Ok(None),
    }
}

/// This copy and its message, if it is this installation's and still wanted.
pub(super) async fn find(
    on: &impl ConnectionTrait,
    loaded: &Loaded,
    copy: uuid::Uuid,
) -> Result<Option<(copies::Model, messages::Model)>, DbErr> {
    let organization = loaded.organization.as_str();
    let copy = copies::Entity::find_by_id((organization.to_owned(), copy)).one(on).await?;
    let Some(copy) = copy.filter(|copy| copy.installation == Some(loaded.id.0) && !copy.removal) else {
        return Ok(None);
    };
    let Some(message) = copy.message else { return Ok(None) };
    let message = messages::Entity::find_by_id((organization.to_owned(), message)).one(on).await?;
    Ok(message.filter(|message| !message.deleted).map(|message| (copy, message)))
}
