//! Buttons: the server carries clicks to the integration and its answer back.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail loudly")]

mod caller;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use caller::{Host, Rest, json_ok};
use chatport_fake_mattermost::{FakeMattermost, ForgedClick, Options, Post, Trigger};
use serde_json::{Value, json};

/// A host that answers by the context's `say`, and a server with a post of a bot whose buttons
/// lead there.
async fn start(options: Options) -> (FakeMattermost, Host) {
    let host = Host::start(|got| match got.json()["context"]["say"].as_str().unwrap_or_default() {
        "update" => json_ok(&json!({
            "update": {"message": "done", "props": {"attachments": [{"text": "resolved"}], "override_username": "x"}},
            "ephemeral_text": "You did <http://a|this>."
        })),
        "message only" => json_ok(&json!({"update": {"message": "m2"}})),
        "props only" => json_ok(&json!({"update": {"props": {"k": 1}}, "skip_slack_parsing": true})),
        "error" => json_ok(&json!({"error": {"message": "not you"}})),
        "status" => (403, "text/plain", "no".into()),
        "garbage" => (200, "text/html", "<html>".into()),
        "empty" => (200, "text/plain", String::new()),
        "null attachment" => json_ok(&json!({"update": {"message": "", "props": {"attachments": [null]}}})),
        "slow" => {
            std::thread::sleep(Duration::from_millis(150));
            json_ok(&json!({}))
        }
        _ => json_ok(&json!({})),
    })
    .await;
    let server = FakeMattermost::start(options).await;
    server.create_bot("helper", "sysadmin");
    server.join_channel("incidents", "helper");
    (server, host)
}

fn post(server: &FakeMattermost, host: &Host, say: &str) -> Post {
    let integration = json!({"url": format!("{}/actions", host.url), "context": {"say": say, "n": 7}});
    let props = json!({"attachments": [{"text": "alarm", "actions": [
        {"id": "ack", "type": "button", "name": "Ack", "integration": integration},
        {"id": "who", "type": "select", "name": "Who", "data_source": "users", "integration": integration},
    ]}]});
    server.try_post_as("helper", "incidents", "alarm", props).unwrap()
}

#[tokio::test]
async fn a_click_carries_everything() {
    let (server, host) = start(Options::default()).await;
    let post = post(&server, &host, "");
    let outcome = server.click("alice", &post.id, "ack", None).await;
    assert!(outcome.is_ok() && !outcome.updated && outcome.ephemeral.is_empty());
    let got = &host.got()[0];
    assert_eq!((got.method.as_str(), got.path.as_str()), ("POST", "/actions"));
    assert_eq!(got.header("user-agent"), "Mattermost-Bot/1.1");
    assert_eq!(got.header("content-type"), "application/json");
    assert_eq!(got.header("authorization"), "");
    let body = got.json();
    assert_eq!(body["user_id"], server.user_id("alice").as_str());
    assert_eq!(body["user_name"], "alice");
    assert_eq!(body["channel_name"], "incidents");
    assert_eq!(body["team_domain"], "acme");
    assert_eq!(body["post_id"], post.id.as_str());
    assert_eq!((&body["type"], &body["data_source"]), (&json!("button"), &json!("")));
    assert_eq!(body["context"], json!({"say": "", "n": 7}));
    let trigger = String::from_utf8(STANDARD.decode(body["trigger_id"].as_str().unwrap()).unwrap()).unwrap();
    let parts: Vec<&str> = trigger.split(':').collect();
    assert_eq!((parts.len(), parts[1]), (4, server.user_id("alice").as_str()));
    assert!(parts[2].parse::<i64>().unwrap() <= server.now_ms());

    let bob = server.user_id("bob");
    server.click("alice", &post.id, "who", Some(&bob)).await;
    let body = host.got()[1].json();
    assert_eq!((&body["type"], &body["data_source"]), (&json!("select"), &json!("users")));
    assert_eq!(body["context"]["selected_option"], bob.as_str());
}

#[tokio::test]
async fn answers_change_the_post() {
    let (server, host) = start(Options::default()).await;
    let first = post(&server, &host, "update");
    let outcome = server.click("alice", &first.id, "ack", None).await;
    assert!(outcome.is_ok() && outcome.updated);
    assert_eq!(outcome.ephemeral, "You did [this](http://a).");
    assert_eq!(server.ephemerals("alice").last().unwrap().message, outcome.ephemeral);
    let stored = server.post(&first.id).unwrap();
    assert_eq!(stored.message, "done");
    assert_eq!(stored.attachments(), [json!({"text": "resolved"})]);
    assert!(!stored.props.contains_key("override_username"), "a click cannot add this");
    assert_eq!(server.click("alice", &first.id, "ack", None).await.status, 404);

    let second = post(&server, &host, "message only");
    server.click("alice", &second.id, "ack", None).await;
    let stored = server.post(&second.id).unwrap();
    assert_eq!((stored.message.as_str(), stored.props), ("m2", second.props));

    let third = post(&server, &host, "props only");
    server.click("alice", &third.id, "ack", None).await;
    assert_eq!(server.post(&third.id).unwrap().message, "", "a missing message is an empty one");
    let fourth = post(&server, &host, "empty");
    assert!(server.click("alice", &fourth.id, "ack", None).await.is_ok());
}

