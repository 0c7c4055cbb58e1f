//! Setting up by a bot's token.

use chatport_sdk::{
    prelude::*,
    steps::{ShownValue, StepKind},
};
use serde_json::json;

use crate::{
    bench::{Bench, COMMAND, INGRESS, install},
    server::{ADMIN_TOKEN, ALICE_TOKEN, BOT, BOT_TOKEN, KEY, SITE, TEAM, answer},
};

fn field_names(steps: &[SetupStep]) -> Vec<String> {
    let fields = steps.iter().filter_map(|step| match &step.kind {
        StepKind::Fields { fields } => Some(fields),
        _ => None,
    });
    fields.flatten().map(|field| field.name.clone()).collect()
}

fn wrong_field(error: SetupError) -> String {
    match error {
        SetupError::Field { name, .. } => name,
        other => panic!("{other:?}"),
    }
}

fn command_field() -> String {
    format!("command_token_{TEAM}")
}

/// Up to the stage that asks for commands.
async fn at_commands() -> (Bench, Vec<SetupStep>) {
    let mut bench = Bench::new("bot");
    bench.begin().await.expect("steps");
    let steps = bench.submit(&[("bot_token", BOT_TOKEN)]).await.expect("steps");
    (bench, steps)
}

#[tokio::test]
async fn pasting_both_tokens_completes_setup() {
    let mut bench = Bench::new("bot");
    let steps = bench.begin().await.expect("steps");
    assert_eq!(field_names(&steps), ["bot_token"]);
    let steps = bench.submit(&[("bot_token", BOT_TOKEN)]).await.expect("steps");
    assert!(field_names(&steps).contains(&command_field()));
    assert!(bench.submit(&[(&command_field(), COMMAND)]).await.expect("done").is_empty());

    let identity = bench.identity.as_ref().expect("installed");
    assert_eq!((identity.server.as_str(), identity.account.as_str()), (SITE, BOT));
    assert_eq!(identity.details["signing_key"], KEY);
    assert_eq!(bench.site().token("bot_token").expect("a token").value.expose(), BOT_TOKEN);
    assert_eq!(bench.site().matches("command_token", COMMAND.as_bytes()).as_deref(), Some(TEAM));
    let health = install().probe(&bench.site()).await;
    assert!(health.can_post && health.can_receive && health.missing.is_empty(), "{health:?}");
}

#[tokio::test]
async fn the_steps_name_the_request_url_and_the_trigger_word() {
    let (_, steps) = at_commands().await;
    for wanted in [format!("{INGRESS}/slash"), "oncall".to_owned()] {
        assert!(
            steps.iter().any(|step| matches!(&step.kind,
            StepKind::CopyValue { value: ShownValue::Plain(value), .. } if *value == wanted)),
            "{wanted}"
        );
    }
}

#[tokio::test]
async fn only_the_token_of_a_working_bot_is_taken() {
    let mut bench = Bench::new("bot");
    bench.begin().await.expect("steps");
    bench.server.account("disabled", json!({"id": BOT, "username": "oncall", "is_bot": true, "delete_at": 5}));
    for token in [ALICE_TOKEN, ADMIN_TOKEN, "disabled", "unknown", "", "not\na token"] {
        let error = bench.submit(&[("bot_token", token)]).await.expect_err(token);
        assert_eq!(wrong_field(error), "bot_token", "{token}");
    }
    assert_eq!(bench.stage, "token");
}

#[tokio::test]
async fn the_bot_registers_the_commands_where_it_may() {
    let (mut bench, _) = at_commands().await;
    let id = "i11f6nnfgfyk8eg56x9omc6dpa";
    bench.server.on("POST /commands", 201, json!({"id": id, "token": COMMAND}));
    bench.submit(&[("register_commands", "true")]).await.expect("done");
    let asked = bench.server.asked("POST /commands").pop().expect("asked").body;
    assert_eq!((&asked["url"], &asked["trigger"]), (&json!(format!("{INGRESS}/slash")), &json!("oncall")));
    assert_eq!((&asked["team_id"], &asked["method"]), (&json!(TEAM), &json!("P")));
    assert!(bench.site().matches("command_token", COMMAND.as_bytes()).is_some());

    bench.server.on(&format!("DELETE /commands/{id}"), 200, json!({"status": "OK"}));
    install().remove(&bench.site()).await.expect("removed");
    assert_eq!(bench.server.asked(&format!("DELETE /commands/{id}")).len(), 1);
}

