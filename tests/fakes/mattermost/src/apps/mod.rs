//! The Apps plugin: installing apps, their bindings and calls, their sessions and webhooks.

pub(crate) mod bindings;
pub(crate) mod calls;
pub(crate) mod clean_url;
pub(crate) mod command;
pub(crate) mod command_line;
pub(crate) mod context;
pub(crate) mod expand;
pub(crate) mod forms;
pub(crate) mod install;
pub(crate) mod jwt;
pub(crate) mod lifecycle;
pub(crate) mod manifest;
pub(crate) mod plugin_api;
pub(crate) mod sessions;
pub(crate) mod webhook;

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serde_json::{Value, json};

use manifest::Manifest;
use sessions::AppSession;

/// The plugin's name in paths.
pub(crate) const PLUGIN: &str = "com.mattermost.apps";

/// An installed app.
#[derive(Debug, Clone, Default)]
pub(crate) struct App {
    pub(crate) manifest: Manifest,
    pub(crate) disabled: bool,
    /// Key of the tokens the app gets.
    pub(crate) secret: String,
    pub(crate) webhook_secret: String,
    pub(crate) bot_user_id: String,
    pub(crate) bot_username: String,
    /// Id of the OAuth app behind the app's sessions, empty before it is made.
    pub(crate) oauth_app_id: String,
}

impl App {
    /// Whether the app was granted a permission.
    pub(crate) fn may(&self, permission: &str) -> bool {
        let granted = &self.manifest.requested_permissions;
        granted.iter().any(|have| have == permission)
    }

    /// Path of the app below the site URL.
    pub(crate) fn path(&self) -> String {
        app_path(&self.manifest.app_id)
    }

    /// The app as the plugin's interface shows it: plain users see everything but the webhook
    /// secret and the OAuth parts.
    pub(crate) fn shown(&self, to_admin: bool) -> Value {
        let mut out = serde_json::to_value(&self.manifest).expect("manifests are plain data");
        let mut set = |key: &str, value: Value| out[key] = value;
        set("SchemaVersion", "1.2.2".into());
        set("deploy_type", "http".into());
        if self.disabled {
            set("disabled", true.into());
        }
        if !self.secret.is_empty() {
            set("secret", self.secret.clone().into());
        }
        if to_admin {
            set("webhook_secret", self.webhook_secret.clone().into());
            set("mattermost_oauth2", json!({"id": self.oauth_app_id}));
        }
        set("bot_user_id", self.bot_user_id.clone().into());
        set("bot_username", self.bot_username.clone().into());
        set("remote_oauth2", json!({}));
        set("granted_permissions", json!(self.manifest.requested_permissions));
        set("granted_locations", json!(self.manifest.requested_locations));
        out
    }
}

/// Path of an app below the site URL.
pub(crate) fn app_path(app_id: &str) -> String {
    format!("/plugins/{PLUGIN}/apps/{app_id}")
}

/// What the plugin stores.
#[derive(Debug, Default)]
pub(crate) struct AppsState {
    /// Manifests that were listed, consented to or not.
    pub(crate) listed: BTreeMap<String, Manifest>,
    pub(crate) installed: BTreeMap<String, App>,
    /// App and user → session.
    pub(crate) sessions: HashMap<(String, String), AppSession>,
}

impl AppsState {
    /// The app, if it is installed and enabled; else why not, and the status that says so.
    pub(crate) fn enabled(&self, app_id: &str) -> Result<&App, PluginError> {
        let app = self.installed.get(app_id);
        let app = app.ok_or_else(|| PluginError::new(404, format!("{app_id}: not found")))?;
        if app.disabled {
            return Err(PluginError::new(403, format!("app is disabled by the administrator: {app_id}: forbidden")));
        }
        Ok(app)
    }
}

/// An error of the plugin: plain text with a status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PluginError {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl PluginError {
    pub(crate) fn new(status: u16, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }

    /// The error with words in front.
    pub(crate) fn wrap(self, before: &str) -> Self {
        Self { text: format!("{before}: {}", self.text), ..self }
    }
}
