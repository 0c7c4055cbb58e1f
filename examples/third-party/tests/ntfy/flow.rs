//! The whole way through the program: set up, publish, change, tap, take back. The server at the other
//! end is the stand-in, over HTTP.

use std::{
    future::Future,
    net::SocketAddr,
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::extract::Request;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::{sleep, timeout},
};

use crate::server::{Asked, FakeNtfy, TOKEN, TOPIC};

/// Serve the stand-in; the answer is its address.
async fn serve(ntfy: Arc<FakeNtfy>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let answer = move |request: Request| async move {
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
        let (path, query) = (head.uri.path(), head.uri.query());
        let asked = Asked { method: &head.method, path, query, headers: &head.headers, body: &body };
        let (status, text) = ntfy.respond(&asked);
        (StatusCode::from_u16(status).expect("a status"), text)
    };
    let app = axum::Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// The program, as an operator runs it.
struct Program {
    _child: Child,
    _home: tempfile::TempDir,
    address: SocketAddr,
    key: String,
}

/// A status and JSON.
type Told = (u16, Value);

impl Program {
    async fn start(ntfy: SocketAddr) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let free = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let mut child = Command::new(env!("CARGO_BIN_EXE_chatport-ntfy"))
            .arg("serve")
            .arg(format!("--listen={address}"))
            .arg(format!("--data={}", home.path().join("data").display()))
            .arg(format!("--allow-networks=127.0.0.1=127.0.0.1/32:{}", ntfy.port()))
            .env_clear()
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let key = timeout(Duration::from_secs(20), async {
            while let Some(line) = lines.next_line().await.expect("text") {
                if let Some(key) = line.split_whitespace().find(|word| word.starts_with("cp_live_")) {
                    return key.to_owned();
                }
            }
            panic!("the program ended without an API key")
        });
        let key = key.await.expect("an API key within 20 s");
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let program = Self { _child: child, _home: home, address, key };
        eventually("the program to be ready", || async {
            let connected = TcpStream::connect(address).await.is_ok();
            (connected && program.call(Method::GET, "/readyz", Value::Null).await.0 == 200).then_some(())
        })
        .await;
        program
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> Told {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let key = format!("authorization: Bearer {}\r\ncontent-type: application/json\r\n", self.key);
        call(self.address, &method, path, &key, &body).await
    }

    /// A call for the organization, which succeeds.
    async fn acme(&self, method: Method, path: &str, body: Value) -> Value {
        let (status, told) = self.call(method, &format!("/v1/organizations/acme{path}"), body).await;
        assert!((200..300).contains(&status), "{path}: {status} {told}");
        told
    }

    /// Say what a message shows, and wait until it is shown.
    async fn say(&self, message: Value) {
        self.acme(Method::PUT, "/messages/disk", message.clone()).await;
        eventually("the message to be delivered", || async {
            let found = self.acme(Method::GET, "/messages/disk", Value::Null).await;
            let is_there = found["copies"][0]["state"] == "delivered" && found["revision"] == message["revision"];
            is_there.then_some(())
        })
        .await;
    }
}

/// One request over a connection of its own.
async fn call(server: SocketAddr, method: &Method, path: &str, headers: &str, body: &str) -> Told {
    let length = body.len();
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\ncontent-length: {length}\r\n");
    let mut stream = TcpStream::connect(server).await.expect("a connection");
    stream.write_all(format!("{head}{headers}\r\n{body}").as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, serde_json::from_str(body).unwrap_or_default())
}

async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, look: impl Fn() -> F) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "waited 20 s for {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_published_changed_tapped_and_taken_back() {
    let ntfy = Arc::new(FakeNtfy::default());
    let at = serve(Arc::clone(&ntfy)).await;
    let program = Program::start(at).await;

    // Only this backend is in the program.
    let (_, backends) = program.call(Method::GET, "/v1/backends", Value::Null).await;
    let ids: Vec<_> = backends["backends"].as_array().expect("backends").iter().map(|it| &it["id"]).collect();
    assert_eq!(ids, ["ntfy"]);

    // Set up: a wrong token is refused where it stands, the right one will do.
    program.acme(Method::PUT, "", json!({ "name": "Acme" })).await;
    let settings = json!({ "server_url": format!("http://{at}"), "topics": [TOPIC] });
    let asked = json!({ "backend": "ntfy", "settings": settings });
    let begun = program.acme(Method::POST, "/installations", asked).await;
    let setup = format!("/installations/{}/setup", begun["id"].as_str().expect("an id"));
    let path = format!("/v1/organizations/acme{setup}");
    let (status, refused) =
        program.call(Method::POST, &path, json!({ "fields": { "access_token": "tk_wrong" } })).await;
    assert_eq!((status, &refused["field"]), (422, &json!("access_token")), "{refused}");
    let installed = program.acme(Method::POST, &setup, json!({ "fields": { "access_token": TOKEN } })).await;
    assert_eq!(installed["state"], "active", "{installed}");
    let conversation = json!({ "id": TOPIC, "address": { "v": 1, "topic": TOPIC }, "kind": "channel", "name": TOPIC });
    let channel = json!({ "installation": begun["id"], "conversation": conversation });
    program.acme(Method::POST, "/channels", channel).await;
    assert!(ntfy.shown().is_empty(), "setting up shows nothing to anybody");

    // Published.
    let action = json!({ "id": "ack", "label": "Acknowledge", "allow": "anyone" });
    let linked = json!({ "id": "resolve", "label": "Resolve", "allow": "linked" });
    let firing =
        json!({ "state": "firing", "title": "Disk full", "text": "98 % of **/var**", "actions": [action, linked] });
    let message = |revision, content: &Value| json!({ "revision": revision, "targets": [{ "default": true }], "content": content, "urgency": "urgent" });
    program.say(message(1, &firing)).await;
    let shown = ntfy.shown();
    assert_eq!(shown.len(), 1);
    let it = &shown[0];
    assert_eq!((it.title.as_str(), it.message.as_str(), it.priority), ("Disk full", "98 % of **/var**", 5));
    assert_eq!((it.tags.as_slice(), it.actions[0].label.as_str()), (&["rotating_light".to_owned()][..], "Acknowledge"));

    // Tapped, twice: the application hears of it once, and of nobody in particular.
    let button = &it.actions[0];
    let path = button.url.strip_prefix(&format!("http://{}", program.address)).expect("this program's address");
    for _ in 0..2 {
        assert_eq!(call(program.address, &Method::POST, path, "", &button.body).await.0, 200);
    }
    // Nobody is linked, and a token that was made up is nobody's.
    assert_eq!(call(program.address, &Method::POST, path, "", &it.actions[1].body).await.0, 403);
    let forged = button.body.replacen("\"token\":\"", "\"token\":\"x", 1);
    assert_eq!(call(program.address, &Method::POST, path, "", &forged).await.0, 410);
    let (_, events) = program.call(Method::GET, "/v1/events?after=0", Value::Null).await;
    let pressed: Vec<_> =
        events["items"].as_array().expect("events").iter().filter(|event| event["type"] == "action.invoked").collect();
    assert_eq!(pressed.len(), 1, "{events}");
    let data = &pressed[0]["data"];
    assert_eq!((&data["action"], &data["message"], &data["user"]), (&json!("ack"), &json!("disk"), &Value::Null));

    // Changed in its place, and taken back.
    program.say(message(2, &json!({ "state": "resolved", "title": "Disk has room again" }))).await;
    let changed = ntfy.shown();
    assert_eq!((changed.len(), &changed[0].sequence_id), (1, &it.sequence_id));
    assert_eq!((changed[0].message.as_str(), changed[0].tags[0].as_str()), ("Disk has room again", "white_check_mark"));
    program.acme(Method::DELETE, "/messages/disk", Value::Null).await;
    eventually("the notification to be taken back", || async { ntfy.shown().is_empty().then_some(()) }).await;
}
