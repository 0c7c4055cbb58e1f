//! The transport against a platform on this machine.

mod calls;
mod guarding;
mod platform;
mod secure;
