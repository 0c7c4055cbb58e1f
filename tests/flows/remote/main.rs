//! A backend in another language and another process, beside one that is linked in: set up,
//! deliver, change; and what becomes of messages, and of the others, when that process dies,
//! hangs, isn't who it says, or lies.

mod conformance;
mod ntfy;
mod process;
mod scripted;

use std::time::Duration;

use chatport_host::security::webhook_signature;
use chatport_sdk::{secret::Secret, wire};
use chatport_tests::{
    client::Client,
    eventually,
    organization::{Organization, text},
    program::{Chatport, run},
    sandbox::Sandbox,
};
use ntfy::{Ntfy, TOKEN};
use process::{Process, SECRET};
use scripted::Scripted;
use serde_json::{Value, json};

/// A Chatport to which these are attached.
async fn chatport(remotes: &[(&str, &str)]) -> Chatport {
    let entries: Vec<String> = remotes.iter().map(|(id, url)| format!("--remote-backends={id}={url}")).collect();
    let arguments: Vec<&str> = ["--demo=off"].into_iter().chain(entries.iter().map(String::as_str)).collect();
    let secrets = remotes.iter().map(|(id, _)| format!("{id}={SECRET}")).collect::<Vec<_>>().join(",");
    Chatport::start_with(&arguments, &[("CHATPORT_REMOTE_SECRETS", &secrets)]).await
}

/// The ids in the catalogue.
async fn catalogue(api: &Client) -> Vec<String> {
    let found = api.get("/v1/backends").await.expect(200);
    found["backends"].as_array().expect("backends").iter().map(|backend| text(backend, "id")).collect()
}

/// Set ntfy up for an organization, with a topic as its default channel.
async fn connected(api: &Client, organization: &str, topic: &str) -> Organization {
    let acme = Organization::create(api, organization).await;
    let made = acme.install("ntfy", json!({})).await;
    assert_eq!(made["steps"][0]["fields"][0]["name"], "access_token", "{made}");
    let installation = text(&made, "id");
    acme.submit(&installation, json!({ "access_token": TOKEN })).await.expect(200);
    let active = acme.becomes(&installation, "active").await;
    assert_eq!(active["identity"]["display_name"], "ntfy (oncall)");
    let conversation = json!({ "id": topic, "kind": "channel", "name": topic, "address": { "v": 1, "key": topic } });
    acme.post("channels", json!({ "installation": installation, "conversation": conversation })).await.expect(201);
    acme
}

fn message(revision: i64, title: &str) -> Value {
    let action = json!({ "id": "ack", "label": "Acknowledge" });
    let content = json!({ "state": "firing", "title": title, "text": "The disk is **full**.", "actions": [action] });
    json!({ "revision": revision, "targets": [{ "default": true }], "content": content })
}

/// An organization with a linked-in backend, which must not notice anything.
struct Neighbour {
    organization: Organization,
    sandbox: Sandbox,
    said: u32,
}

impl Neighbour {
    async fn move_in(api: &Client) -> Self {
        let organization = Organization::create(api, "neighbour").await;
        let installation = text(&organization.install("sandbox", json!({ "world": "neighbour" })).await, "id");
        let code = organization.channel_code(&installation).await;
        let sandbox = Sandbox::of_code(&code);
        sandbox.write("ada", "incidents", &format!("link {}", text(&code, "code"))).await;
        Self { organization, sandbox, said: 0 }
    }

    /// One more message arrives as fast as ever.
    async fn is_unharmed(&mut self) {
        self.said += 1;
        let title = format!("Neighbour {}", self.said);
        let key = format!("n{}", self.said);
        let arrives = async {
            self.organization.say(&key, message(1, &title)).await;
            self.organization.delivered(&key).await;
            self.sandbox.post("incidents", &title).await;
        };
        tokio::time::timeout(Duration::from_secs(3), arrives).await.expect("it arrives as fast as ever");
    }
}

