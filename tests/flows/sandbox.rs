//! The README's walk without a chat server: set up, link, connect, message, press, edit,
//! reply, unlink, delete; and what becomes of messages when the platform misbehaves.

use std::time::Duration;

use chatport_tests::{
    application::Application,
    eventually,
    organization::{Organization, items, tallies, text},
    program::Chatport,
    sandbox::Sandbox,
};
use serde_json::{Value, json};

/// A sandbox of an own organization with one linked person and one connected channel.
struct Walk {
    chatport: Chatport,
    application: Application,
    acme: Organization,
    installation: String,
    sandbox: Sandbox,
}

impl Walk {
    /// Set up, link Ada, connect `incidents`: each step as the README has it.
    async fn begin() -> Self {
        let chatport = Chatport::start(&["--demo=off", "--app-name=OnCall"]).await;
        let application = Application::subscribed(&chatport.client()).await;
        let acme = Organization::create(&chatport.client(), "acme").await;
        let made = acme.install("sandbox", json!({ "world": "acme" })).await;
        let installation = text(&made, "id");
        let code = acme.user_code(&installation, "u-ada").await;
        let sandbox = Sandbox::of_code(&code);
        sandbox.link("ada", &code).await;
        let code = acme.channel_code(&installation).await;
        sandbox.write("ada", "incidents", &format!("link {}", text(&code, "code"))).await;
        Self { chatport, application, acme, installation, sandbox }
    }

    /// Put a message for the default channel.
    async fn say(&self, key: &str, revision: i64, title: &str) {
        self.acme.say(key, incident(revision, "firing", title)).await;
    }
}

/// A message with a button, for the default channel.
fn incident(revision: i64, state: &str, title: &str) -> Value {
    let acknowledge = json!({ "id": "ack", "label": "Acknowledge", "style": "primary" });
    let content = json!({ "state": state, "title": title, "text": "The disk is **full**.", "actions": [acknowledge] });
    json!({ "revision": revision, "targets": [{ "default": true }], "content": content })
}

/// The same for a person, too.
fn incident_for_ada(revision: i64, state: &str, title: &str) -> Value {
    let mut message = incident(revision, state, title);
    message["targets"] = json!([{ "default": true }, { "user": "u-ada" }]);
    message
}

