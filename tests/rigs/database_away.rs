//! The database can't be reached for a while: refused, silent, slow, cut in the middle,
//! stopped, or on another host from one moment to the next.

use std::time::{Duration, Instant};

use chatport_tests::{
    client::Client,
    proof::{
        Plan,
        line::{Line, State},
        postgres::Postgres,
        report::Report,
        world::{Setting, World},
    },
};
use http::Method;

use crate::{Lot, side_by_side};

/// How the database is away, one after the other.
const WAYS: &[Way] = &[
    Way::Line(State::Refusing),
    Way::Line(State::Deaf),
    Way::Stopped,
    Way::Line(State::CutAfter(700)),
    Way::Line(State::Slow(Duration::from_millis(40))),
    Way::Line(State::CutAfter(5_000)),
    Way::Line(State::Gone),
];

/// Until a request must have been answered, whatever the database does: three seconds, and one
/// for a machine that has more to do.
const ANSWER: Duration = Duration::from_secs(4);

#[derive(Clone, Copy, Debug)]
enum Way {
    Line(State),
    Stopped,
}

/// Requests are refused with 503 within seconds, the process says that it lives and isn't
/// ready, and everything goes on by itself afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn database_away() {
    let plan = Plan::of("database_away");
    let long = plan.long;
    let mut report = Report::begin(&plan);
    side_by_side(&plan, 1, 2, &mut report, move |number, _, dice| async move {
        let way = WAYS[usize::try_from(number).expect("few") % WAYS.len()];
        let postgres = Postgres::start().await;
        let line = Line::to(postgres.port).await;
        let database = Some(format!("postgres://chatport@127.0.0.1:{}/postgres", line.port));
        let setting = Setting { replicas: 2, channels: 12, database, ..Setting::default() };
        let mut world = World::of(&setting, dice).await;
        world.begin(40);
        let moment = world.dice.millis(50, 400);
        tokio::time::sleep(moment).await;
        let went = Instant::now();
        match way {
            Way::Line(state) => line.becomes(state),
            Way::Stopped => tokio::task::block_in_place(|| postgres.stop("fast")),
        }
        let away = if long { world.dice.millis(5_000, 120_000) } else { world.dice.millis(3_000, 8_000) };
        let mut broken = Vec::new();
        while went.elapsed() < away {
            world.begin(2);
            for chatport in &world.chatports {
                broken.extend(signs_of_life(&chatport.client(), way).await);
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        match way {
            Way::Line(_) => line.becomes(State::Good),
            Way::Stopped => tokio::task::block_in_place(|| postgres.up()),
        }
        let back = Instant::now();
        // What was held back may arrive, and run out, for a lease's time.
        world.application.ledger.incident("database away", went, back + Duration::from_secs(70));
        world.back_since(back);
        let mut lot = Lot::of(world).await;
        if lot.refusals.slowest > ANSWER {
            broken.push(format!("{way:?}: a request was refused only after {:?}", lot.refusals.slowest));
        }
        lot.verdict.broken.extend(broken);
        lot
    })
    .await;
    report.conclude();
}

/// The process lives; where nothing passes, it says that it isn't ready.
async fn signs_of_life(client: &Client, way: Way) -> Option<String> {
    let lives = client.try_raw(Method::GET, "/livez", &[], "").await;
    if !lives.as_ref().is_ok_and(|answer| answer.status == 200) {
        return Some(format!("{way:?}: /livez: {lives:?}"));
    }
    let nothing_passes = matches!(way, Way::Stopped | Way::Line(State::Refusing | State::Deaf));
    let ready = client.try_raw(Method::GET, "/readyz", &[], "").await;
    let is_honest = !nothing_passes || ready.as_ref().is_ok_and(|answer| answer.status == 503);
    (!is_honest).then(|| format!("{way:?}: /readyz: {ready:?}"))
}
