//! The reference of a run: the least engine that keeps the promise of an outbox. A request's
//! body is in the database before the request is answered; then it is posted to the
//! platform, again until the platform takes it; then that is recorded. One writer commits
//! what has gathered meanwhile, acceptances and records alike, in one transaction.
//!
//! It authenticates nobody, knows no keys, revisions, streams, rates or attempts, and posts
//! what it was given. So it shows what HTTP and the database allow on this machine.

mod postgres;
mod send;
mod sqlite;
mod writer;

use std::{net::Ipv4Addr, path::PathBuf};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    routing::{get, put},
};
use chatport_bench::connection::Problem;
use clap::Parser;
use http::StatusCode;
use serde::de::IgnoredAny;
use tokio::{
    net::TcpListener,
    runtime::Handle,
    sync::{mpsc, oneshot},
};
use writer::Write;

/// The least engine that is durable, on 127.0.0.1.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where to listen
    #[arg(long)]
    port: u16,
    /// Where to post: ADDRESS:PORT
    #[arg(long)]
    platform: String,
    /// How many posts may be on their way at once
    #[arg(long, default_value_t = 32)]
    senders: usize,
    /// The file of an SQLite database
    #[arg(long, required_unless_present = "postgres")]
    sqlite: Option<PathBuf>,
    /// Or the address of a Postgres database
    #[arg(long, conflicts_with = "sqlite")]
    postgres: Option<String>,
}

#[tokio::main]
async fn main() -> Result<(), Problem> {
    let arguments = Arguments::parse();
    let (writes, to_write) = mpsc::unbounded_channel();
    let (sends, to_send) = mpsc::unbounded_channel();
    send::spawn(&arguments.platform, arguments.senders, to_send, &writes)?;
    let writing = match (arguments.sqlite, arguments.postgres) {
        (Some(file), _) => {
            let store = sqlite::Sqlite::open(&file)?;
            // SQLite blocks while it synchronizes, so it has a thread of its own.
            tokio::task::spawn_blocking(|| Handle::current().block_on(writer::run(store, to_write, sends)))
        }
        (_, url) => {
            let store = postgres::Postgres::connect(&url.unwrap_or_default()).await?;
            tokio::spawn(writer::run(store, to_write, sends))
        }
    };
    let router = Router::new()
        .route("/readyz", get(|| async { "ready" }))
        .route("/v1/organizations/bench/messages/{key}", put(accept))
        .with_state(writes);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, arguments.port)).await.map_err(|error| error.to_string())?;
    tokio::select! {
        served = async { axum::serve(listener, router).await } => served.map_err(|error| error.to_string()),
        written = writing => written.map_err(|error| error.to_string())?,
    }
}

async fn accept(State(writes): State<mpsc::UnboundedSender<Write>>, body: Bytes) -> StatusCode {
    if serde_json::from_slice::<IgnoredAny>(&body).is_err() {
        return StatusCode::BAD_REQUEST;
    }
    let (answer, committed) = oneshot::channel();
    // If the writer has ended, the answer never comes.
    let _ = writes.send(Write::Accept { body, answer });
    match committed.await {
        Ok(()) => StatusCode::ACCEPTED,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}
