//! Microsoft Teams, end to end over real HTTP against the strict stand-in for the connector and the
//! login service: setup, linking, messages with buttons, presses, edits, deletions.

use std::time::Duration;

use chatport_fake_msteams::{FakeTeams, Options, Post, Reply};
use chatport_tests::{
    application::Application,
    eventually,
    msteams::{Connected, INCIDENTS, chatport_beside, connect},
    organization::{Organization, text},
    program::Chatport,
};
use http::StatusCode;
use serde_json::{Value, json};

/// Everything at hand: Ada is linked, Incidents is the default channel.
struct World {
    chatport: Chatport,
    teams: FakeTeams,
    application: Application,
    acme: Organization,
    bot: Connected,
}

impl World {
    async fn begin() -> Self {
        let teams = FakeTeams::start(Options::default()).await;
        let chatport = chatport_beside(&[&teams.url()], &[]).await;
        let application = Application::subscribed(&chatport.client()).await;
        let acme = Organization::create(&chatport.client(), "acme").await;
        let bot = connect(&acme, &teams, teams.settings()).await;
        bot.deliver(&teams.installs_in_team("Ada", "Operations", true)).await;
        bot.link("Ada", "u-ada").await;
        bot.connect_channel("Ada", INCIDENTS).await;
        Self { chatport, teams, application, acme, bot }
    }

    fn channel(&self) -> String {
        self.teams.channel_id(INCIDENTS.0, INCIDENTS.1)
    }

    /// Deliver a message to the default channel; its one post is given back.
    async fn deliver(&self, key: &str, content: Value) -> Post {
        self.acme.say(key, json!({ "revision": 1, "targets": [{ "default": true }], "content": content })).await;
        self.shown(key).await
    }

