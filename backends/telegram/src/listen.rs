//! Hearing by asking, where Telegram can't call: long polling. The cursor is the number of the
//! next update; asking for it tells Telegram that all before it are on disk.
//! <https://core.telegram.org/bots/api#getupdates>

use std::time::Duration;

use chatport_sdk::prelude::*;
use serde_json::{Value, json};

use crate::{
    TelegramBackend,
    api::Bot,
    details::Details,
    errors::HAS_WEBHOOK,
    install::is_ours,
    replies,
    updates::{Update, WANTED},
};

/// How long Telegram waits for something to happen, in seconds.
const WAIT: u64 = 25;
/// How long the call may take.
const PATIENCE: Duration = Duration::from_secs(35);
/// Most updates at once.
const MOST: u64 = 50;

#[async_trait]
impl Listen for TelegramBackend {
    fn listens(&self, site: &Site) -> bool {
        Details::of(site).is_some_and(|details| details.polls)
    }

    async fn listen(&self, site: &Site, cursor: Option<&str>) -> Result<Heard, Failure> {
        let bot = Bot::of(site)?;
        let mut body = json!({ "timeout": WAIT, "limit": MOST, "allowed_updates": WANTED });
        if let Some(next) = cursor.and_then(|cursor| cursor.parse::<i64>().ok()) {
            body["offset"] = next.into();
        }
        let updates = match bot.wait_for("getUpdates", &body, PATIENCE).await {
            // Somebody has set a webhook since; this installation is set up to ask.
            Err(failure) if failure.error_id.as_deref() == Some(HAS_WEBHOOK) => {
                // Being set up anew, as one that is called: what has just been set stays.
                if is_ours(site, &bot.webhook().await?) {
                    let detail = "the bot's webhook leads here, but updates are polled for: reauthorize";
                    return Err(Failure::new(Cause::Unavailable, detail));
                }
                bot.tell("deleteWebhook", &json!({})).await?;
                bot.wait_for("getUpdates", &body, PATIENCE).await?
            }
            updates => updates?,
        };
        Ok(updates.into_iter().fold(Heard::default(), |heard, update| take(site, heard, update)))
    }

    async fn answer(&self, site: &Site, happenings: &[Happening], outcomes: &[Outcome]) {
        let Ok(bot) = Bot::of(site) else { return };
        for (happening, outcome) in happenings.iter().zip(outcomes) {
            if let Some(reply) = replies::reply(site, happening, outcome) {
                // Nobody could do anything about a refusal: a press that waited for too long, a
                // person who has blocked the bot.
                let _ = bot.tell(reply.method, &reply.body).await;
            }
        }
    }
}

/// An update that can't be understood is passed over.
fn take(site: &Site, heard: Heard, update: Value) -> Heard {
    let Some(id) = update["update_id"].as_i64() else { return heard };
    let heard = Update::happening(update, site).into_iter().fold(heard, Heard::happening);
    heard.until(id.saturating_add(1).to_string())
}
