//! The way that works on every server: a bot account whose token a person pastes. Stages:
//! `token` → (`unsigned`, if the server signs nothing) → `commands` → installed.

use chatport_sdk::{crypto, prelude::*};
use serde::{Deserialize, Serialize};

use super::bot_commands;
use crate::{
    api::{Client, ServerConfig},
    descriptor::BOT_TOKEN,
    details::Details,
    settings::{Mode, Settings},
};

const ACCEPT_UNSIGNED: &str = "accept_unsigned_presses";
const ACCEPT_NEW_KEY: &str = "accept_new_signing_key";

/// What is known between the stages; the host keeps it as notes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Draft {
    pub(super) details: Details,
    /// What a person should know, though it stops nothing.
    pub(super) warning: Option<String>,
}

impl Draft {
    /// The next stage, with this draft as its notes.
    pub(super) fn stage(&self, stage: &str, steps: Vec<SetupStep>) -> Progress {
        // Texts, numbers and lists: JSON holds all of it.
        Progress::next(stage, steps).notes(serde_json::to_value(self).unwrap_or_default())
    }

    /// Setup is complete.
    pub(super) fn finish(&self, settings: &Settings) -> Progress {
        Progress::installed(self.details.identity(&settings.site_url))
    }
}

pub(super) fn begin(settings: &Settings) -> Progress {
    Progress::next("token", token_steps(settings, false))
}

/// Ask for the token again; commands that are known stay.
pub(super) async fn reauthorize(site: &Site, settings: &Settings) -> Result<Progress, SetupError> {
    let config = Client::anonymous(site, &settings.site_url).config().await?;
    let pinned = Details::of(site).and_then(|details| details.signing_key);
    let new_key = pinned.is_some() && config.signing_key() != pinned;
    Ok(Progress::next("token", token_steps(settings, new_key)))
}

fn token_steps(settings: &Settings, new_key: bool) -> Vec<SetupStep> {
    let make = "A system administrator (or whoever may manage bots) makes a bot account: **Integrations → Bot Accounts → \
                Add Bot Account**, role *Member*. Copy the access token that is shown. Then add the bot to each team \
                that it is to post in. If the page is missing, turn on **System Console → Integrations → Bot Accounts**.";
    let open = StepKind::OpenLink { url: settings.site_url.at("/_redirect/integrations/bots") };
    let token = Field::new(BOT_TOKEN, "Access token of the bot", FieldKind::Secret, "26 characters, shown once.");
    let mut fields = vec![token];
    if new_key {
        let help = "The server signs presses with another key than the one that was pinned. That is right after its \
                    keys were renewed or its address changed; otherwise find out why before you accept.";
        fields.push(Field::new(ACCEPT_NEW_KEY, "Accept the server's new key", FieldKind::Toggle, help));
    }
    vec![
        SetupStep::new("make-bot", "Make a bot account", make, open),
        SetupStep::new("bot-token", "Fill in the bot's token", "", StepKind::Fields { fields }),
    ]
}

pub(super) async fn submit(site: &Site, settings: &Settings, fields: &Fields) -> Result<Progress, SetupError> {
    match site.stage() {
        "token" => token_given(site, settings, fields).await,
        "unsigned" => unsigned_accepted(site, settings, fields).await,
        "commands" => bot_commands::submit(site, settings, draft(site)?, fields).await,
        _ => Err(SetupError::WrongStage("setup isn't waiting for fields: reauthorize to change the token".into())),
    }
}

/// The draft that the last stage left.
fn draft(site: &Site) -> Result<Draft, SetupError> {
    let draft = Draft::deserialize(site.notes()).ok().filter(|draft| draft.details.v == Details::VERSION);
    draft.ok_or_else(|| SetupError::WrongStage("what was found out so far is lost: start setup again".into()))
}

