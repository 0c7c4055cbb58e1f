//! Who acts, and where. What a call says of itself is a hint; the answer comes from the
//! pinned site, asked with the person's own token or with the bot's.

use chatport_sdk::prelude::*;

use crate::{
    address,
    api::{Channel, Client, User},
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

/// The channel of a command, if it is there and isn't archived.
pub(super) async fn channel(client: &Client<'_>, id: &str) -> Option<Channel> {
    if !address::is_id(id) {
        return None;
    }
    client.channel(id).await.ok().filter(|found| found.delete_at == 0 && found.id == id)
}
