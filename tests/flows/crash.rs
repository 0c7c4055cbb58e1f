//! The program dies in the middle of its work and is started again: nothing that it accepted
//! is lost, and nothing is posted twice.

use std::{collections::BTreeSet, time::Duration};

use chatport_fake_mattermost::{FakeMattermost, FaultKind, FaultRule, Options, Post};
use chatport_tests::{
    client::Client,
    database::{execute, postgres_database},
    eventually,
    mattermost::{BOT, Connected, chatport_beside, connect_bot},
    organization::{Organization, tallies},
    program::{Chatport, run},
    sandbox::Sandbox,
};
use http::Method;
use serde_json::{Value, json};

/// A Mattermost server with a connected channel, and the Chatport that is to die.
struct World {
    chatport: Chatport,
    server: FakeMattermost,
    acme: Organization,
    channels: Vec<String>,
}

impl World {
    async fn begin(channels: &[&str]) -> Self {
        let server = FakeMattermost::start(Options::default()).await;
        let chatport = chatport_beside(&server, &[]).await;
        let acme = Organization::create(&chatport.client(), "acme").await;
        let bot: Connected = connect_bot(&acme, &server).await;
        let mut connected = Vec::new();
        for channel in channels {
            connected.push(bot.connect(channel).await);
        }
        Self { chatport, server, acme, channels: connected }
    }

    fn message(&self, number: usize, title: &str) -> Value {
        let channel = &self.channels[number % self.channels.len()];
        json!({ "revision": 1, "targets": [{ "channel": channel }], "content": { "title": title } })
    }

    /// The titles of the bot's posts in all channels; a title stands there as often as it
    /// was posted.
    fn titles(&self) -> Vec<String> {
        let bot = self.server.user_id(BOT);
        let title = |post: &Post| post.props["attachments"][0]["title"].as_str().map(str::to_owned);
        let posts = ["incidents", "alerts", "town-square"].into_iter().flat_map(|name| self.server.posts(name));
        posts.filter(|post| post.user_id == bot).filter_map(|post| title(&post)).collect()
    }

    /// Wait until the server is busy with a new post.
    async fn a_post_is_under_way(&self) {
        eventually("a post to be under way", || async {
            let posts = self.server.requests_to("POST", "/api/v4/posts");
            posts.last().is_some_and(|post| post.faulted).then_some(())
        })
        .await;
    }
}

