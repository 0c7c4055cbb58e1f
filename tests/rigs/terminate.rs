//! The program is asked to end, in the middle of its work.

use std::time::{Duration, Instant};

use chatport_tests::proof::{
    Plan,
    report::Report,
    weather::{Fault, Weather},
    world::{Setting, World},
};

use crate::{Lot, side_by_side};

const LOT: u64 = 20;
/// What the program is given to end, and what everything around it may take besides.
const GRACE: Duration = Duration::from_secs(20 + 5);

/// SIGTERM under load: nothing is lost, and nothing is sent again, not even to a platform
/// that would recognize it. No incident is written down, so the checker takes no excuse.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn terminate() {
    let plan = Plan::of("terminate");
    let mut report = Report::begin(&plan);
    let slowest = side_by_side(&plan, LOT, 1, &mut report, |_, rounds, dice| async move {
        let setting = Setting { forgets: true, ..Setting::default() };
        let mut world = World::of(&setting, dice).await;
        let slow = vec![Fault::Slow(Duration::from_millis(1500))];
        let weather = Weather::foul(world.dice.fork(), 5, slow);
        world.witness.weather(weather);
        let mut slowest = 0;
        for _ in 0..rounds {
            world.begin(4);
            let moment = world.dice.millis(0, 400);
            tokio::time::sleep(moment).await;
            let asked = Instant::now();
            assert!(world.chatports[0].stop().await, "it ends well");
            let took = asked.elapsed();
            assert!(took < GRACE, "it took {took:?} to end");
            slowest = slowest.max(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
            let restarted = Instant::now();
            world.chatports[0].restart().await;
            world.back_since(restarted);
        }
        let mut lot = Lot { counted: slowest, ..Lot::of(world).await };
        let again: u64 = lot.verdict.sent_again.values().sum();
        if again > 0 {
            lot.verdict.broken.push(format!("{again} creations were sent again"));
        }
        lot
    })
    .await;
    let lots = plan.lots(LOT).len().max(1) as u64;
    report.notes.push(format!("the slowest end of each lot took {} ms on average", slowest / lots));
    report.conclude();
}
