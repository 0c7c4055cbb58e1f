//! Which tokens prove something, and why others don't.

use chatport_sdk::prelude::*;
use http::StatusCode;
use serde_json::{Value, json};

use crate::bench::{Bench, reason};

/// A genuine token with these claims and header members changed (null: taken out), on an activity
/// with these members changed; why it is refused.
type Case = (&'static str, Value, Value, Value, Option<&'static str>);

fn cases(now: i64) -> Vec<Case> {
    let none = || json!({});
    vec![
        ("genuine", none(), none(), none(), None),
        ("for another bot", json!({ "aud": "another" }), none(), none(), Some("token-audience")),
        ("for several", json!({ "aud": ["a", "b"] }), none(), none(), Some("token-form")),
        ("by another issuer", json!({ "iss": "https://evil.example" }), none(), none(), Some("token-issuer")),
        ("just run out", json!({ "exp": now - 299 }), none(), none(), None),
        ("run out", json!({ "exp": now - 300 }), none(), none(), Some("token-expired")),
        ("almost good", json!({ "nbf": now + 300 }), none(), none(), None),
        ("not good yet", json!({ "nbf": now + 301 }), none(), none(), Some("token-not-yet-valid")),
        ("without a beginning", json!({ "nbf": null }), none(), none(), None),
        ("without an end", json!({ "exp": null }), none(), none(), Some("token-form")),
        ("with an end in words", json!({ "exp": "never" }), none(), none(), Some("token-form")),
        ("without a service", json!({ "serviceurl": null }), none(), none(), Some("token-service-url")),
        (
            "with an empty service",
            json!({ "serviceurl": "/" }),
            none(),
            json!({ "serviceUrl": "" }),
            Some("token-service-url"),
        ),
        (
            "for another service",
            json!({ "serviceurl": "https://evil.example/" }),
            none(),
            none(),
            Some("token-service-url"),
        ),
        ("of another algorithm", none(), json!({ "alg": "HS256" }), none(), Some("token-form")),
        ("of no algorithm", none(), json!({ "alg": "none" }), none(), Some("token-form")),
        ("of an unknown key", none(), json!({ "kid": "another" }), none(), Some("token-key-unknown")),
        ("that names no key", none(), json!({ "kid": null }), none(), Some("token-form")),
        ("with an extension", none(), json!({ "crit": ["b64"] }), none(), Some("token-form")),
        ("in another channel", none(), none(), json!({ "channelId": "slack" }), Some("token-endorsement")),
        (
            "in a channel that the key signs for",
            none(),
            none(),
            json!({ "channelId": "webchat" }),
            Some("activity-form"),
        ),
    ]
}

fn changed(value: &mut Value, changes: &Value) {
    for (name, change) in changes.as_object().expect("changes") {
        match change {
            Value::Null => drop(value.as_object_mut().expect("an object").remove(name)),
            change => value[name] = change.clone(),
        }
    }
}

#[test]
fn each_token_has_its_verdict() {
    let bench = Bench::ready();
    let now = bench.stage.site().now().as_seconds();
    for (name, claims, header, members, expected) in cases(now) {
        let (mut whole, mut activity) = (bench.teams.claims(), bench.teams.says("Ada", "status"));
        changed(&mut whole, &claims);
        changed(&mut activity, &members);
        let token = format!("Bearer {}", bench.teams.token(&whole, &header));
        let received = bench.receive_request(&bench.request(&token, activity.to_string()));
        assert_eq!(reason(&received), expected, "{name}: {received:?}");
        let happened = matches!(received, Received::Happenings(_));
        assert_eq!(happened, expected.is_none(), "{name}: {received:?}");
    }
}

#[test]
fn whatever_isnt_a_token_is_refused_with_the_same_words() {
    let bench = Bench::ready();
    let genuine = bench.teams.authorization();
    let token = genuine.strip_prefix("Bearer ").expect("a token");
    let (input, signature) = token.rsplit_once('.').expect("a signature");
    let authorizations = [
        String::new(),
        "Bearer".into(),
        "Bearer ".into(),
        format!("bearer {token}"),
        format!("Basic {token}"),
        format!("Bearer {token}."),
        format!("Bearer {token}="),
        format!("Bearer {input}."),
        format!("Bearer {input}.AAAA{signature}"),
        format!("Bearer {}", "a".repeat(9_000)),
        format!("Bearer {}.{}", "a".repeat(10), "b".repeat(10)),
    ];
    for authorization in authorizations {
        let request = bench.request(&authorization, bench.teams.says("Ada", "status").to_string());
        match bench.receive_request(&request) {
            Received::Refused { response, .. } => {
                assert_eq!((response.status, &response.body[..]), (StatusCode::UNAUTHORIZED, &b"unauthorized"[..]));
            }
            other => panic!("{authorization} became {other:?}"),
        }
    }
}

#[test]
fn for_a_slot_of_nobody_nothing_is_asked() {
    let bench = Bench::ready();
    let request = bench.request(&bench.teams.authorization(), bench.teams.says("Ada", "status").to_string());
    let calls = bench.stage.line.calls();
    let ingress = bench.backend.ingress().expect("ingress");
    let received = chatport_sdk::testkit::run(ingress.receive(&bench.stage.decoy(), &request));
    assert_eq!(reason(&received), Some("token-audience"));
    assert_eq!(bench.stage.line.calls(), calls);
}
