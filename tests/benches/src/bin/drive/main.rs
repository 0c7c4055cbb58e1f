//! The driver of the bench: waits for a server, sets Chatport up, drives load through it and
//! measures. What was measured goes to standard output, one `name value` a line.

mod connection;
mod load;
mod message;
mod processes;
mod setup;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, Parser, Subcommand};
use connection::Connection;

/// Sets Chatport up, drives load through it, and measures.
#[derive(Debug, Parser)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Wait for the first 200 of /readyz
    Ready(Ready),
    /// Set installations and conversations up; prints the ids of the channels
    Setup(setup::Setup),
    /// Send messages, wait until all have arrived, and measure
    Load(load::Load),
}

#[derive(Debug, Args)]
struct Ready {
    /// The server: ADDRESS:PORT
    #[arg(long)]
    server: String,
    /// Since when to measure, in seconds since 1970 with a fraction
    #[arg(long)]
    since: f64,
}

/// Whatever stops the driver, in words.
type Problem = String;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let done = match CommandLine::parse().command {
        Command::Ready(ready) => wait_until_ready(&ready).await,
        Command::Setup(setup) => setup::run(&setup).await,
        Command::Load(load) => load::run(load).await,
    };
    match done {
        Ok(lines) => {
            use std::io::Write;
            match std::io::stdout().write_all(lines.as_bytes()) {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            }
        }
        Err(problem) => {
            eprintln!("drive: {problem}");
            ExitCode::FAILURE
        }
    }
}

async fn wait_until_ready(ready: &Ready) -> Result<String, Problem> {
    let mut connection = Connection::to(&ready.server);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        if let Ok(answer) = connection.get("/readyz").await
            && answer.status.is_success()
        {
            let now = chatport_bench::marker::now() as f64 / 1_000.0;
            return Ok(format!("start_ms {:.1}\n", now - ready.since * 1_000.0));
        }
        if tokio::time::Instant::now() > deadline {
            return Err(format!("{} isn't ready in 20 s", ready.server));
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// The lines of a file.
fn lines_of(file: &PathBuf) -> Result<Vec<String>, Problem> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(text.lines().map(str::to_owned).collect())
}
