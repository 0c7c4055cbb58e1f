//! Telegram, registered so that it shows in the catalogue with what its setup will ask for.
//! It presents the setup steps and says how codes are entered; it can't be set up to the end
//! and can't deliver, so it has neither a delivery part nor an ingress.
#![deny(missing_docs)]

mod install;
mod verification;

use std::{sync::LazyLock, time::Duration};

use chatport_sdk::{
    prelude::*,
    schemars::{self, JsonSchema},
};
use serde::{Deserialize, Serialize};

/// The backend for Telegram: setup steps only.
#[derive(Debug, Default)]
pub struct TelegramBackend;

register_backend!(TelegramBackend);

/// The settings of an installation.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(crate = "schemars")]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The bot's username without `@`, as @BotFather gave it. With it, codes come with a link
    /// that opens the bot.
    #[schemars(regex(pattern = "^[A-Za-z0-9_]{5,32}$"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bot_username: Option<String>,
}

impl Settings {
    fn of(site: &Site) -> Result<Self, SetupError> {
        let settings = site.settings::<Option<Self>>();
        let settings = settings.map_err(|error| SetupError::field("settings", error.to_string()))?.unwrap_or_default();
        let right = |name: &String| (5..=32).contains(&name.len()) && name.bytes().all(is_name_byte);
        match &settings.bot_username {
            Some(name) if !right(name) => {
                Err(SetupError::field("bot_username", "must have 5 to 32 of A-Z, a-z, 0-9 and _, without `@`"))
            }
            _ => Ok(settings),
        }
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

static DESCRIPTOR: LazyLock<Descriptor> = LazyLock::new(|| {
    let mut descriptor = Descriptor::new("telegram", "Telegram").settings::<Settings>();
    descriptor.description = "Telegram bots: setup steps only; cannot deliver yet.";
    descriptor.icon = Some(Icon { media_type: "image/svg+xml", bytes: include_bytes!("icon.svg") });
    // Texts count 4096 after formatting has been parsed; replies quote, they form no thread.
    descriptor.limits.unit = LengthUnit::Utf16;
    descriptor.limits.text = 4_096;
    descriptor.limits.actions = 20;
    descriptor.limits.choices = 20;
    descriptor.limits.threads = false;
    descriptor.tokens = &[
        TokenKind { name: "bot_token", usage: TokenUse::Reveal, origin: TokenOrigin::Person, lifetime: None },
        TokenKind { name: "webhook_secret", usage: TokenUse::Compare, origin: TokenOrigin::Host, lifetime: None },
    ];
    // About one message a second in a chat, 20 a minute in a group.
    descriptor.rates =
        const { &[Rate::per_conversation("chat", 1.0, 3), Rate::per_conversation("group", 20.0 / 60.0, 3)] };
    // Answers to a press have been seen to fail from 10 seconds on.
    descriptor.press_limit = Duration::from_secs(8);
    descriptor
});

impl MessagingBackend for TelegramBackend {
    fn descriptor(&self) -> &Descriptor {
        &DESCRIPTOR
    }

    fn install(&self) -> Option<&dyn Install> {
        Some(self)
    }

    fn verification(&self) -> Option<&dyn Verification> {
        Some(self)
    }
}
