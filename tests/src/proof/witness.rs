//! Stands between Chatport and a stand-in platform and writes down, with times, what it was
//! asked to do and what it did: the ground truth, kept outside the program. It also makes
//! the weather, and can make the platform forget the ids by which it recognizes repetitions.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::{Body, Frame, Incoming, SizeHint},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use serde_json::Value;
use tokio::net::TcpListener;

use super::{
    ledger,
    weather::{Fault, Weather},
};

/// What a request was to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    Create,
    Edit,
    Delete,
}

/// One request that writes.
#[derive(Clone, Debug)]
pub struct Sent {
    pub act: Act,
    /// The conversation.
    pub conversation: String,
    /// The message and the revision that it shows; a deletion shows none.
    pub shows: Option<(String, i64)>,
    /// The post that was made or changed.
    pub post: Option<String>,
    pub from: Instant,
    /// When its answer went out, or its asker went away.
    pub until: Option<Instant>,
    /// When the platform did it.
    pub done: Option<Instant>,
    /// Whether the platform made a new post.
    pub made: bool,
    /// Whether the whole, right answer went out.
    pub answered: bool,
    pub fault: Option<Fault>,
}

#[derive(Debug, Default)]
struct Log {
    sent: Vec<Sent>,
    /// The conversation of each post.
    posts: HashMap<String, String>,
}

struct Shared {
    upstream: String,
    http: Client<HttpConnector, Full<Bytes>>,
    log: Mutex<Log>,
    weather: Mutex<Weather>,
    forgets: bool,
    /// Told of each request that writes, when it has come and before anything is done.
    arrivals: tokio::sync::Notify,
}

/// The witness. It stops when it is dropped.
pub struct Witness {
    pub url: String,
    shared: Arc<Shared>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Witness {
    /// Stand before this platform.
    pub async fn before(upstream: &str, weather: Weather, forgets: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            http: Client::builder(TokioExecutor::new()).build_http(),
            log: Mutex::default(),
            weather: Mutex::new(weather),
            forgets,
            arrivals: tokio::sync::Notify::new(),
        });
        let accepting = tokio::spawn(accept(Arc::clone(&shared), listener));
        Self { url, shared, accepting }
    }

    /// What it has seen so far.
    pub fn sent(&self) -> Vec<Sent> {
        lock(&self.shared.log).sent.clone()
    }

    /// When the first request that writes came after this moment.
    pub fn first_after(&self, moment: Instant) -> Option<Instant> {
        let log = lock(&self.shared.log);
        log.sent.iter().map(|sent| sent.from).find(|from| *from >= moment)
    }

    /// Let the weather change.
    pub fn weather(&self, weather: Weather) {
        *lock(&self.shared.weather) = weather;
    }

    /// Wait until the next request that writes has come.
    pub async fn next_arrival(&self) {
        self.shared.arrivals.notified().await;
    }
}

async fn accept(shared: Arc<Shared>, listener: TcpListener) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let service = service_fn(move |request| one(Arc::clone(&shared), request));
            // An error is a client that went away, or a cut made on purpose.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// The connection is to be cut.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut on purpose")]
struct Cut;

/// What is left of a request when its asker goes away: the moment is written down.
struct Under {
    shared: Arc<Shared>,
    entry: Option<usize>,
}

impl Under {
    fn note(&self, change: impl FnOnce(&mut Sent)) {
        if let Some(entry) = self.entry {
            change(&mut lock(&self.shared.log).sent[entry]);
        }
    }
}

impl Drop for Under {
    fn drop(&mut self) {
        let now = Instant::now();
        self.note(|sent| sent.until = sent.until.or(Some(now)));
    }
}

