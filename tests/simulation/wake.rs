//! When the engine looks for what is due, by the runtime's own time: at once where there is
//! something that nobody works on yet, and not at all where there is nothing.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chatport_host::delivery::{
    Carried, Courier, Delivery, Engine, Operation,
    store::{DeliveryStore, Outcome, What, Work},
    units::Units,
};
use chatport_sdk::{site::Random, time::Clock};
use chatport_tests::{
    faulty_store::{Faults, FaultyStore, Kind},
    seeded::SeededRandom,
    twin::Twin,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    asks::{self, Ask},
    faults::RuntimeClock,
};

/// What a platform and a subscription take for each call.
const CALL: Duration = Duration::from_millis(30);
/// What the engine's own timers may add.
const TIMERS: Duration = Duration::from_millis(10);

/// Delivers everything, and notes when.
#[derive(Clone, Default)]
struct Punctual(Arc<Mutex<BTreeMap<&'static str, Vec<Instant>>>>);

impl Punctual {
    fn arrivals(&self, what: &str) -> Vec<Instant> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(what).cloned().unwrap_or_default()
    }
}

#[async_trait]
impl Courier for Punctual {
    async fn carry(&self, work: &Work, _leased: Instant) -> Carried {
        tokio::time::sleep(CALL).await;
        let what = if matches!(work.what, What::Event { .. }) { "events" } else { "messages" };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(what).or_default().push(Instant::now());
        Carried { outcome: Outcome::Delivered, parts: Vec::new(), address: None }
    }
}

/// An engine over a store in memory that counts what it is asked for.
struct World {
    clock: Arc<dyn Clock>,
    delivery: Delivery,
    courier: Punctual,
    asked: Faults,
    stop: CancellationToken,
}

impl World {
    fn start(workers: usize, is_subscribed: bool) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(RuntimeClock(Instant::now()));
        let twin = Twin::alone(Arc::clone(&clock));
        asks::furnish(&twin);
        if !is_subscribed {
            twin.tables(|tables| tables.subscriptions.clear());
        }
        let (asked, courier, stop) = (Faults::default(), Punctual::default(), CancellationToken::new());
        let store: Arc<dyn DeliveryStore> = Arc::new(FaultyStore::new(Arc::new(twin), asked.clone()));
        let random: Arc<dyn Random> = Arc::new(SeededRandom::new(1));
        let delivery = Delivery::over(Units::new(store, Arc::clone(&random)), &random);
        let engine = Engine {
            delivery: delivery.clone(),
            clock: Arc::clone(&clock),
            owner: Uuid::from_u128(1),
            workers,
            grace: Duration::from_secs(60),
            courier: Arc::new(courier.clone()),
        };
        tokio::spawn(engine.run(stop.clone()));
        Self { clock, delivery, courier, asked, stop }
    }

    /// Accept a message for each of so many conversations of one installation, all at once.
    async fn put(&self, key: usize, conversations: usize) {
        self.put_later(key, conversations, Duration::ZERO).await;
    }

    /// The same, to be sent after this.
    async fn put_later(&self, key: usize, conversations: usize, wait: Duration) {
        let ask = Ask {
            organization: "acme".into(),
            key: format!("k{key}"),
            revision: 1,
            is_final: false,
            delete: false,
            targets: (0..conversations).map(|loft| (0, loft)).collect(),
            lines: 0,
            urgency: 1,
            delay: 0,
            lifetime: 3_600,
            deletes_removed: false,
        };
        let operation = asks::operation(&ask, self.clock.now());
        let due_at = operation.due_at.plus(wait);
        self.delivery.write(Operation { due_at, ..operation }).await.unwrap();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[tokio::test(start_paused = true)]
async fn the_engine_does_not_look_for_more_after_each_message() {
    let world = World::start(16, false);
    let begun = Instant::now();
    for key in 0..100 {
        world.put(key, 1).await;
        tokio::time::sleep(CALL + TIMERS).await;
    }
    assert_eq!(world.courier.arrivals("messages").len(), 100);
    let (looks, half_seconds) = (world.asked.counts()[&Kind::Due], begun.elapsed().as_millis() / 500);
    assert!(looks as u128 <= half_seconds + 2, "{looks} looks in {half_seconds} half seconds");
}

#[tokio::test(start_paused = true)]
async fn whoever_finds_no_seat_gets_the_next_that_is_free() {
    // More at once than one installation may have, and than there are workers.
    for (workers, conversations, rounds) in [(64, 20, 3), (1, 5, 5)] {
        let world = World::start(workers, false);
        tokio::time::sleep(TIMERS).await;
        let begun = Instant::now();
        world.put(0, conversations).await;
        let longest = (CALL + TIMERS) * rounds;
        tokio::time::sleep(longest).await;
        let arrivals = world.courier.arrivals("messages");
        assert_eq!(arrivals.len(), conversations, "in {longest:?} with {workers} workers");
        assert!(arrivals.iter().all(|at| at.duration_since(begun) >= CALL), "each takes its time");
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_goes_out_in_its_time_however_soon_that_is() {
    for wait in [20, 80, 300, 490, 700, 1_900].map(Duration::from_millis) {
        let world = World::start(16, false);
        // The engine has begun to sleep.
        tokio::time::sleep(TIMERS * 2).await;
        let begun = Instant::now();
        world.put_later(0, 1, wait).await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let arrivals = world.courier.arrivals("messages");
        let took = arrivals.first().map(|at| at.duration_since(begun)).unwrap_or_default();
        assert!(took >= wait + CALL && took <= wait + CALL + TIMERS, "{took:?} instead of {wait:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_subscription_hears_at_once_what_became_of_a_message() {
    let world = World::start(16, true);
    tokio::time::sleep(TIMERS).await;
    world.put(0, 1).await;
    tokio::time::sleep((CALL + TIMERS) * 2).await;
    assert_eq!(world.courier.arrivals("events").len(), 1);
}
