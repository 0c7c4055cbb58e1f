//! `/apps install http URL`: everything between the manifest's address and the working app.

use std::sync::Arc;

use serde::Serialize;

use super::calls::{self, Request, TIMEOUT, invoke};
use super::clean_url::clean_url;
use super::context::{CallBody, ClientContext};
use super::manifest::{self, CallDef, Manifest};
use super::{App, PLUGIN};
use crate::ids::new_id;
use crate::outgoing::{Incoming, Outgoing, send};
use crate::request_log::SentRequest;
use crate::state::Shared;
use crate::world::World;

/// How long the plugin waits for a ping.
const PING_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(2);

/// What an administrator sees after an `/apps` command.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AppsOutcome {
    /// Whether it was done. A failed `on_install` does not undo an installation.
    pub ok: bool,
    /// The text the administrator sees.
    pub text: String,
    /// The app, empty if it never came to one.
    pub app_id: String,
    /// The app's bot, empty if there is none.
    pub bot_user_id: String,
    /// What went to the app, in order.
    pub sent: Vec<SentRequest>,
}

impl AppsOutcome {
    /// A refusal.
    pub(crate) fn refused(text: impl Into<String>, sent: Vec<SentRequest>) -> Self {
        Self { text: text.into(), sent, ..Self::default() }
    }
}

/// Checks that somebody may use `/apps` commands at all.
pub(crate) fn check_admin(shared: &Shared, user_id: &str) -> Result<(), String> {
    if !shared.options.apps_enabled {
        return Err("there is no command /apps: the plugin does not run".into());
    }
    if !shared.options.oauth_service_provider {
        return Err(format!(
            "The OAuth 2.0 service provider is off, see {}/admin_console/integrations/integration_management",
            shared.site_url
        ));
    }
    let world = shared.world();
    if world.is_sysadmin(user_id) {
        return Ok(());
    }
    let name = world.users.get(user_id).map(|user| user.username.clone());
    Err(format!("user {} ({user_id}) is not a sysadmin: unauthorized", name.unwrap_or_default()))
}

/// Fetches and lists a manifest, then installs the app with the secret the administrator pasted.
pub(crate) async fn install_http(
    shared: &Arc<Shared>,
    admin_id: &str,
    manifest_url: &str,
    secret: &str,
) -> AppsOutcome {
    if let Err(why) = check_admin(shared, admin_id) {
        return AppsOutcome::refused(why, Vec::new());
    }
    let mut sent = Vec::new();
    let manifest = match fetch_manifest(shared, manifest_url, &mut sent).await {
        Ok(manifest) => manifest,
        Err(why) => return AppsOutcome::refused(why, sent),
    };
    let app_id = manifest.app_id.clone();
    // The manifest is listed before anybody consents.
    shared.world().apps.listed.insert(app_id.clone(), manifest);
    match install(shared, admin_id, &app_id, secret, &mut sent).await {
        Ok((app, text)) => AppsOutcome { ok: true, text, app_id, bot_user_id: app.bot_user_id, sent },
        Err(why) => AppsOutcome { app_id, ..AppsOutcome::refused(why, sent) },
    }
}

async fn get(shared: &Shared, url: &str, max: usize) -> Result<Incoming, (String, SentRequest)> {
    let request = Outgoing {
        method: "GET",
        url: url.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        timeout: TIMEOUT,
        max_answer: max,
    };
    send(shared, request).await.map_err(|failure| (format!("Get {url:?}: {}", failure.why), failure.sent))
}

async fn fetch_manifest(shared: &Shared, url: &str, sent: &mut Vec<SentRequest>) -> Result<Manifest, String> {
    let answer = match get(shared, url, manifest::MAX_SIZE).await {
        Ok(answer) => answer,
        Err((why, request)) => {
            sent.push(request);
            return Err(why);
        }
    };
    sent.push(answer.sent.clone());
    if answer.status >= 400 {
        let text = String::from_utf8_lossy(&answer.body);
        return Err(format!("received status {}: {text}", answer.status));
    }
    let manifest = manifest::decode(&answer.body)?;
    if manifest.http.is_none() {
        return Err("app does not support http deployment".into());
    }
    Ok(manifest)
}

async fn install(
    shared: &Arc<Shared>,
    admin_id: &str,
    app_id: &str,
    secret: &str,
    sent: &mut Vec<SentRequest>,
) -> Result<(App, String), String> {
    let mut app = {
        let world = shared.world();
        let manifest = world.apps.listed.get(app_id).cloned();
        let manifest = manifest.ok_or("failed to find manifest to install app: not found")?;
        let before = world.apps.installed.get(app_id).cloned();
        App { manifest, disabled: false, ..before.unwrap_or_default() }
    };
    if !secret.is_empty() {
        app.secret = secret.to_owned();
    }
    // The plugin makes a new one at every installation.
    if matches!(app.manifest.remote_webhook_auth_type.as_str(), "" | "secret") {
        app.webhook_secret = new_id();
    }
    ping(shared, &app, sent).await?;
    icon(shared, &app, sent).await?;
    {
        let mut world = shared.world();
        ensure_bot(&mut world, &mut app, shared.now())?;
        ensure_oauth_app(&mut app)?;
        world.apps.installed.insert(app_id.to_owned(), app.clone());
    }
    let text = first_call(shared, &app, admin_id, sent).await;
    Ok((app, text))
}

