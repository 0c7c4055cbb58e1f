//! Chatport's backend for Microsoft Teams, over the Bot Framework's protocol.
//!
//! An administrator registers a bot in Azure and uploads the app package that is made here.
//! Messages are Adaptive Cards; buttons are universal actions (`Action.Execute`) with a fallback
//! for clients that don't know them.
//!
//! What Teams sends carries a token that the connector signed (the modules `jwt` and `keys`). The
//! token proves the connector, not the body: so whoever an activity names is looked up in the
//! conversation's roster before anything is done for them (the module `ingress`). The bot's own
//! access token goes to services alone that a proven activity named *and* the settings list.
#![deny(missing_docs)]

mod access;
mod activity;
mod address;
mod card;
mod certificate;
mod connector;
mod delivery;
mod descriptor;
mod details;
mod errors;
mod ingress;
mod install;
mod jwt;
mod keys;
mod memory;
mod package;
mod render;
mod settings;
mod text;
mod typed;
mod verification;
mod words;

use chatport_sdk::prelude::*;

pub use crate::settings::Settings;

/// The backend for Microsoft Teams. What it keeps is remembered to spare questions, and may be
/// lost at any moment.
#[derive(Debug, Default)]
pub struct TeamsBackend {
    keys: keys::Keys,
    borrowed: access::Borrowed,
    heard: ingress::Heard,
}

register_backend!(TeamsBackend);

impl MessagingBackend for TeamsBackend {
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
}
