//! Linking people and channels by codes in the slash command.

use chatport_fake_mattermost::{FakeMattermost, Options};
use chatport_tests::{
    application::Application,
    database::execute,
    mattermost::{BOT, chatport_beside, connect_bot},
    organization::{Organization, text},
};
use serde_json::{Value, json};

use crate::render;

#[tokio::test(flavor = "multi_thread")]
async fn a_person_and_a_channel_are_linked_by_codes_in_the_slash_command() {
    let server = FakeMattermost::start(Options::default()).await;
    let chatport = chatport_beside(&server, &[]).await;
    let application = Application::subscribed(&chatport.client()).await;
    let acme = Organization::create(&chatport.client(), "acme").await;
    let bot = connect_bot(&acme, &server).await;
    let enter = |person: &'static str, channel: &'static str, code: &Value| {
        let (server, typed) = (server.clone(), format!("/oncall link {}", text(code, "code")));
        async move { server.slash(person, channel, &typed).await.text }
    };

    // The code's steps say what to type; both sides are told.
    let code = acme.user_code(&bot.installation, "u-alice").await;
    let typed = render(&code["steps"]);
    assert!(typed.iter().any(|line| line.contains(&format!("/oncall link {}", text(&code, "code")))), "{typed:?}");
    assert_eq!(enter("alice", "town-square", &code).await, "You are linked to user **u-alice** of OnCall.");
    let link = application.hears("account.linked", 0).await["data"]["link"].clone();
    assert_eq!(
        (&link["user"], &link["account"]["id"], &link["account"]["username"]),
        (&json!("u-alice"), &json!(server.user_id("alice")), &json!("alice"))
    );

    // Used, unknown, replaced and expired codes look alike.
    let wrong = "This code isn't valid, or not any more. Ask OnCall for a new one.";
    assert_eq!(enter("bob", "town-square", &code).await, wrong, "used");
    assert_eq!(enter("bob", "town-square", &json!({ "code": "AAAA-BBBB-CCCC" })).await, wrong, "unknown");
    let replaced = acme.user_code(&bot.installation, "u-bob").await;
    let expired = acme.user_code(&bot.installation, "u-bob").await;
    assert_eq!(enter("bob", "town-square", &replaced).await, wrong, "replaced");
    execute(&chatport.database_file(), "UPDATE tokens SET expires_at = 1 WHERE kind = 'code.user' AND used_at IS NULL")
        .await;
    assert_eq!(enter("bob", "town-square", &expired).await, wrong, "expired");

    // A link is unique both ways.
    let taken = "are linked already";
    let second = acme.user_code(&bot.installation, "u-other").await;
    assert!(enter("alice", "town-square", &second).await.contains(taken), "the account is linked");
    let again = acme.user_code(&bot.installation, "u-alice").await;
    assert!(enter("sysadmin", "town-square", &again).await.contains(taken), "the user is linked");
    assert_eq!(acme.accounts().await.len(), 1);

    // A channel: only the one in which the code is entered, and only where the bot can post.
    let code = acme.channel_code(&bot.installation).await;
    assert_eq!(enter("alice", "incidents", &code).await, "The channel **incidents** is linked to OnCall.");
    let channel = application.hears("channel.linked", 0).await["data"]["channel"].clone();
    assert_eq!((&channel["is_default"], &channel["status"]), (&json!(true), &json!("active")));
    server.create_private_channel("acme", "secret");
    server.join_channel("secret", "sysadmin");
    let code = acme.channel_code(&bot.installation).await;
    assert!(enter("sysadmin", "secret", &code).await.contains("invite the bot first"));
    server.join_channel("secret", BOT);
    assert!(enter("sysadmin", "secret", &code).await.contains("is linked to OnCall"), "the code isn't used up");
    assert_eq!(acme.channels().await.iter().filter(|channel| channel["is_default"] == true).count(), 1);

    // Unlinking on the platform, and the way back.
    assert_eq!(
        server.slash("alice", "town-square", "/oncall unlink").await.text,
        "You aren't linked to OnCall any more."
    );
    application.hears("account.unlinked", 0).await;
    assert_eq!(server.slash("alice", "town-square", "/oncall unlink").await.text, "You weren't linked to OnCall.");
    bot.link("alice", "u-alice").await;
}
