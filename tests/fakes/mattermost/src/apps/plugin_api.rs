//! Routes of the plugin below `/plugins/`.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::calls::{self, Request};
use super::clean_url::{clean_static, clean_url};
use super::context::ClientContext;
use super::manifest::CallDef;
use super::{PLUGIN, PluginError, app_path, bindings, webhook};
use crate::outgoing::{Outgoing, send};
use crate::reply::{Answer, ApiError, Reply};
use crate::rest::Call;
use crate::state::Shared;

/// Finds and runs the handler of a request to a plugin.
pub(crate) async fn route(shared: &Arc<Shared>, call: Call, rest: &str) -> Answer {
    let inside =
        rest.strip_prefix(PLUGIN).and_then(|rest| rest.strip_prefix('/')).filter(|_| shared.options.apps_enabled);
    let Some(inside) = inside else {
        return Err(ApiError::no_route());
    };
    let parts: Vec<&str> = inside.split('/').collect();
    let method = call.method.clone();
    let result = match (method.as_str(), parts.as_slice()) {
        ("POST" | "HEAD", ["apps", app, "webhook"]) => webhook::receive(shared, &call, app, ""),
        ("POST" | "HEAD", ["apps", app, "webhook", segment]) => webhook::receive(shared, &call, app, segment),
        ("GET", ["apps", app, "static", name]) => static_file(shared, &call, app, name).await,
        ("GET", ["api", "v1", "apps", app]) => get_app(shared, &call, app),
        ("GET", ["api", "v1", "marketplace"]) => Ok(marketplace(shared)),
        ("GET", ["api", "v1", "bindings"]) => get_bindings(shared, &call).await,
        ("POST", ["api", "v1", "call"]) => post_call(shared, &call).await,
        _ => Err(PluginError::new(404, "404 page not found")),
    };
    Ok(result.unwrap_or_else(|error| Reply::plain(error.status, &error.text)))
}

fn caller(call: &Call) -> Result<&str, PluginError> {
    match &call.session {
        Some(session) => Ok(&session.user_id),
        None => Err(PluginError::new(401, "user ID is required: unauthorized")),
    }
}

/// `GET api/v1/apps/{app}`: any user may read it, the key of the app's tokens included.
fn get_app(shared: &Shared, call: &Call, app_id: &str) -> Result<Reply, PluginError> {
    let user = caller(call)?;
    let world = shared.world();
    let app = world.apps.installed.get(app_id);
    let app = app.ok_or_else(|| PluginError::new(404, format!("{app_id}: not found")))?;
    Ok(Reply::json(200, &app.shown(world.is_sysadmin(user))))
}

/// `GET api/v1/marketplace`: for anybody.
fn marketplace(shared: &Shared) -> Reply {
    let world = shared.world();
    let listed: Vec<Value> = world
        .apps
        .listed
        .values()
        .map(|manifest| {
            let app = world.apps.installed.get(&manifest.app_id);
            let mut out = json!({
                "manifest": manifest,
                "installed": app.is_some(),
                "enabled": app.is_some_and(|app| !app.disabled),
            });
            if !manifest.icon.is_empty() {
                let path = app_path(&manifest.app_id);
                let icon = manifest.icon.trim_start_matches('/');
                out["icon_url"] = format!("{}{path}/static/{icon}", shared.site_url).into();
            }
            out
        })
        .collect();
    Reply::json(200, &listed)
}

/// `GET apps/{app}/static/{name}`: passed on to the app, without a token.
async fn static_file(shared: &Shared, call: &Call, app_id: &str, name: &str) -> Result<Reply, PluginError> {
    caller(call)?;
    let bad = |why: String| PluginError::new(400, why);
    let name = clean_static(name).map_err(bad)?;
    let app = shared.world().apps.installed.get(app_id).cloned();
    let app = app.ok_or_else(|| PluginError::new(404, format!("{app_id}: not found")))?;
    let url = clean_url(&format!("{}/static/{name}", app.manifest.root_url())).map_err(bad)?;
    let request = Outgoing {
        method: "GET",
        url,
        headers: Vec::new(),
        body: Vec::new(),
        timeout: calls::TIMEOUT,
        max_answer: 10 * 1024 * 1024,
    };
    match send(shared, request).await {
        Ok(answer) => Ok(Reply { status: answer.status, headers: Vec::new(), body: answer.body }),
        Err(failure) => Err(PluginError::new(500, failure.why)),
    }
}

/// `GET api/v1/bindings?team_id=…&channel_id=…`.
async fn get_bindings(shared: &Arc<Shared>, call: &Call) -> Result<Reply, PluginError> {
    let user = caller(call)?;
    let context = ClientContext {
        team_id: call.query("team_id"),
        channel_id: call.query("channel_id"),
        user_agent: call.query("user_agent_type"),
        ..ClientContext::default()
    };
    let (bindings, problems, _) = bindings::all(shared, user, &context).await;
    if call.query("test").is_empty() {
        return Ok(Reply::json(200, &bindings));
    }
    let mut out = json!({"bindings": bindings});
    if !problems.is_empty() {
        out["error"] = super::manifest::error_list(&problems).into();
    }
    Ok(Reply::json(200, &out))
}

/// A call as clients send it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ClientCall {
    path: String,
    expand: Option<super::manifest::Expand>,
    state: Value,
    values: Option<Map<String, Value>>,
    context: ClientContext,
    raw_command: String,
    selected_field: String,
    query: String,
}

/// `POST api/v1/call`.
async fn post_call(shared: &Arc<Shared>, call: &Call) -> Result<Reply, PluginError> {
    let sent: ClientCall = serde_json::from_slice(&call.body)
        .map_err(|error| PluginError::new(400, format!("failed to unmarshal Call request: {error}: invalid input")))?;
    if sent.context.app_id.is_empty() {
        return Err(PluginError::new(400, "app ID is not set in Call request: invalid input"));
    }
    let Ok(user) = caller(call) else {
        let error = calls::AppResponse::error("user ID is required: unauthorized");
        return Ok(Reply::json(200, &error));
    };
    let app = shared.world().apps.installed.get(&sent.context.app_id).cloned();
    let request = Request {
        call: CallDef { path: sent.path, expand: sent.expand, state: sent.state },
        values: sent.values.unwrap_or_default(),
        context: sent.context,
        raw_command: sent.raw_command,
        selected_field: sent.selected_field,
        query: sent.query,
    };
    let made = calls::client_call(shared, user, request).await;
    let mut out = serde_json::to_value(&made.response).expect("answers are plain data");
    out["app_metadata"] = match app {
        Some(app) => json!({"bot_user_id": app.bot_user_id, "bot_username": app.bot_username}),
        None => json!({}),
    };
    Ok(Reply::json(200, &out))
}