async fn token_given(site: &Site, settings: &Settings, fields: &Fields) -> Result<Progress, SetupError> {
    let token = Secret::new(fields.required(BOT_TOKEN)?);
    let client = Client::with_token(site, &settings.site_url, token.clone());
    let me = client.me().await.map_err(|failure| match failure.cause {
        Cause::Unauthorized => SetupError::field(BOT_TOKEN, "the server doesn't know this token, or not any more"),
        // Characters that no header can hold.
        Cause::ContentRejected => SetupError::field(BOT_TOKEN, "isn't an access token"),
        _ => failure.into(),
    })?;
    if !me.is_bot {
        let detail = format!("is the token of a person (@{}): make a bot account, and paste its token", me.username);
        return Err(SetupError::field(BOT_TOKEN, detail));
    }
    if me.delete_at > 0 {
        return Err(SetupError::field(BOT_TOKEN, format!("the bot @{} is disabled: enable it", me.username)));
    }
    let before = Details::of(site);
    if before.as_ref().is_some_and(|before| before.bot_user_id != me.id) {
        let detail =
            format!("is another bot's (@{}): links and channels belong to the bot they were made with", me.username);
        return Err(SetupError::field(BOT_TOKEN, detail));
    }
    let config = client.config().await?;
    let signing_key = pinnable_key(&config, before.as_ref(), fields)?;
    let draft = Draft {
        warning: config.other_address(&settings.site_url).map(|other| {
            format!("Note: the server calls itself {other}. If people open it by that address, set up with that one.")
        }),
        details: Details {
            v: Details::VERSION,
            mode: Mode::Bot,
            bot_user_id: me.id,
            bot_username: me.username,
            app_id: None,
            app_path: None,
            unsigned_presses: signing_key.is_none() && settings.accept_unsigned_presses,
            signing_key,
            max_post_size: config.max_post_size(),
            commands: before.map(|before| before.commands).unwrap_or_default(),
        },
    };
    let progress = if draft.details.signing_key.is_none() && !draft.details.unsigned_presses {
        draft.stage("unsigned", vec![unsigned_step()])
    } else {
        bot_commands::ask(site, settings, &client, &draft).await?
    };
    Ok(progress.token(NewToken::new(BOT_TOKEN, token)))
}

/// The key to pin. A pinned one is replaced only if somebody says so.
fn pinnable_key(
    config: &ServerConfig,
    before: Option<&Details>,
    fields: &Fields,
) -> Result<Option<String>, SetupError> {
    let key = config.signing_key();
    if key.as_deref().is_some_and(|key| crypto::base64_decode(key).is_none()) {
        let failure = Failure::new(Cause::Unavailable, "the server's signing key can't be read");
        return Err(SetupError::Platform(failure));
    }
    let pinned = before.and_then(|before| before.signing_key.as_ref());
    if pinned.is_some() && pinned != key.as_ref() && !fields.is_on(ACCEPT_NEW_KEY) {
        let detail =
            "the server signs presses with another key than the one that was pinned: accept it, or find out why";
        return Err(SetupError::field(ACCEPT_NEW_KEY, detail));
    }
    Ok(key)
}

fn unsigned_step() -> SetupStep {
    let text = "This server has no key to sign presses with, so Mattermost can't prove who pressed a button or ran a \
                command. Whoever learns what a button carries could then act in another person's name. A server makes \
                its key when it starts with a writable database: ask its administrator first.";
    let toggle = Field::new(ACCEPT_UNSIGNED, "Go on without", FieldKind::Toggle, "Accept presses that nobody signed.");
    SetupStep::new(
        "unsigned",
        "Presses aren't signed",
        text,
        StepKind::Fields { fields: vec![toggle.default("false")] },
    )
}

async fn unsigned_accepted(site: &Site, settings: &Settings, fields: &Fields) -> Result<Progress, SetupError> {
    let mut draft = draft(site)?;
    if !fields.is_on(ACCEPT_UNSIGNED) {
        return Err(SetupError::field(
            ACCEPT_UNSIGNED,
            "must be on to go on; or let the server make its key, and start again",
        ));
    }
    draft.details.unsigned_presses = true;
    let client = Client::bot(site)?;
    bot_commands::ask(site, settings, &client, &draft).await
}
