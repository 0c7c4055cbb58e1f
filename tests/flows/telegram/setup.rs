//! Setting a bot up: every mistake on the way, new tokens, how it is, and taking it back.

use chatport_fake_telegram::{FakeTelegram, Options};
use chatport_tests::{
    eventually,
    organization::{Organization, text},
    telegram::{chatport_beside, connect},
};
use serde_json::{Value, json};

use crate::{World, with_button};

/// How the installation is, when somebody asks.
async fn probed(acme: &Organization, installation: &str) -> Value {
    let probed = acme.get(&format!("installations/{installation}?probe=true")).await.expect(200);
    probed["health"]["last_probe"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_is_set_up_by_what_the_botfather_wrote() {
    let server = FakeTelegram::start(Options::local()).await;
    let chatport = chatport_beside(&server, &[]).await;
    let acme = Organization::create(&chatport.client(), "acme").await;
    let token = server.add_bot("OnCall");
    let settings = json!({ "api_url": server.url(), "updates": "webhook" });
    let begun = acme.install("telegram", settings).await;
    let kinds: Vec<&str> =
        begun["steps"].as_array().expect("steps").iter().filter_map(|it| it["kind"].as_str()).collect();
    assert_eq!(kinds, ["open_link", "send_text", "fields"]);

    let installation = text(&begun, "id");
    for (pasted, words) in [
        ("Sorry, this username is already taken.", "has no token in it"),
        ("7000000001:AAFx1-Yz_nobody_has_this_token", "Telegram doesn't know this token"),
    ] {
        let refused = acme.submit(&installation, json!({ "bot_token": pasted })).await.expect(422);
        assert_eq!(refused["field"], "bot_token");
        assert!(text(&refused, "detail").contains(words), "{refused}");
    }
    let done = acme.submit(&installation, json!({ "bot_token": server.botfather_says(&token) })).await.expect(200);
    assert_eq!((&done["state"], &done["identity"]["display_name"]), (&json!("active"), &json!("OnCall")));
    assert!(!done.to_string().contains(&token), "what was submitted is never given back");
    let webhook = server.webhook(&token).expect("a webhook");
    assert!(webhook.url.starts_with(&format!("{}/in/telegram/", chatport.url)), "{}", webhook.url);
    assert_eq!(webhook.allowed, ["message", "channel_post", "callback_query", "my_chat_member"]);
    assert!(webhook.secret.is_some_and(|secret| secret.len() >= 32));
    let health = probed(&acme, &installation).await;
    assert_eq!((&health["can_post"], &health["can_receive"]), (&json!(true), &json!(true)), "{health}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_telegram_cannot_call_is_polled_for_and_refused_as_a_webhook() {
    let server = FakeTelegram::start(Options::default()).await;
    let chatport = chatport_beside(&server, &[]).await;
    let acme = Organization::create(&chatport.client(), "acme").await;
    let token = server.add_bot("OnCall");
    let begun = acme.install("telegram", json!({ "api_url": server.url(), "updates": "webhook" })).await;
    let refused = acme.submit(&text(&begun, "id"), json!({ "bot_token": token })).await;
    assert!(refused.status.is_client_error(), "{}", refused.text);
    assert!(refused.text.contains("With `updates` set to `polling` it needs none"), "{}", refused.text);
    assert_eq!(server.webhook(&token), None);

    let begun = acme.install("telegram", json!({ "api_url": server.url() })).await;
    let done = acme.submit(&text(&begun, "id"), json!({ "bot_token": token })).await.expect(200);
    assert_eq!(done["state"], "active");
    let health = probed(&acme, &text(&begun, "id")).await;
    assert_eq!((&health["can_receive"], &health["missing"]), (&json!(true), &json!([])), "{health}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_suspends_and_a_new_one_of_the_same_bot_lets_everything_go_on() {
    let world = World::begin("webhook").await;
    let token = world.server.revoke(&world.bot.token);
    let message = json!({ "revision": 1, "targets": [{ "default": true }], "content": with_button("Disk full") });
    world.acme.say("m", message).await;
    let suspended = world.acme.becomes(&world.bot.installation, "suspended").await;
    assert_eq!(suspended["problem"]["code"], "installation_revoked");
    world.acme.post(&format!("installations/{}/reauthorize", world.bot.installation), json!({})).await.expect(200);
    let stranger = world.server.add_bot("Stranger");
    let refused = world.acme.submit(&world.bot.installation, json!({ "bot_token": stranger })).await.expect(422);
    assert!(text(&refused, "detail").contains("another bot's"), "{refused}");
    let done = world.acme.submit(&world.bot.installation, json!({ "bot_token": token })).await.expect(200);
    assert_eq!(done["state"], "active");
    world.acme.delivered("m").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_tells_when_telegram_calls_another_address_and_removing_leaves_that_alone() {
    let server = FakeTelegram::start(Options::local()).await;
    let chatport = chatport_beside(&server, &[]).await;
    let acme = Organization::create(&chatport.client(), "acme").await;
    let first = connect(&acme, &server, "webhook").await;
    // The same bot is set up a second time.
    let begun = acme.install("telegram", json!({ "api_url": server.url(), "updates": "webhook" })).await;
    acme.submit(&text(&begun, "id"), json!({ "bot_token": first.token })).await.expect(200);
    let health = probed(&acme, &first.installation).await;
    assert_eq!((&health["can_post"], &health["can_receive"]), (&json!(true), &json!(false)), "{health}");
    assert!(text(&health, "cure").starts_with("Reauthorize"), "{health}");

    acme.delete(&format!("installations/{}", first.installation)).await.expect(204);
    assert!(server.webhook(&first.token).is_some(), "it is the second one's");
    acme.delete(&format!("installations/{}", text(&begun, "id"))).await.expect(204);
    assert_eq!(server.webhook(&first.token), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_address_that_comes_later_is_used_once_the_bot_is_reauthorized() {
    let mut world = World::begin("auto").await;
    let (acme, server, token) = (&world.acme, &world.server, &world.bot.token);
    assert_eq!(server.webhook(token), None, "nobody could call this host");
    assert!(world.chatport.stop().await);
    world.chatport.restart_with("--public-url=https://chatport.invalid".into()).await;
    // It goes on as it was arranged, and says what would be better.
    let health = probed(acme, &world.bot.installation).await;
    assert!(health["missing"].to_string().contains("has changed since setup"), "{health}");
    server.tell_bot("Ada", token, "hello");
    world.bot.says(world.bot.private("Ada"), "To link yourself, ask OnCall for a code").await;
    eventually("Telegram to know that it was heard", || async { (server.pending(token) == 0).then_some(()) }).await;

    acme.post(&format!("installations/{}/reauthorize", world.bot.installation), json!({})).await.expect(200);
    acme.submit(&world.bot.installation, json!({ "bot_token": token })).await.expect(200);
    // Whoever was asking stops, and takes nothing away.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let webhook = server.webhook(token).expect("a webhook");
    assert!(webhook.url.starts_with("https://chatport.invalid/in/telegram/"), "{}", webhook.url);
    let health = probed(acme, &world.bot.installation).await;
    assert_eq!((&health["can_receive"], &health["missing"]), (&json!(true), &json!([])), "{health}");
}