async fn one(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<AnswerBody>, Cut> {
    let from = Instant::now();
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    let path = parts.uri.path().to_owned();
    let entry = begin(&shared, &parts.method, &path, &body, from);
    let under = Under { shared: Arc::clone(&shared), entry };
    let (fault, takes) = match entry {
        Some(_) => lock(&shared.weather).draw(),
        None => (None, Duration::ZERO),
    };
    under.note(|sent| sent.fault.clone_from(&fault));
    shared.arrivals.notify_waiters();
    if let Some(fault) = &fault
        && !fault.is_done()
    {
        tokio::time::sleep(takes).await;
        return refusal(fault).await;
    }
    // A task of its own: a platform goes on when its client hangs up.
    let (doing, slow) = (Arc::clone(&shared), fault.clone());
    let doing = tokio::spawn(async move {
        let takes = if let Some(Fault::Slow(longer)) = slow { longer } else { takes };
        tokio::time::sleep(takes / 2).await;
        let answer = forward(&doing, parts, body).await;
        if let (Some(entry), Ok(answer)) = (entry, &answer) {
            end(&doing, entry, answer);
        }
        tokio::time::sleep(takes / 2).await;
        answer
    });
    let answer = doing.await.map_err(|_| Cut)??;
    let answer = spoil(answer, fault.as_ref()).await?;
    under.note(|sent| {
        sent.answered = sent.done.is_some() && matches!(sent.fault, None | Some(Fault::Slow(_)));
    });
    Ok(answer)
}

/// Write down what writes.
fn begin(shared: &Shared, method: &Method, path: &str, body: &[u8], from: Instant) -> Option<usize> {
    let rest = path.strip_prefix("/api/v4/posts")?;
    let post = rest.trim_start_matches('/').trim_end_matches("/patch").to_owned();
    let act = match (method, post.as_str()) {
        (&Method::POST, "") => Act::Create,
        (&Method::PUT, _) => Act::Edit,
        (&Method::DELETE, _) => Act::Delete,
        _ => return None,
    };
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let title = body["props"]["attachments"][0]["title"].as_str();
    let mut log = lock(&shared.log);
    let conversation = match act {
        Act::Create => body["channel_id"].as_str().unwrap_or_default().to_owned(),
        _ => log.posts.get(&post).cloned().unwrap_or_default(),
    };
    log.sent.push(Sent {
        post: (act != Act::Create).then_some(post),
        act,
        conversation,
        shows: title.and_then(ledger::read_title),
        from,
        until: None,
        done: None,
        made: false,
        answered: false,
        fault: None,
    });
    Some(log.sent.len() - 1)
}

/// Write down what came of it.
fn end(shared: &Shared, entry: usize, answer: &Response<Bytes>) {
    if !answer.status().is_success() {
        return;
    }
    let mut log = lock(&shared.log);
    let now = Instant::now();
    log.sent[entry].done = Some(now);
    if log.sent[entry].act == Act::Create {
        let made: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        let post = made["id"].as_str().unwrap_or_default().to_owned();
        let conversation = log.sent[entry].conversation.clone();
        log.sent[entry].made = log.posts.insert(post.clone(), conversation).is_none();
        log.sent[entry].post = Some(post);
    }
}

async fn forward(shared: &Shared, parts: http::request::Parts, body: Bytes) -> Result<Response<Bytes>, Cut> {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::builder().method(parts.method).uri(format!("{}{path}", shared.upstream));
    for (name, value) in &parts.headers {
        if name != http::header::HOST && name != http::header::CONTENT_LENGTH {
            request = request.header(name, value);
        }
    }
    let body = if shared.forgets { without_pending_id(body) } else { body };
    let request = request.body(Full::new(body)).map_err(|_| Cut)?;
    let (head, body) = shared.http.request(request).await.map_err(|_| Cut)?.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    Ok(Response::from_parts(head, body))
}

/// A platform that forgets doesn't see the id by which it would recognize a repetition.
fn without_pending_id(body: Bytes) -> Bytes {
    let Ok(Value::Object(mut post)) = serde_json::from_slice::<Value>(&body) else { return body };
    if post.remove("pending_post_id").is_none() {
        return body;
    }
    Value::Object(post).to_string().into()
}

/// The answer, where nothing is done.
async fn refusal(fault: &Fault) -> Result<Response<AnswerBody>, Cut> {
    let answer = |status: u16, retry_after: Option<&str>| {
        let mut answer = Response::builder().status(status);
        if let Some(wait) = retry_after {
            answer = answer.header(http::header::RETRY_AFTER, wait);
        }
        Ok(answer.body(AnswerBody::whole(Bytes::from_static(b"not now"))).expect("a plain answer"))
    };
    match fault {
        Fault::Refused(status) => answer(*status, None),
        Fault::TooMany(wait) => answer(429, Some(wait)),
        Fault::StallBefore => std::future::pending().await,
        _ => Err(Cut),
    }
}

/// The answer, where something was done.
async fn spoil(answer: Response<Bytes>, fault: Option<&Fault>) -> Result<Response<AnswerBody>, Cut> {
    let (mut head, body) = answer.into_parts();
    head.headers.remove(http::header::CONTENT_LENGTH);
    let instead = |body: &'static [u8]| AnswerBody::whole(Bytes::from_static(body));
    let body = match fault {
        Some(Fault::StallAfter) => std::future::pending().await,
        Some(Fault::CutAfter) => return Err(Cut),
        Some(Fault::HalfBody) => AnswerBody::half(&body),
        Some(Fault::NotJson) => instead(b"<html>It works!</html>"),
        Some(Fault::WrongJson) => instead(br#"{"id": 17, "props": null, "posts": []}"#),
        Some(Fault::Huge) => AnswerBody::whole(vec![b' '; 8 << 20].into()),
        _ => AnswerBody::whole(body),
    };
    if head.status == StatusCode::NO_CONTENT {
        return Ok(Response::from_parts(head, AnswerBody::whole(Bytes::new())));
    }
    Ok(Response::from_parts(head, body))
}

/// A body that is sent whole, or cut after its first half.
struct AnswerBody {
    data: Option<Bytes>,
    left: u64,
    cut: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl AnswerBody {
    fn whole(data: Bytes) -> Self {
        Self { left: data.len() as u64, data: (!data.is_empty()).then_some(data), cut: None }
    }

    fn half(data: &Bytes) -> Self {
        // The pause lets the first half leave before the connection ends.
        let pause = tokio::time::sleep(Duration::from_millis(30));
        Self { left: data.len() as u64, data: Some(data.slice(..data.len() / 2)), cut: Some(Box::pin(pause)) }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if let Some(data) = self.data.take() {
            self.left -= data.len() as u64;
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        match &mut self.cut {
            None => Poll::Ready(None),
            Some(pause) => pause.as_mut().poll(context).map(|()| Some(Err(Cut))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && self.cut.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
