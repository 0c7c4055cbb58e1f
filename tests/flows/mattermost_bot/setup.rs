//! Setting an installation up: what the catalogue says, the operator's leave, the steps, and
//! every mistake on the way.

use chatport_fake_mattermost::{FakeMattermost, Options};
use chatport_tests::{
    application::Application,
    mattermost::{BOT, chatport_beside, grant, request_url},
    organization::{Organization, items, text},
    program::Chatport,
};
use serde_json::json;

use crate::{World, render, with_button};

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_and_every_answer_say_what_a_backend_can_and_cannot_do() {
    let chatport = Chatport::start(&["--demo=off"]).await;
    let acme = Organization::create(&chatport.client(), "acme").await;
    let catalogue = chatport.client().get("/v1/backends").await.expect(200);
    let of = |id: &str| {
        let backends = catalogue["backends"].as_array().expect("backends");
        backends.iter().find(|backend| backend["id"] == id).unwrap_or_else(|| panic!("no {id}")).clone()
    };
    let mattermost = of("mattermost");
    let parts = json!({ "install": true, "verification": ["user", "channel"], "deliver": true, "edit": true,
        "delete": true, "find": true, "direct": true, "receive": true, "listen": false, "directory": true,
        "commands": true });
    assert_eq!(mattermost["parts"], parts);
    assert_eq!(mattermost["settings_schema"]["required"], json!(["site_url"]));
    assert!(text(&mattermost, "icon").starts_with("data:image/png;base64,"));
    // What isn't set up yet gets no codes, and what a backend lacks is refused.
    let begun = acme.install("telegram", json!({})).await;
    assert_eq!(begun["state"], "pending");
    let code = json!({ "installation": begun["id"], "purpose": "user", "user": "u" });
    let refused = acme.post("verification-codes", code).await.expect(409);
    assert_eq!(refused["type"], "/problems/installation-not-active");
    let directory = format!("installations/{}/directory?kind=people", text(&begun, "id"));
    let refused = acme.get(&directory).await.expect(409);
    assert_eq!(refused["type"], "/problems/backend-lacks-part");
    assert!(text(&refused, "detail").contains("has no directory"), "{refused}");
    let teams = acme.install("msteams", json!({})).await;
    let commands = format!("installations/{}/commands", text(&teams, "id"));
    let refused = acme.put(&commands, json!({ "commands": [] })).await.expect(409);
    assert!(text(&refused, "detail").contains("has no commands"), "{refused}");
    let target = json!([{ "default": true, "installation": begun["id"] }]);
    let message = json!({ "revision": 1, "targets": target, "content": { "title": "x" } });
    let accepted = acme.say("to-nowhere", message).await;
    assert_eq!(
        (&accepted["copies"][0]["state"], &accepted["copies"][0]["code"]),
        (&json!("dead"), &json!("default_channel_missing"))
    );
    let unknown = acme.post("installations", json!({ "backend": "pigeon" })).await.expect(404);
    assert!(text(&unknown, "detail").contains("mattermost, msteams, sandbox, telegram"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_in_a_private_network_needs_the_line_that_the_refusal_names() {
    let server = FakeMattermost::start(Options::default()).await;
    let (_, token) = server.create_bot(BOT, "sysadmin");
    let mut chatport = Chatport::start(&["--demo=off"]).await;
    let acme = Organization::create(&chatport.client(), "acme").await;
    let begun = acme.install("mattermost", json!({ "site_url": server.url() })).await;
    let refused = acme.submit(&text(&begun, "id"), json!({ "bot_token": token })).await.expect(422);
    let line = format!("configure allow_networks = [\"{}\"]", grant(&server));
    assert!(text(&refused, "detail").contains(&line), "{refused}");
    assert_eq!(server.requests().len(), 0, "nothing was dialled");
    // The operator adds just that line.
    assert!(chatport.stop().await);
    std::fs::write(chatport.data.join("chatport.toml"), line.trim_start_matches("configure ")).expect("written");
    chatport.restart().await;
    let asked = acme.submit(&text(&begun, "id"), json!({ "bot_token": token })).await.expect(200);
    assert_eq!(asked["state"], "pending");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_is_set_up_step_by_step_with_clear_words_for_every_mistake() {
    let server = FakeMattermost::start(Options::default()).await;
    let chatport = chatport_beside(&server, &[]).await;
    let application = Application::subscribed(&chatport.client()).await;
    let acme = Organization::create(&chatport.client(), "acme").await;
    let (bot_id, bot_token) = server.create_bot(BOT, "sysadmin");
    for team in ["acme", "globex"] {
        server.join_team(team, BOT);
    }

    // The steps come in kinds that every frontend knows.
    let begun = acme.install("mattermost", json!({ "site_url": format!("{}/", server.url()) })).await;
    let installation = text(&begun, "id");
    let open = format!("open {}/_redirect/integrations/bots", server.url());
    assert_eq!(render(&begun["steps"]), [open, "fill in secret Access token of the bot".to_owned()]);

    // A wrong token, a person's, a disabled bot's: refused, and setup stays where it is.
    let person = server.create_token("alice");
    let (_, disabled) = server.create_bot("sleeper", "sysadmin");
    server.deactivate_user("sleeper");
    for (token, words) in [
        ("aaaaaaaaaaaaaaaaaaaaaaaaaa", "the server doesn't know this token"),
        (person.as_str(), "is the token of a person (@alice): make a bot account"),
        (disabled.as_str(), "the server doesn't know this token"),
    ] {
        let refused = acme.submit(&installation, json!({ "bot_token": token })).await.expect(422);
        assert_eq!((&refused["type"], &refused["field"]), (&json!("/problems/setup-refused"), &json!("bot_token")));
        assert!(text(&refused, "detail").contains(words), "{refused}");
    }
    let missing = acme.submit(&installation, json!({})).await.expect(422);
    assert_eq!(missing["field"], "bot_token");

    // The right one: now a command for each of the bot's teams.
    let asked = acme.submit(&installation, json!({ "bot_token": bot_token })).await.expect(200);
    assert_eq!(asked["state"], "pending");
    assert!(!asked.to_string().contains(&bot_token), "what was submitted is never given back");
    let lines = render(&asked["steps"]);
    let url = request_url(&asked);
    assert!(url.starts_with(&format!("{}/in/mattermost/", chatport.url)) && url.ends_with("/slash"), "{url}");
    assert!(
        lines.contains(&format!("copy Request URL {url}"))
            && lines.contains(&"copy Command Trigger Word oncall".into()),
        "{lines:?}"
    );
    let fields: Vec<String> = ["acme", "globex"].map(|team| format!("command_token_{}", server.team_id(team))).into();
    let refused = acme.submit(&installation, json!({ &fields[0]: "short" })).await.expect(422);
    assert_eq!(refused["field"], fields[0].as_str());
    acme.submit(&installation, json!({})).await.expect(422);
    let tokens = ["acme", "globex"].map(|team| server.create_command(team, "oncall", &url));
    let submitted = json!({ &fields[0]: tokens[0], &fields[1]: tokens[1] });
    let done = acme.submit(&installation, submitted).await.expect(200);
    assert_eq!((&done["state"], &done["steps"]), (&json!("active"), &json!([])));
    assert_eq!((&done["identity"]["account"], &done["identity"]["server"]), (&json!(bot_id), &json!(server.url())));
    application.hears("installation.activated", 0).await;
    let probed = acme.get(&format!("installations/{installation}?probe=true")).await.expect(200);
    let health = &probed["health"]["last_probe"];
    assert_eq!(
        (&health["can_post"], &health["can_receive"], &health["missing"]),
        (&json!(true), &json!(true), &json!([]))
    );
    acme.submit(&installation, json!({})).await.expect(409);

    // The command works in both teams.
    for (person, channel) in [("alice", "town-square"), ("mallory", "globex/ops")] {
        assert!(server.slash(person, channel, "/oncall help").await.text.contains("/oncall link CODE"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bot_makes_the_command_itself_where_it_may() {
    let server = FakeMattermost::start(Options::default()).await;
    let chatport = chatport_beside(&server, &[]).await;
    let acme = Organization::create(&chatport.client(), "acme").await;
    let (_, token) = server.create_bot(BOT, "sysadmin");
    server.join_team("acme", BOT);
    let begun = acme.install("mattermost", json!({ "site_url": server.url() })).await;
    let installation = text(&begun, "id");
    acme.submit(&installation, json!({ "bot_token": token })).await.expect(200);
    // Without the right, the steps say so and still offer the way by hand.
    let refused = acme.submit(&installation, json!({ "register_commands": true })).await.expect(200);
    let words = text(refused["steps"].as_array().expect("steps").last().expect("a step"), "text");
    assert!(words.contains("doesn't let the bot register a command"), "{words}");
    server.make_team_admin("acme", BOT);
    let done = acme.submit(&installation, json!({ "register_commands": true })).await.expect(200);
    assert_eq!(done["state"], "active");
    assert_eq!(server.commands("acme").len(), 1);
    assert!(server.slash("alice", "town-square", "/oncall help").await.text.contains("/oncall link CODE"));
    // What setup put there, removing takes back.
    acme.delete(&format!("installations/{installation}")).await.expect(204);
    assert_eq!(server.commands("acme").len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_installation_is_gone_and_its_address_like_any_other() {
    let world = World::begin().await;
    let post = world.deliver("incident-1", with_button("Disk full")).await;
    let since = text(&world.acme.installation(&world.bot.installation).await, "created_at");
    world.acme.delete(&format!("installations/{}", world.bot.installation)).await.expect(204);
    world.application.hears("installation.removed", 0).await;
    world.acme.get(&format!("installations/{}", world.bot.installation)).await.expect(404);
    assert_eq!((world.acme.accounts().await.len(), world.acme.channels().await.len()), (0, 0));
    let changed = items(&world.acme.get(&format!("installations?updated_after={since}")).await.expect(200));
    assert_eq!(changed[0]["state"], "removed");
    let tombstones = items(&world.acme.get(&format!("accounts?updated_after={since}")).await.expect(200));
    assert!(tombstones[0]["unlinked_at"].is_string());
    // The button and the command are as dead as if they had never been.
    assert_eq!(world.server.click("alice", &post.id, "a0", None).await.ephemeral, "This button isn't active any more.");
    let said = world.server.slash("alice", "town-square", "/oncall help").await;
    assert_eq!(said.text, "This command could not be verified.");
    let accepted = world
        .acme
        .say("m2", json!({ "revision": 1, "targets": [{ "default": true }], "content": { "title": "x" } }))
        .await;
    assert_eq!(accepted["copies"][0]["code"], "default_channel_missing");
}
