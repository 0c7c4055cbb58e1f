//! Setting an installation up, in either mode; how it is; and taking it back.

mod apps;
mod bot;
mod bot_commands;

use chatport_sdk::prelude::*;

use crate::{
    MattermostBackend,
    api::Client,
    descriptor::{BOT_TOKEN, WEBHOOK_SECRET},
    details::Details,
    settings::{Mode, Settings},
};

#[async_trait]
impl Install for MattermostBackend {
    fn check(&self, site: &Site) -> Result<(), SetupError> {
        Settings::of(site).map(drop)
    }

    async fn begin(&self, site: &Site) -> Result<Progress, SetupError> {
        let settings = Settings::of(site)?;
        match settings.mode {
            Mode::Bot => Ok(bot::begin(&settings)),
            Mode::Apps => apps::begin(site, &settings).await,
        }
    }

    async fn submit(&self, site: &Site, fields: &Fields) -> Result<Progress, SetupError> {
        let settings = Settings::of(site)?;
        match settings.mode {
            Mode::Bot => bot::submit(site, &settings, fields).await,
            Mode::Apps => Err(SetupError::WrongStage(
                "there is nothing to fill in: setup goes on when the app is installed in Mattermost".into(),
            )),
        }
    }

    async fn reauthorize(&self, site: &Site) -> Result<Progress, SetupError> {
        let settings = Settings::of(site)?;
        match settings.mode {
            Mode::Bot => bot::reauthorize(site, &settings).await,
            Mode::Apps => apps::reauthorize(site, &settings).await,
        }
    }

    async fn probe(&self, site: &Site) -> Health {
        probe(site).await
    }

    /// Commands that were registered from here are removed. An app can only be uninstalled
    /// by an administrator of the server.
    async fn remove(&self, site: &Site) -> Result<(), Failure> {
        let Some(details) = Details::of(site) else { return Ok(()) };
        let registered: Vec<&str> = details.commands.iter().filter_map(|command| command.id.as_deref()).collect();
        if registered.is_empty() {
            return Ok(());
        }
        let client = Client::bot(site)?;
        let mut outcome = Ok(());
        for id in registered {
            match client.delete_command(id).await {
                Err(failure) if failure.cause != Cause::ChannelNotFound => outcome = Err(failure),
                _ => {}
            }
        }
        outcome
    }

    fn renew(&self) -> Option<&dyn Renew> {
        Some(self)
    }
}

/// How an installation is: one question after the other, until one has no good answer.
async fn probe(site: &Site) -> Health {
    let mut health = Health::default();
    let Some(details) = Details::of(site) else {
        return missing(health, "setup isn't complete", "Finish setup.");
    };
    let Ok(settings) = Settings::of(site) else {
        return missing(health, "the settings can't be read", "Correct the settings.");
    };
    health.identity = Some(format!("@{} at {}", details.bot_username, settings.site_url));
    health = can_receive(site, &settings, &details, health);

    let anonymous = Client::anonymous(site, &settings.site_url);
    if let Err(failure) = anonymous.ping().await {
        return missing(
            health,
            failure.for_application(),
            "Check the address of the server, and that this host may reach it.",
        );
    }
    health = can_post(site, &details, health).await;
    if health.can_post && health.can_receive {
        health = calls_us(site, &details, health).await;
    }
    match anonymous.config().await {
        Ok(config) if config.signing_key() != details.signing_key => {
            health.can_receive = false;
            let cure = "If the server's keys were renewed, reauthorize and accept the new key.";
            missing(health, "the server signs with another key than the one that was pinned", cure)
        }
        _ => health,
    }
}

fn missing(mut health: Health, what: &str, cure: &str) -> Health {
    health.missing.push(what.to_owned());
    health.cure.get_or_insert_with(|| cure.to_owned());
    health
}

fn can_receive(site: &Site, settings: &Settings, details: &Details, mut health: Health) -> Health {
    if site.ingress_url().is_none() {
        let cure = "The operator sets the host's public address; then reauthorize.";
        return missing(health, "the host has no public address: buttons and commands can't work", cure);
    }
    if settings.mode == Mode::Bot && details.commands.is_empty() {
        let cure = "Reauthorize, and give the token of a slash command.";
        return missing(health, "no slash command is known: people and channels can't be linked", cure);
    }
    health.can_receive = true;
    health
}

/// What the server itself says of the commands that were registered from here. Of those whose
/// tokens were pasted it tells the bot nothing.
async fn calls_us(site: &Site, details: &Details, mut health: Health) -> Health {
    let (Ok(client), Some(url)) = (Client::bot(site), bot_commands::request_url(site)) else { return health };
    for id in details.commands.iter().filter_map(|command| command.id.as_deref()) {
        let what = match client.command_url(id).await {
            Ok(known) if known == url => continue,
            Ok(known) => format!("the slash command calls another address: {known}"),
            Err(failure) if failure.cause == Cause::ChannelNotFound => {
                "the slash command is gone, or the bot may no longer manage commands".to_owned()
            }
            // It will be asked again.
            Err(_) => continue,
        };
        health.can_receive = false;
        return missing(health, &what, "Reauthorize, and let the commands be registered anew.");
    }
    health
}

async fn can_post(site: &Site, details: &Details, mut health: Health) -> Health {
    health.credential_expires_at = site.token(BOT_TOKEN).and_then(|token| token.expires_at);
    let client = match Client::bot(site) {
        Ok(client) => client,
        // A session is asked for when there is something to send.
        Err(failure) if failure.cause == Cause::AwaitingCredential && site.token(WEBHOOK_SECRET).is_some() => {
            health.can_post = true;
            return health;
        }
        Err(failure) => return missing(health, failure.for_application(), "Reauthorize."),
    };
    match client.me().await {
        Ok(me) if me.id == details.bot_user_id && me.delete_at == 0 => health.can_post = true,
        Ok(_) => {
            return missing(health, "the bot's token is another account's, or the bot is disabled", "Reauthorize.");
        }
        // A session that ran out early is renewed by itself.
        Err(failure) if failure.cause == Cause::Unauthorized && details.mode == Mode::Apps => health.can_post = true,
        Err(failure) => {
            return missing(health, &format!("the bot's token: {}", failure.for_application()), "Reauthorize.");
        }
    }
    health
}

#[async_trait]
impl Renew for MattermostBackend {
    fn kinds(&self, site: &Site) -> &'static [&'static str] {
        // A pasted token stands in place of sessions: none is to be had, and none is needed.
        match Settings::in_use(site) {
            Ok(settings) if settings.mode == Mode::Apps => &[crate::descriptor::BOT_ACCESS_TOKEN],
            _ => &[],
        }
    }

    async fn renew(&self, site: &Site, _kind: &str) -> Result<Renewal, Failure> {
        apps::ask_for_session(site).await
    }
}
