//! The application's own commands: made on the server, used by people, answered at once.

use std::time::Duration;

use chatport_fake_mattermost::{FakeMattermost, FaultKind, FaultRule, ForgedSlash, Options, Trigger};
use chatport_tests::{
    eventually,
    mattermost::{BOT, chatport_beside},
    organization::{Organization, text},
};
use serde_json::{Value, json};

use crate::World;

impl World {
    /// The world in which the bot may manage slash commands.
    async fn with_commands(declared: Value) -> Self {
        let world = Self::begin().await;
        world.server.make_team_admin("acme", BOT);
        world.declare(declared).await;
        world.synced().await;
        world
    }

    fn commands(&self) -> String {
        format!("installations/{}/commands", self.bot.installation)
    }

    async fn declare(&self, commands: Value) -> Value {
        self.acme.put(&self.commands(), json!({ "commands": commands })).await.expect(200)
    }

    /// Wait until the server has been told.
    async fn synced(&self) -> Value {
        eventually("the commands to be known", || async {
            Some(self.acme.get(&self.commands()).await.expect(200)).filter(|set| set["state"] == "synced")
        })
        .await
    }

    /// The declared commands on the server: name, description, hint.
    fn offered(&self) -> Vec<(String, String, String)> {
        let ours = self.server.commands("acme").into_iter().filter(|command| command.url.ends_with("/commands"));
        let shown = ours.map(|command| (command.trigger, command.auto_complete_desc, command.auto_complete_hint));
        let mut shown: Vec<_> = shown.collect();
        shown.sort();
        shown
    }

    /// How often commands were listed, made, changed or removed.
    fn calls(&self) -> usize {
        self.server.requests().iter().filter(|request| request.path.contains("/commands")).count()
    }

    fn uses(&self) -> usize {
        self.application.heard_of("command.invoked").len()
    }
}

fn status() -> Value {
    json!({ "name": "status", "description": "Says how things are", "hint": "[service]" })
}

