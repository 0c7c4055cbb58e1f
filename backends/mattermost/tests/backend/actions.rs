//! Presses of buttons and menus.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use chatport_sdk::{
    content::{Content, State},
    crypto,
    delivery::ActionToken,
    prelude::*,
};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    bench::{Bench, INGRESS, NOW, body, delivery, happening, post, refusal},
    server::{ALICE, BOT, CHANNEL, POST},
    vectors::vector,
};

/// A server's signing key, and its public half as the configuration shows it.
pub(crate) struct Signer(EcdsaKeyPair);

impl Signer {
    pub(crate) fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key"))
    }

    pub(crate) fn public_key(&self) -> String {
        // SubjectPublicKeyInfo of P-256: a fixed head, then the point.
        let head = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
        let head = (0..head.len()).step_by(2).map(|at| u8::from_str_radix(&head[at..at + 2], 16).expect("hex"));
        let der: Vec<u8> = head.chain(self.0.public_key().as_ref().iter().copied()).collect();
        crypto::base64(&der)
    }

    pub(crate) fn trigger(&self, id: &str, user: &str, millis: i64) -> String {
        let message = format!("{id}:{user}:{millis}:");
        let signature = self.0.sign(&SystemRandom::new(), message.as_bytes()).expect("a signature");
        crypto::base64(format!("{message}{}", crypto::base64(signature.as_ref())).as_bytes())
    }
}

/// An installation that pinned this signer's key.
pub(crate) fn bench_of(signer: &Signer) -> Bench {
    let mut bench = Bench::with_bot();
    bench.identity.as_mut().expect("an identity").details["signing_key"] = signer.public_key().into();
    bench
}

fn press(body: &Value) -> Request {
    post("/actions", &[("content-type", "application/json")], body.to_string())
}

fn press_by(user: &str, trigger: &str) -> Value {
    json!({"user_id": user, "user_name": "alice", "channel_id": CHANNEL, "post_id": POST, "trigger_id": trigger,
        "type": "button", "context": {"t": "a-token"}})
}

#[tokio::test]
async fn the_recorded_presses_are_understood() {
    let bench = Bench::with_bot();
    let recorded = vector!("actions/button_click_post_action");
    for (vector, choice) in [
        (recorded.clone(), None),
        (vector!("actions/button_click_in_dm"), None),
        (vector!("actions/menu_select_post_action"), Some(String::from("7q7kaakokfdsdycy3pr9ctkc5r"))),
    ] {
        let happening = happening(bench.receive(&press(&vector["body"])).await);
        assert_eq!(happening.id, format!("trigger:{}", recorded["client_trigger_id"].as_str().expect("an id")));
        assert_eq!(happening.at, Some(Timestamp::from_seconds(NOW)));
        let HappeningKind::Pressed { token, choice: chosen, account, conversation, part } = happening.kind else {
            panic!("no press")
        };
        assert_eq!((token.expose(), chosen), ("t_9f2c", choice));
        assert_eq!((account.id.as_str(), account.username.as_str()), (ALICE, "alice"));
        assert_eq!((conversation.as_str(), part.id.as_str()), (CHANNEL, POST));
    }
    assert!(bench.server.seen().is_empty(), "a person looks at a spinner");
}

