//! What a call says of itself: above all whether it may have left.

use std::{io::Write, sync::Mutex, time::Duration};

use chatport_sdk::http::{Dispatch, HttpClient, HttpErrorKind};
use http::{StatusCode, header};
use tokio::net::TcpListener;
use url::Url;
use uuid::Uuid;

use super::platform::{Caller, HOST, Lookup, Names, OK, Platform, Reply, local, transports};

/// A port of this machine that nobody listens on.
async fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    listener.local_addr().expect("an address").port()
}

#[tokio::test]
async fn an_answer_is_read_whole() {
    let platform = Platform::that_replies([OK]).await;
    let caller = Caller::to(&platform);
    let answer = caller.post(platform.url()).await.expect("an answer");
    assert_eq!((answer.status, &answer.body[..]), (StatusCode::OK, &b"hi"[..]));
    assert!(caller.dispatch.is_marked());
}

#[tokio::test]
async fn a_refused_connection_was_not_sent() {
    let port = closed_port().await;
    let transports = transports(&[format!("{HOST}=127.0.0.1:{port}")], Names::with(HOST, Lookup::Is(local())), None);
    let url = Url::parse(&format!("http://{HOST}:{port}/")).expect("a URL");
    assert_eq!(Caller::of(&transports).failure(url).await, (HttpErrorKind::Connect, false));
}

#[tokio::test]
async fn a_name_that_nobody_knows_was_not_sent() {
    let transports = transports(&[], Names::with("other.test", Lookup::Is(local())), None);
    let url = Url::parse("https://chat.test/").expect("a URL");
    assert_eq!(Caller::of(&transports).failure(url).await, (HttpErrorKind::Connect, false));
}

#[tokio::test]
async fn a_name_service_that_does_not_answer_was_not_sent() {
    let transports = transports(&[], Names::with(HOST, Lookup::Hangs), None);
    let url = Url::parse("https://chat.test/").expect("a URL");
    assert_eq!(Caller::of(&transports).failure(url).await, (HttpErrorKind::Timeout, false));
}

#[tokio::test]
async fn a_platform_that_never_answers_may_have_acted() {
    let platform = Platform::that_replies([Reply::Stall("")]).await;
    let failure = Caller::to(&platform).failure(platform.url()).await;
    assert_eq!(failure, (HttpErrorKind::Timeout, true));
}

#[tokio::test]
async fn a_platform_that_hangs_up_after_reading_may_have_acted() {
    let platform = Platform::that_replies([Reply::Close("")]).await;
    let failure = Caller::to(&platform).failure(platform.url()).await;
    assert_eq!(failure, (HttpErrorKind::Broken, true));
    assert_eq!(platform.requests().len(), 1, "it isn't sent again");
}

#[tokio::test]
async fn a_body_that_stalls_may_have_been_acted_on() {
    let platform = Platform::that_replies([Reply::Stall("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")]).await;
    let failure = Caller::to(&platform).failure(platform.url()).await;
    assert_eq!(failure, (HttpErrorKind::Timeout, true));
}

#[tokio::test]
async fn a_body_that_breaks_off_may_have_been_acted_on() {
    let platform = Platform::that_replies([Reply::Close("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")]).await;
    let failure = Caller::to(&platform).failure(platform.url()).await;
    assert_eq!(failure, (HttpErrorKind::Broken, true));
}

#[tokio::test]
async fn connections_are_kept() {
    let platform = Platform::that_replies([OK]).await;
    let caller = Caller::to(&platform);
    for _ in 0..3 {
        caller.post(platform.url()).await.expect("an answer");
    }
    assert_eq!((platform.requests().len(), platform.connections()), (3, 1));
}

#[tokio::test]
async fn over_a_kept_connection_a_call_may_have_left_too() {
    let platform = Platform::that_replies([OK, Reply::Close("")]).await;
    let transports = transports(&[platform.grant()], Names::with(HOST, Lookup::ThenHangs(local())), None);
    Caller::of(&transports).post(platform.url()).await.expect("an answer");
    let failure = Caller::of(&transports).failure(platform.url()).await;
    assert_eq!(failure, (HttpErrorKind::Broken, true));
    assert_eq!(platform.requests().len(), 2, "it isn't sent again");
}

