//! The host as a whole: open what is on disk, listen, run until told to stop.

use std::{io, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use chatport_sdk::{
    site::Random,
    time::{Clock, Timestamp},
};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    api,
    app::{App, Parts},
    config::{DatabaseAddress, RemoteEntry, Settings},
    crowd::Crowd,
    delivery::{self, Delivery, read::RecentTallies},
    events::health::SubscriptionHealth,
    housekeeping,
    ingress::{Ingress, listen},
    registry::{Registry, RegistryError},
    remote,
    security::{
        self,
        clock::SystemClock,
        keyring::{Keyring, KeyringError},
        network::{GrantError, Policy},
        random::SystemRandom,
        transport::{TransportError, Transports},
    },
    server,
    setup::{
        command_sync::{self, CommandSync},
        directory::Questions,
        renewal::Renewals,
        watch,
    },
    store::{self, Database, Location, OpenError, entities, statement},
};

/// How far this host's clock and the database's may be apart at the start.
const MAX_CLOCK_DIFFERENCE: Duration = Duration::from_secs(5 * 60);

/// A host that is ready to run.
#[derive(Debug)]
pub struct Host {
    app: App,
    listener: TcpListener,
    remotes: Vec<(RemoteEntry, remote::Attached)>,
}

/// Why the host can't start. Each is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The linked backends can't be used.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The data folder can't be used.
    #[error("can't use the data folder {0}: {1}; choose another with --data")]
    Data(String, io::Error),
    /// The key ring can't be used.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The key ring isn't the one that this database was sealed with.
    #[error(
        "this database was sealed with the key {0}, which the key ring lacks: put the right key file back (it lies beside the database as `keyring`)"
    )]
    WrongKeyring(String),
    /// The database can't be used.
    #[error(transparent)]
    Database(OpenError),
    /// The database refuses.
    #[error("the database refuses: {0}")]
    Store(DbErr),
    /// There is a pooler in between that mixes sessions up.
    #[error(
        "a pooler before the database can't carry prepared statements: it must be PgBouncer 1.21 or later with max_prepared_statements, or pool sessions ({0})"
    )]
    Pooler(String),
    /// This host's clock and the database's differ by too much.
    #[error(
        "this host's clock and the database's differ by {0} seconds, and 300 is the most: set both by NTP, then start again"
    )]
    Clock(u64),
    /// A network grant can't be read.
    #[error("allow_networks: {0}")]
    Grant(#[from] GrantError),
    /// The transport can't be made.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The address can't be listened on.
    #[error("can't listen on {0}: {1}; choose another with --listen")]
    Listen(SocketAddr, io::Error),
}

/// How Postgres says that a statement which a session prepared came to another session.
const MIXED_UP: &str = "prepared statement";

impl From<DbErr> for StartError {
    fn from(error: DbErr) -> Self {
        let text = error.to_string();
        if text.contains(MIXED_UP) { Self::Pooler(text) } else { Self::Store(error) }
    }
}

impl From<OpenError> for StartError {
    fn from(error: OpenError) -> Self {
        let text = error.to_string();
        if text.contains(MIXED_UP) { Self::Pooler(text) } else { Self::Database(error) }
    }
}

impl Host {
    /// Open everything and listen.
    ///
    /// # Errors
    /// Something can't be used; the error says what to do.
    pub async fn start(settings: Settings, registry: Registry) -> Result<Self, StartError> {
        let listen = settings.listen;
        let listener = TcpListener::bind(listen).await.map_err(|error| StartError::Listen(listen, error))?;
        let bound = listener.local_addr().map_err(|error| StartError::Listen(listen, error))?;
        let app = open(settings, registry, bound).await?;
        let remotes = remote::attach(&app).await;
        Ok(Self { app, listener, remotes })
    }

    /// An app over this database that listens nowhere, with its files in `folder`; for suites
    /// that need no server.
    ///
    /// # Errors
    /// Something can't be used.
    pub async fn for_tests(location: &Location, folder: &Path, registry: Registry) -> Result<App, StartError> {
        let mut settings = Settings::in_folder(folder);
        settings.database = match location {
            Location::Sqlite(path) => DatabaseAddress::Sqlite(path.clone()),
            Location::Postgres(url) => DatabaseAddress::Postgres(url.clone().into()),
        };
        Self::closed(settings, registry).await
    }

    /// An app that listens nowhere, for commands that do one thing and end.
    ///
    /// # Errors
    /// Something can't be used.
    pub async fn closed(settings: Settings, registry: Registry) -> Result<App, StartError> {
        let bound = settings.listen;
        open(settings, registry, bound).await
    }

