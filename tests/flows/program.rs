//! The program as an operator and a stranger meet it: the first start, mistakes in the
//! configuration, the commands, the API's description, its refusals, its keys, and where
//! secrets must not be.

use std::{os::unix::fs::PermissionsExt, path::Path};

use chatport_fake_mattermost::{FakeMattermost, Options};
use chatport_tests::{
    application::Application,
    client::{Answer, Client},
    database::postgres_database,
    mattermost::{chatport_beside, connect_bot},
    organization::{Organization, text},
    program::{Chatport, key_in, run},
};
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

// The first start.

#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_needs_no_configuration_and_prints_a_key_once() {
    let mut chatport = Chatport::start(&[]).await;
    let printed = chatport.printed();
    assert!(printed.contains("shown this once"), "{printed}");
    assert_eq!(printed.matches("cp_live_").count(), 1);
    for number in ["  1. ", "  2. ", "  3. "] {
        assert!(printed.contains(number), "{printed}");
    }
    chatport.client().get("/v1/backends").await.expect(200);
    assert!(chatport.stop().await);
    chatport.restart().await;
    assert!(key_in(&chatport.printed()).is_none(), "{}", chatport.printed());
    chatport.client().get("/v1/backends").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_program_keeps_is_for_its_own_user_alone() {
    let chatport = Chatport::start(&["--demo=off"]).await;
    assert_eq!(mode(&chatport.data), 0o700);
    assert_eq!(mode(&chatport.data.join("keyring")), 0o600);
}

// Mistakes.

