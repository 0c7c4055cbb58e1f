//! Remote webhooks: somebody outside knocks, the plugin answers at once and calls the app later.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::calls::{TIMEOUT, invoke};
use super::clean_url::clean;
use super::context::{CallBody, ClientContext};
use super::expand;
use super::{App, PluginError};
use crate::reply::Reply;
use crate::rest::Call;
use crate::state::Shared;

/// `POST|HEAD apps/{app}/webhook[/{segment}]?secret=…`.
pub(crate) fn receive(shared: &Arc<Shared>, call: &Call, app_id: &str, segment: &str) -> Result<Reply, PluginError> {
    let app = shared.world().apps.enabled(app_id)?.clone();
    authenticate(&app, call).map_err(|e| e.wrap("failed to validate webhook authentication"))?;
    if call.method == "POST" {
        let body = prepare(shared, &app, call, segment)?;
        let shared = Arc::clone(shared);
        // The result is thrown away, as in the plugin.
        tokio::spawn(async move {
            let bot = body.context.bot_user_id.clone();
            let _ = invoke(&shared, &app, &body, &bot, TIMEOUT).await;
        });
    }
    Ok(Reply::empty(200))
}

fn authenticate(app: &App, call: &Call) -> Result<(), PluginError> {
    let app_id = &app.manifest.app_id;
    for permission in ["remote_webhooks", "act_as_bot"] {
        if !app.may(permission) {
            return Err(PluginError::new(403, format!("{app_id} does not have permission {permission}: forbidden")));
        }
    }
    match app.manifest.remote_webhook_auth_type.as_str() {
        "none" => Ok(()),
        "" | "secret" => {
            let secret = call.query("secret");
            if secret.is_empty() {
                return Err(PluginError::new(400, "webhook secret was not provided: invalid input"));
            }
            if secret != app.webhook_secret {
                return Err(PluginError::new(400, "webhook secret mismatched: invalid input"));
            }
            Ok(())
        }
        other => Err(PluginError::new(500, format!("{other} is not a known webhook authentication type"))),
    }
}

fn prepare(shared: &Shared, app: &App, call: &Call, segment: &str) -> Result<CallBody, PluginError> {
    let mut target = app.manifest.on_remote_webhook.clone().unwrap_or_default();
    if target.path.is_empty() {
        target.path = "/webhook".into();
    }
    target.path = clean(&format!("{}/{segment}", target.path));
    let context = expand::expand(shared, app, &ClientContext::default(), "", target.expand.as_ref())
        .map_err(|why| PluginError::new(500, why))?;
    let data = serde_json::from_slice(&call.body)
        .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&call.body).into_owned()));
    let mut values = Map::new();
    values.insert("data".into(), crate::gojson::passed_through(&data));
    values.insert("headers".into(), json!(headers(call)));
    values.insert("httpMethod".into(), call.method.as_str().into());
    values.insert("rawQuery".into(), call.raw_query.clone().into());
    Ok(CallBody {
        path: target.path,
        expand: target.expand,
        state: target.state,
        values,
        context,
        ..CallBody::default()
    })
}

/// Headers with canonical names, first values only, without the host and the credentials.
fn headers(call: &Call) -> BTreeMap<String, String> {
    let mut out = BTreeMap::from([("Mattermost-Session-Id".to_owned(), String::new())]);
    for name in call.headers.keys() {
        if matches!(name.as_str(), "host" | "authorization" | "cookie") {
            continue;
        }
        let value = call.headers.get(name).and_then(|v| v.to_str().ok());
        out.insert(canonical(name.as_str()), value.unwrap_or_default().to_owned());
    }
    out
}

fn canonical(name: &str) -> String {
    name.split('-')
        .map(|word| {
            let mut letters = word.chars();
            match letters.next() {
                Some(first) => first.to_ascii_uppercase().to_string() + letters.as_str(),
                None => String::new(),
            }
        })
        .collect::<Vec<_>>()
        .join("-")
}
