//! The driver of the bench: waits for a server, sets Chatport up, drives load through it and
//! measures. What was measured goes to standard output, one `name value` a line.

mod fill;
mod load;
mod message;
mod press;
mod processes;
mod setup;
mod volley;

use std::{path::Path, process::ExitCode, time::Duration};

use chatport_bench::connection::{Connection, Problem};
use clap::{Args, Parser, Subcommand};

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
    /// Accept messages that aren't due for long
    Fill(fill::Fill),
    /// Press buttons of what was posted, and measure the answers
    Press(press::Press),
    /// Put a server of the platform into trouble, or out of it
    Trouble(Trouble),
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

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let done = match CommandLine::parse().command {
        Command::Ready(ready) => wait_until_ready(&ready).await,
        Command::Setup(setup) => setup::run(&setup).await,
        Command::Load(load) => load::run(load).await,
        Command::Fill(fill) => fill::run(fill).await,
        Command::Press(press) => press::run(press).await,
        Command::Trouble(trouble) => make_trouble(&trouble).await,
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

#[derive(Debug, Args)]
struct Trouble {
    /// The platform: ADDRESS:PORT
    #[arg(long)]
    platform: String,
    /// Which server, e.g. server-0
    server: String,
    /// What is the matter: none, limited (429) or hanging
    trouble: String,
}

async fn make_trouble(trouble: &Trouble) -> Result<String, Problem> {
    let order = format!("/bench/troubles/{}/{}", trouble.server, trouble.trouble);
    let answer = Connection::to(&trouble.platform).send(http::Method::PUT, &order, bytes::Bytes::new()).await?;
    answer.of_success().map(|_| String::new())
}

/// The lines of a file.
fn lines_of(file: &Path) -> Result<Vec<String>, Problem> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(text.lines().map(str::to_owned).collect())
}