#[tokio::test]
async fn the_recorded_forgeries_are_refused_alike() {
    let bench = Bench::with_bot();
    let mut answers = Vec::new();
    for (vector, reason) in [
        (vector!("actions/button_click_unauthorised_no_token"), "body-form"),
        (vector!("actions/button_click_unauthorised_stale_trigger"), "trigger-stale"),
        (vector!("actions/button_click_unauthorised_trigger_user_mismatch"), "trigger-user-mismatch"),
    ] {
        let (refused, response) = refusal(bench.receive(&press(&vector["body"])).await);
        assert_eq!((refused, response.status), (reason, StatusCode::OK));
        answers.push(response.body);
        // What the recorded press gets at a slot that doesn't exist.
        let press = press(&vector!("actions/button_click_post_action")["body"]);
        answers.push(refusal(Bench::decoy().receive(&press).await).1.body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
}

#[tokio::test]
async fn a_trigger_is_good_from_five_seconds_before_to_thirty_after() {
    let signer = Signer::new();
    let bench = bench_of(&signer);
    for (age, good) in [(-5_001, false), (-5_000, true), (0, true), (30_000, true), (30_001, false)] {
        let trigger = signer.trigger("once", ALICE, NOW * 1_000 - age);
        let received = bench.receive(&press(&press_by(ALICE, &trigger))).await;
        assert_eq!(matches!(received, Received::Happenings(_)), good, "{age}");
    }
}

#[tokio::test]
async fn a_pinned_key_is_never_done_without() {
    let (signer, stranger) = (Signer::new(), Signer::new());
    let mut bench = bench_of(&signer);
    // Even if somebody accepted unsigned presses before the server had a key.
    bench.identity.as_mut().expect("an identity").details["unsigned_presses"] = true.into();
    let signed_by_another = stranger.trigger("once", ALICE, NOW * 1_000);
    let unsigned = crypto::base64(format!("once:{ALICE}:{}:", NOW * 1_000).as_bytes());
    for trigger in ["", "garbage", &signed_by_another, &unsigned, &"A".repeat(5_000)] {
        refusal(bench.receive(&press(&press_by(ALICE, trigger))).await);
    }
}

#[tokio::test]
async fn without_a_key_presses_count_only_if_that_was_accepted() {
    let mut bench = Bench::with_bot();
    let details = &mut bench.identity.as_mut().expect("an identity").details;
    details["signing_key"] = Value::Null;
    assert_eq!(refusal(bench.receive(&press(&press_by(ALICE, ""))).await).0, "trigger-no-key");
    bench.identity.as_mut().expect("an identity").details["unsigned_presses"] = true.into();
    let first = happening(bench.receive(&press(&press_by(ALICE, ""))).await);
    let second = happening(bench.receive(&press(&press_by(ALICE, ""))).await);
    assert_ne!(first.id, second.id, "two presses are two");
}

#[tokio::test]
async fn every_bit_of_a_trigger_counts() {
    let signer = Signer::new();
    let bench = bench_of(&signer);
    let good = signer.trigger("once", ALICE, NOW * 1_000);
    let bytes = crypto::base64_decode(&good).expect("base64");
    for at in 0..bytes.len() {
        let mut forged = bytes.clone();
        forged[at] ^= 1;
        let received = bench.receive(&press(&press_by(ALICE, &crypto::base64(&forged)))).await;
        assert!(matches!(received, Received::Refused { .. }), "byte {at}");
    }
    assert!(matches!(bench.receive(&press(&press_by(ALICE, &good))).await, Received::Happenings(_)));
}

async fn answered(outcome: Outcome) -> Value {
    let bench = Bench::with_bot();
    let happening = happening(bench.receive(&press(&vector!("actions/button_click_post_action")["body"])).await);
    let response = bench.answer(&happening, outcome).await;
    assert_eq!((response.status, response.content_type), (StatusCode::OK, "application/json"));
    body(&response)
}

#[tokio::test]
async fn new_content_is_shown_at_once_with_fresh_tokens() {
    let mut content = Content { title: "CPU high".into(), state: Some(State::Acknowledged), ..Content::default() };
    content.actions.push(serde_json::from_value(json!({"id": "resolve", "label": "Resolve"})).expect("an action"));
    let limits = chatport_mattermost::MattermostBackend.descriptor().limits.clone();
    let part = delivery().render(&RenderRequest::new(&content, &limits)).parts.remove(0);
    let address = Address(json!({"v": 1, "channel": CHANNEL}));
    let mut outgoing = Outgoing::new("0190-copy", 7, address, part);
    outgoing.tokens.push(ActionToken { action: "resolve".into(), choice: None, token: Secret::new("fresh-token") });
    let mut answer = PressAnswer::notice(Some("Acknowledged.".into()));
    answer.shown = Some(Box::new(outgoing));

    let body = answered(Outcome::Pressed(answer)).await;
    assert_eq!(body["ephemeral_text"], "Acknowledged.");
    assert_eq!(body["update"]["message"], "");
    let props = &body["update"]["props"];
    assert_eq!(props["chatport_copy"], "0190-copy-0");
    assert_eq!(props["attachments"][0]["color"], State::Acknowledged.colour());
    let action = &props["attachments"][0]["actions"][0];
    assert_eq!(action["integration"], json!({"url": format!("{INGRESS}/actions"), "context": {"t": "fresh-token"}}));
}

#[tokio::test]
async fn the_presser_is_told_what_came_of_it() {
    assert!(
        answered(Outcome::NotLinked).await["ephemeral_text"].as_str().expect("a text").contains("/oncall link CODE")
    );
    for outcome in [Outcome::NotOurs, Outcome::Unavailable, Outcome::Duplicate { same_content: false, first: None }] {
        let body = answered(outcome).await;
        assert!(!body["ephemeral_text"].as_str().expect("a text").is_empty());
        assert!(body.get("update").is_none(), "nothing is shown");
    }
    let mut refused = PressAnswer::default();
    refused.refused = true;
    assert_eq!(answered(Outcome::Pressed(refused)).await["ephemeral_text"], "You can't do that.");
    let quiet = answered(Outcome::Pressed(PressAnswer::default())).await;
    assert!(quiet.get("ephemeral_text").is_none() && quiet.get("update").is_none());
}

#[tokio::test]
async fn a_button_that_is_not_ours_looks_like_one_that_is_forged() {
    let bench = Bench::with_bot();
    let forged = refusal(bench.receive(&press(&press_by(BOT, ""))).await).1;
    assert_eq!(answered(Outcome::NotOurs).await, body(&forged));
}
