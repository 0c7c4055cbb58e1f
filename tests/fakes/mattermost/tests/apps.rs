//! The Apps plugin: an app is installed, called and attacked.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail loudly")]

mod caller;

use std::time::Duration;

use caller::{Got, Host, Rest, json_ok};
use chatport_fake_mattermost::{FakeMattermost, Options, PluginBuild, RawCall, sign_app_jwt};
use serde_json::{Value, json};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn manifest(root: &str) -> Value {
    json!({
        "app_id": "oncall", "version": "v1.0.0", "homepage_url": "https://oncall.example.com",
        "display_name": "OnCall", "icon": "icon.png",
        "bindings": {"path": "/bindings", "expand": {"acting_user": "id"}},
        "on_install": {"path": "/install", "expand": {"app": "all", "acting_user": "+summary",
            "acting_user_access_token": "+all", "locale": "all"}},
        "on_uninstall": {"path": "/uninstall", "expand": {"app": "summary", "acting_user": "+summary"}},
        "on_remote_webhook": {"path": "/webhook"},
        "requested_permissions": ["act_as_bot", "act_as_user", "remote_webhooks"],
        "remote_webhook_auth_type": "secret",
        "requested_locations": ["/command"],
        "http": {"root_url": root, "use_jwt": true}
    })
}

fn bindings() -> Value {
    let expand = json!({"acting_user": "+summary", "acting_user_access_token": "+all", "locale": "all",
        "channel": "summary", "channel_member": "summary", "team": "summary"});
    json!({"type": "ok", "data": [{"location": "/command", "bindings": [{
    "location": "oncall", "label": "oncall", "bindings": [
        {"location": "link", "label": "link", "form": {
            "submit": {"path": "/command/link", "expand": expand},
            "fields": [{"name": "code", "type": "text", "is_required": true, "position": 1}]}},
        {"location": "fail", "label": "fail", "submit": "/command/fail"}
    ]}]}]})
}

/// The token of a call in its parts: header, claims.
fn claims(got: &Got) -> Value {
    use base64::Engine;
    let token = got.header("mattermost-app-authorization").strip_prefix("Bearer ").unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let decode = |part: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap();
    let claims: Value = serde_json::from_slice(&decode(parts[1])).unwrap();
    let acting = claims["acting_user_id"].as_str().unwrap_or_default();
    assert_eq!(sign_app_jwt(SECRET, acting, claims["exp"].as_i64().unwrap()), token);
    claims
}

/// An app below `/t_1`, without a root to say in the manifest before it runs.
async fn app() -> Host {
    Host::start(|got| {
        let host = got.header("host");
        let token = got.header("mattermost-app-authorization");
        match got.path.as_str() {
            "/t_1/manifest.json" => json_ok(&manifest(&format!("http://{host}/t_1"))),
            "/bad.json" => json_ok(&json!({"app_id": "oncall"})),
            "/moved.json" => (302, "text/plain", "/t_1/manifest.json".into()),
            "/t_1/static/icon.png" if token.is_empty() => (200, "image/png", "png".into()),
            "/t_1/ping" => {
                let exp = json!(claims_exp(token));
                let good = sign_app_jwt(SECRET, "", exp.as_i64().unwrap());
                if token == format!("Bearer {good}") {
                    json_ok(&json!({"type": "ok"}))
                } else {
                    (401, "text/plain", "bad token".into())
                }
            }
            "/t_1/bindings" => json_ok(&bindings()),
            "/t_1/install" => json_ok(&json!({"type": "ok", "text": "Next: link yourself."})),
            "/t_1/uninstall" => json_ok(&json!({"type": "error", "text": "still in use"})),
            "/t_1/command/link" => json_ok(&json!({"type": "ok", "text": "Linked."})),
            path if path.starts_with("/t_1/webhook") => json_ok(&json!({})),
            _ => (500, "text/plain", "no such path".into()),
        }
    })
    .await
}

fn claims_exp(token: &str) -> i64 {
    use base64::Engine;
    let claims = token.split('.').nth(1).unwrap_or_default();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).unwrap_or_default();
    serde_json::from_slice::<Value>(&claims).unwrap_or_default()["exp"].as_i64().unwrap_or(0)
}

async fn installed() -> (FakeMattermost, Host) {
    let host = app().await;
    let server = FakeMattermost::start(Options::with_apps()).await;
    let url = format!("{}/t_1/manifest.json", host.url);
    let outcome = server.apps_install_http("sysadmin", &url, SECRET).await;
    assert!(outcome.ok, "{}", outcome.text);
    (server, host)
}

