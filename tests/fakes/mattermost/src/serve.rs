//! The listening side: reads requests, applies the limiter and the faults, answers, logs.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::faults::FaultKind;
use crate::ids::new_id;
use crate::limiter::Verdict;
use crate::reply::{ApiError, Reply, recorded};
use crate::request_log::LoggedRequest;
use crate::rest::{self, Call};
use crate::state::Shared;

/// Longest body the server reads at all; each interface has its own smaller limit.
const READ_LIMIT: usize = 80 * 1024 * 1024;

/// Time between the first half of an answer and the cut, so that the half is on the wire.
const HALF_PAUSE: Duration = Duration::from_millis(30);

/// Accepts connections until it is dropped.
pub(crate) async fn accept(shared: Arc<Shared>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        // Finished connections are collected so that the set does not grow for ever.
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let service = service_fn(move |request| one(Arc::clone(&shared), request));
            // An error here is a client that went away, or a cut made on purpose.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// The connection is to be closed without an answer.
#[derive(Debug)]
struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("the connection is cut on purpose")
    }
}

impl std::error::Error for Cut {}

async fn one(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<AnswerBody>, Cut> {
    let call = match read(&shared, request).await {
        Some(call) => call,
        None => return Err(Cut),
    };
    let fault = shared.faults().take(call.method.as_str(), &call.path);
    let number = start_log(&shared, &call, fault.is_some());
    let result = answer(&shared, call, fault).await;
    let status = result.as_ref().ok().map(|(reply, _)| reply.status);
    shared.log().end(number, status);
    let (reply, half) = result?;
    Ok(response(&shared, reply, half))
}

/// Reads a request completely. `None` if the client went away meanwhile.
async fn read(shared: &Shared, request: Request<Incoming>) -> Option<Call> {
    let (parts, body) = request.into_parts();
    let limited = http_body_util::Limited::new(body, READ_LIMIT);
    let body = limited.collect().await.ok()?.to_bytes();
    let path = parts.uri.path();
    // Below the sub-path there is the server; beside it, nothing.
    let path = match path.strip_prefix(shared.options.subpath.as_str()) {
        Some(rest) if rest.starts_with('/') => rest.to_owned(),
        _ => String::new(),
    };
    Some(Call::new(shared, parts.method, path, parts.uri.query().unwrap_or_default(), parts.headers, body))
}

fn start_log(shared: &Shared, call: &Call, faulted: bool) -> usize {
    let is_post = call.method == "POST" && call.path == "/api/v4/posts";
    let channel_id = if is_post {
        let body: serde_json::Value = serde_json::from_slice(&call.body).unwrap_or_default();
        body["channel_id"].as_str().unwrap_or_default().to_owned()
    } else {
        String::new()
    };
    let user = call
        .session
        .as_ref()
        .and_then(|s| shared.world().users.get(&s.user_id).cloned())
        .map(|user| user.username)
        .unwrap_or_default();
    shared.log().start(LoggedRequest {
        number: 0,
        method: call.method.to_string(),
        path: call.path.clone(),
        query: call.raw_query.clone(),
        token: call.token.clone(),
        user,
        body: call.body.clone(),
        channel_id,
        status: None,
        faulted,
        at_ms: shared.now(),
        started: Instant::now(),
        ended: None,
    })
}

/// The answer, and whether only half of it is to be sent.
async fn answer(shared: &Arc<Shared>, mut call: Call, fault: Option<FaultKind>) -> Result<(Reply, bool), Cut> {
    let verdict = match call.path.starts_with("/_fake/") {
        true => None,
        false => shared.limiter().as_mut().map(|l| l.take(Instant::now())),
    };
    if let Some(wait) = verdict.and_then(|verdict| verdict.retry_after_s) {
        return Ok((limited(too_many(wait), verdict), false));
    }
    let mut half = false;
    let mut lose = false;
    match fault {
        None => {}
        Some(FaultKind::Error(name)) => {
            let reply = recorded(&name).unwrap_or_else(|| Reply::plain(500, &format!("no recorded error {name:?}")));
            return Ok((reply, false));
        }
        Some(FaultKind::Status(status, text)) => {
            let mut reply = Reply::empty(status);
            reply.body = text.into();
            return Ok((reply.header("Content-Type", "text/plain"), false));
        }
        Some(FaultKind::RateLimited { retry_after }) => return Ok((too_many(retry_after), false)),
        Some(FaultKind::Stall) => std::future::pending::<()>().await,
        Some(FaultKind::CutBefore) => return Err(Cut),
        Some(FaultKind::LoseAnswer) => lose = true,
        Some(FaultKind::HalfBody) => half = true,
        Some(FaultKind::Delay(delay)) => call.delay = Some(delay),
    }
    let shared_for_task = Arc::clone(shared);
    // A task of its own: as in the real server, work goes on when the client hangs up.
    let work = tokio::spawn(async move { rest::route(&shared_for_task, call).await });
    let reply = match work.await {
        Ok(Ok(reply)) => reply,
        Ok(Err(error)) => error.reply(),
        Err(panic) => ApiError::new(500, "fake.panic", panic.to_string()).reply(),
    };
    if lose {
        return Err(Cut);
    }
    Ok((limited(reply, verdict), half))
}

fn too_many(retry_after: u64) -> Reply {
    recorded("rate_limited").expect("this answer is recorded").header("Retry-After", retry_after)
}

fn limited(reply: Reply, verdict: Option<Verdict>) -> Reply {
    let Some(verdict) = verdict else {
        return reply;
    };
    reply
        .header("X-Ratelimit-Limit", verdict.limit)
        .header("X-Ratelimit-Remaining", verdict.remaining)
        .header("X-Ratelimit-Reset", verdict.reset_s)
}

fn response(shared: &Shared, reply: Reply, half: bool) -> Response<AnswerBody> {
    let mut builder = Response::builder().status(reply.status);
    let mut has_id = false;
    for (name, value) in &reply.headers {
        has_id |= name.eq_ignore_ascii_case("X-Request-Id");
        builder = builder.header(name, value);
    }
    if !has_id {
        builder = builder.header("X-Request-Id", new_id());
    }
    builder = builder.header("X-Version-Id", shared.options.version_text()).header("Content-Length", reply.body.len());
    let body = if half { AnswerBody::half(&reply.body) } else { AnswerBody::whole(reply.body) };
    builder.body(body).expect("the server's own headers are valid")
}

/// A body that is sent whole, or cut after its first half.
#[derive(Debug)]
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
        Self {
            left: data.len() as u64,
            data: Some(data.slice(..data.len() / 2)),
            cut: Some(Box::pin(tokio::time::sleep(HALF_PAUSE))),
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(data) = self.data.take() {
            self.left -= data.len() as u64;
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        match &mut self.cut {
            None => Poll::Ready(None),
            Some(pause) => match pause.as_mut().poll(context) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(()) => Poll::Ready(Some(Err(Box::new(Cut)))),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && self.cut.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
