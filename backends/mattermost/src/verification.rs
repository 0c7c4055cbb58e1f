//! How a code is entered: as an argument of the slash command, whose text nobody else sees.

use chatport_sdk::prelude::*;

use crate::{MattermostBackend, details::Details, settings::Settings};

impl Verification for MattermostBackend {
    fn purposes(&self) -> &'static [Purpose] {
        &[Purpose::User, Purpose::Channel]
    }

    fn present(&self, site: &Site, purpose: Purpose, code: &Secret) -> Presentation {
        let Ok(settings) = Settings::of(site) else { return Presentation::default() };
        let command = format!("/{} link {}", settings.command(site.app_name()), code.expose());
        let (title, text) = match purpose {
            Purpose::User => (
                "Run the command in Mattermost",
                "Type it as a message, in any channel of your team; nobody else sees it.".to_owned(),
            ),
            Purpose::Channel => {
                let bot = Details::of(site).map(|details| details.bot_username).unwrap_or_default();
                let invite = if bot.is_empty() { "the bot".into() } else { format!("`/invite @{bot}`") };
                let text = format!(
                    "Type it as a message in the channel that is to be linked; nobody else sees it. \
                     A private channel must have the bot as a member first ({invite})."
                );
                ("Run the command in the channel", text)
            }
        };
        let run = StepKind::RunCommand { command: ShownValue::Secret(Secret::new(command)) };
        Presentation { steps: vec![SetupStep::new("run-link-command", title, text, run)], deep_link: None }
    }
}
