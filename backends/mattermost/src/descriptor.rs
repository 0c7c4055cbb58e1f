//! What is constant about the backend: labels, limits, settings and kinds of token.

use std::{sync::LazyLock, time::Duration};

use chatport_sdk::prelude::*;

use crate::settings::Settings;

/// A bot's access token that a person pasted.
pub(crate) const BOT_TOKEN: &str = "bot_token";
/// The bot's session that the Apps plugin hands out; it lives a few minutes.
pub(crate) const BOT_ACCESS_TOKEN: &str = "bot_access_token";
/// The secret that the Apps plugin signs its calls with.
pub(crate) const INSTALL_SECRET: &str = "install_secret";
/// The secret that opens the Apps plugin's webhook.
pub(crate) const WEBHOOK_SECRET: &str = "webhook_secret";
/// The token of a team's slash command, labelled by the team's id.
pub(crate) const COMMAND_TOKEN: &str = "command_token";
/// The token of a command that the application declared, labelled by team and name.
pub(crate) const DECLARED_TOKEN: &str = "declared_command_token";

/// How long a bot session is trusted. The plugin promises at least five minutes.
pub(crate) const BOT_SESSION: Duration = Duration::from_secs(4 * 60);

/// The rate that everything sent to a server counts against.
pub(crate) const RATE: &str = "server";

/// The picture for catalogues and for the Apps plugin.
pub(crate) const ICON: &[u8] = include_bytes!("icon.png");

const fn kind(name: &'static str, usage: TokenUse, origin: TokenOrigin, lifetime: Option<Duration>) -> TokenKind {
    TokenKind { name, usage, origin, lifetime }
}

static TOKENS: [TokenKind; 6] = [
    kind(BOT_TOKEN, TokenUse::Reveal, TokenOrigin::Person, None),
    kind(BOT_ACCESS_TOKEN, TokenUse::Reveal, TokenOrigin::Platform, Some(BOT_SESSION)),
    kind(INSTALL_SECRET, TokenUse::Reveal, TokenOrigin::Host, None),
    kind(WEBHOOK_SECRET, TokenUse::Reveal, TokenOrigin::Platform, None),
    kind(COMMAND_TOKEN, TokenUse::Compare, TokenOrigin::Person, None),
    kind(DECLARED_TOKEN, TokenUse::Compare, TokenOrigin::Platform, None),
];

/// The descriptor.
pub(crate) static DESCRIPTOR: LazyLock<Descriptor> = LazyLock::new(|| {
    let mut descriptor = Descriptor::new("mattermost", "Mattermost").settings::<Settings>();
    descriptor.description = "Posts to a Mattermost server as a bot, or as an app where the Apps plugin is in use.";
    descriptor.icon = Some(Icon { media_type: "image/png", bytes: ICON });
    descriptor.limits.unit = LengthUnit::Characters;
    descriptor.limits.text = 16_383;
    descriptor.limits.actions = 20;
    descriptor.limits.choices = 50;
    descriptor.limits.threads = true;
    descriptor.tokens = &TOKENS;
    descriptor.rates = const { &[Rate::per_origin(RATE, 10.0, 100)] };
    // The server waits 30 s, but a person looks at a spinner all the while.
    descriptor.press_limit = Duration::from_secs(3);
    descriptor
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_allow_nothing_that_is_not_described() {
        let schema = DESCRIPTOR.settings.as_value();
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["required"], serde_json::json!(["site_url"]));
    }

    #[test]
    fn no_credential_is_only_compared_and_no_command_token_is_revealed() {
        for kind in DESCRIPTOR.tokens {
            let is_of_command = [COMMAND_TOKEN, DECLARED_TOKEN].contains(&kind.name);
            assert_eq!(kind.usage == TokenUse::Compare, is_of_command, "{}", kind.name);
        }
    }
}
