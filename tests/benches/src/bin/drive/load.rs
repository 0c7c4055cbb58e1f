//! Load: each connection sends one message after the other, as fast as they are accepted
//! (closed loop) or at fixed times (open loop). Then everything accepted must arrive at the
//! platform, once.

use std::{
    cell::{Cell, RefCell},
    fmt::Write,
    path::PathBuf,
    rc::Rc,
    time::Duration,
};

use chatport_bench::{
    latencies::Latencies,
    marker::{self, Marker},
};
use clap::Args;
use http::Method;
use serde_json::Value;
use tokio::{
    task::LocalSet,
    time::{Instant, sleep, sleep_until},
};

use crate::{Problem, connection::Connection, lines_of, message, processes};

/// What is still on its way gets this long without any arrival.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long to listen for what arrives twice.
const AFTERMATH: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
pub(crate) struct Load {
    /// The server: ADDRESS:PORT
    #[arg(long)]
    server: String,
    /// An API key
    #[arg(long)]
    key: String,
    /// The file with the ids of the channels
    #[arg(long)]
    channels: PathBuf,
    /// The platform where everything is to arrive: ADDRESS:PORT
    #[arg(long)]
    platform: Option<String>,
    /// How many connections
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// How many messages
    #[arg(long)]
    messages: usize,
    /// How many a second; without it, as many as are accepted
    #[arg(long)]
    rate: Option<f64>,
    /// The server's process, to measure its processor time
    #[arg(long)]
    process: Option<u32>,
    /// The head process of its database, if it has one
    #[arg(long)]
    database_process: Option<u32>,
}

/// What the connections share.
struct Shared {
    load: Load,
    channels: Vec<String>,
    run: u64,
    started: Instant,
    started_at: u64,
    next: Cell<usize>,
    accepted: RefCell<Vec<bool>>,
    latencies: RefCell<Latencies>,
    refusals: RefCell<Vec<Problem>>,
}

/// The answer is what was measured.
pub(crate) async fn run(load: Load) -> Result<String, Problem> {
    let mut platform = load.platform.as_deref().map(Connection::to);
    let started_at = marker::now();
    let shared = Rc::new(Shared {
        channels: lines_of(&load.channels)?,
        run: started_at % 1_000_000_000,
        started: Instant::now(),
        started_at,
        next: Cell::new(0),
        accepted: RefCell::new(vec![false; load.messages]),
        latencies: RefCell::default(),
        refusals: RefCell::default(),
        load,
    });
    let load = &shared.load;
    if shared.channels.is_empty() {
        return Err("there are no channels".into());
    }
    if let Some(platform) = &mut platform {
        let order = format!("/bench/{}/{}", shared.run, load.messages);
        platform.send(Method::POST, &order, bytes::Bytes::new()).await?;
    }
    let times = || -> Result<_, Problem> {
        let program = load.process.map(processes::processor_time).transpose()?;
        Ok((program, load.database_process.map(processes::processor_time_of_family).transpose()?))
    };
    let before = times()?;
    let connections = LocalSet::new();
    for _ in 0..load.connections {
        connections.spawn_local(send_all(Rc::clone(&shared)));
    }
    connections.await;
    let seconds = shared.started.elapsed().as_secs_f64();
    let mut lines = String::new();
    let accepted = shared.accepted.borrow().iter().filter(|accepted| **accepted).count();
    say(&mut lines, "accepted", accepted as f64);
    say(&mut lines, "accepted_per_s", accepted as f64 / seconds);
    say_latencies(&mut lines, "accept", |share| shared.latencies.borrow().percentile(share));
    if let Some(platform) = &mut platform {
        lines += &arrivals(&shared, platform, accepted).await?;
    }
    let after = times()?;
    let per_thousand = |from: Option<Duration>, to: Option<Duration>| {
        Some(to?.saturating_sub(from?).as_secs_f64() * 1_000.0 / accepted.max(1) as f64)
    };
    let program = per_thousand(before.0, after.0);
    let database = per_thousand(before.1, after.1);
    let parts = [("program_cpu_s", program), ("database_cpu_s", database)];
    for (name, value) in parts.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        say(&mut lines, name, value);
    }
    say(&mut lines, "cpu_s", program.unwrap_or(0.0) + database.unwrap_or(0.0));
    match shared.refusals.borrow().first() {
        Some(first) => Err(format!("{} of {} weren't accepted: {first}", load.messages - accepted, load.messages)),
        None => Ok(lines),
    }
}

