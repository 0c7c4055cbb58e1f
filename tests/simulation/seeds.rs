//! Many worlds, each from a seed; and the same world twice.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{
    is_long, rounds,
    world::{End, Span, live},
};

/// Worlds of each length: seconds of trouble, milliseconds of a tick, seconds of the longest
/// wait that a platform asks for, how many in the ordinary test command, and in the long form.
const SPANS: [(u64, u64, u64, u64, u64); 3] =
    [(90, 100, 40, 1_990, 98_900), (3_600, 230, 900, 4, 1_000), (24 * 3_600, 470, 7_200, 1, 100)];

fn span(index: usize) -> Span {
    let (trouble, tick, longest_wait, ..) = SPANS[index];
    Span { trouble: Duration::from_secs(trouble), tick: Duration::from_millis(tick), longest_wait }
}

/// The seeds that are run: of each length its share, or the one that `CHATPORT_PROOF_SEED`
/// names, in the length that stands before it (`0:17`).
fn plan() -> Vec<(usize, u64)> {
    if let Ok(one) = std::env::var("CHATPORT_PROOF_SEED") {
        let (index, seed) = one.split_once(':').unwrap_or(("0", &one));
        return vec![(index.parse().expect("a length"), seed.parse().expect("a seed"))];
    }
    let mut plan = Vec::new();
    // The long ones first, so that none of them is left over at the end.
    for (index, (.., short, long)) in SPANS.iter().enumerate().rev() {
        let count = match rounds() {
            Some(rounds) => {
                if index == 0 {
                    rounds
                } else {
                    0
                }
            }
            None => {
                if is_long() {
                    *long
                } else {
                    *short
                }
            }
        };
        plan.extend((0..count).map(|seed| (index, seed)));
    }
    plan
}

#[test]
fn whatever_breaks_what_was_accepted_is_delivered_in_order() {
    let (plan, next) = (plan(), AtomicU64::new(0));
    let broken: Mutex<Vec<(usize, u64, End)>> = Mutex::default();
    let sums: [AtomicU64; 3] = Default::default();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((index, seed)) = plan.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                    let end = live(*seed, span(*index));
                    for (sum, number) in sums.iter().zip([end.acknowledged, end.sends, end.incidents]) {
                        sum.fetch_add(number as u64, Ordering::Relaxed);
                    }
                    if !end.faults.is_empty() {
                        println!("CHATPORT_PROOF_SEED={index}:{seed} {:?}", end.faults.first());
                        broken.lock().unwrap_or_else(PoisonError::into_inner).push((*index, *seed, end));
                    }
                }
            });
        }
    });
    let [acknowledged, sends, incidents] = sums.map(AtomicU64::into_inner);
    println!("{} worlds: {acknowledged} acknowledged, {sends} calls of platforms, {incidents} incidents", plan.len());
    let broken = broken.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(broken.is_empty(), "{} worlds broke; the first: {:#?}", broken.len(), broken.first());
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in 0..if is_long() { 1_000 } else { 20 } {
        let (first, second) = (live(seed, span(0)), live(seed, span(0)));
        assert_eq!(first.digest, second.digest, "seed {seed}");
    }
}
