//! How the program was called: from its surroundings to the settings and the command, or to the
//! line that says why not.

use std::{ffi::OsString, io::IsTerminal, path::PathBuf, process::ExitCode};

use super::{
    ConfigError, Settings,
    cli::{self, Command},
    gather::{Gathered, Reported},
};

/// What the configuration is read from; a test makes its own.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The command line, with the program's name.
    pub arguments: Vec<OsString>,
    /// The environment.
    pub environment: Vec<(OsString, OsString)>,
    /// The folder from which `chatport.toml` is read.
    pub folder: PathBuf,
    /// Whether logs go to a terminal.
    pub on_terminal: bool,
}

impl Surroundings {
    /// Those of this process.
    pub fn of_process() -> Self {
        Self {
            arguments: std::env::args_os().collect(),
            environment: std::env::vars_os().collect(),
            folder: PathBuf::new(),
            on_terminal: std::io::stderr().is_terminal(),
        }
    }
}

/// What the program was asked to do, with the settings to do it.
#[derive(Debug)]
pub struct Invocation {
    /// What to do.
    pub command: Command,
    /// The settings.
    pub settings: Settings,
    /// Every setting's effective value and origin, for `chatport config`.
    pub report: Vec<Reported>,
}

impl Invocation {
    /// Read the command line, the environment and the files.
    ///
    /// # Errors
    /// Help that was asked for, a command line that isn't understood, or a setting that
    /// can't be used.
    pub fn read(surroundings: &Surroundings) -> Result<Self, Stop> {
        let (command, flags) = cli::parse(&surroundings.arguments)?;
        let found = Gathered::from(flags, &surroundings.environment, &surroundings.folder)?;
        let settings = Settings::read(&found, surroundings.on_terminal)?;
        let report = found.report(&settings);
        Ok(Self { command, settings, report })
    }
}

/// Why the program ends before it has begun.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// Help or the version was asked for, or the command line isn't understood.
    #[error("{0}")]
    CommandLine(#[from] clap::Error),
    /// A setting can't be used.
    #[error("{0}")]
    Config(#[from] ConfigError),
}

impl Stop {
    /// Tell the person at the terminal; the answer is the program's exit code: 0 for help,
    /// 2 for everything else.
    pub fn tell(&self) -> ExitCode {
        match self {
            Self::CommandLine(error) if is_mistake(error) => {
                eprintln!("chatport: {}", one_line(error));
                ExitCode::from(2)
            }
            Self::CommandLine(error) => {
                let told = error.print();
                if error.use_stderr() || told.is_err() { ExitCode::from(2) } else { ExitCode::SUCCESS }
            }
            Self::Config(error) => {
                eprintln!("chatport: {error}");
                ExitCode::from(2)
            }
        }
    }
}

/// Whether something is wrong with the command line; else somebody is to be shown the help.
fn is_mistake(error: &clap::Error) -> bool {
    error.use_stderr() && error.kind() != clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
}

/// What is wrong with a command line, as one line like every other refusal: without the usage.
fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let said = text.split("\n\nUsage:").next().unwrap_or_default().trim_start_matches("error: ");
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    format!("{}; `chatport --help` lists all", lines.join("; ").replace(":;", ":"))
}
