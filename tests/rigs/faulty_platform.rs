//! The platform errs, stalls, cuts off and talks nonsense.

use std::time::{Duration, Instant};

use chatport_tests::proof::{
    Plan,
    ledger::Wish,
    report::Report,
    weather::{Fault, Weather},
    world::{Setting, World},
};
use serde_json::Value;

use crate::{Lot, side_by_side};

/// What may happen to a request.
fn faults() -> Vec<Fault> {
    let slow = |millis| Fault::Slow(Duration::from_millis(millis));
    vec![
        Fault::StallBefore,
        Fault::StallAfter,
        slow(300),
        slow(3_000),
        Fault::CutBefore,
        Fault::CutAfter,
        Fault::HalfBody,
        Fault::NotJson,
        Fault::WrongJson,
        Fault::Huge,
        Fault::Refused(500),
        Fault::Refused(502),
        Fault::Refused(503),
        Fault::Refused(504),
        Fault::TooMany("1"),
        Fault::TooMany("0"),
        Fault::TooMany("-5"),
        Fault::TooMany("soon"),
        Fault::TooMany("Thu, 01 Jan 1970 00:00:10 GMT"),
    ]
}

/// A third of all requests goes wrong for some seconds; then the weather clears. Everything
/// arrives, in order, and nothing is posted twice without a lost answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faulty_platform() {
    let plan = Plan::of("faulty_platform");
    let mut report = Report::begin(&plan);
    side_by_side(&plan, 1, 6, &mut report, |number, _, dice| async move {
        let forgets = number % 2 == 1;
        let mut world = World::of(&Setting { forgets, ..Setting::default() }, dice).await;
        let foul = Weather::foul(world.dice.fork(), 33, faults());
        world.witness.weather(foul);
        for _ in 0..10 {
            world.begin(4);
            let pause = world.dice.millis(500, 1_500);
            tokio::time::sleep(pause).await;
        }
        let fair = Weather::fair(world.dice.fork());
        world.witness.weather(fair);
        let mut lot = Lot::of(world).await;
        if !forgets && !lot.verdict.duplicates.is_empty() {
            lot.verdict.broken.push("a platform that recognizes repetitions was posted to twice".into());
        }
        lot
    })
    .await;
    report.conclude();
}

/// Put one message while the platform answers every request with this, and see when it is
/// tried next: seconds from now, and how often it was asked in three seconds.
async fn asked_to_wait(wait: &'static str) -> (i64, usize, Value) {
    let plan = Plan::of("faulty_platform");
    let mut dice = plan.lots(1).remove(0).1;
    let world = World::of(&Setting::default(), dice.fork()).await;
    world.witness.weather(Weather::foul(dice.fork(), 100, vec![Fault::TooMany(wait)]));
    let channel = world.application.channels[0].clone();
    world.application.ask("m0", &channel, Wish::Show { revision: 1, is_final: false }, 0).await;
    let start = Instant::now();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let message = world.application.message("m0").await.expect("it is there");
    let copy = message["copies"][0].clone();
    let next = seconds(&copy["next_attempt_at"]) - seconds(&copy["updated_at"]);
    let asked = world.witness.sent().iter().filter(|sent| sent.from < start + Duration::from_secs(3)).count();
    (next, asked, copy)
}

/// The seconds of the hour, day and minute of a time in RFC 3339.
fn seconds(time: &Value) -> i64 {
    let text = time.as_str().expect("a time");
    let number = |from: usize| text[from..from + 2].parse::<i64>().expect("two digits");
    ((number(8) * 24 + number(11)) * 60 + number(14)) * 60 + number(17)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_after_of_two_hours_is_honoured_whole_and_uses_no_attempt() {
    let (next, asked, copy) = asked_to_wait("7200").await;
    assert!((7199..=7201).contains(&next), "{copy}");
    assert_eq!((asked, &copy["attempts"]), (1, &Value::from(0)), "{copy}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_garbled_retry_after_is_ignored() {
    for garbled in ["soon", "-5", "1e9"] {
        let (next, _, copy) = asked_to_wait(garbled).await;
        assert!((0..=6).contains(&next), "{garbled}: {copy}");
        assert_eq!(copy["attempts"], 0, "{garbled}: {copy}");
    }
}
