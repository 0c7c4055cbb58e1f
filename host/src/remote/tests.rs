use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use chatport_sdk::{
    async_trait,
    backend::MessagingBackend,
    content::Content,
    delivery::{Outgoing, Part, Receipt, RenderRequest},
    failure::{Cause, Failure},
    happening::{CodeRefusal, HappeningKind, Outcome},
    http::{Answer, Call, Dispatch, HttpClient, HttpError, HttpErrorKind, Transport},
    identity::Address,
    ingress::{Received, Request},
    secret::Secret,
    site::{Site, SiteParts, Vault},
    time::{Clock, Timestamp},
    token::Token,
    wire,
};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use super::{ConnectError, Means, RemoteBackend};
use crate::{
    config::RemoteEntry,
    security::{random::SystemRandom, webhook_signature},
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8G";
const OTHERS: &str = "whsec_AAAQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8G";
const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        NOW
    }
}

/// What the other side does with a call.
#[derive(Clone)]
enum Act {
    /// Answer with this body, signed.
    Say(Value),
    /// Let a request and the right answer's headers and body be changed.
    Forge(fn(&Call, &mut Answer)),
    Fail(HttpErrorKind, bool),
    Hang,
}

/// A remote process, without the process.
#[derive(Clone)]
struct Other(Arc<Mutex<(Act, Vec<Value>)>>);

impl Other {
    fn does(&self, act: Act) {
        self.0.lock().expect("no panic").0 = act;
    }

    fn says(&self, body: Value) {
        self.does(Act::Say(body));
    }

    /// The last request, checked as the other side checks it.
    fn asked(&self) -> Value {
        self.0.lock().expect("no panic").1.last().cloned().expect("a request")
    }
}

fn header(call: &Call, name: &str) -> String {
    call.headers[name].to_str().expect("text").to_owned()
}

fn signed(call: &Call, secret: &str, id: &str, at: Timestamp, body: Vec<u8>) -> Answer {
    let signature = webhook_signature::sign(&[Secret::new(secret)], id, at.as_seconds(), &body);
    let mut headers = HeaderMap::new();
    assert_eq!(call.method, Method::POST);
    headers.insert(wire::ID_HEADER, id.parse().expect("a header"));
    headers.insert(wire::TIMESTAMP_HEADER, at.as_seconds().to_string().parse().expect("a header"));
    headers.insert(wire::SIGNATURE_HEADER, signature.parse().expect("a header"));
    Answer { status: StatusCode::OK, headers, body: body.into() }
}

#[async_trait]
impl Transport for Other {
    async fn send(&self, call: Call, _: &Dispatch) -> Result<Answer, HttpError> {
        let (id, time, signature) = (
            header(&call, wire::ID_HEADER),
            header(&call, wire::TIMESTAMP_HEADER),
            header(&call, wire::SIGNATURE_HEADER),
        );
        webhook_signature::verify(&[Secret::new(SECRET)], &id, &time, &signature, &call.body, NOW)
            .expect("it is signed");
        let act = {
            let mut state = self.0.lock().expect("no panic");
            state.1.push(serde_json::from_slice(&call.body).expect("JSON"));
            state.0.clone()
        };
        let right = |body: &Value| signed(&call, SECRET, &wire::answer_id(&id), NOW, body.to_string().into_bytes());
        match act {
            Act::Say(body) => Ok(right(&body)),
            Act::Forge(forge) => {
                let mut answer = right(&json!({ "result": { "id": "p1" } }));
                forge(&call, &mut answer);
                Ok(answer)
            }
            Act::Fail(kind, sent) => Err(HttpError::new(kind, sent, "as the test wants it")),
            Act::Hang => {
                tokio::time::sleep(call.timeout).await;
                Err(HttpError::new(HttpErrorKind::Timeout, true, "no answer"))
            }
        }
    }
}

struct Safe;

impl Vault for Safe {
    fn tokens(&self, kind: &str) -> Vec<Token> {
        assert_eq!(kind, "session");
        vec![Token { value: Secret::new("hush"), label: None, created_at: NOW, expires_at: None }]
    }
    fn matches(&self, _: &str, _: &[u8]) -> Option<String> {
        None
    }
}

