//! Mattermost in bot mode, end to end over real HTTP: the catalogue, setup step by step,
//! linking by the slash command, messages, presses, and everything that must be refused.

use std::time::Duration;

use chatport_fake_mattermost::{
    FakeMattermost, FaultKind, FaultRule, ForgedClick, ForgedSlash, Notification, Options, Post, RawAnswer, Trigger,
};
use chatport_tests::{
    application::Application,
    database::execute,
    eventually,
    mattermost::{BOT, Connected, chatport_beside, connect_bot, grant, request_url},
    organization::{Organization, items, tallies, text},
    program::Chatport,
};
use serde_json::{Value, json};

/// Everything at hand: Alice is linked, `incidents` is the default channel.
struct World {
    chatport: Chatport,
    server: FakeMattermost,
    application: Application,
    acme: Organization,
    bot: Connected,
}

impl World {
    async fn begin() -> Self {
        let server = FakeMattermost::start(Options::default()).await;
        let chatport = chatport_beside(&server, &[]).await;
        let application = Application::subscribed(&chatport.client()).await;
        let acme = Organization::create(&chatport.client(), "acme").await;
        let bot = connect_bot(&acme, &server).await;
        bot.link("alice", "u-alice").await;
        bot.connect("incidents").await;
        Self { chatport, server, application, acme, bot }
    }

    /// The message's one post in a channel.
    fn post(&self, channel: &str) -> Post {
        let mut posts = self.posts(channel);
        assert_eq!(posts.len(), 1, "{posts:?}");
        posts.remove(0)
    }

    /// The posts of the bot in a channel that start threads.
    fn posts(&self, channel: &str) -> Vec<Post> {
        let bot = self.server.user_id(BOT);
        let posts = self.server.posts(channel).into_iter();
        posts.filter(|post| post.user_id == bot && post.root_id.is_empty()).collect()
    }

    /// Deliver a message to the default channel; its one post is given back.
    async fn deliver(&self, key: &str, content: Value) -> Post {
        self.acme.say(key, json!({ "revision": 1, "targets": [{ "default": true }], "content": content })).await;
        let message = self.acme.delivered(key).await;
        self.server.post(message["copies"][0]["posts"][0].as_str().expect("a post")).expect("it is there")
    }

    /// The presses that the application has heard of.
    fn presses(&self) -> usize {
        self.application.heard_of("action.invoked").len()
    }
}

fn attachment(post: &Post) -> &Value {
    &post.props["attachments"][0]
}

fn with_button(title: &str) -> Value {
    let acknowledge = json!({ "id": "ack", "label": "Acknowledge", "style": "primary" });
    json!({ "state": "firing", "title": title, "text": "The disk is **full**.", "actions": [acknowledge] })
}

