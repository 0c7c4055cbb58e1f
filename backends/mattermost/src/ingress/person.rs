//! Who acts, and where. What a call says of itself is a hint; the answer comes from the
//! pinned site, asked with the person's own token or with the bot's.

use chatport_sdk::prelude::*;

use crate::{
    address,
    api::{Client, User},
    delivery,
};

/// The account whose token the client has, if it is `claimed` and may act.
pub(super) async fn confirm(client: &Client<'_>, claimed: &str) -> Result<User, &'static str> {
    let user = client.me().await.map_err(|failure| match failure.cause {
        Cause::Unauthorized => "token-refused",
        _ => "confirmation-failed",
    })?;
    if user.id != claimed || user.delete_at > 0 {
        return Err("token-of-another-user");
    }
    Ok(user)
}

/// Where the channel is and whether a code may link it. `None` if it can't be proven.
pub(super) async fn conversation(client: &Client<'_>, channel: &str, member: &str, team: &str) -> Option<Conversation> {
    if !address::is_id(channel) {
        return None;
    }
    let found = client.channel(channel).await.ok().filter(|found| found.delete_at == 0 && found.id == channel)?;
    if !client.is_member(channel, member).await.ok()? {
        return None;
    }
    let kind = match found.kind.as_str() {
        "D" => ConversationKind::Direct,
        "G" => ConversationKind::Group,
        _ => ConversationKind::Channel,
    };
    let team = if found.team_id.is_empty() { "" } else { team };
    Some(Conversation {
        id: found.id.clone(),
        address: address::of_channel(&found.id),
        kind,
        name: found.name,
        display_name: found.display_name,
        team: team.to_owned(),
    })
}

/// Whether the bot can post in the channel; it joins a public one by itself.
pub(super) async fn bot_is_in(client: &Client<'_>, channel: &str, bot: &str) -> bool {
    if client.is_member(channel, bot).await.unwrap_or(false) {
        return true;
    }
    let refused = Failure::new(Cause::BotNotInChannel, "the bot isn't a member");
    delivery::enter(client, channel, bot, refused).await.is_ok()
}
