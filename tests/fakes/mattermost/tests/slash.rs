//! Custom slash commands.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail loudly")]

mod caller;

use std::collections::HashMap;

use caller::{Got, Host, json_ok};
use chatport_fake_mattermost::{FakeMattermost, ForgedSlash, Options, Trigger};
use serde_json::json;

fn form(got: &Got) -> HashMap<String, String> {
    url::form_urlencoded::parse(got.body.as_bytes()).into_owned().collect()
}

async fn start() -> (FakeMattermost, Host, String) {
    let host = Host::start(|got| {
        let text = form(got).remove("text").unwrap_or_default();
        match text.as_str() {
            "plain" => (200, "text/plain", "plain text".into()),
            "public" => json_ok(&json!({"response_type": "in_channel", "text": "hello all"})),
            "fail" => (500, "text/plain", "boom".into()),
            "null" => (200, "application/json", "null".into()),
            "broken" => (200, "application/json", "{".into()),
            other => json_ok(&json!({"response_type": "ephemeral", "text": format!("got {other}")})),
        }
    })
    .await;
    let server = FakeMattermost::start(Options::default()).await;
    let token = server.create_command("acme", "oncall", &format!("{}/slash", host.url));
    (server, host, token)
}

#[tokio::test]
async fn a_command_carries_everything() {
    let (server, host, token) = start().await;
    let outcome = server.slash("alice", "incidents", "/OnCall link K7QX-2M4P").await;
    assert_eq!((outcome.status, outcome.text.as_str()), (200, "got link K7QX-2M4P"));
    assert_eq!(server.ephemerals("alice")[0].message, "got link K7QX-2M4P");
    let got = &host.got()[0];
    assert_eq!(got.header("authorization"), format!("Token {token}"));
    assert_eq!(got.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(got.header("accept"), "application/json");
    assert_eq!(got.header("user-agent"), "Mattermost-Bot/1.1");
    let fields = form(got);
    assert_eq!(fields["command"], "/oncall");
    assert_eq!(fields["text"], "link K7QX-2M4P");
    assert_eq!(fields["token"], token);
    assert_eq!(fields["user_name"], "alice");
    assert_eq!(fields["team_domain"], "acme");
    assert_eq!(fields["channel_id"], server.channel_id("incidents"));
    assert_eq!(fields["trigger_id"], outcome.trigger_id);
    let names: Vec<&str> = got.body.split('&').map(|pair| pair.split('=').next().unwrap()).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(names, sorted);
}

#[tokio::test]
async fn mentions_of_team_members_go_along() {
    let (server, host, _) = start().await;
    server.slash("alice", "incidents", "/oncall page @bob and @nobody").await;
    let fields = form(&host.got()[0]);
    assert_eq!((fields["user_mentions"].as_str(), &fields["user_mentions_ids"]), ("bob", &server.user_id("bob")));
}

#[tokio::test]
async fn answers_and_errors() {
    let (server, _host, _) = start().await;
    let run = |text: &'static str| {
        let server = server.clone();
        async move { server.slash("alice", "incidents", text).await }
    };
    assert_eq!(run("/oncall plain").await.text, "plain text");
    let public = run("/oncall public").await;
    assert!(public.in_channel);
    assert_eq!(server.posts("incidents")[0].message, "hello all");
    for (text, id) in [
        ("/oncall fail", "api.command.execute_command.failed_resp.app_error"),
        ("/oncall broken", "api.command.execute_command.failed.app_error"),
        ("/oncall null", "api.command.execute_command.failed_empty.app_error"),
        ("/other", "api.command.execute_command.not_found.app_error"),
        ("oncall", "api.command.execute_command.start.app_error"),
    ] {
        let outcome = run(text).await;
        assert!(!outcome.is_ok());
        assert_eq!(outcome.error_id, id, "{text}");
    }
    assert_eq!(server.slash("mallory", "incidents", "/oncall x").await.status, 403);
    let elsewhere = server.slash("mallory", "globex/ops", "/oncall x").await;
    assert_eq!(elsewhere.status, 404, "a command belongs to its team");
    let dm = server.direct_channel("alice", "bob");
    assert!(server.slash("alice", &dm, "/oncall x").await.is_ok());
}

#[tokio::test]
async fn late_answers_are_counted() {
    let (server, _host, _) = start().await;
    let outcome = server.slash("alice", "incidents", "/oncall x").await;
    let body = json!({"text": "later"}).to_string();
    for _ in 0..5 {
        let headers = [("Content-Type", "application/json")];
        let answer = server.send_raw("POST", &outcome.response_url, &headers, body.as_bytes()).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
    }
    assert_eq!(server.ephemerals("alice").len(), 6);
    let sixth = server.send_raw("POST", &outcome.response_url, &[], body.as_bytes()).await;
    assert_eq!(sixth.status, 400);
}

#[tokio::test]
async fn forged_commands() {
    let (server, host, token) = start().await;
    let forged = ForgedSlash {
        team: "acme".into(),
        command: "oncall".into(),
        user: "alice".into(),
        channel: "incidents".into(),
        text: "link X".into(),
        trigger: Trigger::Absent,
        token: Some("wrong".into()),
        replace: vec![("user_name".into(), "root".into())],
        ..ForgedSlash::default()
    };
    assert_eq!(server.forge_slash(&forged).await.status, 200);
    let got = &host.got()[0];
    assert_eq!(got.header("authorization"), "Token wrong");
    let fields = form(got);
    assert_ne!(fields["token"], token);
    assert_eq!(fields["user_name"], "root");
    assert!(!fields.contains_key("trigger_id"));
}
