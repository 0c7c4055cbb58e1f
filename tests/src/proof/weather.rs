//! What goes wrong between Chatport and the platform, request by request, by lot.

use std::time::Duration;

use super::dice::Dice;

/// What happens to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is done, and no answer ever comes.
    StallAfter,
    /// Nothing is done, and no answer ever comes.
    StallBefore,
    /// It takes so long.
    Slow(Duration),
    /// The connection is cut before anything is done.
    CutBefore,
    /// It is done, and the connection is cut.
    CutAfter,
    /// It is done, and half of the answer comes.
    HalfBody,
    /// It is done, and the answer isn't JSON.
    NotJson,
    /// It is done, and the answer is JSON of another shape.
    WrongJson,
    /// It is done, and the answer is eight megabytes long.
    Huge,
    /// Nothing is done, and this status is answered.
    Refused(u16),
    /// Nothing is done: too many requests, with this `Retry-After`.
    TooMany(&'static str),
}

impl Fault {
    /// Its name, under which duplicates are counted.
    pub fn name(&self) -> &'static str {
        match self {
            Self::StallAfter => "answer never came",
            Self::StallBefore => "stalled",
            Self::Slow(_) => "slow",
            Self::CutBefore => "cut before",
            Self::CutAfter => "cut after",
            Self::HalfBody => "half an answer",
            Self::NotJson => "answer isn't JSON",
            Self::WrongJson => "answer of another shape",
            Self::Huge => "answer too long",
            Self::Refused(_) => "error status",
            Self::TooMany(_) => "too many requests",
        }
    }

    /// Whether the platform does what was asked.
    pub fn is_done(&self) -> bool {
        matches!(
            self,
            Self::StallAfter
                | Self::Slow(_)
                | Self::CutAfter
                | Self::HalfBody
                | Self::NotJson
                | Self::WrongJson
                | Self::Huge
        )
    }
}

/// The weather of a run.
#[derive(Clone, Debug)]
pub struct Weather {
    dice: Dice,
    /// How many of a hundred requests go wrong.
    pub chance: usize,
    /// What may happen to them.
    pub faults: Vec<Fault>,
    /// How long the platform takes, from and to, in milliseconds.
    pub takes: (u64, u64),
}

impl Weather {
    /// A platform that works, and takes a few milliseconds.
    pub fn fair(dice: Dice) -> Self {
        Self { dice, chance: 0, faults: Vec::new(), takes: (2, 40) }
    }

    /// One in which so many of a hundred requests meet one of these faults.
    pub fn foul(dice: Dice, chance: usize, faults: Vec<Fault>) -> Self {
        Self { chance, faults, ..Self::fair(dice) }
    }

    /// What the next request meets, and how long it takes.
    pub fn draw(&mut self) -> (Option<Fault>, Duration) {
        let takes = self.dice.millis(self.takes.0, self.takes.1);
        let is_foul = !self.faults.is_empty() && self.dice.percent(self.chance);
        (is_foul.then(|| self.dice.one(&self.faults).clone()), takes)
    }
}
