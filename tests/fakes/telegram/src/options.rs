//! What a test may choose about the stand-in before it starts.

use std::time::Duration;

/// What a test may choose. The defaults are Telegram's, but for the waits, which are short.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether a webhook must be a public https address on one of four ports. A server of one's
    /// own in local mode takes any.
    pub strict_webhooks: bool,
    /// Whether messages are counted: one a second in a chat, 20 a minute in a group, 30 a second
    /// for a bot.
    pub limits: bool,
    /// How long until an update that wasn't taken is sent again; it doubles up to a hundredfold.
    pub retry: Duration,
    /// How long a press can be answered.
    pub press_life: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            strict_webhooks: true,
            limits: true,
            retry: Duration::from_millis(200),
            press_life: Duration::from_secs(15),
        }
    }
}

impl Options {
    /// The defaults, with webhooks on this machine.
    pub fn local() -> Self {
        Self { strict_webhooks: false, ..Self::default() }
    }
}
