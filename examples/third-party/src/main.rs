//! Chatport with ntfy in it, and no other backend.

use std::process::ExitCode;

// A crate that no path names isn't linked.
use chatport_ntfy as _;

fn main() -> ExitCode {
    chatport_host::run()
}
