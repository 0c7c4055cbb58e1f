//! Chatport's backend for Mattermost.
//!
//! Two ways to connect, chosen by the settings' `mode`:
//!
//! * `bot` (the default, works on every server): an administrator makes a bot account, an
//!   access token and one slash command for each team, and fills the tokens in.
//! * `apps` (servers with the Apps plugin): the administrator runs
//!   `/apps install http …/manifest.json` and pastes a secret that is made here.
//!
//! Both share everything else: messages are posts with one attachment, buttons are
//! attachment actions. Mattermost doesn't sign presses, so a press counts only with the
//! button's token (checked by the host) *and* a `trigger_id` that the server signed with the
//! key pinned at setup (the module `trigger`). Neither does the Apps plugin's JWT prove who somebody
//! is, so every call that acts for a person is confirmed by asking the pinned site with that
//! person's own token (the module `ingress`).
#![deny(missing_docs)]

mod address;
mod api;
mod card;
mod commands;
mod declared;
mod delivery;
mod descriptor;
mod details;
mod directory;
mod errors;
mod ingress;
mod install;
mod manifest;
mod mentions;
mod nonce;
mod render;
mod room;
mod settings;
mod site_url;
mod trigger;
mod verification;

use chatport_sdk::prelude::*;

pub use crate::settings::{Mode, Settings};

/// The backend for Mattermost.
#[derive(Clone, Copy, Debug, Default)]
pub struct MattermostBackend;

register_backend!(MattermostBackend);

impl MessagingBackend for MattermostBackend {
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

    fn directory(&self) -> Option<&dyn Directory> {
        Some(self)
    }

    fn commands(&self) -> Option<&dyn Commands> {
        Some(self)
    }
}
