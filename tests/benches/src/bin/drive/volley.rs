//! A volley: numbered requests over some keep-alive connections. Each connection sends one
//! request after the other, as fast as they are answered (a closed loop) or at fixed times
//! (an open loop).

use std::{
    cell::{Cell, RefCell},
    fmt::Write,
    rc::Rc,
    time::Duration,
};

use bytes::Bytes;
use chatport_bench::{
    connection::{Answer, Connection, Problem},
    latencies::Latencies,
    marker,
};
use clap::Args;
use http::Method;
use tokio::{
    task::LocalSet,
    time::{Instant, sleep_until},
};

/// Where a volley goes, and how fast.
#[derive(Clone, Debug, Args)]
pub(crate) struct Aim {
    /// The server: ADDRESS:PORT
    #[arg(long)]
    pub(crate) server: String,
    /// The key that it asks for
    #[arg(long)]
    pub(crate) key: String,
    /// How many connections
    #[arg(long, default_value_t = 32)]
    pub(crate) connections: usize,
    /// How many requests a second; without it, as many as are answered
    #[arg(long)]
    pub(crate) rate: Option<f64>,
}

/// One request.
pub(crate) struct Shot {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Bytes,
}

/// What came of a volley.
#[derive(Default)]
pub(crate) struct Outcome {
    /// When it began, in microseconds since 1970.
    pub(crate) started_at: u64,
    /// How long it took, in seconds.
    pub(crate) seconds: f64,
    /// Which requests were answered as they should be.
    pub(crate) good: Vec<bool>,
    /// How long the good answers took.
    pub(crate) latencies: Latencies,
    /// What was wrong with the others.
    pub(crate) refusals: Vec<Problem>,
}

impl Outcome {
    pub(crate) fn count(&self) -> usize {
        self.good.iter().filter(|good| **good).count()
    }

    /// An error, unless all were answered as they should be.
    pub(crate) fn all_good(&self) -> Result<(), Problem> {
        let wrong = self.good.len() - self.count();
        match self.refusals.first() {
            Some(first) => Err(format!("{wrong} of {} weren't accepted: {first}", self.good.len())),
            None => Ok(()),
        }
    }
}

/// What the connections share.
struct Shared<Make, Judge> {
    aim: Aim,
    make: Make,
    judge: Judge,
    started: Instant,
    next: Cell<usize>,
    outcome: RefCell<Outcome>,
}

/// Send `count` requests. `make` gets a request's number and the time at which it is sent,
/// in microseconds since 1970; `judge` says what is wrong with an answer.
pub(crate) async fn fire(
    aim: &Aim,
    count: usize,
    make: impl Fn(usize, u64) -> Shot + 'static,
    judge: impl Fn(&Answer) -> Result<(), Problem> + 'static,
) -> Result<Outcome, Problem> {
    let outcome = Outcome { started_at: marker::now(), good: vec![false; count], ..Outcome::default() };
    let (next, started) = (Cell::new(0), Instant::now());
    let shared = Rc::new(Shared { aim: aim.clone(), make, judge, started, next, outcome: RefCell::new(outcome) });
    let connections = LocalSet::new();
    for _ in 0..aim.connections {
        let connection = Connection::with_key(&aim.server, &aim.key)?;
        connections.spawn_local(send_all(Rc::clone(&shared), connection));
    }
    connections.await;
    let mut outcome = shared.outcome.take();
    outcome.seconds = shared.started.elapsed().as_secs_f64();
    Ok(outcome)
}

/// What one connection does.
async fn send_all<Make, Judge>(shared: Rc<Shared<Make, Judge>>, mut connection: Connection)
where
    Make: Fn(usize, u64) -> Shot,
    Judge: Fn(&Answer) -> Result<(), Problem>,
{
    let count = shared.outcome.borrow().good.len();
    while shared.next.get() < count {
        let number = shared.next.get();
        shared.next.set(number + 1);
        let (due, sent) = shared.due(number).await;
        let Shot { method, path, body } = (shared.make)(number, sent);
        let answered = connection.send(method, &path, body).await;
        let judged = answered.and_then(|answer| (shared.judge)(&answer));
        let mut outcome = shared.outcome.borrow_mut();
        match judged {
            Ok(()) => {
                outcome.good[number] = true;
                outcome.latencies.add(due.elapsed());
            }
            Err(problem) => outcome.refusals.push(problem),
        }
    }
}

impl<Make, Judge> Shared<Make, Judge> {
    /// Wait for a request's time. Its latency counts from then: a request that could not be
    /// sent in time because all connections were waiting has waited too.
    async fn due(&self, number: usize) -> (Instant, u64) {
        let Some(rate) = self.aim.rate else { return (Instant::now(), marker::now()) };
        let offset = Duration::from_secs_f64(number as f64 / rate);
        let due = self.started + offset;
        if due > Instant::now() {
            sleep_until(due).await;
            // How late this machine's timers are isn't the server's matter.
            return (Instant::now(), marker::now());
        }
        let started_at = self.outcome.borrow().started_at;
        (due, started_at + u64::try_from(offset.as_micros()).unwrap_or_default())
    }
}

/// Say the median and the 99th percentile of `name`.
pub(crate) fn say_latencies(lines: &mut String, name: &str, at: impl Fn(f64) -> Duration) {
    say(lines, &format!("{name}_p50_ms"), at(0.5).as_secs_f64() * 1_000.0);
    say(lines, &format!("{name}_p99_ms"), at(0.99).as_secs_f64() * 1_000.0);
}

/// Say one value.
pub(crate) fn say(lines: &mut String, name: &str, value: f64) {
    // Writing to a String can't fail.
    let _ = writeln!(lines, "{name} {value:.4}");
}
