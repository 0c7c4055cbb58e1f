//! The same tokens before three validators: ours, and Microsoft's older and newer one.

use chatport_fake_msteams::FakeTeams;
use serde_json::{Value, json};

use crate::World;

/// Who accepts: ours, the older one, the newer one.
type Expected = (bool, bool, bool);

const ALL: Expected = (true, true, true);
const NONE: Expected = (false, false, false);

/// A token and what it comes with.
struct Case {
    name: &'static str,
    claims: Value,
    header: Value,
    by_rogue: bool,
    activity: Value,
    expected: Expected,
}

/// Where the three differ, the reason stands beside the case.
fn cases(teams: &FakeTeams) -> Vec<Case> {
    let (claims, activity) = (teams.claims(), teams.says("Ada", "help"));
    let now = claims["nbf"].as_i64().expect("a time") + 5;
    let case = |name, changes: Value, expected| {
        let mut claims = claims.clone();
        for (name, value) in changes.as_object().expect("changes") {
            match value {
                Value::Null => drop(claims.as_object_mut().expect("claims").remove(name)),
                value => claims[name] = value.clone(),
            }
        }
        Case { name, claims, header: Value::Null, by_rogue: false, activity: activity.clone(), expected }
    };
    let with_activity = |name, member: &str, value: Value, expected| {
        let mut case = case(name, json!({}), expected);
        case.activity[member] = value;
        case
    };
    let app_id = teams.options().app_id;
    let service_url = teams.service_url();
    let upper = service_url.replace("emea", "EMEA");
    let without_slash = service_url.trim_end_matches('/').to_owned();
    let mut rogue = case("signed by another key of the same name", json!({}), NONE);
    rogue.by_rogue = true;
    let mut unknown = case("signed by a key that isn't published", json!({}), NONE);
    unknown.header = json!({ "kid": "another" });
    vec![
        case("genuine", json!({}), ALL),
        case("for another bot", json!({ "aud": "00000000-0000-4000-8000-000000000001" }), NONE),
        // The newer one takes two more names of an app. The connector uses neither for bots.
        case(
            "for the app by another of its names",
            json!({ "aud": format!("api://botid-{app_id}") }),
            (false, false, true),
        ),
        case("by another issuer", json!({ "iss": "https://evil.example" }), NONE),
        case("run out four minutes ago", json!({ "exp": now - 240 }), ALL),
        case("run out an hour ago", json!({ "exp": now - 3_600 }), NONE),
        case("good from in an hour on", json!({ "nbf": now + 3_600 }), NONE),
        // A token that is good for ever: only ours insists on an end.
        case("without an end", json!({ "exp": null }), (false, true, true)),
        case("without a service", json!({ "serviceurl": null }), NONE),
        case("for another service", json!({ "serviceurl": "https://evil.example/" }), NONE),
        // As in the newer one: real calls have been seen to differ in this.
        with_activity(
            "the activity's service without a slash",
            "serviceUrl",
            json!(without_slash),
            (true, false, true),
        ),
        with_activity("the activity's service in capitals", "serviceUrl", json!(upper), NONE),
        // The newer one doesn't look at endorsements.
        with_activity("in a channel that the key may not sign for", "channelId", json!("slack"), (false, false, true)),
        // Neither of Microsoft's minds an activity that names no channel.
        with_activity("without a channel", "channelId", Value::Null, (false, true, true)),
        rogue,
        unknown,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_tokens_are_judged_as_microsofts_validators_do() {
    let mut world = World::begin().await;
    let mut differing = Vec::new();
    for case in cases(&world.teams) {
        let token = world.oracle.mint(&case.claims, &case.header, case.by_rogue).await;
        let authorization = format!("Bearer {token}");
        let ours = world.teams.deliver_with(&world.bot.endpoint, &authorization, &case.activity).await;
        assert!([200, 401].contains(&ours.status), "{}: {} {}", case.name, ours.status, ours.text);
        let older = world.oracle.judge(&authorization, &case.activity).await;
        let asked = json!({ "token": token, "service_url": case.activity["serviceUrl"] });
        let newer = world.judge.judge("token", &asked).await;
        let seen = (ours.status == 200, older.accepts, newer.accepts);
        if seen != case.expected {
            differing.push(format!("{}: {seen:?}, not {:?}; {} | {}", case.name, case.expected, older.why, newer.why));
        }
    }
    assert!(differing.is_empty(), "{differing:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_isnt_a_token_of_this_form_is_refused_by_all() {
    let mut world = World::begin().await;
    let activity = world.teams.says("Ada", "help");
    let genuine = world.oracle.mint(&world.teams.claims(), &Value::Null, false).await;
    let segments: Vec<&str> = genuine.split('.').collect();
    let [_, payload, signature] = segments[..] else { panic!("{genuine}") };
    // {"alg":"none","typ":"JWT"}
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{payload}.");
    let tampered = format!("{}.{}.{signature}", segments[0], payload.to_lowercase());
    let whole = [
        format!("bearer {genuine}"),
        format!("Token {genuine}"),
        format!("Bearer {unsigned}"),
        format!("Bearer {tampered}"),
        format!("Bearer {genuine}x"),
        "Bearer a.b.c".to_owned(),
    ];
    for authorization in whole {
        let ours = world.teams.deliver_with(&world.bot.endpoint, &authorization, &activity).await;
        assert_eq!(ours.status, 401, "{authorization}");
        let older = world.oracle.judge(&authorization, &activity).await;
        assert!(!older.accepts, "the older validator accepts {authorization}");
        // The newer one is given the token alone: schemes are its server's matter.
        if let Some(token) = authorization.strip_prefix("Bearer ") {
            let asked = json!({ "token": token, "service_url": activity["serviceUrl"] });
            assert!(!world.judge.judge("token", &asked).await.accepts, "the newer validator accepts {token}");
        }
    }
}
