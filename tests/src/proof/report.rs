//! What a rig prints: a few lines, on standard error, where the test runner leaves them.

use std::{
    fmt::Write as _,
    io::Write as _,
    time::{Duration, Instant},
};

use super::{Plan, application::Refusals, checker::Verdict};

/// The result of a rig.
#[derive(Debug)]
pub struct Report {
    plan: Plan,
    begun: Instant,
    pub verdict: Verdict,
    /// How long it took until the first delivery after each incident.
    recoveries: Vec<Duration>,
    waits: Vec<Duration>,
    refusals: Refusals,
    /// Further lines.
    pub notes: Vec<String>,
}

impl Report {
    /// A report on a plan that begins now.
    pub fn begin(plan: &Plan) -> Self {
        say(&format!("{}: {} rounds, seed {}", plan.rig, plan.rounds, plan.seed));
        Self {
            plan: plan.clone(),
            begun: Instant::now(),
            verdict: Verdict::default(),
            recoveries: Vec::new(),
            waits: Vec::new(),
            refusals: Refusals::default(),
            notes: Vec::new(),
        }
    }

    /// Add one lot.
    pub fn add(&mut self, verdict: Verdict, recoveries: Vec<Duration>, waits: Vec<Duration>, refusals: Refusals) {
        self.verdict.add(verdict);
        self.waits.extend(waits);
        self.recoveries.extend(recoveries);
        self.refusals.slowest = self.refusals.slowest.max(refusals.slowest);
        self.refusals.unexpected.extend(refusals.unexpected);
        for (kind, count) in refusals.kinds {
            *self.refusals.kinds.entry(kind).or_default() += count;
        }
    }

    /// How often requests were refused for this reason.
    pub fn refused(&self, kind: &str) -> u64 {
        self.refusals.kinds.get(kind).copied().unwrap_or(0)
    }

    /// The slowest refusal.
    pub fn slowest_refusal(&self) -> Duration {
        self.refusals.slowest
    }

    /// Print it, and fail if a promise was broken.
    pub fn conclude(mut self) {
        let (rounds, seconds) = (self.plan.rounds, self.begun.elapsed().as_secs());
        let verdict = &self.verdict;
        let lost = verdict.broken.iter().filter(|broken| broken.starts_with("lost")).count();
        let mut text = format!(
            "{}: {rounds} rounds in {seconds} s, seed {}\n    {} requests accepted for {} messages, {lost} lost, {} broken promises; {} posts",
            self.plan.rig,
            self.plan.seed,
            verdict.accepted,
            verdict.messages,
            verdict.broken.len(),
            verdict.posts,
        );
        let _ = write!(text, "\n    posts too many: {}", counts(&verdict.duplicates));
        let _ = write!(text, "\n    creations sent again: {}", counts(&verdict.sent_again));
        if !self.refusals.kinds.is_empty() {
            let slowest = self.refusals.slowest.as_millis();
            let _ =
                write!(text, "\n    requests repeated after: {}; slowest {slowest} ms", counts(&self.refusals.kinds));
        }
        let times =
            [("first delivery after a restart", &mut self.recoveries), ("acceptance to first post", &mut self.waits)];
        for (what, times) in times {
            if !times.is_empty() {
                let _ = write!(text, "\n    {what}: {}", spread(times));
            }
        }
        for note in &self.notes {
            let _ = write!(text, "\n    {note}");
        }
        if verdict.broken.is_empty() && rounds > 0 {
            let bound = 300.0 / rounds as f64;
            let _ =
                write!(text, "\n    0 losses in {rounds} rounds: fewer than {bound:.3} % of rounds lose one, at 95 %");
        }
        say(&text);
        let broken = [self.verdict.broken.as_slice(), &self.refusals.unexpected].concat();
        let some: Vec<&String> = broken.iter().take(20).collect();
        assert!(broken.is_empty(), "{}: seed {}: {} broken: {some:#?}", self.plan.rig, self.plan.seed, broken.len());
    }
}

fn spread(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize].as_millis();
    format!("p50 {} ms, p99 {} ms, longest {} ms, {} times", at(0.5), at(0.99), at(1.0), times.len())
}

fn counts<K: std::fmt::Display>(of: &std::collections::BTreeMap<K, u64>) -> String {
    if of.is_empty() {
        return "0".into();
    }
    of.iter().map(|(kind, count)| format!("{count} ({kind})")).collect::<Vec<_>>().join(", ")
}

/// Print a line at once, beside what the test runner captures.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "proof {text}");
}
