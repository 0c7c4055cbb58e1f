//! The slash command of bot mode.

use chatport_sdk::prelude::*;
use http::StatusCode;
use serde_json::json;
use url::form_urlencoded;

use crate::{
    actions::{Signer, bench_of},
    bench::{Bench, COMMAND, NOW, at_once, body, happening, post, refusal},
    server::{ALICE, BOT, CHANNEL, TEAM},
    vectors::vector,
};

fn recorded() -> Request {
    let vector = vector!("slash/custom_slash_command_request");
    let token = vector["request"]["headers"]["Authorization"].as_str().expect("a token").to_owned();
    post("/slash", &[("authorization", &token)], vector["body_raw"].as_str().expect("a body").to_owned())
}

/// A form with some fields changed; an empty value takes a field out.
fn form(text: &str, trigger: &str, changes: &[(&str, &str)]) -> String {
    let mut fields = vec![
        ("channel_id", CHANNEL),
        ("channel_name", "incidents"),
        ("command", "/oncall"),
        ("team_domain", "team-awesome"),
        ("team_id", TEAM),
        ("text", text),
        ("token", COMMAND),
        ("trigger_id", trigger),
        ("user_id", ALICE),
        ("user_name", "alice"),
    ];
    for (name, value) in changes {
        fields.retain(|(field, _)| field != name);
        fields.push((name, value));
    }
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields.iter().filter(|(_, value)| !value.is_empty()))
        .finish()
}

async fn run(bench: &Bench, signer: &Signer, text: &str) -> Received {
    let trigger = signer.trigger("once", ALICE, NOW * 1_000);
    bench.receive(&post("/slash", &[], form(text, &trigger, &[]))).await
}

#[tokio::test]
async fn the_recorded_command_enters_a_code() {
    let bench = Bench::with_bot();
    let happening = happening(bench.receive(&recorded()).await);
    assert_eq!(happening.id, "trigger:efy4f4w4xbbq8rehx1zdhz3nry");
    let HappeningKind::CodeEntered { code, account, place } = &happening.kind else { panic!("{happening:?}") };
    assert_eq!((code.expose(), account.id.as_str()), ("K7QX-2M4P", ALICE));
    let Place::Command { conversation: Some(conversation) } = place else { panic!("{place:?}") };
    assert_eq!((conversation.id.as_str(), conversation.display_name.as_str()), (CHANNEL, "Incidents"));
    let said = bench.answer(&happening, Outcome::Linked { purpose: Purpose::Channel, name: "Incidents".into() }).await;
    assert_eq!(said.status, StatusCode::OK);
    assert_eq!(body(&said)["response_type"], "ephemeral");
    assert!(body(&said)["text"].as_str().expect("a text").contains("Incidents"));
}

#[tokio::test]
async fn the_token_alone_opens_nothing() {
    let signer = Signer::new();
    let bench = bench_of(&signer);
    let trigger = signer.trigger("once", ALICE, NOW * 1_000);
    for (changes, reason) in [
        (vec![("token", "wrong")], "command-token"),
        (vec![("token", "")], "command-token"),
        (vec![("trigger_id", "")], "trigger-form"),
        (vec![("user_id", BOT)], "trigger-user-mismatch"),
        (vec![("team_id", "abcdefghijklmnopqrstuvwxyz")], "command-token-of-another-team"),
        (vec![("channel_id", "../../users/me")], "body-form"),
    ] {
        let request = post("/slash", &[], form("link K7QX-2M4P-9ZRT", &trigger, &changes));
        let (refused, response) = refusal(bench.receive(&request).await);
        assert_eq!((refused, response.status), (reason, StatusCode::OK));
        assert_eq!(
            refusal(Bench::decoy().receive(&request).await).1.body,
            response.body,
            "like a slot that doesn't exist"
        );
    }
    assert!(bench.server.seen().is_empty());
}

#[tokio::test]
async fn a_token_in_the_header_goes_before_the_field() {
    let signer = Signer::new();
    let bench = bench_of(&signer);
    let trigger = signer.trigger("once", ALICE, NOW * 1_000);
    let body = form("unlink", &trigger, &[]);
    assert_eq!(
        refusal(bench.receive(&post("/slash", &[("authorization", "Token wrong")], body.clone())).await).0,
        "command-token"
    );
    let elsewhere = post("/slash", &[("authorization", "Bearer of-the-servers-own-connection")], body);
    assert!(matches!(happening(bench.receive(&elsewhere).await).kind, HappeningKind::UnlinkAsked { .. }));
}

#[tokio::test]
async fn a_field_given_twice_is_refused() {
    let signer = Signer::new();
    let trigger = signer.trigger("once", ALICE, NOW * 1_000);
    let twice = format!("{}&user_id={BOT}", form("unlink", &trigger, &[]));
    assert_eq!(refusal(bench_of(&signer).receive(&post("/slash", &[], twice)).await).0, "body-form");
}

#[tokio::test]
async fn help_is_given_at_once() {
    let signer = Signer::new();
    let bench = bench_of(&signer);
    for text in ["", "help", "  HELP ", "link", "link   "] {
        let said = body(&at_once(run(&bench, &signer, text).await));
        assert_eq!(said["response_type"], "ephemeral", "{text}");
        assert!(said["text"].as_str().expect("a text").contains("/oncall unlink"), "{text}");
    }
}

