//! A whole exchange with telemelya. What it does otherwise than Telegram: it sends no secret with
//! updates and carries out no calls in answers (the relay does both), it refuses with a status of
//! 200, it knows no limits, no polling and no lists of commands, and it takes any text for a
//! message.

use std::{path::Path, process::Stdio, time::Duration};

use chatport_tests::{
    application::Application,
    client::Client,
    eventually,
    mattermost::grant_for,
    organization::{Organization, text},
    program::{Chatport, free_port},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::{peers, relay::Relay, script};

const TOKEN: &str = "123456789:AAH-telemelya_takes_any_token_there_is";
/// Ada's id, and that of the chat with her.
const ADA: i64 = 700_700;
/// What opens telemelya's own interface.
const KEY: &str = "k1";

/// A telemelya with a Redis of its own.
struct Telemelya {
    url: String,
    client: Client,
    processes: [Child; 2],
    _folder: TempDir,
}

fn spawn(program: &Path, arguments: &[&str], environment: &[(&str, &str)], folder: &Path) -> Child {
    let mut command = Command::new(program);
    command.args(arguments).envs(environment.iter().copied()).current_dir(folder).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command.spawn().unwrap_or_else(|error| panic!("{}: {error}", program.display()))
}

impl Telemelya {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (redis_port, port) = (free_port().await.to_string(), free_port().await.to_string());
        let redis = ["--port", &redis_port, "--bind", "127.0.0.1", "--save", ""];
        let redis = spawn(Path::new("redis-server"), &redis, &[], folder.path());
        let redis_url = format!("redis://127.0.0.1:{redis_port}/0");
        let environment = [("REDIS_URL", redis_url.as_str()), ("AUTH_KEYS", KEY), ("STRICT_EDIT", "true")];
        let start = script("serve_telemelya.py");
        let arguments = [start.to_str().expect("a path"), &port];
        let server = spawn(&peers().join("bin/python"), &arguments, &environment, folder.path());
        let url = format!("http://127.0.0.1:{port}");
        let client = Client::new(&*url, Some(KEY));
        let mut started = Self { url, client, processes: [redis, server], _folder: folder };
        let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
        while started.client.try_raw(http::Method::GET, "/", &[], "").await.is_err() {
            let ended =
                started.processes.iter_mut().any(|process| process.try_wait().is_ok_and(|ended| ended.is_some()));
            assert!(!ended && tokio::time::Instant::now() < deadline, "telemelya doesn't start");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        started
    }

    /// Somebody does something; it must reach the bot.
    async fn happens(&self, mut update: Value) {
        update["chat_id"] = ADA.into();
        update["from_user"] = json!({ "id": ADA, "first_name": "Ada", "username": "ada" });
        let path = format!("/api/v1/test/send_update?bot_token={TOKEN}");
        let sent = self.client.post(&path, update).await.expect(200);
        assert_eq!(sent["delivery"]["status_code"], 200, "{sent}");
    }

    /// What the bot has done, as telemelya recorded it.
    async fn recorded(&self, method: &str) -> Vec<Value> {
        let all = self.client.get("/api/v1/test/responses?session_id=default").await.expect(200);
        let all = all["responses"].as_array().expect("responses").clone();
        all.into_iter().filter(|call| call["method"] == method).collect()
    }

    /// Wait for the call of a method after the first `known`.
    async fn records(&self, method: &str, known: usize) -> Value {
        eventually(&format!("telemelya to record {method}"), || async {
            self.recorded(method).await.get(known).cloned()
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_exchange_goes_well_with_telemelya() {
    let telemelya = Telemelya::start().await;
    let relay = Relay::start(&telemelya.url).await;
    let allowed = format!("--allow-networks={}", grant_for(&relay.url));
    let public = format!("--public-url={}", relay.url);
    let chatport = Chatport::start(&["--demo=off", "--app-name=OnCall", &allowed, &public]).await;
    relay.lead_to(&chatport.url);
    let application = Application::subscribed(&chatport.client()).await;
    let acme = Organization::create(&chatport.client(), "acme").await;

    // Setup: the token, and the webhook.
    let begun = acme.install("telegram", json!({ "api_url": relay.url, "updates": "webhook" })).await;
    let installation = text(&begun, "id");
    let done = acme.submit(&installation, json!({ "bot_token": TOKEN })).await.expect(200);
    assert_eq!((&done["state"], &done["identity"]["display_name"]), (&json!("active"), &json!("TestBot")));
    let probed = acme.get(&format!("installations/{installation}?probe=true")).await.expect(200);
    assert_eq!(probed["health"]["last_probe"]["missing"], json!([]), "{probed}");

    // Ada is linked by a code.
    let code = text(&acme.user_code(&installation, "u-ada").await, "code");
    telemelya.happens(json!({ "text": format!("/start {code}") })).await;
    let said = telemelya.records("sendMessage", 0).await;
    assert_eq!(said["text"], "You are linked to user u-ada of OnCall.");
    let linked = application.hears("account.linked", 0).await;
    assert_eq!(linked["data"]["link"]["account"]["username"], "ada", "{linked}");

    // A message with a button.
    let content = json!({ "state": "firing", "title": "Disk <full>", "text": "**90%**",
        "actions": [{ "id": "ack", "label": "Acknowledge" }] });
    let target = json!([{ "user": "u-ada" }]);
    acme.say("m", json!({ "revision": 1, "targets": target, "content": content })).await;
    let sent = telemelya.records("sendMessage", 1).await;
    assert_eq!(sent["text"], "🔴 <b>Disk &lt;full&gt;</b>\n<b>90%</b>");
    let button = &sent["reply_markup"]["inline_keyboard"][0][0];
    acme.delivered("m").await;

    // Ada presses it.
    application.answer(|_| (200, json!({ "notice": "It is yours." })));
    telemelya
        .happens(json!({ "callback_data": button["callback_data"], "callback_message_id": sent["message_id"] }))
        .await;
    let answered = telemelya.records("answerCallbackQuery", 0).await;
    assert_eq!((&answered["text"], &answered["show_alert"]), (&json!("It is yours."), &json!(false)));
    let invoked = application.hears("action.invoked", 0).await;
    assert_eq!(invoked["data"]["user"], "u-ada", "{invoked}");

    // It is edited, and taken back.
    let content = json!({ "state": "resolved", "title": "Disk <full>" });
    acme.say("m", json!({ "revision": 2, "targets": target, "content": content })).await;
    let edited = telemelya.records("editMessageText", 0).await;
    assert_eq!((&edited["message_id"], &edited["text"]), (&sent["message_id"], &json!("🟢 <b>Disk &lt;full&gt;</b>")));
    acme.delivered("m").await;
    acme.delete("messages/m").await.expect(202);
    let deleted = telemelya.records("deleteMessage", 0).await;
    assert_eq!(deleted["message_id"], sent["message_id"]);

    // What was set up is taken back, and nothing told the token.
    acme.delete(&format!("installations/{installation}")).await.expect(204);
    eventually("the webhook to be deleted", || async {
        relay.bodies().iter().any(|(method, _)| method == "deleteWebhook").then_some(())
    })
    .await;
    assert!(!chatport.log().contains(TOKEN));
}
