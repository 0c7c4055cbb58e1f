//! Chatport with its stock backends. A program with other backends is these lines with
//! other `use`s.

use chatport_backends as _;

fn main() -> std::process::ExitCode {
    chatport_host::run()
}
