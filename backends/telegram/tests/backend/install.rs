//! Setup where it doesn't go the plain way, and what is asked of Telegram meanwhile.

use chatport_sdk::{
    prelude::*,
    testkit::{json_answer, run},
};
use chatport_telegram::TelegramBackend;
use serde_json::json;

use crate::Bench;

#[test]
fn settings_that_lead_nowhere_are_refused() {
    let bench = Bench::bare();
    let install = TelegramBackend.install().expect("install steps");
    for url in ["ftp://api.telegram.org", "https://u:p@api.telegram.org", "https://api.telegram.org/?x=1", "x"] {
        bench.stage.set_settings(json!({ "api_url": url }));
        assert!(install.check(&bench.stage.site()).is_err(), "{url}");
    }
    for settings in [json!({}), json!(null), json!({ "api_url": "http://127.0.0.1:8081/prefix" })] {
        bench.stage.set_settings(settings);
        assert!(install.check(&bench.stage.site()).is_ok());
    }
}

#[test]
fn a_server_of_ones_own_is_called_below_its_prefix() {
    let bench = Bench::bare();
    bench.stage.set_settings(json!({ "api_url": "https://bots.example.com/prefix/" }));
    let known = json_answer(404, &json!({ "ok": false, "error_code": 404, "description": "Not Found" }));
    bench.answers(Some(known));
    // It is asked at all, and its word is taken.
    let error = bench.set_up().expect_err("refused");
    assert!(matches!(&error, SetupError::Field { name, .. } if name == "bot_token"), "{error}");
    assert_eq!(bench.stage.line.calls(), 1);
}

#[test]
fn without_a_public_address_updates_are_asked_for() {
    let bench = Bench::bare();
    bench.stage.hide();
    bench.set_up().expect("set up");
    let listen = MessagingBackend::listen(&TelegramBackend).expect("listening");
    assert!(listen.listens(&bench.stage.site()));
    bench.stage.set_settings(json!({ "updates": "webhook" }));
    let error = bench.set_up().expect_err("refused");
    assert!(matches!(error, SetupError::NeedsPublicUrl(_)), "{error}");
}

#[test]
fn a_bot_whose_server_writes_nulls_is_set_up_like_any_other() {
    let bench = Bench::bare();
    bench.stage.hide();
    let (id, name) = bench.server.bot(&bench.token);
    let me = json!({ "id": id, "is_bot": true, "first_name": "OnCall", "last_name": null, "username": name,
        "language_code": null });
    bench
        .answers(Some(json_answer(200, &json!({ "ok": true, "result": me, "description": null, "parameters": null }))));
    bench.set_up().expect("set up");
}

#[test]
fn whoever_polls_takes_a_strangers_webhook_away_and_not_the_one_that_a_new_setup_has_just_set() {
    let bench = Bench::bare();
    bench.stage.hide();
    bench.set_up().expect("set up");
    let listen = MessagingBackend::listen(&TelegramBackend).expect("listening");
    let hears = || run(listen.listen(&bench.stage.site(), None));
    let slot = bench.stage.site().slot().to_string();
    for (slot, stays) in [("0123456789abcdef0123456789abcdef", false), (slot.as_str(), true)] {
        let url = format!("https://chatport.example.com/in/telegram/{slot}/updates");
        let path = format!("/bot{}/setWebhook", bench.token);
        let body = json!({ "url": url }).to_string();
        assert_eq!(bench.server.answer(&path, "application/json", body.as_bytes()).0, 200);
        assert_eq!(hears().is_err(), stays);
        assert_eq!(bench.server.webhook(&bench.token).is_some(), stays);
    }
}

#[test]
fn a_probe_that_finds_late_updates_says_why() {
    let bench = Bench::new();
    let install = TelegramBackend.install().expect("install steps");
    let url = bench.server.webhook(&bench.token).expect("a webhook").url;
    let probe = |info: serde_json::Value| {
        let (id, name) = bench.server.bot(&bench.token);
        // Both questions get one answer: each reads what it knows.
        let mut result = json!({ "id": id, "is_bot": true, "first_name": "OnCall", "username": name, "url": url });
        for (name, value) in info.as_object().expect("an object") {
            result[name] = value.clone();
        }
        bench.answers(Some(json_answer(200, &json!({ "ok": true, "result": result }))));
        run(install.probe(&bench.stage.site()))
    };
    let now = bench.stage.site().now().as_seconds();
    let late = probe(json!({ "last_error_date": now - 60, "last_error_message": "Connection refused" }));
    assert!(late.can_receive && late.missing[0].contains("Connection refused"), "{late:?}");
    assert!(probe(json!({ "last_error_date": now - 86_400, "last_error_message": "x" })).missing.is_empty());
    assert!(probe(json!({ "pending_update_count": 500 })).missing[0].contains("500 updates wait"));
    assert!(!probe(json!({ "url": "https://elsewhere.example" })).can_receive);
    assert!(!probe(json!({ "id": 5 })).can_post);
    let renamed = probe(json!({ "username": "other_bot" }));
    assert!(renamed.can_post && renamed.missing[0].contains("@other_bot"), "{renamed:?}");
}