async fn published(ntfy: &Ntfy, topic: &str, number: usize) -> Vec<String> {
    eventually(&format!("{number} messages in {topic}"), || async {
        Some(ntfy.titles(topic)).filter(|titles| titles.len() >= number)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_in_another_language_is_set_up_and_used_like_any_other() {
    let ntfy = Ntfy::start().await;
    let process = Process::started(&ntfy.url).await;
    let chatport = chatport(&[("ntfy", &process.url())]).await;
    let api = chatport.client();
    assert!(catalogue(&api).await.contains(&"ntfy".to_owned()));

    let attach = format!("--remote-backends=ntfy={}", process.url());
    let secret = format!("ntfy={SECRET}");
    let listed = run(&["backends", &attach], &[("CHATPORT_REMOTE_SECRETS", &secret)], &chatport.data).await;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains(&format!("ntfy (http://127.0.0.1:{}/)", process.port())), "{listed}");
    assert!(listed.contains("ntfy.server=2/60"), "{listed}");

    // Setup, with a mistake that a person can mend.
    let acme = Organization::create(&api, "acme").await;
    let installation = text(&acme.install("ntfy", json!({})).await, "id");
    let refused = acme.submit(&installation, json!({ "access_token": "tk_wrong" })).await;
    assert!(refused.status.is_client_error() && refused.text.contains("ntfy refuses this token"), "{}", refused.text);
    let acme = connected(&api, "other", "alerts").await;

    // A message, with what ntfy can't show in the answer.
    let accepted = acme.say("m1", message(1, "Disk full")).await;
    assert_eq!(accepted["copies"][0]["notes"][0]["code"], "actions_dropped", "{accepted}");
    acme.delivered("m1").await;
    let shown = ntfy.published("alerts");
    assert_eq!((shown.len(), shown[0].title.as_str(), shown[0].priority), (1, "🔴 Disk full", 3));
    assert!(shown[0].markdown && shown[0].click.is_none() && shown[0].message.contains("**full**"));

    // A change: what can't be edited is said beneath.
    acme.say("m1", message(2, "Disk full again")).await;
    acme.delivered("m1").await;
    assert_eq!(ntfy.titles("alerts"), ["🔴 Disk full", "🔴 Disk full again"]);

    // What the platform refuses for good is a dead letter with the backend's reason.
    let installation = text(&acme.channel("alerts").await, "installation");
    let conversation = json!({ "id": "no/topic", "kind": "channel", "address": { "key": "no/topic" } });
    let bad = acme.post("channels", json!({ "installation": installation, "conversation": conversation })).await;
    let mut to_bad = message(1, "Lost");
    to_bad["targets"] = json!([{ "channel": text(&bad.expect(201), "id") }]);
    acme.say("m2", to_bad).await;
    assert!(acme.settles("m2", "dead").await["copies"][0].to_string().contains("content_rejected"));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_process_is_dead_messages_wait_and_others_go_on() {
    let ntfy = Ntfy::start().await;
    let mut process = Process::started(&ntfy.url).await;
    let chatport = chatport(&[("ntfy", &process.url())]).await;
    let api = chatport.client();
    let (acme, mut neighbour) = (connected(&api, "acme", "alerts").await, Neighbour::move_in(&api).await);
    process.kill().await;
    acme.say("m1", message(1, "While dead")).await;
    neighbour.is_unharmed().await;
    assert_eq!(ntfy.titles("alerts"), Vec::<String>::new());
    process.start().await;
    acme.delivered("m1").await;
    assert_eq!(ntfy.titles("alerts"), ["🔴 While dead"], "nothing had been sent, so it is there once");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_of_a_post_its_outcome_is_unknown_and_nothing_is_doubled_in_silence() {
    let ntfy = Ntfy::start().await;
    let mut process = Process::started(&ntfy.url).await;
    let chatport = chatport(&[("ntfy", &process.url())]).await;
    let api = chatport.client();
    let (acme, mut neighbour) = (connected(&api, "acme", "alerts").await, Neighbour::move_in(&api).await);
    ntfy.slow(true);
    acme.say("m1", message(1, "In the middle")).await;
    published(&ntfy, "alerts", 1).await;
    process.kill().await;
    acme.settles("m1", "unknown").await;
    neighbour.is_unharmed().await;
    ntfy.slow(false);
    process.start().await;
    acme.delivered("m1").await;
    assert_eq!(ntfy.titles("alerts").len(), 2, "nobody could tell, so it was repeated");
    let metrics = api.get("/metrics").await.text;
    assert!(metrics.contains("chatport_duplicates_possible_total{backend=\"ntfy\"} 1"), "and that is counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_process_hangs_others_go_on_and_then_it_catches_up() {
    let ntfy = Ntfy::start().await;
    let process = Process::started(&ntfy.url).await;
    let chatport = chatport(&[("ntfy", &process.url())]).await;
    let api = chatport.client();
    let mut neighbour = Neighbour::move_in(&api).await;
    let mut hanging = Vec::new();
    for number in 0..4 {
        hanging.push(connected(&api, &format!("acme-{number}"), &format!("alerts-{number}")).await);
    }
    process.signal("STOP");
    for acme in &hanging {
        let said = acme.say("m1", message(1, "While it hung"));
        let accepted = tokio::time::timeout(Duration::from_secs(3), said).await.expect("accepted all the same");
        assert!(accepted["copies"][0]["notes"].is_null(), "without what only the process knows: {accepted}");
        neighbour.is_unharmed().await;
    }
    process.signal("CONT");
    for (number, acme) in hanging.iter().enumerate() {
        // The next try of each may be most of a minute away.
        let deadline = tokio::time::Instant::now() + Duration::from_secs(120);
        while acme.message("m1").await["copies"][0]["state"] != "delivered" {
            assert!(tokio::time::Instant::now() < deadline, "{}", acme.message("m1").await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(ntfy.titles(&format!("alerts-{number}")), ["🔴 While it hung"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_not_there_at_the_start_comes_later_and_is_remembered() {
    let ntfy = Ntfy::start().await;
    let mut process = Process::prepared(&ntfy.url).await;
    let mut chatport = chatport(&[("ntfy", &process.url())]).await;
    assert!(!catalogue(&chatport.client()).await.contains(&"ntfy".to_owned()));
    assert!(chatport.log().contains("a remote backend isn't there yet"), "{}", chatport.log());
    process.start().await;
    let api = chatport.client();
    eventually("ntfy to be attached", || async { catalogue(&api).await.contains(&"ntfy".to_owned()).then_some(()) })
        .await;
    let acme = connected(&api, "acme", "alerts").await;
    process.kill().await;
    assert!(chatport.stop().await);
    chatport.restart().await;
    assert!(catalogue(&api).await.contains(&"ntfy".to_owned()), "it is known from before");
    acme.say("m1", message(1, "Across a restart")).await;
    process.start().await;
    acme.delivered("m1").await;
    assert_eq!(ntfy.titles("alerts"), ["🔴 Across a restart"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_know_the_secret_is_neither_asked_nor_answered() {
    let ntfy = Ntfy::start().await;
    let mut stranger = Process::prepared(&ntfy.url).await.with_secret("whsec_c3RyYW5nZXJzdHJhbmdlcnN0cmFuZ2Vy");
    stranger.start().await;
    let chatport = chatport(&[("ntfy", &stranger.url())]).await;
    assert!(!catalogue(&chatport.client()).await.contains(&"ntfy".to_owned()));
    assert!(chatport.log().contains("refuses the signature"), "{}", chatport.log());

    let process = Process::started(&ntfy.url).await;
    let http = Client::new(process.url().trim_end_matches('/'), None);
    let call = json!({ "contract": 1, "backend": "ntfy", "method": "descriptor", "arguments": {} }).to_string();
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_secs();
    let ask = async |secret: &str, id: &str, time: u64| {
        let signature = webhook_signature::sign(&[Secret::new(secret)], id, time as i64, call.as_bytes());
        let time = time.to_string();
        let headers = [(wire::ID_HEADER, id), (wire::TIMESTAMP_HEADER, &time), (wire::SIGNATURE_HEADER, &signature)];
        http.try_raw(http::Method::POST, "/", &headers, call.clone()).await.expect("an answer").status.as_u16()
    };
    assert_eq!(ask(SECRET, "req_1", now).await, 200);
    assert_eq!(ask(SECRET, "req_1", now).await, 401, "the same request once more");
    assert_eq!(ask(SECRET, "req_2", now - 3600).await, 401, "too old");
    assert_eq!(ask("whsec_c3RyYW5nZXJzdHJhbmdlcnN0cmFuZ2Vy", "req_3", now).await, 401, "another secret");
    let bare = http.post("/", json!({})).await;
    assert_eq!(bare.status.as_u16(), 401, "no signature");
}

#[tokio::test(flavor = "multi_thread")]
async fn lies_are_not_believed_and_do_no_harm() {
    let liar = Scripted::start().await;
    let chatport = chatport(&[("scripted", &liar.url)]).await;
    let api = chatport.client();
    let mut neighbour = Neighbour::move_in(&api).await;
    let acme = Organization::create(&api, "acme").await;
    let installation = text(&acme.install("scripted", json!({})).await, "id");
    let conversation = json!({ "id": "a", "kind": "channel", "address": { "key": "a" } });
    acme.post("channels", json!({ "installation": installation, "conversation": conversation })).await.expect(201);
    let huge = json!({ "result": { "id": "p", "handle": "x".repeat(2 * 1024 * 1024) } }).to_string();
    let lies: [(&str, Vec<u8>); 4] = [
        ("no JSON", b"{\"result\":".to_vec()),
        ("a huge answer", huge.into_bytes()),
        ("an unknown cause", json!({ "failure": { "cause": "bad_weather" } }).to_string().into_bytes()),
        (
            "a dangerous link",
            json!({ "result": { "id": "p", "permalink": "javascript:alert(1)" } }).to_string().into_bytes(),
        ),
    ];
    for (number, (lie, body)) in lies.into_iter().enumerate() {
        liar.tells(body);
        let key = format!("m{number}");
        acme.say(&key, message(1, lie)).await;
        eventually("the liar to be asked", || async { (liar.posts() >= 1).then_some(()) }).await;
        acme.settles(&key, "unknown").await;
        neighbour.is_unharmed().await;
        liar.tells(json!({ "result": { "id": key } }).to_string());
        acme.delivered(&key).await;
    }
    assert_eq!(acme.installation(&installation).await["state"], "active");
    assert!(!chatport.log().contains("panicked"), "{}", chatport.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_its_platform_calls_goes_through_the_process_and_connects_a_channel() {
    let scripted = Scripted::start().await;
    let chatport = chatport(&[("scripted", &scripted.url)]).await;
    let api = chatport.client();
    let acme = Organization::create(&api, "acme").await;
    let installation = text(&acme.install("scripted", json!({})).await, "id");
    let code = acme.channel_code(&installation).await;
    let address = text(&code["steps"][0]["value"], "value");
    let platform = Client::new(address.clone(), None);
    let enter = async |at: &str, key: &str| {
        let sent = platform.try_raw(http::Method::POST, at, &[("x-key", key)], text(&code, "code")).await;
        let answer = sent.expect("an answer");
        (answer.status.as_u16(), answer.text)
    };
    let refused = enter("/hook", "wrong").await;
    assert_eq!(refused, (401, "who are you?".to_owned()));
    let (slots, slot) = address.rsplit_once('/').expect("a path");
    let nobodys = format!("{slots}/{}/hook", slot.replace(|_: char| true, "0"));
    assert_eq!(enter(&nobodys, "wrong").await, refused, "a slot that doesn't exist looks the same");
    let (status, told) = enter("/hook", "right").await;
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!((status, &told["of"], &told["came"]["outcome"]), (200, &json!("h1"), &json!("linked")), "{told}");
    assert_eq!(acme.channel("a").await["is_default"], true);
    let metrics = api.get("/metrics").await.text;
    assert!(metrics.contains("chatport_ingress_refused_total{backend=\"scripted\",reason=\"token\"} 2"), "{metrics}");
}
