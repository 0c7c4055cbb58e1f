//! Chatport with its stock backends. A program with other backends is these lines with
//! other `use`s.

use chatport_backends as _;

/// Half of the memory that a message takes is given back within milliseconds; this allocator
/// is made for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    chatport_host::run()
}
