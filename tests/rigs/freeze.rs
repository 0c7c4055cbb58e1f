//! A replica freezes for longer than its lease, and wakes up in a world that has gone on.

use std::time::{Duration, Instant};

use chatport_tests::{
    client::Client,
    database::postgres_database,
    proof::{
        Plan,
        dice::Dice,
        ledger::Wish,
        report::Report,
        weather::Weather,
        world::{Setting, World},
    },
};

use crate::{Lot, PATIENCE, side_by_side};

/// Until a lease has run out (60 s), another replica has looked, and has worked off what waited.
const TAKEN_OVER: Duration = Duration::from_secs(70);

/// How often another replica is asked while the frozen one may keep locks: each time it answers
/// within 3 s, and Postgres takes them away after 4 s.
const TRIES: usize = 4;

/// SIGSTOP past the lease, then SIGCONT, at four sorts of moments. The other replica takes
/// over; what the frozen one writes late changes nothing; there is at most one post too many.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn freeze() {
    let plan = Plan::of("freeze");
    let mut report = Report::begin(&plan);
    // Nearly all of the time is waiting.
    let at_once = if plan.long { 8 } else { 4 };
    let lost = side_by_side(&plan, 1, at_once, &mut report, |number, _, dice| frozen(number, dice)).await;
    report.notes.push(format!("{lost} late results were dropped, since the lease was lost"));
    report.conclude();
}

async fn frozen(number: u64, dice: Dice) -> Lot {
    let database = Some(postgres_database().await);
    let forgets = (number / 4) % 2 == 1;
    let setting = Setting { replicas: 2, channels: 8, database, forgets, ..Setting::default() };
    let mut world = World::of(&setting, dice).await;
    let mut slow = Weather::fair(world.dice.fork());
    slow.takes = (100, 400);
    world.witness.weather(slow);
    world.begin(24);
    match number % 4 {
        // At any moment.
        0 => {
            let moment = world.dice.millis(0, 600);
            tokio::time::sleep(moment).await;
        }
        // When a request has just come to the platform: the answer finds nobody.
        1 => world.witness.next_arrival().await,
        // When something was just accepted, and isn't sent yet.
        2 => world.application.ledger.next().await,
        // In the thick of accepting.
        _ => {
            world.begin(80);
            let moment = world.dice.millis(100, 250);
            tokio::time::sleep(moment).await;
        }
    }
    let stopped = Instant::now();
    let sleeper = world.dice.below(2);
    world.chatports[sleeper].signal("STOP");
    // The other one isn't held up by whatever the frozen one was about.
    let (channel, wish) = (world.application.channels[0].clone(), Wish::Show { revision: 1, is_final: false });
    let mut meanwhile = Err("not asked".to_owned());
    for _ in 0..TRIES {
        meanwhile = world.application.ask_once("meanwhile", &channel, wish, 1 - sleeper).await;
        if meanwhile.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    if meanwhile.is_err() {
        // It may have been accepted all the same: ask until that is known.
        let application = world.application.clone();
        world.lives.spawn(async move { application.ask("meanwhile", &channel, wish, 1 - sleeper).await });
    }
    tokio::time::sleep(TAKEN_OVER.saturating_sub(stopped.elapsed())).await;
    // By now all that was accepted before the freeze has been taken over.
    let overdue = world.overdue(stopped);
    let longer = world.dice.millis(0, 5_000);
    tokio::time::sleep(longer).await;
    world.chatports[sleeper].signal("CONT");
    // Late sends may come for as long as a call may take.
    let awake = Instant::now() + Duration::from_secs(5);
    world.application.ledger.incident("freeze", stopped, awake);
    world.begin(8);
    let client = world.chatports[sleeper].client();
    let (world, verdict) = world.end(PATIENCE).await;
    let counted = lost_leases(&client).await;
    let mut lot = Lot { counted, ..Lot::judged(&world, verdict) };
    if !overdue.is_empty() {
        lot.verdict.broken.push(format!("not taken over {TAKEN_OVER:?} after the freeze: {overdue:?}"));
    }
    if let Err(error) = meanwhile {
        lot.verdict.broken.push(format!("the other replica accepted nothing after the freeze: {error}"));
    }
    let posts: u64 = lot.verdict.duplicates.values().sum();
    if posts > 1 {
        lot.verdict.broken.push(format!("{posts} posts too many by one freeze"));
    }
    lot
}

/// How many results a replica has dropped.
async fn lost_leases(client: &Client) -> u64 {
    let metrics = client.get("/metrics").await.text;
    let figure = metrics.lines().find_map(|line| line.strip_prefix("chatport_lost_leases_total "));
    figure.and_then(|figure| figure.trim().parse().ok()).unwrap_or(0)
}
