//! Chatport with its stock backends. A program with other backends is these lines with
//! other `use`s.

use chatport_backends as _;

/// A message is many small pieces of memory, some made on one thread and dropped on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    chatport_host::run()
}
