//! Setting a bot up: its token is all that is asked for. How it is; and taking it back.

use chatport_sdk::{crypto, prelude::*};
use serde_json::json;

use crate::{
    TelegramBackend,
    api::{Bot, User, WebhookInfo},
    descriptor::{BOT_TOKEN, WEBHOOK_SECRET},
    details::Details,
    errors::BAD_WEBHOOK,
    settings::{Hearing, PATH, Settings},
    token, updates,
};

/// The stage at which the token is asked for.
const TOKEN: &str = "token";
/// So many updates in the queue are too many.
const MANY_PENDING: u64 = 100;
/// An error this long ago is over.
const RECENT: std::time::Duration = std::time::Duration::from_secs(15 * 60);

fn steps(again: bool) -> Vec<SetupStep> {
    let field = Field::new(
        BOT_TOKEN,
        "Bot token",
        FieldKind::Secret,
        "From the last message of @BotFather: digits, a colon, then letters. The whole message will do.",
    );
    let fields = StepKind::Fields { fields: vec![field] };
    let mut steps = Vec::new();
    if let Ok(url) = Url::parse("https://t.me/BotFather") {
        let text = "Bots are made, and their tokens are told, by Telegram's own bot, @BotFather.";
        steps.push(SetupStep::new("open-botfather", "Open @BotFather", text, StepKind::OpenLink { url }));
    }
    let (command, title, text) = if again {
        ("/token", "Ask for the bot's token", "Choose the bot. `/revoke` makes a new token, where the old one leaked.")
    } else {
        (
            "/newbot",
            "Make a bot",
            "Answer the two questions: a name that people read, and a username that ends in `bot`.",
        )
    };
    let send = StepKind::SendText { text: ShownValue::Plain(command.into()), to: "@BotFather".into() };
    steps.push(SetupStep::new("ask-botfather", title, text, send));
    steps.push(SetupStep::new("enter-token", "Enter the bot's token", "", fields));
    steps
}

#[async_trait]
impl Install for TelegramBackend {
    fn check(&self, site: &Site) -> Result<(), SetupError> {
        Settings::of(site).map(drop)
    }

    async fn begin(&self, site: &Site) -> Result<Progress, SetupError> {
        Settings::of(site)?;
        Ok(Progress::next(TOKEN, steps(false)))
    }

    async fn submit(&self, site: &Site, fields: &Fields) -> Result<Progress, SetupError> {
        let settings = Settings::of(site)?;
        if site.stage() != TOKEN {
            return Err(SetupError::WrongStage("setup isn't waiting for a token: reauthorize to change it".into()));
        }
        let pasted = fields.required(BOT_TOKEN)?;
        let token = token::find(pasted).ok_or_else(|| SetupError::field(BOT_TOKEN, "has no token in it"))?;
        let bot = Bot::with_token(site, &settings, token.clone());
        let me = me(site, &bot).await?;
        let webhook = settings.webhook(site);
        let identity = Details::identity(&me, &settings, webhook.is_none());
        let progress = Progress::installed(identity).token(NewToken::new(BOT_TOKEN, token));
        match webhook {
            Some(url) => be_called(site, &bot, &url, progress).await,
            None if settings.updates == Hearing::Webhook => Err(SetupError::NeedsPublicUrl(
                "a webhook needs a public address of this host: the operator has to set it, or set `updates` to `polling`"
                    .into(),
            )),
            None => {
                // Who asks may have no webhook.
                bot.tell("deleteWebhook", &json!({})).await?;
                Ok(progress)
            }
        }
    }

    async fn reauthorize(&self, site: &Site) -> Result<Progress, SetupError> {
        Settings::of(site)?;
        Ok(Progress::next(TOKEN, steps(true)))
    }

    async fn probe(&self, site: &Site) -> Health {
        let mut health = Health::default();
        if let Err(missing) = look(site, &mut health).await {
            health.missing.push(missing.what);
            health.cure = Some(missing.cure.to_owned());
        }
        health
    }

    /// The webhook is taken away, unless it is another installation's by now.
    async fn remove(&self, site: &Site) -> Result<(), Failure> {
        let bot = Bot::of(site)?;
        if !is_ours(site, &bot.webhook().await?) {
            return Ok(());
        }
        bot.tell("deleteWebhook", &json!({})).await
    }
}