/// All keys of a JSON text in the order they are written.
fn keys(raw: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = raw;
    while let Some(open) = rest.find('"') {
        let close = open + 1 + rest[open + 1..].find('"').unwrap();
        if rest[close + 1..].starts_with(':') {
            found.push(rest[open + 1..close].to_owned());
        }
        rest = &rest[close + 1..];
    }
    found
}

fn recorded_keys(vector: &str) -> Vec<String> {
    let vector: Value = serde_json::from_str(vector).unwrap();
    keys(vector["body_raw"].as_str().unwrap())
}

#[tokio::test]
async fn installing_does_everything_in_order() {
    let (server, host) = installed().await;
    assert_eq!(
        host.paths(),
        ["GET /t_1/manifest.json", "POST /t_1/ping", "GET /t_1/static/icon.png", "POST /t_1/install"]
    );
    let got = host.got();
    assert_eq!(
        got[1].body,
        r#"{"path":"/ping","context":{"app_id":"","mattermost_site_url":"","app_path":"","bot_user_id":"","oauth2":{}}}"#
    );
    assert!(claims(&got[1]).get("acting_user_id").is_none());
    let install = got[3].json();
    assert_eq!(keys(&got[3].body), recorded_keys(include_str!("../vectors/on_install_request.json")));
    assert_eq!(claims(&got[3])["acting_user_id"], server.user_id("sysadmin").as_str());
    let context = &install["context"];
    assert_eq!(context["mattermost_site_url"], server.url().as_str());
    assert_eq!(context["app_path"], "/plugins/com.mattermost.apps/apps/oncall");
    assert_eq!(context["app"]["webhook_secret"], server.app("oncall").unwrap().webhook_secret.as_str());
    let bot = Rest::new(&server, context["bot_access_token"].as_str().unwrap());
    let (_, me) = bot.get("users/me").await;
    assert_eq!((&me["id"], &me["username"], &me["is_bot"]), (&context["bot_user_id"], &json!("oncall"), &json!(true)));
    let admin = Rest::new(&server, context["acting_user_access_token"].as_str().unwrap());
    assert!(admin.get("users/me").await.1["roles"].as_str().unwrap().contains("system_admin"));
    let route = format!("users/{}/tokens", me["id"].as_str().unwrap());
    assert_eq!(admin.post(&route, json!({"description": "d"})).await.0, 403, "no token from an OAuth session");
}

#[tokio::test]
async fn installing_fails_as_it_should() {
    let host = app().await;
    let server = FakeMattermost::start(Options::with_apps()).await;
    let good = format!("{}/t_1/manifest.json", host.url);
    let plain = server.apps_install_http("alice", &good, SECRET).await;
    assert!(!plain.ok && plain.text.contains("not a sysadmin"));
    let wrong = server.apps_install_http("sysadmin", &good, "wrong").await;
    assert_eq!(
        wrong.text,
        "failed to install, /ping path is not accessible: failed to call /ping endpoint: \
         failed to invoke via HTTP: bad token"
    );
    assert!(server.app("oncall").is_none());
    let listed = server.send_raw("GET", &plugin(&server, "api/v1/marketplace"), &[], b"").await;
    assert_eq!(listed.json()[0]["manifest"]["app_id"], "oncall", "listed before consent");
    let bad = server.apps_install_http("sysadmin", &format!("{}/bad.json", host.url), SECRET).await;
    assert!(bad.text.contains("errors occurred"));
    let missing = server.apps_install_http("sysadmin", &format!("{}/none", host.url), SECRET).await;
    assert!(missing.text.contains("received status 500"));
    let moved = server.apps_install_http("sysadmin", &format!("{}/moved.json", host.url), SECRET).await;
    assert!(moved.ok, "redirects are followed");
    let before = server.app("oncall").unwrap();
    let again = server.apps_install_http("sysadmin", &good, "").await;
    assert!(again.ok);
    let after = server.app("oncall").unwrap();
    assert_eq!(after.secret, SECRET, "a blank secret keeps the old one");
    assert_ne!(after.webhook_secret, before.webhook_secret);
    assert_eq!(after.bot_user_id, before.bot_user_id);
    assert!(again.text.ends_with("\n\nNext: link yourself."));
}

fn plugin(server: &FakeMattermost, route: &str) -> String {
    format!("{}/plugins/com.mattermost.apps/{route}", server.url())
}

