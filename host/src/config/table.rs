//! Every setting, once: its key in the file, its flag, its variables, its default and its help.

/// One setting.
#[derive(Debug)]
pub(super) struct Setting {
    /// The key in the file.
    pub(super) key: &'static str,
    /// The flag, without dashes.
    pub(super) flag: &'static str,
    /// The variables, the stronger one first.
    pub(super) variables: &'static [&'static str],
    /// What stands for the value in `--help`.
    pub(super) value_name: &'static str,
    /// What holds without it.
    pub(super) unset: Unset,
    /// One or two sentences.
    pub(super) help: &'static str,
    /// Whether it takes several values: the flag repeats, the variable has commas.
    pub(super) many: bool,
    /// Whether its value is shown nowhere and taken from the environment alone.
    pub(super) secret: bool,
}

/// What holds if nobody says anything.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unset {
    /// This value.
    Value(&'static str),
    /// Something that depends on other settings, in words.
    Derived(&'static str),
}

use Unset::{Derived, Value};

const fn one(
    key: &'static str,
    flag: &'static str,
    variables: &'static [&'static str],
    value_name: &'static str,
    unset: Unset,
    help: &'static str,
) -> Setting {
    Setting { key, flag, variables, value_name, unset, help, many: false, secret: false }
}

const fn many(
    key: &'static str,
    flag: &'static str,
    variables: &'static [&'static str],
    value_name: &'static str,
    help: &'static str,
) -> Setting {
    Setting { key, flag, variables, value_name, unset: Derived("none"), help, many: true, secret: false }
}

const fn secret(key: &'static str, variables: &'static [&'static str], unset: Unset, help: &'static str) -> Setting {
    Setting { key, flag: "", variables, value_name: "SECRET", unset, help, many: false, secret: true }
}

/// The variable that names the file.
pub(super) const CONFIG_VARIABLE: &str = "CHATPORT_CONFIG";

/// All settings, in the order of `--help`.
pub(super) static SETTINGS: &[Setting] = &[
    one(
        "listen",
        "listen",
        &["CHATPORT_LISTEN"],
        "ADDRESS",
        Value("127.0.0.1:8000"),
        "Where to listen, as IP address and port. On a loopback address only this machine can reach the host, and the demo is on.",
    ),
    one(
        "public_url",
        "public-url",
        &["CHATPORT_PUBLIC_URL", "PUBLIC_URL"],
        "URL",
        Derived("http://LISTEN on loopback, else none"),
        "Where chat platforms and people reach this host, e.g. https://chatport.example.com. May be a private address. Without it, what a platform must call is refused.",
    ),
    one(
        "data",
        "data",
        &["CHATPORT_DATA"],
        "FOLDER",
        Value("./chatport-data"),
        "The folder for the database (unless it is Postgres), the key ring and what else is kept in files.",
    ),
    one(
        "database_url",
        "database-url",
        &["CHATPORT_DATABASE_URL", "DATABASE_URL"],
        "URL",
        Derived("sqlite:DATA/chatport.db"),
        "sqlite:FILE, or postgres://USER:PASSWORD@HOST/NAME for several replicas. Put a password into the environment, not on the command line.",
    ),
    secret(
        "keyring",
        &["CHATPORT_KEYRING"],
        Derived("a file in DATA, made at the first start"),
        "The text of the key ring that seals secrets in the database; for replicas that share no folder. Only from the environment.",
    ),
    one(
        "app_name",
        "app-name",
        &["CHATPORT_APP_NAME"],
        "NAME",
        Value("Chatport"),
        "The name under which people on chat platforms meet the app, e.g. OnCall.",
    ),
    many(
        "allow_networks",
        "allow-networks",
        &["CHATPORT_ALLOW_NETWORKS"],
        "GRANT",
        "A private network that backends may reach; most self-hosted chat servers live in one. The refusal of an address names the line to add.",
    ),
    one(
        "extra_ca_file",
        "extra-ca-file",
        &["CHATPORT_EXTRA_CA_FILE"],
        "FILE",
        Derived("none"),
        "Certificate authorities (PEM) to trust besides those of the system.",
    ),
    one(
        "workers",
        "workers",
        &["CHATPORT_WORKERS"],
        "COUNT",
        Value("64"),
        "How many parts of messages may be on their way to platforms at once.",
    ),
    one(
        "backlog",
        "backlog",
        &["CHATPORT_BACKLOG"],
        "COUNT",
        Value("10000"),
        "How many undelivered copies one organization may have; more are refused with 429.",
    ),
    one(
        "min_free_disk",
        "min-free-disk",
        &["CHATPORT_MIN_FREE_DISK"],
        "SIZE",
        Value("512MiB"),
        "With less free disk in the data folder than this, new messages are refused with 503.",
    ),
    many(
        "rates",
        "rates",
        &["CHATPORT_RATES"],
        "BACKEND.RATE=N/BURST",
        "Another rate for a backend: N a second in the long run, BURST at once, e.g. chat.default=20/40. `chatport backends` lists the rates.",
    ),
    many(
        "remote_backends",
        "remote-backends",
        &["CHATPORT_REMOTE_BACKENDS"],
        "ID=URL",
        "A backend that runs as its own process and is called there, e.g. pager=http://127.0.0.1:9000/. Each needs a secret in CHATPORT_REMOTE_SECRETS.",
    ),
    secret(
        "remote_secrets",
        &["CHATPORT_REMOTE_SECRETS"],
        Derived("none"),
        "The secrets that remote backends share with this host: ID=whsec_… with commas between. Only from the environment.",
    ),
    one(
        "connections",
        "connections",
        &["CHATPORT_CONNECTIONS"],
        "COUNT",
        Value("4096"),
        "How many connections may be open; more are closed at once.",
    ),
    one(
        "connections_per_address",
        "connections-per-address",
        &["CHATPORT_CONNECTIONS_PER_ADDRESS"],
        "COUNT",
        Value("64"),
        "How many of them may come from one client address (IPv6: one /64). Doesn't count for this machine and for trusted proxies.",
    ),
    many(
        "trusted_proxies",
        "trusted-proxies",
        &["CHATPORT_TRUSTED_PROXIES"],
        "NETWORK",
        "A reverse proxy's address or network, e.g. 10.0.0.0/8: its connections don't count against the limit of one address.",
    ),
    one(
        "log",
        "log",
        &["CHATPORT_LOG"],
        "FILTER",
        Value("info"),
        "What is logged: a level, or levels by part such as info,chatport_host::delivery=debug.",
    ),
    one(
        "log_format",
        "log-format",
        &["CHATPORT_LOG_FORMAT"],
        "FORMAT",
        Derived("pretty on a terminal, else json"),
        "How it is written: pretty or json.",
    ),
    one(
        "demo",
        "demo",
        &["CHATPORT_DEMO"],
        "WHEN",
        Value("auto"),
        "Whether to make a demo organization: on, off, or auto (if the host listens on loopback and has no public URL for others).",
    ),
    one(
        "shutdown_grace",
        "shutdown-grace",
        &["CHATPORT_SHUTDOWN_GRACE"],
        "SECONDS",
        Value("20"),
        "How long running requests and deliveries may take to end when the host is stopped.",
    ),
];

/// The setting of this key.
pub(super) fn setting(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

/// Of `known`, the one that is most like `name`.
pub(super) fn nearest(name: &str, known: impl Iterator<Item = &'static str>) -> &'static str {
    known.min_by_key(|candidate| strsim::damerau_levenshtein(name, candidate)).unwrap_or_default()
}
