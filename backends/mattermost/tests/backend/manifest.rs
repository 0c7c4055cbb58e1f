//! What is served to everybody.

use chatport_mattermost::MattermostBackend;
use chatport_sdk::prelude::*;
use http::{HeaderMap, Method, StatusCode};
use proptest::prelude::*;
use serde_json::Value;

use crate::vectors::vector;

fn get(path: &str, headers: HeaderMap) -> Request {
    Request { method: Method::GET, path: path.into(), query: None, headers, body: Bytes::new() }
}

fn serve(app_name: &str, slot: &str, request: &Request) -> Option<Response> {
    let public_url = Url::parse("https://oncall.example.com/").expect("an address");
    let ingress_url = public_url.join(&format!("in/mattermost/{slot}")).expect("an address");
    let base = PublicBase { ingress_url: &ingress_url, public_url: &public_url, app_name, slot };
    MattermostBackend.ingress().expect("ingress").public(&base, request)
}

fn manifest(app_name: &str, slot: &str) -> Value {
    let response = serve(app_name, slot, &get("/manifest.json", HeaderMap::new())).expect("a manifest");
    assert_eq!((response.status, response.content_type), (StatusCode::OK, "application/json"));
    serde_json::from_slice(&response.body).expect("JSON")
}

/// The rules by which the plugin accepts a manifest.
fn is_accepted(manifest: &Value) -> bool {
    let text = |key: &str| manifest[key].as_str().unwrap_or_default();
    let is_url = |text: &str| {
        let schemed = text.starts_with("http://") || text.starts_with("https://");
        schemed && text.split("://").nth(1).is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
    };
    let plain = |text: &str| text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    let asks =
        |name: &str| manifest["requested_permissions"].as_array().is_some_and(|all| all.iter().any(|p| p == name));
    let needs = |name: &str, other: &str| !asks(name) || asks(other);
    (3..=32).contains(&text("app_id").len())
        && plain(text("app_id"))
        && text("version").len() <= 10
        && plain(text("version"))
        && is_url(text("homepage_url"))
        && !text("display_name").is_empty()
        && !text("icon").starts_with("..")
        && is_url(manifest["http"]["root_url"].as_str().unwrap_or_default())
        && needs("remote_webhooks", "act_as_bot")
        && needs("user_joined_channel_notification", "act_as_bot")
        && needs("remote_oauth2", "act_as_user")
}

#[test]
fn the_rules_agree_with_the_recorded_verdicts() {
    let cases = vector!("manifest/validation_cases");
    for case in cases.as_array().expect("cases") {
        assert_eq!(is_accepted(&case["manifest"]), case["valid"] == true, "{}", case["name"]);
    }
}

#[test]
fn the_manifest_asks_for_what_the_backend_uses_and_no_more() {
    let manifest = manifest("OnCall", "t_9f2c");
    assert_eq!(manifest["requested_permissions"], serde_json::json!(["act_as_bot", "act_as_user", "remote_webhooks"]));
    assert_eq!(manifest["requested_locations"], serde_json::json!(["/command"]));
    assert_eq!(manifest["remote_webhook_auth_type"], "secret");
    assert_eq!(manifest["http"]["use_jwt"], true);
    assert_eq!(manifest["http"]["root_url"], "https://oncall.example.com/in/mattermost/t_9f2c");
    assert_eq!(manifest["on_uninstall"]["expand"]["acting_user_access_token"], "+all");
}

#[test]
fn two_slots_are_two_apps() {
    assert_ne!(manifest("OnCall", "one")["app_id"], manifest("OnCall", "two")["app_id"]);
}

#[test]
fn an_unchanged_manifest_is_not_sent_again() {
    let first = serve("OnCall", "s", &get("/manifest.json", HeaderMap::new())).expect("a manifest");
    let (_, tag) = first.headers.iter().find(|(name, _)| *name == "etag").expect("a tag");
    let mut headers = HeaderMap::new();
    headers.insert("if-none-match", tag.parse().expect("a header"));
    let second = serve("OnCall", "s", &get("/manifest.json", headers)).expect("an answer");
    assert_eq!((second.status, second.body.len()), (StatusCode::NOT_MODIFIED, 0));
}

#[test]
fn the_icon_is_a_picture() {
    let icon = serve("OnCall", "s", &get("/static/icon.png", HeaderMap::new())).expect("an icon");
    assert_eq!(icon.content_type, "image/png");
    assert!(icon.body.starts_with(b"\x89PNG\r\n\x1a\n"));
}

#[test]
fn nothing_else_is_public() {
    for path in
        ["/", "/static/../manifest.json", "/static/icon.pngx", "/manifest.json/", "/install", "/static/%69con.png"]
    {
        assert!(serve("OnCall", "s", &get(path, HeaderMap::new())).is_none(), "{path}");
    }
    let post = Request { method: Method::POST, ..get("/manifest.json", HeaderMap::new()) };
    assert!(serve("OnCall", "s", &post).is_none());
}

proptest! {
    #[test]
    fn whatever_the_app_is_called_the_manifest_can_be_installed(name in ".{0,300}", slot in "[A-Za-z0-9_-]{1,40}") {
        let manifest = manifest(&name, &slot);
        prop_assert!(is_accepted(&manifest), "{}", manifest);
        let app_id = manifest["app_id"].as_str().expect("an id");
        // It becomes a user name, and `_` would hide the app's sessions from the plugin.
        prop_assert!(app_id.starts_with(|c: char| c.is_ascii_lowercase()));
        prop_assert!(app_id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.'));
        // Limits of the OAuth app that the plugin makes.
        for (key, limit) in [("display_name", 64), ("homepage_url", 256), ("description", 512)] {
            prop_assert!(manifest[key].as_str().expect("text").len() <= limit, "{}", key);
        }
    }
}
