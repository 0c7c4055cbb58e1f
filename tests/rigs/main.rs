//! The rigs: each does one thing to the real program over and over, and lets the checker
//! judge. `bash tests/proof` runs them in their long form.

mod database_away;
mod disk_full;
mod faulty_platform;
mod freeze;
mod kill;
mod postgres_restart;
mod terminate;

use std::{future::Future, time::Duration};

use chatport_tests::proof::{Plan, application::Refusals, checker::Verdict, dice::Dice, report::Report, world::World};
use tokio::task::JoinSet;

/// How long a world may take at its end until everything is told and delivered.
const PATIENCE: Duration = Duration::from_secs(120);

/// What one lot brings home.
struct Lot {
    verdict: Verdict,
    recoveries: Vec<Duration>,
    waits: Vec<Duration>,
    refusals: Refusals,
    /// What the rig counts besides.
    counted: u64,
}

impl Lot {
    /// Let a world come to its end, and judge it.
    async fn of(world: World) -> Self {
        let (world, verdict) = world.end(PATIENCE).await;
        Self::judged(&world, verdict)
    }

    fn judged(world: &World, verdict: Verdict) -> Self {
        let (recoveries, refusals) = (world.recoveries(), world.application.refusals());
        Self { verdict, recoveries, waits: world.waits(), refusals, counted: 0 }
    }
}

/// Work through the lots of a plan, so many side by side; the answer is the sum of what
/// they counted.
async fn side_by_side<F>(
    plan: &Plan,
    size: u64,
    at_once: usize,
    report: &mut Report,
    lot: impl Fn(u64, u64, Dice) -> F,
) -> u64
where
    F: Future<Output = Lot> + Send + 'static,
{
    let mut lots = plan.lots(size).into_iter().enumerate();
    let (mut running, mut counted) = (JoinSet::new(), 0);
    loop {
        while running.len() < at_once {
            let Some((number, (rounds, dice))) = lots.next() else { break };
            running.spawn(lot(number as u64, rounds, dice));
        }
        let Some(done) = running.join_next().await else { return counted };
        let done = done.unwrap_or_else(|panic| panic!("{}: seed {}: {panic}", plan.rig, plan.seed));
        counted += done.counted;
        report.add(done.verdict, done.recoveries, done.waits, done.refusals);
    }
}
