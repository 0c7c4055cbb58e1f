//! The HTTP server: an accept loop of our own, because it must limit what `axum::serve`
//! doesn't. Whoever connects and says nothing, sends a header, a body or reads an answer
//! too slowly, or opens too many connections, is let go; nobody else notices. It knows
//! nothing of what is served.
//!
//! Each request gets an id (`x-request-id`), one line in the log and one measurement; a
//! panic in a handler becomes a 500.

mod admission;
mod body;
mod connection;
mod limits;
mod request;
mod stall;

use std::{sync::Arc, time::Duration};

use axum::Router;
use chatport_sdk::site::Random;
use hyper_util::{
    rt::{TokioExecutor, TokioTimer},
    server::conn::auto,
};
use ipnet::IpNet;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use body::{BodyError, read_body};
pub use limits::Limits;
pub use request::{ClientAddress, RequestId};

use admission::Admission;

use crate::config::Settings;

/// How long to wait before accepting again when the machine is out of file handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What the server needs besides a listener and routes.
#[derive(Clone)]
pub struct Options {
    /// The limits.
    pub limits: Limits,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Where request ids come from.
    pub random: Arc<dyn Random>,
}

impl Options {
    /// What the operator's settings say.
    pub fn new(settings: &Settings, random: Arc<dyn Random>) -> Self {
        let limits = Limits {
            connections: settings.connections,
            connections_per_address: settings.connections_per_address,
            grace: settings.shutdown_grace,
            ..Limits::default()
        };
        Self { limits, trusted_proxies: settings.trusted_proxies.clone(), random }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// What all connections share.
struct Shared {
    router: Router,
    options: Options,
    protocol: auto::Builder<TokioExecutor>,
}

/// Serve `router` on `listener` until `shutdown` is cancelled, then let running requests
/// end within [`Limits::grace`] and cut off the rest. A handler whose answer has no end,
/// such as an event stream, should itself end when `shutdown` is cancelled.
pub async fn serve(listener: TcpListener, router: Router, options: Options, shutdown: CancellationToken) {
    let limits = options.limits.clone();
    let admission = Admission::new(&limits, options.trusted_proxies.clone());
    let router = router.layer(axum::middleware::from_fn(request::remember_route));
    let shared = Arc::new(Shared { router, protocol: protocol(&limits), options });
    let connections = TaskTracker::new();
    let cut_off = CancellationToken::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "can't accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let peer = peer.ip().to_canonical();
        let Some(place) = admission.admit(peer) else { continue };
        // Answers are small and written whole: waiting for more to send only delays them.
        let _ = stream.set_nodelay(true);
        let (shared, shutdown, cut_off) = (shared.clone(), shutdown.clone(), cut_off.clone());
        connections.spawn(async move {
            tokio::select! {
                () = connection::run(stream, peer, shared, shutdown) => {}
                () = cut_off.cancelled() => {}
            }
            drop(place);
        });
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(limits.grace, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "cutting off connections that didn't end in time");
        cut_off.cancel();
        connections.wait().await;
    }
}

fn protocol(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // Slow headers are the connection's watch's matter, which sees both protocols.
        .header_read_timeout(None)
        .max_buf_size(limits.header_bytes)
        .max_headers(limits.headers);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(limits.streams)
        .keep_alive_interval(limits.ping)
        .keep_alive_timeout(limits.ping_answer);
    builder
}

#[cfg(test)]
mod tests;
