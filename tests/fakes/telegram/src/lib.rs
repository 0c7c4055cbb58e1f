//! A strict stand-in for Telegram's Bot API, for test suites. It is ours, made from Telegram's
//! documentation and the published source of its server: what it says is what we know, not what
//! Telegram does.
//!
//! [`FakeTelegram::start`] listens on a port of this machine and answers `/bot<token>/<method>`;
//! [`FakeTelegram::offline`] answers without a network. The handle acts as people do: they start
//! the bot, write in groups, press buttons, block the bot, turn a group into a supergroup. What
//! happens becomes updates, which go to the webhook with its secret, again and again until they
//! are taken, or wait to be asked for.
//!
//! Where Telegram silently drops or ignores what is wrong, this refuses: parameters that no method
//! has, links that no client could follow.

mod calls;
mod commands;
mod handle;
mod html;
mod keyboard;
mod limits;
mod messages;
mod model;
mod options;
mod people;
mod reply;
mod serve;
mod updates;
mod webhook;
mod world;

pub use handle::{FakeTelegram, Fault, Logged};
pub use html::{Entity, parse};
pub use model::{Chat, ChatKind, Message, User};
pub use options::Options;
pub use people::Answered;
pub use updates::Webhook;
