//! How a code is entered on Telegram. A bot can't write to a person first: the person opens
//! the bot, by a link that carries the code, or by typing it.

use chatport_sdk::prelude::*;

use crate::{Settings, TelegramBackend};

/// A link to the bot. The code may be part of it: codes keep to what Telegram takes there.
fn link(bot: &str, query: Option<(&str, &str)>) -> Option<Url> {
    let mut url = Url::parse(&format!("https://t.me/{bot}")).ok()?;
    if let Some((name, value)) = query {
        url.query_pairs_mut().append_pair(name, value);
    }
    Some(url)
}

impl Verification for TelegramBackend {
    fn purposes(&self) -> &'static [Purpose] {
        &[Purpose::User, Purpose::Channel]
    }

    fn present(&self, site: &Site, purpose: Purpose, code: &Secret) -> Presentation {
        let bot = Settings::of(site).ok().and_then(|settings| settings.bot_username);
        let name = bot.as_ref().map_or("the bot".into(), |bot| format!("@{bot}"));
        let (parameter, title, text, to) = match purpose {
            Purpose::User => (
                "start",
                "Send the code to the bot",
                "The link does it in one go. By hand: open the bot, press Start, then send this code.",
                format!("{name}, in a private chat"),
            ),
            Purpose::Channel => (
                "startgroup",
                "Post the code in the group or channel",
                "The link does it for a group. By hand, or for a channel: add the bot as an administrator that \
                 may post messages, then post this code there.",
                format!("the group or channel, with {name} in it"),
            ),
        };
        let mut steps = Vec::new();
        // Without the code: an address that is opened is not a secret's place.
        if let Some(url) = bot.as_deref().and_then(|bot| link(bot, None)) {
            steps.push(SetupStep::new(
                "open-bot",
                "Open the bot",
                "A bot can't write to you first.",
                StepKind::OpenLink { url },
            ));
        }
        let send = StepKind::SendText { text: ShownValue::Secret(code.clone()), to };
        steps.push(SetupStep::new("send-code", title, text, send));
        let deep_link = bot.as_deref().and_then(|bot| link(bot, Some((parameter, code.expose()))));
        Presentation { steps, deep_link }
    }
}
