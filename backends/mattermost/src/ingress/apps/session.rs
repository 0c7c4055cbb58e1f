//! A bot session that was asked for has come. The plugin's webhook can be reached by its
//! users, too; what proves the call is the nonce, made with a secret that they don't see,
//! and the session itself, which must be our bot's at the pinned site.

use chatport_sdk::prelude::*;

use super::{Call, Refusal, Verified, must_be_installed, refuse, unconfirmed};
use crate::{
    api::Client,
    descriptor::{BOT_ACCESS_TOKEN, BOT_SESSION},
    ingress::person,
    nonce,
    settings::Settings,
};

pub(super) async fn arrived(
    site: &Site,
    settings: &Settings,
    verified: &Verified,
    call: &Call,
) -> Result<HappeningKind, Refusal> {
    call.must_come_from(&settings.site_url)?;
    let details = must_be_installed(site)?;
    let claimed = verified.jwt.claims.acting_user_id.as_deref().unwrap_or_default();
    if claimed != details.bot_user_id || call.has_acting_user() || call.bot_user() != details.bot_user_id {
        return refuse("webhook-not-by-bot", "This call is for the plugin alone.");
    }
    if !call.nonce().is_some_and(|presented| nonce::is_ours(site, presented)) {
        return refuse("webhook-nonce", "Nobody here asked for this.");
    }
    let Some(token) = call.bot_token() else { return refuse("no-bot-token", "There is no session in the call.") };
    let client = Client::with_token(site, &settings.site_url, token.clone());
    let bot = person::confirm(&client, &details.bot_user_id).await.or_else(unconfirmed)?;
    if !bot.is_bot {
        return refuse("not-a-bot", "Mattermost doesn't confirm the app's bot.");
    }
    let session = NewToken::new(BOT_ACCESS_TOKEN, token).expires_at(site.now().plus(BOT_SESSION));
    Ok(HappeningKind::TokensArrived { tokens: vec![session] })
}
