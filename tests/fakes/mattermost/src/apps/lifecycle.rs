//! Uninstalling, disabling and enabling apps.

use std::sync::Arc;

use super::App;
use super::calls::{self, Made, Request};
use super::context::ClientContext;
use super::install::{AppsOutcome, check_admin};
use super::manifest::CallDef;
use super::sessions;
use crate::request_log::SentRequest;
use crate::state::Shared;

/// The installed app, if the administrator may manage it.
fn managed(shared: &Shared, admin_id: &str, app_id: &str) -> Result<App, String> {
    check_admin(shared, admin_id)?;
    let world = shared.world();
    let app = world.apps.installed.get(app_id).cloned();
    app.ok_or_else(|| format!("failed to get app, appID: {app_id}: not found"))
}

async fn notify(shared: &Arc<Shared>, app: &App, call: &CallDef, admin_id: &str, sent: &mut Vec<SentRequest>) -> Made {
    let request = Request::new(call.clone(), ClientContext::default());
    let made = calls::call(shared, app, request, admin_id).await;
    sent.extend(made.sent.clone());
    made
}

fn done(app: &App, text: String, sent: Vec<SentRequest>) -> AppsOutcome {
    AppsOutcome { ok: true, text, app_id: app.manifest.app_id.clone(), bot_user_id: app.bot_user_id.clone(), sent }
}

/// `/apps uninstall`: the app may refuse unless it is forced.
pub(crate) async fn uninstall(shared: &Arc<Shared>, admin_id: &str, app_id: &str, force: bool) -> AppsOutcome {
    let app = match managed(shared, admin_id, app_id) {
        Ok(app) => app,
        Err(why) => return AppsOutcome::refused(why, Vec::new()),
    };
    let mut sent = Vec::new();
    let name = &app.manifest.display_name;
    let mut text = format!("Uninstalled {name}");
    if let Some(call) = &app.manifest.on_uninstall {
        let response = notify(shared, &app, call, admin_id, &mut sent).await.response;
        match response.kind.as_str() {
            "error" if !force => {
                let why = format!("app canceled uninstall request: {}", response.text);
                return AppsOutcome::refused(why, sent);
            }
            "error" => {
                text = format!("Force-uninstalled {name}, despite error: {}", response.text);
            }
            "ok" => text = format!("Uninstalled {name}, with message: {}", response.text),
            _ => {}
        }
    }
    let mut world = shared.world();
    sessions::end(&mut world, app_id);
    world.deactivate(&app.bot_user_id, false, shared.now());
    world.apps.installed.remove(app_id);
    drop(world);
    done(&app, text, sent)
}

/// `/apps disable`: the bot is deactivated; the sessions of users live on until they expire.
pub(crate) async fn disable(shared: &Arc<Shared>, admin_id: &str, app_id: &str) -> AppsOutcome {
    let mut app = match managed(shared, admin_id, app_id) {
        Ok(app) => app,
        Err(why) => return AppsOutcome::refused(why, Vec::new()),
    };
    let mut sent = Vec::new();
    if app.disabled {
        return done(&app, "Already disabled".into(), sent);
    }
    let mut text = format!("Disabled {}", app.manifest.display_name);
    if let Some(call) = app.manifest.on_disable.clone() {
        let response = notify(shared, &app, &call, admin_id, &mut sent).await.response;
        if response.kind != "error" && !response.text.is_empty() {
            text = response.text;
        }
    }
    app.disabled = true;
    let mut world = shared.world();
    world.deactivate(&app.bot_user_id, false, shared.now());
    sessions::forget(&mut world, app_id);
    world.apps.installed.insert(app_id.to_owned(), app.clone());
    drop(world);
    done(&app, text, sent)
}

/// `/apps enable`.
pub(crate) async fn enable(shared: &Arc<Shared>, admin_id: &str, app_id: &str) -> AppsOutcome {
    let mut app = match managed(shared, admin_id, app_id) {
        Ok(app) => app,
        Err(why) => return AppsOutcome::refused(why, Vec::new()),
    };
    let mut sent = Vec::new();
    let name = app.manifest.display_name.clone();
    if !app.disabled {
        return done(&app, format!("{name} is already enabled"), sent);
    }
    app.disabled = false;
    {
        let mut world = shared.world();
        world.reactivate(&app.bot_user_id, shared.now());
        world.apps.installed.insert(app_id.to_owned(), app.clone());
    }
    let mut text = format!("Enabled {name}");
    if let Some(call) = app.manifest.on_enable.clone() {
        let response = notify(shared, &app, &call, admin_id, &mut sent).await.response;
        if response.kind != "error" && !response.text.is_empty() {
            text = response.text;
        }
    }
    done(&app, text, sent)
}