fn offer(name: &str, description: &str, hint: &str) -> (String, String, String) {
    (name.into(), description.into(), hint.into())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declared_command_is_offered_used_and_answered_at_once() {
    let world = World::with_commands(json!([status()])).await;
    assert_eq!(world.offered(), [offer("status", "Says how things are", "[service]")]);
    world.application.answer(|event| match event["type"].as_str() {
        Some("command.invoked") => (200, json!({ "notice": "db-1 is well." })),
        _ => (200, Value::Null),
    });
    let said = world.server.slash("alice", "incidents", "/status db-1").await;
    assert_eq!((said.text.as_str(), said.in_channel), ("db-1 is well.", false));
    let event = world.application.hears("command.invoked", 0).await;
    let told = json!({
        "installation": world.bot.installation, "backend": "mattermost", "command": "status", "text": "db-1",
        "channel": world.acme.channel("incidents").await["id"], "user": "u-alice",
        "conversation": { "kind": "channel", "name": "incidents", "team": "acme" },
        "account": { "id": world.server.user_id("alice"), "username": "alice", "display_name": "" },
    });
    assert_eq!(event["data"], told);

    // Not linked: told how to, and the application hears nothing.
    let said = world.server.slash("bob", "incidents", "/status").await;
    assert!(said.text.starts_with("You aren't linked to OnCall."), "{}", said.text);
    assert_eq!(world.uses(), 1);

    // The application refuses, or is away: then it hears of it when it is back.
    world.application.answer(|event| match event["type"].as_str() {
        Some("command.invoked") => (403, json!({ "notice": "You are off duty." })),
        _ => (200, Value::Null),
    });
    assert_eq!(world.server.slash("alice", "incidents", "/status").await.text, "You are off duty.");
    world.application.answer(|event| match event["type"].as_str() {
        Some("command.invoked") => (503, Value::Null),
        _ => (200, Value::Null),
    });
    assert_eq!(world.server.slash("alice", "incidents", "/status later").await.text, "Recorded.");
    let known = world.uses();
    world.application.answer(|_| (200, Value::Null));
    assert_eq!(world.application.hears("command.invoked", known).await["data"]["text"], "later");
    // What was answered isn't told once more.
    assert_eq!(world.uses(), known + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_use_a_command_is_judged_before_the_application_is_asked() {
    let open = json!({ "name": "who", "description": "Says who is on call", "allow": "anyone" });
    let secret = json!({ "name": "drill", "description": "Rings the bell", "allow": { "users": ["u-bob"] } });
    let world = World::with_commands(json!([open, secret])).await;
    world.application.answer(|_| (200, json!({ "notice": "Done." })));
    assert_eq!(world.server.slash("bob", "town-square", "/who").await.text, "Done.");
    let event = world.application.hears("command.invoked", 0).await;
    assert_eq!((&event["data"]["user"], &event["data"]["channel"]), (&Value::Null, &Value::Null));
    assert_eq!(world.server.slash("alice", "town-square", "/drill").await.text, "This is for somebody else to use.");
    assert_eq!(world.uses(), 1);
    // A code that somebody pastes isn't passed on.
    let code = text(&world.acme.user_code(&world.bot.installation, "u-bob").await, "code");
    world.server.slash("bob", "town-square", &format!("/who {code}")).await;
    assert_eq!(world.application.hears("command.invoked", 1).await["data"]["text"], "…");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_is_called_only_when_something_has_changed_and_what_is_left_is_taken_away() {
    let world = World::with_commands(json!([status(), { "name": "who", "description": "Says who is on call" }])).await;
    let (before, calls) = (world.server.commands("acme"), world.calls());
    assert_eq!(
        world.declare(json!([status(), { "name": "who", "description": "Says who is on call" }])).await["state"],
        "synced"
    );
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(world.calls(), calls);

    world.declare(json!([{ "name": "status", "description": "Says how things stand" }])).await;
    world.synced().await;
    assert_eq!(world.offered(), [offer("status", "Says how things stand", "")]);
    let token = |commands: &[chatport_fake_mattermost::Command]| {
        commands.iter().find(|command| command.trigger == "status").map(|command| command.token.clone())
    };
    assert_eq!(token(&before), token(&world.server.commands("acme")), "it was changed, not made anew");
    assert_eq!(world.server.slash("alice", "incidents", "/status").await.text, "Recorded.");
    assert!(world.server.slash("alice", "incidents", "/oncall help").await.text.contains("/oncall link CODE"));

    // Set up anew: made again where somebody has removed them.
    let by_hand = world.server.commands("acme").into_iter().find(|command| command.trigger == "status");
    world.server.remove_command(&by_hand.expect("it is there").id);
    let path = format!("installations/{}/reauthorize", world.bot.installation);
    world.acme.post(&path, json!({})).await.expect(200);
    world.acme.submit(&world.bot.installation, json!({ "bot_token": world.bot.bot_token })).await.expect(200);
    eventually("the command to be there again", || async { (world.offered().len() == 1).then_some(()) }).await;
    world.synced().await;
    assert_eq!(world.server.slash("alice", "incidents", "/status").await.text, "Recorded.");

    // Removed: the command that a person made by hand is left alone.
    world.acme.delete(&format!("installations/{}", world.bot.installation)).await.expect(204);
    let left: Vec<String> = world.server.commands("acme").into_iter().map(|command| command.trigger).collect();
    assert_eq!(left, ["oncall"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_fails_is_told_again_and_a_missing_right_is_said_in_words() {
    let world = World::begin().await;
    // Bots lack the right, as a rule.
    world.declare(json!([status()])).await;
    let failed = eventually("the refusal", || async {
        Some(world.acme.get(&world.commands()).await.expect(200)).filter(|set| set["state"] == "failed")
    })
    .await;
    assert_eq!(failed["problem"]["code"], "permission_denied");
    assert!(text(&failed["problem"], "detail").contains("may not manage slash commands"), "{failed}");
    // With the right, asking once more is enough; a failure in between is tried again by itself.
    world.server.make_team_admin("acme", BOT);
    world.server.fault(FaultRule::once("POST", "/api/v4/commands", FaultKind::Status(503, "down".into())));
    assert_eq!(world.declare(json!([status()])).await["state"], "pending");
    world.synced().await;
    assert_eq!(world.offered().len(), 1);
    assert_eq!(world.server.requests_to("POST", "/api/v4/commands").len(), 2);
    // A second team in which it lacks the right, and a word that is taken: the rest works.
    world.server.join_team("globex", BOT);
    world.server.create_command("acme", "who", "http://127.0.0.1:1/other");
    world.declare(json!([status(), { "name": "who", "description": "Says who is on call" }])).await;
    let synced = world.synced().await;
    let missing: Vec<&str> = synced["missing"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert_eq!(missing.len(), 2, "{missing:?}");
    assert!(missing.contains(&"there is another command /who in the team acme"), "{missing:?}");
    assert!(missing.contains(&"the bot may not manage slash commands in the team globex"), "{missing:?}");
    assert_eq!(world.server.slash("alice", "incidents", "/status").await.text, "Recorded.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_use_that_nobody_made_does_nothing_and_all_look_alike() {
    let world = World::with_commands(json!([status()])).await;
    let good = world.server.slash("alice", "incidents", "/status").await;
    world.application.hears("command.invoked", 0).await;
    let token_of = |trigger: &str| {
        let commands = world.server.commands("acme").into_iter();
        commands.filter(|command| command.trigger == trigger).map(|command| command.token).next().expect("a command")
    };
    let (ours, linking) = (token_of("status"), token_of("oncall"));
    let hour = Duration::from_secs(3600);
    let forged = |command: &str, trigger: Trigger, token: Option<&str>, replace: &[(&str, String)]| ForgedSlash {
        team: "acme".into(),
        command: command.into(),
        user: "alice".into(),
        channel: "incidents".into(),
        trigger,
        token: token.map(str::to_owned),
        replace: replace.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        ..ForgedSlash::default()
    };
    let (bob, globex) = (world.server.user_id("bob"), world.server.team_id("globex"));
    let unknown = "a".repeat(26);
    for (what, forged) in [
        ("a token that nobody knows", forged("status", Trigger::Good, Some(&unknown), &[])),
        ("the token of the other command", forged("status", Trigger::Good, Some(&linking), &[])),
        ("our token for the other command", forged("oncall", Trigger::Good, Some(&ours), &[])),
        ("in another team", forged("status", Trigger::Good, None, &[("team_id", globex)])),
        ("in another person's name", forged("status", Trigger::Good, None, &[("user_id", bob)])),
        ("a stale trigger", forged("status", Trigger::Stale(hour), None, &[])),
        ("no trigger", forged("status", Trigger::Absent, None, &[])),
    ] {
        let answer = world.server.forge_slash(&forged).await;
        assert_eq!(answer.json()["text"], "This command could not be verified.", "{what}");
    }
    // The same use told twice is one use.
    let repeated = forged("status", Trigger::Seen(good.trigger_id.clone()), None, &[]);
    assert_eq!(world.server.forge_slash(&repeated).await.json()["text"], good.text);
    assert_eq!(world.uses(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_offered_is_refused_by_name() {
    let world = World::begin().await;
    let put = async |commands: Value| world.acme.put(&world.commands(), json!({ "commands": commands })).await;
    for (commands, pointer) in [
        (json!([status(), { "name": "Who", "description": "x" }]), "/commands/1/name"),
        (json!([status(), status()]), "/commands/1/name"),
        (json!([{ "name": "who", "description": "" }]), "/commands/0/description"),
        (json!([{ "name": "who", "description": "x", "colour": "red" }]), "/commands/0/colour"),
    ] {
        let refused = put(commands).await.expect(422);
        assert_eq!((&refused["type"], &refused["pointer"]), (&json!("/problems/invalid-body"), &json!(pointer)));
    }
    let refused = put(json!([{ "name": "oncall", "description": "x" }])).await.expect(422);
    assert!(text(&refused, "detail").contains("people link themselves"), "{refused}");
    let empty = world.acme.get(&world.commands()).await.expect(200);
    assert_eq!((&empty["commands"], &empty["state"]), (&json!([]), &json!("synced")));

    // Where Mattermost can't reach the host, and where another part of Mattermost has commands.
    let server = FakeMattermost::start(Options::default()).await;
    let chatport = chatport_beside(&server, &[]).await;
    let acme = Organization::create(&chatport.client(), "acme").await;
    let apps = acme.install("mattermost", json!({ "site_url": server.url(), "mode": "apps" })).await;
    let path = format!("installations/{}/commands", text(&apps, "id"));
    let refused = acme.put(&path, json!({ "commands": [status()] })).await.expect(422);
    assert_eq!(refused["field"], "mode");
}
