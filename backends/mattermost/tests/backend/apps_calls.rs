//! The plugin's calls to an installed app.

use chatport_sdk::prelude::*;
use http::StatusCode;
use serde_json::json;

use crate::{
    bench::{Bench, COMMAND, NOW, at_once, body, happening, post, refusal},
    server::{ADMIN, ADMIN_TOKEN, ALICE, ALICE_TOKEN, BOT, CHANNEL},
    vectors::{body_of, call, jwt, signed, vector, with_body},
};

#[tokio::test]
async fn every_jwt_vector_has_its_verdict() {
    let vectors = vector!("jwt/jwt_vectors");
    let bench = Bench::with_app();
    let ping = vector!("apps/ping_request")["body_raw"].as_str().expect("a body").to_owned();
    for vector in vectors["vectors"].as_array().expect("vectors") {
        let (name, token) = (vector["name"].as_str().expect("a name"), vector["token"].as_str().expect("a token"));
        let request = post("/ping", &[("mattermost-app-authorization", &format!("Bearer {token}"))], ping.clone());
        // One second late is within the minute that clocks may be apart.
        if name.starts_with("valid_") || name == "expired_1s" {
            assert_eq!(body(&at_once(bench.receive(&request).await)), json!({"type": "ok"}), "{name}");
            continue;
        }
        let (_, response) = refusal(bench.receive(&request).await);
        let (_, at_decoy) = refusal(Bench::decoy().receive(&request).await);
        for response in [response, at_decoy] {
            assert_eq!(response.status, StatusCode::UNAUTHORIZED, "{name}");
            assert_eq!(response.body, "unauthorized", "{name}");
            assert!(response.headers.is_empty(), "{name}");
        }
    }
}

#[tokio::test]
async fn bindings_are_the_same_for_everybody_and_ask_nobody() {
    let bench = Bench::with_app();
    let mut answers = Vec::new();
    for vector in [vector!("apps/bindings_request"), vector!("apps/bindings_request_no_expand")] {
        answers.push(at_once(bench.receive(&call(&vector)).await).body);
    }
    assert_eq!(answers[0], answers[1]);
    assert!(bench.server.seen().is_empty());
}

#[tokio::test]
async fn bindings_keep_to_the_plugins_rules() {
    let bench = Bench::with_app();
    let answer = body(&at_once(bench.receive(&call(&vector!("apps/bindings_request"))).await));
    let containers = answer["data"].as_array().expect("a list");
    assert_eq!(containers[0]["location"], "/command");
    let command = &containers[0]["bindings"][0];
    assert_eq!(command["label"], "oncall");
    for binding in command["bindings"].as_array().expect("sub-commands") {
        let kinds = ["submit", "form", "bindings"].into_iter().filter(|kind| binding.get(kind).is_some()).count();
        assert_eq!(kinds, 1, "{binding}");
        assert!(!binding["label"].as_str().expect("a label").contains(' '));
    }
    for (index, submit) in [(0, "/form/submit"), (1, "/submit")] {
        let expand = &command["bindings"][index].pointer(submit).expect("a call")["expand"];
        assert_eq!(expand["acting_user_access_token"], "+all");
    }
}

#[tokio::test]
async fn a_code_is_entered_by_the_person_whose_token_says_so() {
    let bench = Bench::with_app();
    let happening = happening(bench.receive(&call(&vector!("apps/command_link_submit"))).await);
    let HappeningKind::CodeEntered { code, account, place } = &happening.kind else { panic!("{happening:?}") };
    assert_eq!(code.expose(), "K7QX-2M4P");
    let mut alice = Account::new(ALICE);
    (alice.username, alice.display_name) = ("alice".into(), "Alice Ng".into());
    assert_eq!(*account, alice);
    let Place::Command { conversation: Some(conversation) } = place else { panic!("{place:?}") };
    assert_eq!((conversation.id.as_str(), conversation.name.as_str()), (CHANNEL, "incidents"));
    assert_eq!((conversation.kind, conversation.team.as_str()), (ConversationKind::Channel, "Awesome"));
    let asked_as_alice = bench.server.asked(&format!("GET /channels/{CHANNEL}/members/{ALICE}"));
    assert_eq!(asked_as_alice[0].token.as_deref(), Some(ALICE_TOKEN));
}

