//! The disk of the SQLite file gets full: a file system of a few megabytes in memory.

use std::time::{Duration, Instant};

use chatport_tests::{
    eventually,
    proof::{
        Plan,
        dice::Dice,
        disk::Disk,
        report::Report,
        world::{Setting, World},
    },
};
use http::Method;
use serde_json::{Value, json};

use crate::{Lot, side_by_side};

/// The disk that gets full, in kilobytes.
const SMALL: u64 = 16 * 1024;
/// The guarded disk, what the guard keeps free, and what must still be free when it has
/// noticed: it looks every few seconds.
const GUARDED: u64 = 96 * 1024;
const GUARD: u64 = 64 * 1024;
const STILL_FREE: u64 = 32 * 1024;
/// Until what was accepted before must have been delivered.
const STILL_DELIVERED: Duration = Duration::from_secs(60);

/// With the guard, messages are refused while there still is room; without it, the disk
/// really gets full. Either way nothing that was accepted is lost, and both end by themselves when
/// there is room again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disk_full() {
    let plan = Plan::of("disk_full");
    let mut report = Report::begin(&plan);
    side_by_side(&plan, 1, 2, &mut report, |number, _, dice| async move {
        if number % 2 == 0 { guarded(dice).await } else { filled(dice).await }
    })
    .await;
    let (low, others) =
        (report.refused("storage-low"), report.refused("unavailable") + report.refused("commit-unknown"));
    report.notes.push(format!("{low} refusals by the guard, {others} by the full disk itself"));
    assert!(low > 0, "no lot of this run has seen the guard");
    report.conclude();
}

async fn world_on(disk: &Disk, guard: &str, dice: Dice) -> World {
    let database = Some(format!("sqlite:{}", disk.path().join("chatport.db").display()));
    let arguments = vec![format!("--min-free-disk={guard}")];
    World::of(&Setting { database, arguments, ..Setting::default() }, dice).await
}

/// Refused before it is full; what was accepted goes on being delivered.
async fn guarded(dice: Dice) -> Lot {
    let disk = Disk::of(GUARDED);
    let mut world = world_on(&disk, &format!("{GUARD}KiB"), dice).await;
    world.begin(20);
    let moment = world.dice.millis(50, 400);
    tokio::time::sleep(moment).await;
    disk.leave_free(GUARD - 1024);
    eventually("messages to be refused", || async { (probe(&world).await == "storage-low").then_some(()) }).await;
    world.begin(10);
    let low = Instant::now();
    while !world.overdue(low).is_empty() && low.elapsed() < STILL_DELIVERED {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (free, late) = (disk.free(), world.overdue(low));
    disk.make_room();
    let mut lot = Lot::of(world).await;
    if free < STILL_FREE {
        lot.verdict.broken.push(format!("the guard let the disk run down to {free} kB"));
    }
    if !late.is_empty() {
        lot.verdict.broken.push(format!("not delivered while the disk was low: {late:?}"));
    }
    lot
}

/// There is no guard, and no room: commits fail.
async fn filled(dice: Dice) -> Lot {
    let disk = Disk::of(SMALL);
    let mut world = world_on(&disk, "0", dice).await;
    world.begin(20);
    let moment = world.dice.millis(50, 400);
    tokio::time::sleep(moment).await;
    let left = world.dice.below(200) as u64;
    let full = Instant::now();
    disk.leave_free(left);
    // Enough load that the rest of the room goes, and then some.
    for _ in 0..6 {
        world.begin(40);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let refused: u64 = world.application.refusals().kinds.values().sum();
    disk.make_room();
    world.application.ledger.incident("disk full", full, Instant::now() + Duration::from_secs(60));
    world.back_since(Instant::now());
    let mut lot = Lot::of(world).await;
    if refused == 0 {
        lot.verdict.broken.push(format!("the disk never got full: {left} kB were left"));
    }
    lot
}

/// What a request to put a message is answered with: the problem's type, or the status.
async fn probe(world: &World) -> String {
    let channel = &world.application.channels[0];
    // Refused for certain where the host isn't short of disk: the document breaks a rule.
    let body = json!({ "revision": 1, "targets": [{ "channel": channel.id }], "content": { "title": "" } });
    let headers = [("content-type", "application/json")];
    let answer = world.application.door().try_raw(
        Method::PUT,
        "/v1/organizations/acme/messages/probe",
        &headers,
        body.to_string(),
    );
    let answer = answer.await.expect("an answer");
    let problem: Value = serde_json::from_str(&answer.text).unwrap_or_default();
    problem["type"].as_str().and_then(|of| of.rsplit('/').next()).unwrap_or_default().to_owned()
}