/// What one connection does.
async fn send_all(shared: Rc<Shared>) {
    let load = &shared.load;
    let mut connection = match Connection::with_key(&load.server, &load.key) {
        Ok(connection) => connection,
        Err(problem) => return shared.refusals.borrow_mut().push(problem),
    };
    loop {
        let number = shared.next.get();
        if number >= load.messages {
            return;
        }
        shared.next.set(number + 1);
        let (due, sent) = shared.due(number).await;
        let marker = Marker { run: shared.run, number: number as u64, sent };
        let body = message::body(&marker, &shared.channels[number % shared.channels.len()]);
        match connection.send(Method::PUT, &message::path(&marker), body).await {
            Ok(answer) if answer.status.is_success() => {
                shared.accepted.borrow_mut()[number] = true;
                shared.latencies.borrow_mut().add(due.elapsed());
            }
            Ok(answer) => {
                let body = String::from_utf8_lossy(&answer.body);
                shared.refusals.borrow_mut().push(format!("{}: {body}", answer.status));
            }
            Err(problem) => shared.refusals.borrow_mut().push(problem),
        }
    }
}

impl Shared {
    /// Wait for a message's time. Its latency counts from then: a message that could not be
    /// sent in time because all connections were waiting has waited too.
    async fn due(&self, number: usize) -> (Instant, u64) {
        let Some(rate) = self.load.rate else { return (Instant::now(), marker::now()) };
        let offset = Duration::from_secs_f64(number as f64 / rate);
        let due = self.started + offset;
        if due > Instant::now() {
            sleep_until(due).await;
            // How late this machine's timers are isn't the server's matter.
            return (Instant::now(), marker::now());
        }
        (due, self.started_at + u64::try_from(offset.as_micros()).unwrap_or_default())
    }
}

/// Wait until everything accepted has arrived, or nothing more does.
async fn arrivals(shared: &Shared, platform: &mut Connection, accepted: usize) -> Result<String, Problem> {
    let number = |value: &Value, name: &str| value[name].as_u64().unwrap_or_default();
    let (mut most, mut progress) = (0, Instant::now());
    loop {
        let state = platform.get("/bench").await?.json()?;
        let delivered = number(&state, "delivered");
        if delivered > most {
            (most, progress) = (delivered, Instant::now());
        }
        if delivered >= accepted as u64 || progress.elapsed() > PATIENCE {
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
    sleep(AFTERMATH).await;
    let state = platform.get("/bench").await?.json()?;
    let latencies = platform.get("/bench/latencies").await?.json()?;
    let counts = platform.get("/bench/arrivals").await?.body;
    let accepted = shared.accepted.borrow();
    let lost = accepted.iter().zip(&counts).filter(|(accepted, count)| **accepted && **count == 0).count();
    let again: u64 = counts.iter().map(|count| u64::from(count.saturating_sub(1))).sum();
    let seconds = number(&state, "last").saturating_sub(shared.started_at) as f64 / 1e6;
    let mut lines = String::new();
    say(&mut lines, "lost", lost as f64);
    say(&mut lines, "duplicates", again as f64);
    say(&mut lines, "delivered_per_s", number(&state, "delivered") as f64 / seconds.max(1e-6));
    let micros = |share| Duration::from_micros(number(&latencies, if share < 0.9 { "p50" } else { "p99" }));
    say_latencies(&mut lines, "end_to_end", micros);
    Ok(lines)
}

fn say_latencies(lines: &mut String, name: &str, at: impl Fn(f64) -> Duration) {
    say(lines, &format!("{name}_p50_ms"), at(0.5).as_secs_f64() * 1_000.0);
    say(lines, &format!("{name}_p99_ms"), at(0.99).as_secs_f64() * 1_000.0);
}

fn say(lines: &mut String, name: &str, value: f64) {
    // Writing to a String can't fail.
    let _ = writeln!(lines, "{name} {value:.4}");
}