#[tokio::test]
async fn two_calls_within_one_second_are_told_apart_and_a_repetition_is_not() {
    let bench = Bench::with_app();
    let body = body_of(&call(&vector!("apps/command_link_submit")));
    let mut other = body.clone();
    other["values"]["code"] = "AAAA-BBBB".into();
    let mut ids = Vec::new();
    for body in [&body, &other, &body] {
        ids.push(happening(bench.receive(&signed("/command/link", Some(ALICE), body)).await).id);
    }
    assert_ne!(ids[0], ids[1]);
    assert_eq!(ids[0], ids[2]);
}

#[tokio::test]
async fn calls_that_do_not_prove_the_person_are_refused() {
    let bench = Bench::with_app();
    for (vector, reason) in [
        (vector!("apps/command_link_unauthorised_jwt_user_mismatch"), "acting-user-mismatch"),
        (vector!("apps/command_link_unauthorised_no_acting_user"), "acting-user-mismatch"),
        (vector!("apps/on_uninstall_request"), "no-user-token"),
        (vector!("apps/form_source_request"), "no-route"),
        (vector!("apps/lookup_request"), "no-route"),
        (vector!("apps/notify_bot_joined_channel"), "no-route"),
        (vector!("apps/button_click_app_binding"), "no-route"),
    ] {
        let (refused, response) = refusal(bench.receive(&call(&vector)).await);
        assert_eq!(refused, reason);
        assert_eq!(response.status, StatusCode::OK);
        assert_eq!(body(&response)["type"], "error");
    }
    assert!(bench.server.seen().is_empty());
}

#[tokio::test]
async fn nobody_is_linked_before_the_app_is_installed() {
    let bench = Bench::awaiting_app();
    assert_eq!(refusal(bench.receive(&call(&vector!("apps/command_link_submit"))).await).0, "not-installed");
}

#[tokio::test]
async fn somebody_elses_token_links_nobody() {
    let bench = Bench::with_app();
    let request = with_body(&call(&vector!("apps/command_link_submit")), |body| {
        body["context"]["acting_user_access_token"] = ADMIN_TOKEN.into();
    });
    assert_eq!(refusal(bench.receive(&request).await).0, "token-of-another-user");
}

#[tokio::test]
async fn a_channel_counts_only_if_the_server_says_that_both_are_in_it() {
    let link = call(&vector!("apps/command_link_submit"));
    let place_with = async |bench: &Bench| {
        let happening = happening(bench.receive(&link).await);
        let HappeningKind::CodeEntered { place: Place::Command { conversation }, .. } = happening.kind else {
            panic!("no code")
        };
        conversation
    };
    let no_member = Bench::with_app();
    no_member.server.refuse(
        &format!("GET /channels/{CHANNEL}/members/{ALICE}"),
        404,
        "app.channel.get_member.missing.app_error",
    );
    assert_eq!(place_with(&no_member).await, None);

    let no_bot = Bench::with_app();
    no_bot.server.refuse(&format!("GET /channels/{CHANNEL}/members/{BOT}"), 403, "api.context.permissions.app_error");
    assert_eq!(place_with(&no_bot).await, None);
    no_bot.server.channel("O");
    no_bot.server.on(&format!("POST /channels/{CHANNEL}/members"), 201, json!({}));
    assert!(place_with(&no_bot).await.is_some(), "a public channel is joined");

    let archived = Bench::with_app();
    archived.server.on(&format!("GET /channels/{CHANNEL}"), 200, json!({"id": CHANNEL, "type": "P", "delete_at": 5}));
    assert_eq!(place_with(&archived).await, None);
}