/// The client starts to connect, and while that goes on another call's connection is free:
/// it takes that one. The call has left although its own connection never came about.
#[tokio::test]
async fn over_a_connection_that_became_free_meanwhile_a_call_may_have_left_too() {
    let platform = Platform::that_replies([Reply::WhenTold, Reply::Close("")]).await;
    let transports = transports(&[platform.grant()], Names::with(HOST, Lookup::ThenHangs(local())), None);
    let (first, second) = (Caller::of(&transports), Caller::of(&transports));
    let (url, told) = (platform.url(), platform.told.clone());
    let answered = tokio::spawn(async move { first.post(url).await.map(|answer| answer.status) });
    platform.has_heard(1).await;
    let failing = tokio::spawn({
        let url = platform.url();
        async move { second.failure(url).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    told.notify_one();
    assert_eq!(answered.await.expect("a call").expect("an answer"), StatusCode::OK);
    assert_eq!(failing.await.expect("a call"), (HttpErrorKind::Broken, true));
    assert_eq!((platform.requests().len(), platform.connections()), (2, 1));
}

#[tokio::test]
async fn a_call_that_is_given_up_before_it_has_a_connection_has_not_left() {
    let caller = Caller::of(&transports(&[], Names::with(HOST, Lookup::Hangs), None));
    let call = caller.post(Url::parse("https://chat.test/").expect("a URL"));
    tokio::time::timeout(Duration::from_millis(50), call).await.expect_err("it is given up");
    assert!(!caller.dispatch.is_marked());
}

#[tokio::test]
async fn a_call_that_is_given_up_while_it_waits_for_an_answer_may_have_left() {
    let platform = Platform::that_replies([Reply::Stall("")]).await;
    let caller = Caller::to(&platform);
    tokio::select! {
        _ = caller.post(platform.url()) => panic!("there is no answer"),
        () = platform.has_heard(1) => {}
    }
    assert!(caller.dispatch.is_marked());
}

#[tokio::test]
async fn installations_do_not_share_connections() {
    let platform = Platform::that_replies([OK]).await;
    let transports = transports(&[platform.grant()], Names::with(HOST, Lookup::Is(local())), None);
    for organization in ["acme", "other", "acme"] {
        let transport = transports.for_installation(organization, Uuid::nil());
        let client = HttpClient::new(transport, Dispatch::default());
        client.get(platform.url()).send().await.expect("an answer");
    }
    assert_eq!(platform.connections(), 2);
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let redirect = "HTTP/1.1 302 Found\r\nlocation: http://chat.test/elsewhere\r\ncontent-length: 0\r\n\r\n";
    let platform = Platform::that_replies([Reply::Bytes(redirect), OK]).await;
    let answer = Caller::to(&platform).post(platform.url()).await.expect("an answer");
    assert_eq!(answer.status, StatusCode::FOUND);
    assert_eq!(answer.headers[header::LOCATION], "http://chat.test/elsewhere");
    assert_eq!(platform.requests().len(), 1);
}

#[tokio::test]
async fn an_answer_may_be_as_long_as_was_said_and_not_longer() {
    for reply in [
        "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n12345678",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n1234\r\n4\r\n5678\r\n0\r\n\r\n",
    ] {
        let platform = Platform::that_replies([Reply::Bytes(reply)]).await;
        let caller = Caller::to(&platform);
        let exact = caller.client.get(platform.url()).max_answer(8).send().await.expect("an answer");
        assert_eq!(&exact.body[..], b"12345678");
        let error = caller.client.get(platform.url()).max_answer(7).send().await.expect_err("too long");
        assert_eq!((error.kind, error.sent), (HttpErrorKind::TooLong, true));
    }
}

#[tokio::test]
async fn a_request_says_who_it_is_and_asks_for_no_compression() {
    let platform = Platform::that_replies([OK]).await;
    let caller = Caller::to(&platform);
    caller.client.get(platform.url()).header(header::ACCEPT_ENCODING, "gzip").send().await.expect("an answer");
    let request = platform.requests().remove(0);
    assert!(request.starts_with("GET /hook?token=secret HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("host: {HOST}:{}\r\n", platform.port)), "{request}");
    assert!(request.contains("user-agent: Chatport/") && !request.contains("accept-encoding"), "{request}");
}

#[tokio::test]
async fn what_is_no_plain_http_url_is_never_called() {
    let caller = Caller::of(&transports(&[], Names::with(HOST, Lookup::Is(local())), None));
    for url in [
        "ftp://chat.test/",
        "file:///etc/passwd",
        "ws://chat.test/",
        "https://user@chat.test/",
        "https://:pass@chat.test/",
    ] {
        let failure = caller.failure(Url::parse(url).expect("a URL")).await;
        assert_eq!(failure, (HttpErrorKind::BadRequest, false), "{url}");
    }
}

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.lock().expect("the log").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn answered_and_broken() {
    let platform = Platform::that_replies([OK, Reply::Close("")]).await;
    let caller = Caller::to(&platform);
    caller.post(platform.url()).await.expect("an answer");
    caller.post(platform.url()).await.expect_err("no answer");
}

#[tokio::test]
async fn the_log_names_the_host_and_never_the_path_or_the_body() {
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(|| Log).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    // What another test's thread logs first stays unheard here, unless it is asked for again.
    answered_and_broken().await;
    tracing::callsite::rebuild_interest_cache();
    answered_and_broken().await;
    drop(guard);
    let log = String::from_utf8(LOG.lock().expect("the log").clone()).expect("text");
    assert!(log.contains("called") && log.contains("call failed") && log.contains(HOST), "{log}");
    for hidden in ["hook", "secret", "body\""] {
        assert!(!log.contains(hidden), "{hidden} in {log}");
    }
}
