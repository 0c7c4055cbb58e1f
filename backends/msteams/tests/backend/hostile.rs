//! Whatever comes in: no panic, no effect, and answers that look alike.

use chatport_sdk::prelude::*;
use http::StatusCode;
use proptest::prelude::*;
use serde_json::Value;

use crate::bench::{Bench, reason};

/// JSON of any shape, with the names that activities have.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,30}".prop_map(Value::from),
        Just(Value::from("msteams")),
        Just(Value::from("message")),
        Just(Value::from("invoke")),
    ];
    let names = prop::sample::select(&NAMES[..]);
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..6)
                .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

const NAMES: [&str; 24] = [
    "type",
    "id",
    "channelId",
    "serviceUrl",
    "from",
    "recipient",
    "conversation",
    "conversationType",
    "tenantId",
    "tenant",
    "channelData",
    "team",
    "channel",
    "text",
    "entities",
    "mentioned",
    "value",
    "action",
    "verb",
    "data",
    "t",
    "name",
    "replyToId",
    "membersRemoved",
];

const PATHS: [&str; 6] = ["/api/messages", "/", "/api/messages/", "/app-package.zip", "//", "/%61pi/messages"];

proptest! {
    #[test]
    fn bytes_have_no_effect(path in prop::sample::select(&PATHS[..]), body in prop::collection::vec(any::<u8>(), 0..400)) {
        let bench = Bench::ready();
        for authorization in [String::new(), bench.teams.authorization()] {
            let request = Request { path: path.to_owned(), ..bench.request(&authorization, body.clone()) };
            prop_assert!(reason(&bench.receive_request(&request)).is_some());
        }
    }

    #[test]
    fn a_genuine_token_before_any_body_has_no_effect(body in any_json()) {
        let bench = Bench::ready();
        prop_assert!(reason(&bench.receive(&body)).is_some());
    }

    #[test]
    fn an_activity_with_anything_in_one_place_is_answered(
        which in 0_usize..6,
        name in prop::sample::select(&NAMES[..]),
        inner in prop::sample::select(&NAMES[..]),
        value in any_json(),
        deep in any::<bool>(),
    ) {
        let bench = Bench::ready();
        let teams = &bench.teams;
        let mut activity = match which {
            0 => teams.says("Ada", "link K7QX-2M4P-9ZRT"),
            1 => teams.mentions("Ada", crate::bench::PLACE, None, "hello"),
            2 => teams.installs("Ada", true),
            3 => teams.installs_in_team("Ada", "Operations", false),
            4 => teams.deletes_channel("Ada", "Operations", "Incidents"),
            _ => crate::press::invoke(&bench, "29:1ada1"),
        };
        match activity[name].as_object_mut().filter(|_| deep) {
            Some(members) => drop(members.insert(inner.to_owned(), value)),
            None => activity[name] = value,
        }
        // Whatever it became, nobody but Ada can have done it.
        if let Received::Happenings(happenings) = bench.receive(&activity) {
            for happening in &happenings {
                if let HappeningKind::CodeEntered { account, .. } | HappeningKind::Pressed { account, .. } = &happening.kind {
                    prop_assert_eq!(&account.id, &teams.person_id("Ada"));
                }
            }
            for outcome in [Outcome::Recorded, Outcome::NotOurs, Outcome::Unavailable] {
                bench.answer(&happenings, outcome);
            }
        }
    }

    #[test]
    fn one_changed_byte_of_a_token_is_unauthorized(at in 0_usize..700, bit in 0_u8..7) {
        let bench = Bench::ready();
        let mut token = bench.teams.authorization().into_bytes();
        let at = "Bearer ".len() + at % (token.len() - "Bearer ".len());
        token[at] ^= 1 << bit;
        let Ok(token) = String::from_utf8(token) else { return Ok(()) };
        if token.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
            return Ok(());
        }
        let request = bench.request(&token, bench.teams.says("Ada", "status").to_string());
        let Received::Refused { response, .. } = bench.receive_request(&request) else { panic!("accepted") };
        prop_assert_eq!(response.status, StatusCode::UNAUTHORIZED);
    }
}

#[test]
fn an_id_never_leads_to_another_path() {
    let bench = Bench::ready();
    let conversations = ["..", ".", "..;messageid=1", "", "a b"].map(|id| ("conversation", id));
    for (place, id) in conversations.into_iter().chain(["..", ".", ""].map(|id| ("from", id))) {
        let mut activity = bench.teams.says("Ada", "K7QX-2M4P-9ZRT");
        activity[place]["id"] = id.into();
        assert_eq!(reason(&bench.receive(&activity)), Some("activity-form"), "{place} {id:?}");
    }
    assert!(!bench.teams.asked().iter().any(|(_, path)| path.contains("/v3/")), "{:?}", bench.teams.asked());
}

#[test]
fn deep_nesting_is_refused() {
    let bench = Bench::ready();
    let body = format!("{{\"type\":\"message\",\"value\":{}", "[".repeat(100_000));
    let received = bench.receive_request(&bench.request(&bench.teams.authorization(), body));
    assert_eq!(reason(&received), Some("activity-form"));
}

#[test]
fn no_secret_is_printed() {
    let bench = Bench::ready();
    bench.receive(&bench.teams.says("Ada", "status"));
    bench.post(&crate::bench::content(serde_json::json!({ "title": "x" })));
    let printed = format!("{:?} {:?}", bench.backend, bench.stage.site());
    for secret in bench.stage.vault.values() {
        assert!(!printed.contains(&secret), "{printed}");
    }
}
