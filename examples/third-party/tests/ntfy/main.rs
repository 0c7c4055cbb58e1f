//! The backend against a stand-in for ntfy: the conformance suite in memory, and the whole way
//! through the program over HTTP.

mod flow;
mod server;

use std::sync::Arc;

use chatport_ntfy::Ntfy;
use chatport_sdk::{
    prelude::*,
    testkit::{Fixture, Platform},
};
use server::FakeNtfy;

struct NtfyFixture;

impl Fixture for NtfyFixture {
    fn backend(&self) -> Arc<dyn MessagingBackend> {
        Arc::new(Ntfy)
    }

    fn platform(&self) -> Arc<dyn Platform> {
        Arc::new(FakeNtfy::default())
    }
}

mod conformance {
    chatport_sdk::conformance!(super::NtfyFixture);
}