#[tokio::test]
async fn what_fails_is_seen_as_failed() {
    let options = Options { integration_timeout: Duration::from_millis(100), ..Options::default() };
    let (server, host) = start(options).await;
    for say in ["status", "garbage", "slow"] {
        let post = post(&server, &host, say);
        let outcome = server.click("alice", &post.id, "ack", None).await;
        assert_eq!((outcome.status, outcome.error.as_str()), (400, "Action failed"), "{say}");
        assert_eq!(outcome.error_id, "api.post.do_action.action_integration.app_error");
    }
    let told = server.click("alice", &post(&server, &host, "error").id, "ack", None).await;
    assert_eq!((told.status, told.error.as_str()), (400, "not you"));
    let broken = server.click("alice", &post(&server, &host, "null attachment").id, "ack", None).await;
    assert_eq!(broken.error_id, "model.post.is_valid.props.app_error");
}

#[tokio::test]
async fn access_is_checked_first() {
    let (server, host) = start(Options::default()).await;
    let post = post(&server, &host, "");
    assert_eq!(server.click("mallory", &post.id, "ack", None).await.status, 403);
    assert_eq!(server.click("alice", &post.id, "nope", None).await.status, 404);
    assert_eq!(server.click("alice", &post.id, "a_b", None).await.status, 404);
    assert_eq!(server.click("alice", "aaaaaaaaaaaaaaaaaaaaaaaaaa", "ack", None).await.status, 403);
    server.deactivate_user("bob");
    assert_eq!(server.click("bob", &post.id, "ack", None).await.status, 401);
    server.delete_post(&post.id);
    assert_eq!(server.click("alice", &post.id, "ack", None).await.status, 404);
    assert!(host.got().is_empty());
}

#[tokio::test]
async fn clicks_work_over_rest_and_in_direct_channels() {
    let (server, host) = start(Options::default()).await;
    server.direct_channel("helper", "alice");
    let dm = server.direct_channel("alice", "helper");
    let url = format!("{}/actions", host.url);
    let post = server.post_button_as("helper", &dm, &url, json!({"say": ""}));
    let alice = Rest::new(&server, server.login("alice"));
    let (status, answer) = alice.post(&format!("posts/{post}/actions/press"), Value::Null).await;
    assert_eq!((status, &answer["status"]), (200, &json!("OK")));
    let body = host.got()[0].json();
    assert_eq!((&body["team_id"], &body["team_domain"]), (&json!(""), &json!("")));
}

#[tokio::test]
async fn forged_clicks_differ_where_they_are_told_to() {
    let (server, host) = start(Options::default()).await;
    let post = post(&server, &host, "");
    let seen = server.click("alice", &post.id, "ack", None).await.trigger_id;
    let hour = Duration::from_secs(3600);
    for trigger in [
        Trigger::Good,
        Trigger::Stale(hour),
        Trigger::Early(hour),
        Trigger::Of("bob".into()),
        Trigger::Seen(seen.clone()),
        Trigger::OtherServer,
        Trigger::Tampered,
        Trigger::Empty,
        Trigger::Absent,
    ] {
        let forged = ForgedClick {
            user: "alice".into(),
            post_id: post.id.clone(),
            action_id: "ack".into(),
            trigger: trigger.clone(),
            replace: json!({"context": {"say": "", "n": 8}, "team_domain": null}),
            ..ForgedClick::default()
        };
        assert_eq!(server.forge_click(&forged).await.status, 200);
        let body = host.got().last().unwrap().json();
        assert_eq!(body["context"]["n"], 8);
        assert!(body.get("team_domain").is_none());
        let sent = body["trigger_id"].as_str();
        match trigger {
            Trigger::Seen(seen) => assert_eq!(sent, Some(seen.as_str())),
            Trigger::Absent => assert_eq!(sent, None),
            Trigger::Empty => assert_eq!(sent, Some("")),
            _ => assert_ne!(sent, Some(seen.as_str())),
        }
    }
    // Anybody may make a button of their own that leads to the host with a good trigger.
    let own = server.post_button_as("mallory", "acme/town-square", &format!("{}/actions", host.url), json!({"k": 1}));
    assert!(server.click("mallory", &own, "press", None).await.is_ok());
    assert_eq!(host.got().last().unwrap().json()["context"], json!({"k": 1}));
}