fn site(other: &Other) -> Site {
    let parts = SiteParts::new("slot", Arc::new(Safe), Arc::new(Stopped), Arc::new(SystemRandom));
    Site::new(parts, HttpClient::new(Arc::new(other.clone()), Dispatch::default()))
}

fn described() -> Value {
    json!({ "result": {
        "id": "pigeon", "name": "Carrier pigeon", "contract": 1, "settings": { "type": "object" },
        "parts": { "deliver": true, "edit": true, "receive": true, "listen": true, "verification": ["user"] },
        "limits": { "unit": "characters", "text": 4000, "actions": 5, "choices": 5, "threads": false },
        "tokens": [{ "name": "session", "origin": "platform" }], "rates": [{ "name": "loft", "per_second": 1, "burst": 1 }],
    } })
}

async fn try_connect(first: Act) -> (Other, Result<RemoteBackend, ConnectError>) {
    let other = Other(Arc::new(Mutex::new((first, Vec::new()))));
    let url = "http://127.0.0.1:9000/".parse().expect("a URL");
    let entry = RemoteEntry { id: "pigeon".into(), url, secrets: vec![Secret::new(SECRET)] };
    let means = Means { transport: Arc::new(other.clone()), clock: Arc::new(Stopped), random: Arc::new(SystemRandom) };
    let connected = RemoteBackend::connect(entry, means).await;
    (other, connected)
}

async fn connect() -> (Other, RemoteBackend) {
    let (other, connected) = try_connect(Act::Say(described())).await;
    (other, connected.expect("it is there"))
}

fn outgoing() -> Outgoing {
    let part = Part { payload: json!({ "text": "hi" }).into(), actions: Vec::new() };
    Outgoing::new("c1", 1, Address(json!({ "key": "loft" })), part)
}

async fn post(other: &Other, backend: &RemoteBackend) -> Result<Receipt, Failure> {
    backend.delivery().expect("it delivers").post(&site(other), &outgoing()).await
}

#[test]
fn the_example_in_the_specification_is_signed_as_it_says() {
    let text = include_str!("../../../docs/remote-backends.md");
    assert!(text.contains(SECRET), "the secret");
    let line = |start: &str| text.lines().find(|line| line.starts_with(start)).expect("a line of the example");
    let value = |name: &str| line(name).split_once(": ").expect("a header").1;
    let body = line("{\"contract\"").as_bytes();
    let (id, time, signature) = (value(wire::ID_HEADER), value(wire::TIMESTAMP_HEADER), value(wire::SIGNATURE_HEADER));
    assert_eq!(webhook_signature::verify(&[Secret::new(SECRET)], id, time, signature, body, NOW), Ok(()));
}

#[tokio::test]
async fn a_call_tells_method_site_and_tokens_and_brings_the_result_back() {
    let (other, backend) = connect().await;
    other.says(json!({ "result": { "id": "p1", "handle": { "v": 1 } } }));
    let receipt = post(&other, &backend).await.expect("posted");
    assert_eq!((receipt.id.as_str(), &receipt.handle), ("p1", &json!({ "v": 1 })));
    let asked = other.asked();
    assert_eq!(
        (&asked["method"], &asked["backend"], &asked["contract"]),
        (&json!("delivery/post"), &json!("pigeon"), &json!(1))
    );
    assert_eq!(asked["site"]["tokens"][0]["value"], "hush");
    assert_eq!(asked["arguments"]["outgoing"]["part"]["payload"]["text"], "hi");
}

#[tokio::test]
async fn what_it_does_not_offer_is_absent() {
    let (_, backend) = connect().await;
    let delivery = backend.delivery().expect("it delivers");
    assert!(backend.install().is_none() && delivery.delete().is_none() && delivery.find().is_none());
    assert!(delivery.edit().is_some() && backend.ingress().is_some() && backend.verification().is_some());
}

#[tokio::test]
async fn a_failure_of_the_platform_is_taken_over() {
    let (other, backend) = connect().await;
    other.says(json!({ "failure": { "cause": "channel_archived", "detail": "gone" } }));
    assert_eq!(post(&other, &backend).await, Err(Failure::new(Cause::ChannelArchived, "gone")));
}

