//! Setting up as an app: from the first step to the plugin's call.

use chatport_sdk::{
    happening::HappeningKind,
    prelude::*,
    steps::{ShownValue, StepKind},
};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    bench::{Bench, INGRESS, NOW, SECRET, app_id, body, happening, install, post, refusal},
    server::{ADMIN, ADMIN_TOKEN, ALICE, ALICE_TOKEN, BOT, BOT_TOKEN, KEY, SITE},
    vectors::{call, jwt, signed, vector, with_body},
};

fn on_install() -> Request {
    call(&vector!("apps/on_install_request"))
}

/// The reason why an install is refused; the answer is an error of the plugin's form.
async fn refused(bench: &Bench, request: &Request) -> &'static str {
    let (reason, response) = refusal(bench.receive(request).await);
    assert_eq!(response.status, StatusCode::OK);
    assert_eq!(body(&response)["type"], "error");
    assert!(bench.server.seen().iter().all(|seen| seen.origin == SITE), "only the pinned site is ever asked");
    reason
}

#[tokio::test]
async fn the_steps_hold_a_fresh_secret_and_the_command() {
    let mut bench = Bench::new("apps");
    let steps = bench.begin().await.expect("steps");
    let secret = steps.iter().find_map(|step| match &step.kind {
        StepKind::CopyValue { label, value: ShownValue::Secret(secret) } if label == "Outgoing JWT Secret" => {
            Some(secret)
        }
        _ => None,
    });
    let secret = secret.expect("the secret").expose();
    assert_eq!(secret.len(), 43, "256 bits");
    assert_eq!(bench.site().token("install_secret").expect("stored").value.expose(), secret);
    let command = format!("/apps install http {INGRESS}/manifest.json");
    assert!(steps.iter().any(|step| matches!(&step.kind,
        StepKind::RunCommand { command: ShownValue::Plain(shown) } if *shown == command)));
    assert_eq!(bench.window, Some(Timestamp::from_seconds(NOW + 900)));
    assert_ne!(Bench::new("apps").begin().await.expect("steps").len(), 0);
}

#[tokio::test]
async fn without_a_public_address_an_app_cannot_be_set_up() {
    let mut bench = Bench::new("apps");
    bench.ingress = None;
    assert!(matches!(bench.begin().await, Err(SetupError::NeedsPublicUrl(_))));
}

#[tokio::test]
async fn a_server_that_calls_itself_otherwise_is_found_out_at_once() {
    let mut bench = Bench::new("apps");
    bench.server.on("GET /config/client", 200, json!({"SiteURL": "https://chat.other.example"}));
    let error = bench.begin().await.expect_err("another address");
    assert!(
        matches!(&error, SetupError::Field { name, detail } if name == "site_url" && detail.contains("chat.other.example"))
    );
}

#[tokio::test]
async fn the_recorded_installs_complete_setup() {
    for vector in [vector!("apps/on_install_request"), vector!("apps/on_install_request_v1_2_2")] {
        let bench = Bench::awaiting_app();
        let happening = happening(bench.receive(&call(&vector)).await);
        assert!(happening.id.starts_with("jwt:"));
        let HappeningKind::Installed { identity, tokens, by: Some(by) } = &happening.kind else {
            panic!("{happening:?}")
        };
        assert_eq!(by.id, ADMIN);
        let confirmed = tokens.iter().find(|token| token.kind == "install_secret").expect("the secret in use");
        assert_eq!((confirmed.value.expose(), confirmed.replace), (SECRET, Replace::AfterGrace));
        assert_eq!((identity.server.as_str(), identity.account.as_str()), (SITE, BOT));
        let path = format!("/plugins/com.mattermost.apps/apps/{}", app_id());
        let expected = json!({"v": 1, "mode": "apps", "bot_user_id": BOT, "bot_username": "oncall", "app_id": app_id(),
            "app_path": path, "signing_key": KEY, "unsigned_presses": false, "max_post_size": 16383, "commands": []});
        assert_eq!(identity.details, expected);
        let session = tokens.iter().find(|token| token.kind == "bot_access_token").expect("a session");
        assert_eq!(session.value.expose(), BOT_TOKEN);
        assert_eq!(session.expires_at, Some(Timestamp::from_seconds(NOW + 240)));
        let webhook = tokens.iter().find(|token| token.kind == "webhook_secret").expect("a secret");
        assert_eq!(webhook.value.expose(), "cwsjhrdqebyf8qrnabtxio7k7r");
        let answer = body(&bench.answer(&happening, Outcome::Installed).await);
        assert_eq!(answer["type"], "ok");
        let answer = body(&bench.answer(&happening, Outcome::InstallRefused).await);
        assert_eq!(answer["type"], "error");
        let another = Outcome::InstalledByAnother { present: "@first-bot".into() };
        let answer = body(&bench.answer(&happening, another).await);
        assert!(answer["text"].as_str().expect("a text").contains("another bot (@first-bot)"), "{answer}");
    }
}

