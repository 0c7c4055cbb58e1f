//! The real engine over a store that fails once: at each operation that a run makes, before
//! it, after it, with an unknown fate, or by not answering for longer than a lease. The engine
//! recovers by itself; nothing that was accepted is lost, and the law holds.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chatport_host::{
    delivery::{Delivery, Engine, store::DeliveryStore, units::Units},
    ids::OrganizationId,
};
use chatport_sdk::{
    site::Random,
    time::{Clock, Timestamp},
};
use chatport_tests::{
    faulty_store::{Fault, Faults, FaultyStore, Kind},
    seeded::{Dice, SeededRandom},
    twin::Twin,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    asks::{self, Ask},
    checker::Ending,
    courier::{Carrier, PATIENCE, Wire},
    platform::{Mood, Platform, Reply, Request},
    truth::{Incident, Truth},
};

const START: Timestamp = Timestamp::from_seconds(1_800_000_000);
/// By when a run must have recovered from whatever went wrong.
const LONGEST: Duration = Duration::from_secs(1_800);
const KEYS: usize = 3;

/// The runtime's own time, which stands still while anything can be done.
pub struct RuntimeClock(pub Instant);

impl Clock for RuntimeClock {
    fn now(&self) -> Timestamp {
        START.plus(self.0.elapsed())
    }
}

/// Platforms that are a moment away.
struct Near {
    platforms: Mutex<Vec<Platform>>,
    clock: Arc<dyn Clock>,
    truth: Truth,
}

#[async_trait]
impl Wire for Near {
    async fn ask(&self, platform: usize, request: &Request) -> Option<Reply> {
        tokio::time::sleep(Duration::from_millis(30)).await;
        let (mood, reply) = {
            let mut platforms = self.platforms.lock().unwrap_or_else(PoisonError::into_inner);
            let platform = &mut platforms[platform];
            match platform.mood() {
                Mood::Refuses(reply) => return Some(reply),
                mood @ Mood::LosesRequest => (mood, Reply::Down),
                mood => (mood, platform.act(request, self.clock.now())),
            }
        };
        match mood {
            Mood::LosesRequest | Mood::LosesAnswer => tokio::time::sleep(PATIENCE).await,
            Mood::Slow(time) => tokio::time::sleep(time.min(PATIENCE)).await,
            _ => {}
        }
        let is_heard = match mood {
            Mood::LosesRequest | Mood::LosesAnswer => false,
            Mood::Slow(time) => time < PATIENCE,
            _ => true,
        };
        is_heard.then_some(reply)
    }

    async fn tell(&self, event: Uuid) -> bool {
        self.truth.event(event, self.clock.now());
        true
    }
}

