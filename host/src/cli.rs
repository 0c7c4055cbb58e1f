//! The program: read the configuration, do what was asked, say in one line what to do if
//! that can't be done.

mod conformance;
mod forward;
mod new_backend;
mod record;
mod replay;

use std::{num::NonZero, process::ExitCode, sync::Arc};

use chatport_sdk::{site::Random, time::Clock};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{
    access::{self, NewKey},
    app::App,
    config::{ApiKeyCommand, Command, CreateApiKey, Invocation, Settings, Surroundings},
    demo,
    host::{self, Host, StartError},
    ids::OrganizationId,
    registry::Registry,
    remote::{self, Attached},
    security::{
        self,
        api_keys::{Scope, Scopes},
        clock::SystemClock,
        network::Policy,
        random::{self, SystemRandom},
        transport::Transports,
    },
    setup::audit::Actor,
    store::{Database, entities},
    telemetry,
};

/// Why the program ends with an error.
#[derive(Debug, thiserror::Error)]
enum ProgramError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Telemetry(#[from] telemetry::TelemetryError),
    #[error("the database refuses: {0}")]
    Store(#[from] sea_orm::DbErr),
    #[error("{0}")]
    Input(String),
    #[error(transparent)]
    Replay(#[from] replay::ReplayError),
    #[error(transparent)]
    Record(#[from] record::RecordError),
    #[error(transparent)]
    Conformance(#[from] conformance::ConformanceError),
    #[error(transparent)]
    NewBackend(#[from] new_backend::NewBackendError),
    #[error("signals can't be heard: {0}")]
    Signals(std::io::Error),
}

/// The whole program, for a `main` of one line. Which backends it has is decided by which
/// crates the program names.
pub fn run() -> ExitCode {
    let invocation = match Invocation::read(&Surroundings::of_process()) {
        Ok(invocation) => invocation,
        Err(stop) => return stop.tell(),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(threads()).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("chatport: can't start: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(perform(invocation)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("chatport: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Most threads that requests and deliveries are worked on with. One keeps up with a database; each
/// further one wakes the others, and is woken by them, for next to nothing.
const MOST_THREADS: usize = 4;

/// One processor is left to the database: SQLite has a thread of its own.
fn threads() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    processors.saturating_sub(1).clamp(1, MOST_THREADS)
}

async fn perform(invocation: Invocation) -> Result<ExitCode, ProgramError> {
    let Invocation { command, settings, report } = invocation;
    match command {
        Command::Serve => serve(settings).await?,
        Command::Backends => print(&list_backends(&settings).await?),
        Command::Migrate => {
            Database::open(&host::location(&settings.database)).await.map_err(StartError::from)?;
            print(&format!("{} is at this program's version\n", settings.database));
        }
        Command::Config => print(&report.iter().map(|line| format!("{line}\n")).collect::<String>()),
        Command::ApiKey(ApiKeyCommand::Create(request)) => create_key(settings, request).await?,
        Command::Replay(request) => print(&replay::replay(&settings, request).await?),
        Command::NewBackend(request) => print(&new_backend::write(&request)?),
        Command::Record(request) => {
            record::record(request, |name| std::env::var(name).ok(), random::bytes(&SystemRandom)).await?
        }
        Command::Conformance(request) => {
            let (text, holds) = conformance::play(&settings, request).await?;
            print(&text);
            return Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Command::Doctor => return doctor(settings).await,
        Command::Healthcheck => return Ok(healthcheck(&settings).await),
    }
    Ok(ExitCode::SUCCESS)
}

async fn serve(settings: Settings) -> Result<(), ProgramError> {
    telemetry::init(&settings.log, settings.log_format)?;
    telemetry::metrics()?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ProgramError::Signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(ProgramError::Signals)?;
    let registry = Registry::linked().map_err(StartError::from)?;
    let wants_demo = settings.wants_demo();
    let host = Host::start(settings, registry).await?;
    let first_key = first_key(host.app()).await?;
    let address = host.address().map_err(ProgramError::Signals)?;
    tracing::info!(%address, database = %host.app().settings.database, backends = host.app().registry.ids(), "listening");
    let playground = if wants_demo { demo::prepare(host.app()).await } else { None };
    print(&demo::greeting(host.app(), address, first_key.as_ref(), playground.as_ref()));
    let stop = CancellationToken::new();
    let running = tokio::spawn(host.run(stop.clone()));
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    stop.cancel();
    tokio::select! {
        _ = running => {}
        // Whoever asks twice doesn't want to wait.
        _ = interrupt.recv() => tracing::warn!("stopped at once"),
        _ = terminate.recv() => tracing::warn!("stopped at once"),
    }
    Ok(())
}

/// A key to begin with, if there is none at all.
async fn first_key(app: &App) -> Result<Option<chatport_sdk::secret::Secret>, ProgramError> {
    if access::any(app).await? {
        return Ok(None);
    }
    let new =
        NewKey { name: "first key".into(), scopes: Scopes::all(), organization: None, days: access::DEFAULT_DAYS };
    let (_, key) = access::create(app, new, &Actor::host()).await?;
    Ok(Some(key))
}

/// Open everything as `serve` would, and say how it is.
async fn doctor(settings: Settings) -> Result<ExitCode, ProgramError> {
    let app = Host::closed(settings, Registry::linked().map_err(StartError::from)?).await?;
    let remotes = remote::attach(&app).await;
    let mut text = format!(
        "ok    settings, key ring and database ({})\nok    backends: {}\n",
        app.settings.database,
        app.registry.ids()
    );
    match &app.public_url {
        Some(url) => text += &format!("ok    platforms reach this host at {url}\n"),
        None => text += "mend  no public URL: platforms can't reach this host; set --public-url\n",
    }
    for (entry, how) in remotes {
        if let Attached::AsBefore(reason) | Attached::NotYet(reason) = how {
            text += &format!("mend  the remote backend {} at {}: {reason}\n", entry.id, entry.url);
        }
    }
    if !access::any(&app).await? {
        text += "mend  there is no API key yet: `chatport api-key create --name NAME` makes one\n";
    }
    let suspended = entities::installations::Entity::find()
        .filter(entities::installations::Column::State.eq("suspended"))
        .all(app.database.read())
        .await?;
    for row in suspended {
        let problem = row.problem.unwrap_or_default();
        let said = |name: &str| problem[name].as_str().unwrap_or("?").to_owned();
        text += &format!(
            "mend  {} {} of {}: {}. {}\n",
            row.backend,
            row.id,
            row.organization,
            said("detail"),
            said("cure")
        );
    }
    for row in deaf(&app).await? {
        let probe = &row.health.unwrap_or_default();
        let cure = probe["cure"].as_str().unwrap_or_default();
        text +=
            &format!("mend  {} {} of {} isn't called by its platform. {cure}\n", row.backend, row.id, row.organization);
    }
    print(&text);
    Ok(if text.contains("\nmend") { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The active installations that the last probe found to hear nothing.
async fn deaf(app: &App) -> Result<Vec<entities::installations::Model>, sea_orm::DbErr> {
    let active = entities::installations::Entity::find()
        .filter(entities::installations::Column::State.eq("active"))
        .all(app.database.read())
        .await?;
    let is_deaf = |row: &entities::installations::Model| {
        row.health.as_ref().is_some_and(|probe| probe["can_receive"] == serde_json::Value::Bool(false))
    };
    Ok(active.into_iter().filter(is_deaf).collect())
}

async fn create_key(settings: Settings, request: CreateApiKey) -> Result<(), ProgramError> {
    let scopes: Scopes = if request.scopes.is_empty() {
        Scopes::all()
    } else {
        let names = Scope::ALL.map(|(_, name)| name).join(", ");
        request.scopes.join(" ").parse().map_err(|error| ProgramError::Input(format!("{error}; there are: {names}")))?
    };
    let organization =
        match &request.organization {
            Some(text) => Some(OrganizationId::parse(text).ok_or_else(|| {
                ProgramError::Input("an organization's id has 1 to 128 of A-Z a-z 0-9 . _ : @ -".into())
            })?),
            None => None,
        };
    let app = Host::closed(settings, Registry::linked().map_err(StartError::from)?).await?;
    let new = NewKey { name: request.name, scopes, organization, days: request.days };
    let (_, key) = access::create(&app, new, &Actor::host()).await?;
    print(&format!("{}\n", key.expose()));
    Ok(())
}

/// What is linked in, and what the operator attaches.
async fn list_backends(settings: &Settings) -> Result<String, StartError> {
    let registry = Registry::linked()?.expecting(&settings.remote_backends)?;
    if settings.remote_backends.is_empty() {
        return Ok(backends(&registry));
    }
    security::install_crypto_providers();
    let policy = Policy::parse(&settings.allow_networks, false)?;
    let transports = Transports::new(policy, settings.extra_ca_file.as_deref())?;
    let (clock, random): (Arc<dyn Clock>, Arc<dyn Random>) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let failed = remote::connect_all(&registry, &settings.remote_backends, &transports, &clock, &random).await;
    let mut text = backends(&registry);
    for (id, error) in failed {
        text += &format!("{id:<12} isn't there: {error}\n");
    }
    Ok(text)
}

fn backends(registry: &Registry) -> String {
    let mut text = String::new();
    for (backend, crate_name) in registry.iter() {
        let descriptor = backend.descriptor();
        let parts = [
            ("install", backend.install().is_some()),
            ("codes", backend.verification().is_some()),
            ("deliver", backend.delivery().is_some()),
            ("receive", backend.ingress().is_some()),
            ("directory", backend.directory().is_some()),
            ("commands", backend.commands().is_some()),
        ];
        let can: Vec<&str> = parts.iter().filter(|(_, can)| *can).map(|(name, _)| *name).collect();
        let rates = descriptor
            .rates
            .iter()
            .map(|rate| format!("{}.{}={}/{}", descriptor.id, rate.name, rate.per_second, rate.burst));
        let rates: Vec<String> = rates.collect();
        text += &format!(
            "{:<12} {} ({crate_name})\n{:13}can: {}\n{:13}rates: {}\n",
            descriptor.id,
            descriptor.name,
            "",
            can.join(", "),
            "",
            rates.join(" "),
        );
    }
    text
}

/// Whether the host that listens here says that it is ready.
async fn healthcheck(settings: &Settings) -> ExitCode {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let ask = async {
        let mut stream = tokio::net::TcpStream::connect(settings.listen).await?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
        let mut answer = String::new();
        stream.take(4_096).read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    match tokio::time::timeout(std::time::Duration::from_secs(5), ask).await {
        Ok(Ok(answer)) if answer.starts_with("HTTP/1.1 200") => ExitCode::SUCCESS,
        _ => {
            eprintln!("chatport: nothing that is ready listens on {}", settings.listen);
            ExitCode::FAILURE
        }
    }
}

/// What was asked for goes to standard output; a reader that has gone away is no error.
fn print(text: &str) {
    use std::io::Write;
    let _ = std::io::stdout().write_all(text.as_bytes());
}
