//! The reference of a run: a bare axum server that reads each request's body and answers
//! 202. It stores, checks and sends nothing, so it shows what HTTP alone costs here.

use std::net::Ipv4Addr;

use axum::{Router, body::Bytes, routing::get};
use clap::Parser;
use http::StatusCode;
use tokio::net::TcpListener;

/// A bare echo on 127.0.0.1.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where to listen.
    #[arg(long)]
    port: u16,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let Arguments { port } = Arguments::parse();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let echo = |body: Bytes| async move { (StatusCode::ACCEPTED, body) };
    axum::serve(listener, Router::new().route("/readyz", get(|| async { "ready" })).fallback(echo)).await
}
