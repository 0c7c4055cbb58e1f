//! The setup steps, shown so that people can see what they will need. None completes.

use chatport_sdk::prelude::*;

use crate::{Settings, TelegramBackend};

const NOT_YET: &str =
    "Setting Telegram up can't be completed: this build of Chatport has no delivery for Telegram yet.";

fn steps() -> Vec<SetupStep> {
    let mut steps = vec![SetupStep::new(
        "not-yet",
        "Not available yet",
        format!("{NOT_YET} The steps below show what it will ask for; nothing that you enter is kept."),
        StepKind::Wait { what: "a build of Chatport that can deliver to Telegram".into() },
    )];
    if let Ok(url) = Url::parse("https://t.me/BotFather") {
        let text = "Bots are made by Telegram's own bot, @BotFather.";
        steps.push(SetupStep::new("open-botfather", "Open @BotFather", text, StepKind::OpenLink { url }));
    }
    steps.extend([
        SetupStep::new(
            "make-bot",
            "Make a bot",
            "Answer the two questions: a name that people read, and a username that ends in `bot`.",
            StepKind::SendText { text: ShownValue::Plain("/newbot".into()), to: "@BotFather".into() },
        ),
        SetupStep::new(
            "enter-token",
            "Enter the bot's token",
            "The last message of @BotFather has the token: digits, a colon, then letters.",
            StepKind::Fields {
                fields: vec![
                    Field::new("bot_token", "Bot token", FieldKind::Secret, "From the last message of @BotFather."),
                    Field::new("bot_username", "Bot username", FieldKind::Text, "Without `@`.").optional(),
                ],
            },
        ),
    ]);
    steps
}

fn not_yet<T>() -> Result<T, SetupError> {
    Err(SetupError::WrongStage(NOT_YET.into()))
}

#[async_trait]
impl Install for TelegramBackend {
    async fn begin(&self, site: &Site) -> Result<Progress, SetupError> {
        Settings::of(site)?;
        Ok(Progress::next("not_yet", steps()))
    }

    async fn submit(&self, _site: &Site, _fields: &Fields) -> Result<Progress, SetupError> {
        not_yet()
    }

    async fn reauthorize(&self, _site: &Site) -> Result<Progress, SetupError> {
        not_yet()
    }

    async fn probe(&self, _site: &Site) -> Health {
        Health { missing: vec![NOT_YET.into()], ..Health::default() }
    }

    async fn remove(&self, _site: &Site) -> Result<(), Failure> {
        // Setup put nothing there.
        Ok(())
    }
}