#[tokio::test]
async fn where_it_may_not_the_person_is_told_to_paste() {
    let (mut bench, _) = at_commands().await;
    bench.server.refuse("POST /commands", 403, "api.context.permissions.app_error");
    let steps = bench.submit(&[("register_commands", "true")]).await.expect("more steps");
    assert!(steps.iter().any(|step| step.text.contains("by hand") && step.text.contains("Awesome")));
    assert!(field_names(&steps).contains(&command_field()));
    bench.server.refuse("POST /commands", 400, "api.command.duplicate_trigger.app_error");
    let steps = bench.submit(&[("register_commands", "true")]).await.expect("more steps");
    assert!(steps.iter().any(|step| step.text.contains("already")));
    assert!(bench.identity.is_none());
}

#[tokio::test]
async fn a_command_that_was_registered_is_kept_though_the_next_one_fails() {
    let (mut bench, _) = at_commands().await;
    let other = json!({"id": "abcdefghijklmnopqrstuvwxyz", "name": "ops", "display_name": "Ops"});
    let team = json!({"id": TEAM, "name": "team-awesome", "display_name": "Awesome"});
    bench.server.on("GET /users/me/teams", 200, json!([team, other]));
    let made = json!({"id": "i11f6nnfgfyk8eg56x9omc6dpa", "token": COMMAND}).to_string();
    let refused = json!({"id": "api.context.permissions.app_error"}).to_string();
    bench.server.script("POST /commands", vec![answer(201, &[], made), answer(403, &[], refused)]);
    let steps = bench.submit(&[("register_commands", "true")]).await.expect("more steps");
    assert!(bench.site().matches("command_token", COMMAND.as_bytes()).is_some());
    assert!(!field_names(&steps).contains(&command_field()), "only the other team is asked for");
    bench.submit(&[]).await.expect("one command is enough");
    assert!(bench.identity.is_some());
}

#[tokio::test]
async fn finishing_without_any_command_must_be_said() {
    let (mut bench, _) = at_commands().await;
    assert_eq!(wrong_field(bench.submit(&[]).await.expect_err("no token")), command_field());
    assert_eq!(wrong_field(bench.submit(&[(&command_field(), "short")]).await.expect_err("no token")), command_field());
    bench.submit(&[("skip_commands", "true")]).await.expect("done");
    let health = install().probe(&bench.site()).await;
    assert!(health.can_post && !health.can_receive, "{health:?}");
    assert!(health.cure.is_some());
}

#[tokio::test]
async fn without_a_public_address_it_can_post_but_not_receive() {
    let mut bench = Bench::new("bot");
    bench.ingress = None;
    bench.begin().await.expect("steps");
    assert!(bench.submit(&[("bot_token", BOT_TOKEN)]).await.expect("done").is_empty());
    let health = install().probe(&bench.site()).await;
    assert!(health.can_post && !health.can_receive, "{health:?}");
    assert!(health.missing[0].contains("public address"));
}

#[tokio::test]
async fn a_server_that_signs_nothing_needs_an_explicit_yes() {
    let mut bench = Bench::new("bot");
    bench.server.on("GET /config/client", 200, json!({"SiteURL": SITE}));
    bench.begin().await.expect("steps");
    let steps = bench.submit(&[("bot_token", BOT_TOKEN)]).await.expect("steps");
    assert_eq!(field_names(&steps), ["accept_unsigned_presses"]);
    assert_eq!(wrong_field(bench.submit(&[]).await.expect_err("no yes")), "accept_unsigned_presses");
    bench.submit(&[("accept_unsigned_presses", "true")]).await.expect("steps");
    bench.submit(&[(&command_field(), COMMAND)]).await.expect("done");
    assert_eq!(bench.identity.expect("installed").details["unsigned_presses"], true);
}

#[tokio::test]
async fn another_address_of_the_server_is_mentioned() {
    let mut bench = Bench::new("bot");
    bench.server.on(
        "GET /config/client",
        200,
        json!({"AsymmetricSigningPublicKey": KEY, "SiteURL": "https://chat.example"}),
    );
    bench.begin().await.expect("steps");
    let steps = bench.submit(&[("bot_token", BOT_TOKEN)]).await.expect("steps");
    assert!(steps.iter().any(|step| step.text.contains("https://chat.example")));
}

