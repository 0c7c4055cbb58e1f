//! One simulated world: three replicas of the engine over one store, two platforms, and an
//! application that asks until it is told that its message is kept. While trouble lasts,
//! hosts crash, links break in one direction or both, hold back what they carry or are slow,
//! and the store can't be reached or starts anew. Then all is well, and everything must end.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use chatport_host::{
    delivery::{Delivery, Engine, store::DeliveryStore, units::Units},
    ids::OrganizationId,
};
use chatport_sdk::{site::Random, time::Clock};
use chatport_tests::{
    seeded::{Dice, SeededRandom},
    twin::Twin,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    asks::{self, Ask},
    checker::Ending,
    courier::Carrier,
    line::Line,
    network::{self, Datagrams, SimulatedClock},
    platform::Platform,
    trouble::Trouble,
    truth::Truth,
};

pub const REPLICAS: usize = 3;
pub const PLATFORMS: usize = 2;
/// Keys of an organization.
const KEYS: usize = 4;
/// How long after the last trouble everything must have ended.
const AFTERWARDS: Duration = Duration::from_secs(3 * 3_600);

/// How long a world lives, and how finely its time runs.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// How long trouble lasts.
    pub trouble: Duration,
    pub tick: Duration,
    /// The longest that a platform asks to wait, in seconds.
    pub longest_wait: u64,
}

/// How a world ended.
#[derive(Debug)]
pub struct End {
    pub faults: Vec<String>,
    pub digest: u64,
    pub acknowledged: usize,
    pub sends: usize,
    pub incidents: usize,
}

/// What all hosts share behind the scenes.
#[derive(Clone)]
struct Stage {
    clock: Arc<dyn Clock>,
    truth: Truth,
    twin: Twin,
    lines: Vec<Line>,
    platforms: Vec<Arc<Mutex<Platform>>>,
    dice: Arc<Mutex<Dice>>,
    starts: Arc<AtomicU64>,
    asking: Arc<AtomicUsize>,
}

impl Stage {
    fn fork(&self) -> Dice {
        self.dice.lock().unwrap_or_else(PoisonError::into_inner).fork()
    }
}

/// Let a world live.
pub fn live(seed: u64, span: Span) -> End {
    let mut dice = Dice::new(seed);
    let clock: Arc<dyn Clock> = Arc::new(SimulatedClock::default());
    let twin = Twin::shared(Arc::clone(&clock));
    asks::furnish(&twin);
    let truth = Truth::default();
    truth.notes().is_told_aloud = std::env::var_os("CHATPORT_PROOF_SEED").is_some();
    let doubt = if dice.chance(300) { dice.below(30) } else { 0 };
    let platform = |number: usize, dice: &mut Dice| {
        let trouble = dice.below(300);
        Arc::new(Mutex::new(Platform::new(number as u64 + 1, truth.clone(), dice.fork(), trouble, span.longest_wait)))
    };
    let stage = Stage {
        lines: (0..REPLICAS).map(|_| Line::to(&twin, dice.fork(), doubt)).collect(),
        platforms: (0..PLATFORMS).map(|number| platform(number, &mut dice)).collect(),
        clock,
        truth,
        twin,
        starts: Arc::default(),
        asking: Arc::new(AtomicUsize::new(asks::ORGANIZATIONS.len() * KEYS)),
        dice: Arc::new(Mutex::new(dice.fork())),
    };
    let mut sim = turmoil::Builder::new()
        .rng_seed(dice.roll())
        .tick_duration(span.tick)
        .simulation_duration(Duration::from_secs(1 << 30))
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(Duration::from_millis(1 + dice.below(80)))
        .build();
    for number in 0..PLATFORMS {
        let (platform, clock) = (Arc::clone(&stage.platforms[number]), Arc::clone(&stage.clock));
        sim.host(format!("platform{number}"), move || {
            network::serve_platform(Arc::clone(&platform), Arc::clone(&clock))
        });
    }
    for number in 0..REPLICAS {
        let stage = stage.clone();
        sim.host(format!("replica{number}"), move || replica(stage.clone(), number));
    }
    let (application_stage, lifetime) = (stage.clone(), span.trouble.as_secs() + 86_400);
    sim.host("application", move || application(application_stage.clone(), span, lifetime));

    let mut trouble = Trouble::new(dice.fork(), span.trouble);
    let mut faults = Vec::new();
    loop {
        if let Err(error) = sim.step() {
            faults.push(format!("a host failed: {error}"));
            break;
        }
        let elapsed = sim.elapsed();
        if elapsed < span.trouble {
            trouble.go_on(&mut sim, elapsed, &stage.lines, &stage.truth, &stage.clock);
        } else if trouble.end(&mut sim, &stage.lines) {
            for platform in &stage.platforms {
                platform.lock().unwrap_or_else(PoisonError::into_inner).calm_down();
            }
        } else if is_quiet(&stage) {
            break;
        } else if elapsed > span.trouble + AFTERWARDS {
            faults.push("it didn't come to an end".to_owned());
            break;
        }
    }
    let posts = stage.platforms.iter().flat_map(|platform| {
        let platform = platform.lock().unwrap_or_else(PoisonError::into_inner);
        platform.posts.clone()
    });
    let posts = posts.collect();
    // No unit of work is under way any more once the hosts are gone.
    drop(sim);
    let notes = stage.truth.notes();
    stage.twin.tables(|tables| faults.extend(Ending { notes: &notes, tables, posts }.faults()));
    let (acknowledged, sends, incidents) = (notes.acknowledgements, notes.calls.len(), notes.incidents.len());
    drop(notes);
    End { faults, digest: stage.truth.digest(), acknowledged, sends, incidents }
}