/// What any frontend can do with setup steps, knowing nothing of the platform: one line for
/// each, by its kind alone.
fn render(steps: &Value) -> Vec<String> {
    let line = |step: &Value| {
        let shown = |value: &Value| value["value"].as_str().unwrap_or("(hidden)").to_owned();
        let what = match step["kind"].as_str().expect("a kind") {
            "open_link" => format!("open {}", text(step, "url")),
            "copy_value" => format!("copy {} {}", text(step, "label"), shown(&step["value"])),
            "run_command" => format!("run {}", shown(&step["command"])),
            "send_text" => format!("send {} to {}", shown(&step["send"]), text(step, "to")),
            "wait" => format!("wait for {}", text(step, "what")),
            "fields" => {
                let fields = step["fields"].as_array().expect("fields").iter();
                let field = |field: &Value| match field["kind"].as_str() {
                    Some(kind @ ("text" | "secret" | "url" | "toggle")) => format!("{kind} {}", text(field, "label")),
                    _ => format!("select {}", text(field, "label")),
                };
                format!("fill in {}", fields.map(field).collect::<Vec<_>>().join(", "))
            }
            other => panic!("a frontend doesn't know the kind {other}"),
        };
        assert!(!text(step, "id").is_empty() && !text(step, "title").is_empty(), "{step}");
        what
    };
    steps.as_array().expect("steps").iter().map(line).collect()
}

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
        "delete": true, "find": true, "direct": true, "receive": true });
    assert_eq!(mattermost["parts"], parts);
    assert_eq!(mattermost["settings_schema"]["required"], json!(["site_url"]));
    assert!(text(&mattermost, "icon").starts_with("data:image/png;base64,"));
    for stub in ["telegram", "msteams"] {
        let parts = &of(stub)["parts"];
        assert_eq!(
            (&parts["install"], &parts["deliver"], &parts["edit"], &parts["receive"]),
            (&json!(true), &json!(false), &json!(false), &json!(false)),
            "{stub}"
        );
        assert!(text(&of(stub), "description").contains("cannot deliver yet"), "{}", of(stub)["description"]);
        // Its steps can be looked at; completing them, codes, previews and messages are refused.
        let begun = acme.install(stub, json!({})).await;
        assert_eq!(begun["state"], "pending");
        assert!(render(&begun["steps"]).len() > 2 && text(&begun["steps"][0], "text").contains("no delivery"));
        let submitted = acme.submit(&text(&begun, "id"), json!({ "bot_token": "1:x" })).await.expect(409);
        assert_eq!(submitted["type"], "/problems/setup-not-expected");
        assert!(text(&submitted, "detail").contains("no delivery"), "{submitted}");
        let code = json!({ "installation": begun["id"], "purpose": "user", "user": "u" });
        assert_eq!(acme.post("verification-codes", code).await.expect(409)["type"], "/problems/setup-not-expected");
        let preview = json!({ "content": { "title": "x" }, "backends": [stub] });
        let refused = acme.post("previews", preview).await.expect(409);
        assert!(text(&refused, "detail").contains("can't deliver messages yet"), "{refused}");
        let target = json!([{ "default": true, "installation": begun["id"] }]);
        let message = json!({ "revision": 1, "targets": target, "content": { "title": "x" } });
        let accepted = acme.say(&format!("to-{stub}"), message).await;
        assert_eq!(
            (&accepted["copies"][0]["state"], &accepted["copies"][0]["code"]),
            (&json!("dead"), &json!("default_channel_missing"))
        );
    }
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
    assert_eq!(enter("alice", "town-square", &code).await, "You are linked to OnCall as **alice**.");
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

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_posted_edited_in_place_continued_in_its_thread_and_deleted() {
    let world = World::begin().await;
    let (server, acme) = (&world.server, &world.acme);
    let site = server.url();
    let message = |revision: i64, title: &str, log: Value| {
        let link = json!({ "url": "https://oncall.example.com/i/1", "label": "Open in OnCall" });
        let content = json!({ "state": "firing", "title": title, "text": "The disk is **full**.", "link": link });
        let targets = json!([{ "default": true }, { "user": "u-alice" }]);
        json!({ "revision": revision, "targets": targets, "content": content, "log": log })
    };

    // Posted: in the default channel, and to the person.
    acme.say("incident-1", message(1, "Disk full", json!([]))).await;
    let shown = acme.delivered("incident-1").await;
    let post = world.post("incidents");
    let card = attachment(&post);
    assert_eq!(
        (&card["title"], &card["color"], &card["title_link"]),
        (&json!("Disk full"), &json!("#a30200"), &json!("https://oncall.example.com/i/1"))
    );
    let direct = server.direct_channel(BOT, "alice");
    assert_eq!(attachment(&world.post(&direct))["title"], "Disk full");
    let permalinks: Vec<&str> =
        shown["copies"].as_array().expect("copies").iter().filter_map(|copy| copy["permalink"].as_str()).collect();
    assert_eq!(
        permalinks,
        [format!("{site}/_redirect/pl/{}", post.id), format!("{site}/_redirect/pl/{}", world.post(&direct).id)]
    );

    // Told by name in the thread of that message.
    let reply_to = json!({ "message": "incident-1" });
    let target = json!([{ "user": "u-alice", "prefer": "mention", "reply_to": reply_to }]);
    acme.say("page-1", json!({ "revision": 1, "targets": target, "content": { "title": "Your turn" } })).await;
    acme.delivered("page-1").await;
    let replies = server.replies(&post.id);
    assert_eq!((replies.len(), replies[0].message.as_str()), (1, "@alice"));
    let bot = server.user_id(BOT);
    let told: Vec<String> =
        server.notifications().into_iter().filter(|n| n.author_id == bot).map(|n| n.keyword).collect();
    assert_eq!(told, ["@alice"]);

    // A newer revision edits both in place; the log goes into the thread, each line once.
    acme.say("incident-1", message(2, "Disk fuller", json!([{ "id": "l1", "text": "Alice looks." }]))).await;
    acme.delivered("incident-1").await;
    acme.say(
        "incident-1",
        message(
            3,
            "Disk fullest",
            json!([{ "id": "l1", "text": "Alice looks." }, { "id": "l2", "text": "Alice acts." }]),
        ),
    )
    .await;
    acme.delivered("incident-1").await;
    assert_eq!(
        (world.post("incidents").id.as_str(), &attachment(&world.post("incidents"))["title"]),
        (post.id.as_str(), &json!("Disk fullest"))
    );
    assert_eq!(attachment(&world.post(&direct))["title"], "Disk fullest");
    let lines: Vec<Value> =
        server.replies(&post.id).iter().skip(1).map(|reply| attachment(reply)["text"].clone()).collect();
    assert_eq!(lines, ["Alice looks.", "Alice acts."]);
    assert_eq!(server.replies(&world.post(&direct).id).len(), 0);

    // A lower revision changes nothing.
    let older = acme.put("messages/incident-1", message(2, "Old news", json!([]))).await.expect(200);
    assert_eq!(older["revision"], 3);

    // Deleting takes all of it away.
    acme.delete("messages/incident-1").await.expect(202);
    acme.settles("incident-1", "removed").await;
    assert_eq!(world.posts("incidents").len() + world.posts(&direct).len(), 0);
    assert_eq!(tallies(&world.chatport.client()).await["in_flight"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_press_reaches_the_application_and_its_answer_is_shown_at_once() {
    let world = World::begin().await;
    let post = world.deliver("incident-1", with_button("Disk full")).await;
    let taken = json!({ "state": "acknowledged", "title": "Disk full (taken)" });
    world.application.answer(move |event| match event["type"].as_str() {
        Some("action.invoked") => (200, json!({ "notice": "It is yours.", "content": taken, "revision": 2 })),
        _ => (200, Value::Null),
    });

    // Linked: event, notice, update in the very answer.
    let outcome = world.server.click("alice", &post.id, "a0", None).await;
    assert!(outcome.is_ok(), "{}", outcome.error);
    assert_eq!((outcome.ephemeral.as_str(), outcome.updated), ("It is yours.", true));
    let shown = world.post("incidents");
    assert_eq!(
        (&attachment(&shown)["title"], &attachment(&shown)["color"]),
        (&json!("Disk full (taken)"), &json!("#daa038"))
    );
    let event = world.application.hears("action.invoked", 0).await;
    assert_eq!(
        (&event["data"]["user"], &event["data"]["action"], &event["data"]["choice"]),
        (&json!("u-alice"), &json!("ack"), &Value::Null)
    );
    assert_eq!(world.acme.delivered("incident-1").await["revision"], 2);

    // Not linked: private help, and nothing else happens.
    let post = world.deliver("incident-2", with_button("Disk full again")).await;
    let outcome = world.server.click("bob", &post.id, "a0", None).await;
    assert_eq!(outcome.ephemeral, "You aren't linked to OnCall. Ask OnCall for a code and run `/oncall link CODE`.");
    assert!(!outcome.updated);
    assert_eq!(world.presses(), 1);

    // The application refuses: its words, privately.
    world.application.answer(|event| match event["type"].as_str() {
        Some("action.invoked") => (403, json!({ "notice": "You are off duty." })),
        _ => (200, Value::Null),
    });
    let outcome = world.server.click("alice", &post.id, "a0", None).await;
    assert_eq!((outcome.ephemeral.as_str(), outcome.updated), ("You are off duty.", false));

    // The application is away: the press is on disk, and heard of when it is back.
    world.application.answer(|event| match event["type"].as_str() {
        Some("action.invoked") => (503, Value::Null),
        _ => (200, Value::Null),
    });
    let outcome = world.server.click("alice", &post.id, "a0", None).await;
    assert!(outcome.ephemeral.starts_with("Recorded."), "{}", outcome.ephemeral);
    let known = world.presses();
    world.application.answer(|_| (200, Value::Null));
    world.application.hears("action.invoked", known).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_menu_brings_back_what_was_chosen() {
    let world = World::begin().await;
    let choices = json!([{ "value": "1h", "label": "One hour" }, { "value": "8h", "label": "A night" }]);
    let silence = json!({ "id": "silence", "label": "Silence", "choices": choices });
    let post = world.deliver("incident-1", json!({ "title": "Disk full", "actions": [silence] })).await;
    let menu = post.action("a0").expect("the menu");
    assert_eq!((&menu["type"], &menu["options"][1]["text"]), (&json!("select"), &json!("A night")));
    world.application.answer(|_| (200, json!({ "notice": "Silenced." })));
    let outcome = world.server.click("alice", &post.id, "a0", Some("8h")).await;
    assert_eq!(outcome.ephemeral, "Silenced.");
    assert_eq!(world.application.hears("action.invoked", 0).await["data"]["choice"], "8h");
    // What isn't in the menu can't be chosen.
    for forged in ["9h", ""] {
        let outcome = world.server.click("alice", &post.id, "a0", Some(forged)).await;
        assert_eq!(outcome.ephemeral, "This button isn't active any more.", "{forged:?}");
    }
    assert_eq!(world.presses(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_press_that_is_not_proven_has_no_effect_and_all_look_alike() {
    let world = World::begin().await;
    let post = world.deliver("incident-1", with_button("Disk full")).await;
    let other = world.deliver("incident-2", with_button("Another")).await;
    let good = world.server.click("alice", &post.id, "a0", None).await;
    assert!(good.is_ok());
    world.application.hears("action.invoked", 0).await;
    let before = world.server.post(&post.id).expect("it is there");

    let hour = Duration::from_secs(3600);
    let token = |post: &Post| post.action("a0").expect("the button")["integration"]["context"]["t"].clone();
    let mut altered = token(&post).as_str().expect("a token").to_owned();
    let last = altered.pop().expect("a character");
    altered.push(if last == 'A' { 'B' } else { 'A' });
    let elsewhere = world.server.channel_id("town-square");
    let forgeries: Vec<(&str, Trigger, Value)> = vec![
        ("no token", Trigger::Good, json!({ "context": {} })),
        ("no context", Trigger::Good, json!({ "context": null })),
        ("an altered token", Trigger::Good, json!({ "context": { "t": altered } })),
        ("the token of another post", Trigger::Good, json!({ "context": { "t": token(&other) } })),
        ("moved to another post", Trigger::Good, json!({ "post_id": other.id })),
        ("moved to another channel", Trigger::Good, json!({ "channel_id": elsewhere })),
        ("in another person's name", Trigger::Good, json!({ "user_id": world.server.user_id("bob") })),
        ("a stale trigger", Trigger::Stale(hour), Value::Null),
        ("a trigger of the future", Trigger::Early(hour), Value::Null),
        ("a trigger of another person", Trigger::Of("bob".into()), Value::Null),
        ("a trigger of another server", Trigger::OtherServer, Value::Null),
        ("a tampered trigger", Trigger::Tampered, Value::Null),
        ("an empty trigger", Trigger::Empty, Value::Null),
        ("no trigger", Trigger::Absent, Value::Null),
    ];
    let mut answers = Vec::new();
    for (what, trigger, replace) in forgeries {
        let forged = ForgedClick {
            user: "alice".into(),
            post_id: post.id.clone(),
            action_id: "a0".into(),
            trigger,
            replace,
            ..ForgedClick::default()
        };
        answers.push((what, world.server.forge_click(&forged).await));
    }
    // At an address that doesn't exist it looks just the same.
    let url = post.action("a0").expect("the button")["integration"]["url"].as_str().expect("an address").to_owned();
    let slot = url.rsplit('/').nth(1).expect("a slot");
    let nowhere = url.replace(slot, &"0".repeat(slot.len()));
    let forged = ForgedClick {
        user: "alice".into(),
        post_id: post.id.clone(),
        action_id: "a0".into(),
        url: Some(nowhere),
        ..ForgedClick::default()
    };
    answers.push(("an unknown slot", world.server.forge_click(&forged).await));
    for (what, answer) in &answers {
        let said = answer.json()["ephemeral_text"].clone();
        assert_eq!((answer.status, said), (200, json!("This button isn't active any more.")), "{what}");
        assert_eq!((&answer.body, &answer.content_type), (&answers[0].1.body, &answers[0].1.content_type), "{what}");
    }

    // A trigger that was seen counts once: the same press again gets the first answer,
    // another one under it nothing.
    let again = |post: &Post| ForgedClick {
        user: "alice".into(),
        post_id: post.id.clone(),
        action_id: "a0".into(),
        trigger: Trigger::Seen(good.trigger_id.clone()),
        ..ForgedClick::default()
    };
    assert_eq!(world.server.forge_click(&again(&post)).await.status, 200);
    let moved: RawAnswer = world.server.forge_click(&again(&other)).await;
    assert_eq!(moved.json()["ephemeral_text"], "This button isn't active any more.");

    // Somebody's own button that leads here with what it could read of ours.
    let own = world.server.post_button_as("alice", "incidents", &url, json!({ "t": token(&post) }));
    let outcome = world.server.click("alice", &own, "press", None).await;
    assert_eq!(outcome.ephemeral, "This button isn't active any more.");

    assert_eq!(world.presses(), 1);
    let after = world.server.post(&post.id).expect("it is there");
    assert_eq!((after.updates, after.props), (before.updates, before.props));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_not_proven_does_nothing() {
    let world = World::begin().await;
    let code = world.acme.user_code(&world.bot.installation, "u-bob").await;
    let hour = Duration::from_secs(3600);
    let forged = |trigger: Trigger, token: Option<&str>, replace: Vec<(String, String)>| ForgedSlash {
        team: "acme".into(),
        command: "oncall".into(),
        user: "bob".into(),
        channel: "town-square".into(),
        text: format!("link {}", text(&code, "code")),
        trigger,
        token: token.map(str::to_owned),
        replace,
        ..ForgedSlash::default()
    };
    let alice = ("user_id".to_owned(), world.server.user_id("alice"));
    let globex = ("team_id".to_owned(), world.server.team_id("globex"));
    for (what, forged) in [
        ("another token", forged(Trigger::Good, Some("aaaaaaaaaaaaaaaaaaaaaaaaaa"), vec![])),
        ("no token", forged(Trigger::Good, Some(""), vec![])),
        ("another team", forged(Trigger::Good, None, vec![globex])),
        ("in another person's name", forged(Trigger::Good, None, vec![alice])),
        ("a stale trigger", forged(Trigger::Stale(hour), None, vec![])),
        ("a trigger of another person", forged(Trigger::Of("alice".into()), None, vec![])),
        ("a trigger of another server", forged(Trigger::OtherServer, None, vec![])),
        ("a tampered trigger", forged(Trigger::Tampered, None, vec![])),
        ("no trigger", forged(Trigger::Absent, None, vec![])),
    ] {
        let answer = world.server.forge_slash(&forged).await;
        assert_eq!(answer.json()["text"], "This command could not be verified.", "{what}");
    }
    assert_eq!(world.acme.accounts().await.len(), 1);
    // The code is still good for its owner.
    let said = world.server.slash("bob", "town-square", &format!("/oncall link {}", text(&code, "code"))).await;
    assert!(said.text.contains("You are linked"), "{}", said.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_an_application_says_calls_a_whole_channel() {
    let world = World::begin().await;
    let calls = "@channel @all @here @Channel &#64;channel &commat;all ＠here";
    let link = json!({ "url": "https://example.com/@channel", "label": calls });
    let fact = json!({ "name": calls, "value": calls });
    let button = json!({ "id": "a", "label": "@all" });
    let content = json!({ "title": calls, "text": format!("{calls}\n```\n@channel\n```\n> @all"), "facts": [fact], "link": link, "actions": [button] });
    let mut message = json!({ "revision": 1, "targets": [{ "default": true }], "content": content });
    message["log"] = json!([{ "id": "l", "text": calls }]);
    world.acme.say("m1", message).await;
    world.acme.delivered("m1").await;
    assert_eq!(world.server.everybody_notifications(), Vec::<Notification>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_refuses_the_bot_silences_no_other() {
    let world = World::begin().await;
    let alerts = world.bot.connect("alerts").await;
    let incidents = text(&world.acme.channel("incidents").await, "id");
    world.server.leave_channel("incidents", BOT);
    let targets = json!([{ "channel": incidents }, { "channel": alerts }]);
    world.acme.say("m1", json!({ "revision": 1, "targets": targets, "content": { "title": "x" } })).await;
    let message = eventually("both copies to end", || async {
        let message = world.acme.message("m1").await;
        let states = [&message["copies"][0]["state"], &message["copies"][1]["state"]];
        (states == ["dead", "delivered"]).then_some(message)
    })
    .await;
    assert_eq!(message["copies"][0]["code"], "bot_not_in_channel");
    let failed = world.application.hears("message.failed", 0).await;
    assert_eq!(
        (&failed["data"]["failure"]["code"], &failed["data"]["failure"]["permanent"]),
        (&json!("bot_not_in_channel"), &json!(true))
    );
    assert_eq!(world.acme.installation(&world.bot.installation).await["state"], "active");
    world
        .acme
        .say("m2", json!({ "revision": 1, "targets": [{ "channel": alerts }], "content": { "title": "y" } }))
        .await;
    world.acme.delivered("m2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_suspends_and_a_new_one_lets_everything_go_on() {
    let world = World::begin().await;
    world.server.revoke_token(&world.bot.bot_token);
    world.acme.say("m1", json!({ "revision": 1, "targets": [{ "default": true }], "content": { "title": "x" } })).await;
    let suspended = world.acme.becomes(&world.bot.installation, "suspended").await;
    assert_eq!(suspended["problem"]["code"], "installation_revoked");
    world.application.hears("installation.suspended", 0).await;
    // Reauthorize: another bot's token is refused, a new one of the same bot taken.
    let path = format!("installations/{}/reauthorize", world.bot.installation);
    let asked = world.acme.post(&path, json!({})).await.expect(200);
    assert_eq!(render(&asked["steps"]).last().expect("a step"), "fill in secret Access token of the bot");
    let (_, stranger) = world.server.create_bot("stranger", "sysadmin");
    let refused = world.acme.submit(&world.bot.installation, json!({ "bot_token": stranger })).await.expect(422);
    assert!(text(&refused, "detail").contains("another bot's"), "{refused}");
    let token = world.server.create_token(BOT);
    let done = world.acme.submit(&world.bot.installation, json!({ "bot_token": token })).await.expect(200);
    assert_eq!(done["state"], "active");
    assert_eq!(done.get("problem"), None);
    // What waited is sent; links and channels are those of before.
    world.acme.delivered("m1").await;
    world.post("incidents");
    assert_eq!((world.acme.accounts().await.len(), world.acme.channels().await.len()), (1, 1));
    world.application.hears("installation.activated", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_asks_for_patience_is_left_alone_for_as_long() {
    let world = World::begin().await;
    let slow_down = FaultKind::RateLimited { retry_after: 2 };
    world.server.fault(FaultRule::once("POST", "/api/v4/posts", slow_down));
    for key in ["m1", "m2"] {
        world
            .acme
            .say(key, json!({ "revision": 1, "targets": [{ "default": true }], "content": { "title": key } }))
            .await;
    }
    for key in ["m1", "m2"] {
        world.acme.delivered(key).await;
    }
    let tries = world.server.requests_to("POST", "/api/v4/posts");
    assert_eq!(tries.len(), 3);
    let pause = tries[1].started.duration_since(tries[0].started);
    assert!(pause >= Duration::from_secs(2), "{pause:?}");
    assert_eq!(world.posts("incidents").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_whose_answer_was_lost_is_not_doubled() {
    for kind in [FaultKind::LoseAnswer, FaultKind::HalfBody, FaultKind::Error("proxy_502_html".into())] {
        let world = World::begin().await;
        world.server.fault(FaultRule::once("POST", "/api/v4/posts", kind.clone()));
        world
            .acme
            .say("m1", json!({ "revision": 1, "targets": [{ "default": true }], "content": { "title": "x" } }))
            .await;
        let message = world.acme.delivered("m1").await;
        assert_eq!(message["copies"][0]["history"][0]["outcome"], "unknown", "{kind:?}");
        assert_eq!(message["copies"][0]["posts"], json!([world.post("incidents").id]), "{kind:?}");
    }
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
