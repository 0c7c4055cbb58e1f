//! The app was installed. Only an administrator of the approved server can do that, only
//! while the window is open, and only with a JWT made just now.

use chatport_sdk::prelude::*;

use super::{Call, FRESH, Refusal, Verified, acting_user, refuse, unconfirmed};
use crate::{
    api::{Client, User},
    descriptor::{BOT_ACCESS_TOKEN, BOT_SESSION, INSTALL_SECRET, WEBHOOK_SECRET},
    details::Details,
    ingress::person,
    manifest,
    settings::{Mode, Settings},
};

/// What can be refused before the body is read.
pub(super) fn check_window(site: &Site, verified: &Verified) -> Result<(), Refusal> {
    let ahead = verified.jwt.expires_at.as_seconds() - site.now().as_seconds();
    if !FRESH.contains(&ahead) {
        let text = "The call is too old, or the clocks of Mattermost and this host are more than a minute apart. \
                    Set the clocks right and run the command again.";
        return refuse("jwt-not-fresh", text);
    }
    if site.window().is_none() {
        let text = format!("The time for installing is over. Start setup in {} again.", site.app_name());
        return refuse("install-window-closed", text);
    }
    Ok(())
}

pub(super) fn must_be_admin(user: &User) -> Result<(), Refusal> {
    if user.is_system_admin() {
        return Ok(());
    }
    refuse("not-system-admin", "Only a system administrator can do that.")
}

/// A pinned key isn't replaced by just any other: presses are believed because of it.
fn check_key(site: &Site, settings: &Settings, key: Option<&str>) -> Result<(), Refusal> {
    let pinned = Details::of(site).and_then(|details| details.signing_key);
    let accepted = match key {
        Some(key) => settings.accepted_signing_key.as_deref() == Some(key),
        None => settings.accept_unsigned_presses,
    };
    if pinned.is_none() || pinned.as_deref() == key || accepted {
        return Ok(());
    }
    let app = site.app_name();
    let text = match key {
        Some(key) => format!(
            "This server signs presses with another key than the one that was pinned. That is right after its keys were \
             renewed or its address changed; otherwise find out why. To accept it, set `accepted_signing_key` in the \
             installation's settings in {app} to `{key}`, then install again."
        ),
        None => format!(
            "This server has no key to sign presses with any more. Find out why; to go on without, set \
             `accept_unsigned_presses` in the installation's settings in {app}, then install again."
        ),
    };
    refuse("another-signing-key", text)
}

pub(super) async fn installed(
    site: &Site,
    settings: &Settings,
    verified: &Verified,
    call: Call,
) -> Result<HappeningKind, Refusal> {
    if settings.mode != Mode::Apps {
        return refuse("not-apps-mode", "This installation isn't set up as an app.");
    }
    call.must_come_from(&settings.site_url)?;
    let app_id = manifest::app_id(site.app_name(), site.slot());
    if !call.is_of_app(&app_id) {
        return refuse("other-app", "The call is of another app than the one whose manifest is served here.");
    }
    let user = acting_user(site, settings, verified, &call).await?;
    must_be_admin(&user)?;

    let (Some(token), Some(webhook_secret)) = (call.bot_token(), call.webhook_secret()) else {
        return refuse("no-bot-token", "The app needs the permission to act as its bot, and for remote webhooks.");
    };
    let client = Client::with_token(site, &settings.site_url, token.clone());
    let bot = person::confirm(&client, call.bot_user()).await.or_else(unconfirmed)?;
    if !bot.is_bot {
        return refuse("not-a-bot", "Mattermost doesn't confirm the app's bot.");
    }
    let Ok(config) = client.config().await else {
        return refuse("confirmation-failed", "Mattermost could not be asked for its key. Please try again.");
    };
    let signing_key = config.signing_key();
    check_key(site, settings, signing_key.as_deref())?;
    if signing_key.is_none() && !settings.accept_unsigned_presses {
        let text = "This server has no key to sign presses with. Setup can go on only if the setting \
                    `accept_unsigned_presses` says so.";
        return refuse("no-signing-key", text);
    }
    let details = Details {
        v: Details::VERSION,
        mode: Mode::Apps,
        bot_user_id: bot.id,
        bot_username: bot.username,
        app_path: Some(manifest::app_path(&app_id)),
        app_id: Some(app_id),
        unsigned_presses: signing_key.is_none(),
        signing_key,
        max_post_size: config.max_post_size(),
        commands: Vec::new(),
    };
    let session = NewToken::new(BOT_ACCESS_TOKEN, token).expires_at(site.now().plus(BOT_SESSION));
    Ok(HappeningKind::Installed {
        identity: details.identity(&settings.site_url),
        // The secret that the plugin signs with from now on: others may go.
        tokens: vec![
            session,
            NewToken::new(WEBHOOK_SECRET, webhook_secret),
            NewToken::new(INSTALL_SECRET, verified.secret.clone()).rotating(),
        ],
        by: Some(user.account()),
    })
}