#[tokio::test]
async fn installing_again_is_the_same_happening() {
    let bench = Bench::awaiting_app();
    let first = happening(bench.receive(&on_install()).await);
    let second = happening(bench.receive(&on_install()).await);
    assert_eq!(first.id, second.id);
    assert_eq!(format!("{:?}", first.kind), format!("{:?}", second.kind));
}

#[tokio::test]
async fn an_install_by_an_encoded_path_is_refused() {
    let bench = Bench::awaiting_app();
    assert_eq!(refused(&bench, &call(&vector!("apps/on_install_forged_by_plain_user"))).await, "path-mismatch");
    assert!(bench.server.seen().is_empty(), "nobody was asked");
}

#[tokio::test]
async fn an_install_without_a_jwt_is_unauthorized() {
    let bench = Bench::awaiting_app();
    let (reason, response) = refusal(bench.receive(&call(&vector!("apps/on_install_request_use_jwt_false"))).await);
    assert_eq!((reason, response.status), ("jwt-form", StatusCode::UNAUTHORIZED));
}

#[tokio::test]
async fn outside_the_window_nothing_of_the_body_is_read() {
    let mut bench = Bench::awaiting_app();
    bench.window = None;
    let garbage = Request { body: Bytes::from_static(b"{"), ..on_install() };
    assert_eq!(refused(&bench, &garbage).await, "install-window-closed");
    bench.window = Some(Timestamp::from_seconds(NOW));
    assert_eq!(refused(&bench, &on_install()).await, "install-window-closed");
}

#[tokio::test]
async fn an_install_needs_a_jwt_of_this_moment() {
    let bench = Bench::awaiting_app();
    let body = on_install().body;
    for (ahead, good) in [(779, false), (780, true), (960, true), (961, false), (0, false)] {
        let token = format!("Bearer {}", jwt(NOW + ahead, Some(ADMIN)));
        let request = post("/install", &[("mattermost-app-authorization", &token)], body.clone());
        let received = bench.receive(&request).await;
        assert_eq!(matches!(received, Received::Happenings(_)), good, "{ahead}");
    }
}

#[tokio::test]
async fn only_the_approved_address_can_be_installed() {
    let bench = Bench::awaiting_app();
    for other in ["https://evil.example", "http://mattermost.example.com", "", "https://mattermost.example.com/sub"] {
        let request = with_body(&on_install(), |body| body["context"]["mattermost_site_url"] = other.into());
        assert_eq!(refused(&bench, &request).await, "site-url-mismatch", "{other}");
    }
    assert!(bench.server.seen().is_empty(), "no token was sent anywhere");
    let spelled = with_body(&on_install(), |body| {
        body["context"]["mattermost_site_url"] = "HTTPS://Mattermost.example.com:443/".into()
    });
    happening(bench.receive(&spelled).await);
}

#[tokio::test]
async fn only_an_administrator_installs_whatever_the_call_says() {
    let bench = Bench::awaiting_app();
    let mut forged = crate::vectors::body_of(&on_install());
    forged["context"]["acting_user"]["id"] = ALICE.into();
    forged["context"]["acting_user_access_token"] = ALICE_TOKEN.into();
    // The body still claims the administrator's roles.
    assert_eq!(refused(&bench, &signed("/install", Some(ALICE), &forged)).await, "not-system-admin");
    forged["context"]["acting_user"]["id"] = ADMIN.into();
    assert_eq!(refused(&bench, &signed("/install", Some(ADMIN), &forged)).await, "token-of-another-user");
    assert_eq!(refused(&bench, &signed("/install", Some(ALICE), &forged)).await, "acting-user-mismatch");
    forged["context"]["acting_user_access_token"] = "unknown0000000000000000000".into();
    assert_eq!(refused(&bench, &signed("/install", Some(ADMIN), &forged)).await, "token-refused");
    forged["context"]["acting_user_access_token"] = Value::Null;
    assert_eq!(refused(&bench, &signed("/install", Some(ADMIN), &forged)).await, "no-user-token");
}