#[tokio::test]
async fn a_new_key_is_never_pinned_silently() {
    let mut bench = Bench::with_bot();
    let other = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE";
    bench.server.on("GET /config/client", 200, json!({"AsymmetricSigningPublicKey": other, "SiteURL": SITE}));
    let health = install().probe(&bench.site()).await;
    assert!(!health.can_receive && health.missing[0].contains("another key"), "{health:?}");

    let steps = bench.reauthorize().await.expect("steps");
    assert_eq!(field_names(&steps), ["bot_token", "accept_new_signing_key"]);
    let error = bench.submit(&[("bot_token", BOT_TOKEN)]).await.expect_err("not accepted");
    assert_eq!(wrong_field(error), "accept_new_signing_key");
    bench.submit(&[("bot_token", BOT_TOKEN), ("accept_new_signing_key", "true")]).await.expect("done");
    assert_eq!(bench.identity.expect("installed").details["signing_key"], other);
}

#[tokio::test]
async fn reauthorizing_keeps_the_bot_and_its_commands() {
    let mut bench = Bench::with_bot();
    bench.reauthorize().await.expect("steps");
    let other = json!({"id": "abcdefghijklmnopqrstuvwxyz", "username": "other", "is_bot": true});
    bench.server.account("another-bots", other);
    assert_eq!(
        wrong_field(bench.submit(&[("bot_token", "another-bots")]).await.expect_err("another bot")),
        "bot_token"
    );
    bench.server.account("fresh", json!({"id": BOT, "username": "oncall", "is_bot": true}));
    assert!(bench.submit(&[("bot_token", "fresh")]).await.expect("done").is_empty());
    assert_eq!(bench.site().token("bot_token").expect("a token").value.expose(), "fresh");
    assert!(bench.site().matches("command_token", COMMAND.as_bytes()).is_some());
    assert_eq!(bench.identity.expect("installed").details["commands"], json!([{"team": TEAM}]));
}

#[tokio::test]
async fn a_command_that_is_gone_or_calls_elsewhere_shows_in_the_probe() {
    let mut bench = Bench::with_bot();
    let id = "commandcommandcommandcomma";
    let mut identity = bench.identity.clone().expect("installed");
    identity.details["commands"] = json!([{"team": TEAM, "id": id}]);
    bench.identity = Some(identity);
    let url = format!("{}/slash", bench.site().ingress_url().expect("an address"));
    let gone = json!({"id": "store.sql_command.get.missing.app_error", "message": "", "status_code": 404});
    for (status, answer, hears) in [
        (200, json!({"id": id, "url": url}), true),
        (200, json!({"id": id, "url": "https://old.example/slash"}), false),
        (404, gone, false),
        (500, json!({}), true),
    ] {
        bench.server.on(&format!("GET /commands/{id}"), status, answer);
        let health = install().probe(&bench.site()).await;
        assert_eq!((health.can_post, health.can_receive, health.cure.is_none()), (true, hears, hears), "{health:?}");
    }
}

#[tokio::test]
async fn a_refused_token_shows_in_the_probe() {
    let bench = Bench::with_bot();
    bench.server.account(BOT_TOKEN, json!({"id": "abcdefghijklmnopqrstuvwxyz", "is_bot": true}));
    let health = install().probe(&bench.site()).await;
    assert!(!health.can_post && health.cure.is_some(), "{health:?}");
}

#[tokio::test]
async fn settings_are_checked_before_anything_else() {
    for (settings, field) in [
        (json!({}), "site_url"),
        (json!({"site_url": "chat.example.com"}), "site_url"),
        (json!({"site_url": "https://user@chat.example.com"}), "site_url"),
        (json!({"site_url": SITE, "command": "On Call"}), "command"),
        (json!({"site_url": SITE, "mode": "webhook"}), "settings"),
        (json!({"site_url": SITE, "sitemap": 1}), "settings"),
    ] {
        let mut bench = Bench::new("bot");
        bench.settings = settings;
        assert_eq!(wrong_field(bench.begin().await.expect_err(field)), field);
        assert!(bench.server.seen().is_empty());
    }
}

#[tokio::test]
async fn fields_at_the_wrong_stage_change_nothing() {
    let mut bench = Bench::with_bot();
    bench.stage = "installed".into();
    assert!(matches!(bench.submit(&[("bot_token", BOT_TOKEN)]).await, Err(SetupError::WrongStage(_))));
    bench.stage = "commands".into();
    assert!(matches!(bench.submit(&[]).await, Err(SetupError::WrongStage(_))), "the notes are missing");
}