fn post_requests(kind: FaultKind) -> FaultRule {
    FaultRule::once("POST", "/api/v4/posts", kind)
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_the_platform_works_on_a_post_there_is_one_post_afterwards() {
    // The platform goes on with it, or never did anything about it: nobody can tell.
    for held in [FaultKind::Delay(Duration::from_millis(700)), FaultKind::Stall] {
        let mut world = World::begin(&["incidents"]).await;
        world.server.fault(post_requests(held.clone()));
        world.acme.say("m1", world.message(0, "Disk full")).await;
        world.a_post_is_under_way().await;
        world.chatport.kill().await;
        world.chatport.restart().await;
        world.acme.delivered("m1").await;
        assert_eq!(world.titles(), ["Disk full"], "{held:?}");
        assert_eq!(tallies(&world.chatport.client()).await["delivered"], 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_post_was_made_and_before_it_was_recorded_it_is_found_again() {
    let mut world = World::begin(&["incidents"]).await;
    // The post is made; what comes back takes a while longer.
    world.server.fault(post_requests(FaultKind::LoseAnswer));
    world.acme.say("m1", world.message(0, "Disk full")).await;
    world.a_post_is_under_way().await;
    world.chatport.kill().await;
    // It stays down for longer than the server remembers what it was asked to post.
    let minute = Duration::from_secs(60);
    world.server.advance(minute);
    let earlier = format!("UPDATE copies SET first_tried_at = first_tried_at - {}", minute.as_micros());
    execute(&world.chatport.database_file(), &earlier).await;
    world.chatport.restart().await;
    let message = world.acme.delivered("m1").await;
    assert_eq!(world.titles(), ["Disk full"]);
    assert_eq!(world.server.requests_to("POST", "/api/v4/posts").len(), 1, "it was looked for, not posted again");
    let post = world.server.posts("incidents").pop().expect("the post");
    assert_eq!(message["copies"][0]["posts"], json!([post.id]));
    // And it can be edited.
    let mut edited = world.message(0, "Disk has room again");
    edited["revision"] = 2.into();
    world.acme.say("m1", edited).await;
    world.acme.delivered("m1").await;
    assert_eq!(world.titles(), ["Disk has room again"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_of_an_edit_the_post_shows_the_newest_revision_afterwards() {
    let mut world = World::begin(&["incidents"]).await;
    world.acme.say("m1", world.message(0, "Disk full")).await;
    world.acme.delivered("m1").await;
    world.server.fault(FaultRule::once("PUT", "/api/v4/posts/*/patch", FaultKind::Delay(Duration::from_millis(400))));
    for (revision, title) in [(2, "Disk fuller"), (3, "Disk fullest")] {
        let mut message = world.message(0, title);
        message["revision"] = revision.into();
        world.acme.say("m1", message).await;
        if revision == 2 {
            eventually("the edit to be under way", || async {
                let edits = world.server.requests();
                edits.iter().any(|request| request.method == "PUT" && request.faulted).then_some(())
            })
            .await;
        }
    }
    world.chatport.kill().await;
    world.chatport.restart().await;
    world.acme.delivered("m1").await;
    assert_eq!(world.titles(), ["Disk fullest"]);
    tallies(&world.chatport.client()).await;
}

/// Put a message until it is accepted, however often the host dies meanwhile.
async fn put_until_accepted(api: Client, path: String, message: Value) {
    let headers = [("content-type", "application/json")];
    loop {
        match api.try_raw(Method::PUT, &path, &headers, message.to_string()).await {
            Ok(answer) if answer.status == 202 => return,
            Ok(answer) => assert!(answer.status.is_server_error(), "{}", answer.text),
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_kills_during_a_hundred_messages_lose_and_double_none() {
    const MESSAGES: usize = 100;
    const KILLS: u32 = 20;
    let mut world = World::begin(&["incidents", "alerts", "town-square"]).await;
    world.server.fault(FaultRule::always("POST", "/api/v4/posts", FaultKind::Delay(Duration::from_millis(40))));
    let titles: Vec<String> = (0..MESSAGES).map(|number| format!("Message {number}")).collect();
    let (api, mut putting) = (world.chatport.client(), tokio::task::JoinSet::new());
    let mut next = titles.iter().enumerate();
    for _ in 0..KILLS {
        for (number, title) in next.by_ref().take(MESSAGES / KILLS as usize) {
            let path = world.acme.at(&format!("messages/m{number}"));
            putting.spawn(put_until_accepted(api.clone(), path, world.message(number, title)));
        }
        let moment = uuid::Uuid::new_v4().as_u128() % 250;
        tokio::time::sleep(Duration::from_millis(u64::try_from(moment).expect("small"))).await;
        world.chatport.kill().await;
        world.chatport.restart().await;
    }
    while let Some(put) = putting.join_next().await {
        put.expect("accepted in the end");
    }
    for number in 0..MESSAGES {
        let message = world.acme.delivered(&format!("m{number}")).await;
        assert_eq!(message["copies"][0]["posts"].as_array().expect("posts").len(), 1);
    }
    let (mut posted, mut expected) = (world.titles(), titles);
    posted.sort_unstable();
    expected.sort_unstable();
    assert_eq!(posted, expected);
    let tallies = tallies(&world.chatport.client()).await;
    assert_eq!((tallies["accepted"], tallies["delivered"], tallies["in_flight"]), (100, 100, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_to_end_it_finishes_what_is_on_its_way_and_keeps_the_rest() {
    let mut world = World::begin(&["incidents"]).await;
    world.server.fault(post_requests(FaultKind::Delay(Duration::from_secs(1))));
    world.acme.say("m1", world.message(0, "Disk full")).await;
    world.acme.say("m2", world.message(0, "Disk full again")).await;
    world.a_post_is_under_way().await;
    let asked = tokio::time::Instant::now();
    assert!(world.chatport.stop().await, "it ends well");
    assert!(asked.elapsed() < Duration::from_secs(5), "well within its grace of 20 s: {:?}", asked.elapsed());
    assert!(world.titles().contains(&"Disk full".to_owned()), "what was on its way has arrived");
    world.chatport.restart().await;
    for key in ["m1", "m2"] {
        let message = world.acme.delivered(key).await;
        let history = message["copies"][0]["history"].as_array().expect("history");
        assert_eq!(history.len(), 1, "each was tried once: {history:?}");
    }
    assert_eq!(world.titles(), ["Disk full", "Disk full again"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_on_one_data_folder_are_one_too_many() {
    let chatport = Chatport::start(&["--demo=off"]).await;
    let data = format!("--data={}", chatport.data.display());
    let ended = run(&["serve", "--listen=127.0.0.1:0", &data, "--log=error"], &[], &chatport.data).await;
    let error = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{error}");
    assert_eq!(error.trim_end().lines().count(), 1, "{error}");
    assert!(error.contains("is used by another Chatport: stop that one"), "{error}");
    chatport.client().get("/v1/backends").await.expect(200);
}

/// How many tries a process has made.
async fn attempts(api: &Client) -> f64 {
    let metrics = api.get("/metrics").await.text;
    let of = |line: &str| line.strip_prefix("chatport_attempts_total{")?.rsplit(' ').next()?.parse::<f64>().ok();
    metrics.lines().filter_map(of).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_share_the_work_and_one_goes_on_alone() {
    let server = FakeMattermost::start(Options::default()).await;
    let allowed = format!("--allow-networks={}", chatport_tests::mattermost::grant(&server));
    let database = postgres_database().await;
    let arguments = ["--demo=off", "--app-name=OnCall", &allowed];
    let mut one = Chatport::start_with(&arguments, &[("DATABASE_URL", &database)]).await;
    let other = one.replica().await;
    assert!(!other.printed().contains("cp_live_"), "there is a key already");
    let acme = Organization::create(&one.client(), "acme").await;
    let bot = connect_bot(&acme, &server).await;
    let mut channels = Vec::new();
    for number in 0..8 {
        let name = format!("c{number}");
        server.create_channel("acme", &name);
        server.join_channel(&name, "alice");
        if number < 4 {
            channels.push(bot.connect(&name).await);
        }
    }
    // Whoever accepts it, either may deliver it.
    let there = Organization { api: other.client(), id: acme.id.clone() };
    let message = |number: usize| {
        let channel = &channels[number % channels.len()];
        json!({ "revision": 1, "targets": [{ "channel": channel }], "content": { "title": format!("Message {number}") } })
    };
    server.fault(FaultRule::always("POST", "/api/v4/posts", FaultKind::Delay(Duration::from_millis(30))));
    for number in 0..40 {
        let accepting = if number % 2 == 0 { &acme } else { &there };
        accepting.say(&format!("m{number}"), message(number)).await;
    }
    for number in 0..40 {
        acme.delivered(&format!("m{number}")).await;
    }
    let (by_one, by_other) = (attempts(&one.client()).await, attempts(&other.client()).await);
    assert!(by_one > 0.0 && by_other > 0.0, "{by_one} and {by_other}");
    // One dies; what is accepted afterwards is delivered by the other.
    one.kill().await;
    for number in 40..50 {
        there.say(&format!("m{number}"), message(number)).await;
        there.delivered(&format!("m{number}")).await;
    }
    let titles: Vec<String> = (0..4)
        .flat_map(|number| server.posts(&format!("c{number}")))
        .filter_map(|post| post.props.get("attachments")?[0]["title"].as_str().map(str::to_owned))
        .collect();
    assert_eq!((titles.len(), titles.iter().collect::<BTreeSet<_>>().len()), (50, 50), "each exactly once");
    assert_eq!(tallies(&other.client()).await["delivered"], 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_press_that_was_acknowledged_is_heard_of_after_a_crash() {
    // The application is away: the press is on disk, and its event still to be sent.
    let mut chatport = Chatport::start(&["--demo=off"]).await;
    let application = chatport_tests::application::Application::subscribed(&chatport.client()).await;
    let acme = Organization::create(&chatport.client(), "acme").await;
    let file = chatport.data.join("world.json");
    let made = acme.install("sandbox", json!({ "world": "acme", "file": file })).await;
    let installation = made["id"].as_str().expect("an id").to_owned();
    let code = acme.user_code(&installation, "u-ada").await;
    let sandbox = Sandbox::of_code(&code);
    sandbox.link("ada", &code).await;
    let button = json!({ "id": "ack", "label": "Acknowledge" });
    let content = json!({ "title": "Disk full", "actions": [button] });
    acme.say("m1", json!({ "revision": 1, "targets": [{ "user": "u-ada" }], "content": content })).await;
    acme.delivered("m1").await;
    application.answer(|_| (503, Value::Null));
    let post = sandbox.post("dm-ada", "Disk full").await;
    let told = sandbox.press("ada", post["id"].as_str().expect("an id"), "ack").await;
    assert_eq!(told["outcome"], "pressed");
    chatport.kill().await;
    application.answer(|_| (200, Value::Null));
    chatport.restart().await;
    let event = application.hears("action.invoked", 0).await;
    assert_eq!((&event["data"]["user"], &event["data"]["message"]), (&json!("u-ada"), &json!("m1")));
}
