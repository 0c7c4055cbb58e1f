//! The settings of an installation: which server, which way to connect, which command.

use std::sync::Arc;

use chatport_sdk::{
    prelude::*,
    schemars::{self, JsonSchema},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use crate::site_url::SiteUrl;

/// Longest name of the slash command.
const MAX_COMMAND: usize = 32;

/// The settings of a Mattermost installation.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(crate = "schemars")]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The address of the Mattermost server, as people open it in a browser, e.g.
    /// `https://chat.example.com`.
    pub(crate) site_url: SiteUrl,
    /// How the connection is made.
    #[serde(default)]
    pub(crate) mode: Mode,
    /// The name of the slash command, without the slash; by default the app's name, so
    /// `OnCall` answers to `/oncall`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[a-z][a-z0-9-]{0,31}$"))]
    pub(crate) command: Option<String>,
    /// Accept presses although the server doesn't sign them. Anybody who learns what a
    /// button carries can then press it in another person's name. Servers sign unless their
    /// system key was removed, so this is rarely needed.
    #[serde(default)]
    pub(crate) accept_unsigned_presses: bool,
    /// The key, as the refusal shows it, that may replace the pinned one when the app is
    /// installed again (mode `apps`): needed after the server's keys were renewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub(crate) accepted_signing_key: Option<String>,
}

/// How the connection is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(crate = "schemars")]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// By a bot account and its access token. Works on every server.
    #[default]
    Bot,
    /// As an app of the Apps plugin, for servers that have it.
    Apps,
}

impl Settings {
    /// The settings of a site.
    ///
    /// # Errors
    /// The setting that is wrong.
    pub(crate) fn of(site: &Site) -> Result<Arc<Self>, SetupError> {
        site.read_once(Self::read)
    }

    fn read(site: &Site) -> Result<Self, SetupError> {
        let raw = site.settings::<Value>().unwrap_or_default();
        let named = raw.get("site_url").and_then(Value::as_str);
        let Some(named) = named else {
            return Err(SetupError::field("site_url", "is required: the address of the Mattermost server"));
        };
        SiteUrl::parse(named).map_err(|error| SetupError::field("site_url", error.to_string()))?;
        let settings: Self =
            site.settings().map_err(|error| SetupError::field("settings", format!("can't be read: {error}")))?;
        if settings.command.as_deref().is_some_and(|command| !is_command(command)) {
            let detail = "must start with a letter and have 1 to 32 of a-z, 0-9 and -, such as `oncall`";
            return Err(SetupError::field("command", detail));
        }
        Ok(settings)
    }

    /// The settings while the installation is in use. Settings that can't be read need a
    /// person.
    pub(crate) fn in_use(site: &Site) -> Result<Arc<Self>, Failure> {
        Self::of(site).map_err(|error| Failure::new(Cause::InstallationRevoked, format!("the settings: {error}")))
    }

    /// The name of the slash command, without the slash.
    pub(crate) fn command(&self, app_name: &str) -> String {
        self.command.clone().unwrap_or_else(|| slug(app_name, MAX_COMMAND))
    }
}

fn is_command(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.len() <= MAX_COMMAND
        && bytes.first().is_some_and(u8::is_ascii_lowercase)
        && bytes.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-')
}

/// An app's name as `[a-z][a-z0-9]*` of at most `longest` characters.
pub(crate) fn slug(app_name: &str, longest: usize) -> String {
    let kept = app_name.chars().map(|c| c.to_ascii_lowercase()).filter(char::is_ascii_alphanumeric);
    let slug: String = kept.skip_while(char::is_ascii_digit).take(longest).collect();
    if slug.is_empty() { "chatport".chars().take(longest).collect() } else { slug }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_named_after_the_app() {
        assert_eq!(slug("OnCall", 32), "oncall");
        assert_eq!(slug("24/7 Näht-Dienst!", 32), "nhtdienst");
        assert_eq!(slug("当番", 32), "chatport");
    }

    #[test]
    fn only_plain_words_are_commands() {
        assert!(is_command("on-call2"));
        for name in ["", "2x", "On", "a b", "/a", "ä", &"a".repeat(33)] {
            assert!(!is_command(name), "{name}");
        }
    }
}
