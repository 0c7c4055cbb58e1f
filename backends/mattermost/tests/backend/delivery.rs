//! Posting, editing, deleting, finding, and writing to people.

use std::time::Duration;

use chatport_mattermost::MattermostBackend;
use chatport_sdk::{
    content::{Content, State},
    delivery::ActionToken,
    prelude::*,
};
use serde_json::{Value, json};

use crate::{
    bench::{Bench, INGRESS, NOW, delivery},
    server::{ALICE, BOT, BOT_TOKEN, CHANNEL, POST, Reply, SITE, answer, post},
};

const COPY: &str = "01920000-0000-7000-8000-000000000001";
const ROOT: &str = "rootrootrootrootrootrootro";

fn content() -> Content {
    let content = json!({
        "state": "firing", "title": "CPU high on db-1", "text": "cpu=98%",
        "link": {"url": "https://oncall.example.com/a/ag/IXJ2"},
        "facts": [{"name": "Team", "value": "SRE", "short": true}],
        "actions": [
            {"id": "acknowledge", "label": "Acknowledge", "style": "primary"},
            {"id": "silence", "label": "Silence", "choices": [{"value": "1h", "label": "One hour"}]},
        ],
    });
    serde_json::from_value(content).expect("a document")
}

pub(crate) fn outgoing() -> Outgoing {
    let limits = MattermostBackend.descriptor().limits.clone();
    let content = content();
    let part = delivery().render(&RenderRequest::new(&content, &limits)).parts.remove(0);
    let mut outgoing = Outgoing::new(COPY, 1, Address(json!({"v": 1, "channel": CHANNEL})), part);
    for action in ["acknowledge", "silence"] {
        let token = Secret::new(format!("token-of-{action}"));
        outgoing.tokens.push(ActionToken { action: action.into(), choice: None, token });
    }
    outgoing
}

fn reply_to(root: &str) -> Outgoing {
    let mut reply = outgoing();
    reply.reply_to = Some(Receipt { handle: json!({"v": 1, "root": root}), ..Receipt::new(POST) });
    reply
}

async fn posted(bench: &Bench, outgoing: &Outgoing) -> Result<Receipt, Failure> {
    delivery().post(&bench.site(), outgoing).await
}

async fn edited(bench: &Bench) -> Result<Edited, Failure> {
    delivery().edit().expect("edit").edit(&bench.site(), &outgoing(), &Receipt::new(POST)).await
}

fn bench() -> Bench {
    let bench = Bench::with_bot();
    bench.server.on("POST /posts", 201, post(POST, ""));
    bench
}

fn sent(bench: &Bench, route: &str) -> Value {
    bench.server.asked(route).pop().expect("a request").body
}

#[tokio::test]
async fn a_post_carries_its_copy_and_live_buttons() {
    let bench = bench();
    let receipt = posted(&bench, &outgoing()).await.expect("posted");
    assert_eq!(receipt.id, POST);
    assert_eq!(receipt.permalink.expect("a permalink").as_str(), format!("{SITE}/_redirect/pl/{POST}"));
    let sent = bench.server.asked("POST /posts").pop().expect("a request");
    assert_eq!(sent.token.as_deref(), Some(BOT_TOKEN));
    let integration =
        |action: &str| json!({"url": format!("{INGRESS}/actions"), "context": {"t": format!("token-of-{action}")}});
    let expected = json!({
        "channel_id": CHANNEL,
        "message": "",
        "pending_post_id": format!("{BOT}:{COPY}-0"),
        "props": {
            "chatport_copy": format!("{COPY}-0"),
            "attachments": [{
                "fallback": "CPU high on db-1",
                "color": State::Firing.colour(),
                "title": "CPU high on db-1",
                "title_link": "https://oncall.example.com/a/ag/IXJ2",
                "text": "cpu=98%",
                "fields": [{"title": "Team", "value": "SRE", "short": true}],
                "actions": [
                    {"id": "a0", "type": "button", "name": "Acknowledge", "style": "primary", "integration": integration("acknowledge")},
                    {"id": "a1", "type": "select", "name": "Silence", "options": [{"text": "One hour", "value": "1h"}], "integration": integration("silence")},
                ],
            }],
        },
    });
    assert_eq!(sent.body, expected);
}

