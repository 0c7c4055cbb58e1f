//! Configuration: what the operator says, from four places. A flag wins over the
//! environment, the environment over a file, a file over the default. Every setting stands
//! once, in `table`; flags, variables, keys of the file, `--help` and `chatport config`
//! all come from there. A name that isn't known is an error, so a misspelt setting can't be
//! silently ignored.

mod cli;
mod gather;
mod invocation;
mod table;
mod values;

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

use chatport_sdk::{descriptor::Rate, secret::Secret};
use ipnet::IpNet;
use url::Url;

pub use cli::{ApiKeyCommand, Command, ConformanceCommand, CreateApiKey, NewBackend, RecordCommand, ReplayCommand};
pub use gather::{Origin, Reported};
pub use invocation::{Invocation, Stop, Surroundings};

use gather::Gathered;

/// Everything that an operator can set. Holds no secret that `Debug` would show.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where the world reaches this host, as configured; see [`Settings::public_url_at`].
    pub public_url: Option<Url>,
    /// The folder for everything that is kept in files.
    pub data: PathBuf,
    /// The database.
    pub database: DatabaseAddress,
    /// The operator's name for the app, as people on chat platforms read it.
    pub app_name: String,
    /// What is logged, in the syntax of `tracing`'s filters.
    pub log: String,
    /// How it is written.
    pub log_format: LogFormat,
    /// Private networks that backends may reach, in the syntax of the network guard.
    pub allow_networks: Vec<String>,
    /// More certificate authorities to trust, as PEM.
    pub extra_ca_file: Option<PathBuf>,
    /// The key ring itself; if absent, it is kept in the data folder.
    pub keyring: Option<Secret>,
    /// How many parts are on their way to platforms at once.
    pub workers: usize,
    /// How many undelivered copies an organization may have.
    pub backlog: u64,
    /// With less free disk than this, nothing new is accepted.
    pub min_free_disk: u64,
    /// Rates that differ from the backends' own.
    pub rates: Vec<RateOverride>,
    /// Backends in other processes.
    pub remote_backends: Vec<RemoteEntry>,
    /// How many connections may be open.
    pub connections: usize,
    /// How many of them may come from one address.
    pub connections_per_address: usize,
    /// Reverse proxies: what they say about the client's address is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether to make a demo organization.
    pub demo: Demo,
    /// How long running requests and deliveries may take to end when the host stops.
    pub shutdown_grace: Duration,
}

impl Default for Settings {
    /// Those of a host that nobody has configured.
    fn default() -> Self {
        Self::read(&Gathered::default(), false).expect("the defaults in the table can be read")
    }
}

impl Settings {
    /// Whether only this machine reaches the host: it listens on loopback, and no public URL
    /// says that a proxy lets others in.
    pub fn serves_this_machine_alone(&self) -> bool {
        self.listen.ip().is_loopback() && self.public_url.as_ref().is_none_or(is_on_loopback)
    }

    /// Where the world reaches the host that listens at `bound`: what is configured; on
    /// loopback the address itself; else nothing, and what needs it refuses.
    pub fn public_url_at(&self, bound: SocketAddr) -> Option<Url> {
        match &self.public_url {
            Some(url) => Some(url.clone()),
            None if bound.ip().is_loopback() => Url::parse(&format!("http://{bound}")).ok(),
            None => None,
        }
    }

    /// A backend's rate, as the operator wants it.
    pub fn rate(&self, backend: &str, rate: Rate) -> Rate {
        let wanted = self.rates.iter().find(|wanted| wanted.backend == backend && wanted.rate == rate.name);
        wanted.map_or(rate, |wanted| Rate { per_second: wanted.per_second, burst: wanted.burst, ..rate })
    }

    /// Whether to make a demo organization: `auto` does where only this machine reaches the host.
    pub fn wants_demo(&self) -> bool {
        match self.demo {
            Demo::On => true,
            Demo::Off => false,
            Demo::Auto => self.serves_this_machine_alone(),
        }
    }

    /// The defaults, with everything kept in `folder` and no demo.
    ///
    /// # Panics
    /// Never: the defaults can be read.
    pub fn in_folder(folder: &std::path::Path) -> Self {
        let arguments = ["chatport".into(), "--demo=off".into(), "--data".into(), folder.into()];
        let surroundings = Surroundings {
            arguments: arguments.to_vec(),
            environment: Vec::new(),
            folder: folder.to_owned(),
            on_terminal: false,
        };
        Invocation::read(&surroundings).expect("the defaults can be read").settings
    }

