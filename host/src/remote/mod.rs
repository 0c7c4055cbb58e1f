//! Backends in other processes, in any language: the contract as JSON over HTTP. This is the way
//! for code that isn't trusted. What a remote backend says is checked before it counts, how long
//! it takes is bounded, and whoever doesn't know the secret can neither ask nor answer.
//!
//! `docs/remote-backends.md` is the specification for authors.

mod attach;
mod backend;
mod gate;
mod link;
#[cfg(test)]
mod tests;

pub use attach::{Attached, attach, connect_all, run};
pub use backend::{ConnectError, RemoteBackend};
pub use link::Means;