#[tokio::test]
async fn unlinking_is_confirmed_like_linking() {
    let bench = Bench::with_app();
    let mut request = crate::vectors::body_of(&call(&vector!("apps/command_link_submit")));
    request["path"] = "/command/unlink".into();
    let happening = happening(bench.receive(&signed("/command/unlink", Some(ALICE), &request)).await);
    assert!(matches!(&happening.kind, HappeningKind::UnlinkAsked { account } if account.id == ALICE));
    request["context"]["acting_user_access_token"] = ADMIN_TOKEN.into();
    assert_eq!(
        refusal(bench.receive(&signed("/command/unlink", Some(ALICE), &request)).await).0,
        "token-of-another-user"
    );
}

#[tokio::test]
async fn only_an_administrator_uninstalls() {
    let bench = Bench::with_app();
    let uninstall = |user: &str, token: &str| {
        let mut body = crate::vectors::body_of(&call(&vector!("apps/on_uninstall_request")));
        body["context"]["acting_user"]["id"] = user.into();
        body["context"]["acting_user_access_token"] = token.into();
        signed("/uninstall", Some(user), &body)
    };
    assert_eq!(refusal(bench.receive(&uninstall(ALICE, ALICE_TOKEN)).await).0, "not-system-admin");
    let happening = happening(bench.receive(&uninstall(ADMIN, ADMIN_TOKEN)).await);
    assert!(matches!(&happening.kind, HappeningKind::Uninstalled { by: Some(by) } if by.id == ADMIN));
    assert_eq!(
        body(&bench.answer(&happening, Outcome::Unavailable).await)["type"],
        "ok",
        "nothing keeps the app installed"
    );
}

#[tokio::test]
async fn help_needs_no_person() {
    let bench = Bench::with_app();
    let response = at_once(bench.receive(&signed("/command/help", None, &json!({"path": "/command/help"}))).await);
    assert!(body(&response)["text"].as_str().expect("a text").contains("/oncall link CODE"));
}

#[tokio::test]
async fn refusals_of_codes_are_told_in_the_plugins_form() {
    let bench = Bench::with_app();
    let happening = happening(bench.receive(&call(&vector!("apps/command_link_submit"))).await);
    for (outcome, kind) in [
        (Outcome::Linked { purpose: Purpose::User, name: "Alice".into() }, "ok"),
        (Outcome::CodeRefused(CodeRefusal::NotValid), "error"),
        (Outcome::CodeRefused(CodeRefusal::AlreadyLinked), "error"),
        (Outcome::Unavailable, "error"),
        (Outcome::Duplicate { same_content: false, first: None }, "error"),
    ] {
        let response = bench.answer(&happening, outcome).await;
        assert_eq!(response.status, StatusCode::OK);
        assert_eq!(body(&response)["type"], kind);
        assert!(!body(&response)["text"].as_str().expect("a text").is_empty());
    }
}

#[tokio::test]
async fn a_duplicate_is_answered_like_the_first_time() {
    let bench = Bench::with_app();
    let happening = happening(bench.receive(&call(&vector!("apps/command_link_submit"))).await);
    let linked = || Outcome::Linked { purpose: Purpose::User, name: "Alice".into() };
    let first = bench.answer(&happening, linked()).await;
    let again = Outcome::Duplicate { same_content: true, first: Some(Box::new(linked())) };
    assert_eq!(bench.answer(&happening, again).await.body, first.body);
}

#[tokio::test]
async fn the_command_token_opens_no_call_of_the_plugin() {
    let bench = Bench::with_bot();
    let request = post("/install", &[("authorization", &format!("Token {COMMAND}"))], "{}");
    assert_eq!(refusal(bench.receive(&request).await).1.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_oversized_call_is_refused_before_its_jwt_is_looked_at() {
    let bench = Bench::with_app();
    let token = format!("Bearer {}", jwt(NOW + 900, None));
    let request = post("/ping", &[("mattermost-app-authorization", &token)], vec![b' '; 64 * 1024 + 1]);
    let (reason, response) = refusal(bench.receive(&request).await);
    assert_eq!(reason, "body-too-long");
    assert_eq!(refusal(Bench::decoy().receive(&request).await).1.body, response.body);
}
