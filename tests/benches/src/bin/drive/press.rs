//! Presses: the platform's requests for the buttons of posts that it has, each with a
//! trigger that it signed, and the program's answers, which the application has a say in.

use bytes::Bytes;
use chatport_bench::{
    NOTICE,
    connection::{Answer, Connection, Problem},
};
use clap::Args;
use http::Method;
use serde_json::json;

use crate::{
    processes::Meter,
    volley::{self, Aim, Shot, say_latencies},
};

#[derive(Debug, Args)]
pub(crate) struct Press {
    #[command(flatten)]
    aim: Aim,
    /// The platform that has the posts, and plays the application: ADDRESS:PORT
    #[arg(long)]
    platform: String,
    /// How many presses, each of a button of its own
    #[arg(long)]
    presses: usize,
    #[command(flatten)]
    meter: Meter,
}

/// The answer is what was measured.
pub(crate) async fn run(press: Press) -> Result<String, Problem> {
    let subscription = json!({ "url": format!("http://{}/application", press.platform), "kinds": ["action.invoked"] });
    let mut server = Connection::with_key(&press.aim.server, &press.aim.key)?;
    server.send(Method::PUT, "/v1/subscriptions/bench", subscription.to_string().into()).await?.json()?;
    let order = format!("/bench/presses/{}/{}", press.aim.server, press.presses);
    let found = Connection::to(&press.platform).get(&order).await?.of_success()?.clone();
    let presses: Vec<(String, Bytes)> = std::str::from_utf8(&found)
        .map_err(|_| "the presses aren't text")?
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(path, body)| (path.to_owned(), Bytes::copy_from_slice(body.as_bytes())))
        .collect();
    if presses.len() < press.presses {
        return Err(format!("the platform has buttons for {} presses, not {}", presses.len(), press.presses));
    }
    let before = press.meter.read()?;
    let make = move |number: usize, _| {
        let (path, body) = presses[number].clone();
        Shot { method: Method::POST, path, body }
    };
    let outcome = volley::fire(&press.aim, press.presses, make, is_noted).await?;
    let mut lines = String::new();
    say_latencies(&mut lines, "answer", |share| outcome.latencies.percentile(share));
    press.meter.say_since(&mut lines, &before, outcome.count())?;
    outcome.all_good().map(|()| lines)
}

/// The presser must see what the application said.
fn is_noted(answer: &Answer) -> Result<(), Problem> {
    match answer.json()?["ephemeral_text"].as_str() {
        Some(NOTICE) => Ok(()),
        other => Err(format!("the presser was told {other:?}")),
    }
}
