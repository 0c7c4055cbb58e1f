use std::net::SocketAddr;

use axum::{
    Extension,
    body::{Body, Bytes},
    response::Response,
    routing::{get, post},
};
use futures_util::StreamExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::*;

struct Counter(std::sync::atomic::AtomicU8);

impl Random for Counter {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    }
}

struct Running {
    address: SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

fn short() -> Limits {
    Limits {
        header: Duration::from_millis(200),
        idle: Duration::from_millis(600),
        body: Duration::from_millis(200),
        answer: Duration::from_millis(500),
        write_stall: Duration::from_millis(300),
        grace: Duration::from_millis(500),
        ..Limits::default()
    }
}

async fn endless() -> Response {
    let chunks = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 16 * 1024])));
    Response::new(Body::from_stream(chunks))
}

async fn read(body: Body) -> String {
    read_body(body, 100).await.map_or_else(|error| error.to_string(), |bytes| format!("{} bytes", bytes.len()))
}

fn routes() -> Router {
    Router::new()
        .route("/hello", get(|| async { "hello" }))
        .route("/id", get(|Extension(id): Extension<RequestId>| async move { id.0.to_string() }))
        .route("/panic", get(|| async { panic!("canary") as &'static str }))
        .route("/hang", get(std::future::pending::<&'static str>))
        .route(
            "/slow",
            get(|| async {
                tokio::time::sleep(Duration::from_millis(250)).await;
                "slow"
            }),
        )
        .route("/endless", get(endless))
        .route("/read", post(read))
}

async fn start(limits: Limits) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let options = Options { limits, trusted_proxies: Vec::new(), random: Arc::new(Counter(1.into())) };
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(serve(listener, routes(), options, shutdown.clone()));
    Running { address, shutdown, task }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    /// Send bytes on a new connection and read until the server closes it.
    async fn exchange(&self, bytes: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes.as_bytes()).await.expect("sent");
        rest(&mut stream).await
    }

    async fn get(&self, path: &str) -> String {
        self.exchange(&format!("GET {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n")).await
    }
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let reading = stream.read_to_end(&mut bytes);
    // A reset is an end, too.
    let _ = timeout(Duration::from_secs(5), reading).await.expect("the server closes in the end");
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn a_request_is_answered_with_an_id() {
    let host = start(short()).await;
    let answer = host.get("/hello").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("hello"), "{answer}");
    assert!(answer.contains("x-request-id: 01010101010101010101010101010101"), "{answer}");
    assert!(answer.contains("x-content-type-options: nosniff"));
}

#[tokio::test]
async fn a_callers_id_goes_to_the_handler_and_back() {
    let host = start(short()).await;
    let answer =
        host.exchange("GET /id HTTP/1.1\r\nhost: h\r\nx-request-id: mine-1\r\nconnection: close\r\n\r\n").await;
    assert!(answer.contains("x-request-id: mine-1") && answer.ends_with("mine-1"), "{answer}");
}

#[tokio::test]
async fn a_panic_in_a_handler_is_a_500_that_says_nothing_of_it() {
    let host = start(short()).await;
    let answer = host.get("/panic").await;
    assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
    assert!(answer.contains("application/problem+json") && answer.contains("\"request_id\":\"0101"), "{answer}");
    assert!(!answer.contains("canary"));
    assert!(host.get("/hello").await.ends_with("hello"), "the server goes on");
}

#[tokio::test]
async fn a_handler_that_hangs_is_given_up() {
    let host = start(short()).await;
    assert!(host.get("/hang").await.starts_with("HTTP/1.1 503"));
}

#[tokio::test]
async fn a_compressed_body_is_refused() {
    let host = start(short()).await;
    let request = |encoding: &str| {
        format!(
            "POST /read HTTP/1.1\r\nhost: h\r\ncontent-encoding: {encoding}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi"
        )
    };
    assert!(host.exchange(&request("gzip")).await.starts_with("HTTP/1.1 415"));
    assert!(host.exchange(&request("identity")).await.ends_with("2 bytes"));
}

#[tokio::test]
async fn who_connects_and_says_nothing_is_let_go() {
    let host = start(short()).await;
    for beginning in ["", "P", "GET /hello HTTP/1.1\r\nho", "PRI * HTTP/2.0\r\n"] {
        let started = Instant::now();
        let answer = host.exchange(beginning).await;
        let elapsed = started.elapsed();
        assert!(!answer.contains("200"), "{answer}");
        assert!(
            elapsed >= Duration::from_millis(190) && elapsed < Duration::from_secs(2),
            "{beginning:?}: {elapsed:?}"
        );
    }
}

#[tokio::test]
async fn a_connection_may_be_idle_longer_than_a_header_may_take() {
    let host = start(short()).await;
    let mut stream = host.connect().await;
    let mut buffer = [0; 4096];
    for pause in [0, 400] {
        tokio::time::sleep(Duration::from_millis(pause)).await;
        stream.write_all(b"GET /hello HTTP/1.1\r\nhost: h\r\n\r\n").await.expect("sent");
        let read = stream.read(&mut buffer).await.expect("an answer");
        assert!(buffer[..read].ends_with(b"hello"));
    }
    let started = Instant::now();
    assert_eq!(rest(&mut stream).await, "", "it is closed without a word");
    assert!(started.elapsed() >= Duration::from_millis(500));
}

#[tokio::test]
async fn a_second_header_that_takes_too_long_ends_the_connection() {
    let host = start(short()).await;
    let mut stream = host.connect().await;
    stream.write_all(b"GET /hello HTTP/1.1\r\nhost: h\r\n\r\n").await.expect("sent");
    let mut buffer = [0; 4096];
    let _ = stream.read(&mut buffer).await.expect("an answer");
    let started = Instant::now();
    stream.write_all(b"GET /hel").await.expect("sent");
    rest(&mut stream).await;
    assert!(started.elapsed() >= Duration::from_millis(190));
}

#[tokio::test]
async fn a_header_that_is_too_long_is_refused() {
    let host = start(short()).await;
    let answer = host.exchange(&format!("GET /hello HTTP/1.1\r\nhost: h\r\nx: {}\r\n\r\n", "x".repeat(20_000))).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn a_body_that_comes_too_slowly_is_given_up() {
    let host = start(short()).await;
    let answer =
        host.exchange("POST /read HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\nconnection: close\r\n\r\nhi").await;
    assert!(answer.ends_with("the body takes too long"), "{answer}");
}

#[tokio::test]
async fn a_body_that_is_announced_too_long_is_refused_unread() {
    let host = start(short()).await;
    let answer =
        host.exchange("POST /read HTTP/1.1\r\nhost: h\r\ncontent-length: 101\r\nconnection: close\r\n\r\n").await;
    assert!(answer.ends_with("the body is too long"), "{answer}");
}

#[tokio::test]
async fn who_does_not_read_the_answer_is_let_go() {
    let host = start(short()).await;
    let mut stream = host.connect().await;
    stream.write_all(b"GET /endless HTTP/1.1\r\nhost: h\r\n\r\n").await.expect("sent");
    tokio::time::sleep(Duration::from_secs(1)).await;
    host.shutdown.cancel();
    let started = Instant::now();
    host.task.await.expect("ended");
    assert!(started.elapsed() < Duration::from_millis(300), "nobody was left to wait for");
}

#[tokio::test]
async fn connections_beyond_the_limit_are_closed_at_once() {
    let host = start(Limits { connections: 1, ..short() }).await;
    let mut first = host.connect().await;
    first.write_all(b"GET /hello HTTP/1.1\r\nhost: h\r\n\r\n").await.expect("sent");
    let mut buffer = [0; 4096];
    assert!(first.read(&mut buffer).await.expect("an answer") > 0);
    assert_eq!(host.get("/hello").await, "");
    drop(first);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(host.get("/hello").await.ends_with("hello"));
}

#[tokio::test]
async fn at_shutdown_running_requests_end_and_idle_connections_close() {
    let host = start(short()).await;
    let mut idle = host.connect().await;
    idle.write_all(b"GET /hello HTTP/1.1\r\nhost: h\r\n\r\n").await.expect("sent");
    let mut buffer = [0; 4096];
    let _ = idle.read(&mut buffer).await.expect("an answer");
    let mut running = host.connect().await;
    running.write_all(b"GET /slow HTTP/1.1\r\nhost: h\r\n\r\n").await.expect("sent");
    tokio::time::sleep(Duration::from_millis(50)).await;
    host.shutdown.cancel();
    assert_eq!(rest(&mut idle).await, "");
    assert!(rest(&mut running).await.ends_with("slow"));
    host.task.await.expect("ended");
    assert!(TcpStream::connect(host.address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn at_shutdown_what_does_not_end_in_time_is_cut_off() {
    let host = start(Limits { answer: Duration::from_secs(60), ..short() }).await;
    let mut stream = host.connect().await;
    stream.write_all(b"GET /hang HTTP/1.1\r\nhost: h\r\n\r\n").await.expect("sent");
    tokio::time::sleep(Duration::from_millis(50)).await;
    let started = Instant::now();
    host.shutdown.cancel();
    host.task.await.expect("ended");
    let elapsed = started.elapsed();
    assert!(elapsed >= Duration::from_millis(490) && elapsed < Duration::from_secs(2), "{elapsed:?}");
}

#[tokio::test]
async fn http_2_is_understood_without_tls() {
    let host = start(short()).await;
    let stream = hyper_util::rt::TokioIo::new(host.connect().await);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.expect("HTTP/2");
    tokio::spawn(connection);
    let request = axum::http::Request::get("http://h/hello").body(Body::empty()).expect("a request");
    let response = sender.send_request(request).await.expect("an answer");
    assert_eq!(response.status(), 200);
    let body: Vec<_> = Body::new(response.into_body()).into_data_stream().collect().await;
    assert_eq!(body.len(), 1);
}
