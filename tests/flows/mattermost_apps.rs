//! Mattermost as an app of the Apps plugin, end to end over real HTTP: the public manifest,
//! the install that only an administrator with the right secret can complete, commands, the
//! bot's short sessions, uninstalling; and the ways past the plugin that lead nowhere.

use std::time::Duration;

use chatport_fake_mattermost::{AppsOutcome, FakeMattermost, Options, RawCall, SentRequest, sign_app_jwt};
use chatport_tests::{
    application::Application,
    database::execute,
    eventually,
    mattermost::chatport_beside,
    organization::{Organization, text},
    program::Chatport,
};
use serde_json::{Value, json};

/// Lets the bot's session run out by Chatport's clock.
const EXPIRE_SESSION: &str = "UPDATE tokens SET expires_at = 1 WHERE kind = 'bot_access_token'";
/// Lets it be two minutes old.
const AGE_SESSION: &str = "UPDATE tokens SET created_at = created_at - 120000000 WHERE kind = 'bot_access_token'";

/// Everything at hand, before anybody has begun to set the app up.
struct World {
    chatport: Chatport,
    server: FakeMattermost,
    application: Application,
    acme: Organization,
}

/// What an installation's steps show to the administrator.
struct Shown {
    installation: String,
    manifest_url: String,
    secret: String,
}

impl Shown {
    fn of(installation: &Value) -> Self {
        let steps = installation["steps"].as_array().expect("steps");
        let value = |kind: &str, name: &str| {
            let step =
                steps.iter().find(|step| step["kind"] == kind).unwrap_or_else(|| panic!("no {kind} in {steps:?}"));
            text(&step[name], "value")
        };
        let command = value("run_command", "command");
        Self {
            installation: text(installation, "id"),
            manifest_url: command.strip_prefix("/apps install http ").expect("the command").to_owned(),
            secret: value("copy_value", "value"),
        }
    }

    /// The address of something of the installation.
    fn at(&self, path: &str) -> String {
        self.manifest_url.replace("/manifest.json", path)
    }
}

impl World {
    async fn begin() -> Self {
        let server = FakeMattermost::start(Options::with_apps()).await;
        let chatport = chatport_beside(&server, &[]).await;
        let application = Application::subscribed(&chatport.client()).await;
        let acme = Organization::create(&chatport.client(), "acme").await;
        Self { chatport, server, application, acme }
    }

    /// Change rows behind the program's back, and something of the organization by the API: so
    /// it reads anew what it knew.
    async fn change(&self, sql: &str) {
        execute(&self.chatport.database_file(), sql).await;
        Organization::create(&self.acme.api, &self.acme.id).await;
    }

    /// Begin to set an app up.
    async fn set_up(&self) -> Shown {
        Shown::of(&self.acme.install("mattermost", json!({ "site_url": self.server.url(), "mode": "apps" })).await)
    }

    /// Set up and installed, with the bot in the team.
    async fn installed() -> (Self, Shown, AppsOutcome) {
        let world = Self::begin().await;
        let shown = world.set_up().await;
        let outcome = world.install("sysadmin", &shown).await;
        assert!(outcome.ok && outcome.text.contains("OnCall is connected"), "{}", outcome.text);
        world.acme.becomes(&shown.installation, "active").await;
        world.server.join_team("acme", &outcome.bot_user_id);
        (world, shown, outcome)
    }

    async fn install(&self, admin: &str, shown: &Shown) -> AppsOutcome {
        self.server.apps_install_http(admin, &shown.manifest_url, &shown.secret).await
    }

    async fn state(&self, shown: &Shown) -> String {
        text(&self.acme.installation(&shown.installation).await, "state")
    }

    /// A call straight to the app, past the plugin, with a token made with this secret.
    async fn forge(&self, shown: &Shown, path: &str, secret: &str, acting: &str, body: &Value) -> Value {
        let expires = self.server.now_ms() / 1000 + 900;
        let token = format!("Bearer {}", sign_app_jwt(secret, acting, expires));
        let headers = [("Content-Type", "application/json"), ("Mattermost-App-Authorization", token.as_str())];
        let answer = self.server.send_raw("POST", &shown.at(path), &headers, body.to_string().as_bytes()).await;
        json!({ "status": answer.status, "body": answer.body, "text": answer.json()["text"], "type": answer.json()["type"] })
    }