/// The program must refuse to start: exit code 2 and one line, which is given back.
async fn refusal(arguments: &[&str], environment: &[(&str, &str)], home: &Path) -> String {
    let ended = run(arguments, environment, home).await;
    let (out, error) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert_eq!(ended.status.code(), Some(2), "{out}{error}");
    assert_eq!((out.as_ref(), error.trim_end().lines().count()), ("", 1), "{error}");
    error.into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_misspelt_setting_is_named_in_one_line() {
    let home = folder();
    std::fs::write(home.path().join("chatport.toml"), "lisen = \"127.0.0.1:1\"\n").expect("written");
    let line = refusal(&["serve"], &[], home.path()).await;
    assert!(line.contains("`lisen`") && line.contains("did you mean `listen`?"), "{line}");

    let home = folder();
    let line = refusal(&["serve"], &[("CHATPORT_LISEN", "127.0.0.1:1")], home.path()).await;
    assert!(line.contains("CHATPORT_LISEN") && line.contains("did you mean CHATPORT_LISTEN?"), "{line}");

    let line = refusal(&["serve", "--listen=nowhere"], &[], home.path()).await;
    assert!(line.contains("listen is set to \"nowhere\" by --listen, but it must be an IP address"), "{line}");
    assert!(!home.path().join("chatport-data").exists(), "nothing was begun");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_on_the_command_line_is_named_in_one_line() {
    for (arguments, words) in [
        (&["serve", "--lissten=127.0.0.1:1"][..], ["'--lissten'", "'--listen'"]),
        (&["serv"], ["'serv'", "'serve'"]),
        (&["api-key", "create"], ["required", "--name"]),
        (&["api-key", "create", "--name=x", "--days=0"], ["'0'", "1..=730"]),
    ] {
        let line = refusal(arguments, &[], folder().path()).await;
        assert!(words.iter().all(|word| line.contains(word)) && line.starts_with("chatport: "), "{line}");
    }
}

/// A database whose clock is so many minutes ahead of this machine's.
async fn database_ahead(minutes: u32) -> String {
    let url = postgres_database().await;
    let name = url.rsplit('/').next().expect("a name").to_owned();
    let database = sea_orm::Database::connect(&url).await.expect("the new database");
    let ahead = format!(
        "CREATE SCHEMA ahead;
        CREATE FUNCTION ahead.clock_timestamp() RETURNS timestamptz LANGUAGE sql
            AS $$ SELECT pg_catalog.clock_timestamp() + interval '{minutes} minutes' $$;
        ALTER DATABASE {name} SET search_path = ahead, pg_catalog, public;"
    );
    sea_orm::ConnectionTrait::execute_unprepared(&database, &ahead).await.expect("another clock");
    database.close().await.expect("closed");
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_lives_in_another_time_is_refused() {
    let home = folder();
    let url = database_ahead(6).await;
    let ended = run(&["serve", "--listen=127.0.0.1:0"], &[("DATABASE_URL", &url)], home.path()).await;
    let error = String::from_utf8_lossy(&ended.stderr);
    let said: Vec<&str> = error.lines().filter(|line| line.starts_with("chatport: ")).collect();
    assert_eq!((ended.status.code(), said.len()), (Some(1), 1), "{error}");
    assert!(said[0].contains("clock") && said[0].contains("differ by 3") && said[0].contains("NTP"), "{error}");

    // A few minutes are an alarm, no reason to stand still.
    let url = database_ahead(4).await;
    let chatport = Chatport::start_with(&[], &[("DATABASE_URL", &url)]).await;
    let is_told = || async { chatport.log().contains("clock and the database's differ").then_some(()) };
    chatport_tests::eventually("the alarm of clocks that differ", is_told).await;
}

// The commands.

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_tried_again_from_the_shell() {
    let chatport = Chatport::start(&["--demo=off"]).await;
    let (api, home) = (chatport.client(), folder());
    api.put("/v1/organizations/acme", json!({})).await.expect(200);
    let nobody = json!({ "revision": 1, "targets": [{ "user": "nobody" }], "content": { "title": "x" } });
    let accepted = api.put("/v1/organizations/acme/messages/a1", nobody).await.expect(202);
    let copy = text(&accepted["copies"][0], "id");
    let (url, key) = (format!("--url={}", chatport.url), format!("--key={}", chatport.api_key));
    let asked = ["replay", &url, &key, "--organization=acme", "--rate=5"];
    let by_copy = format!("--copy={copy}");
    for which in [&by_copy, "--code=account_not_linked", "--since=2026-01-31T12:00:00Z"] {
        let arguments = [&asked[..], &[which, "--dry-run"]].concat();
        let answer = answer_of(&arguments, &[], home.path()).await;
        assert!(answer.starts_with("0 copies would be tried again, at most 5 a second\n1 have no address"), "{answer}");
    }
    let done = answer_of(&[&asked[..], &["--code=expired"]].concat(), &[], home.path()).await;
    assert!(done.starts_with("0 copies are tried again"), "{done}");

    let none = refusal(&asked, &[], home.path()).await;
    assert!(none.contains("--copy") && none.contains("--since"), "{none}");
    for (arguments, words) in [
        (["replay", &url, "--key=cp_live_wrong", "--organization=acme", "--code=expired"], "the host refuses: "),
        (["replay", "--url=http://127.0.0.1:1", &key, "--organization=acme", "--code=expired"], "nothing answers at"),
        (["replay", &url, &key, "--organization=nobody", "--code=expired"], "the host refuses: "),
    ] {
        let ended = run(&arguments, &[], home.path()).await;
        let error = String::from_utf8_lossy(&ended.stderr);
        assert_eq!((ended.status.code(), error.trim_end().lines().count()), (Some(1), 1), "{error}");
        assert!(error.contains(words) && !error.contains("cp_live_"), "{error}");
    }
}

async fn answer_of(arguments: &[&str], environment: &[(&str, &str)], home: &Path) -> String {
    let ended = run(arguments, environment, home).await;
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8(ended.stdout).expect("UTF-8")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_say_what_is_in_the_program_and_how_it_is_set() {
    let home = folder();
    let backends = answer_of(&["backends"], &[], home.path()).await;
    let ids: Vec<&str> =
        backends.lines().filter(|line| !line.starts_with(' ')).filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(ids, ["mattermost", "msteams", "sandbox", "telegram"]);
    assert!(backends.contains("can: install, codes, deliver, receive"), "{backends}");

    let environment = [("DATABASE_URL", "postgres://me:s3cret@db/chat"), ("CHATPORT_KEYRING", "s3cret")];
    let config = answer_of(&["config", "--app-name=OnCall"], &environment, home.path()).await;
    assert!(config.contains("app_name = \"OnCall\"  # --app-name"), "{config}");
    assert!(config.contains("listen = \"127.0.0.1:8000\"  # default"), "{config}");
    assert!(config.contains("database_url = \"postgres://db/chat\"  # DATABASE_URL"), "{config}");
    assert!(!config.contains("s3cret"), "{config}");

    let help = answer_of(&["--help"], &[], home.path()).await;
    for named in ["--listen", "CHATPORT_LISTEN", "[default: 127.0.0.1:8000]", "CHATPORT_KEYRING", "backends", "doctor"]
    {
        assert!(help.contains(named), "{named}\n{help}");
    }
    assert!(!home.path().join("chatport-data").exists(), "asking changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_can_be_made_and_the_health_be_asked_from_the_shell() {
    let mut chatport = Chatport::start(&["--demo=off"]).await;
    let listen = format!("--listen={}", chatport.url.trim_start_matches("http://"));
    assert!(run(&["healthcheck", &listen], &[], &chatport.data).await.status.success());
    assert!(chatport.stop().await);
    assert!(!run(&["healthcheck", &listen], &[], &chatport.data).await.status.success());
    let data = format!("--data={}", chatport.data.display());
    let made = answer_of(&["api-key", "create", "--name=shell", "--scope=send", &data], &[], &chatport.data).await;
    assert!(answer_of(&["doctor", &data], &[], &chatport.data).await.contains("ok    settings"));
    chatport.restart().await;
    let client = chatport.client().with_key(made.trim());
    client.get("/v1/events").await.expect(200);
    client.get("/v1/backends").await.expect(403);
    let audit = chatport.client().get("/v1/audit").await.expect(200);
    assert_eq!((&audit["items"][0]["action"], &audit["items"][0]["actor"]), (&json!("key.create"), &json!("host")));
}

// The API's description.

#[tokio::test(flavor = "multi_thread")]
async fn the_description_is_openapi_3_1_and_has_a_page_that_needs_nothing_from_elsewhere() {
    let chatport = Chatport::start(&["--demo=off"]).await;
    let stranger = chatport.client().anonymous();
    let description = stranger.get("/openapi.json").await.expect(200);
    assert!(text(&description, "openapi").starts_with("3.1."), "{}", description["openapi"]);
    check_references(&description, &description);
    let mut names = std::collections::BTreeSet::new();
    for (path, operations) in description["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            if method == "parameters" {
                continue;
            }
            assert!(names.insert(text(operation, "operationId")), "{path}: an id stands twice");
            let answers = operation["responses"].as_object().expect("answers");
            assert!(!answers.is_empty(), "{method} {path} answers nothing");
        }
    }
    for wanted in ["putMessage", "createInstallation", "createVerificationCode", "readEvents", "putSubscription"] {
        assert!(names.contains(wanted), "{wanted} is not among {names:?}");
    }

    let page = stranger.get("/docs").await;
    assert_eq!(page.status, 200);
    let policy = page.headers["content-security-policy"].to_str().expect("text");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(!page.text.contains("<style") && !page.text.contains("://"), "only what comes from here");
    for file in ["/docs/docs.js", "/docs/docs.css"] {
        assert!(page.text.contains(file.rsplit('/').next().expect("a name")), "{file}");
        assert_eq!(stranger.get(file).await.status, 200);
    }
    let problem = stranger.get("/problems/unauthorized").await;
    assert_eq!(
        (problem.status.as_u16(), &problem.headers["location"]),
        (303, &"../docs#problem-unauthorized".parse().expect("a value"))
    );
}

/// Every `$ref` leads somewhere.
fn check_references(value: &Value, root: &Value) {
    match value {
        Value::Object(members) => {
            if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                let pointer = reference.strip_prefix('#').expect("a place in this document");
                assert!(root.pointer(pointer).is_some(), "{reference} leads nowhere");
            }
            members.values().for_each(|member| check_references(member, root));
        }
        Value::Array(items) => items.iter().for_each(|item| check_references(item, root)),
        _ => {}
    }
}

// Refusals.

/// An answer must be a problem of this kind; it is given back.
fn problem(answer: Answer, status: u16, kind: &str) -> Value {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    let document = answer.json();
    assert_eq!(document["type"], format!("/problems/{kind}"), "{document}");
    assert_eq!(document["status"], status);
    for member in ["title", "cure"] {
        assert!(!text(&document, member).is_empty(), "{document}");
    }
    assert_eq!(document["request_id"].as_str(), answer.headers["x-request-id"].to_str().ok(), "{document}");
    document
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_is_a_problem_that_says_what_to_do() {
    let chatport = Chatport::start(&["--demo=off"]).await;
    let api = chatport.client();
    let acme = Organization::create(&api, "acme").await;

    let answer = api.anonymous().get("/v1/backends").await;
    assert_eq!(answer.headers["www-authenticate"], "Bearer");
    problem(answer, 401, "unauthorized");
    problem(api.with_key("cp_live_nonsense").get("/v1/backends").await, 401, "unauthorized");
    problem(api.get("/v1/nothing").await, 404, "route-not-found");
    let answer = api.post("/v1/backends", json!({})).await;
    assert_eq!(answer.headers["allow"], "GET,HEAD");
    problem(answer, 405, "method-not-allowed");

    let put = |headers: &'static [(&str, &str)], body: &'static str| {
        let (api, path) = (api.clone(), acme.at("messages/m1"));
        async move { api.try_raw(Method::PUT, &path, headers, body).await.expect("an answer") }
    };
    let json_type = &[("content-type", "application/json")];
    problem(put(&[("content-type", "text/plain")], "{}").await, 415, "unsupported-media-type");
    problem(put(json_type, "{\"revision\":1,\"revision\":2}").await, 400, "malformed-json");
    let missing = problem(put(json_type, "{\"revision\":1}").await, 422, "invalid-body");
    assert!(text(&missing, "detail").contains("missing field"), "{missing}");

    let target = json!([{ "default": true }]);
    let unknown = json!({ "revision": 1, "targets": target, "content": { "title": "x", "colour": "red" } });
    let document = problem(acme.put("messages/m1", unknown).await, 422, "invalid-body");
    assert_eq!(document["pointer"], "/content/colour");
    let action = json!({ "id": "a", "label": " " });
    let content = json!({ "title": "x", "actions": [action] });
    let unfit = json!({ "revision": 1, "targets": target, "content": content });
    let document = problem(acme.put("messages/m1", unfit).await, 422, "invalid-body");
    assert_eq!(document["pointer"], "/content/actions/0/label");
    problem(acme.get("accounts?limit=0").await, 400, "invalid-query");
    problem(acme.get("messages/none").await, 404, "message-not-found");

    let asked = api.try_raw(Method::GET, "/v1/nothing", &[("x-request-id", "mine-1")], "").await.expect("an answer");
    assert_eq!(problem(asked, 404, "route-not-found")["request_id"], "mine-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_revision_with_other_content_is_a_conflict_and_with_the_same_the_same_answer() {
    let chatport = Chatport::start(&["--demo=off"]).await;
    let acme = Organization::create(&chatport.client(), "acme").await;
    let message = |revision: i64, title: &str| json!({ "revision": revision, "targets": [{ "default": true }], "content": { "title": title } });
    let first = acme.say("m1", message(2, "a")).await;
    let again = acme.say("m1", message(2, "a")).await;
    assert_eq!((&again["copies"], &again["changed"]), (&first["copies"], &json!(false)));
    problem(acme.put("messages/m1", message(2, "b")).await, 409, "revision-conflict");
    let older = acme.put("messages/m1", message(1, "b")).await.expect(200);
    assert_eq!((&older["revision"], &older["changed"]), (&json!(2), &json!(false)));
}

// Keys.

async fn make_key(api: &Client, request: Value) -> (Client, String) {
    let made = api.post("/v1/api-keys", request).await.expect(201);
    (api.with_key(&text(&made, "key")), text(&made, "id"))
}

#[tokio::test(flavor = "multi_thread")]
async fn to_a_narrowed_key_another_organization_looks_like_none() {
    let chatport = Chatport::start(&["--demo=off"]).await;
    let api = chatport.client();
    let acme = Organization::create(&api, "acme").await;
    Organization::create(&api, "globex").await;
    let made = acme.install("sandbox", json!({ "world": "acme" })).await;
    let scopes = json!(["send", "link", "install:read", "install:write", "keys"]);
    let (narrowed, _) = make_key(&api, json!({ "name": "n", "scopes": scopes, "organization": "globex" })).await;

    narrowed.get("/v1/organizations/globex").await.expect(200);
    let foreign = text(&made, "id");
    for rest in ["", "/installations", "/channels", "/messages/m1", &format!("/installations/{foreign}")] {
        let seen = |organization: &str| {
            let (narrowed, path) = (narrowed.clone(), format!("/v1/organizations/{organization}{rest}"));
            async move {
                let answer = narrowed.get(&path).await;
                let id = answer.headers["x-request-id"].to_str().expect("text").to_owned();
                (answer.status, answer.text.replace(&id, "ID"))
            }
        };
        let (foreign, unknown) = (seen("acme").await, seen("nobody").await);
        assert_eq!(foreign, unknown, "{rest}");
        assert_eq!(foreign.0, 404);
    }
    // Nor does a foreign thing show under one's own organization.
    let globex = Organization { api: narrowed.clone(), id: "globex".into() };
    problem(globex.get(&format!("installations/{foreign}")).await, 404, "installation-not-found");
    problem(narrowed.put("/v1/organizations/acme", json!({ "name": "mine" })).await, 404, "organization-not-found");
    // What concerns all organizations isn't for it, and it can't make a mightier key.
    problem(narrowed.put("/v1/subscriptions/x", json!({ "url": "http://127.0.0.1:1/" })).await, 403, "forbidden");
    let wider = json!({ "name": "w", "scopes": ["send"], "organization": "acme" });
    problem(narrowed.post("/v1/api-keys", wider).await, 404, "organization-not-found");
    let made = narrowed.post("/v1/api-keys", json!({ "name": "s", "scopes": ["send"] })).await.expect(201);
    assert_eq!(made["organization"], "globex");
    let listed = narrowed.get("/v1/api-keys").await.expect(200);
    let listed = listed["api_keys"].as_array().expect("keys");
    assert!(listed.iter().all(|key| key["organization"] == "globex" && key.get("key").is_none()), "{listed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_does_what_its_scopes_say_and_nothing_after_it_was_revoked() {
    let chatport = Chatport::start(&["--demo=off"]).await;
    let api = chatport.client();
    Organization::create(&api, "acme").await;
    let ways = [
        ("send", Method::GET, "/v1/events"),
        ("link", Method::GET, "/v1/organizations/acme/accounts"),
        ("install:read", Method::GET, "/v1/backends"),
        ("install:write", Method::PUT, "/v1/organizations/acme"),
        ("keys", Method::GET, "/v1/api-keys"),
    ];
    for (scope, ..) in &ways {
        let (client, id) = make_key(&api, json!({ "name": scope, "scopes": [scope] })).await;
        for (needed, method, path) in &ways {
            let body = (method == Method::PUT).then(|| json!({}));
            let answer = client.send(method.clone(), path, body).await;
            if needed == scope {
                assert_eq!(answer.status.as_u16(), 200, "{scope} {path}");
            } else {
                let document = problem(answer, 403, "forbidden");
                assert!(text(&document, "detail").contains(needed), "{document}");
            }
        }
        api.delete(&format!("/v1/api-keys/{id}")).await.expect(204);
        problem(client.get("/v1/events").await, 401, "unauthorized");
    }
    let (sender, _) = make_key(&api, json!({ "name": "both", "scopes": ["keys"] })).await;
    problem(sender.post("/v1/api-keys", json!({ "name": "x", "scopes": ["send"] })).await, 403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_events_ends_soon_after_its_key_was_revoked() {
    let chatport = Chatport::start(&["--demo=off"]).await;
    let api = chatport.client();
    let (reader, id) = make_key(&api, json!({ "name": "reader", "scopes": ["send"] })).await;
    let asked = [("accept", "text/event-stream")];
    let following = tokio::spawn(async move { reader.try_raw(Method::GET, "/v1/events", &asked, "").await });
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert!(!following.is_finished());
    api.delete(&format!("/v1/api-keys/{id}")).await.expect(204);
    let ended = tokio::time::timeout(std::time::Duration::from_secs(10), following).await.expect("it ends");
    assert_eq!(ended.expect("no panic").expect("an answer").status.as_u16(), 200);
}

// Secrets.

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_the_logs_or_in_the_database() {
    let server = FakeMattermost::start(Options::default()).await;
    let mut chatport = chatport_beside(&server, &["--log=trace"]).await;
    let api = chatport.client();
    let application = Application::start().await;
    let subscribed = api.put("/v1/subscriptions/oncall", json!({ "url": application.url })).await.expect(201);
    application.trust(&text(&subscribed, "secret"));
    let acme = Organization::create(&api, "acme").await;
    let bot = connect_bot(&acme, &server).await;
    let used = acme.user_code(&bot.installation, "u-alice").await;
    server.slash("alice", "incidents", &format!("/oncall link {}", text(&used, "code"))).await;
    bot.connect("incidents").await;
    let unused = acme.user_code(&bot.installation, "u-bob").await;
    let action = json!({ "id": "ack", "label": "Acknowledge" });
    let content = json!({ "title": "Disk full", "actions": [action] });
    acme.say("m1", json!({ "revision": 1, "targets": [{ "default": true }], "content": content })).await;
    acme.delivered("m1").await;
    let post = server.posts("incidents").pop().expect("a post");
    assert!(server.click("alice", &post.id, "a0", None).await.is_ok());
    application.hears("action.invoked", 0).await;
    let button = post.action("a0").expect("the button")["integration"]["context"]["t"].clone();
    let keyring = std::fs::read_to_string(chatport.data.join("keyring")).expect("the key ring");
    let keys: Vec<String> =
        keyring.split(|c: char| !c.is_ascii_alphanumeric() && !"+/_-=".contains(c)).map(str::to_owned).collect();

    let api_key = chatport.api_key.clone();
    let mut secrets = vec![
        ("API key", api_key.splitn(4, '_').nth(3).expect("its secret part").to_owned()),
        ("subscription's secret", text(&subscribed, "secret").trim_start_matches("whsec_").to_owned()),
        ("bot token", bot.bot_token.clone()),
        ("command token", bot.command_token.clone()),
        ("button's token", button.as_str().expect("a token").to_owned()),
    ];
    secrets.extend(keys.into_iter().filter(|key| key.len() >= 32).map(|key| ("key of the ring", key)));
    for code in [&used, &unused] {
        secrets.push(("code in groups", text(code, "code")));
        secrets.push(("code", text(code, "code").replace('-', "")));
    }
    assert!(chatport.stop().await);
    let log = chatport.log();
    assert!(log.contains("\"DEBUG\"") || log.contains("\"TRACE\""), "the log is talkative: {log}");
    let mut places = vec![("the log".to_owned(), log.into_bytes())];
    for file in std::fs::read_dir(&chatport.data).expect("the folder") {
        let path = file.expect("a file").path();
        if path.file_name().is_some_and(|name| name != "keyring") {
            places.push((path.display().to_string(), std::fs::read(&path).expect("read")));
        }
    }
    assert!(places.len() > 1, "the database is among the places");
    for (place, bytes) in &places {
        for (what, secret) in &secrets {
            assert!(secret.len() >= 12, "{what} is too short to be looked for");
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "the {what} stands in {place}");
        }
    }
}
