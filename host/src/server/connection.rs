//! One connection, and the watch that ends it: a header that takes too long, or nothing
//! going on for too long. hyper has a timer for HTTP/1 headers, but it starts only once the
//! protocol is known and also runs while a connection is idle; the watch sees all of it.

use std::{
    convert::Infallible,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    sync::Notify,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Shared, limits::Limits, request, stall::Watched};

/// How long a connection may take to say goodbye once the watch has ended it.
const GOODBYE: Duration = Duration::from_secs(1);

/// Serve one connection to its end.
pub(super) async fn run(stream: TcpStream, peer: IpAddr, shared: Arc<Shared>, shutdown: CancellationToken) {
    let limits = &shared.options.limits;
    let watch = Arc::new(Watch::new());
    let stream = TokioIo::new(Watched::new(stream, watch.clone(), limits.write_stall));
    let service = service_fn(|request: Request<Incoming>| {
        let (shared, busy) = (shared.clone(), watch.request_started());
        async move { Ok::<_, Infallible>(request::answer(&shared, peer, request, busy).await) }
    });
    let mut connection = std::pin::pin!(shared.protocol.serve_connection(stream, service));
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = watch.overdue(limits) => {
            connection.as_mut().graceful_shutdown();
            timeout(GOODBYE, connection).await.ok()
        }
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection.as_mut() => Some(ended),
                () = watch.overdue(limits) => None,
            }
        }
    };
    if let Some(Err(error)) = ended {
        // Clients vanish all the time.
        tracing::trace!(%peer, %error, "connection broken");
    }
}

/// What is going on in a connection.
#[derive(Debug)]
pub(super) struct Watch {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    /// Requests that are being answered.
    running: usize,
    /// Whether a header has begun.
    in_header: bool,
    /// Since when it is so.
    since: Instant,
}

/// Held while a request is being answered, to the last byte of its answer.
#[derive(Debug)]
pub(super) struct Busy(Arc<Watch>);

impl Watch {
    fn new() -> Self {
        let state = State { running: 0, in_header: true, since: Instant::now() };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Some bytes came from the client.
    pub(super) fn bytes_arrived(&self) {
        let mut state = self.state();
        if state.running == 0 && !state.in_header {
            state.in_header = true;
            state.since = Instant::now();
            self.changed.notify_one();
        }
    }

    fn request_started(self: &Arc<Self>) -> Busy {
        let mut state = self.state();
        state.running += 1;
        state.in_header = false;
        Busy(self.clone())
    }

    /// Ends when the connection has waited too long for its client.
    async fn overdue(&self, limits: &Limits) {
        loop {
            let due = {
                let state = self.state();
                let patience = if state.in_header { limits.header } else { limits.idle };
                (state.running == 0).then_some(state.since + patience)
            };
            match due {
                Some(due) if due <= Instant::now() => return,
                Some(due) => tokio::select! {
                    () = sleep_until(due) => {}
                    () = self.changed.notified() => {}
                },
                None => self.changed.notified().await,
            }
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.running -= 1;
        if state.running == 0 {
            state.since = Instant::now();
            self.0.changed.notify_one();
        }
    }
}
