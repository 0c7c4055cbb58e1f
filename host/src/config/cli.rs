//! The command line: subcommands, and one global flag for each setting.

use std::{ffi::OsString, path::PathBuf};

use chatport_sdk::{secret::Secret, time::Timestamp};
use clap::{Arg, ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, value_parser};

use uuid::Uuid;

use super::table::{CONFIG_VARIABLE, SETTINGS, Setting, Unset};

/// One port between any application and any chat platform.
///
/// A setting is taken from its flag, else from its variable, else from the file given by
/// --config (or from ./chatport.toml, then chatport.toml in the data folder), else from its
/// default. `chatport config` shows what holds and where it comes from.
#[derive(Debug, Parser)]
#[command(name = "chatport", version, max_term_width = 100)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Subcommand)]
pub enum Command {
    /// Run the host (what happens without a command, too)
    Serve,
    /// List the backends in this program, what they can do and their rates
    Backends,
    /// Bring the database to this version, and end
    Migrate,
    /// Open everything as `serve` would and say what to mend; exit code 1 if there is anything
    Doctor,
    /// Show every setting that holds and where it comes from; secrets are hidden
    Config,
    /// Ask the host that listens at --listen whether it is ready; exit code 0 if so
    Healthcheck,
    /// Have a running host try dead letters again
    Replay(ReplayCommand),
    /// Manage the keys of applications
    #[command(subcommand)]
    ApiKey(ApiKeyCommand),
    /// Write the crate of a backend for another platform, to begin with
    NewBackend(NewBackend),
    /// Stand between a platform and a host, and keep each request for the tests of a backend
    Record(RecordCommand),
    /// Play the conformance suite against a backend that runs as its own process
    Conformance(ConformanceCommand),
}

/// Which backend to examine, and what with.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct ConformanceCommand {
    /// The backend's id, as in --remote-backends
    pub backend: String,
    /// Where your stand-in for the platform is
    #[arg(long, value_name = "URL")]
    pub platform: url::Url,
    /// The file that says what the suite must know of the platform
    #[arg(long, value_name = "FILE")]
    pub fixture: std::path::PathBuf,
    /// Where the backend's process must call its platform
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8011")]
    pub at: std::net::SocketAddr,
}

/// What to record.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct RecordCommand {
    /// Where the platform calls
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8010")]
    pub at: std::net::SocketAddr,
    /// The host that everything is passed on to
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8000")]
    pub to: url::Url,
    /// The folder that the files are put into
    #[arg(long, value_name = "FOLDER", default_value = "recorded")]
    pub into: std::path::PathBuf,
    /// An environment variable whose value is a secret of the platform: its name is kept instead. May
    /// be repeated
    #[arg(long = "secret", value_name = "VARIABLE", value_delimiter = ',')]
    pub secrets: Vec<String>,
}

/// Which crate to write.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct NewBackend {
    /// The backend's id and the crate's name, e.g. noticeboard; it becomes a folder here
    pub name: String,
    /// The folder of Chatport's source; absent: here, in chatport or in ../chatport
    #[arg(long, value_name = "FOLDER")]
    pub chatport: Option<std::path::PathBuf>,
}

/// Which dead letters a running host is to try again, and how.
#[derive(Clone, Debug, PartialEq, Args)]
#[command(group = clap::ArgGroup::new("which").required(true).multiple(true))]
pub struct ReplayCommand {
    /// Where the host is; absent: at --listen on this machine
    #[arg(long)]
    pub url: Option<url::Url>,
    /// An API key with the scope `replay`; - reads it from standard input
    #[arg(long, value_parser = key)]
    pub key: Key,
    /// Whose
    #[arg(long, value_name = "ORGANIZATION")]
    pub organization: String,
    /// This copy. May be repeated
    #[arg(long = "copy", value_name = "ID", value_delimiter = ',', group = "which")]
    pub copies: Vec<Uuid>,
    /// All with this failure code, e.g. expired
    #[arg(long, group = "which")]
    pub code: Option<String>,
    /// All of this installation
    #[arg(long, value_name = "ID", group = "which")]
    pub installation: Option<Uuid>,
    /// All that were given up at this time or later, e.g. 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time, group = "which")]
    pub since: Option<Timestamp>,
    /// All that were given up before this time
    #[arg(long, value_name = "TIME", value_parser = time, group = "which")]
    pub before: Option<Timestamp>,
    /// At most so many a second; absent: as fast as the platforms' rates allow
    #[arg(long, value_name = "NUMBER")]
    pub rate: Option<f64>,
    /// Only say how many they would be
    #[arg(long)]
    pub dry_run: bool,
}

