use serde_json::{Value, json};

use super::*;
use crate::identity::Conversation;

fn described() -> Value {
    json!({
        "id": "pigeon", "name": "Carrier pigeon", "contract": 1,
        "parts": { "install": true, "renew": ["session"], "verification": ["user"], "deliver": true, "edit": true },
        "limits": { "unit": "characters", "text": 4000, "actions": 5, "choices": 5, "threads": false },
        "settings": { "type": "object" },
        "tokens": [{ "name": "session", "origin": "platform", "lifetime": 3600 }],
        "rates": [{ "name": "loft", "per_second": 2.0, "burst": 4 }, { "name": "flock", "per_second": 1, "burst": 1 }],
    })
}

fn known() -> Known {
    let descriptor: Descriptor = serde_json::from_value(described()).expect("a descriptor");
    descriptor.know("pigeon").expect("a good descriptor")
}

fn taken<R: DeserializeOwned + Take>(value: Value) -> Result<R::Taken, String> {
    let read: R = serde_json::from_value(value).map_err(|error| error.to_string())?;
    read.take(&known().descriptor).map_err(|broken| broken.to_string())
}

#[test]
fn a_good_descriptor_becomes_one_of_the_contract() {
    let known = known();
    assert_eq!((known.descriptor.id, known.renews, known.purposes.len()), ("pigeon", &["session"][..], 1));
    let rate = known.descriptor.rate("loft").expect("a rate");
    assert_eq!((rate.per_second, rate.burst), (2.0, 4));
    assert_eq!(known.descriptor.tokens[0].lifetime, Some(Duration::from_secs(3600)));
}

#[test]
fn a_descriptor_that_breaks_a_rule_is_refused() {
    let bad: &[(&str, Value, &str)] = &[
        ("id", json!("dove"), "under which it is attached"),
        ("contract", json!(2), "level 2"),
        ("name", json!("x".repeat(65)), "more than 64"),
        ("name", json!("a\u{1b}[31m"), "control characters"),
        ("settings", json!({ "type": "string" }), "schema of an object"),
        ("rates", json!([]), "must be a rate"),
        ("rates", json!([{ "name": "loft", "per_second": 0, "burst": 1 }]), "above 0"),
        ("rates", json!([{ "name": "Loft", "per_second": 1, "burst": 1 }]), "[a-z]"),
        ("tokens", json!([{ "name": "a", "origin": "host" }, { "name": "a", "origin": "host" }]), "twice"),
        ("parts", json!({ "edit": true }), "need deliver"),
        ("parts", json!({ "install": true, "renew": ["other"] }), "kinds in tokens"),
        ("press_limit_ms", json!(0), "press_limit_ms"),
        ("icon_png", json!("PHN2Zz4="), "a PNG"),
    ];
    for (member, value, words) in bad {
        let mut descriptor = described();
        descriptor[member] = value.clone();
        let descriptor: Descriptor = serde_json::from_value(descriptor).expect("of the right shape");
        let refused = descriptor.know("pigeon").expect_err(member).to_string();
        assert!(refused.contains(words), "{member}: {refused}");
    }
}

#[test]
fn the_stream_of_an_address_is_read_from_it() {
    let descriptor = known().descriptor;
    let stream = |address: Value| stream_of(&Address(address), &descriptor);
    assert_eq!(stream(json!({ "key": "a" })).expect("a stream").rate, "loft");
    let stream_of_flock = stream(json!({ "v": 1, "key": "a", "rate": "flock" })).expect("a stream");
    assert_eq!((stream_of_flock.key.as_str(), stream_of_flock.rate), ("a", "flock"));
    for address in [json!(null), json!({}), json!({ "key": "" }), json!({ "key": "a", "rate": "herd" })] {
        assert_eq!(stream(address.clone()).expect_err("no address").cause, Cause::ChannelNotFound, "{address}");
    }
}

#[test]
fn a_failure_is_from_the_closed_list_and_its_words_are_cut() {
    let said = json!({ "cause": "rate_limited", "retry_after": 7, "detail": format!("a\n{}", "b".repeat(9_000)) });
    let failure = taken::<Failure>(said).expect("a failure");
    assert_eq!((failure.cause, failure.retry_after), (Cause::RateLimited, Some(Duration::from_secs(7))));
    assert_eq!((failure.detail.len(), failure.detail.contains('\n')), (500, false));
    assert!(taken::<Failure>(json!({ "cause": "bad_weather" })).is_err());
    let wide = json!({ "cause": "unavailable", "scope": "origin" });
    assert_eq!(taken::<Failure>(wide).expect("a failure").scope, Scope::Installation);
}

