//! The issuer's keys: found, kept, looked for again, and not too often.

use std::time::Duration;

use chatport_fake_msteams::Reply;
use chatport_sdk::{prelude::*, testkit::Fault};
use serde_json::{Value, json};

use crate::bench::{Bench, reason};

const DAY: Duration = Duration::from_secs(24 * 3_600);

impl Bench {
    /// How often the issuer was asked for its keys.
    fn looks(&self) -> usize {
        self.teams.asked().iter().filter(|(_, path)| path.ends_with("/keys")).count()
    }

    /// Something that needs no roster, with a token that is good for a month.
    fn knock(&self, header: &Value) -> Option<&'static str> {
        let mut claims = self.teams.claims();
        claims["exp"] = (claims["exp"].as_i64().expect("a time") + 30 * 24 * 3_600).into();
        let token = format!("Bearer {}", self.teams.token(&claims, header));
        let activity = self.teams.installs_in_team("Ada", "Operations", true);
        reason(&self.receive_request(&self.request(&token, activity.to_string())))
    }
}

#[test]
fn a_new_key_is_found_at_once_and_an_old_one_is_good_while_it_is_published() {
    let bench = Bench::ready();
    let header = json!({});
    assert_eq!(bench.knock(&header), None);
    assert_eq!(bench.looks(), 1);
    bench.teams.rotate_key(false);
    assert_eq!(bench.knock(&header), None, "another key");
    assert_eq!(bench.looks(), 2);
    bench.teams.rotate_key(true);
    assert_eq!(bench.knock(&header), None, "a third one, without the others");
    for _ in 0..5 {
        assert_eq!(bench.knock(&header), None);
    }
    assert_eq!(bench.looks(), 3, "a known key is no reason to look");
}

#[test]
fn unknown_keys_make_nobody_look_often() {
    let bench = Bench::ready();
    assert_eq!(bench.knock(&json!({})), None);
    for number in 0..50 {
        assert_eq!(bench.knock(&json!({ "kid": format!("unknown-{number}") })), Some("token-key-unknown"));
    }
    assert_eq!(bench.looks(), 1 + 3);
    bench.stage.clock.pass(Duration::from_secs(10 * 60));
    for number in 0..50 {
        assert_eq!(bench.knock(&json!({ "kid": format!("later-{number}") })), Some("token-key-unknown"));
    }
    assert_eq!(bench.looks(), 1 + 3 + 1, "one more in ten minutes");
}

#[test]
fn keys_are_read_again_after_a_day_and_kept_where_that_fails() {
    let bench = Bench::ready();
    assert_eq!(bench.knock(&json!({})), None);
    bench.stage.clock.pass(DAY);
    bench.stage.line.always(Some(Fault::Refused));
    assert_eq!(bench.knock(&json!({})), None, "the issuer is away");
    let calls = bench.stage.line.calls();
    assert_eq!(bench.knock(&json!({})), None);
    assert_eq!(bench.stage.line.calls(), calls, "it is left alone for a while");
    bench.stage.line.always(None);
    bench.stage.clock.pass(Duration::from_secs(60));
    assert_eq!(bench.knock(&json!({})), None);
    assert_eq!(bench.looks(), 2);
}

#[test]
fn without_any_keys_nothing_is_proven() {
    for reply in [
        Reply { status: 503, body: json!({}), retry_after: None },
        Reply { status: 200, body: json!({ "keys": [] }), retry_after: None },
        Reply {
            status: 200,
            body: json!({ "keys": [{ "kty": "oct", "kid": "connector-1", "k": "AAAA" }] }),
            retry_after: None,
        },
        Reply { status: 200, body: json!([]), retry_after: None },
    ] {
        let bench = Bench::ready();
        bench.teams.fail_next("/keys", reply);
        assert_eq!(bench.knock(&json!({})), Some("token-keys-unavailable"));
        assert_eq!(bench.knock(&json!({})), None, "and the next one finds them");
    }
    // Keys that are said to be somewhere else aren't the issuer's.
    let bench = Bench::ready();
    let body = json!({ "jwks_uri": "https://evil.example/keys" });
    bench.teams.fail_next("/openidconfiguration", Reply { status: 200, body, retry_after: None });
    assert_eq!(bench.knock(&json!({})), Some("token-keys-unavailable"));
    assert_eq!(bench.looks(), 0);
}

#[tokio::test]
async fn many_at_once_make_one_look() {
    let bench = Bench::ready();
    let activity = bench.teams.installs_in_team("Ada", "Operations", true);
    let request = bench.request(&bench.teams.authorization(), activity.to_string());
    let ask = || bench.receive_async(&request);
    let (a, b, c, d) = tokio::join!(ask(), ask(), ask(), ask());
    for received in [a, b, c, d] {
        assert!(matches!(received, Received::Happenings(_)), "{received:?}");
    }
    assert_eq!(bench.looks(), 1);
}
