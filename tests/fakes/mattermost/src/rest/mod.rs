//! The REST interface: one table of routes, one file of handlers for each kind of thing.

mod channels;
pub(crate) mod commands;
mod directory;
pub(crate) mod posts;
mod server;
mod teams;
mod users;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use crate::apps::plugin_api;
use crate::ids::is_id;
use crate::reply::{Answer, ApiError};
use crate::state::Shared;
use crate::world::Session;
use crate::{attachments, clicks, control, hooks, slash};

/// A request, read completely.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Path below the site URL; empty if it lies beside it.
    pub(crate) path: String,
    pub(crate) raw_query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Token sent, empty if none.
    pub(crate) token: String,
    /// Who calls, if the token is good.
    pub(crate) session: Option<Session>,
    /// How long the request is to take.
    pub(crate) delay: Option<Duration>,
}

impl Call {
    pub(crate) fn new(
        shared: &Shared,
        method: Method,
        path: String,
        query: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Self {
        let token = token(&headers);
        let session = shared.world().session(&token, shared.now());
        Self { method, path, raw_query: query.to_owned(), headers, body, token, session, delay: None }
    }

    /// The caller, or the error for callers who are not logged in.
    pub(crate) fn caller(&self) -> Result<&Session, ApiError> {
        self.session.as_ref().ok_or_else(ApiError::session)
    }

    /// The first value of a query parameter, empty if it is absent.
    pub(crate) fn query(&self, name: &str) -> String {
        form_urlencoded::parse(self.raw_query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    }

    /// The body as JSON; the name is what the error calls it.
    pub(crate) fn json<T: DeserializeOwned>(&self, shared: &Shared, name: &str) -> Result<T, ApiError> {
        if self.body.len() > shared.options.max_body {
            return Err(ApiError::named("body_too_large"));
        }
        serde_json::from_slice(&self.body).map_err(|_| ApiError::body_param(name))
    }

    /// Waits as long as the request is to take.
    pub(crate) async fn take_time(&self) {
        if let Some(delay) = self.delay {
            tokio::time::sleep(delay).await;
        }
    }
}

/// The token of a request: the scheme is `Bearer` or `Token`, in any case.
fn token(headers: &HeaderMap) -> String {
    let value = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token") => {
            token.trim().to_owned()
        }
        _ => String::new(),
    }
}

/// Finds and runs the handler of a request.
pub(crate) async fn route(shared: &Arc<Shared>, call: Call) -> Answer {
    // Making a post takes its time inside, where a twin can meet it.
    if !(call.method == "POST" && call.path == "/api/v4/posts") {
        call.take_time().await;
    }
    let path = call.path.clone();
    if let Some(rest) = path.strip_prefix("/api/v4/") {
        let parts: Vec<&str> = rest.split('/').collect();
        return api(shared, call, &parts).await;
    }
    if let Some(rest) = path.strip_prefix("/plugins/") {
        return plugin_api::route(shared, call, rest).await;
    }
    if let Some(id) = path.strip_prefix("/hooks/commands/") {
        return hooks::answer(shared, &call, id);
    }
    if let Some(rest) = path.strip_prefix("/_fake/")
        && shared.options.control_api
    {
        return control::route(shared, &call, rest).await;
    }
    Err(ApiError::no_route())
}

async fn api(shared: &Arc<Shared>, call: Call, parts: &[&str]) -> Answer {
    let method = call.method.clone();
    match (method.as_str(), parts) {
        ("GET", ["system", "ping"]) => Ok(server::ping()),
        ("GET", ["config", "client"]) => server::client_config(shared, &call),

        ("GET", ["users"]) => directory::users(shared, &call),
        ("POST", ["users", "search"]) => directory::search_users(shared, &call),
        ("GET", ["users", "email", email]) => directory::user_by_email(shared, &call, email),
        ("GET", ["users", id, "teams", team, "channels"]) => directory::own_channels(shared, &call, id, team),
        ("GET", ["teams", id, "channels"]) => directory::public_channels(shared, &call, id),
        ("POST", ["teams", id, "channels", "search"]) => directory::search_channels(shared, &call, id),

        ("GET", ["users", "me"]) => users::me(shared, &call),
        ("GET", ["users", "username", name]) => users::by_name(shared, &call, name),
        ("GET", ["users", id]) => users::get(shared, &call, id),
        ("GET", ["users", id, "teams"]) => users::teams(shared, &call, id),
        ("POST", ["users", id, "tokens"]) => users::add_token(shared, &call, id),

        ("GET", ["teams", "name", name]) => teams::by_name(shared, &call, name),
        ("GET", ["teams", "name", team, "channels", "name", name]) => channels::by_names(shared, &call, team, name),
        ("GET", ["teams", id]) => teams::get(shared, &call, id),
        ("POST", ["teams", id, "members"]) => teams::add_member(shared, &call, id),
        ("GET", ["teams", id, "members", user]) => teams::member(shared, &call, id, user),
        ("GET", ["teams", id, "channels", "name", name]) => channels::by_name(shared, &call, id, name),

        ("POST", ["channels", "direct"]) => channels::direct(shared, &call),
        ("GET", ["channels", id]) => channels::get(shared, &call, id),
        ("GET", ["channels", id, "members", user]) => channels::member(shared, &call, id, user),
        ("POST", ["channels", id, "members"]) => channels::add_member(shared, &call, id),
        ("GET", ["channels", id, "posts"]) => posts::list(shared, &call, id),

        ("POST", ["posts"]) => posts::create(shared, &call).await,
        ("POST", ["posts", "ephemeral"]) => posts::create_ephemeral(shared, &call),
        ("GET", ["posts", id]) => posts::get(shared, &call, id),
        ("PUT", ["posts", id]) => posts::update(shared, &call, id),
        ("DELETE", ["posts", id]) => posts::delete(shared, &call, id),
        ("PUT", ["posts", id, "patch"]) => posts::patch(shared, &call, id),
        ("GET", ["posts", id, "thread"]) => posts::thread(shared, &call, id),
        ("POST", ["posts", id, "actions", action]) if attachments::is_action_id(action, &shared.options) => {
            clicks::over_rest(shared, &call, id, action).await
        }

        ("POST", ["commands"]) => commands::create(shared, &call),
        ("GET", ["commands"]) => commands::list(shared, &call),
        ("POST", ["commands", "execute"]) => slash::over_rest(shared, &call).await,
        ("GET", ["commands", id]) => commands::get(shared, &call, id),
        ("PUT", ["commands", id]) => commands::update(shared, &call, id),
        ("DELETE", ["commands", id]) => commands::delete(shared, &call, id),
        ("PUT", ["commands", id, "regen_token"]) => commands::new_token(shared, &call, id),
        _ => Err(ApiError::no_route()),
    }
}

/// Refuses a route parameter that has not the shape of an id.
pub(crate) fn require_id(id: &str, name: &str) -> Result<(), ApiError> {
    if is_id(id) { Ok(()) } else { Err(ApiError::url_param(name)) }
}
