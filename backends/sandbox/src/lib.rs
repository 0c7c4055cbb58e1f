//! The sandbox: a chat platform inside the program, for trying everything without a chat
//! server. People, channels and direct conversations live in a *world*, one for each
//! installation. The bot posts, edits and deletes there; people read, write and press on a
//! page at the installation's ingress (`/in/sandbox/{slot}`, in a browser) or through the
//! JSON API under it (the same address lists it to everything else).
//!
//! Neither has no authentication: whoever knows the random slot and reaches the host can
//! act as anybody in that world. That is why the backend is `loopback_only`, and why nothing
//! but make-believe belongs in a world.
//!
//! A world lives in memory and is gone after a restart, unless the installation's settings
//! name a file for it ([`Settings`]). It can be made to misbehave (`POST …/faults`), so that
//! retries, pacing and lost answers can be watched.
#![deny(missing_docs)]

mod card;
mod commands;
mod delivery;
mod directory;
mod events;
mod faults;
mod file;
mod ingress;
mod install;
mod messages;
mod page;
mod presses;
mod render;
mod say;
mod verification;
mod view;
mod world;
mod worlds;

use std::{path::PathBuf, sync::LazyLock};

use chatport_sdk::{
    prelude::*,
    schemars::{self, JsonSchema},
};
use serde::{Deserialize, Serialize};

use crate::worlds::Worlds;

/// A chat platform inside the program.
#[derive(Debug, Default)]
pub struct SandboxBackend {
    worlds: Worlds,
}

register_backend!(SandboxBackend);

/// The settings of a sandbox.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(crate = "schemars")]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The name of the world, shown as the team of its channels.
    #[schemars(regex(pattern = "^[a-z0-9][a-z0-9-]{0,31}$"))]
    pub world: String,
    /// Where the world is kept: the absolute path of a file that ends in `.json`, in a folder
    /// that exists. Without it the world is gone after a restart. It is meant for whoever runs
    /// the host: it names a place on the host's own disk. One file serves one installation; a
    /// file that holds anything else than a world is neither read nor overwritten. A change
    /// counts from the next start. Removing the installation removes the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { world: "demo".into(), file: None }
    }
}

impl Settings {
    /// The settings of a site; absent settings are the default ones.
    fn of(site: &Site) -> Result<Self, SetupError> {
        let settings = site.settings::<Option<Self>>();
        let settings = settings.map_err(|error| SetupError::field("settings", error.to_string()))?.unwrap_or_default();
        let name = settings.world.as_bytes();
        let allowed = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
        if !(1..=32).contains(&name.len()) || name.first() == Some(&b'-') || !name.iter().all(allowed) {
            return Err(SetupError::field("world", "must have 1 to 32 of a-z, 0-9 and -, such as `demo`"));
        }
        Ok(settings)
    }
}

static DESCRIPTOR: LazyLock<Descriptor> = LazyLock::new(|| {
    let mut descriptor = Descriptor::new("sandbox", "Sandbox").settings::<Settings>();
    descriptor.description = "A chat platform inside the program, for trying everything without a chat server.";
    descriptor.icon = Some(Icon { media_type: "image/svg+xml", bytes: include_bytes!("icon.svg") });
    descriptor.limits.text = 4_000;
    descriptor.limits.threads = true;
    descriptor.rates = const { &[Rate::per_conversation("conversation", 20.0, 20)] };
    descriptor.loopback_only = true;
    descriptor
});

impl MessagingBackend for SandboxBackend {
    fn descriptor(&self) -> &Descriptor {
        &DESCRIPTOR
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
