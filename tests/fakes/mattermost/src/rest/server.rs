//! Routes about the server itself.

use std::collections::BTreeMap;

use serde_json::json;

use super::Call;
use crate::reply::{Answer, ApiError, Reply};
use crate::state::Shared;

/// `GET system/ping`.
pub(crate) fn ping() -> Reply {
    Reply::json(200, &json!({"status": "OK"}))
}

/// `GET config/client?format=old`: a short form for anybody, a longer one for logged-in callers.
pub(crate) fn client_config(shared: &Shared, call: &Call) -> Answer {
    match call.query("format").as_str() {
        "old" => {}
        "" => {
            return Err(ApiError::new(
                501,
                "api.config.client.old_format.app_error",
                "Only the old format is supported.",
            ));
        }
        _ => return Err(ApiError::url_param("format")),
    }
    let options = &shared.options;
    let mut config = BTreeMap::from([
        ("Version", options.version_text()),
        ("BuildNumber", options.version_text()),
        ("SiteURL", shared.site_url.clone()),
        ("SiteName", "Mattermost".to_owned()),
        ("EnableBotAccountCreation", "true".to_owned()),
        ("NoAccounts", "false".to_owned()),
        ("AsymmetricSigningPublicKey", shared.key.public_b64()),
        ("FeatureFlagAppsEnabled", options.apps_enabled.to_string()),
    ]);
    if call.session.is_some() || options.full_config_for_anyone {
        config.insert("MaxPostSize", options.max_post_size.to_string());
        config.insert("PostEditTimeLimit", options.post_edit_time_limit.to_string());
        config.insert("EnableUserAccessTokens", "true".to_owned());
    }
    Ok(Reply::json(200, &config))
}
