//! The database server crashes under load and is started again.

use std::time::Instant;

use chatport_tests::proof::{
    Plan,
    postgres::Postgres,
    report::Report,
    world::{Setting, World},
};

use crate::{Lot, side_by_side};

const LOT: u64 = 25;

/// `pg_ctl -m immediate` under load: whoever is told that a commit's outcome isn't known
/// repeats the same request, and there is exactly one message in the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_restart() {
    let plan = Plan::of("postgres_restart");
    let mut report = Report::begin(&plan);
    side_by_side(&plan, LOT, 1, &mut report, |number, rounds, dice| async move {
        let postgres = Postgres::start().await;
        let database = Some(format!("{}/postgres", postgres.url()));
        let forgets = number % 2 == 1;
        let setting = Setting { replicas: 2, channels: 12, database, forgets, ..Setting::default() };
        let mut world = World::of(&setting, dice).await;
        for _ in 0..rounds {
            world.begin(16);
            let moment = world.dice.millis(5, 150);
            tokio::time::sleep(moment).await;
            let crashed = Instant::now();
            tokio::task::block_in_place(|| postgres.stop("immediate"));
            let away = world.dice.millis(0, 300);
            tokio::time::sleep(away).await;
            tokio::task::block_in_place(|| postgres.up());
            let up = Instant::now();
            world.application.ledger.incident("database crash", crashed, up);
            world.back_since(up);
            let calm = world.dice.millis(200, 600);
            tokio::time::sleep(calm).await;
        }
        Lot::of(world).await
    })
    .await;
    let unknown = report.refused("commit-unknown");
    report.notes.push(format!("{unknown} commits of unknown outcome were repeated, and ended in one message each"));
    report.conclude();
}