/// An API key on a command line.
#[derive(Clone, Debug)]
pub struct Key(pub Secret);

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose() == other.0.expose()
    }
}

fn key(text: &str) -> Result<Key, std::convert::Infallible> {
    Ok(Key(Secret::new(text)))
}

fn time(text: &str) -> Result<Timestamp, &'static str> {
    Timestamp::parse(text).ok_or("not an RFC 3339 time such as 2026-01-31T12:00:00Z")
}

/// What to do with the keys of applications.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum ApiKeyCommand {
    /// Make a key and print it, once
    Create(CreateApiKey),
}

/// What a new key is for.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct CreateApiKey {
    /// What the key is for, for people
    #[arg(long, value_name = "TEXT")]
    pub name: String,
    /// What it may do; all, if absent. May be repeated
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',')]
    pub scopes: Vec<String>,
    /// The one organization that it is narrowed to; all, if absent
    #[arg(long, value_name = "ORGANIZATION")]
    pub organization: Option<String>,
    /// For how many days it is valid
    #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = value_parser!(u32).range(1..=730))]
    pub days: u32,
}

/// What the flags say.
#[derive(Debug, Default)]
pub(super) struct Flags {
    /// The file of `--config`.
    pub(super) config: Option<PathBuf>,
    /// What is set, to which values.
    pub(super) values: Vec<(&'static Setting, Vec<String>)>,
}

/// Take the command line apart.
pub(super) fn parse(arguments: &[OsString]) -> Result<(Command, Flags), clap::Error> {
    let matches = grammar().try_get_matches_from(arguments)?;
    let command = CommandLine::from_arg_matches(&matches)?.command.unwrap_or(Command::Serve);
    let mut flags = Flags { config: matches.get_one::<PathBuf>("config").cloned(), ..Flags::default() };
    for setting in SETTINGS.iter().filter(|setting| !setting.secret) {
        if let Some(values) = matches.get_many::<String>(setting.key) {
            flags.values.push((setting, values.cloned().collect()));
        }
    }
    Ok((command, flags))
}

fn grammar() -> clap::Command {
    let config = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .global(true)
        .help(format!("The configuration file, in TOML [env: {CONFIG_VARIABLE}]"));
    let secrets = SETTINGS
        .iter()
        .filter(|setting| setting.secret)
        .map(|setting| format!("  {}\n          {} {}\n", setting.variables[0], setting.help, default_note(setting)));
    CommandLine::command()
        .next_help_heading("Settings")
        .arg(config)
        .args(SETTINGS.iter().filter(|setting| !setting.secret).map(flag))
        .after_long_help(format!("Settings that are secret:\n{}", secrets.collect::<String>()))
}

fn flag(setting: &'static Setting) -> Arg {
    let arg = Arg::new(setting.key).long(setting.flag).value_name(setting.value_name).global(true);
    let arg =
        if setting.many { arg.action(ArgAction::Append).value_delimiter(',') } else { arg.action(ArgAction::Set) };
    arg.help(format!("{} [env: {}] {}", setting.help, setting.variables.join(", "), default_note(setting)))
}

fn default_note(setting: &Setting) -> String {
    match setting.unset {
        Unset::Value(value) => format!("[default: {value}]"),
        Unset::Derived(words) => format!("[default: {words}]"),
    }
}
