//! aiogram's models judge what we send, what our stand-in answers, and the updates that it makes.
//! They know members and types; they don't know lengths.

use std::{collections::BTreeSet, process::Stdio};

use chatport_fake_telegram::{ChatKind, FakeTelegram, Options};
use chatport_tests::{
    application::Application,
    eventually,
    organization::{Organization, text},
    telegram::{chatport_beside, connect},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::Command,
};

use crate::{peers, script};

/// What aiogram says of these bodies, each as a model of this name.
async fn verdicts(bodies: &[(String, Value)]) -> Vec<String> {
    let mut oracle = Command::new(peers().join("bin/python"))
        .arg(script("schema.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("Python runs");
    let mut input = oracle.stdin.take().expect("piped");
    let mut output = BufReader::new(oracle.stdout.take().expect("piped")).lines();
    let mut verdicts = Vec::new();
    for (model, body) in bodies {
        let line = format!("{}\n", json!({ "as": model, "body": body }));
        input.write_all(line.as_bytes()).await.expect("it reads");
        verdicts.push(output.next_line().await.expect("it writes").expect("a verdict"));
    }
    verdicts
}

#[tokio::test]
async fn the_oracle_refuses_what_is_wrong() {
    let keyboard = |rows: Value| json!({ "chat_id": 7, "text": "x", "reply_markup": { "inline_keyboard": rows } });
    let press = json!({ "id": "1", "from": { "id": 7, "is_bot": false, "first_name": "A" }, "data": "x" });
    let wrong = [
        ("SendMessage", json!({ "chat_id": 7 })),
        ("SendMessage", json!({ "chat_id": 7, "text": "x", "reply_to": 1 })),
        ("SendMessage", keyboard(json!([{ "text": "a" }]))),
        ("SendMessage", keyboard(json!([[{ "callback_data": "1" }]]))),
        ("SendMessage", keyboard(json!([[{ "text": "a", "callback": "1" }]]))),
        ("Update", json!({ "update_id": 1, "callback_query": press })),
    ];
    let bodies: Vec<_> = wrong.map(|(model, body)| (model.to_owned(), body)).into();
    for (verdict, (_, body)) in verdicts(&bodies).await.iter().zip(&bodies) {
        assert_ne!(verdict, "ok", "{body}");
    }
    let right = keyboard(json!([[{ "text": "a", "callback_data": "1" }]]));
    assert_eq!(verdicts(&[("SendMessage".into(), right)]).await, ["ok"]);
}

/// The model of what a method gives back, where it is more than yes.
fn result_of(method: &str) -> Option<&'static str> {
    match method {
        "getMe" => Some("User"),
        "getWebhookInfo" => Some("WebhookInfo"),
        "sendMessage" | "editMessageText" => Some("Message"),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_bodies_and_updates_have_the_shape_that_aiogram_knows() {
    let server = play().await;
    let mut bodies = Vec::new();
    for call in server.calls() {
        let model = format!("{}{}", call.method[..1].to_uppercase(), &call.method[1..]);
        bodies.push((model, call.body));
        if let Some(model) = result_of(&call.method).filter(|_| call.status == 200) {
            bodies.push((model.to_owned(), call.answer["result"].clone()));
        }
    }
    let methods: BTreeSet<String> = bodies.iter().map(|(model, _)| model.clone()).collect();
    for method in
        ["SendMessage", "EditMessageText", "DeleteMessage", "AnswerCallbackQuery", "SetWebhook", "SetMyCommands"]
    {
        assert!(methods.contains(method), "{method} was never called: {methods:?}");
    }
    let updates = server.updates();
    for kind in ["message", "channel_post", "callback_query", "my_chat_member"] {
        assert!(updates.iter().any(|update| update.get(kind).is_some()), "no update was a {kind}");
    }
    bodies.extend(updates.into_iter().map(|update| ("Update".to_owned(), update)));
    for (verdict, (model, body)) in verdicts(&bodies).await.iter().zip(&bodies) {
        assert_eq!(verdict, "ok", "{model}: {body}");
    }
}

/// Let happen what can happen.
async fn play() -> FakeTelegram {
    let server = FakeTelegram::start(Options::local()).await;
    server.add_user("Ada");
    let chatport = chatport_beside(&server, &[]).await;
    let application = Application::subscribed(&chatport.client()).await;
    let acme = Organization::create(&chatport.client(), "acme").await;
    let bot = connect(&acme, &server, "webhook").await;
    let commands =
        json!({ "commands": [{ "name": "status", "description": "Says how things are", "hint": "[team]" }] });
    acme.put(&format!("installations/{}/commands", bot.installation), commands).await.expect(200);
    bot.link("Ada", "u-ada").await;
    let group = bot.connect_group("Incidents").await;
    let channel = server.add_chat(ChatKind::Channel, "Status");
    server.add_to(channel, "Ada", &bot.token, true);
    server.post_in(channel, &text(&acme.channel_code(&bot.installation).await, "code"));
    bot.says(channel, "This chat is linked").await;
    let forum = server.add_chat(ChatKind::Supergroup, "Forum");
    let topic = server.add_topic(forum);
    server.add_to(forum, "Ada", &bot.token, true);
    server.say_in("Ada", forum, topic, &text(&acme.channel_code(&bot.installation).await, "code"));
    bot.says(forum, "This chat is linked").await;

    let content = json!({
        "state": "firing", "title": "Disk full", "text": "**90%** of [the disk](https://x.example/d), `df`, *now*",
        "facts": [{ "name": "Host", "value": "db-1" }], "image": { "url": "https://x.example/plot.png" },
        "link": { "url": "https://x.example/incidents/1", "label": "Open" },
        "actions": [{ "id": "ack", "label": "Acknowledge", "style": "primary" }, { "id": "quiet", "label": "Silence",
            "style": "danger", "choices": [{ "value": "1h", "label": "an hour" }, { "value": "8h", "label": "a shift" }] }]
    });
    let channels: Vec<Value> =
        acme.channels().await.iter().map(|channel| json!({ "channel": channel["id"] })).collect();
    let message = |revision: i64, title: &str| {
        let mut content = content.clone();
        content["title"] = title.into();
        json!({ "revision": revision, "targets": channels, "content": content, "log": [{ "id": "l1", "text": "taken" }] })
    };
    acme.say("m", message(1, "Disk full")).await;
    acme.settles("m", "delivered").await;
    let post = server.posts(&bot.token, group).into_iter().find(|post| post.markup.is_some()).expect("the post");
    server.press("Ada", group, post.id, "Acknowledge").await;
    server.press("Ada", group, post.id, "Silence: a shift").await;
    server.reply("Ada", group, post.id, "I am on it");
    server.say("Ada", group, "/status of db-1");
    application.hears("command.invoked", 0).await;
    acme.say("m", message(2, "Disk very full")).await;
    acme.settles("m", "delivered").await;
    acme.say(
        "quiet",
        json!({ "revision": 1, "urgency": "low", "targets": [{ "user": "u-ada" }], "content": { "title": "x" } }),
    )
    .await;
    acme.settles("quiet", "delivered").await;
    acme.delete("messages/m").await.expect(202);
    eventually("the posts to be taken back", || async { server.message(group, post.id).is_none().then_some(()) }).await;

    let small = server.add_chat(ChatKind::Group, "Small");
    server.add_to(small, "Ada", &bot.token, false);
    bot.connect_chat(small, "Ada").await;
    server.upgrade(small);
    server.kick(group, "Ada", &bot.token);
    server.block("Ada", &bot.token);
    eventually("all updates to be taken", || async { (server.pending(&bot.token) == 0).then_some(()) }).await;
    server
}
