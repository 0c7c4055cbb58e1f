//! The body of a call, as far as it is looked at. Everything may be missing or null: the
//! client chooses what the plugin expands.

use chatport_sdk::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use super::{Refusal, refuse};
use crate::{commands, settings::SiteUrl};

/// A call.
#[derive(Deserialize)]
pub(super) struct Call {
    path: String,
    #[serde(default)]
    values: Option<Value>,
    context: Context,
}

#[derive(Deserialize)]
struct Context {
    mattermost_site_url: Option<String>,
    app_path: Option<String>,
    bot_user_id: Option<String>,
    bot_access_token: Option<Secret>,
    app: Option<App>,
    acting_user: Option<Named>,
    acting_user_access_token: Option<Secret>,
    channel: Option<Named>,
    team: Option<Named>,
}

/// The app, expanded.
#[derive(Deserialize)]
struct App {
    app_id: Option<String>,
    webhook_secret: Option<Secret>,
}

/// A person, a channel or a team.
#[derive(Deserialize)]
struct Named {
    id: Option<String>,
    display_name: Option<String>,
}

fn given(token: Option<&Secret>) -> Option<Secret> {
    token.filter(|token| !token.is_empty()).cloned()
}

impl Call {
    /// Read a call. The path that it names must be the one it came by, byte for byte: a
    /// percent-encoded path gets past the plugin's own check.
    pub(super) fn of(request: &Request) -> Result<Self, Refusal> {
        let Ok(call) = serde_json::from_slice::<Self>(&request.body) else {
            return refuse("body-form", "The call can't be read.");
        };
        if call.path != request.path {
            return refuse("path-mismatch", "The call came by another path than it says.");
        }
        Ok(call)
    }

    /// The server calls itself by the address that was approved. It is only compared.
    pub(super) fn must_come_from(&self, site: &SiteUrl) -> Result<(), Refusal> {
        let named = self.context.mattermost_site_url.as_deref().unwrap_or_default();
        if SiteUrl::parse(named).is_ok_and(|named| named == *site) {
            return Ok(());
        }
        let text = format!(
            "Setup was started for {site}, but this server calls itself by another address (site-url-mismatch)."
        );
        refuse("site-url-mismatch", text)
    }

    pub(super) fn acting_user(&self) -> Option<&str> {
        self.context.acting_user.as_ref()?.id.as_deref()
    }

    /// Whether the call says that a person acts.
    pub(super) fn has_acting_user(&self) -> bool {
        self.context.acting_user.is_some() || self.context.acting_user_access_token.is_some()
    }

    pub(super) fn user_token(&self) -> Option<Secret> {
        given(self.context.acting_user_access_token.as_ref())
    }

    pub(super) fn bot_token(&self) -> Option<Secret> {
        given(self.context.bot_access_token.as_ref())
    }

    pub(super) fn bot_user(&self) -> &str {
        self.context.bot_user_id.as_deref().unwrap_or_default()
    }

    pub(super) fn webhook_secret(&self) -> Option<Secret> {
        given(self.context.app.as_ref()?.webhook_secret.as_ref())
    }

    /// Whether the call is of the app of this id, served where the plugin serves it.
    pub(super) fn is_of_app(&self, app_id: &str) -> bool {
        let named = self.context.app.as_ref().and_then(|app| app.app_id.as_deref());
        named == Some(app_id) && self.context.app_path.as_deref() == Some(&crate::manifest::app_path(app_id))
    }

    pub(super) fn channel(&self) -> Option<&str> {
        self.context.channel.as_ref()?.id.as_deref()
    }

    /// The team's name, for people.
    pub(super) fn team(&self) -> &str {
        self.context.team.as_ref().and_then(|team| team.display_name.as_deref()).unwrap_or_default()
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.values.as_ref()?.get(name)
    }

    /// The code that was typed.
    pub(super) fn code(&self) -> Option<Secret> {
        commands::code(self.value("code")?.as_str()?)
    }

    /// The nonce that a webhook brings back.
    pub(super) fn nonce(&self) -> Option<&str> {
        self.value("data")?.get("nonce")?.as_str()
    }
}