#[tokio::test]
async fn after_an_answer_that_does_not_count_a_post_may_have_been_made() {
    let (other, backend) = connect().await;
    let lies: [(&str, Act); 13] = [
        (
            "more than one answer",
            Act::Forge(|call, answer| *answer = signed(call, SECRET, &id(call), NOW, [ok(), ok()].concat())),
        ),
        ("no JSON", Act::Forge(|call, answer| *answer = signed(call, SECRET, &id(call), NOW, b"{".to_vec()))),
        ("another shape", Act::Say(json!({ "result": { "id": 7 } }))),
        ("a cause that isn't one", Act::Say(json!({ "failure": { "cause": "bad_weather" } }))),
        ("a dangerous link", Act::Say(json!({ "result": { "id": "p", "permalink": "javascript:1" } }))),
        ("setup where none is", Act::Say(json!({ "setup_error": { "problem": "wrong_stage", "detail": "" } }))),
        ("another's signature", Act::Forge(|call, answer| *answer = signed(call, OTHERS, &id(call), NOW, ok()))),
        ("no signature", Act::Forge(|_, answer| answer.headers.clear())),
        ("another body", Act::Forge(|_, answer| answer.body = Bytes::from_static(b"{\"result\":{\"id\":\"p2\"}}"))),
        (
            "another request's answer",
            Act::Forge(|call, answer| *answer = signed(call, SECRET, "answer-req_0", NOW, ok())),
        ),
        ("an old answer", Act::Forge(|call, answer| *answer = signed(call, SECRET, &id(call), Timestamp::EPOCH, ok()))),
        (
            "the request itself",
            Act::Forge(|call, answer| {
                (answer.headers, answer.body) = (call.headers.clone(), call.body.clone());
            }),
        ),
        ("an error", Act::Forge(|_, answer| answer.status = StatusCode::BAD_GATEWAY)),
    ];
    for (lie, act) in lies {
        other.does(act);
        let failure = post(&other, &backend).await.expect_err(lie);
        assert_eq!(failure.cause, Cause::NoAnswer, "{lie}: {failure}");
        // A good answer, so that it isn't left alone.
        other.says(json!({ "result": { "id": "p1" } }));
        post(&other, &backend).await.expect(lie);
    }
}

fn id(call: &Call) -> String {
    wire::answer_id(&header(call, wire::ID_HEADER))
}

fn ok() -> Vec<u8> {
    b"{\"result\":{\"id\":\"p1\"}}".to_vec()
}

