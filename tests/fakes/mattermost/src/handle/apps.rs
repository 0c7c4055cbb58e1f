//! People and administrators use the Apps plugin.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::FakeMattermost;
use super::forge::RawAnswer;
use crate::apps::bindings::{self, BindingsOutcome};
use crate::apps::calls::{self, AppResponse, Request};
use crate::apps::command::{self, AppsCommandOutcome};
use crate::apps::context::ClientContext;
use crate::apps::install::{self, AppsOutcome};
use crate::apps::manifest::CallDef;
use crate::apps::{jwt, lifecycle};
use crate::gojson;
use crate::request_log::SentRequest;

/// Signs a token as the plugin would. An empty user is left out.
pub fn sign_app_jwt(secret: &str, acting_user_id: &str, exp: i64) -> String {
    jwt::sign(secret, acting_user_id, exp)
}

/// What the plugin knows about an installed app.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AppInfo {
    /// The app.
    pub app_id: String,
    /// Key of its tokens.
    pub secret: String,
    /// Secret of its webhook.
    pub webhook_secret: String,
    /// Its bot.
    pub bot_user_id: String,
    /// Its bot's name.
    pub bot_username: String,
    /// Address all calls are relative to.
    pub root_url: String,
    /// Whether it is disabled.
    pub disabled: bool,
}

/// A call as a hostile client may ask for it.
#[derive(Debug, Clone, Default)]
pub struct RawCall {
    /// Any path: the plugin compares it as it stands and unescapes it later.
    pub path: String,
    /// What is to be expanded.
    pub expand: Value,
    /// State.
    pub state: Value,
    /// Values.
    pub values: Value,
    /// The client's part of the context: `channel_id`, `team_id`, `post_id`, `user_id`,
    /// `subject`, …
    pub context: Value,
    /// What is said to have been typed.
    pub raw_command: String,
    /// Selected field.
    pub selected_field: String,
    /// Query.
    pub query: String,
}

/// What came of a raw call.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RawCallOutcome {
    /// The app's answer, or the plugin's error.
    pub response: AppResponse,
    /// What went to the app; `None` if the plugin refused the call.
    pub sent: Option<SentRequest>,
}

impl FakeMattermost {
    /// Types `/apps install http URL` and pastes a secret into the form (empty: left blank).
    pub async fn apps_install_http(&self, admin: &str, manifest_url: &str, secret: &str) -> AppsOutcome {
        let admin = self.user_id(admin);
        install::install_http(&self.shared, &admin, manifest_url, secret).await
    }

    /// Types `/apps uninstall`.
    pub async fn apps_uninstall(&self, admin: &str, app_id: &str, force: bool) -> AppsOutcome {
        let admin = self.user_id(admin);
        lifecycle::uninstall(&self.shared, &admin, app_id, force).await
    }

    /// Types `/apps disable`.
    pub async fn apps_disable(&self, admin: &str, app_id: &str) -> AppsOutcome {
        let admin = self.user_id(admin);
        lifecycle::disable(&self.shared, &admin, app_id).await
    }

    /// Types `/apps enable`.
    pub async fn apps_enable(&self, admin: &str, app_id: &str) -> AppsOutcome {
        let admin = self.user_id(admin);
        lifecycle::enable(&self.shared, &admin, app_id).await
    }

    /// Looks at a channel: the client asks for the bindings.
    pub async fn apps_bindings(&self, user: &str, channel: &str) -> BindingsOutcome {
        let (user, channel) = (self.user_id(user), self.channel(channel));
        let context = ClientContext { channel_id: channel.id, team_id: channel.team_id, ..ClientContext::default() };
        let (bindings, problems, sent) = bindings::all(&self.shared, &user, &context).await;
        BindingsOutcome { bindings: json!(bindings), problems, sent }
    }

    /// Types a command of an app: it is resolved through the bindings, then submitted.
    pub async fn apps_command(&self, user: &str, channel: &str, text: &str) -> AppsCommandOutcome {
        let (user, channel) = (self.user_id(user), self.channel_id(channel));
        command::run(&self.shared, &user, &channel, text).await
    }

    /// Sends a call of any shape through the plugin, as somebody's client could.
    ///
    /// # Panics
    /// If `expand` or `context` have no shape a client could send.
    pub async fn apps_raw_call(&self, user: &str, app_id: &str, raw: RawCall) -> RawCallOutcome {
        let user = self.user_id(user);
        let context: ClientContext = match raw.context {
            Value::Null => ClientContext::default(),
            given => serde_json::from_value(given).expect("the context has a possible shape"),
        };
        let expand = match raw.expand {
            Value::Null => None,
            given => Some(serde_json::from_value(given).expect("expand has a possible shape")),
        };
        let request = Request {
            call: CallDef { path: raw.path, expand, state: raw.state },
            values: raw.values.as_object().cloned().unwrap_or_else(Map::new),
            context: ClientContext { app_id: app_id.to_owned(), ..context },
            raw_command: raw.raw_command,
            selected_field: raw.selected_field,
            query: raw.query,
        };
        let made = calls::client_call(&self.shared, &user, request).await;
        RawCallOutcome { response: made.response, sent: made.sent }
    }

    /// Sends a body straight to an app, past the plugin, with any token: what somebody can do who
    /// has read the app's secret.
    ///
    /// # Panics
    /// If the app is not installed.
    pub async fn forge_app_call(&self, app_id: &str, path: &str, token: Option<&str>, body: &Value) -> RawAnswer {
        let app = self.app(app_id).expect("the app is installed");
        let url = format!("{}{path}", app.root_url.trim_end_matches('/'));
        let bearer = token.map(|token| format!("Bearer {token}"));
        let mut headers = vec![("Content-Type", "application/json")];
        if let Some(bearer) = &bearer {
            headers.push(("Mattermost-App-Authorization", bearer));
        }
        self.send_raw("POST", &url, &headers, &gojson::to_bytes(body)).await
    }

    /// What the plugin knows about an installed app.
    pub fn app(&self, app_id: &str) -> Option<AppInfo> {
        let world = self.shared.world();
        let app = world.apps.installed.get(app_id)?;
        Some(AppInfo {
            app_id: app.manifest.app_id.clone(),
            secret: app.secret.clone(),
            webhook_secret: app.webhook_secret.clone(),
            bot_user_id: app.bot_user_id.clone(),
            bot_username: app.bot_username.clone(),
            root_url: app.manifest.root_url().to_owned(),
            disabled: app.disabled,
        })
    }

    /// The token of a user's session with an app, as the plugin remembers it.
    pub fn app_session_token(&self, app_id: &str, user: &str) -> Option<String> {
        let key = (app_id.to_owned(), self.user_id(user));
        let world = self.shared.world();
        world.apps.sessions.get(&key).map(|s| s.token.clone())
    }

    /// Address of an app's webhook with its secret, e.g. for the segment `refresh`.
    pub fn app_webhook_url(&self, app_id: &str, segment: &str) -> String {
        let secret = self.app(app_id).map(|app| app.webhook_secret);
        format!(
            "{}{}/webhook/{segment}?secret={}",
            self.url(),
            crate::apps::app_path(app_id),
            secret.unwrap_or_default()
        )
    }
}