async fn ping(shared: &Shared, app: &App, sent: &mut Vec<SentRequest>) -> Result<(), String> {
    let body = CallBody { path: "/ping".into(), ..CallBody::default() };
    let failed =
        |why: String| format!("failed to install, /ping path is not accessible: failed to call /ping endpoint: {why}");
    match invoke(shared, app, &body, "", PING_TIMEOUT).await {
        Ok(answer) => {
            let read = calls::response(shared, app, &answer.body);
            sent.push(answer.sent);
            read.map(|_| ()).map_err(failed)
        }
        Err(error) => {
            sent.extend(error.sent);
            if error.not_found { Ok(()) } else { Err(failed(error.text)) }
        }
    }
}

async fn icon(shared: &Shared, app: &App, sent: &mut Vec<SentRequest>) -> Result<(), String> {
    let icon = &app.manifest.icon;
    if icon.is_empty() {
        return Ok(());
    }
    let failed = |why: String| format!("failed to get bot icon: failed to download icon: {icon}: {why}");
    let url = clean_url(&format!("{}/static/{icon}", app.manifest.root_url())).map_err(failed)?;
    match get(shared, &url, 10 * 1024 * 1024).await {
        Err((why, request)) => {
            sent.push(request);
            Err(failed(format!("failed to fetch: {url}, error: {why}")))
        }
        Ok(answer) => {
            sent.push(answer.sent);
            if answer.status == 200 { Ok(()) } else { Err(failed(format!("received status code {}", answer.status))) }
        }
    }
}

/// Whether the server accepts a name for an account.
fn is_username(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= 64
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
}

fn ensure_bot(world: &mut World, app: &mut App, now: i64) -> Result<(), String> {
    let name = app.manifest.app_id.to_lowercase();
    let taken = |world: &World, name: &str| world.find_user(name).is_some_and(|u| !u.is_bot);
    let name = if taken(world, &name) { format!("{name}-app") } else { name };
    if taken(world, &name) {
        return Err(format!("a user already owns the bot username {name}: already exists"));
    }
    let existing = world.find_user(&name).map(|user| user.id.clone());
    let id = match existing {
        Some(id) => {
            world.reactivate(&id, now);
            id
        }
        None if is_username(&name) => {
            let bot = world.add_bot(&name, PLUGIN, now);
            bot.expect("the name was looked up and is free").id
        }
        None => return Err(format!("the bot username {name:?} is not valid")),
    };
    app.bot_user_id = id;
    app.bot_username = name;
    Ok(())
}

/// The limits of OAuth apps, which the manifest's rules do not know.
fn ensure_oauth_app(app: &mut App) -> Result<(), String> {
    if !app.oauth_app_id.is_empty() {
        return Ok(());
    }
    let manifest = &app.manifest;
    for (what, text, limit) in [
        ("name", &manifest.display_name, 64),
        ("homepage", &manifest.homepage_url, 256),
        ("description", &manifest.description, 512),
    ] {
        if text.len() > limit {
            return Err(format!("failed to create OAuth2 App: the {what} is longer than {limit} bytes"));
        }
    }
    app.oauth_app_id = new_id();
    Ok(())
}

/// The first call to the installed app: `on_install`, or the bindings as a check.
async fn first_call(shared: &Arc<Shared>, app: &App, admin_id: &str, sent: &mut Vec<SentRequest>) -> String {
    let manifest = &app.manifest;
    let mut text = format!("Installed app `{}`: {}.", manifest.app_id, manifest.display_name);
    let (call, name) = match &manifest.on_install {
        Some(call) => (call.clone(), "on_install"),
        None if manifest.requested_locations.is_empty() => return text,
        None => (manifest.bindings.clone().unwrap_or_else(|| CallDef::at("/bindings")), "bindings"),
    };
    let context = ClientContext { user_agent: "webapp".into(), track_as_submit: true, ..ClientContext::default() };
    let request = Request::new(call, context);
    let made = calls::call(shared, app, request, admin_id).await;
    sent.extend(made.sent);
    let response = made.response;
    if response.kind == "error" {
        text.push_str(&format!(", despite {name} failure: {}", response.text));
    } else if name == "on_install" && !response.text.is_empty() {
        text.push_str(&format!("\n\n{}", response.text));
    }
    text
}