    /// Send a request of the plugin once more, as it was.
    async fn replay(&self, sent: &SentRequest, body: &str) -> Value {
        let token = sent.header("Mattermost-App-Authorization").to_owned();
        let headers = [("Content-Type", "application/json"), ("Mattermost-App-Authorization", token.as_str())];
        let answer = self.server.send_raw("POST", &sent.url, &headers, body.as_bytes()).await;
        answer.json()
    }

    /// Link a person by the app's command.
    async fn link(&self, shown: &Shown, person: &str, user: &str) {
        let code = self.acme.user_code(&shown.installation, user).await;
        let typed = format!("/oncall link {}", text(&code, "code"));
        let outcome = self.server.apps_command(person, "town-square", &typed).await;
        assert!(outcome.is_ok() && outcome.text.contains("You are linked"), "{}", outcome.text);
    }

    /// Connect a channel by the app's command.
    async fn connect(&self, shown: &Shown, person: &str, channel: &str) {
        let code = self.acme.channel_code(&shown.installation).await;
        let typed = format!("/oncall link {}", text(&code, "code"));
        let outcome = self.server.apps_command(person, channel, &typed).await;
        assert!(outcome.is_ok() && outcome.text.contains("is linked to OnCall"), "{}", outcome.text);
    }

    async fn say(&self, key: &str, title: &str) {
        let message = json!({ "revision": 1, "targets": [{ "default": true }], "content": { "title": title } });
        self.acme.say(key, message).await;
    }
}

/// The plugin's tokens count seconds, and each lets an administrator install once.
async fn a_second_passes() {
    tokio::time::sleep(Duration::from_millis(1_100)).await;
}

