//! `chatport conformance`: plays the conformance suite against a backend that runs as its own
//! process. The process calls its platform through this program, which answers from the author's
//! stand-in for the platform, or fails as the suite tells it to.

mod platform;
mod proxy;

use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use chatport_sdk::{
    backend::MessagingBackend,
    testkit::{
        Fixture, Line, Platform,
        conformance::{Report, Verdict, examine},
    },
    time::Clock,
};
use tokio::runtime::Handle;
use url::Url;

use crate::{
    config::{ConformanceCommand, Settings},
    host::StartError,
    remote::{ConnectError, Means, RemoteBackend},
    security::{
        self,
        clock::SystemClock,
        network::Policy,
        random::SystemRandom,
        transport::{TransportError, Transports},
    },
};
use platform::{Described, StandIn};

/// Why the suite isn't played. Each is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConformanceError {
    #[error("no backend `{0}` is attached: name it by --remote-backends {0}=URL, with its secret")]
    Unknown(String),
    #[error("{0}: {1}")]
    Connect(String, ConnectError),
    #[error("can't read {0}: {1}")]
    File(PathBuf, io::Error),
    #[error("{0} doesn't describe a platform: {1}")]
    Described(PathBuf, serde_json::Error),
    #[error("can't listen at {0}: {1}; choose another address by --at")]
    Listen(SocketAddr, io::Error),
    #[error("--platform must be the address of your stand-in, e.g. http://127.0.0.1:9000, not {0}")]
    Platform(Url),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Tls(#[from] TransportError),
    #[error("the suite ended: {0}")]
    Ended(String),
}

/// Play it; the answer is what to tell, and whether everything holds.
pub(super) async fn play(settings: &Settings, request: ConformanceCommand) -> Result<(String, bool), ConformanceError> {
    if request.platform.scheme() != "http" || request.platform.host().is_none() {
        return Err(ConformanceError::Platform(request.platform));
    }
    let entry = settings.remote_backends.iter().find(|entry| entry.id == request.backend);
    let entry = entry.cloned().ok_or_else(|| ConformanceError::Unknown(request.backend.clone()))?;
    let text = std::fs::read_to_string(&request.fixture);
    let text = text.map_err(|error| ConformanceError::File(request.fixture.clone(), error))?;
    let described: Described =
        serde_json::from_str(&text).map_err(|error| ConformanceError::Described(request.fixture.clone(), error))?;
    security::install_crypto_providers();
    let policy = Policy::parse(&settings.allow_networks, false).map_err(StartError::from)?;
    let transport = Transports::new(policy, settings.extra_ca_file.as_deref())?.for_remote(&entry.url);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let means = Means { transport, clock: Arc::clone(&clock), random: Arc::new(SystemRandom) };
    let id = entry.id.clone();
    let backend = RemoteBackend::connect(entry, means).await.map_err(|error| ConformanceError::Connect(id, error))?;
    let platform = Arc::new(StandIn::new(request.platform, described, clock, Handle::current()));
    let lines = Lines::default();
    proxy::start(request.at, lines.clone()).await.map_err(|error| ConformanceError::Listen(request.at, error))?;
    let fixture = Attached { backend: Arc::new(backend), platform, lines };
    // The suite waits in its own way, so it has a thread of its own.
    let played = tokio::task::spawn_blocking(move || examine(&fixture)).await;
    let report = played.map_err(|error| ConformanceError::Ended(error.to_string()))?;
    let holds = report.broken().next().is_none();
    Ok((told(&report), holds))
}

fn told(report: &Report) -> String {
    let mut text = String::new();
    for (behaviour, verdict) in &report.rows {
        text += &match verdict {
            Verdict::Holds => format!("ok      {}\n", behaviour.name),
            Verdict::Absent(why) => format!("absent  {}: {why}\n", behaviour.name),
            Verdict::Broken(seen) => format!("BROKEN  {}: {seen}\n", behaviour.name),
        };
    }
    let broken = report.broken().count();
    text + &format!("{}: {broken} of {} behaviours don't hold\n", report.backend, report.rows.len())
}

/// The lines of the present stage: what the process sends to its platform goes over the last one.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Option<Arc<Line>>>>);

impl Lines {
    fn set(&self, line: Arc<Line>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(line);
    }

    fn get(&self) -> Option<Arc<Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Attached {
    backend: Arc<RemoteBackend>,
    platform: Arc<StandIn>,
    lines: Lines,
}

impl Fixture for Attached {
    fn backend(&self) -> Arc<dyn MessagingBackend> {
        Arc::<RemoteBackend>::clone(&self.backend)
    }

    fn platform(&self) -> Arc<dyn Platform> {
        Arc::<StandIn>::clone(&self.platform)
    }

    fn connected(&self, line: &Arc<Line>) {
        self.lines.set(Arc::clone(line));
    }

    fn is_elsewhere(&self) -> bool {
        true
    }
}