#[tokio::test(flavor = "multi_thread")]
async fn the_walk_from_nothing_to_a_deleted_message() {
    // Set up: an organization of one's own, and an installation that is active at once.
    let chatport = Chatport::start(&["--demo=off", "--app-name=OnCall"]).await;
    let application = Application::subscribed(&chatport.client()).await;
    let acme = Organization::create(&chatport.client(), "acme").await;
    let made = acme.install("sandbox", json!({ "world": "acme" })).await;
    let installation = text(&made, "id");
    assert_eq!((&made["state"], &made["steps"]), (&json!("active"), &json!([])));
    assert_eq!(made["identity"]["display_name"], "Sandbox (acme)");
    assert_eq!(application.hears("installation.activated", 0).await["data"]["installation"]["id"], installation);

    // Link a person: the code is shown with its steps, and entered in a direct message.
    let code = acme.user_code(&installation, "u-ada").await;
    let sandbox = Sandbox::of_code(&code);
    let told = sandbox.write("ada", "dm-ada", &format!("link {}", text(&code, "code"))).await;
    assert_eq!(
        (&told["outcome"], &told["reply"]["text"]),
        (&json!("linked"), &json!("Linked to user u-ada of OnCall"))
    );
    let linked = application.hears("account.linked", 0).await;
    let account = json!({ "id": "ada", "username": "ada", "display_name": "Ada Lovelace" });
    assert_eq!(
        (&linked["organization"], &linked["data"]["link"]["user"], &linked["data"]["link"]["account"]),
        (&json!("acme"), &json!("u-ada"), &account)
    );
    assert_eq!(acme.accounts().await, [linked["data"]["link"].clone()], "the list says what the event said");

    // Connect a channel: the first one is the default.
    let code = acme.channel_code(&installation).await;
    let told = sandbox.write("ada", "incidents", &format!("link {}", text(&code, "code"))).await;
    assert_eq!(told["outcome"], "linked");
    let connected = application.hears("channel.linked", 0).await["data"]["channel"].clone();
    assert_eq!((&connected["name"], &connected["is_default"]), (&json!("incidents"), &json!(true)));
    assert_eq!(acme.channels().await, std::slice::from_ref(&connected));

    // A message with a button, to the default channel and to the person.
    let accepted = acme.say("incident-1", incident_for_ada(1, "firing", "Disk full")).await;
    assert_eq!((&accepted["revision"], accepted["copies"].as_array().expect("copies").len()), (&json!(1), 2));
    acme.delivered("incident-1").await;
    let post = sandbox.post("incidents", "Disk full").await;
    assert_eq!((&post["state"], &post["buttons"][0]["label"]), (&json!("firing"), &json!("Acknowledge")));
    let direct = sandbox.post("dm-ada", "Disk full").await;

    // Press: answered at once with the application's notice and new content.
    let taken = json!({ "state": "acknowledged", "title": "Disk full (taken by Ada)" });
    application.answer(move |event| match event["type"].as_str() {
        Some("action.invoked") => (200, json!({ "notice": "It is yours.", "content": taken, "revision": 2 })),
        _ => (200, Value::Null),
    });
    let told = sandbox.press("ada", &text(&post, "id"), "ack").await;
    assert_eq!((&told["outcome"], &told["notice"]), (&json!("pressed"), &json!("It is yours.")));
    assert_eq!((&told["post"]["id"], &told["post"]["title"]), (&post["id"], &json!("Disk full (taken by Ada)")));
    let pressed = application.hears("action.invoked", 0).await["data"].clone();
    assert_eq!(
        (&pressed["user"], &pressed["action"], &pressed["message"], &pressed["revision"], &pressed["channel"]),
        (&json!("u-ada"), &json!("ack"), &json!("incident-1"), &json!(1), &connected["id"])
    );
    assert_eq!(acme.delivered("incident-1").await["revision"], 2, "the other copy follows");
    assert_eq!(sandbox.post("dm-ada", "Disk full (taken by Ada)").await["id"], direct["id"]);

    // Edit: a newer revision changes the post in place.
    acme.say("incident-1", incident_for_ada(3, "resolved", "Disk has room again")).await;
    acme.delivered("incident-1").await;
    let edited = sandbox.post("incidents", "Disk has room again").await;
    assert_eq!((&edited["id"], &edited["state"]), (&post["id"], &json!("resolved")));
    assert_eq!(sandbox.posts("incidents").await.len(), 1);

    // Reply: a line of the log stands in the thread, once.
    for revision in [4, 5] {
        let mut message = incident_for_ada(revision, "resolved", "Disk has room again");
        message["log"] = json!([{ "id": "l1", "text": "Ada emptied /tmp." }]);
        acme.say("incident-1", message).await;
        acme.delivered("incident-1").await;
    }
    let replies = sandbox.post("incidents", "Disk has room again").await["replies"].clone();
    assert_eq!(replies.as_array().expect("replies").len(), 1);
    assert_eq!(replies[0]["text"], "Ada emptied /tmp.");

    // A press by somebody who isn't linked: help for that person alone, and no event.
    let told = sandbox.press("grace", &text(&post, "id"), "ack").await;
    assert_eq!(
        (&told["outcome"], told["notice"].as_str().expect("help").contains("link CODE")),
        (&json!("not_linked"), true)
    );
    assert_eq!(acme.events_of("action.invoked").await.len(), 1);

    // Unlink: an event, and a tombstone for whoever keeps a copy of the list.
    let told = sandbox.write("ada", "dm-ada", "unlink").await;
    assert_eq!(told["outcome"], "unlinked");
    let unlinked = application.hears("account.unlinked", 0).await["data"]["link"].clone();
    assert_eq!(acme.accounts().await, Vec::<Value>::new());
    let since = text(&linked["data"]["link"], "updated_at");
    let changed = items(&acme.get(&format!("accounts?updated_after={since}")).await.expect(200));
    assert_eq!(changed, std::slice::from_ref(&unlinked));
    assert!(unlinked["unlinked_at"].is_string());

    // Delete: the posts are gone, the replies with them.
    acme.delete("messages/incident-1").await.expect(202);
    acme.settles("incident-1", "removed").await;
    assert_eq!(sandbox.posts("incidents").await, Vec::<Value>::new());
    assert_eq!(sandbox.posts("dm-ada").await, Vec::<Value>::new());
    let tallies = tallies(&chatport.client()).await;
    assert_eq!((tallies["in_flight"], tallies.get("dead")), (0, None));
}