#[tokio::test]
async fn other_words_reach_the_application_and_help_the_person() {
    let signer = Signer::new();
    let bench = bench_of(&signer);
    let happening = happening(run(&bench, &signer, "who is on call").await);
    let HappeningKind::Commanded { text, account, conversation } = &happening.kind else { panic!("{happening:?}") };
    assert_eq!((text.as_str(), account.id.as_str(), conversation.id.as_str()), ("who is on call", ALICE, CHANNEL));
    let said = body(&bench.answer(&happening, Outcome::Recorded).await);
    assert!(said["text"].as_str().expect("a text").contains("/oncall link CODE"));
    let said = body(&bench.answer(&happening, Outcome::Pressed(PressAnswer::notice(Some("Bob is.".into())))).await);
    assert_eq!(said["text"], "Bob is.");
}

#[tokio::test]
async fn a_code_in_a_channel_without_the_bot_has_no_place() {
    let signer = Signer::new();
    let bench = bench_of(&signer);
    bench.server.refuse(&format!("GET /channels/{CHANNEL}/members/{BOT}"), 403, "api.context.permissions.app_error");
    let happening = happening(run(&bench, &signer, "link K7QX-2M4P-9ZRT").await);
    let HappeningKind::CodeEntered { place: Place::Command { conversation }, .. } = &happening.kind else { panic!() };
    assert_eq!(*conversation, None);
    let said = body(&bench.answer(&happening, Outcome::CodeRefused(CodeRefusal::NeedsChannel)).await);
    assert!(said["text"].as_str().expect("a text").contains("invite the bot"));
}

#[tokio::test]
async fn a_public_channel_is_offered_before_the_bot_is_in_it_and_nothing_is_changed() {
    let signer = Signer::new();
    let place_of = async |in_team: u16| {
        let bench = bench_of(&signer);
        bench.server.channel("O");
        let denied = "api.context.permissions.app_error";
        bench.server.refuse(&format!("GET /channels/{CHANNEL}/members/{BOT}"), 403, denied);
        bench.server.on(
            &format!("GET /teams/{TEAM}/members/{ALICE}"),
            in_team,
            json!({"user_id": ALICE, "id": denied}),
        );
        let happening = happening(run(&bench, &signer, "link junk").await);
        assert!(bench.server.seen().iter().all(|seen| seen.route.starts_with("GET ")), "{:?}", bench.server.seen());
        match happening.kind {
            HappeningKind::CodeEntered { place: Place::Command { conversation }, .. } => conversation.map(|c| c.id),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(place_of(200).await.as_deref(), Some(CHANNEL));
    assert_eq!(place_of(403).await, None, "not somebody of the channel's team");
}

#[tokio::test]
async fn a_code_alone_is_entered_and_not_passed_on() {
    let signer = Signer::new();
    let happening = happening(run(&bench_of(&signer), &signer, "K7QX-2M4P-9ZRT").await);
    assert!(matches!(happening.kind, HappeningKind::CodeEntered { code, .. } if code.expose() == "K7QX-2M4P-9ZRT"));
}

#[tokio::test]
async fn a_direct_conversation_is_told_from_a_channel() {
    let signer = Signer::new();
    let bench = bench_of(&signer);
    bench.server.channel("D");
    let happening = happening(run(&bench, &signer, "link K7QX-2M4P-9ZRT").await);
    let HappeningKind::CodeEntered { place: Place::Command { conversation: Some(place) }, .. } = &happening.kind else {
        panic!("{happening:?}")
    };
    assert_eq!(place.kind, ConversationKind::Direct);
}

#[tokio::test]
async fn a_server_that_is_down_links_the_person_all_the_same() {
    let signer = Signer::new();
    let bench = bench_of(&signer);
    bench.server.script(&format!("GET /channels/{CHANNEL}/members/{BOT}"), vec![crate::server::Reply::Down]);
    bench.server.script(&format!("GET /channels/{CHANNEL}"), vec![crate::server::Reply::Down]);
    let happening = happening(run(&bench, &signer, "link K7QX-2M4P-9ZRT").await);
    assert!(matches!(happening.kind, HappeningKind::CodeEntered { place: Place::Command { conversation: None }, .. }));
}

#[tokio::test]
async fn an_oversized_form_is_refused() {
    let bench = Bench::with_bot();
    assert_eq!(refusal(bench.receive(&post("/slash", &[], "a=".repeat(9_000))).await).0, "body-too-long");
}

#[test]
fn the_code_is_shown_as_a_command() {
    let bench = Bench::with_bot();
    let verification = chatport_mattermost::MattermostBackend;
    let verification = verification.verification().expect("verification");
    for purpose in verification.purposes() {
        let shown = verification.present(&bench.site(), *purpose, &Secret::new("K7QX-2M4P-9ZRT"));
        assert_eq!(
            shown.steps[0].to_json(true)["command"],
            json!({"value": "/oncall link K7QX-2M4P-9ZRT", "secret": true})
        );
        assert_eq!(shown.steps[0].to_json(false)["command"]["value"], json!(null));
    }
}
