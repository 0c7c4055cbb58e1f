//! The control interface for scripts.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail loudly")]

mod caller;

use caller::{Host, json_ok};
use chatport_fake_mattermost::{FakeMattermost, Options};
use serde_json::{Value, json};

#[tokio::test]
async fn scripts_drive_the_server() {
    let host = Host::start(|_| json_ok(&json!({"ephemeral_text": "seen", "text": "typed"}))).await;
    let server = FakeMattermost::start(Options { control_api: true, ..Options::with_apps() }).await;
    let url = server.url();
    let post = async |route: &str, body: Value| {
        let answer = server.send_raw("POST", &format!("{url}/_fake/{route}"), &[], body.to_string().as_bytes()).await;
        (answer.status, answer.json())
    };
    let get = async |route: &str| server.send_raw("GET", &format!("{url}/_fake/{route}"), &[], b"").await.json();
    let (_, bot) = post("bot", json!({"username": "b", "owner": "sysadmin", "channels": ["acme/alerts"]})).await;
    assert!(server.is_good_token(bot["token"].as_str().unwrap()));
    let props = json!({"attachments": [{"text": "t", "actions": [{"id": "a", "type": "button", "name": "A",
        "integration": {"url": format!("{}/x", host.url)}}]}]});
    let (_, made) = post("post", json!({"user": "b", "channel": "acme/alerts", "message": "m", "props": props})).await;
    let (status, clicked) = post("click", json!({"user": "alice", "post": made["id"], "action": "a"})).await;
    assert_eq!((status, &clicked["ephemeral"]), (200, &json!("seen")));
    server.create_command("acme", "x", &host.url);
    let (_, typed) = post("slash", json!({"user": "alice", "channel": "acme/alerts", "text": "/x y"})).await;
    assert_eq!(typed["text"], "typed");
    assert_eq!(get("posts?channel=acme/alerts").await[0]["id"], made["id"]);
    assert_eq!(get("ephemerals?user=alice").await[0]["message"], "seen");
    assert_eq!(get("world").await["teams"]["acme"], server.team_id("acme").as_str());
    let install = json!({"admin": "sysadmin", "manifest_url": format!("{}/m", host.url), "secret": "s"});
    assert_eq!(post("apps/install", install).await.1["ok"], false);
    assert_eq!(post("fault", json!({"path": "/api/*", "kind": "status", "status": 502, "times": 1})).await.0, 200);
    assert_eq!(server.send_raw("GET", &server.api("system/ping"), &[], b"").await.status, 502);
    assert_eq!(post("click", json!({"user": "nobody"})).await.0, 400);
    assert_eq!(post("nothing", json!({})).await.0, 404);
}

#[tokio::test]
async fn it_is_off_unless_wanted() {
    let server = FakeMattermost::start(Options::default()).await;
    let url = format!("{}/_fake/world", server.url());
    assert_eq!(server.send_raw("GET", &url, &[], b"").await.status, 404);
}
