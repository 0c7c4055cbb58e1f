//! A backlog: messages for many channels at once that aren't due before long after the bench
//! has ended.

use std::path::PathBuf;

use chatport_bench::{connection::Problem, marker};
use clap::Args;
use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{
    lines_of,
    message::{self, ORGANIZATION},
    volley::{self, Aim, Shot, say},
};

/// Most targets of a message.
const TARGETS: usize = 200;
/// When they are due.
const DUE_IN: SignedDuration = SignedDuration::from_hours(12);

#[derive(Debug, Args)]
pub(crate) struct Fill {
    #[command(flatten)]
    aim: Aim,
    /// The file with the ids of the channels
    #[arg(long)]
    channels: PathBuf,
    /// How many copies
    #[arg(long)]
    copies: usize,
}

/// The answer is how long it took.
pub(crate) async fn run(fill: Fill) -> Result<String, Problem> {
    let mut channels = lines_of(&fill.channels)?;
    channels.truncate(TARGETS);
    let targets: Vec<Value> = channels.iter().map(|channel| json!({ "channel": channel })).collect();
    if targets.is_empty() {
        return Err("there are no channels".into());
    }
    let messages = fill.copies.div_ceil(targets.len());
    let copies = messages * targets.len();
    let document = json!({
        "revision": 1,
        "targets": targets,
        "not_before": (Timestamp::now() + DUE_IN).to_string(),
        "content": message::content("Maintenance of checkout tonight"),
    });
    let document = bytes::Bytes::from(document.to_string());
    let run = marker::new_run();
    let make = move |number, _| {
        let path = format!("{ORGANIZATION}/messages/waiting-{run}-{number}");
        Shot { method: Method::PUT, path, body: document.clone() }
    };
    let outcome = volley::fire(&fill.aim, messages, make, |answer| answer.of_success().map(drop)).await?;
    let mut lines = String::new();
    say(&mut lines, "waiting", copies as f64);
    say(&mut lines, "filled_per_s", copies as f64 / outcome.seconds);
    outcome.all_good().map(|()| lines)
}