#[tokio::test]
async fn the_bot_must_be_a_bot_and_the_one_that_is_named() {
    let bench = Bench::awaiting_app();
    let request = with_body(&on_install(), |body| body["context"]["bot_access_token"] = ALICE_TOKEN.into());
    assert_eq!(refused(&bench, &request).await, "token-of-another-user");
    let request = with_body(&on_install(), |body| {
        body["context"]["bot_access_token"] = ADMIN_TOKEN.into();
        body["context"]["bot_user_id"] = ADMIN.into();
    });
    assert_eq!(refused(&bench, &request).await, "not-a-bot");
}

#[tokio::test]
async fn the_call_must_be_of_the_app_that_is_served_here() {
    let bench = Bench::awaiting_app();
    for path in ["/plugins/com.mattermost.apps/apps/other", "/plugins/evil/apps/x", "//evil.example/x", ""] {
        let request = with_body(&on_install(), |body| body["context"]["app_path"] = path.into());
        assert_eq!(refused(&bench, &request).await, "other-app", "{path}");
    }
}

#[tokio::test]
async fn a_server_without_a_key_is_accepted_only_if_the_settings_say_so() {
    let mut bench = Bench::awaiting_app();
    bench.server.on("GET /config/client", 200, json!({"SiteURL": SITE}));
    assert_eq!(refused(&bench, &on_install()).await, "no-signing-key");
    bench.settings["accept_unsigned_presses"] = true.into();
    let happening = happening(bench.receive(&on_install()).await);
    let HappeningKind::Installed { identity, .. } = happening.kind else { panic!("not installed") };
    assert_eq!(identity.details["unsigned_presses"], true);
}

#[tokio::test]
async fn another_key_than_the_pinned_one_is_accepted_only_if_the_settings_name_it() {
    let mut bench = Bench::with_app();
    bench.window = Some(Timestamp::from_seconds(NOW + 600));
    let other = KEY.replace("MFkw", "MFkx");
    bench.server.on("GET /config/client", 200, json!({"SiteURL": SITE, "AsymmetricSigningPublicKey": other}));
    let (reason, response) = refusal(bench.receive(&on_install()).await);
    assert_eq!(reason, "another-signing-key");
    let said = body(&response)["text"].as_str().expect("a text").to_owned();
    assert!(said.contains("accepted_signing_key") && said.contains(&other), "{said}");
    bench.settings["accepted_signing_key"] = KEY.into();
    assert_eq!(refused(&bench, &on_install()).await, "another-signing-key");
    bench.settings["accepted_signing_key"] = other.as_str().into();
    let happening = happening(bench.receive(&on_install()).await);
    let HappeningKind::Installed { identity, .. } = happening.kind else { panic!("not installed") };
    assert_eq!(identity.details["signing_key"], other);
}

#[tokio::test]
async fn settings_are_judged_without_asking_anybody() {
    let mut bench = Bench::new("apps");
    for (name, value) in [
        ("site_url", "https://ann:secret@chat.example.com"),
        ("site_url", "ftp://chat.example.com"),
        ("command", "On Call"),
    ] {
        let before = std::mem::replace(&mut bench.settings[name], value.into());
        let error = install().check(&bench.site()).expect_err(value);
        assert!(matches!(&error, SetupError::Field { name: field, .. } if field == name), "{error}");
        bench.settings[name] = before;
    }
    bench.settings.as_object_mut().expect("settings").remove("command");
    install().check(&bench.site()).expect("good settings");
    assert!(bench.server.seen().is_empty());
}

#[tokio::test]
async fn an_installation_by_bot_token_cannot_be_turned_into_an_app() {
    let mut bench = Bench::awaiting_app();
    bench.settings["mode"] = "bot".into();
    assert_eq!(refused(&bench, &on_install()).await, "not-apps-mode");
}

#[tokio::test]
async fn while_the_secret_is_renewed_both_are_good() {
    let mut bench = Bench::with_app();
    bench.reauthorize().await.expect("steps");
    let secrets: Vec<String> =
        bench.site().tokens("install_secret").iter().map(|token| token.value.expose().into()).collect();
    assert_eq!(secrets.len(), 2);
    assert_eq!(secrets[1], SECRET);
    assert_ne!(secrets[0], SECRET);
    assert!(bench.window.is_some());
    happening(bench.receive(&on_install()).await);
}