/// Whether everything that was asked for has ended, and been told.
fn is_quiet(stage: &Stage) -> bool {
    stage.asking.load(Ordering::Relaxed) == 0
        && stage.twin.tables(|tables| {
            tables.copies.values().all(|copy| !copy.is_open)
                && tables.streams.values().all(|stream| stream.owner.is_none())
        })
}

/// A process: the engine with its front door.
async fn replica(stage: Stage, number: usize) -> turmoil::Result {
    let start = stage.starts.fetch_add(1, Ordering::Relaxed) + 1;
    let mut dice = stage.fork();
    let store: Arc<dyn DeliveryStore> = Arc::new(stage.lines[number].clone());
    let random: Arc<dyn Random> = Arc::new(SeededRandom::new(dice.roll()));
    let units = Units::new(Arc::clone(&store), Arc::clone(&random));
    let delivery = Delivery::over(units.clone(), &random);
    let courier = Carrier {
        replica: number,
        wire: Arc::new(Datagrams),
        units: units.clone(),
        store,
        clock: Arc::clone(&stage.clock),
        truth: stage.truth.clone(),
        dice: Mutex::new(dice.fork()),
    };
    let engine = Engine {
        delivery: delivery.clone(),
        clock: Arc::clone(&stage.clock),
        owner: Uuid::from_u128(u128::from(start)),
        workers: 16,
        grace: Duration::from_secs(20),
        courier: Arc::new(courier),
    };
    tokio::spawn(engine.run(CancellationToken::new()));
    network::serve(move |ask: Ask| {
        let (delivery, units, clock) = (delivery.clone(), units.clone(), Arc::clone(&stage.clock));
        async move {
            if ask.delete {
                let organization = OrganizationId::parse(&ask.organization)?;
                units.delete(&organization, &ask.key, clock.now()).await.ok()?;
                delivery.wake();
                return Some(true);
            }
            delivery.write(asks::operation(&ask, clock.now())).await.ok().map(|_| true)
        }
    })
    .await
}

/// The application: for each key it asks for one revision after the other, each again and
/// again until somebody says that it is kept.
async fn application(stage: Stage, span: Span, lifetime: u64) -> turmoil::Result {
    for organization in 0..asks::ORGANIZATIONS.len() {
        for key in 0..KEYS {
            let mut dice = stage.fork();
            let script = asks::script(organization, key, lifetime, &mut dice);
            let pause = span.trouble.as_millis() as u64 / script.len() as u64;
            let stage = stage.clone();
            tokio::spawn(async move {
                for ask in script {
                    tokio::time::sleep(Duration::from_millis(dice.below(pause))).await;
                    loop {
                        let host = format!("replica{}", dice.below(REPLICAS as u64));
                        if network::ask::<bool>(&host, &ask, Duration::from_secs(10)).await.is_some() {
                            break;
                        }
                        tokio::time::sleep(Duration::from_millis(200 + dice.below(1_500))).await;
                    }
                    stage.truth.acknowledge(&ask, stage.clock.now());
                }
                stage.asking.fetch_sub(1, Ordering::Relaxed);
            });
        }
    }
    network::hear(stage.truth, stage.clock).await
}
