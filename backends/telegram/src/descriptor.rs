//! What is constant about the backend: labels, limits, rates and kinds of token.

use std::{sync::LazyLock, time::Duration};

use chatport_sdk::prelude::*;

use crate::settings::Settings;

/// The bot's token, as @BotFather gave it.
pub(crate) const BOT_TOKEN: &str = "bot_token";
/// What Telegram sends with each update, so that nobody else can.
pub(crate) const WEBHOOK_SECRET: &str = "webhook_secret";

/// The rate of a chat with one person.
pub(crate) const CHAT: &str = "chat";
/// The rate of a group or channel.
pub(crate) const GROUP: &str = "group";

/// Longest text of a message, in UTF-16 code units after its markup was read.
/// <https://core.telegram.org/bots/api#sendmessage>
pub(crate) const MAX_TEXT: usize = 4_096;

static TOKENS: [TokenKind; 2] = [
    TokenKind { name: BOT_TOKEN, usage: TokenUse::Reveal, origin: TokenOrigin::Person, lifetime: None },
    TokenKind { name: WEBHOOK_SECRET, usage: TokenUse::Compare, origin: TokenOrigin::Host, lifetime: None },
];

/// One message a second in a chat, 20 a minute in a group, 30 a second for a bot: what a bucket
/// lets through at once is taken off what it lets through in the long run. A group takes a few at
/// once; else it could have one in three seconds alone.
/// <https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this>
static RATES: [Rate; 3] = [
    Rate::per_conversation(CHAT, 0.9, 1),
    Rate::per_conversation(GROUP, 17.0 / 60.0, 3),
    Rate::per_installation("bot", 24.0, 5),
];

/// The descriptor.
pub(crate) static DESCRIPTOR: LazyLock<Descriptor> = LazyLock::new(|| {
    let mut descriptor = Descriptor::new("telegram", "Telegram").settings::<Settings>();
    descriptor.description = "Posts as a Telegram bot to people, groups, topics and channels, with buttons.";
    descriptor.icon = Some(Icon { media_type: "image/svg+xml", bytes: include_bytes!("icon.svg") });
    descriptor.limits.unit = LengthUnit::Utf16;
    descriptor.limits.text = MAX_TEXT;
    descriptor.limits.actions = 20;
    descriptor.limits.choices = 20;
    // A reply quotes; it opens no thread.
    descriptor.limits.threads = false;
    descriptor.tokens = &TOKENS;
    descriptor.rates = &RATES;
    // Answers to a press have been seen to fail from 10 seconds on.
    descriptor.press_limit = Duration::from_secs(8);
    descriptor
});
