//! The program is killed at random moments of its work.

use std::{path::Path, time::Instant};

use chatport_tests::{
    database::postgres_database,
    proof::{
        Plan,
        dice::Dice,
        report::Report,
        weather::Weather,
        world::{Setting, World},
    },
};
use sea_orm::{ConnectionTrait, Statement};

use crate::{Lot, side_by_side};

/// How many kills one world goes through.
const LOT: u64 = 25;
/// Every so many kills the database file is looked at.
const INTEGRITY_EACH: u64 = 100;

/// `kill -9` under load on SQLite: nothing accepted is lost, nothing is posted twice where the
/// platform recognizes repetitions, and at most once more per kill where it doesn't.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_sqlite() {
    let plan = Plan::of("kill_sqlite");
    let mut report = Report::begin(&plan);
    // Two worlds at a time: while one starts again, the other works.
    let looked = side_by_side(&plan, LOT, 2, &mut report, |number, rounds, dice| async move {
        // Every other platform forgets what it was asked to post.
        let forgets = number % 2 == 1;
        let mut world = World::of(&Setting { forgets, ..Setting::default() }, dice).await;
        let mut looks = 0;
        for round in 0..rounds {
            world.begin(3);
            let moment = world.dice.millis(0, 250);
            tokio::time::sleep(moment).await;
            let killed = Instant::now();
            world.chatports[0].kill().await;
            if (number * LOT + round) % INTEGRITY_EACH == INTEGRITY_EACH - 1 {
                integrity(&world.chatports[0].data).await;
                looks += 1;
            }
            let restarted = Instant::now();
            world.chatports[0].restart().await;
            world.application.ledger.incident("kill", killed, Instant::now());
            world.back_since(restarted);
        }
        let mut lot = Lot { counted: looks, ..Lot::of(world).await };
        if !forgets && !lot.verdict.duplicates.is_empty() {
            lot.verdict.broken.push("a platform that recognizes repetitions was posted to twice".into());
        }
        lot
    })
    .await;
    report.notes.push(format!("PRAGMA integrity_check: ok, {looked} times"));
    report.conclude();
}

/// The file that a kill left is sound. A copy is looked at: the program itself is to find
/// the one that was left.
async fn integrity(data: &Path) {
    let copy = tempfile::tempdir().expect("a temporary folder");
    for name in ["chatport.db", "chatport.db-wal"] {
        if data.join(name).exists() {
            std::fs::copy(data.join(name), copy.path().join(name)).expect("copied");
        }
    }
    let url = format!("sqlite://{}?mode=rw", copy.path().join("chatport.db").display());
    let connection = sea_orm::Database::connect(url).await.expect("the copy opens");
    let check = Statement::from_string(connection.get_database_backend(), "PRAGMA integrity_check");
    let row = connection.query_one_raw(check).await.expect("it is looked at").expect("a row");
    assert_eq!(row.try_get_by_index::<String>(0).expect("a text"), "ok");
    connection.close().await.expect("closed");
}

/// How many kills one world of replicas goes through.
const REPLICA_LOT: u64 = 50;

/// One of three replicas on Postgres is killed: the others go on, and take over what it was
/// about when its leases have run out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_replica() {
    let plan = Plan::of("kill_replica");
    let mut report = Report::begin(&plan);
    side_by_side(&plan, REPLICA_LOT, 2, &mut report, replicas).await;
    report.conclude();
}

async fn replicas(number: u64, rounds: u64, dice: Dice) -> Lot {
    let database = Some(postgres_database().await);
    let forgets = number % 2 == 1;
    // What a dead replica was about is stuck for a minute: there must be enough besides.
    let setting = Setting { replicas: 3, channels: 60, database, forgets, ..Setting::default() };
    let mut world = World::of(&setting, dice).await;
    let mut slow = Weather::fair(world.dice.fork());
    slow.takes = (20, 200);
    world.witness.weather(slow);
    for _ in 0..rounds {
        world.begin(8);
        let moment = world.dice.millis(100, 700);
        tokio::time::sleep(moment).await;
        let unlucky = world.dice.below(3);
        let killed = Instant::now();
        world.chatports[unlucky].kill().await;
        world.chatports[unlucky].restart().await;
        world.application.ledger.incident("kill", killed, Instant::now());
    }
    Lot::of(world).await
}
