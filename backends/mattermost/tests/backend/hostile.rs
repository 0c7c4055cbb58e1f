//! Whatever comes in: no panic, no effect, and answers that look alike.

use chatport_sdk::prelude::*;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    actions::Signer,
    bench::{Bench, COMMAND, NOW, post},
    server::{ALICE, CHANNEL, POST},
    vectors::{jwt, vector},
};

fn run(bench: &Bench, request: &Request) -> Received {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(bench.receive(request))
}

fn has_effect(received: &Received) -> bool {
    matches!(received, Received::Happenings(_))
}

/// JSON of any shape.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,30}".prop_map(Value::from),
    ];
    let names = prop_oneof![
        Just("context"),
        Just("path"),
        Just("values"),
        Just("acting_user"),
        Just("id"),
        Just("t"),
        Just("user_id"),
        Just("trigger_id"),
        Just("channel"),
        Just("data"),
        Just("nonce"),
        Just("code"),
        Just("mattermost_site_url"),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..6)
                .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

const PATHS: [&str; 12] = [
    "/actions",
    "/slash",
    "/ping",
    "/install",
    "/uninstall",
    "/bindings",
    "/command/link",
    "/command/unlink",
    "/webhook/refresh",
    "/",
    "/%69nstall",
    "/a/%2e%2e/install",
];

proptest! {
    #[test]
    fn bytes_have_no_effect(path in prop::sample::select(&PATHS[..]), body in prop::collection::vec(any::<u8>(), 0..400)) {
        for bench in [Bench::with_bot(), Bench::awaiting_app(), Bench::decoy()] {
            prop_assert!(!has_effect(&run(&bench, &post(path, &[], body.clone()))));
            prop_assert!(bench.server.seen().is_empty());
        }
    }

    #[test]
    fn a_good_jwt_before_any_body_has_no_effect(path in prop::sample::select(&PATHS[..]), body in any_json()) {
        // Everybody at the server can sign calls; what they can't do is to prove somebody.
        for bench in [Bench::with_app(), Bench::awaiting_app()] {
            let token = format!("Bearer {}", jwt(NOW + 900, Some(ALICE)));
            let request = post(path, &[("mattermost-app-authorization", &token)], body.to_string());
            prop_assert!(!has_effect(&run(&bench, &request)));
            prop_assert!(bench.server.seen().is_empty(), "nobody was asked");
        }
    }

    #[test]
    fn a_good_trigger_before_any_press_has_no_effect_without_a_token(extra in any_json()) {
        let signer = Signer::new();
        let bench = crate::actions::bench_of(&signer);
        let trigger = signer.trigger("once", ALICE, NOW * 1_000);
        let mut body = json!({"user_id": ALICE, "channel_id": CHANNEL, "post_id": POST, "trigger_id": trigger, "context": extra});
        if body["context"]["t"].is_string() {
            body["context"]["t"] = Value::Null;
        }
        prop_assert!(!has_effect(&run(&bench, &post("/actions", &[], body.to_string()))));
    }

    #[test]
    fn a_command_token_before_any_form_has_no_effect(form in "[a-z_=&%0-9+]{0,200}") {
        let bench = Bench::with_bot();
        let request = post("/slash", &[("authorization", &format!("Token {COMMAND}"))], form);
        prop_assert!(!has_effect(&run(&bench, &request)));
    }

    #[test]
    fn one_changed_byte_of_a_jwt_is_unauthorized(at in 0_usize..200, bit in 0_u8..7) {
        let bench = Bench::with_app();
        let mut token = jwt(NOW + 900, Some(ALICE)).into_bytes();
        let at = at % token.len();
        token[at] ^= 1 << bit;
        let Ok(token) = String::from_utf8(token) else { return Ok(()) };
        if token.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
            return Ok(());
        }
        let request = post("/ping", &[("mattermost-app-authorization", &format!("Bearer {token}"))], "{}");
        let Received::Refused { response, .. } = run(&bench, &request) else { panic!("accepted") };
        prop_assert_eq!(response.status, http::StatusCode::UNAUTHORIZED);
    }
}

#[test]
fn deep_nesting_is_refused() {
    let bench = Bench::with_app();
    let token = format!("Bearer {}", jwt(NOW + 900, Some(ALICE)));
    let body = format!("{{\"path\":\"/command/link\",\"context\":{}", "[".repeat(30_000));
    let request = post("/command/link", &[("mattermost-app-authorization", &token)], body);
    assert!(!has_effect(&run(&bench, &request)));
}

#[test]
fn no_secret_is_printed() {
    let bench = Bench::with_bot();
    let received = run(&bench, &post("/actions", &[], vector!("actions/button_click_post_action")["body"].to_string()));
    let printed = format!("{received:?} {:?}", bench.site());
    for secret in ["t_9f2c\"", crate::server::BOT_TOKEN, COMMAND] {
        assert!(!printed.contains(secret), "{secret}");
    }
}