#[tokio::test]
async fn every_attempt_has_the_same_identity() {
    let bench = bench();
    posted(&bench, &outgoing()).await.expect("posted");
    posted(&bench, &outgoing()).await.expect("posted");
    let ids: Vec<Value> =
        bench.server.asked("POST /posts").iter().map(|seen| seen.body["pending_post_id"].clone()).collect();
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test]
async fn without_a_public_address_there_are_no_buttons() {
    let mut bench = bench();
    bench.ingress = None;
    posted(&bench, &outgoing()).await.expect("posted");
    assert!(sent(&bench, "POST /posts")["props"]["attachments"][0].get("actions").is_none());
}

#[tokio::test]
async fn a_reply_goes_below_the_post_that_starts_the_thread() {
    let bench = bench();
    posted(&bench, &reply_to("")).await.expect("posted");
    assert_eq!(sent(&bench, "POST /posts")["root_id"], POST);
    bench.server.on("POST /posts", 201, post(POST, ROOT));
    let receipt = posted(&bench, &reply_to(ROOT)).await.expect("posted");
    assert_eq!(sent(&bench, "POST /posts")["root_id"], ROOT);
    assert_eq!(receipt.handle, json!({"v": 1, "root": ROOT}));
}

#[tokio::test]
async fn a_public_channel_is_joined_once() {
    let bench = bench();
    bench.server.channel("O");
    let refused = json!({"id": "api.context.permissions.app_error"}).to_string();
    bench.server.script("POST /posts", vec![answer(403, &[], refused), answer(201, &[], post(POST, "").to_string())]);
    bench.server.on(&format!("POST /channels/{CHANNEL}/members"), 201, json!({}));
    posted(&bench, &outgoing()).await.expect("posted");
    assert_eq!(sent(&bench, &format!("POST /channels/{CHANNEL}/members")), json!({"user_id": BOT}));

    bench.server.refuse("POST /posts", 403, "api.context.permissions.app_error");
    let failure = posted(&bench, &outgoing()).await.expect_err("no right");
    assert_eq!(failure.cause, Cause::PermissionDenied, "a member lacks the right to post");
}

#[tokio::test]
async fn a_private_channel_needs_an_invitation() {
    let bench = bench();
    bench.server.refuse("POST /posts", 403, "api.context.permissions.app_error");
    let failure = posted(&bench, &outgoing()).await.expect_err("not a member");
    assert_eq!((failure.cause, failure.scope), (Cause::BotNotInChannel, Scope::Conversation));
    bench.server.refuse(&format!("GET /channels/{CHANNEL}"), 403, "api.context.permissions.app_error");
    assert_eq!(posted(&bench, &outgoing()).await.expect_err("unknown").cause, Cause::BotNotInChannel);
    bench.server.refuse(&format!("GET /channels/{CHANNEL}"), 404, "app.channel.get.existing.app_error");
    assert_eq!(posted(&bench, &outgoing()).await.expect_err("gone").cause, Cause::ChannelNotFound);
    assert_eq!(bench.server.asked(&format!("POST /channels/{CHANNEL}/members")).len(), 0);
}

#[tokio::test]
async fn an_answer_that_names_no_post_leaves_the_outcome_open() {
    let bench = bench();
    for body in ["", "{", "{}", "<html>", r#"{"id":""}"#, r#"{"id":"../x"}"#] {
        bench.server.script("POST /posts", vec![answer(201, &[], body)]);
        assert_eq!(posted(&bench, &outgoing()).await.expect_err(body).cause, Cause::NoAnswer, "{body}");
    }
    bench.server.script("POST /posts", vec![Reply::Lost]);
    assert_eq!(posted(&bench, &outgoing()).await.expect_err("lost").cause, Cause::NoAnswer);
    bench.server.script("POST /posts", vec![Reply::Down]);
    assert_eq!(posted(&bench, &outgoing()).await.expect_err("down").cause, Cause::Unreachable);
}

#[tokio::test]
async fn an_edit_replaces_the_properties_and_leaves_the_message() {
    let bench = bench();
    bench.server.on(&format!("PUT /posts/{POST}/patch"), 200, post(POST, ""));
    assert_eq!(edited(&bench).await.expect("edited"), Edited::Done(Receipt::new(POST)));
    let patch = sent(&bench, &format!("PUT /posts/{POST}/patch"));
    assert_eq!(patch.as_object().expect("an object").keys().collect::<Vec<_>>(), ["props"]);
    assert_eq!(patch["props"]["attachments"][0]["actions"][0]["integration"]["context"]["t"], "token-of-acknowledge");
}