/// Run with this fault. The answer is what is wrong at the end, and what was asked of the store.
async fn run(faults: Faults, seed: u64) -> Vec<String> {
    let clock: Arc<dyn Clock> = Arc::new(RuntimeClock(Instant::now()));
    let (truth, mut dice) = (Truth::default(), Dice::new(seed));
    let twin = Twin::alone(Arc::clone(&clock));
    asks::furnish(&twin);
    let platforms = (0..2).map(|number| Platform::new(number + 1, truth.clone(), dice.fork(), 150, 20)).collect();
    let wire = Arc::new(Near { platforms: Mutex::new(platforms), clock: Arc::clone(&clock), truth: truth.clone() });
    let store: Arc<dyn DeliveryStore> = Arc::new(FaultyStore::new(Arc::new(twin.clone()), faults));
    let random: Arc<dyn Random> = Arc::new(SeededRandom::new(seed));
    let units = Units::new(Arc::clone(&store), Arc::clone(&random));
    let delivery = Delivery::over(units.clone(), &random);
    let stop = CancellationToken::new();
    let courier = Carrier {
        replica: 0,
        wire: Arc::clone(&wire) as Arc<dyn Wire>,
        units: units.clone(),
        store,
        clock: Arc::clone(&clock),
        truth: truth.clone(),
        dice: Mutex::new(dice.fork()),
    };
    let engine = Engine {
        delivery: delivery.clone(),
        clock: Arc::clone(&clock),
        owner: Uuid::from_u128(1),
        workers: 16,
        grace: Duration::from_secs(60),
        courier: Arc::new(courier),
    };
    let running = tokio::spawn(engine.run(stop.clone()));
    let mut asking = tokio::task::JoinSet::new();
    for organization in 0..asks::ORGANIZATIONS.len() {
        for key in 0..KEYS {
            let script = asks::script(organization, key, 6_000, &mut dice);
            let (delivery, units, clock, truth) = (delivery.clone(), units.clone(), Arc::clone(&clock), truth.clone());
            let mut pauses = dice.fork();
            asking.spawn(async move {
                for ask in script {
                    tokio::time::sleep(Duration::from_millis(pauses.below(4_000))).await;
                    let operation = asks::operation(&ask, clock.now());
                    while !put(&ask, &operation, &delivery, &units, clock.as_ref()).await {
                        tokio::time::sleep(Duration::from_millis(500)).await;
                    }
                    truth.acknowledge(&ask, clock.now());
                }
            });
        }
    }
    let mut faults = Vec::new();
    let everything = async {
        while asking.join_next().await.is_some() {}
        while !twin_is_quiet(&twin) {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    if tokio::time::timeout(LONGEST, everything).await.is_err() {
        faults.push("it didn't recover".to_owned());
    }
    stop.cancel();
    let _ = running.await;
    // The one thing that went wrong is a cause for a second post, whenever it was.
    truth.incident(Incident { replica: 0, from: START, until: clock.now() });
    let platforms = wire.platforms.lock().unwrap_or_else(PoisonError::into_inner);
    let posts = platforms.iter().flat_map(|platform| platform.posts.clone()).collect();
    let notes = truth.notes();
    twin.tables(|tables| faults.extend(Ending { notes: &notes, tables, posts }.faults()));
    faults
}

/// Ask once; whether it was accepted.
async fn put(
    ask: &Ask,
    operation: &chatport_host::delivery::Operation,
    delivery: &Delivery,
    units: &Units,
    clock: &dyn Clock,
) -> bool {
    if !ask.delete {
        return delivery.write(operation.clone()).await.is_ok();
    }
    let organization = OrganizationId::parse(&ask.organization).expect("a name");
    let deleted = units.delete(&organization, &ask.key, clock.now()).await;
    delivery.wake();
    deleted.is_ok()
}

fn twin_is_quiet(twin: &Twin) -> bool {
    twin.tables(|tables| {
        let is_open = tables.copies.values().any(|copy| copy.is_open);
        !is_open && tables.streams.values().all(|stream| stream.owner.is_none())
    })
}

fn with_time_standing(faults: Faults, seed: u64) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(run(faults, seed))
}

#[test]
fn a_store_that_fails_at_any_operation_loses_nothing() {
    let seed = 3;
    let well = Faults::default();
    assert_eq!(with_time_standing(well.clone(), seed), Vec::<String>::new(), "without a fault");
    let (mut runs, mut broken) = (0, Vec::new());
    for (kind, count) in well.counts() {
        // Polls repeat themselves: of very many operations of a kind, some.
        let step = count.div_ceil(crate::faults_of_a_kind());
        for number in (1..=count).step_by(step) {
            for fault in Fault::ALL {
                let is_read = !matches!(kind, Kind::Commit | Kind::Abandon | Kind::Recover);
                if is_read && matches!(fault, Fault::After | Fault::Unknown) {
                    continue;
                }
                runs += 1;
                let faults = with_time_standing(Faults::at(kind, number, fault), seed);
                if !faults.is_empty() {
                    println!("{kind:?} {number} {fault:?} {faults:.300?}");
                    broken.push((kind, number, fault, faults));
                }
            }
        }
    }
    println!("{runs} runs, each with one fault");
    assert!(broken.is_empty(), "{} of {runs} runs broke, first {:#?}", broken.len(), broken.first());
}
