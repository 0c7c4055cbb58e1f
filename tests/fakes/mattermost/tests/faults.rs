//! Faults: requests go wrong the way tests want, and the log tells what happened.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail loudly")]

mod caller;

use std::time::{Duration, Instant};

use caller::Rest;
use chatport_fake_mattermost::{FakeMattermost, FaultKind, FaultRule, Options};
use serde_json::{Value, json};

async fn start() -> (FakeMattermost, String) {
    let server = FakeMattermost::start(Options::default()).await;
    let (_, token) = server.create_bot("helper", "sysadmin");
    server.join_channel("acme/alerts", "helper");
    (server, token)
}

fn body(server: &FakeMattermost, pending: &str) -> Value {
    json!({"channel_id": server.channel_id("acme/alerts"), "message": "m", "pending_post_id": pending})
}

#[tokio::test]
async fn answers_of_all_kinds() {
    let (server, token) = start().await;
    let bot = Rest::new(&server, &token);
    let path = "/api/v4/users/me";
    let fault = |kind| server.fault(FaultRule::once("GET", path, kind));
    fault(FaultKind::Error("server_busy".into()));
    assert_eq!(bot.get("users/me").await.0, 503);
    fault(FaultKind::Error("proxy_502_html".into()));
    let proxy = bot.call("GET", "users/me", &Value::Null).await;
    assert_eq!((proxy.status, proxy.content_type.as_str()), (502, "text/html"));
    fault(FaultKind::Status(418, "teapot".into()));
    assert_eq!(bot.call("GET", "users/me", &Value::Null).await.body, "teapot");
    fault(FaultKind::RateLimited { retry_after: 7 });
    assert_eq!(bot.get("users/me").await.0, 429);
    fault(FaultKind::HalfBody);
    assert_eq!(bot.call("GET", "users/me", &Value::Null).await.body, "unexpected EOF");
    fault(FaultKind::CutBefore);
    assert_eq!(bot.get("users/me").await.0, 0);
    server.fault(FaultRule::always("*", "/api/*", FaultKind::CutBefore));
    assert_eq!(bot.get("users/me").await.0, 0);
    server.clear_faults();
    assert_eq!(bot.get("users/me").await.0, 200);
    let log = server.requests_to("GET", path);
    assert_eq!((log[0].status, log[0].faulted), (Some(503), true));
    assert_eq!((log.last().unwrap().user.as_str(), log.last().unwrap().faulted), ("helper", false));
}

#[tokio::test]
async fn a_lost_answer_is_found_again() {
    let (server, token) = start().await;
    let bot = Rest::new(&server, &token);
    server.fault(FaultRule::once("POST", "/api/v4/posts", FaultKind::LoseAnswer));
    assert_eq!(bot.post("posts", body(&server, "p")).await.0, 0);
    let (status, post) = bot.post("posts", body(&server, "p")).await;
    assert_eq!(status, 201);
    let posts = server.posts("acme/alerts");
    assert_eq!((posts.len(), post["id"].as_str().unwrap()), (1, posts[0].id.as_str()));
}

#[tokio::test]
async fn a_twin_is_refused_while_the_post_is_being_made() {
    let (server, token) = start().await;
    let slow = FaultKind::Delay(Duration::from_millis(200));
    server.fault(FaultRule::once("POST", "/api/v4/posts", slow));
    let bot = Rest::new(&server, &token);
    let first = bot.post("posts", body(&server, "p"));
    let second = async {
        tokio::time::sleep(Duration::from_millis(60)).await;
        bot.post("posts", body(&server, "p")).await
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first.0, 201);
    assert_eq!((second.0, &second.1["id"]), (500, &json!("api.post.deduplicate_create_post.pending")));
    assert_eq!(server.posts("acme/alerts").len(), 1);
    assert_eq!(server.most_posts_at_once("acme/alerts"), 2);
}

#[tokio::test]
async fn work_goes_on_when_the_client_hangs_up() {
    let (server, token) = start().await;
    let slow = FaultKind::Delay(Duration::from_millis(100));
    server.fault(FaultRule::once("POST", "/api/v4/posts", slow));
    let bot = Rest::new(&server, &token);
    let hasty = tokio::time::timeout(Duration::from_millis(30), bot.post("posts", body(&server, "p")));
    assert!(hasty.await.is_err());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(server.posts("acme/alerts").len(), 1);
}

#[tokio::test]
async fn a_stalled_request_never_ends_but_the_server_does() {
    let (server, token) = start().await;
    server.fault(FaultRule::once("GET", "*", FaultKind::Stall));
    let bot = Rest::new(&server, &token);
    let waiting = tokio::time::timeout(Duration::from_millis(60), bot.get("users/me"));
    assert!(waiting.await.is_err());
    let url = server.url();
    drop(bot);
    drop(server);
    let start = Instant::now();
    while tokio::net::TcpStream::connect(url.trim_start_matches("http://")).await.is_ok() {
        assert!(start.elapsed() < Duration::from_secs(5), "the port is closed");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
