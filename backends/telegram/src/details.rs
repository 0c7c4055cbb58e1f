//! What is known of the bot once it is set up.

use chatport_sdk::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{api::User, settings::Settings};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Details {
    v: u32,
    /// The bot's id.
    pub(crate) bot: i64,
    /// The bot's name, without `@`.
    pub(crate) username: String,
    /// Whether updates are polled for, as setup arranged it.
    #[serde(default)]
    pub(crate) polls: bool,
}

impl Details {
    const VERSION: u32 = 1;

    /// What the installation turned out to be.
    pub(crate) fn of(site: &Site) -> Option<Self> {
        let details = Self::deserialize(&site.identity()?.details).ok();
        details.filter(|details| details.v == Self::VERSION)
    }

    /// The identity of a bot at a server.
    pub(crate) fn identity(bot: &User, settings: &Settings, polls: bool) -> Identity {
        let details = Self { v: Self::VERSION, bot: bot.id, username: bot.username.clone(), polls };
        Identity {
            server: settings.api_url.as_str().trim_end_matches('/').to_owned(),
            account: bot.id.to_string(),
            display_name: bot.name(),
            details: json!(details),
        }
    }
}
