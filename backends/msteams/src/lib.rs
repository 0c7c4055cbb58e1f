//! Microsoft Teams, registered so that it shows in the catalogue with what its setup will ask
//! for. It presents the setup steps and says how codes are entered; it can't be set up to the
//! end and can't deliver, so it has neither a delivery part nor an ingress.
#![deny(missing_docs)]

mod install;
mod verification;

use std::{sync::LazyLock, time::Duration};

use chatport_sdk::prelude::*;

/// The backend for Microsoft Teams: setup steps only. It has no settings: what a bot is known
/// by is asked for during setup.
#[derive(Debug, Default)]
pub struct TeamsBackend;

register_backend!(TeamsBackend);

static TOKENS: [TokenKind; 2] = [
    TokenKind { name: "client_secret", usage: TokenUse::Reveal, origin: TokenOrigin::Person, lifetime: None },
    TokenKind {
        name: "access_token",
        usage: TokenUse::Reveal,
        origin: TokenOrigin::Platform,
        lifetime: Some(Duration::from_secs(3_600)),
    },
];

static DESCRIPTOR: LazyLock<Descriptor> = LazyLock::new(|| {
    let mut descriptor = Descriptor::new("msteams", "Microsoft Teams");
    descriptor.description = "Microsoft Teams bots: setup steps only; cannot deliver yet.";
    descriptor.icon = Some(Icon { media_type: "image/svg+xml", bytes: include_bytes!("icon.svg") });
    // A whole activity should stay under 80 KB as UTF-16: 56 KB of text leave room for the
    // card around it.
    descriptor.limits.unit = LengthUnit::Utf16;
    descriptor.limits.text = 28_000;
    descriptor.limits.actions = 6;
    descriptor.limits.choices = 50;
    descriptor.limits.threads = true;
    descriptor.tokens = &TOKENS;
    // A bot may send 7 times in a second to a thread, and 1800 times in an hour.
    descriptor.rates = const { &[Rate::per_conversation("thread", 0.49, 7)] };
    descriptor.press_limit = Duration::from_secs(10);
    descriptor
});

impl MessagingBackend for TeamsBackend {
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