    /// The one post of a message, once it shows the newest revision.
    async fn shown(&self, key: &str) -> Post {
        let message = self.acme.delivered(key).await;
        let id = text_of(&message["copies"][0]["posts"][0]);
        let posts = self.teams.posts(&self.channel());
        posts.into_iter().find(|post| post.id == id).unwrap_or_else(|| panic!("no post {id}"))
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn with_button(title: &str) -> Value {
    let acknowledge = json!({ "id": "ack", "label": "Acknowledge", "style": "primary" });
    let choices = json!([{ "value": "1h", "label": "One hour" }, { "value": "1d", "label": "One day" }]);
    let silence = json!({ "id": "silence", "label": "Silence", "choices": choices });
    json!({ "state": "firing", "title": title, "text": "The disk is **full**.", "actions": [acknowledge, silence],
        "link": { "url": "https://oncall.example.com/i/1", "label": "Open" } })
}

#[tokio::test(flavor = "multi_thread")]
async fn from_setup_to_deletion_with_a_restart_and_another_key_in_between() {
    let mut world = World::begin().await;
    let post = world.deliver("incident-1", with_button("Disk full")).await;
    assert!(post.text().contains("Disk full") && post.text().contains("The disk is **full**."), "{}", post.text());
    assert_eq!(post.links(), ["https://oncall.example.com/i/1"]);
    assert_eq!(post.root, None, "a message starts a thread");

    // After a restart, and with a key that Chatport hasn't seen, the button works.
    assert!(world.chatport.stop().await);
    world.chatport.restart().await;
    world.teams.rotate_key(true);
    let taken = json!({ "state": "acknowledged", "title": "Disk full (taken)" });
    world.application.answer(move |event| match event["type"].as_str() {
        Some("action.invoked") => (200, json!({ "notice": "It is yours.", "content": taken, "revision": 2 })),
        _ => (200, Value::Null),
    });
    let press = world.teams.presses("Ada", &post.id, "Acknowledge", json!({}), false);
    let answered = world.bot.deliver(&press).await;
    assert_eq!(answered.body["type"], "application/vnd.microsoft.card.adaptive", "{}", answered.text);
    let card = answered.body["value"].to_string();
    assert!(card.contains("Disk full (taken)") && card.contains("It is yours."), "{card}");
    let event = world.application.hears("action.invoked", 0).await;
    assert_eq!(
        (&event["data"]["user"], &event["data"]["action"], &event["data"]["account"]["display_name"]),
        (&json!("u-ada"), &json!("ack"), &json!("Ada"))
    );

    // For everybody else the post is edited, in its place.
    let edited = world.shown("incident-1").await;
    assert_eq!((edited.id.as_str(), edited.edits), (post.id.as_str(), 1));
    assert!(edited.text().contains("Disk full (taken)") && edited.buttons().is_empty(), "{}", edited.text());

    // The same press again is the same press.
    let again = world.bot.deliver(&press).await;
    assert_eq!(again.body["statusCode"], 200);
    assert_eq!(world.application.heard_of("action.invoked").len(), 1);

    world.acme.delete("messages/incident-1").await.expect(202);
    eventually("the post to be gone", || async {
        world.teams.posts(&world.channel()).iter().all(|found| found.id != post.id).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_sees_the_newest_revision_before_the_post_is_edited() {
    let world = World::begin().await;
    let post = world.deliver("incident", with_button("Disk full")).await;
    world.teams.fail_next(&format!("/activities/{}", post.id), Reply::too_many(600));
    let newer =
        json!({ "revision": 2, "targets": [{ "default": true }], "content": with_button("Disk is filling up") });
    world.acme.say("incident", newer).await;
    eventually("the edit to be held", || async {
        world.teams.asked().iter().any(|(method, _)| method == "PUT").then_some(())
    })
    .await;
    // Bob isn't linked, and reads all the same.
    let shown = world.bot.deliver(&world.teams.refreshes("Bob", &post.id)).await;
    assert_eq!(shown.body["type"], "application/vnd.microsoft.card.adaptive", "{}", shown.text);
    assert!(shown.body["value"].to_string().contains("Disk is filling up"), "{}", shown.text);

    // In another conversation the same question is nobody's.
    let mut elsewhere = world.teams.refreshes("Bob", &post.id);
    elsewhere["conversation"]["id"] = world.teams.channel_id("Operations", "General").into();
    let refused = world.bot.deliver(&elsewhere).await;
    assert_eq!(refused.body["statusCode"], 400, "{}", refused.text);
    assert!(world.application.heard_of("action.invoked").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_threads_of_one_channel_are_never_mixed() {
    let world = World::begin().await;
    let log = |text: &str| json!([{ "id": "l1", "text": text }]);
    let (first, second) =
        (world.deliver("one", with_button("First")).await, world.deliver("two", with_button("Second")).await);
    for (key, title) in [("one", "First"), ("two", "Second")] {
        let message = json!({ "revision": 2, "targets": [{ "default": true }], "content": { "title": title },
            "log": log(&format!("log of {title}")) });
        world.acme.say(key, message).await;
        world.acme.delivered(key).await;
    }
    for (root, title) in [(&first, "First"), (&second, "Second")] {
        let replies = world.teams.posts(&world.channel()).into_iter();
        let replies: Vec<Post> = replies.filter(|post| post.root.as_deref() == Some(&root.id)).collect();
        assert_eq!(replies.len(), 1, "{replies:?}");
        assert_eq!(replies[0].text(), format!("log of {title}"));
        let shown = world.shown(if title == "First" { "one" } else { "two" }).await;
        assert!(shown.id == root.id && shown.text().contains(title), "{}", shown.text());
    }
    // Somebody writes below the second: the application hears of which message.
    let written = world.teams.mentions("Ada", INCIDENTS, Some(&second.id), "on my way");
    world.bot.deliver(&written).await;
    let reply = world.application.hears("reply.posted", 0).await;
    assert_eq!((&reply["data"]["message"], &reply["data"]["text"]), (&json!("two"), &json!("on my way")));
    // In a thread that somebody else began, it is for the application as anywhere else.
    let written = world.teams.mentions("Ada", INCIDENTS, Some("1700000000000"), "who is on call");
    world.bot.deliver(&written).await;
    let asked = world.application.hears("command.invoked", 0).await;
    assert_eq!((&asked["data"]["text"], &asked["data"]["user"]), (&json!("who is on call"), &json!("u-ada")));
    assert!(world.bot.last_said(&world.channel()).starts_with("I show messages of OnCall."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_written_to_and_presses_in_every_client() {
    let world = World::begin().await;
    let chat = world.teams.personal_chat("Ada");
    let message = json!({ "revision": 1, "targets": [{ "user": "u-ada" }], "content": with_button("For you") });
    world.acme.say("page", message).await;
    world.acme.delivered("page").await;
    let post = world.teams.posts(&chat).into_iter().next_back().expect("a post");
    assert!(post.text().contains("For you"));

    // A menu, by a client that knows universal actions.
    let none = world.teams.presses("Ada", &post.id, "Silence", json!({}), false);
    assert_eq!(world.bot.deliver(&none).await.body["value"], "Choose an entry first.");
    let chosen = world.teams.presses("Ada", &post.id, "Silence", json!({ "c1": "1d" }), false);
    assert_eq!(world.bot.deliver(&chosen).await.body["value"], "Recorded.");
    let event = world.application.hears("action.invoked", 0).await;
    assert_eq!((&event["data"]["action"], &event["data"]["choice"]), (&json!("silence"), &json!("1d")));

    // A button, by one that doesn't: the answer is a message.
    world.application.answer(|_| (200, json!({ "notice": "Thanks, Ada." })));
    let press = world.teams.presses("Ada", &post.id, "Acknowledge", json!({}), true);
    assert_eq!(world.bot.deliver(&press).await.text, "");
    assert_eq!(world.bot.last_said(&chat), "Thanks, Ada.");

    // Somebody who isn't linked, and who sees the card all the same.
    world.bot.deliver(&world.teams.installs("Bob", true)).await;
    let post = world.deliver("incident", with_button("Disk full")).await;
    let press = world.teams.presses("Bob", &post.id, "Acknowledge", json!({}), false);
    assert!(text(&world.bot.deliver(&press).await.body, "value").starts_with("You aren't linked to OnCall."));
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_count_where_they_belong() {
    let world = World::begin().await;
    let chat = world.teams.personal_chat("Bob");
    world.bot.deliver(&world.teams.installs("Bob", true)).await;

    // A user's code where others can read it is void.
    let code = world.acme.user_code(&world.bot.installation, "u-bob").await;
    let posted = world.teams.mentions("Bob", INCIDENTS, None, &format!("link {}", text(&code, "code")));
    world.bot.deliver(&posted).await;
    assert!(world.bot.last_said(&world.channel()).starts_with("Others could read that code"));
    world.bot.deliver(&world.teams.says("Bob", &format!("link {}", text(&code, "code")))).await;
    assert!(world.bot.last_said(&chat).starts_with("This code isn't valid"));

    // A channel's code where there is no channel; then in a group chat.
    let code = text(&world.acme.channel_code(&world.bot.installation).await, "code");
    world.bot.deliver(&world.teams.says("Bob", &format!("link {code}"))).await;
    assert!(world.bot.last_said(&chat).starts_with("This code is for a channel"));
    world.teams.add_chat("War-Room", &["Ada", "Bob"]);
    world.bot.deliver(&world.teams.mentions_in_chat("Bob", "War-Room", &format!("linkTeam {code}"))).await;
    let channels = world.acme.channels().await;
    assert_eq!(channels.len(), 2, "{channels:?}");

    // Somebody who isn't there did nothing, whatever the body says.
    let code = text(&world.acme.user_code(&world.bot.installation, "u-bob").await, "code");
    let mut forged = world.teams.says("Bob", &format!("link {code}"));
    forged["from"]["id"] = "29:1mallory".into();
    assert_eq!(world.teams.deliver(&world.bot.endpoint, &forged).await.status, 403);
    world.bot.deliver(&world.teams.says("Bob", &format!("linkUser {code}"))).await;
    assert_eq!(world.bot.last_said(&chat), "You are linked to user u-bob of OnCall.");
    world.bot.deliver(&world.teams.says("Bob", "unlink")).await;
    assert_eq!(world.bot.last_said(&chat), "You aren't linked to OnCall any more.");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_teams_takes_away_is_noticed_and_what_it_refuses_has_its_code() {
    let world = World::begin().await;
    world.teams.block("Ada", true);
    let message = json!({ "revision": 1, "targets": [{ "user": "u-ada" }], "content": { "title": "x" } });
    world.acme.say("blocked", message).await;
    let blocked = world.acme.settles("blocked", "dead").await;
    assert_eq!(blocked["copies"][0]["code"], "recipient_blocked_bot");

    // Held as long as Teams asks, then delivered.
    world.teams.fail_next("/v3/conversations", Reply::too_many(1));
    world.deliver("slow", with_button("Slow")).await;

    // What is documented as worth another try gets one.
    for status in [412, 502, 504] {
        let key = format!("again-{status}");
        world.teams.fail_next("/v3/conversations", Reply::error(status, "ServiceError", "try again"));
        world.deliver(&key, with_button(&key)).await;
    }

    // The service moves: the next message goes where it was heard from last.
    world.teams.move_to("amer");
    world.bot.deliver(&world.teams.mentions("Ada", INCIDENTS, None, "hello")).await;
    world.deliver("moved", with_button("Moved")).await;
    let asked = world.teams.asked();
    let (_, path) =
        asked.iter().rfind(|(method, path)| method == "POST" && path.ends_with("/v3/conversations")).expect("one");
    assert!(path.starts_with("/amer/"), "{path}");
    let newer = json!({ "revision": 2, "targets": [{ "default": true }], "content": { "title": "Not slow any more" } });
    world.acme.say("slow", newer).await;
    world.shown("slow").await;
    let (_, path) = world.teams.asked().into_iter().rfind(|(method, _)| method == "PUT").expect("an edit");
    assert!(path.starts_with("/amer/"), "what was posted before is edited there too: {path}");

    // The app is taken out of the team.
    world.bot.deliver(&world.teams.installs_in_team("Bob", "Operations", false)).await;
    world
        .acme
        .say("out", json!({ "revision": 1, "targets": [{ "default": true }], "content": { "title": "x" } }))
        .await;
    let out = world.acme.settles("out", "dead").await;
    assert_eq!(out["copies"][0]["code"], "bot_not_in_channel", "{out}");

    // The kept access token is refused: another one is asked for at once.
    world.teams.block("Ada", false);
    world.teams.revoke_tokens();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    world.bot.deliver(&world.teams.says("Ada", "help")).await;
    assert!(world.bot.last_said(&world.teams.personal_chat("Ada")).starts_with("I show messages of OnCall."));
}

#[tokio::test(flavor = "multi_thread")]
async fn setup_says_which_field_is_wrong_and_a_stranger_learns_nothing() {
    let teams = FakeTeams::start(Options::default()).await;
    let chatport = chatport_beside(&[&teams.url()], &[]).await;
    let acme = Organization::create(&chatport.client(), "acme").await;
    let begun = acme.install("msteams", teams.settings()).await;
    let installation = text(&begun, "id");
    let options = teams.options();
    let right = json!({ "app_id": options.app_id, "tenant_id": options.tenant_id, "client_secret": options.secret });
    let uuid = "00000000-0000-4000-8000-000000000001";
    for (field, wrong) in [("app_id", "x"), ("app_id", uuid), ("tenant_id", uuid), ("client_secret", "wrong")] {
        let mut fields = right.clone();
        fields[field] = wrong.into();
        let refused = acme.submit(&installation, fields).await.expect(422);
        assert!(refused.to_string().contains(field), "{field}: {refused}");
    }
    let bot = connect(&acme, &teams, teams.settings()).await;

    // The package has what the manifest names; with another key it looks like one of nobody.
    let package = chatport.client().anonymous().get(&bot.package).await;
    assert_eq!(
        (package.status, &package.headers["content-type"]),
        (StatusCode::OK, &"application/zip".parse().expect("a type"))
    );
    for name in ["manifest.json", "color.png", "outline.png", &options.app_id] {
        assert!(package.text.contains(name), "{name}");
    }
    let slot = bot.endpoint.split('/').nth(5).expect("a slot").to_owned();
    let wrong = format!("{}x", bot.package);
    let unknown = wrong.replace(&slot, "0123456789abcdef0123456789abcdef");
    let (wrong, unknown) =
        (chatport.client().anonymous().get(&wrong).await, chatport.client().anonymous().get(&unknown).await);
    assert_eq!((wrong.status, &wrong.text), (unknown.status, &unknown.text));
    assert_eq!(wrong.status, StatusCode::NOT_FOUND);

    // A genuine token at a slot of nobody, and one of another bot here, look alike.
    let (nobodys, activity) =
        (bot.endpoint.replace(&slot, "0123456789abcdef0123456789abcdef"), teams.says("Ada", "help"));
    let mut claims = teams.claims();
    claims["aud"] = uuid.into();
    let foreign = format!("Bearer {}", teams.token(&claims, &Value::Null));
    let here = teams.deliver_with(&bot.endpoint, &foreign, &activity).await;
    let there = teams.deliver(&nobodys, &activity).await;
    assert_eq!((here.status, &here.text), (there.status, &there.text));
    assert_eq!(here.status, 401);
}