#[tokio::test]
async fn an_edit_of_a_post_that_is_gone_says_so() {
    let bench = bench();
    let (patch, get) = (format!("PUT /posts/{POST}/patch"), format!("GET /posts/{POST}"));
    bench.server.refuse(&patch, 403, "api.context.permissions.app_error");
    bench.server.refuse(&get, 404, "app.post.get.app_error");
    assert_eq!(edited(&bench).await.expect("gone"), Edited::Gone);
    let mut deleted = post(POST, "");
    deleted["delete_at"] = 5.into();
    bench.server.on(&get, 200, deleted);
    assert_eq!(edited(&bench).await.expect("gone"), Edited::Gone);
    bench.server.refuse(&patch, 400, "api.post.update_post.permissions_details.app_error");
    assert_eq!(edited(&bench).await.expect("gone"), Edited::Gone);
}

#[tokio::test]
async fn an_edit_in_a_channel_that_the_bot_left_is_told_from_a_post_that_is_gone() {
    let bench = bench();
    let patch = format!("PUT /posts/{POST}/patch");
    bench.server.refuse(&patch, 403, "api.context.permissions.app_error");
    bench.server.refuse(&format!("GET /posts/{POST}"), 403, "api.context.permissions.app_error");
    assert_eq!(edited(&bench).await.expect_err("out").cause, Cause::BotNotInChannel);

    bench.server.on(&format!("GET /posts/{POST}"), 200, post(POST, ""));
    assert_eq!(edited(&bench).await.expect_err("no right").cause, Cause::PermissionDenied);
    bench.server.channel("O");
    bench.server.on(&format!("POST /channels/{CHANNEL}/members"), 201, json!({}));
    let refused = json!({"id": "api.context.permissions.app_error"}).to_string();
    bench.server.script(&patch, vec![answer(403, &[], refused), answer(200, &[], post(POST, "").to_string())]);
    assert!(matches!(edited(&bench).await, Ok(Edited::Done(_))), "a public channel is joined again");
}

#[tokio::test]
async fn an_edit_that_comes_too_late_says_so() {
    let bench = bench();
    bench.server.refuse(
        &format!("PUT /posts/{POST}/patch"),
        400,
        "api.post.update_post.permissions_time_limit.app_error",
    );
    assert_eq!(edited(&bench).await.expect("too old"), Edited::TooOld);
}

#[tokio::test]
async fn an_edit_without_an_answer_is_simply_repeated() {
    let bench = bench();
    for reply in [Reply::Lost, answer(500, &[], ""), answer(502, &[], "<html>")] {
        bench.server.script(&format!("PUT /posts/{POST}/patch"), vec![reply]);
        assert_eq!(edited(&bench).await.expect_err("no answer").cause, Cause::Unavailable);
    }
}

#[tokio::test]
async fn deleting_what_is_gone_is_success() {
    let bench = bench();
    let delete = async |bench: &Bench| {
        let outgoing = outgoing();
        delivery().delete().expect("delete").delete(&bench.site(), &outgoing.address, &Receipt::new(POST)).await
    };
    let route = format!("DELETE /posts/{POST}");
    bench.server.on(&route, 200, json!({"status": "OK"}));
    delete(&bench).await.expect("deleted");
    bench.server.refuse(&route, 404, "app.post.get.app_error");
    delete(&bench).await.expect("gone already");
    bench.server.refuse(&route, 403, "api.context.permissions.app_error");
    bench.server.refuse(&format!("GET /posts/{POST}"), 404, "app.post.get.app_error");
    delete(&bench).await.expect("gone already");
    bench.server.on(&format!("GET /posts/{POST}"), 200, post(POST, ""));
    assert_eq!(delete(&bench).await.expect_err("no right").cause, Cause::PermissionDenied);
    bench.server.script(&route, vec![answer(404, &[], "404 page not found")]);
    assert_eq!(delete(&bench).await.expect_err("a proxy").cause, Cause::Unavailable);
}

/// Look for the post of `outgoing`, first tried so many seconds ago.
async fn found(bench: &Bench, ago: u64) -> Result<Found, Failure> {
    let mut outgoing = outgoing();
    outgoing.first_tried = Some(bench.now.minus(Duration::from_secs(ago)));
    delivery().find().expect("find").find(&bench.site(), &outgoing).await
}

/// A page of posts, `(user, copy, seconds after NOW)`, newest first.
fn page(posts: &[(&str, &str, i64)]) -> Reply {
    let id = |index: usize| format!("{index:026}");
    let order: Vec<String> = (0..posts.len()).map(id).collect();
    let posts: serde_json::Map<String, Value> = posts
        .iter()
        .enumerate()
        .map(|(index, (user, copy, at))| {
            let post = json!({"id": id(index), "user_id": user, "root_id": "", "create_at": (NOW + at) * 1_000,
                "delete_at": 0, "props": {"chatport_copy": copy}});
            (id(index), post)
        })
        .collect();
    answer(200, &[], json!({"order": order, "posts": posts}).to_string())
}

