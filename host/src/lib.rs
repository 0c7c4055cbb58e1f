//! Chatport's host: the service into which chat platforms plug as backends.
//!
//! A program is a `main` that names the backends' crates and calls [`run`]:
//!
//! ```no_run
//! // use my_backend as _;
//! fn main() -> std::process::ExitCode {
//!     chatport_host::run()
//! }
//! ```

pub mod access;
pub mod api;
pub mod app;
mod cli;
pub mod config;
pub mod crowd;
pub mod delivery;
mod demo;
pub mod events;
pub mod host;
mod housekeeping;
pub mod ids;
pub mod ingress;
pub mod registry;
pub mod remote;
pub mod retention;
pub mod security;
pub mod server;
pub mod setup;
pub mod store;
pub mod telemetry;

pub use cli::run;
pub use host::Host;
