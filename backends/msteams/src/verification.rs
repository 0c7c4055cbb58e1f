//! How a code is entered on Teams: sent to the bot by a person, or with a mention of the bot
//! in the channel, for bots hear only what mentions them there.

use chatport_sdk::prelude::*;

use crate::{TeamsBackend, details::Details};

impl Verification for TeamsBackend {
    fn purposes(&self) -> &'static [Purpose] {
        &[Purpose::User, Purpose::Channel]
    }

    fn present(&self, site: &Site, purpose: Purpose, code: &Secret) -> Presentation {
        let app = site.app_name();
        let (title, text, send, to) = match purpose {
            Purpose::User => (
                "Send the code to the bot",
                "Add the app for yourself if you don't have it, then send this text in its chat.",
                format!("link {}", code.expose()),
                format!("{app}, in a personal chat"),
            ),
            Purpose::Channel => (
                "Post the code in the channel",
                "Add the app to the team or chat first. The mention must be a real one: type `@` and choose the app.",
                format!("@{app} link {}", code.expose()),
                "the channel or group chat that is to be connected".into(),
            ),
        };
        let send = StepKind::SendText { text: ShownValue::Secret(Secret::new(send)), to };
        let deep_link = (purpose == Purpose::User).then(|| chat_with_bot(site, code)).flatten();
        Presentation { steps: vec![SetupStep::new("send-code", title, text, send)], deep_link }
    }
}

/// A link that opens the bot's chat with the text in it.
/// <https://learn.microsoft.com/microsoftteams/platform/concepts/build-and-test/deep-link-teams>
fn chat_with_bot(site: &Site, code: &Secret) -> Option<Url> {
    let bot = format!("28:{}", Details::of(site)?.app_id);
    let mut url = Url::parse("https://teams.microsoft.com/l/chat/0/0").ok()?;
    url.query_pairs_mut().append_pair("users", &bot).append_pair("message", &format!("link {}", code.expose()));
    Some(url)
}