#[tokio::test]
async fn commands_go_through_the_bindings() {
    let (server, host) = installed().await;
    let outcome = server.apps_command("alice", "incidents", "/oncall link K7QX-2M4P").await;
    assert_eq!((outcome.kind.as_str(), outcome.text.as_str()), ("ok", "Linked."));
    assert_eq!(server.ephemerals("alice")[0].message, "Linked.");
    let got = host.got().pop().unwrap();
    assert_eq!(keys(&got.body), recorded_keys(include_str!("../vectors/command_link_submit.json")));
    let body = got.json();
    assert_eq!(body["values"], json!({"code": "K7QX-2M4P"}));
    assert_eq!(body["raw_command"], "/oncall link K7QX-2M4P");
    assert_eq!(body["context"]["app_id"], "");
    assert_eq!(body["context"]["channel"]["name"], "incidents");
    assert_eq!(claims(&got)["acting_user_id"], server.user_id("alice").as_str());
    let asked = host.got().iter().rfind(|got| got.path == "/t_1/bindings").unwrap().clone();
    assert_eq!(keys(&asked.body), recorded_keys(include_str!("../vectors/bindings_request.json")));

    let failed = server.apps_command("alice", "incidents", "/oncall fail").await;
    assert_eq!(failed.text, "upstream call failed: failed to invoke via HTTP: no such path");
    assert_eq!(server.apps_command("alice", "incidents", "/oncall fly").await.kind, "client");
    assert_eq!(server.apps_command("alice", "incidents", "/oncall link").await.kind, "client");
    let shown = server.apps_bindings("alice", "incidents").await;
    assert_eq!(shown.bindings[0]["bindings"][0]["app_id"], "oncall");
}

#[tokio::test]
async fn the_released_build_wipes_the_user_agent() {
    let host = app().await;
    let options = Options { plugin_build: PluginBuild::V1_2_2, ..Options::with_apps() };
    let server = FakeMattermost::start(options).await;
    let url = format!("{}/t_1/manifest.json", host.url);
    assert!(server.apps_install_http("sysadmin", &url, SECRET).await.ok);
    let got = host.got().pop().unwrap();
    assert_eq!(keys(&got.body), recorded_keys(include_str!("../vectors/on_install_request_v1_2_2.json")));
}

#[tokio::test]
async fn hostile_clients_reach_what_they_reach_in_the_plugin() {
    let (server, host) = installed().await;
    let call = |path: &str| RawCall { path: path.into(), ..RawCall::default() };
    for path in ["/install", "/ping", "/webhook", "/uninstall", "/x/../install"] {
        let outcome = server.apps_raw_call("mallory", "oncall", call(path)).await;
        assert!(outcome.response.text.starts_with("forbidden call path"), "{path}");
        assert!(outcome.sent.is_none());
    }
    for (path, reached) in [
        ("/%69nstall", "/t_1/install"),
        ("/%2569nstall", "/t_1/install"),
        ("/%2e%2e/t_2/x", "/t_2/x"),
        ("/webhook/x", "/t_1/webhook/x"),
    ] {
        server.apps_raw_call("mallory", "oncall", call(path)).await;
        let got = host.got().pop().unwrap();
        assert_eq!((got.path.as_str(), &got.json()["path"]), (reached, &json!(path)));
        assert!(claims(&got).get("acting_user_id").is_none());
    }
    let raw = RawCall {
        path: "/%69nstall".into(),
        expand: json!({"app": "all", "acting_user": "+summary", "channel": "summary", "channel_member": "+id"}),
        values: json!({"a": 1}),
        context: json!({"channel_id": server.channel_id("incidents"), "subject": "forged"}),
        ..RawCall::default()
    };
    let refused = server.apps_raw_call("mallory", "oncall", raw.clone()).await;
    assert!(refused.response.text.contains("failed to expand required channel_member"));
    server.apps_raw_call("alice", "oncall", raw).await;
    let body = host.got().pop().unwrap().json();
    assert_eq!(body["context"]["subject"], "forged");
    assert!(body["context"]["app"].get("webhook_secret").is_none(), "for administrators only");
    let odd = RawCall { path: "/x".into(), expand: json!({"app": "-all"}), ..RawCall::default() };
    assert!(server.apps_raw_call("alice", "oncall", odd).await.response.text.contains("not a known expand level"));
}

#[tokio::test]
async fn anybody_may_read_the_secret() {
    let (server, _host) = installed().await;
    let url = plugin(&server, "api/v1/apps/oncall");
    assert_eq!(server.send_raw("GET", &url, &[], b"").await.status, 401);
    let bearer = format!("Bearer {}", server.login("mallory"));
    let shown = server.send_raw("GET", &url, &[("Authorization", &bearer)], b"").await.json();
    assert_eq!(shown["secret"], SECRET);
    assert!(shown.get("webhook_secret").is_none());
    let vector: Value = serde_json::from_str(include_str!("../vectors/get_app_as_plain_user.json")).unwrap();
    for key in vector["response"].as_object().unwrap().keys().filter(|key| *key != "description") {
        assert!(shown.get(key).is_some(), "{key}");
    }
}

