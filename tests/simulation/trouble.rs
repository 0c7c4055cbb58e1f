//! What is done to a world while trouble lasts, and undone.

use std::{sync::Arc, time::Duration};

use chatport_sdk::time::Clock;
use chatport_tests::seeded::Dice;
use turmoil::Sim;

use crate::{
    line::{Cut, Line},
    truth::{Incident, Truth},
    world::{PLATFORMS, REPLICAS},
};

/// On average between two troubles, at the least.
const EVERY: u64 = 8;

/// How a trouble is undone.
#[derive(Clone, Debug)]
enum Cure {
    Start(usize),
    Repair(String, String),
    Release(String, String),
    Quicken(String, String),
    Join(usize),
}

/// The troubles of one world.
pub struct Trouble {
    dice: Dice,
    next: Duration,
    /// The mean time between two, in seconds.
    every: u64,
    cures: Vec<(Duration, Cure)>,
    has_ended: bool,
}

impl Trouble {
    pub fn new(mut dice: Dice, length: Duration) -> Self {
        let every = EVERY + dice.below(Ord::max(EVERY, length.as_secs() / 20));
        Self { next: Duration::from_secs(1 + dice.below(every)), dice, every, cures: Vec::new(), has_ended: false }
    }

    /// Undo what has lasted long enough, and do the next.
    pub fn go_on(
        &mut self,
        sim: &mut Sim<'_>,
        elapsed: Duration,
        lines: &[Line],
        truth: &Truth,
        clock: &Arc<dyn Clock>,
    ) {
        let (over, lasting) = self.cures.drain(..).partition(|(until, _)| *until <= elapsed);
        self.cures = lasting;
        let over: Vec<(Duration, Cure)> = over;
        over.into_iter().for_each(|(_, cure)| undo(cure, sim, lines));
        if elapsed < self.next {
            return;
        }
        self.next = elapsed + Duration::from_millis(1 + self.dice.below(2_000 * self.every));
        let replica = self.dice.below(REPLICAS as u64) as usize;
        let other = match self.dice.below(PLATFORMS as u64 + 1) {
            2 => "application".to_owned(),
            platform => format!("platform{platform}"),
        };
        let host = format!("replica{replica}");
        let lasts = |dice: &mut Dice, seconds: u64| Duration::from_millis(100 + dice.below(seconds * 1_000));
        let kind = self.dice.below(13);
        // A link that holds back what it carries does so for less than anybody's patience, so
        // that nothing arrives after its sender has given it up and somebody else has done more.
        let length = lasts(&mut self.dice, if matches!(kind, 8 | 9) { 8 } else { 75 });
        let now = clock.now();
        let note = |replica: usize, until: Duration| {
            truth.incident(Incident { replica, from: now, until: now.plus(until) });
        };
        let cure = match kind {
            0..3 => {
                if !sim.is_host_running(host.as_str()) {
                    return;
                }
                sim.crash(host.as_str());
                note(replica, length);
                Cure::Start(replica)
            }
            3..5 => {
                sim.partition(host.as_str(), other.as_str());
                Cure::Repair(host, other)
            }
            5 => {
                sim.partition_oneway(host.as_str(), other.as_str());
                Cure::Repair(host, other)
            }
            6 => {
                sim.partition_oneway(other.as_str(), host.as_str());
                Cure::Repair(host, other)
            }
            7 => {
                let most = Duration::from_millis(500 + self.dice.below(3_000));
                sim.set_link_max_message_latency(host.as_str(), other.as_str(), most);
                Cure::Quicken(host, other)
            }
            8 | 9 => {
                sim.hold(host.as_str(), other.as_str());
                Cure::Release(host, other)
            }
            10 | 11 => {
                lines[replica].set(if kind == 10 { Cut::Whole } else { Cut::Answers });
                note(replica, length + Duration::from_secs(60));
                Cure::Join(replica)
            }
            _ => {
                for (number, line) in lines.iter().enumerate() {
                    line.break_off();
                    note(number, Duration::from_secs(60));
                }
                return;
            }
        };
        self.cures.push((elapsed + length, cure));
    }

    /// Undo everything; whether there still was something to do.
    pub fn end(&mut self, sim: &mut Sim<'_>, lines: &[Line]) -> bool {
        if std::mem::replace(&mut self.has_ended, true) {
            return false;
        }
        self.cures.drain(..).for_each(|(_, cure)| undo(cure, sim, lines));
        for (number, line) in lines.iter().enumerate() {
            line.set(Cut::Open);
            line.calm_down();
            let host = format!("replica{number}");
            if !sim.is_host_running(host.as_str()) {
                sim.bounce(host.as_str());
            }
        }
        true
    }
}

fn undo(cure: Cure, sim: &mut Sim<'_>, lines: &[Line]) {
    match cure {
        Cure::Start(replica) => sim.bounce(format!("replica{replica}").as_str()),
        Cure::Repair(one, other) => sim.repair(one.as_str(), other.as_str()),
        Cure::Release(one, other) => sim.release(one.as_str(), other.as_str()),
        Cure::Quicken(one, other) => {
            sim.set_link_max_message_latency(one.as_str(), other.as_str(), Duration::from_millis(80));
        }
        Cure::Join(replica) => lines[replica].set(Cut::Open),
    }
}
