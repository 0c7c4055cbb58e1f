//! The conformance suite itself: a backend that is right passes all of it, and for each
//! behaviour there is a backend that is wrong in this alone, and is found out.

mod backend;
mod flaw;
mod guide;
mod hearing;
mod matrix;
mod mattermost;
mod msteams;
mod parts;
mod platform;
mod sandbox;
mod telegram;

use std::{collections::BTreeSet, sync::Arc};

use backend::LoftBackend;
use chatport_sdk::{
    prelude::*,
    testkit::{
        Fixture, Platform,
        conformance::{BEHAVIOURS, Part, Verdict, examine},
    },
};
use flaw::{FLAWS, Flaw};
use platform::Loft;

/// Loft and its backend, with this flaw.
struct LoftFixture(Option<Flaw>);

impl Fixture for LoftFixture {
    fn backend(&self) -> Arc<dyn MessagingBackend> {
        Arc::new(LoftBackend::with(self.0))
    }

    fn platform(&self) -> Arc<dyn Platform> {
        Arc::new(Loft::default())
    }
}

mod a_backend_that_is_right {
    chatport_sdk::conformance!(super::LoftFixture(None));
}

mod mattermost_bot {
    chatport_sdk::conformance!(crate::mattermost::MattermostFixture);
}

mod msteams_bot {
    chatport_sdk::conformance!(crate::msteams::TeamsFixture);
}

mod sandbox_world {
    chatport_sdk::conformance!(crate::sandbox::SandboxFixture::new());
}

mod telegram_bot {
    chatport_sdk::conformance!(crate::telegram::TelegramFixture);
}

#[test]
fn a_backend_that_is_right_offers_every_part_and_shows_it() {
    let report = examine(&LoftFixture(None));
    let unseen: Vec<_> = report.rows.iter().filter(|(_, verdict)| *verdict != Verdict::Holds).collect();
    assert!(unseen.is_empty(), "{unseen:?}");
    assert!(report.proven().values().all(|proven| *proven));
}

#[test]
fn each_flaw_is_found_out() {
    for (flaw, name) in FLAWS {
        let behaviour = BEHAVIOURS.iter().find(|behaviour| behaviour.name == *name).expect("a behaviour of this name");
        let verdict = behaviour.play(&LoftFixture(Some(*flaw)));
        assert!(matches!(verdict, Verdict::Broken(_)), "{flaw:?} was not found out by {name}: {verdict:?}");
    }
}

#[test]
fn each_behaviour_has_a_flaw_that_it_finds_out() {
    let found: BTreeSet<&str> = FLAWS.iter().map(|(_, name)| *name).collect();
    let all: BTreeSet<&str> = BEHAVIOURS.iter().map(|behaviour| behaviour.name).collect();
    assert_eq!(found, all);
}

#[test]
fn a_part_with_a_flaw_is_not_proven() {
    let report = examine(&LoftFixture(Some(Flaw::EditPostsAnew)));
    let unproven: Vec<_> = report.proven().into_iter().filter(|(_, proven)| !proven).map(|(part, _)| part).collect();
    assert_eq!(unproven, [Part::Edit]);
}