#[test]
fn what_is_impossible_too_long_or_dangerous_is_refused() {
    assert!(taken::<crate::delivery::Rendering>(json!({ "parts": [] })).is_err());
    let receipt = |id: String, link: &str| json!({ "id": id, "permalink": link });
    assert!(taken::<crate::delivery::Receipt>(receipt("1".into(), "https://a.example/1")).is_ok());
    assert!(taken::<crate::delivery::Receipt>(receipt("1".into(), "javascript:alert(1)")).is_err());
    assert!(taken::<crate::delivery::Receipt>(receipt("1".repeat(300), "https://a.example")).is_err());
    let token = |kind: &str| json!({ "renewed": [{ "kind": kind, "value": "s" }] });
    assert!(taken::<Renewal>(token("session")).is_ok());
    assert!(taken::<Renewal>(token("other")).is_err(), "a kind that isn't declared");
    let elsewhere = json!({ "id": "a", "kind": "channel", "address": { "key": "b" } });
    assert!(taken::<Conversation>(elsewhere).is_err(), "the key of another conversation");
    let step = |url: &str| json!({ "steps": [{ "id": "a", "title": "b", "kind": "open_link", "url": url }] });
    assert!(taken::<Presentation>(step("https://a.example")).is_ok());
    assert!(taken::<Presentation>(step("javascript:alert(1)")).is_err());
}

#[test]
fn an_answer_to_the_platform_is_never_a_page_that_runs() {
    let answer = |kind: &str| json!({ "status": 200, "content_type": kind, "body": "<script>" });
    assert!(taken::<Response>(answer("application/json")).is_ok());
    assert!(taken::<Response>(answer("text/html")).is_err());
    assert!(taken::<Response>(json!({ "status": 200, "headers": { "set-cookie": "a=b" } })).is_err());
    assert!(taken::<Response>(json!({ "status": 200, "headers": { "retry-after": "a\nb" } })).is_err());
    assert!(taken::<Response>(json!({ "status": 101 })).is_err());
}

#[test]
fn happenings_come_back_as_they_were_told() {
    let ada = json!({ "id": "ada", "username": "ada", "display_name": "" });
    let here = json!({ "id": "loft", "address": { "key": "loft" }, "kind": "channel", "name": "", "display_name": "",
        "team": "" });
    let part = json!({ "id": "p1", "handle": null });
    let kinds = [
        json!({ "kind": "code_entered", "code": "K7QX", "account": ada, "place": { "kind": "posted", "conversation": here } }),
        json!({ "kind": "pressed", "token": "t", "choice": null, "account": ada, "conversation": "loft", "part": part }),
        json!({ "kind": "refresh_asked", "token": "t", "conversation": "loft", "part": part }),
        json!({ "kind": "commanded", "text": "who", "account": ada, "conversation": here }),
        json!({ "kind": "tokens_arrived", "tokens": [{ "kind": "session", "value": "s", "replace": "after_grace" }] }),
        json!({ "kind": "conversation_moved", "from": "old", "to": here }),
        json!({ "kind": "said_in_thread", "root": part, "text": "who", "account": ada, "conversation": here }),
        json!({ "kind": "replied", "part": part, "conversation": "loft", "account": ada, "text": "ok" }),
    ];
    for kind in kinds {
        let told = json!({ "id": "h1", "what": kind });
        let happening = taken::<Happening>(told.clone()).expect("a happening");
        assert_eq!(serde_json::to_value(Happening::from(&happening)).expect("JSON"), told);
    }
}

#[test]
fn the_published_schema_is_the_one_that_these_types_give() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/remote-backend.schema.json");
    let made = serde_json::to_string_pretty(&document()).expect("JSON") + "\n";
    if std::env::var_os("CHATPORT_WRITE_SCHEMA").is_some() {
        std::fs::write(path, &made).expect("the schema can be written");
    }
    let published = std::fs::read_to_string(path).unwrap_or_default();
    assert!(published == made, "docs/remote-backend.schema.json is out of date: CHATPORT_WRITE_SCHEMA=1 writes it");
}

#[test]
fn what_was_found_is_bounded_and_leads_to_streams() {
    let town = json!({ "id": "town", "address": { "key": "town" }, "kind": "channel" });
    let channel = json!({ "entry": "channel", "conversation": town, "posting": "member" });
    let ada = json!({ "entry": "person", "account": { "id": "u1", "username": "ada" } });
    let page = taken::<super::Page>(json!({ "entries": [channel, ada], "next": "2" })).expect("a page");
    assert_eq!((page.entries.len(), page.next.as_deref()), (2, Some("2")));
    let elsewhere = json!({ "id": "town", "address": { "key": "attic" }, "kind": "channel" });
    let refused = [
        json!({ "entries": [], "next": "" }),
        json!({ "entries": [], "next": "n".repeat(513) }),
        json!({ "entries": [], "next": "not plain" }),
        json!({ "entries": vec![ada.clone(); 501] }),
        json!({ "entries": [{ "entry": "channel", "conversation": elsewhere, "posting": "member" }] }),
        json!({ "entries": [{ "entry": "robot" }] }),
    ];
    for page in refused {
        assert!(taken::<super::Page>(page.clone()).is_err(), "{page}");
    }
}

#[test]
fn a_command_that_was_used_is_taken() {
    let town = json!({ "id": "town", "address": { "key": "town" }, "kind": "channel" });
    let what = json!({ "kind": "command_used", "name": "status", "text": "", "account": { "id": "u1" }, "conversation": town });
    let happening = taken::<super::Happening>(json!({ "id": "e1", "what": what })).expect("a happening");
    assert!(matches!(happening.kind, crate::happening::HappeningKind::CommandUsed { .. }), "{happening:?}");
}