#[tokio::test]
async fn what_was_never_sent_and_what_may_be_repeated_leave_nothing_open() {
    let (other, backend) = connect().await;
    let causes = async |act: Act| {
        other.does(act);
        let delivery = backend.delivery().expect("it delivers");
        let (site, outgoing) = (site(&other), outgoing());
        let posted = delivery.post(&site, &outgoing).await.expect_err("a failure").cause;
        let edit = delivery.edit().expect("it edits");
        let edited = edit.edit(&site, &outgoing, &Receipt::new("p1")).await.expect_err("a failure").cause;
        other.says(json!({ "result": { "id": "p1" } }));
        post(&other, &backend).await.expect("it is there again");
        (posted, edited)
    };
    assert_eq!(causes(Act::Fail(HttpErrorKind::Connect, false)).await, (Cause::Unreachable, Cause::Unreachable));
    assert_eq!(causes(Act::Fail(HttpErrorKind::TooLong, true)).await, (Cause::NoAnswer, Cause::Unavailable));
    let refuse: Act = Act::Forge(|_, answer| answer.status = StatusCode::UNAUTHORIZED);
    assert_eq!(causes(refuse).await, (Cause::Unreachable, Cause::Unreachable));
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_is_soon_not_asked_any_more() {
    let (other, backend) = connect().await;
    other.does(Act::Hang);
    for _ in 0..3 {
        let begun = tokio::time::Instant::now();
        assert_eq!(post(&other, &backend).await.expect_err("no answer").cause, Cause::NoAnswer);
        assert!(begun.elapsed() < Duration::from_secs(20), "before the host loses patience");
    }
    let failure = post(&other, &backend).await.expect_err("left alone");
    assert!(failure.cause == Cause::Unreachable && failure.retry_after.is_some(), "{failure}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn while_a_rendering_hangs_the_runtime_goes_on() {
    let (other, backend) = connect().await;
    other.does(Act::Hang);
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let ticking = tokio::spawn(async move {
        while sender.send(()).is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let rendering = tokio::spawn(async move {
        let content = Content { title: "x".into(), ..Content::default() };
        let begun = std::time::Instant::now();
        let request = RenderRequest::new(&content, &backend.descriptor().limits);
        let rendering = backend.delivery().expect("it delivers").render(&request);
        (rendering, begun.elapsed())
    });
    let (rendering, took) = rendering.await.expect("no panic");
    assert!(rendering.parts.is_empty(), "there is none");
    assert!(took < Duration::from_secs(2), "{took:?}");
    let mut ticks = 0;
    while receiver.try_recv().is_ok() {
        ticks += 1;
    }
    assert!(ticks >= 5, "the one worker thread was held up: {ticks}");
    ticking.abort();
}

#[tokio::test]
async fn happenings_go_to_the_host_and_their_outcomes_back() {
    let (other, backend) = connect().await;
    let ingress = backend.ingress().expect("it receives");
    let account = json!({ "id": "ada" });
    let what = json!({ "kind": "code_entered", "code": "K7QX", "account": account, "place": { "kind": "direct" } });
    other.says(json!({ "result": { "happenings": [{ "id": "h1", "what": what }] } }));
    let request = Request {
        method: Method::POST,
        path: "/hook".into(),
        query: None,
        headers: HeaderMap::new(),
        body: Bytes::from_static(b"\xff"),
    };
    let Received::Happenings(happenings) = ingress.receive(&site(&other), &request).await else { panic!("happenings") };
    assert_eq!(other.asked()["arguments"]["request"]["body_base64"], "/w==");
    assert!(matches!(&happenings[0].kind, HappeningKind::CodeEntered { code, .. } if code.matches(b"K7QX")));
    other.says(json!({ "result": { "status": 200, "content_type": "application/json", "body": "{}" } }));
    let outcomes = [Outcome::CodeRefused(CodeRefusal::NotValid)];
    let response = ingress.answer(&site(&other), &happenings, &outcomes).await;
    assert_eq!((response.status, response.content_type), (StatusCode::OK, "application/json"));
    let told = other.asked()["arguments"].clone();
    assert_eq!(told["outcomes"], json!([{ "outcome": "code_refused", "reason": "not_valid" }]));
    assert_eq!(told["happenings"][0]["what"]["code"], "K7QX");
}

#[tokio::test]
async fn what_a_process_hears_goes_to_the_host_with_the_cursor() {
    let (other, backend) = connect().await;
    let listen = backend.listen().expect("it listens");
    assert!(!listen.listens(&site(&other)), "it isn't set up yet");
    let what = json!({ "kind": "unlink_asked", "account": { "id": "ada" } });
    other.says(json!({ "result": { "happenings": [{ "id": "h1", "what": what }], "cursor": "8" } }));
    let heard = listen.listen(&site(&other), Some("7")).await.expect("something heard");
    assert_eq!(other.asked()["method"], "listen/wait");
    assert_eq!(other.asked()["arguments"], json!({ "cursor": "7" }));
    assert_eq!((heard.happenings[0].id.as_str(), heard.cursor.as_deref()), ("h1", Some("8")));
    other.says(json!({ "result": null }));
    listen.answer(&site(&other), &heard.happenings, &[Outcome::Unlinked { was_linked: true }]).await;
    assert_eq!(other.asked()["arguments"]["outcomes"], json!([{ "outcome": "unlinked", "was_linked": true }]));
    other.says(json!({ "result": { "cursor": "x".repeat(1_001) } }));
    assert!(listen.listen(&site(&other), None).await.is_err(), "a cursor that can't be kept");
}

#[tokio::test]
async fn a_process_that_calls_itself_otherwise_is_not_attached() {
    let mut other = described();
    other["result"]["id"] = json!("dove");
    let refused = try_connect(Act::Say(other)).await.1.expect_err("another id").to_string();
    assert!(refused.contains("`pigeon`"), "{refused}");
    let silent = try_connect(Act::Fail(HttpErrorKind::Connect, false)).await.1.expect_err("nobody").to_string();
    assert!(silent.contains("can't be reached"), "{silent}");
}