#[tokio::test]
async fn right_after_the_first_try_repeating_is_safe() {
    let bench = bench();
    assert_eq!(found(&bench, 25).await.expect("an answer"), Found::SafeToRepeat);
    assert!(bench.server.seen().is_empty());
}

#[tokio::test]
async fn later_the_channel_is_looked_through() {
    let bench = bench();
    let route = format!("GET /channels/{CHANNEL}/posts");
    let (own, other) = (format!("{COPY}-0"), format!("{COPY}-1"));
    let full: Vec<(&str, &str, i64)> = (0..60).map(|at| (BOT, other.as_str(), -at)).collect();
    // A post of somebody else with our id isn't ours.
    bench.server.script(&route, vec![page(&full), page(&[(ALICE, &own, -70), (BOT, &own, -80)])]);
    let Found::Posted(receipt) = found(&bench, 100).await.expect("an answer") else { panic!("not found") };
    assert_eq!(receipt.id, format!("{:026}", 1));
    let queries: Vec<String> = bench.server.asked(&route).into_iter().map(|seen| seen.query).collect();
    assert_eq!(queries, ["page=0&per_page=60", "page=1&per_page=60"]);
}

#[tokio::test]
async fn it_is_absent_only_after_a_complete_listing() {
    let bench = bench();
    let route = format!("GET /channels/{CHANNEL}/posts");
    bench.server.script(&route, vec![page(&[(BOT, "other", -5), (ALICE, &format!("{COPY}-0"), -6)])]);
    assert_eq!(found(&bench, 60).await.expect("an answer"), Found::Absent, "the channel has no more posts");
    let old: Vec<(&str, &str, i64)> = (0..60).map(|at| (BOT, "other", -at * 10)).collect();
    bench.server.script(&route, vec![page(&old)]);
    assert_eq!(found(&bench, 60).await.expect("an answer"), Found::Absent, "the page reaches back far enough");
    let busy: Vec<(&str, &str, i64)> = (0..60).map(|_| (BOT, "other", 0)).collect();
    bench.server.script(&route, vec![page(&busy)]);
    assert_eq!(found(&bench, 60).await.expect("an answer"), Found::Unknowable, "too much to look through");
    bench.server.script(&route, vec![Reply::Lost]);
    assert_eq!(found(&bench, 60).await.expect_err("no listing").cause, Cause::Unavailable);
}

#[tokio::test]
async fn a_direct_conversation_is_opened_with_people_who_are_there() {
    let bench = bench();
    let direct =
        async |bench: &Bench| delivery().direct().expect("direct").direct(&bench.site(), &Account::new(ALICE)).await;
    bench.server.on("POST /channels/direct", 201, json!({"id": CHANNEL, "type": "D"}));
    assert_eq!(direct(&bench).await.expect("an address"), Address(json!({"v": 1, "channel": CHANNEL})));
    assert_eq!(sent(&bench, "POST /channels/direct"), json!([BOT, ALICE]));
    bench.server.refuse(
        "POST /channels/direct",
        403,
        "api.channel.create_channel.direct_channel.team_restricted_error",
    );
    assert_eq!(direct(&bench).await.expect_err("restricted").cause, Cause::RecipientUnreachable);
    bench.server.on(&format!("GET /users/{ALICE}"), 200, json!({"id": ALICE, "delete_at": 5}));
    assert_eq!(direct(&bench).await.expect_err("closed").cause, Cause::RecipientDeactivated);
    bench.server.refuse(&format!("GET /users/{ALICE}"), 404, "app.user.missing_account.const");
    assert_eq!(direct(&bench).await.expect_err("unknown").cause, Cause::RecipientUnreachable);
}

#[test]
fn a_stream_is_a_channel() {
    let address = Address(json!({"v": 1, "channel": CHANNEL}));
    let stream = delivery().stream(&address).expect("a stream");
    assert_eq!(stream, StreamKey { key: CHANNEL.into(), rate: "server" });
    assert!(MattermostBackend.descriptor().rate(stream.rate).is_some());
    for other in [json!({}), json!({"v": 2, "channel": CHANNEL}), json!({"v": 1, "channel": "../../users/me"})] {
        assert!(delivery().stream(&Address(other)).is_err());
    }
}
