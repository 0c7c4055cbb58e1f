//! Chatport's backend for Telegram: a bot, spoken to through the
//! [Bot API](https://core.telegram.org/bots/api).
//!
//! What happens on Telegram comes in by a webhook, whose requests carry a secret made at setup, or
//! by asking for updates where Telegram can't reach this host. Either way the same updates are
//! read by the module `updates`, and what is said to them is made by the module `replies`.
//!
//! Telegram proves who did something (`from`), not what a button carried: whoever sees a button
//! can send anything in its place. A press therefore counts by the token alone, which the host
//! checks together with the conversation and the message.
#![deny(missing_docs)]

mod address;
mod api;
mod chat;
mod commands;
mod delivery;
mod descriptor;
mod details;
mod errors;
mod ingress;
mod install;
mod keyboard;
mod listen;
mod markdown;
mod render;
mod replies;
mod runs;
mod settings;
mod token;
mod typed;
mod updates;
mod verification;

use chatport_sdk::prelude::*;

pub use crate::settings::{Hearing, Settings};

/// The backend for Telegram.
#[derive(Clone, Copy, Debug, Default)]
pub struct TelegramBackend;

register_backend!(TelegramBackend);

impl MessagingBackend for TelegramBackend {
    fn descriptor(&self) -> &Descriptor {
        &descriptor::DESCRIPTOR
    }

    fn install(&self) -> Option<&dyn Install> {
        Some(self)
    }

    fn verification(&self) -> Option<&dyn Verification> {
        Some(self)
    }

    fn delivery(&self) -> Option<&dyn Delivery> {
        Some(self)
    }

    fn ingress(&self) -> Option<&dyn Ingress> {
        Some(self)
    }

    fn listen(&self) -> Option<&dyn Listen> {
        Some(self)
    }

    fn commands(&self) -> Option<&dyn Commands> {
        Some(self)
    }
}
