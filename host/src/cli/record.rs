//! `chatport record`: stands between a platform and a host, passes everything on, and keeps
//! each request as a file that a backend's tests can play, with secrets and persons taken out.

mod redact;

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Router, body::Body, extract::State, response::Response};
use chatport_sdk::{http::Answer, recorded::Recorded, secret::Secret};
use http::{HeaderMap, HeaderName, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Limited};
use tokio::net::TcpListener;

use super::forward::{Forward, kept};
use crate::config::RecordCommand;
use redact::Redaction;

/// Most bytes of a request or an answer that are passed on.
const MAX_BODY: usize = 1 << 20;

/// Why nothing is recorded. Each is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordError {
    #[error("can't listen at {0}: {1}; choose another address by --at")]
    Listen(SocketAddr, io::Error),
    #[error("--to must be a host's address, e.g. http://127.0.0.1:8000, not {0}")]
    To(url::Url),
    #[error("can't write to {0}: {1}")]
    Folder(PathBuf, io::Error),
    #[error("the secret {0} isn't in the environment: set {0} to its value, so that it can be taken out")]
    Secret(String),
    #[error("recording ended: {0}")]
    Ended(io::Error),
}

struct Recorder {
    forward: Forward,
    into: PathBuf,
    redaction: Redaction,
    made: AtomicUsize,
}

/// Record until the process is told to stop.
pub(super) async fn record(
    request: RecordCommand,
    environment: impl Fn(&str) -> Option<String>,
    salt: [u8; 32],
) -> Result<(), RecordError> {
    if request.to.scheme() != "http" || request.to.host().is_none() {
        return Err(RecordError::To(request.to));
    }
    let value = |name: &String| match environment(name).filter(|value| !value.is_empty()) {
        Some(value) => Ok((name.clone(), Secret::new(value))),
        None => Err(RecordError::Secret(name.clone())),
    };
    let secrets = request.secrets.iter().map(value).collect::<Result<_, _>>()?;
    fs::create_dir_all(&request.into).map_err(|error| RecordError::Folder(request.into.clone(), error))?;
    let listener = TcpListener::bind(request.at).await.map_err(|error| RecordError::Listen(request.at, error))?;
    let recorder = Arc::new(Recorder {
        forward: Forward::to(&request.to, MAX_BODY),
        made: AtomicUsize::new(highest(&request.into)),
        into: request.into,
        redaction: Redaction::new(secrets, salt),
    });
    super::print(&format!(
        "passing on to {}; let the platform call http://{}\n",
        recorder.forward.address(),
        request.at
    ));
    let router = Router::new().fallback(pass).with_state(recorder);
    axum::serve(listener, router).await.map_err(RecordError::Ended)
}

async fn pass(State(recorder): State<Arc<Recorder>>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
        return answer(StatusCode::PAYLOAD_TOO_LARGE, "more than is passed on");
    };
    let body = body.to_bytes();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    match recorder.forward.pass(head.method.clone(), path, &head.headers, body.clone()).await {
        Ok(told) => {
            recorder.keep(&head.method, &head.uri, &head.headers, &body, &told);
            let mut response = Response::new(Body::from(told.body));
            *response.status_mut() = told.status;
            *response.headers_mut() = told.headers;
            response
        }
        Err(cause) => answer(StatusCode::BAD_GATEWAY, &format!("the host doesn't answer: {cause}")),
    }
}

fn answer(status: StatusCode, text: &str) -> Response {
    let mut response = Response::new(Body::from(text.to_owned()));
    *response.status_mut() = status;
    response
}

impl Recorder {
    fn keep(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8], told: &Answer) {
        let redact = |text: &str| self.redaction.text(text);
        let header = |(name, value): (&HeaderName, &http::HeaderValue)| {
            let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.to_string(), self.redaction.header(name, &text))
        };
        let recorded = Recorded {
            method: method.to_string(),
            path: redact(below_the_slot(uri.path())),
            query: uri.query().map(redact),
            headers: kept(headers).iter().map(header).collect(),
            body: None,
            body_base64: None,
            answer: Some((told.status.as_u16(), redact(&String::from_utf8_lossy(&told.body)))),
        };
        let recorded = match std::str::from_utf8(body) {
            Ok(text) => recorded.with_body(redact(text).as_bytes()),
            // What stands in it can't be seen, so it can't be taken out either.
            Err(_) => {
                eprintln!("chatport: the body of the next one isn't text and is left out: {} bytes", body.len());
                recorded
            }
        };
        let number = self.made.fetch_add(1, Ordering::Relaxed) + 1;
        let word = recorded.path.trim_matches('/').rsplit('/').next().unwrap_or_default();
        let word: String = word.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect();
        let file = self.into.join(format!("{number:04}-{}.json", if word.is_empty() { "root" } else { &word }));
        // Serializing plain data into memory can't fail.
        let text = serde_json::to_string_pretty(&recorded).expect("plain data");
        let made = OpenOptions::new().write(true).create_new(true).open(&file);
        match made.and_then(|mut made| made.write_all((text + "\n").as_bytes())) {
            Ok(()) => super::print(&format!("{method} {} → {}: {}\n", recorded.path, told.status, file.display())),
            Err(error) => eprintln!("chatport: can't write {}: {error}", file.display()),
        }
    }
}

/// The number of the last file that is there already.
fn highest(folder: &Path) -> usize {
    let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.filter_map(|name| name.to_str()?.split('-').next()?.parse().ok()).max().unwrap_or(0)
}

/// `/in/{backend}/{slot}` is the installation's, and the slot nobody's business.
fn below_the_slot(path: &str) -> &str {
    let Some(rest) = path.strip_prefix("/in/") else { return path };
    match rest.match_indices('/').nth(1) {
        Some((at, _)) => &rest[at..],
        None => "/",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slot_is_left_out() {
        let paths = [
            ("/in/carrier/7hq2mxk4vd/actions/x", "/actions/x"),
            ("/in/carrier/7hq2mxk4vd", "/"),
            ("/in/carrier/7hq2mxk4vd/", "/"),
            ("/v1/backends", "/v1/backends"),
        ];
        for (path, below) in paths {
            assert_eq!(below_the_slot(path), below);
        }
    }
}
