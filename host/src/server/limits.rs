//! The server's limits, with the values that hold unless the operator says otherwise.

use std::time::Duration;

/// How much and how slow a client may be.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Most open connections.
    pub connections: usize,
    /// Most of them from one address.
    pub connections_per_address: usize,
    /// How long a request's header may take, from its first byte; a new connection has this
    /// long to send its first header.
    pub header: Duration,
    /// How long a connection may be idle between requests.
    pub idle: Duration,
    /// Most bytes of a header.
    pub header_bytes: usize,
    /// Most lines of a header (HTTP/1).
    pub headers: usize,
    /// Most bytes of any request's body; what reads it may have a smaller limit.
    pub body_bytes: usize,
    /// How long a body may take.
    pub body: Duration,
    /// How long a handler may take to begin its answer.
    pub answer: Duration,
    /// How long a client may go without reading any of its answer.
    pub write_stall: Duration,
    /// Most requests at once on one connection (HTTP/2).
    pub streams: u32,
    /// How often a connection is probed (HTTP/2).
    pub ping: Duration,
    /// How long it may take to answer that.
    pub ping_answer: Duration,
    /// How long running requests may take to end at shutdown.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            connections_per_address: 64,
            header: Duration::from_secs(5),
            idle: Duration::from_secs(75),
            header_bytes: 16 * 1024,
            headers: 100,
            body_bytes: 1024 * 1024,
            body: Duration::from_secs(10),
            answer: Duration::from_secs(30),
            write_stall: Duration::from_secs(10),
            streams: 64,
            ping: Duration::from_secs(20),
            ping_answer: Duration::from_secs(10),
            grace: Duration::from_secs(20),
        }
    }
}
