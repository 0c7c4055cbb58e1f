//! What is constant about the backend: labels, limits, settings and kinds of token.

use std::{sync::LazyLock, time::Duration};

use chatport_sdk::prelude::*;

use crate::settings::Settings;

/// What the bot proves itself with: a client secret, or a certificate with its key. The label
/// tells which.
pub(crate) const CREDENTIAL: &str = "credential";
/// What the connector takes; it lives about an hour.
pub(crate) const ACCESS_TOKEN: &str = "access_token";
/// A digest of the app id that the connector's tokens must be for. It is compared like a secret,
/// so that a slot that doesn't exist refuses a token by doing the same work.
pub(crate) const AUDIENCE: &str = "audience";
/// What opens the app package.
pub(crate) const PACKAGE_KEY: &str = "package_key";

/// The rate of a conversation: a bot may send 7 times in a second, and 1,800 times in an hour.
/// <https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit>
pub(crate) const RATE: &str = "thread";

const fn kind(name: &'static str, usage: TokenUse, origin: TokenOrigin, lifetime: Option<Duration>) -> TokenKind {
    TokenKind { name, usage, origin, lifetime }
}

static TOKENS: [TokenKind; 4] = [
    kind(CREDENTIAL, TokenUse::Reveal, TokenOrigin::Person, None),
    kind(ACCESS_TOKEN, TokenUse::Reveal, TokenOrigin::Platform, Some(Duration::from_secs(3_600))),
    kind(AUDIENCE, TokenUse::Compare, TokenOrigin::Host, None),
    kind(PACKAGE_KEY, TokenUse::Compare, TokenOrigin::Host, None),
];

/// The descriptor.
pub(crate) static DESCRIPTOR: LazyLock<Descriptor> = LazyLock::new(|| {
    let mut descriptor = Descriptor::new("msteams", "Microsoft Teams").settings::<Settings>();
    descriptor.description =
        "Posts to Microsoft Teams as a bot: channels, group chats and people, with Adaptive Cards.";
    descriptor.icon = Some(Icon { media_type: "image/svg+xml", bytes: include_bytes!("icon.svg") });
    // A whole activity should stay under 80 KB as UTF-16: 56 KB of text leave room for the
    // card around it.
    descriptor.limits.unit = LengthUnit::Utf16;
    descriptor.limits.text = 28_000;
    // A card shows six actions side by side; one of them is the link.
    descriptor.limits.actions = 5;
    descriptor.limits.choices = 50;
    descriptor.limits.threads = true;
    descriptor.tokens = &TOKENS;
    descriptor.rates = const { &[Rate::per_conversation(RATE, 0.49, 7)] };
    // Clients give an invoke up after about ten seconds.
    descriptor.press_limit = Duration::from_secs(10);
    // Whom and where to write to is learned from what Teams sends.
    descriptor.needs_public_url = true;
    descriptor
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_allow_nothing_that_is_not_described() {
        let schema = DESCRIPTOR.settings.as_value();
        assert_eq!(schema["additionalProperties"], false);
        assert!(schema.get("required").is_none(), "the public cloud needs no settings: {schema}");
    }
}