/// Whose token it is; on a second time it must be the same bot's.
async fn me(site: &Site, bot: &Bot<'_>) -> Result<User, SetupError> {
    let me = bot.me().await.map_err(|failure| match failure.cause {
        Cause::Unauthorized => SetupError::field(BOT_TOKEN, "Telegram doesn't know this token, or not any more"),
        _ => failure.into(),
    })?;
    if !me.is_bot || me.id <= 0 || me.username.is_empty() {
        return Err(Failure::new(Cause::Unavailable, "the server's answer isn't the Bot API's").into());
    }
    if site.identity().is_some_and(|known| known.account != me.id.to_string()) {
        let detail =
            format!("is another bot's (@{}): links and channels belong to the bot they were made with", me.username);
        return Err(SetupError::field(BOT_TOKEN, detail));
    }
    Ok(me)
}

/// Have Telegram call this host. The secret is stored after Telegram knows it; what comes in
/// between is refused, and Telegram sends it again.
async fn be_called(site: &Site, bot: &Bot<'_>, url: &Url, progress: Progress) -> Result<Progress, SetupError> {
    let secret = Secret::new(crypto::hex(&site.random::<32>()));
    let body = json!({ "url": url, "secret_token": secret.expose(), "allowed_updates": updates::WANTED });
    bot.tell("setWebhook", &body).await.map_err(|failure| {
        if failure.error_id.as_deref() == Some(BAD_WEBHOOK) {
            return SetupError::NeedsPublicUrl(format!(
                "Telegram refuses to call {url}: it wants a public https address on port 443, 80, 88 or 8443. With `updates` \
                 set to `polling` it needs none."
            ));
        }
        failure.into()
    })?;
    // Requests with the one before may be under way.
    Ok(progress.token(NewToken::new(WEBHOOK_SECRET, secret).rotating()))
}

/// Whether a webhook leads to this installation: the public address may have changed since, the
/// slot never does.
pub(crate) fn is_ours(site: &Site, webhook: &WebhookInfo) -> bool {
    webhook.url.ends_with(&format!("/{}{PATH}", site.slot()))
}

/// Something that is missing, and its cure.
struct Missing {
    what: String,
    cure: &'static str,
}

fn missing(what: impl Into<String>, cure: &'static str) -> Missing {
    Missing { what: what.into(), cure }
}

/// One question after the other, until one has no good answer.
async fn look(site: &Site, health: &mut Health) -> Result<(), Missing> {
    let details = Details::of(site).ok_or_else(|| missing("setup isn't complete", "Finish setup."))?;
    health.identity = Some(format!("@{}", details.username));
    let settings = Settings::of(site).map_err(|error| missing(error.to_string(), "Correct the settings."))?;
    let bot = Bot::of(site).map_err(|failure| missing(failure.detail, "Reauthorize."))?;
    let me = bot.me().await.map_err(|failure| match failure.cause {
        Cause::Unauthorized => missing("Telegram doesn't know the bot's token any more", "Reauthorize."),
        _ => missing(failure.for_application(), "Check that this host may reach the Bot API server."),
    })?;
    if me.id != details.bot {
        return Err(missing("the token is another bot's", "Reauthorize."));
    }
    health.can_post = true;
    if me.username != details.username {
        let what =
            format!("the bot is called @{} now: links and commands still name @{}", me.username, details.username);
        return Err(missing(what, "Reauthorize, with the same token."));
    }
    let webhook = bot.webhook().await.map_err(|failure| missing(failure.for_application(), "Try again."))?;
    let url = settings.webhook(site);
    if url.is_none() != details.polls {
        let cure = "Reauthorize, which arranges anew how updates come.";
        return Err(missing("the host's public address, or the setting `updates`, has changed since setup", cure));
    }
    match url {
        None if webhook.url.is_empty() => {
            health.can_receive = true;
            return Ok(());
        }
        None => return Err(missing("somebody has set a webhook for this bot", "Use a bot in one place alone.")),
        Some(url) if webhook.url != url.as_str() => {
            return Err(missing(
                "Telegram calls another address, or none",
                "Reauthorize, which sets the webhook anew.",
            ));
        }
        Some(_) => {}
    }
    health.can_receive = true;
    let failed = webhook.last_error_date.map(Timestamp::from_seconds);
    if failed.is_some_and(|at| site.now().since(at) < RECENT) {
        let words = webhook.last_error_message.unwrap_or_default();
        let words: String = words.chars().filter(|c| !c.is_control()).take(200).collect();
        let what = format!("Telegram could not deliver an update lately: {words}");
        return Err(missing(what, "Check that Telegram can reach the public address and trusts its certificate."));
    }
    if webhook.pending_update_count > MANY_PENDING {
        let what = format!("{} updates wait at Telegram", webhook.pending_update_count);
        return Err(missing(what, "Check that Telegram can reach the public address."));
    }
    Ok(())
}
