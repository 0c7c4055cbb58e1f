//! What the Apps plugin is served without being asked who it is: the manifest and the icon.
//! Both depend on nothing but the slot's path and the operator's name for the app, so they
//! are the same whether or not the slot exists.

use chatport_sdk::{
    crypto,
    ingress::{PublicBase, Request, Response},
};
use http::{Method, StatusCode, header};
use serde_json::json;

use crate::{descriptor::ICON, settings::slug};

/// Where the manifest is, below the slot.
pub(crate) const MANIFEST: &str = "/manifest.json";
/// Where the plugin looks for the icon.
const STATIC_ICON: &str = "/static/icon.png";
/// How long answers may be kept by others.
const CACHE: &str = "public, max-age=300";

/// Limits of the OAuth app that the plugin makes of the manifest; a longer text would fail
/// the install half-way.
const MAX_DISPLAY_NAME: usize = 64;
const MAX_HOMEPAGE: usize = 256;
const MAX_DESCRIPTION: usize = 512;

/// The id of the app of a slot: unique at a server although a server may have several apps
/// of one host. It becomes the bot's name, so it keeps to what user names may hold.
pub(crate) fn app_id(app_name: &str, slot: &str) -> String {
    let digest = crypto::hex(&crypto::sha256(slot.as_bytes()));
    format!("{}-{}", slug(app_name, 20), &digest[..10])
}

/// Where the plugin serves the app of this id.
pub(crate) fn app_path(app_id: &str) -> String {
    format!("/plugins/com.mattermost.apps/apps/{app_id}")
}

/// Answer what is public.
pub(crate) fn public(base: &PublicBase<'_>, request: &Request) -> Option<Response> {
    if !matches!(request.method, Method::GET | Method::HEAD) {
        return None;
    }
    let (content_type, body) = match request.path.as_str() {
        MANIFEST => ("application/json", manifest(base).into_bytes()),
        STATIC_ICON => ("image/png", ICON.to_vec()),
        _ => return None,
    };
    let tag = format!("\"{}\"", &crypto::hex(&crypto::sha256(&body))[..32]);
    let unchanged = request.header(header::IF_NONE_MATCH.as_str()).is_some_and(|known| known.contains(&tag));
    let response = if unchanged {
        Response::new(StatusCode::NOT_MODIFIED, content_type, Vec::new())
    } else {
        Response::new(StatusCode::OK, content_type, body)
    };
    Some(response.header("etag", tag).header("cache-control", CACHE))
}

fn manifest(base: &PublicBase<'_>) -> String {
    let app_name = base.app_name;
    let app_id = app_id(app_name, base.slot);
    let person = json!({ "app": "summary", "acting_user": "+summary", "acting_user_access_token": "+all" });
    let mut installer = person.clone();
    installer["app"] = "all".into();
    json!({
        "app_id": app_id,
        "version": "v1.0.0",
        "homepage_url": homepage(base),
        "display_name": start_of(if app_name.is_empty() { &app_id } else { app_name }, MAX_DISPLAY_NAME),
        "description": start_of(&format!("{app_name} in Mattermost"), MAX_DESCRIPTION),
        "icon": "icon.png",
        "bindings": { "path": "/bindings" },
        "on_install": { "path": "/install", "expand": installer },
        "on_uninstall": { "path": "/uninstall", "expand": person },
        "on_remote_webhook": { "path": "/webhook" },
        "requested_permissions": ["act_as_bot", "act_as_user", "remote_webhooks"],
        "remote_webhook_auth_type": "secret",
        "requested_locations": ["/command"],
        "http": { "root_url": base.ingress_url.as_str(), "use_jwt": true },
    })
    .to_string()
}

fn homepage(base: &PublicBase<'_>) -> String {
    let whole = base.public_url.as_str();
    if whole.len() <= MAX_HOMEPAGE { whole.to_owned() } else { base.public_url.origin().ascii_serialization() }
}

/// The longest start of a text within `bytes`.
fn start_of(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
