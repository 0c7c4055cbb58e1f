//! The program is killed at random moments of its work.

use std::{path::Path, time::Instant};

use chatport_tests::proof::{
    Plan,
    application::Refusals,
    checker::Verdict,
    dice::Dice,
    report::Report,
    world::{Setting, World},
};
use sea_orm::ConnectionTrait;

use crate::PATIENCE;

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
    let mut lots = plan.lots(LOT).into_iter().enumerate();
    let mut running = tokio::task::JoinSet::new();
    let (mut recognized, mut looked) = (0, 0);
    loop {
        while running.len() < 2 {
            let Some((number, (rounds, dice))) = lots.next() else { break };
            running.spawn(lot(number as u64, rounds, dice));
        }
        let Some(lot) = running.join_next().await else { break };
        let (forgets, looks, world, verdict, refusals) = lot.expect("a lot ends well");
        if !forgets {
            recognized += verdict.duplicates.values().sum::<u64>();
        }
        looked += looks;
        report.add(verdict, world, refusals);
    }
    report.notes.push(format!("PRAGMA integrity_check: {looked} times ok"));
    report.notes.push(format!("posts too many where the platform recognizes repetitions: {recognized}"));
    report.conclude();
    assert_eq!(recognized, 0, "seed {}: a platform that recognizes repetitions was posted to twice", plan.seed);
}

type Lot = (bool, u64, Vec<std::time::Duration>, Verdict, Refusals);

async fn lot(number: u64, rounds: u64, dice: Dice) -> Lot {
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
    let (world, verdict) = world.end(PATIENCE).await;
    (forgets, looks, world.recoveries(), verdict, world.application.refusals())
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
    let row = connection.query_one_raw(sea_orm::Statement::from_string(
        connection.get_database_backend(),
        "PRAGMA integrity_check",
    ));
    let told: String = row.await.expect("it is looked at").expect("a row").try_get_by_index(0).expect("a text");
    assert_eq!(told, "ok");
    connection.close().await.expect("closed");
}
