//! Load: messages, as fast as they are accepted or at fixed times. Then everything accepted
//! must arrive at the platform, once.

use std::{path::PathBuf, time::Duration};

use bytes::Bytes;
use chatport_bench::{
    connection::{Connection, Problem},
    marker::{self, Marker},
};
use clap::Args;
use http::Method;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::{
    lines_of,
    message::{self, Message},
    processes::Meter,
    volley::{self, Aim, Outcome, Shot, say, say_latencies},
};

/// What is still on its way gets this long without any arrival.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long to listen for what arrives twice.
const AFTERMATH: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
pub(crate) struct Load {
    #[command(flatten)]
    aim: Aim,
    /// The file with the ids of the channels
    #[arg(long)]
    channels: PathBuf,
    /// The platform where everything is to arrive: ADDRESS:PORT
    #[arg(long)]
    platform: Option<String>,
    /// How many messages
    #[arg(long)]
    messages: usize,
    /// Post all to this path, as a platform takes them, instead of putting each at its own
    #[arg(long)]
    post_to: Option<String>,
    #[command(flatten)]
    meter: Meter,
}

/// The answer is what was measured.
pub(crate) async fn run(load: Load) -> Result<String, Problem> {
    let channels = lines_of(&load.channels)?;
    if channels.is_empty() {
        return Err("there are no channels".into());
    }
    let run = marker::new_run();
    let mut platform = load.platform.as_deref().map(Connection::to);
    if let Some(platform) = &mut platform {
        let order = format!("/bench/{run}/{}", load.messages);
        platform.send(Method::POST, &order, Bytes::new()).await?.of_success()?;
    }
    let before = load.meter.read()?;
    let (message, post_to) = (Message::new(), load.post_to);
    let make = move |number: usize, sent| {
        let marker = Marker { run, number: number as u64, sent };
        let body = message.body(&marker, &channels[number % channels.len()]);
        match &post_to {
            Some(path) => Shot { method: Method::POST, path: path.clone(), body },
            None => Shot { method: Method::PUT, path: message::path(&marker), body },
        }
    };
    let outcome = volley::fire(&load.aim, load.messages, make, |answer| answer.of_success().map(drop)).await?;
    let mut lines = String::new();
    say(&mut lines, "accepted_per_s", outcome.count() as f64 / outcome.seconds);
    say_latencies(&mut lines, "accept", |share| outcome.latencies.percentile(share));
    if let Some(platform) = &mut platform {
        lines += &arrivals(&outcome, platform).await?;
    }
    load.meter.say_since(&mut lines, &before, outcome.count())?;
    outcome.all_good().map(|()| lines)
}

/// Wait until everything accepted has arrived, or nothing more does.
async fn arrivals(outcome: &Outcome, platform: &mut Connection) -> Result<String, Problem> {
    let number = |value: &Value, name: &str| value[name].as_u64().unwrap_or_default();
    let accepted = outcome.count() as u64;
    let (mut most, mut progress) = (0, Instant::now());
    loop {
        let delivered = number(&platform.get("/bench").await?.json()?, "delivered");
        if delivered > most {
            (most, progress) = (delivered, Instant::now());
        }
        if delivered >= accepted || progress.elapsed() > PATIENCE {
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
    sleep(AFTERMATH).await;
    let state = platform.get("/bench").await?.json()?;
    let latencies = platform.get("/bench/latencies").await?.json()?;
    let counts = platform.get("/bench/arrivals").await?.body;
    let lost = outcome.good.iter().zip(&counts).filter(|(accepted, count)| **accepted && **count == 0).count();
    let again: u64 = counts.iter().map(|count| u64::from(count.saturating_sub(1))).sum();
    let seconds = number(&state, "last").saturating_sub(outcome.started_at) as f64 / 1e6;
    let mut lines = String::new();
    say(&mut lines, "lost", lost as f64);
    say(&mut lines, "duplicates", again as f64);
    say(&mut lines, "delivered_per_s", number(&state, "delivered") as f64 / seconds.max(1e-6));
    let micros = |share| Duration::from_micros(number(&latencies, if share < 0.9 { "p50" } else { "p99" }));
    say_latencies(&mut lines, "end_to_end", micros);
    Ok(lines)
}