    fn read(found: &Gathered, on_terminal: bool) -> Result<Self, ConfigError> {
        let data: PathBuf = found.one("data", values::path)?;
        let default_format = if on_terminal { LogFormat::Pretty } else { LogFormat::Json };
        Ok(Self {
            listen: found.one("listen", values::address)?,
            public_url: found.optional("public_url", values::public_url)?,
            database: found
                .optional("database_url", values::database)?
                .unwrap_or_else(|| DatabaseAddress::Sqlite(data.join("chatport.db"))),
            app_name: found.one("app_name", values::name)?,
            log: found.one("log", values::log_filter)?,
            log_format: found.optional("log_format", values::log_format)?.unwrap_or(default_format),
            allow_networks: found.many("allow_networks", values::text)?,
            extra_ca_file: found.optional("extra_ca_file", values::path)?,
            keyring: found.optional("keyring", values::secret)?,
            workers: found.one("workers", values::count)?,
            backlog: found.one("backlog", values::number)?,
            min_free_disk: found.one("min_free_disk", values::size)?,
            rates: found.many("rates", values::rate)?,
            remote_backends: Self::read_remotes(found)?,
            connections: found.one("connections", values::count)?,
            connections_per_address: found.one("connections_per_address", values::count)?,
            trusted_proxies: found.many("trusted_proxies", values::network)?,
            demo: found.one("demo", values::demo)?,
            shutdown_grace: found.one("shutdown_grace", values::seconds)?,
            data,
        })
    }
}

impl Settings {
    /// Each remote backend with its secrets, which stand in a setting of their own.
    fn read_remotes(found: &Gathered) -> Result<Vec<RemoteEntry>, ConfigError> {
        let secrets = found.optional("remote_secrets", values::remote_secrets)?.unwrap_or_default();
        let mut remotes: Vec<RemoteEntry> = Vec::new();
        for (id, url) in found.many("remote_backends", values::remote)? {
            let secrets = secrets.iter().find(|(of, _)| *of == id).map(|(_, secrets)| secrets.clone());
            let refuse = |expected: &str| found.refuse("remote_backends", &id, expected);
            let secrets = secrets.ok_or_else(|| {
                refuse("it must have a secret: CHATPORT_REMOTE_SECRETS=ID=whsec_… in the environment")
            })?;
            if remotes.iter().any(|other| other.id == id) {
                return Err(refuse("each id may stand there once"));
            }
            remotes.push(RemoteEntry { id, url, secrets });
        }
        Ok(remotes)
    }
}

/// Whether a URL's host is this machine.
fn is_on_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// Where the database is.
#[derive(Clone)]
pub enum DatabaseAddress {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A Postgres URL, which may hold a password.
    Postgres(Secret),
}

impl fmt::Display for DatabaseAddress {
    /// Without user, password and parameters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => match Url::parse(url.expose()) {
                Ok(url) => {
                    write!(f, "{}://{}", url.scheme(), url.host_str().unwrap_or_default())?;
                    url.port().map_or(Ok(()), |port| write!(f, ":{port}"))?;
                    f.write_str(url.path())
                }
                Err(_) => f.write_str("postgres:…"),
            },
        }
    }
}

impl fmt::Debug for DatabaseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people at a terminal.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// Whether to make a demo organization with the backends that work only on loopback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demo {
    /// Yes.
    On,
    /// No.
    Off,
    /// If only this machine reaches the host.
    Auto,
}

/// A rate of a backend, as the operator wants it.
#[derive(Clone, Debug, PartialEq)]
pub struct RateOverride {
    /// The backend's id.
    pub backend: String,
    /// The rate's name in its descriptor.
    pub rate: String,
    /// How many in a second, in the long run.
    pub per_second: f64,
    /// How many at once.
    pub burst: u32,
}

/// A backend in another process.
#[derive(Clone, Debug)]
pub struct RemoteEntry {
    /// Its id: it must call itself so.
    pub id: String,
    /// Where it is called.
    pub url: Url,
    /// Secrets of the form `whsec_…`, of which it must know one: while one is being replaced
    /// there are two.
    pub secrets: Vec<Secret>,
}

/// Why the configuration can't be used. Each is one line that says what to do.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigError {
    /// A file that was named isn't readable.
    #[error("can't read the configuration file {file}: {reason}; check --config and CHATPORT_CONFIG")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system says.
        reason: String,
    },
    /// A file isn't TOML.
    #[error("{file}, line {line}: {reason}; the file must be TOML, e.g. listen = \"127.0.0.1:8000\"")]
    Syntax {
        /// The file.
        file: String,
        /// Where, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A key that no setting has.
    #[error("{file}: there is no setting `{key}`; did you mean `{nearest}`? `chatport --help` lists all")]
    UnknownKey {
        /// The file.
        file: String,
        /// The key.
        key: String,
        /// The key that is most like it.
        nearest: &'static str,
    },
    /// A variable that no setting has.
    #[error("the environment sets {variable}, which is no setting; did you mean {nearest}? Rename or unset it")]
    UnknownVariable {
        /// The variable.
        variable: String,
        /// The variable that is most like it.
        nearest: &'static str,
    },
    /// A setting that mustn't stand where it stands.
    #[error("{file}: `{key}` can't be set in this file; {instead}")]
    Misplaced {
        /// The file.
        file: String,
        /// The key.
        key: &'static str,
        /// What to do instead.
        instead: &'static str,
    },
    /// A value that isn't allowed.
    #[error("{key} is set to {value} by {origin}, but {expected}")]
    Value {
        /// The setting.
        key: &'static str,
        /// The value, quoted; hidden if it is secret.
        value: String,
        /// Where it comes from.
        origin: Origin,
        /// What would be right.
        expected: String,
    },
}

#[cfg(test)]
mod tests;
