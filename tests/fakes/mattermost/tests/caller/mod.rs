//! Who calls the stand-in in its tests: a REST caller and a tiny integration host.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "every test file uses its part")]

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use chatport_fake_mattermost::{FakeMattermost, RawAnswer};
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;

/// Calls the REST interface with a token.
pub struct Rest<'a> {
    pub server: &'a FakeMattermost,
    pub token: String,
}

impl<'a> Rest<'a> {
    pub fn new(server: &'a FakeMattermost, token: impl Into<String>) -> Self {
        Self { server, token: token.into() }
    }

    pub async fn call(&self, method: &'static str, route: &str, body: &Value) -> RawAnswer {
        let bearer = format!("Bearer {}", self.token);
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
        self.server
            .send_raw(
                method,
                &self.server.api(route),
                &[("Authorization", bearer.as_str()), ("Content-Type", "application/json")],
                &body,
            )
            .await
    }

    pub async fn get(&self, route: &str) -> (u16, Value) {
        let answer = self.call("GET", route, &Value::Null).await;
        (answer.status, answer.json())
    }

    pub async fn post(&self, route: &str, body: Value) -> (u16, Value) {
        let answer = self.call("POST", route, &body).await;
        (answer.status, answer.json())
    }

    pub async fn put(&self, route: &str, body: Value) -> (u16, Value) {
        let answer = self.call("PUT", route, &body).await;
        (answer.status, answer.json())
    }

    pub async fn delete(&self, route: &str) -> (u16, Value) {
        let answer = self.call("DELETE", route, &Value::Null).await;
        (answer.status, answer.json())
    }
}

/// A request the host got.
#[derive(Debug, Clone)]
pub struct Got {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: http::HeaderMap,
    pub body: String,
}

impl Got {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|v| v.to_str().unwrap()).unwrap_or_default()
    }
}

/// What the host answers: status, type, body.
pub type Said = (u16, &'static str, String);

/// An integration host that answers by a function.
pub struct Host {
    pub url: String,
    pub got: Arc<Mutex<Vec<Got>>>,
}

impl Host {
    pub async fn start(answer: impl Fn(&Got) -> Said + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let got: Arc<Mutex<Vec<Got>>> = Arc::default();
        let (noted, answer) = (Arc::clone(&got), Arc::new(answer));
        tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                let (noted, answer) = (Arc::clone(&noted), Arc::clone(&answer));
                tokio::spawn(async move {
                    let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
                        let (noted, answer) = (Arc::clone(&noted), Arc::clone(&answer));
                        async move {
                            let (parts, body) = request.into_parts();
                            let body = body.collect().await.unwrap().to_bytes();
                            let got = Got {
                                method: parts.method.to_string(),
                                path: parts.uri.path().to_owned(),
                                query: parts.uri.query().unwrap_or_default().to_owned(),
                                headers: parts.headers,
                                body: String::from_utf8(body.to_vec()).unwrap(),
                            };
                            noted.lock().unwrap().push(got.clone());
                            let (status, kind, body) = answer(&got);
                            let mut built = http::Response::builder().status(status);
                            if (300..400).contains(&status) {
                                built = built.header("Location", body.clone());
                            }
                            let built = built.header("Content-Type", kind).body(Full::new(Bytes::from(body)));
                            Ok::<_, Infallible>(built.unwrap())
                        }
                    });
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { url, got }
    }

    pub fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    pub fn paths(&self) -> Vec<String> {
        self.got().into_iter().map(|got| format!("{} {}", got.method, got.path)).collect()
    }
}

/// A JSON answer.
pub fn json_ok(body: &Value) -> Said {
    (200, "application/json", body.to_string())
}
