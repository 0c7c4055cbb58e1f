//! The parts of a running server that its handlers share.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::clock::Clock;
use crate::faults::Faults;
use crate::limiter::Limiter;
use crate::options::Options;
use crate::outgoing::HttpClient;
use crate::request_log::RequestLog;
use crate::trigger::SigningKey;
use crate::world::{World, standard};

/// Shared state of one server.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: Options,
    /// Address with the sub-path, without a slash at the end.
    pub(crate) site_url: String,
    pub(crate) clock: Clock,
    pub(crate) key: SigningKey,
    pub(crate) http: HttpClient,
    world: Mutex<World>,
    faults: Mutex<Faults>,
    limiter: Mutex<Option<Limiter>>,
    log: Mutex<RequestLog>,
}

impl Shared {
    /// The state of a fresh server.
    pub(crate) fn new(options: Options, site_url: String) -> Self {
        let clock = Clock::default();
        let mut world = World::default();
        if options.standard_world {
            standard::build(&mut world, clock.now_ms());
        }
        let limiter = options.rate_limit.map(|limit| Limiter::new(limit, Instant::now()));
        Self {
            options,
            site_url,
            clock,
            key: SigningKey::generate(),
            http: HttpClient::new(),
            world: Mutex::new(world),
            faults: Mutex::default(),
            limiter: Mutex::new(limiter),
            log: Mutex::default(),
        }
    }

    /// The data. Never held across an await.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    /// The fault rules.
    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        lock(&self.faults)
    }

    /// The rate limiter, if it is on.
    pub(crate) fn limiter(&self) -> MutexGuard<'_, Option<Limiter>> {
        lock(&self.limiter)
    }

    /// The logs.
    pub(crate) fn log(&self) -> MutexGuard<'_, RequestLog> {
        lock(&self.log)
    }

    /// The server's time, ms.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now_ms()
    }
}

/// A panic in one request must not spoil the rest of a test, hence no poisoning.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
