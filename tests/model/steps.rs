//! What can happen to the engine's store: the steps of a random sequence. A step names what
//! it means by small numbers, so that it stays meaningful when steps before it are left out.

use std::time::Duration;

use chatport_sdk::failure::Scope;
use proptest::{collection::vec, prelude::*, sample::select};

/// Conversations and persons that a message can be meant for; one of them doesn't exist.
pub const TARGETS: usize = 6;
/// The target that can't be resolved.
pub const NOWHERE: usize = 5;
pub const ORGANIZATIONS: usize = 2;
pub const KEYS: usize = 3;

/// One step.
#[derive(Clone, Debug)]
pub enum Step {
    /// Messages are put together; what can be sent at once is leased by this process.
    Accept { puts: Vec<Put>, process: Option<usize> },
    /// A process leases what is due; `unheard`: and doesn't hear the answer.
    Lease { process: usize, unheard: bool },
    /// Attempts end, those that come together in one commit.
    Record(Vec<End>),
    /// A part of what is being sent stands.
    Parts { hand: usize },
    /// What has run out of time is ended.
    Expire,
    /// First posts that wait become lines of a summary, or have been shown by one.
    Fold,
    /// A message is taken away.
    Delete { organization: usize, key: usize },
    /// What was given up of a message is tried again.
    Replay { organization: usize, key: usize },
    /// A process gives back what it doesn't know of.
    Abandon { process: usize },
    /// A process is replaced; `frozen`: what it had in hand may still be recorded.
    Restart { process: usize, frozen: bool },
    /// Time passes.
    Wait(Duration),
}

/// A request to put a message.
#[derive(Clone, Debug)]
pub struct Put {
    pub organization: usize,
    pub key: usize,
    pub revision: Revision,
    pub is_final: bool,
    pub targets: Vec<usize>,
    pub reply: bool,
    pub log: usize,
    pub urgency: i16,
    pub delay: Duration,
    pub lifetime: Duration,
    pub deletes: bool,
}

/// The revision of a put, seen from the newest.
#[derive(Clone, Copy, Debug)]
pub enum Revision {
    Up(i64),
    Same,
    OtherContent,
    Lower,
}

/// How an attempt ends.
#[derive(Clone, Debug)]
pub struct End {
    pub hand: usize,
    pub how: How,
    pub go_on: bool,
    /// The answer to the commit doesn't arrive, and the record is repeated later.
    pub unheard: bool,
}

#[derive(Clone, Copy, Debug)]
pub enum How {
    Delivered,
    Retry(u64),
    Hold(Scope, u64),
    Unknown { posted: bool },
    Dead,
    Expired,
    Untried,
}

fn put() -> impl Strategy<Value = Put> {
    let revision = prop_oneof![
        6 => (1_i64..3).prop_map(Revision::Up),
        2 => Just(Revision::Same),
        1 => Just(Revision::OtherContent),
        1 => Just(Revision::Lower),
    ];
    let delay = prop_oneof![5 => Just(0_u64), 1 => Just(5), 1 => Just(600)];
    let lifetime = prop_oneof![1 => Just(20_u64), 1 => Just(4_000), 4 => Just(86_400)];
    let what = (0..ORGANIZATIONS, 0..KEYS, revision, prop::bool::weighted(0.25), vec(0..TARGETS, 1..4));
    let how = (prop::bool::weighted(0.15), 0..3_usize, 0..3_i16, delay, lifetime, any::<bool>());
    (what, how).prop_map(|((organization, key, revision, is_final, mut targets), how)| {
        targets.sort_unstable();
        targets.dedup();
        let (reply, log, urgency, delay, lifetime, deletes) = how;
        let (delay, lifetime) = (Duration::from_secs(delay), Duration::from_secs(delay + lifetime));
        Put { organization, key, revision, is_final, targets, reply, log, urgency, delay, lifetime, deletes }
    })
}

fn end() -> impl Strategy<Value = End> {
    let scope = select(vec![Scope::Copy, Scope::Conversation, Scope::Installation]);
    let how = prop_oneof![
        5 => Just(How::Delivered),
        2 => select(vec![1_u64, 40, 900]).prop_map(How::Retry),
        2 => (scope, select(vec![1_u64, 30, 7_200])).prop_map(|(scope, seconds)| How::Hold(scope, seconds)),
        2 => any::<bool>().prop_map(|posted| How::Unknown { posted }),
        1 => Just(How::Dead),
        1 => Just(How::Expired),
        1 => Just(How::Untried),
    ];
    (0..8_usize, how, prop::bool::weighted(0.7), prop::bool::weighted(0.1))
        .prop_map(|(hand, how, go_on, unheard)| End { hand, how, go_on, unheard })
}

/// Any step.
pub fn step() -> impl Strategy<Value = Step> {
    let wait = select(vec![1_u64, 1_000, 5_000, 31_000, 59_000, 60_000, 601_000, 7_200_000, 90_000_000]);
    let message = || (0..ORGANIZATIONS, 0..KEYS);
    prop_oneof![
        8 => (vec(put(), 1..4), prop_oneof![2 => Just(None), 1 => (0..2_usize).prop_map(Some)])
            .prop_map(|(puts, process)| Step::Accept { puts, process }),
        6 => (0..2_usize, prop::bool::weighted(0.1)).prop_map(|(process, unheard)| Step::Lease { process, unheard }),
        10 => vec(end(), 1..4).prop_map(Step::Record),
        1 => (0..8_usize).prop_map(|hand| Step::Parts { hand }),
        1 => Just(Step::Expire),
        2 => Just(Step::Fold),
        1 => message().prop_map(|(organization, key)| Step::Delete { organization, key }),
        1 => message().prop_map(|(organization, key)| Step::Replay { organization, key }),
        1 => (0..2_usize).prop_map(|process| Step::Abandon { process }),
        1 => (0..2_usize, any::<bool>()).prop_map(|(process, frozen)| Step::Restart { process, frozen }),
        4 => wait.prop_map(|millis| Step::Wait(Duration::from_millis(millis))),
    ]
}