/// The commands of a section of the README, one text for each block.
fn commands_of(section: &str) -> Vec<String> {
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once(&format!("\n## {section}\n")).expect("the section");
    let section = rest.split("\n## ").next().expect("the section");
    let blocks = section.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().expect("a block").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readmes_walk_can_be_pasted_and_shows_what_it_says() {
    let chatport = Chatport::start(&[]).await;
    let chat = chatport.demo_address();
    // What a reader fills in, at this Chatport's address.
    let fill_in = |line: &str| match line {
        line if line.starts_with("KEY=") => format!("KEY={}", chatport.api_key),
        line if line.starts_with("CHAT=") => format!("CHAT={chat}"),
        line => line.replace("http://127.0.0.1:8000", &chatport.url),
    };
    let mut script = String::from("set -u\n");
    for block in commands_of("Five minutes with the sandbox") {
        let lines: Vec<String> = block.lines().map(fill_in).collect();
        script += &format!("echo '=== next'\n{}\nsleep 0.5\n", lines.join("\n"));
    }
    let ended = tokio::process::Command::new("bash").arg("-c").arg(&script).output().await.expect("bash runs");
    let (out, error) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert_eq!(error, "");
    let answers: Vec<&str> = out.split("=== next\n").skip(2).collect();
    let expected: [&[&str]; 7] = [
        &["\"state\":\"active\""],
        &["Linked to user u-42 of Chatport"],
        &["This channel is connected as Incidents"],
        &["\"state\":\"pending\"", "\"id\": \"ack\""],
        &["\"notice\": \"Recorded", "\"outcome\": \"not_linked\"", "link CODE"],
        &["\"type\":\"action.invoked\"", "\"user\":\"u-42\""],
        &["Ada is on it", "\"history\"", "Acknowledged by Ada"],
    ];
    assert_eq!(answers.len(), expected.len(), "{out}");
    for (number, (answer, words)) in answers.iter().zip(expected).enumerate() {
        for word in words {
            assert!(answer.contains(word), "step {} shows no {word}:\n{answer}", number + 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_loopback_a_demo_waits_and_the_first_lines_show_the_way_to_it() {
    let mut chatport = Chatport::start(&[]).await;
    let shown = chatport.demo_address();
    let world = chatport.client().anonymous().get(&format!("{shown}/world")).await.expect(200);
    assert_eq!((&world["world"], &world["bot"]), (&json!("demo"), &json!("bot")));
    let demo = chatport.client().get("/v1/organizations/demo/installations").await.expect(200);
    assert_eq!((items(&demo).len(), &demo["items"][0]["state"]), (1, &json!("active")));
    // It is made once, and kept.
    assert!(chatport.stop().await);
    chatport.restart().await;
    assert_eq!(chatport.demo_address(), shown);
    let again = chatport.client().get("/v1/organizations/demo/installations").await.expect(200);
    assert_eq!((items(&again).len(), &again["items"][0]["id"]), (1, &demo["items"][0]["id"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_gets_a_guarded_page_that_hears_of_changes() {
    let chatport = Chatport::start(&[]).await;
    let (address, stranger) = (chatport.demo_address(), chatport.client().anonymous());
    let browser = [("accept", "text/html,*/*;q=0.8")];
    let page =
        async |address: String| stranger.try_raw(http::Method::GET, &address, &browser, "").await.expect("answered");
    // With and without a slash at the end.
    let shown = page(address.clone()).await;
    assert_eq!((shown.status.as_u16(), &shown.text), (200, &page(format!("{address}/")).await.text));
    assert!(shown.headers["content-security-policy"].to_str().expect("text").contains("script-src 'self';"));
    assert_eq!(shown.headers.get_all("x-content-type-options").iter().count(), 1);
    assert!(stranger.get(&address).await.expect(200)["sandbox"].is_array(), "a program gets the list");
    let unknown = address.replace(address.rsplit('/').next().expect("a slot"), &"0".repeat(32));
    let refused = [unknown.clone(), format!("{unknown}/page/page.js"), format!("{unknown}/events")];
    for address in refused {
        let (answer, plain) = (page(address).await, page(format!("{unknown}/world")).await);
        assert_eq!((answer.status, answer.text), (plain.status, plain.text));
    }
    // A change is told to whoever waits for one.
    let events = format!("{address}/events");
    let (seen, _) = stranger.follow(&events, &[]).await.next().await;
    let seen = [("last-event-id", seen.as_str())];
    let sandbox = Sandbox::at(&address);
    let (mut heard, _) = tokio::join!(stranger.follow(&events, &seen), sandbox.write("ada", "general", "hello"));
    assert_ne!(heard.next().await.0, seen[0].1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_signing_secret_signs_beside_the_old_one() {
    let walk = Walk::begin().await;
    let subscription = json!({ "url": walk.application.url, "rotate_secret": true });
    let rotated = walk.chatport.client().put("/v1/subscriptions/oncall", subscription).await.expect(200);
    // Whoever still trusts the old one goes on hearing; so does whoever trusts the new one.
    walk.say("m1", 1, "Disk full").await;
    walk.application.hears("message.delivered", 0).await;
    walk.application.trust(&text(&rotated, "secret"));
    walk.say("m2", 1, "Disk full again").await;
    walk.application.hears("message.delivered", 1).await;
    // Another secret fits nothing, and the secret isn't shown again.
    walk.application.trust("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    walk.say("m3", 1, "Disk full once more").await;
    walk.acme.delivered("m3").await;
    eventually("the event to be refused", || async { (walk.application.refused() > 0).then_some(()) }).await;
    assert_eq!(walk.application.heard_of("message.delivered").len(), 2);
    let listed = walk.chatport.client().get("/v1/subscriptions").await.expect(200);
    assert_eq!(listed["subscriptions"][0].get("secret"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_is_slow_to_answer_a_press_hears_of_it_all_the_same() {
    let walk = Walk::begin().await;
    walk.say("m1", 1, "Disk full").await;
    walk.acme.delivered("m1").await;
    let post = walk.sandbox.post("incidents", "Disk full").await;
    walk.application.takes(Duration::from_secs(5));
    let asked = tokio::time::Instant::now();
    let told = walk.sandbox.press("ada", &text(&post, "id"), "ack").await;
    assert!(asked.elapsed() < Duration::from_secs(5), "the presser doesn't wait for it: {:?}", asked.elapsed());
    assert!(text(&told, "notice").starts_with("Recorded."), "{told}");
    let stored = walk.acme.events_of("action.invoked").await;
    assert_eq!(stored.len(), 1, "it is on disk already");
    assert_eq!(walk.application.hears("action.invoked", 0).await, stored[0], "the same event, by its id too");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_reads_events_by_cursor_and_hears_them_as_a_stream() {
    let walk = Walk::begin().await;
    let api = walk.chatport.client();
    // By cursor: everything so far, then nothing, then only what is new.
    let first = api.get("/v1/events?after=0").await.expect(200);
    let kinds: Vec<&str> =
        first["items"].as_array().expect("items").iter().filter_map(|e| e["type"].as_str()).collect();
    assert_eq!(kinds, ["installation.activated", "account.linked", "channel.linked"]);
    let after = format!("/v1/events?after={}", first["next"]);
    assert_eq!(api.get(&after).await.expect(200)["items"], json!([]));
    // As a stream: from now on, and from a place in the past.
    let mut from_now = api.follow("/v1/events", &[]).await;
    walk.say("m1", 1, "Disk full").await;
    let (id, event) = from_now.next().await;
    assert_eq!((&event["type"], &event["data"]["message"]), (&json!("message.delivered"), &json!("m1")));
    let mut resumed = api.follow("/v1/events", &[("last-event-id", "2")]).await;
    assert_eq!(resumed.next().await.1["type"], "channel.linked");
    assert_eq!(resumed.next().await, (id, event.clone()));
    let news = api.get(&after).await.expect(200);
    assert_eq!(items(&news), std::slice::from_ref(&event));
    // The same event, signed, to the subscription.
    assert_eq!(walk.application.hears("message.delivered", 0).await, event);
}

#[tokio::test(flavor = "multi_thread")]
async fn long_lists_are_read_page_by_page() {
    let walk = Walk::begin().await;
    for person in ["grace", "linus"] {
        let code = walk.acme.user_code(&walk.installation, &format!("u-{person}")).await;
        walk.sandbox.link(person, &code).await;
    }
    let mut read = Vec::new();
    let mut path = "accounts?limit=1".to_owned();
    loop {
        let page = walk.acme.get(&path).await.expect(200);
        read.extend(items(&page));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("accounts?limit=1&cursor={next}");
    }
    assert_eq!(read, walk.acme.accounts().await);
    assert_eq!(read.len(), 3);
    assert_eq!(walk.acme.get("accounts?cursor=nonsense").await.expect(400)["type"], "/problems/invalid-cursor");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_platform_fails_once_is_tried_again() {
    let walk = Walk::begin().await;
    walk.sandbox.fault(json!({ "kind": "fail", "operation": "post" })).await;
    walk.say("m1", 1, "Disk full").await;
    let message = walk.acme.delivered("m1").await;
    let history = message["copies"][0]["history"].as_array().expect("history");
    let outcomes: Vec<&str> = history.iter().filter_map(|attempt| attempt["outcome"].as_str()).collect();
    assert_eq!(outcomes, ["retry", "delivered"]);
    assert_eq!(history[0]["code"], "platform_unavailable");
    walk.sandbox.post("incidents", "Disk full").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_does_not_become_a_second_post() {
    let walk = Walk::begin().await;
    walk.sandbox.fault(json!({ "kind": "lose_answer", "operation": "post" })).await;
    walk.say("m1", 1, "Disk full").await;
    let message = walk.acme.delivered("m1").await;
    assert_eq!(message["copies"][0]["history"][0]["outcome"], "unknown");
    let post = walk.sandbox.post("incidents", "Disk full").await;
    assert_eq!(message["copies"][0]["posts"], json!([post["id"]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_asks_for_patience_gets_it() {
    let walk = Walk::begin().await;
    walk.sandbox.fault(json!({ "kind": "rate_limit", "retry_after_seconds": 2, "operation": "post" })).await;
    walk.say("m1", 1, "Disk full").await;
    let held = eventually("the copy to be held", || async {
        Some(walk.acme.message("m1").await["copies"][0].clone()).filter(|copy| copy["code"] == "rate_limited")
    })
    .await;
    assert_eq!((&held["state"], &held["attempts"]), (&json!("pending"), &json!(0)), "waiting costs no attempt");
    walk.acme.delivered("m1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_credential_suspends_until_somebody_resumes() {
    let walk = Walk::begin().await;
    walk.sandbox.fault(json!({ "kind": "unauthorized", "times": 1000 })).await;
    walk.say("m1", 1, "Disk full").await;
    let suspended = walk.acme.becomes(&walk.installation, "suspended").await;
    assert_eq!(suspended["problem"]["code"], "installation_revoked");
    assert!(suspended["problem"]["cure"].is_string());
    let told = walk.application.hears("installation.suspended", 0).await;
    assert_eq!(told["data"]["installation"]["id"], walk.installation);
    // What is said meanwhile waits; the newest revision will count.
    walk.say("m1", 2, "Disk still full").await;
    assert_eq!(walk.acme.message("m1").await["copies"][0]["state"], "pending");
    walk.sandbox.mend().await;
    let resumed = walk.acme.post(&format!("installations/{}/resume", walk.installation), json!({})).await.expect(200);
    assert_eq!(resumed["state"], "active");
    walk.acme.delivered("m1").await;
    walk.sandbox.post("incidents", "Disk still full").await;
    assert_eq!(walk.sandbox.posts("incidents").await.len(), 1);
    tallies(&walk.chatport.client()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picker_shows_what_the_bot_can_see_and_connects_what_was_picked() {
    let walk = Walk::begin().await;
    let ask = async |rest: &str| {
        let path = format!("installations/{}/directory{rest}", walk.installation);
        items(&walk.acme.get(&path).await.expect(200))
    };
    let found = ask("?kind=channels").await;
    let seen: Vec<(&Value, &Value)> =
        found.iter().map(|entry| (&entry["conversation"]["name"], &entry["posting"])).collect();
    // The channel `private`, which the bot isn't in, isn't among them.
    let expected = [("incidents", "member"), ("general", "member"), ("archive", "archived")];
    let expected = expected.map(|(name, posting)| (json!(name), json!(posting)));
    assert_eq!(seen, expected.iter().map(|(name, posting)| (name, posting)).collect::<Vec<_>>());
    assert_eq!(ask("/resolve?name=private").await, Vec::<Value>::new());
    let general = ask("?kind=channels&query=GEN").await.remove(0);
    let request = json!({ "installation": walk.installation, "conversation": general["conversation"] });
    assert_eq!(walk.acme.post("channels", request).await.expect(201)["display_name"], "General");

    let path = format!("installations/{}/directory?kind=people&limit=2", walk.installation);
    let first = walk.acme.get(&path).await.expect(200);
    let second = walk.acme.get(&format!("{path}&cursor={}", text(&first, "next"))).await.expect(200);
    assert_eq!((second.get("next"), [items(&first), items(&second)].concat()), (None, ask("?kind=people").await));
    let ada =
        json!([{ "kind": "person", "account": { "id": "ada", "username": "ada", "display_name": "Ada Lovelace" } }]);
    assert_eq!(json!(ask("/resolve?email=ada@example.com").await), ada);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declared_command_is_a_message_that_starts_with_its_name() {
    let mut walk = Walk::begin().await;
    let path = format!("installations/{}/commands", walk.installation);
    let status = json!({ "name": "status", "description": "Says how things are", "hint": "[service]" });
    walk.acme.put(&path, json!({ "commands": [status] })).await.expect(200);
    eventually("the command to be known", || async {
        let set = walk.acme.get(&path).await.expect(200);
        (set["state"] == "synced").then_some(())
    })
    .await;
    walk.application.answer(|event| match event["type"].as_str() {
        Some("command.invoked") => (200, json!({ "notice": "db-1 is well." })),
        _ => (200, Value::Null),
    });
    // In a channel the answer is for the person alone; directly, the bot says it.
    let told = walk.sandbox.write("ada", "incidents", "/status db-1").await;
    assert_eq!((&told["outcome"], &told["notice"]), (&json!("answered"), &json!("db-1 is well.")));
    let event = walk.application.hears("command.invoked", 0).await;
    assert_eq!(
        (&event["data"]["command"], &event["data"]["text"], &event["data"]["user"]),
        (&json!("status"), &json!("db-1"), &json!("u-ada"))
    );
    let told = walk.sandbox.write("ada", "dm-ada", "/status").await;
    assert_eq!(told["reply"]["text"], "db-1 is well.");
    assert_eq!(walk.sandbox.write("grace", "incidents", "/status").await["outcome"], "not_linked");
    let help = text(&walk.sandbox.write("ada", "dm-ada", "help").await["reply"], "text");
    assert!(help.contains("`/status [service]`: Says how things are"), "{help}");
    // What isn't declared is talk in a channel, and free text for the bot.
    assert_eq!(walk.sandbox.write("ada", "incidents", "/lunch").await["outcome"], "not_for_bot");
    walk.sandbox.write("ada", "dm-ada", "/lunch").await;
    let event = walk.application.hears("command.invoked", 2).await;
    assert_eq!((&event["data"]["command"], &event["data"]["text"]), (&Value::Null, &json!("/lunch")));

    // A world that was lost with a restart passes on what may be a command.
    assert!(walk.chatport.stop().await);
    walk.chatport.restart().await;
    let told = walk.sandbox.write("ada", "incidents", "/status again").await;
    assert_eq!((&told["outcome"], &told["notice"]), (&json!("answered"), &json!("db-1 is well.")));
    assert_eq!(walk.sandbox.write("ada", "incidents", "/lunch").await["outcome"], "not_ours");
}
