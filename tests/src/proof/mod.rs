//! The black-box rigs that show what delivery promises: they run the real program over real
//! databases, let it die, freeze and starve at random moments, and judge what is left by one
//! checker. What was told to the application and what a platform saw is written down
//! outside the program.

pub mod application;
pub mod checker;
pub mod dice;
pub mod disk;
pub mod ledger;
pub mod line;
pub mod postgres;
pub mod report;
pub mod weather;
pub mod witness;
pub mod world;

use std::env;

use dice::Dice;

/// How often each rig does what it does: in the suites, and in the long form.
pub const ROUNDS: &[(&str, u64, u64)] = &[
    ("kill_sqlite", 300, 10_000),
    ("kill_replica", 50, 1_000),
    ("postgres_restart", 10, 500),
    ("freeze", 4, 400),
    ("terminate", 20, 2_000),
    ("disk_full", 4, 100),
    ("database_away", 7, 70),
    ("faulty_platform", 6, 200),
];

/// What one run of a rig is to do. The seed decides what is drawn by lot.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The rig.
    pub rig: &'static str,
    /// How many rounds.
    pub rounds: u64,
    /// The seed.
    pub seed: u64,
    /// Whether this is the long form.
    pub long: bool,
}

impl Plan {
    /// The plan of a rig: from the table, unless `CHATPORT_PROOF` says `long`,
    /// `CHATPORT_PROOF_ROUNDS` how many, or `CHATPORT_PROOF_SEED` which.
    pub fn of(rig: &str) -> Self {
        let row = ROUNDS.iter().find(|(name, ..)| *name == rig);
        let (rig, short, long_rounds) = *row.unwrap_or_else(|| panic!("the table of rounds has no rig {rig}"));
        let long = env::var("CHATPORT_PROOF").is_ok_and(|form| form == "long");
        let number = |name: &str| {
            let text = env::var(name).ok().filter(|text| !text.is_empty())?;
            Some(text.parse().unwrap_or_else(|_| panic!("{name} isn't a number: {text}")))
        };
        let rounds = number("CHATPORT_PROOF_ROUNDS").unwrap_or(if long { long_rounds } else { short });
        let seed = number("CHATPORT_PROOF_SEED").unwrap_or_else(Dice::any_seed);
        Self { rig, rounds, seed, long }
    }

    /// Split the rounds into lots of at most `size`, each with dice of its own.
    pub fn lots(&self, size: u64) -> Vec<(u64, Dice)> {
        let whole = self.rounds / size;
        let rest = self.rounds % size;
        let sizes = (0..whole).map(|_| size).chain((rest > 0).then_some(rest));
        sizes.enumerate().map(|(number, rounds)| (rounds, Dice::of(self.seed, number as u64))).collect()
    }
}
