//! The bot's sessions in Apps mode: they run out, are asked for, and come by a call.

use std::time::Duration;

use chatport_sdk::prelude::*;
use serde_json::{Value, json};

use crate::{
    bench::{Bench, NOW, app_id, happening, install, refusal},
    server::{ALICE, BOT, BOT_TOKEN, answer},
    vectors::{body_of, call, signed, vector},
};

fn webhook_route() -> String {
    format!("POST /plugins/com.mattermost.apps/apps/{}/webhook/refresh", app_id())
}

/// Ask for a session; the answer is the nonce that went out.
async fn nonce(bench: &Bench) -> Value {
    bench.server.script(&webhook_route(), vec![answer(200, &[], "")]);
    let renewal = install().renew().expect("renew").renew(&bench.site(), "bot_access_token").await;
    assert!(matches!(renewal, Ok(Renewal::Asked { retry_after }) if retry_after == Duration::from_secs(5)));
    let asked = bench.server.asked(&webhook_route()).pop().expect("asked");
    assert_eq!(asked.query, "secret=cwsjhrdqebyf8qrnabtxio7k7r");
    assert_eq!(asked.token, None);
    asked.body["nonce"].clone()
}

fn webhook(nonce: &Value, claim: &str, change: impl FnOnce(&mut Value)) -> Request {
    let mut body = body_of(&call(&vector!("apps/remote_webhook_request")));
    body["values"]["data"]["nonce"] = nonce.clone();
    change(&mut body);
    signed("/webhook/refresh", Some(claim), &body)
}

#[tokio::test]
async fn a_session_that_was_asked_for_is_stored() {
    let bench = Bench::with_app();
    let nonce = nonce(&bench).await;
    let happening = happening(bench.receive(&webhook(&nonce, BOT, |_| {})).await);
    let HappeningKind::TokensArrived { tokens } = &happening.kind else { panic!("{happening:?}") };
    assert_eq!(tokens.len(), 1);
    assert_eq!((tokens[0].kind, tokens[0].value.expose()), ("bot_access_token", BOT_TOKEN));
    assert_eq!(tokens[0].expires_at, Some(Timestamp::from_seconds(NOW + 240)));
}

#[tokio::test]
async fn a_session_that_nobody_asked_for_is_refused() {
    let bench = Bench::with_app();
    assert_eq!(refusal(bench.receive(&call(&vector!("apps/remote_webhook_request"))).await).0, "webhook-nonce");
    let good = nonce(&bench).await;
    let forged: Value = format!("{}A", good.as_str().expect("a nonce")).into();
    assert_eq!(refusal(bench.receive(&webhook(&forged, BOT, |_| {})).await).0, "webhook-nonce");
}

#[tokio::test]
async fn a_nonce_is_good_for_two_minutes() {
    let mut bench = Bench::with_app();
    let nonce = nonce(&bench).await;
    bench.now = Timestamp::from_seconds(NOW + 120);
    happening(bench.receive(&webhook(&nonce, BOT, |_| {})).await);
    bench.now = Timestamp::from_seconds(NOW + 121);
    assert_eq!(refusal(bench.receive(&webhook(&nonce, BOT, |_| {})).await).0, "webhook-nonce");
    bench.now = Timestamp::from_seconds(NOW - 1);
    assert_eq!(refusal(bench.receive(&webhook(&nonce, BOT, |_| {})).await).0, "webhook-nonce");
}

#[tokio::test]
async fn a_call_by_a_person_brings_no_session() {
    let bench = Bench::with_app();
    let nonce = nonce(&bench).await;
    let by_alice = webhook(&nonce, ALICE, |_| {});
    assert_eq!(refusal(bench.receive(&by_alice).await).0, "webhook-not-by-bot");
    let with_person = webhook(&nonce, BOT, |body| body["context"]["acting_user"] = json!({"id": BOT}));
    assert_eq!(refusal(bench.receive(&with_person).await).0, "webhook-not-by-bot");
    let other_token = webhook(&nonce, BOT, |body| body["context"]["bot_access_token"] = "unknown".into());
    assert_eq!(refusal(bench.receive(&other_token).await).0, "token-refused");
}

#[tokio::test]
async fn what_the_plugin_refuses_is_told_from_what_passes() {
    let bench = Bench::with_app();
    for (status, text, cause) in [
        (400, "webhook secret mismatched", Cause::Unauthorized),
        (403, "forbidden", Cause::Unauthorized),
        (404, "404 page not found", Cause::InstallationRevoked),
        (503, "", Cause::Unavailable),
        (302, "", Cause::RedirectRefused),
        (429, "limit exceeded\n", Cause::RateLimited),
    ] {
        bench.server.script(&webhook_route(), vec![answer(status, &[], text)]);
        let failure =
            install().renew().expect("renew").renew(&bench.site(), "bot_access_token").await.expect_err("refused");
        assert_eq!(failure.cause, cause, "{status}");
    }
}

#[tokio::test]
async fn with_a_pasted_token_no_session_is_needed() {
    let bench = Bench::with_bot();
    assert!(install().renew().expect("renew").kinds(&bench.site()).is_empty());
    assert!(bench.server.seen().is_empty());
}

#[tokio::test]
async fn a_session_that_ran_out_is_awaited() {
    let mut bench = Bench::with_app();
    bench.now = Timestamp::from_seconds(NOW + 120);
    let account = Account::new(ALICE);
    let direct = crate::bench::delivery().direct().expect("direct").direct(&bench.site(), &account).await;
    let failure = direct.expect_err("no session");
    assert_eq!((failure.cause, failure.scope), (Cause::AwaitingCredential, Scope::Installation));
    let health = install().probe(&bench.site()).await;
    assert!(health.can_post && health.can_receive, "{health:?}");
}