/// The plugin's call to install, among what it sent.
fn install_call(outcome: &AppsOutcome) -> SentRequest {
    outcome.sent.iter().find(|sent| sent.url.ends_with("/install")).expect("the call").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_manifest_is_public_says_nothing_of_whom_it_is_for_and_looks_alike_for_every_slot() {
    let world = World::begin().await;
    let shown = world.set_up().await;
    let stranger = world.chatport.client().anonymous();
    let manifest = stranger.get(&shown.manifest_url).await;
    assert_eq!(manifest.status, 200);
    let document = manifest.json();
    assert_eq!((&document["http"]["use_jwt"], &document["http"]["root_url"]), (&json!(true), &json!(shown.at(""))));
    assert_eq!(document["display_name"], "OnCall");
    for hidden in ["acme", &shown.installation, &shown.secret] {
        assert!(!manifest.text.contains(hidden) && !shown.manifest_url.contains(hidden), "{hidden}");
    }
    // A slot that doesn't exist has a manifest, too, that differs in nothing but the slot.
    let slot = shown.manifest_url.rsplit('/').nth(1).expect("a slot").to_owned();
    let unknown = "0123456789abcdef0123456789abcdef";
    let other = stranger.get(&shown.manifest_url.replace(&slot, unknown)).await;
    let app_id = |document: &Value| text(document, "app_id");
    let as_known = other.text.replace(unknown, &slot).replace(&app_id(&other.json()), &app_id(&document));
    assert_eq!((other.status, as_known), (manifest.status, manifest.text));
    // And what needs the secret answers a stranger in the same bytes at both.
    for path in ["/ping", "/install", "/bindings", "/command/link", "/webhook/refresh", "/nothing"] {
        let call = json!({ "path": path });
        let known = world.forge(&shown, path, "wrong", "", &call).await;
        let there = Shown {
            manifest_url: shown.manifest_url.replace(&slot, unknown),
            installation: String::new(),
            secret: String::new(),
        };
        assert_eq!(known, world.forge(&there, path, "wrong", "", &call).await, "{path}");
        assert_eq!((&known["status"], &known["body"]), (&json!(401), &json!("unauthorized")), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_installs_with_the_secret_that_was_shown_and_with_no_other() {
    let world = World::begin().await;
    let shown = world.set_up().await;
    // The secret is shown once, and the steps say until when it is good.
    let read = world.acme.installation(&shown.installation).await;
    assert!(!read.to_string().contains(&shown.secret));
    assert!(read["window_until"].is_string());

    let wrong = world.server.apps_install_http("sysadmin", &shown.manifest_url, "0123456789abcdef").await;
    assert!(
        !wrong.ok && wrong.text.contains("/ping path is not accessible") && wrong.text.ends_with("unauthorized"),
        "{}",
        wrong.text
    );
    assert_eq!(world.state(&shown).await, "pending");

    let outcome = world.install("sysadmin", &shown).await;
    assert!(outcome.ok && outcome.text.contains("OnCall is connected"), "{}", outcome.text);
    let installed = world.acme.becomes(&shown.installation, "active").await;
    assert_eq!(
        (&installed["identity"]["account"], &installed["identity"]["server"], &installed["steps"]),
        (&json!(outcome.bot_user_id), &json!(world.server.url()), &json!([]))
    );
    let told = world.application.hears("installation.activated", 0).await;
    assert_eq!(
        (&told["organization"], &told["data"]["installation"]["id"]),
        (&json!("acme"), &json!(shown.installation))
    );
    let probed = world.acme.get(&format!("installations/{}?probe=true", shown.installation)).await.expect(200);
    let health = &probed["health"]["last_probe"];
    assert_eq!(
        (&health["can_post"], &health["can_receive"], &health["missing"]),
        (&json!(true), &json!(true), &json!([]))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_install_after_its_time_is_refused() {
    let world = World::begin().await;
    let shown = world.set_up().await;
    world.change("UPDATE installations SET window_until = 1").await;
    let late = world.install("sysadmin", &shown).await;
    assert!(late.text.contains("The time for installing is over"), "{}", late.text);
    assert_eq!(world.state(&shown).await, "pending");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_merely_knows_the_secret_cannot_install() {
    let world = World::begin().await;
    let shown = world.set_up().await;
    // What a real install looks like, taken from another organization's.
    let globex = Organization::create(&world.chatport.client(), "globex").await;
    let theirs =
        Shown::of(&globex.install("mattermost", json!({ "site_url": world.server.url(), "mode": "apps" })).await);
    let real = install_call(&world.install("sysadmin", &theirs).await).json();
    let app_id = text(&world.chatport.client().get(&shown.manifest_url).await.json(), "app_id");
    let (mallory, admin) = (world.server.user_id("mallory"), world.server.user_id("sysadmin"));
    let forged = |acting: &str, token: String| {
        let mut body = real.clone();
        let context = &mut body["context"];
        context["app_path"] = format!("/plugins/com.mattermost.apps/apps/{app_id}").into();
        context["app"]["app_id"] = app_id.as_str().into();
        context["acting_user"]["id"] = acting.into();
        context["acting_user_access_token"] = token.into();
        body
    };
    let own = world.server.login("mallory");
    let as_herself = forged(&mallory, own.clone());
    let answer = world.forge(&shown, "/install", &shown.secret, &mallory, &as_herself).await;
    assert_eq!(answer["text"], "Only a system administrator can do that.");
    let as_admin = forged(&admin, own);
    for (acting, words) in
        [(&admin, "Mattermost doesn't confirm who you are."), (&mallory, "The call doesn't say who you are.")]
    {
        assert_eq!(world.forge(&shown, "/install", &shown.secret, acting, &as_admin).await["text"], words);
    }
    // The other organization's secret opens nothing here.
    let answer =
        world.forge(&shown, "/install", &theirs.secret, &admin, &forged(&admin, world.server.login("sysadmin"))).await;
    assert_eq!(answer["status"], 401);
    // A call that names another server is refused, whoever makes it.
    let mut elsewhere = forged(&admin, world.server.login("sysadmin"));
    elsewhere["context"]["mattermost_site_url"] = "https://evil.example.com".into();
    let answer = world.forge(&shown, "/install", &shown.secret, &admin, &elsewhere).await;
    assert!(text(&answer, "text").contains("site-url-mismatch"), "{answer}");
    assert_eq!(world.state(&shown).await, "pending");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_install_counts_once() {
    let (world, shown, outcome) = World::installed().await;
    let call = install_call(&outcome);
    let before = world.acme.installation(&shown.installation).await;
    let again = world.replay(&call, &call.body).await;
    assert_eq!(again["type"], "ok", "the same call gets the first answer: {again}");
    let mut other = call.json();
    other["context"]["user_agent"] = "another".into();
    other["context"]["app"]["webhook_secret"] = "aaaaaaaaaaaaaaaaaaaaaaaaaa".into();
    let refused = world.replay(&call, &other.to_string()).await;
    assert_eq!(refused["type"], "error", "{refused}");
    let after = world.acme.installation(&shown.installation).await;
    assert_eq!((&after["updated_at"], &after["identity"]), (&before["updated_at"], &before["identity"]));
    assert_eq!(world.acme.events_of("installation.activated").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_of_a_path_gets_past_the_plugin_and_the_host() {
    let (world, shown, outcome) = World::installed().await;
    let before = world.acme.installation(&shown.installation).await;
    let other_path = "The call came by another path than it says.";
    for (path, words) in [
        ("/%69nstall", other_path),
        ("/a/%2e%2e/install", other_path),
        ("/install%2f", other_path),
        ("/%75ninstall", other_path),
        ("/webhook%2frefresh", other_path),
        ("/command/%6cink", other_path),
        ("/webhook/refresh", "This call is for the plugin alone."),
        ("/no/such/path", "There is no such call."),
        // Out of the slot: what stands there isn't one.
        ("/%2e%2e/install", "not found"),
    ] {
        let everything = json!({ "app": "all", "acting_user": "+summary", "acting_user_access_token": "+all" });
        let raw = RawCall { path: path.into(), expand: everything, ..RawCall::default() };
        let answer = world.server.apps_raw_call("mallory", &outcome.app_id, raw).await;
        assert!(answer.sent.is_some(), "{path}: the plugin lets it pass");
        assert_eq!(answer.response.kind, "error", "{path}");
        assert!(answer.response.text.ends_with(words), "{path}: {}", answer.response.text);
    }
    // Straight to the host, where the body says another path than the request.
    let sysadmin = world.server.user_id("sysadmin");
    let body = install_call(&outcome).body.replace("\"/install\"", "\"/%69nstall\"");
    let body: Value = serde_json::from_str(&body).expect("JSON");
    let answer = world.forge(&shown, "/install", &shown.secret, &sysadmin, &body).await;
    assert_eq!(answer["text"], "The call came by another path than it says.");
    let after = world.acme.installation(&shown.installation).await;
    assert_eq!((&after["updated_at"], &after["state"]), (&before["updated_at"], &json!("active")));
}

#[tokio::test(flavor = "multi_thread")]
async fn people_link_themselves_and_channels_by_the_apps_command() {
    let (world, shown, outcome) = World::installed().await;
    let server = &world.server;
    // The same bindings for everybody, everywhere.
    let mut seen = Vec::new();
    for (person, channel) in [("alice", "incidents"), ("mallory", "town-square"), ("sysadmin", "globex/ops")] {
        let outcome = server.apps_bindings(person, channel).await;
        assert!(outcome.problems.is_empty(), "{:?}", outcome.problems);
        seen.push(outcome.sent.last().expect("asked").answer.clone());
    }
    assert!(seen.iter().all(|answer| *answer == seen[0]), "{seen:?}");

    assert!(server.apps_command("alice", "town-square", "/oncall help").await.text.contains("/oncall link CODE"));
    world.link(&shown, "alice", "u-alice").await;
    let link = world.application.hears("account.linked", 0).await["data"]["link"].clone();
    assert_eq!((&link["user"], &link["account"]["id"]), (&json!("u-alice"), &json!(server.user_id("alice"))));
    let wrong = server.apps_command("bob", "town-square", "/oncall link AAAA-BBBB-CCCC").await;
    assert_eq!(
        (wrong.kind.as_str(), wrong.text.as_str()),
        ("error", "This code isn't valid, or not any more. Ask OnCall for a new one.")
    );

    // A channel can be connected where the bot can post.
    server.leave_team("acme", &outcome.bot_user_id);
    let code = world.acme.channel_code(&shown.installation).await;
    let early = server.apps_command("alice", "alerts", &format!("/oncall link {}", text(&code, "code"))).await;
    assert!(early.text.contains("The bot must be in its team"), "{}", early.text);
    server.join_team("acme", &outcome.bot_user_id);
    world.connect(&shown, "alice", "alerts").await;
    let channel = world.application.hears("channel.linked", 0).await["data"]["channel"].clone();
    assert_eq!((&channel["name"], &channel["is_default"]), (&json!("alerts"), &json!(true)));
    world.say("m1", "Disk full").await;
    let message = world.acme.delivered("m1").await;
    let post = server.post(message["copies"][0]["posts"][0].as_str().expect("a post")).expect("it is there");
    assert_eq!(post.channel_id, server.channel_id("alerts"));

    // Unlinking in another person's name: the secret alone proves nobody.
    let (alice, mallory) = (server.user_id("alice"), server.login("mallory"));
    let unlink = json!({ "path": "/command/unlink", "context": {
        "mattermost_site_url": server.url(), "acting_user": { "id": alice }, "acting_user_access_token": mallory } });
    let answer = world.forge(&shown, "/command/unlink", &shown.secret, &alice, &unlink).await;
    assert_eq!(answer["text"], "Mattermost doesn't confirm who you are.");
    assert_eq!(world.acme.accounts().await.len(), 1);
    assert!(server.apps_command("alice", "town-square", "/oncall unlink").await.is_ok());
    world.application.hears("account.unlinked", 0).await;
    assert_eq!(world.acme.accounts().await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_administrator_uninstalls_and_the_installation_then_waits_for_one() {
    let (world, shown, outcome) = World::installed().await;
    let server = &world.server;
    let (mallory, token) = (server.user_id("mallory"), server.login("mallory"));
    let call = json!({ "path": "/uninstall", "context": {
        "mattermost_site_url": server.url(), "acting_user": { "id": mallory }, "acting_user_access_token": token } });
    let answer = world.forge(&shown, "/uninstall", &shown.secret, &mallory, &call).await;
    assert_eq!(
        (&answer["type"], &answer["text"]),
        (&json!("error"), &json!("Only a system administrator can do that."))
    );
    let raw =
        RawCall { path: "/%75ninstall".into(), expand: json!({ "acting_user": "+summary" }), ..RawCall::default() };
    assert_eq!(server.apps_raw_call("mallory", &outcome.app_id, raw).await.response.kind, "error");
    assert_eq!(world.state(&shown).await, "active");

    let done = server.apps_uninstall("sysadmin", &outcome.app_id, false).await;
    assert!(done.ok, "{}", done.text);
    let suspended = world.acme.becomes(&shown.installation, "suspended").await;
    assert_eq!(suspended["problem"]["code"], "uninstalled");
    world.application.hears("installation.suspended", 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bots_session_is_renewed_by_the_plugin_when_it_has_run_out() {
    let (world, shown, outcome) = World::installed().await;
    let server = &world.server;
    world.connect(&shown, "alice", "alerts").await;
    let session = || server.app_session_token(&outcome.app_id, &outcome.bot_user_id).expect("a session");

    // It ran out by our own clock: a new one is asked for, comes by the webhook, is used.
    world.change(EXPIRE_SESSION).await;
    world.say("m1", "Disk full").await;
    world.acme.delivered("m1").await;
    let asked = format!("/plugins/com.mattermost.apps/apps/{}/webhook/refresh", outcome.app_id);
    assert_eq!(server.requests_to("POST", &asked).len(), 1);
    assert_eq!(world.acme.message("m1").await["copies"][0]["attempts"], 0, "waiting for it costs no attempt");

    // The server ended it early, some minutes on: the refusal leads to a new one, not to a
    // suspension.
    world.change(AGE_SESSION).await;
    let old = session();
    server.revoke_token(&old);
    server.apps_disable("sysadmin", &outcome.app_id).await;
    server.apps_enable("sysadmin", &outcome.app_id).await;
    world.say("m2", "Disk full again").await;
    world.acme.delivered("m2").await;
    assert_ne!(session(), old);
    assert_eq!(world.state(&shown).await, "active");
    assert_eq!(world.acme.events_of("installation.suspended").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_nobody_asked_for_is_not_taken() {
    let (world, shown, outcome) = World::installed().await;
    let before = world.server.app_session_token(&outcome.app_id, &outcome.bot_user_id);
    // Everybody who is told the webhook's address could call it; the nonce is ours alone.
    let url = world.server.app_webhook_url(&outcome.app_id, "refresh");
    let headers = [("Content-Type", "application/json")];
    world.server.send_raw("POST", &url, &headers, br#"{"nonce":"1.forged"}"#).await;
    let refused = eventually("the plugin to call", || async {
        world.server.sent().into_iter().find(|sent| sent.url.ends_with("/webhook/refresh") && sent.status.is_some())
    })
    .await;
    assert!(refused.answer.contains("Nobody here asked for this."), "{}", refused.answer);
    assert!(before.is_some());
    assert_eq!(world.state(&shown).await, "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn installing_again_with_a_new_secret_keeps_links_and_channels() {
    let (world, shown, first) = World::installed().await;
    world.link(&shown, "alice", "u-alice").await;
    world.connect(&shown, "alice", "alerts").await;
    let reauthorize = format!("installations/{}/reauthorize", shown.installation);
    for round in 0..2 {
        a_second_passes().await;
        let again = Shown::of(&world.acme.post(&reauthorize, json!({})).await.expect(200));
        assert_eq!(again.manifest_url, shown.manifest_url, "the address stays");
        assert_ne!(again.secret, shown.secret);
        // Until the app has been installed again, the present secret goes on working.
        assert!(world.server.apps_command("alice", "town-square", "/oncall help").await.is_ok());
        let outcome = world.install("sysadmin", &again).await;
        assert!(outcome.ok && outcome.text.contains("OnCall is connected"), "{}", outcome.text);
        assert_eq!((&outcome.app_id, &outcome.bot_user_id), (&first.app_id, &first.bot_user_id));
        assert_eq!(world.state(&shown).await, "active");
        assert!(world.server.apps_command("alice", "town-square", "/oncall help").await.is_ok());
        world.say(&format!("m{round}"), "Disk full").await;
        world.acme.delivered(&format!("m{round}")).await;
    }
    // Installing once more with the same secret: the plugin makes a new one for its webhook.
    a_second_passes().await;
    let outcome = world.server.apps_install_http("sysadmin", &shown.manifest_url, "").await;
    assert!(outcome.ok && outcome.text.contains("OnCall is connected"), "{}", outcome.text);
    world.change(EXPIRE_SESSION).await;
    world.say("m3", "Disk full").await;
    world.acme.delivered("m3").await;
    assert_eq!((world.acme.accounts().await.len(), world.acme.channels().await.len()), (1, 1));
    assert_eq!(world.acme.events_of("installation.activated").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_uninstalled_app_comes_back_by_reauthorizing() {
    let (world, shown, first) = World::installed().await;
    world.connect(&shown, "alice", "alerts").await;
    assert!(world.server.apps_uninstall("sysadmin", &first.app_id, false).await.ok);
    world.acme.becomes(&shown.installation, "suspended").await;
    world.say("m1", "Disk full").await;
    let reauthorize = format!("installations/{}/reauthorize", shown.installation);
    let again = Shown::of(&world.acme.post(&reauthorize, json!({})).await.expect(200));
    a_second_passes().await;
    let outcome = world.install("sysadmin", &again).await;
    assert!(outcome.ok && outcome.text.contains("OnCall is connected"), "{}", outcome.text);
    world.acme.becomes(&shown.installation, "active").await;
    world.acme.delivered("m1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picker_gets_a_fresh_session_of_the_bot_where_the_last_one_has_run_out() {
    let (world, shown, _) = World::installed().await;
    let path = format!("installations/{}/directory?kind=channels&query=town", shown.installation);
    world.change(EXPIRE_SESSION).await;
    let found = world.acme.get(&path).await.expect(200);
    assert_eq!(found["items"][0]["conversation"]["name"], "town-square");
}