    /// What all parts share.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system doesn't say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Run until `stop` is cancelled, then finish what is on its way, within the grace of
    /// the settings.
    pub async fn run(self, stop: CancellationToken) {
        let Self { app, listener, remotes } = self;
        let engine_stop = CancellationToken::new();
        let engine = tokio::spawn(delivery::run(app.clone(), engine_stop.clone()));
        let keeper = tokio::spawn(housekeeping::run(app.clone(), engine_stop.clone()));
        let watcher = tokio::spawn(watch::run(app.clone(), engine_stop.clone()));
        let announcer = tokio::spawn(command_sync::run(app.clone(), engine_stop.clone()));
        let listener_to_platforms = tokio::spawn(listen::run(app.clone(), stop.clone()));
        let attacher = tokio::spawn(remote::run(app.clone(), remotes, engine_stop.clone()));
        let delivery = app.delivery.clone();
        let listener_of_news = store::listen(app.database.clone(), move || delivery.wake(), engine_stop.clone());
        let news = tokio::spawn(listener_of_news);
        let options = server::Options::new(&app.settings, Arc::clone(&app.random));
        let (router, _) = api::build();
        let server = tokio::spawn(server::serve(listener, router.with_state(app.clone()), options, stop.clone()));
        stop.cancelled().await;
        app.stopping.cancel();
        tracing::info!("stopping: finishing what is on its way");
        // Requests first: each may still accept something.
        if let Err(error) = server.await {
            tracing::error!(%error, "the server ended badly");
        }
        if let Err(error) = listener_to_platforms.await {
            tracing::error!(%error, "listening to platforms ended badly");
        }
        app.ingress.settled().await;
        engine_stop.cancel();
        if let Err(error) = engine.await {
            tracing::error!(%error, "the delivery engine ended badly");
        }
        keeper.abort();
        watcher.abort();
        announcer.abort();
        attacher.abort();
        if let Err(error) = news.await {
            tracing::error!(%error, "listening for news ended badly");
        }
        if let Err(error) = app.database.close().await {
            tracing::warn!(%error, "the database didn't close well");
        }
        tracing::info!("stopped");
    }
}

async fn open(settings: Settings, registry: Registry, bound: SocketAddr) -> Result<App, StartError> {
    security::install_crypto_providers();
    let registry = registry.expecting(&settings.remote_backends)?;
    make_folder(&settings.data)?;
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let keyring = match &settings.keyring {
        Some(text) => Keyring::from_secret(text)?,
        None => Keyring::load_or_create(&settings.data.join("keyring"), random.as_ref())?,
    };
    let policy = Policy::parse(&settings.allow_networks, settings.serves_this_machine_alone())?;
    let transports = Transports::new(policy, settings.extra_ca_file.as_deref())?;
    let database = Database::open(&location(&settings.database)).await?;
    check_clock(&database, clock.now()).await?;
    let clock = database.clock(clock);
    check_keyring(&database, &keyring).await?;
    let delivery = Delivery::new(&database, &clock, &random);
    let parts = Parts {
        public_url: settings.public_url_at(bound),
        ingress: Ingress::new(&database, &delivery),
        delivery,
        settings: Arc::new(settings),
        registry,
        keyring: Arc::new(keyring),
        clock,
        random,
        transports: Arc::new(transports),
        tallies: RecentTallies::default(),
        crowd: Crowd::default(),
        subscription_health: SubscriptionHealth::default(),
        renewals: Renewals::default(),
        questions: Questions::default(),
        command_sync: CommandSync::default(),
        stopping: CancellationToken::new(),
        database,
    };
    Ok(parts.into())
}

/// Where the settings' database is.
pub fn location(address: &DatabaseAddress) -> Location {
    match address {
        DatabaseAddress::Sqlite(path) => Location::Sqlite(path.clone()),
        DatabaseAddress::Postgres(url) => Location::Postgres(url.expose().to_owned()),
    }
}

/// The data folder, which nobody else may read.
fn make_folder(folder: &Path) -> Result<(), StartError> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| StartError::Data(folder.display().to_string(), error))
}

/// Refuse to run beside a database that lives in another time: one of the two is far off, and
/// signatures would be.
async fn check_clock(database: &Database, ours: Timestamp) -> Result<(), StartError> {
    let (transaction, theirs) = database.begin_at().await?;
    transaction.rollback().await?;
    let Some(theirs) = theirs else { return Ok(()) };
    let difference = Ord::max(ours.since(theirs), theirs.since(ours));
    if difference > MAX_CLOCK_DIFFERENCE { Err(StartError::Clock(difference.as_secs())) } else { Ok(()) }
}

/// Refuse to run over a database whose secrets this ring can't open: the first message to
/// a platform would be the first sign otherwise.
async fn check_keyring(database: &Database, keyring: &Keyring) -> Result<(), StartError> {
    let write = database.write_uncached();
    let sql = "SELECT DISTINCT key_id FROM tokens UNION SELECT value AS key_id FROM facts WHERE name = 'key'";
    let rows = write.query_all_raw(statement(write, sql, [])).await?;
    let ids: Vec<String> = rows.iter().map(|row| row.try_get("", "key_id")).collect::<Result<_, _>>()?;
    if let Some(missing) = keyring.missing(ids.iter().map(String::as_str)).first() {
        return Err(StartError::WrongKeyring((*missing).to_owned()));
    }
    let current = entities::facts::ActiveModel {
        name: sea_orm::ActiveValue::Set("key".into()),
        value: sea_orm::ActiveValue::Set(keyring.current().id().to_owned()),
    };
    let newest = sea_orm::sea_query::OnConflict::column(entities::facts::Column::Name)
        .update_column(entities::facts::Column::Value)
        .to_owned();
    entities::facts::Entity::insert(current).on_conflict(newest).exec_without_returning(write).await?;
    Ok(())
}