#[tokio::test]
async fn a_stolen_secret_forges_calls() {
    let (server, host) = installed().await;
    let exp = server.now_ms() / 1000 + 900;
    let token = sign_app_jwt(SECRET, &server.user_id("alice"), exp);
    let answer =
        server.forge_app_call("oncall", "/command/link", Some(&token), &json!({"path": "/command/link"})).await;
    assert_eq!((answer.status, &answer.json()["text"]), (200, &json!("Linked.")));
    assert_eq!(claims(&host.got().pop().unwrap())["acting_user_id"], server.user_id("alice").as_str());
    server.forge_app_call("oncall", "/command/link", None, &json!({})).await;
    assert_eq!(host.got().pop().unwrap().header("mattermost-app-authorization"), "");
}

#[tokio::test]
async fn webhooks_are_answered_at_once_and_delivered_later() {
    let (server, host) = installed().await;
    let url = server.app_webhook_url("oncall", "refresh");
    let headers = [("Content-Type", "application/json")];
    let wrong = server.send_raw("POST", &url.replace("secret=", "secret=x"), &headers, b"{}").await;
    assert_eq!((wrong.status, wrong.body.contains("webhook secret mismatched")), (400, true));
    let none = url.split('?').next().unwrap();
    assert!(server.send_raw("POST", none, &headers, b"{}").await.body.contains("was not provided"));
    assert_eq!(server.send_raw("HEAD", &url, &[], b"").await.status, 200);
    let missing = url.replace("/oncall/", "/other/");
    assert_eq!(server.send_raw("POST", &missing, &headers, b"{}").await.status, 404);
    let before = host.got().len();
    let answer = server.send_raw("POST", &url, &headers, br#"{"nonce":"n1"}"#).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    for _ in 0..200 {
        if host.got().len() > before {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let got = host.got().pop().unwrap();
    assert_eq!(got.path, "/t_1/webhook/refresh");
    assert_eq!(keys(&got.body), recorded_keys(include_str!("../vectors/remote_webhook_request.json")));
    assert_eq!(claims(&got)["acting_user_id"], server.app("oncall").unwrap().bot_user_id.as_str());
    assert_eq!(got.json()["values"]["data"], json!({"nonce": "n1"}));
    assert!(server.is_good_token(got.json()["context"]["bot_access_token"].as_str().unwrap()));
}

#[tokio::test]
async fn bot_tokens_live_ten_minutes() {
    let (server, _host) = installed().await;
    let token = server.app_session_token("oncall", "oncall").unwrap();
    server.advance(Duration::from_secs(4 * 60));
    server.apps_bindings("alice", "incidents").await;
    server.advance(Duration::from_secs(5 * 60));
    assert!(server.is_good_token(&token));
    server.apps_bindings("alice", "incidents").await;
    server.advance(Duration::from_secs(9 * 60));
    assert!(server.is_good_token(&token), "extended at the last call");
    server.advance(Duration::from_secs(61));
    assert!(!server.is_good_token(&token));
    server.apps_bindings("alice", "incidents").await;
    assert_ne!(server.app_session_token("oncall", "oncall").unwrap(), token);
}

#[tokio::test]
async fn uninstalling_and_disabling() {
    let (server, host) = installed().await;
    let bot = server.app_session_token("oncall", "oncall").unwrap();
    let disabled = server.apps_disable("sysadmin", "oncall").await;
    assert!(disabled.ok && !server.is_good_token(&bot));
    let refused = server.apps_command("alice", "incidents", "/oncall link X").await;
    assert_eq!(refused.kind, "client", "a disabled app has no bindings");
    let url = server.app_webhook_url("oncall", "x");
    assert_eq!(server.send_raw("POST", &url, &[], b"").await.status, 403);
    assert!(server.apps_enable("sysadmin", "oncall").await.ok);
    let kept = server.apps_uninstall("sysadmin", "oncall", false).await;
    assert_eq!(kept.text, "app canceled uninstall request: still in use");
    let got = host.got().pop().unwrap();
    assert_eq!(keys(&got.body), recorded_keys(include_str!("../vectors/on_uninstall_request.json")));
    assert!(server.apps_uninstall("sysadmin", "oncall", true).await.ok);
    assert!(server.app("oncall").is_none());
    assert_ne!(server.user("oncall").delete_at, 0);
}

#[tokio::test]
async fn without_the_plugin_there_is_nothing() {
    let server = FakeMattermost::start(Options::default()).await;
    assert_eq!(server.send_raw("GET", &plugin(&server, "api/v1/marketplace"), &[], b"").await.status, 404);
}
