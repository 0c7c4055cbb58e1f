//! The context of a call: what clients send, what apps get, in the plugin's key order.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::manifest::Expand;
use crate::views::{ChannelJson, ChannelMemberJson, PostJson, TeamJson, UserJson};

/// The part of the context a client fills. The plugin wipes nearly all of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ClientContext {
    pub(crate) subject: String,
    pub(crate) channel_id: String,
    pub(crate) team_id: String,
    pub(crate) post_id: String,
    pub(crate) root_post_id: String,
    pub(crate) user_id: String,
    pub(crate) app_id: String,
    pub(crate) location: String,
    pub(crate) user_agent: String,
    pub(crate) track_as_submit: bool,
}

/// The app inside a context.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct AppInContext {
    pub(crate) app_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) deploy_type: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) webhook_secret: String,
    pub(crate) bot_user_id: String,
    pub(crate) bot_username: String,
    pub(crate) remote_oauth2: Value,
}

/// The context an app gets.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Context {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) subject: String,
    /// Always empty: the plugin wipes it with the rest of the client's part.
    pub(crate) app_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) user_agent: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) track_as_submit: bool,
    pub(crate) mattermost_site_url: String,
    pub(crate) app_path: String,
    pub(crate) bot_user_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) bot_access_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) app: Option<AppInContext>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) acting_user: Option<UserJson>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) acting_user_access_token: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) locale: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) channel: Option<ChannelJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) channel_member: Option<ChannelMemberJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) team: Option<TeamJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) team_member: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) post: Option<PostJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) root_post: Option<PostJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<UserJson>,
    pub(crate) oauth2: Value,
}

impl Default for Context {
    /// The context of a ping: nothing in it.
    fn default() -> Self {
        Self {
            subject: String::new(),
            app_id: String::new(),
            user_agent: String::new(),
            track_as_submit: false,
            mattermost_site_url: String::new(),
            app_path: String::new(),
            bot_user_id: String::new(),
            bot_access_token: String::new(),
            app: None,
            acting_user: None,
            acting_user_access_token: String::new(),
            locale: String::new(),
            channel: None,
            channel_member: None,
            team: None,
            team_member: None,
            post: None,
            root_post: None,
            user: None,
            oauth2: json!({}),
        }
    }
}

/// The body of a call.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct CallBody {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expand: Option<Expand>,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub(crate) state: Value,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) values: Map<String, Value>,
    pub(crate) context: Context,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) raw_command: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) selected_field: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) query: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gojson::to_bytes;

    #[test]
    fn a_ping_has_the_recorded_bytes() {
        let vector: Value = serde_json::from_str(include_str!("../../vectors/ping_request.json")).unwrap();
        let body = CallBody { path: "/ping".into(), ..CallBody::default() };
        assert_eq!(String::from_utf8(to_bytes(&body)).unwrap(), vector["body_raw"].as_str().unwrap());
    }
}
