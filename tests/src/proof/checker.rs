//! The one judge of every rig. It gets what the application was told, what the platform
//! saw, and what stands at the end, and says which promise was broken. Deliberately it knows
//! nothing of how the program works.

mod order;
mod posts;
mod standing;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use serde_json::Value;

use super::{
    ledger::{Incident, Told, Wish},
    witness::Sent,
};

/// All that is known at the end of a run.
#[derive(Debug, Default)]
pub struct Evidence {
    /// What the application was told.
    pub told: Vec<Told>,
    /// What was done to the program.
    pub incidents: Vec<Incident>,
    /// What the platform saw.
    pub sent: Vec<Sent>,
    /// The posts that stand on the platform: the id and the title.
    pub standing: BTreeMap<String, String>,
    /// Each message, as the API shows it at the end.
    pub shown: BTreeMap<String, Value>,
    /// The copy-revisions by outcome, from the metrics.
    pub tallies: BTreeMap<String, i64>,
}

/// What a run has shown.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Which promises were broken, in words.
    pub broken: Vec<String>,
    /// Acknowledged requests.
    pub accepted: u64,
    /// Messages among them.
    pub messages: u64,
    /// New posts on the platform.
    pub posts: u64,
    /// Creations that were sent again, by cause; most of them the platform recognized.
    pub sent_again: BTreeMap<&'static str, u64>,
    /// Posts too many, by cause.
    pub duplicates: BTreeMap<&'static str, u64>,
}

impl Verdict {
    /// Add another run's.
    pub fn add(&mut self, other: Self) {
        self.broken.extend(other.broken);
        self.accepted += other.accepted;
        self.messages += other.messages;
        self.posts += other.posts;
        for (sum, of) in [(&mut self.sent_again, other.sent_again), (&mut self.duplicates, other.duplicates)] {
            for (cause, count) in of {
                *sum.entry(cause).or_default() += count;
            }
        }
    }
}

/// What the application was told of one message.
struct Life {
    first: Told,
    newest: i64,
    finals: Vec<i64>,
    deleted: bool,
    revisions: BTreeSet<i64>,
}

/// Judge a run.
pub fn judge(evidence: &Evidence) -> Verdict {
    let lives = lives(&evidence.told);
    let mut verdict = Verdict {
        accepted: evidence.told.len() as u64,
        messages: lives.len() as u64,
        posts: evidence.sent.iter().filter(|sent| sent.made).count() as u64,
        ..Verdict::default()
    };
    conservation(evidence, &mut verdict);
    standing::nothing_is_lost(evidence, &lives, &mut verdict);
    standing::finals_were_shown(evidence, &lives, &mut verdict);
    order::sends_of_a_conversation_never_overlap(evidence, &mut verdict);
    order::first_posts_come_in_order(evidence, &lives, &mut verdict);
    posts::each_post_has_its_cause(evidence, &mut verdict);
    posts::no_post_goes_back(evidence, &mut verdict);
    verdict
}

fn lives(told: &[Told]) -> BTreeMap<&str, Life> {
    let mut lives: BTreeMap<&str, Life> = BTreeMap::new();
    for told in told {
        let life = lives.entry(&told.key).or_insert_with(|| Life {
            first: told.clone(),
            newest: 0,
            finals: Vec::new(),
            deleted: false,
            revisions: BTreeSet::new(),
        });
        match told.wish {
            Wish::Delete => life.deleted = true,
            Wish::Show { revision, is_final } => {
                life.revisions.insert(revision);
                life.newest = life.newest.max(revision);
                if is_final {
                    life.finals.push(revision);
                }
            }
        }
    }
    lives
}

/// What was accepted has ended in exactly one way, nothing is open, and as many were
/// accepted as the application was told. A deletion that called off what was never posted is
/// no copy-revision of its own.
fn conservation(evidence: &Evidence, verdict: &mut Verdict) {
    let of = |name: &str| evidence.tallies.get(name).copied().unwrap_or(0);
    let ended: i64 = ["delivered", "superseded", "dead", "expired", "cancelled"].into_iter().map(of).sum();
    let open: i64 = evidence.tallies.iter().filter(|(name, _)| name.starts_with("in_flight")).map(|(_, n)| n).sum();
    let called_off = |told: &&Told| {
        told.wish == Wish::Delete
            && evidence.shown.get(&told.key).is_some_and(|message| message["copies"][0]["state"] == "cancelled")
    };
    let told = evidence.told.len() - evidence.told.iter().filter(called_off).count();
    let told = i64::try_from(told).unwrap_or(i64::MAX);
    if of("accepted") != ended + open || open != 0 || of("accepted") != told {
        verdict.broken.push(format!("conservation: {told} were accepted, and the metrics say {:?}", evidence.tallies));
    }
}

/// The incident that lies between two moments, the latest first.
fn incident_between(evidence: &Evidence, from: Instant, until: Instant) -> Option<&Incident> {
    evidence.incidents.iter().rev().find(|incident| incident.from <= until && incident.until >= from)
}

#[cfg(test)]
mod tests;
