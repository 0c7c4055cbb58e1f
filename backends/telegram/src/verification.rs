//! How a code is entered on Telegram. A bot can't write to a person first: the person opens the
//! bot, by a link that carries the code, or by typing it. Codes keep to what Telegram takes in a
//! link. <https://core.telegram.org/bots/features#deep-linking>

use chatport_sdk::prelude::*;

use crate::{TelegramBackend, details::Details};

/// A link to the bot.
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
        let Some(Details { username: bot, .. }) = Details::of(site) else { return Presentation::default() };
        let start = |at: &str| ShownValue::Secret(Secret::new(format!("/start{at} {}", code.expose())));
        let (parameter, title, text, sent, to) = match purpose {
            Purpose::User => (
                "start",
                "Send the code to the bot",
                "The link does it in one go. By hand: open the bot, press Start, then send this.",
                start(""),
                format!("@{bot}, in a private chat"),
            ),
            Purpose::Channel => (
                "startgroup",
                "Post the code in the group or channel",
                "The link does it for a group. By hand, or for a channel: add the bot (to a channel as an administrator \
                 that may post messages), then post this there. In a forum, post it in the topic that is meant.",
                start(&format!("@{bot}")),
                format!("the group or channel, with @{bot} in it"),
            ),
        };
        let mut steps = Vec::new();
        // Without the code: an address that is opened is not a secret's place.
        if let Some(url) = link(&bot, None) {
            let text = "A bot can't write to you first.";
            steps.push(SetupStep::new("open-bot", "Open the bot", text, StepKind::OpenLink { url }));
        }
        steps.push(SetupStep::new("send-code", title, text, StepKind::SendText { text: sent, to }));
        Presentation { steps, deep_link: link(&bot, Some((parameter, code.expose()))) }
    }
}
