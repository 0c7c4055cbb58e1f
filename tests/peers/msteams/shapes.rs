//! Activities, cards, answers and the app package before Microsoft's models and schema.

use std::io::Read as _;

use chatport_tests::msteams::INCIDENTS;
use http::Method;
use serde_json::{Value, json};

use crate::World;

#[tokio::test(flavor = "multi_thread")]
async fn the_stand_ins_activities_are_what_the_sdk_reads() {
    let mut world = World::begin().await;
    let teams = world.teams.clone();
    teams.add_chat("War-Room", &["Ada", "Bob"]);
    let activities = [
        teams.says("Ada", "help"),
        teams.mentions("Ada", INCIDENTS, None, "help"),
        teams.mentions_in_chat("Ada", "War-Room", "help"),
        teams.installs("Ada", true),
        teams.installs_in_team("Ada", INCIDENTS.0, true),
        teams.deletes_channel("Ada", INCIDENTS.0, INCIDENTS.1),
    ];
    for activity in activities {
        let verdict = world.judge.judge("activity", &activity).await;
        assert!(verdict.accepts, "{}: {activity}", verdict.why);
    }
    assert!(!world.judge.judge("activity", &json!({ "type": "nothing" })).await.accepts, "it refuses something");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_app_package_is_valid_by_the_published_schema() {
    let mut world = World::begin().await;
    let client = world.chatport.client().anonymous();
    let package = client.bytes(Method::GET, &world.bot.package).await;
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(package)).expect("a zip");
    let mut file = |name: &str| {
        let mut content = Vec::new();
        archive.by_name(name).expect("a file").read_to_end(&mut content).expect("it can be read");
        content
    };
    let mut manifest: Value = serde_json::from_slice(&file("manifest.json")).expect("JSON");
    // A picture's size stands in its first chunk (PNG §11.2.2).
    let size = |png: &[u8]| {
        (u32::from_be_bytes(png[16..20].try_into().expect("4")), u32::from_be_bytes(png[20..24].try_into().expect("4")))
    };
    assert_eq!((size(&file("color.png")), size(&file("outline.png"))), ((192, 192), (32, 32)));

    let verdict = world.oracle.judge_manifest(&manifest).await;
    assert!(verdict.accepts, "{}", verdict.why);
    manifest["bots"][0]["scopes"] = json!(["everywhere"]);
    assert!(!world.oracle.judge_manifest(&manifest).await.accepts, "the schema refuses something");
}

#[tokio::test(flavor = "multi_thread")]
async fn models_refuse_what_they_should() {
    let mut world = World::begin().await;
    let wrong = [
        ("answer", json!({ "statusCode": 200, "type": "application/json", "value": "ok" })),
        ("card", json!({ "type": "AdaptiveCard", "version": "1.5", "body": [{ "type": "Nope" }] })),
        (
            "card",
            json!({ "type": "AdaptiveCard", "version": "1.5", "body": [{ "type": "TextBlock", "text": "x", "colour": "Good" }] }),
        ),
    ];
    for (what, value) in wrong {
        assert!(!world.judge.judge(what, &value).await.accepts, "{value}");
    }
}
