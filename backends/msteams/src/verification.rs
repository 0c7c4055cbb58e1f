//! How a code is entered on Teams: sent to the bot by a person, or with a mention of the bot
//! in the channel, for bots hear only what mentions them there.

use chatport_sdk::prelude::*;

use crate::TeamsBackend;

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
                code.clone(),
                format!("{app}, in a personal chat"),
            ),
            Purpose::Channel => (
                "Post the code in the channel",
                "Add the app to the team first. The mention must be a real one: type `@` and choose the app.",
                Secret::new(format!("@{app} {}", code.expose())),
                "the channel that is to be connected".into(),
            ),
        };
        let send = StepKind::SendText { text: ShownValue::Secret(send), to };
        Presentation { steps: vec![SetupStep::new("send-code", title, text, send)], deep_link: None }
    }
}
