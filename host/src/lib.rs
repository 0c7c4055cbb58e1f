//! Chatport's host: the service into which chat platforms plug as backends.

pub mod ids;
pub mod registry;
pub mod store;
