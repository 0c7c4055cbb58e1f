//! Whose turn it is: with more waiting than may be taken, the store in memory and the real
//! ones pick the same streams.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use chatport_host::{
    delivery::{
        CancelWhat, Operation,
        ledger::Changes,
        message::{self, PutMessage},
        store::{DeliveryStore, Full},
        targets::{Planned, PlannedPlace},
        units::Units,
    },
    ids::{InstallationId, OrganizationId},
};
use chatport_sdk::{
    identity::Address,
    time::{Clock, Timestamp},
};
use chatport_tests::{
    database::Engine,
    seeded::{Dice, SeededRandom, SetClock},
    twin::Twin,
};
use serde_json::json;
use uuid::Uuid;

use crate::databases::Real;

const START: Timestamp = Timestamp::from_seconds(1_800_000_000);
const ORGANIZATIONS: [&str; 3] = ["acme", "bolt", "cork"];
/// Installations of an organization, and conversations of an installation.
const EACH: u128 = 4;
const ROUNDS: u64 = 12;

fn installation(organization: usize, number: u128) -> Uuid {
    Uuid::from_u128(0x100 * (organization as u128 + 1) + number)
}

/// A message for one conversation, due at a time that no other one has.
fn operation(organization: usize, number: u128, loft: u128, dice: &mut Dice) -> Operation {
    let urgency = ["low", "normal", "urgent"][dice.below(3) as usize];
    let document = json!({ "revision": 1, "targets": [], "content": { "title": "x" }, "urgency": urgency });
    let put: PutMessage = serde_json::from_value(document).expect("a message");
    let place = PlannedPlace {
        installation: InstallationId(installation(organization, number)),
        stream: format!("loft{loft}"),
        rate: String::new(),
        address: Some(Address(json!({ "loft": loft }))),
        account: None,
        root: None,
        storm_guard: false,
    };
    let due_at = START.plus(Duration::from_micros(dice.below(400_000_000)));
    Operation {
        organization: OrganizationId::parse(ORGANIZATIONS[organization]).expect("a name"),
        key: format!("{number}-{loft}"),
        canonical: put.canonical(),
        fingerprint: message::fingerprint(&put.canonical()),
        planned: vec![Planned {
            is_fallback: false,
            target: format!("\"{loft}\""),
            place: Ok(place),
            notes: Vec::new(),
        }],
        put: Arc::new(put.into()),
        expires_at: due_at.plus(Duration::from_secs(dice.below(400))),
        due_at,
        now: START,
        quota: 1_000_000,
    }
}

fn full(dice: &mut Dice) -> Full {
    let mut full = Full::default();
    for (index, name) in ORGANIZATIONS.iter().enumerate() {
        if dice.chance(150) {
            full.organizations.insert(OrganizationId::parse(name).expect("a name"));
        }
        let busy = (0..EACH).filter(|_| dice.chance(150)).map(|number| InstallationId(installation(index, number)));
        full.installations.extend(busy);
    }
    full
}

/// What each of these asks of a store finds.
async fn found(store: &dyn DeliveryStore, limit: usize, full: &Full) -> [BTreeSet<Uuid>; 4] {
    let mut unit = store.begin().await.expect("begun");
    let due = unit.due(limit, full).await.expect("read");
    let overdue = unit.overdue(1_000).await.expect("read");
    let organization = OrganizationId::parse(ORGANIZATIONS[0]).expect("a name");
    let (first, loft) = (InstallationId(installation(0, 0)), "loft1".to_owned());
    let whole = unit.open_copies(&organization, &CancelWhat::Installation(first)).await.expect("read");
    let part = unit.open_copies(&organization, &CancelWhat::Conversation(first, loft)).await.expect("read");
    // What is locked must be free again before anybody else looks.
    unit.commit(Changes::default()).await.expect("ended");
    let copies = [overdue, whole, part].map(|rows| rows.into_iter().map(|row| row.id).collect());
    let [overdue, whole, part] = copies;
    [due.into_iter().map(|stream| stream.row.id).collect(), overdue, whole, part]
}

async fn stores_pick_the_same(engine: Engine) {
    let clock = SetClock::at(START);
    let real = Real::open(engine, &clock).await;
    for seed in 0..ROUNDS {
        let mut dice = Dice::new(seed);
        clock.set(START);
        real.set_clock(clock.now()).await;
        let twin = Twin::shared(Arc::new(clock.clone()));
        let own = |organization| (0..EACH).map(|number| installation(organization, number)).collect::<Vec<_>>();
        let world: Vec<_> = ORGANIZATIONS.iter().enumerate().map(|(index, name)| (*name, own(index))).collect();
        twin.tables(|tables| {
            for (name, installations) in &world {
                tables.organizations.insert(OrganizationId::parse(name).expect("a name"));
                tables.installations.extend(installations.iter().map(|id| (InstallationId(*id), Default::default())));
            }
        });
        real.reset(&world, "pager", "").await;
        let mut operations = Vec::new();
        for organization in 0..ORGANIZATIONS.len() {
            for place in 0..EACH * EACH {
                operations.push(operation(organization, place / EACH, place % EACH, &mut dice));
            }
        }
        let operations: Vec<&Operation> = operations.iter().collect();
        let stores: [Arc<dyn DeliveryStore>; 2] = [Arc::new(twin), real.store()];
        for store in &stores {
            let units = Units::new(Arc::clone(store), Arc::new(SeededRandom::new(seed)));
            units.write(&operations, &[], None).await.expect("accepted");
        }
        for _ in 0..8 {
            clock.advance(Duration::from_millis(dice.below(100_000)));
            real.set_clock(clock.now()).await;
            let (limit, full) = (1 + dice.below(32) as usize, full(&mut dice));
            let [twin, real] =
                [found(stores[0].as_ref(), limit, &full).await, found(stores[1].as_ref(), limit, &full).await];
            assert_eq!(twin, real, "seed {seed}: up to {limit}, apart from {full:?}");
        }
    }
}

#[tokio::test]
async fn sqlite_gives_turns_as_the_store_in_memory() {
    stores_pick_the_same(Engine::Sqlite).await;
}

#[tokio::test]
async fn postgres_gives_turns_as_the_store_in_memory() {
    stores_pick_the_same(Engine::Postgres).await;
}
