//! The judge must be able to condemn: each promise is broken once.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::proof::{ledger::title, weather::Fault, witness::Act};

/// A run in which `a` was put, then `b`, then `a` was revised with a final revision; all went well.
struct Run {
    evidence: Evidence,
    start: Instant,
}

impl Run {
    fn at(&self, millis: u64) -> Instant {
        self.start + Duration::from_millis(millis)
    }

    fn tell(&mut self, key: &str, wish: Wish, from: u64) {
        let (asked, told) = (self.at(from), self.at(from + 5));
        let (key, conversation) = (key.to_owned(), "c1".to_owned());
        self.evidence.told.push(Told { key, conversation, wish, asked, told });
    }

    fn send(&mut self, act: Act, key: &str, revision: i64, post: &str, from: u64) -> &mut Sent {
        let (start, end) = (self.at(from), self.at(from + 10));
        self.evidence.sent.push(Sent {
            made: act == Act::Create,
            act,
            conversation: "c1".into(),
            shows: Some((key.into(), revision)),
            post: Some(post.into()),
            from: start,
            until: Some(end),
            done: Some(end),
            answered: true,
            fault: None,
        });
        self.evidence.sent.last_mut().expect("one")
    }

    fn stands(&mut self, key: &str, revision: i64, post: &str) {
        let copy = json!({ "state": "delivered", "shown_revision": revision, "posts": [post] });
        self.evidence.shown.insert(key.into(), json!({ "revision": revision, "copies": [copy] }));
        self.evidence.standing.insert(post.into(), title(key, revision));
    }

    fn good() -> Self {
        let mut run = Self { evidence: Evidence::default(), start: Instant::now() };
        let show = |revision, is_final| Wish::Show { revision, is_final };
        run.tell("a", show(1, false), 0);
        run.tell("b", show(1, false), 10);
        run.tell("a", show(2, true), 20);
        run.send(Act::Create, "a", 1, "p1", 30);
        run.send(Act::Create, "b", 1, "p2", 50);
        run.send(Act::Edit, "a", 2, "p1", 70);
        run.stands("a", 2, "p1");
        run.stands("b", 1, "p2");
        run.evidence.tallies = [("accepted".into(), 3), ("delivered".into(), 3)].into();
        run
    }

    /// The one promise that is broken.
    fn breaks(&self, promise: &str) {
        let broken = judge(&self.evidence).broken;
        assert_eq!(broken.len(), 1, "{broken:#?}");
        assert!(broken[0].starts_with(promise), "{broken:#?}");
    }
}

#[test]
fn a_good_run_breaks_nothing() {
    let verdict = judge(&Run::good().evidence);
    assert!(verdict.broken.is_empty(), "{:#?}", verdict.broken);
    assert_eq!((verdict.accepted, verdict.messages, verdict.posts), (3, 2, 2));
}

#[test]
fn an_acknowledged_message_that_the_api_forgot_is_lost() {
    let mut run = Run::good();
    run.evidence.shown.remove("b");
    run.breaks("lost: b");
}

#[test]
fn a_message_that_shows_an_old_revision_is_lost() {
    let mut run = Run::good();
    run.evidence.standing.insert("p1".into(), title("a", 1));
    run.breaks("lost: a");
}

#[test]
fn a_deleted_message_that_stands_is_lost() {
    let mut run = Run::good();
    run.tell("b", Wish::Delete, 100);
    run.evidence.tallies = [("accepted".into(), 4), ("delivered".into(), 4)].into();
    run.breaks("lost: b");
}

#[test]
fn tallies_that_do_not_add_up_break_the_law() {
    let mut run = Run::good();
    run.evidence.tallies.insert("delivered".into(), 2);
    run.breaks("conservation");
}

#[test]
fn a_final_revision_that_was_merged_away_is_missed() {
    let mut run = Run::good();
    run.tell("a", Wish::Show { revision: 3, is_final: false }, 25);
    run.evidence.sent.pop();
    run.send(Act::Edit, "a", 3, "p1", 70);
    run.stands("a", 3, "p1");
    run.evidence.tallies = [("accepted".into(), 4), ("delivered".into(), 4)].into();
    run.breaks("final: revision 2 of a");
}

#[test]
fn two_sends_at_once_overlap() {
    let mut run = Run::good();
    let late = run.at(55);
    run.evidence.sent[0].until = Some(late);
    run.breaks("overlap in c1");
}

#[test]
fn a_later_message_must_not_overtake() {
    let mut run = Run::good();
    let late = [run.at(60), run.at(65)];
    run.evidence.sent[0].from = late[0];
    run.evidence.sent[0].until = Some(late[1]);
    run.evidence.sent[0].done = Some(late[1]);
    let early = [run.at(30), run.at(40)];
    run.evidence.sent[1].from = early[0];
    run.evidence.sent[1].until = Some(early[1]);
    run.breaks("order: b was posted before a");
}

#[test]
fn a_second_post_needs_a_cause() {
    let mut run = Run::good();
    run.send(Act::Create, "b", 1, "p3", 90);
    let broken = judge(&run.evidence).broken;
    assert!(broken.iter().any(|broken| broken.starts_with("posted again without a cause: b")), "{broken:#?}");
    let (from, until) = (run.at(65), run.at(68));
    run.evidence.incidents.push(Incident { cause: "kill", from, until });
    let verdict = judge(&run.evidence);
    assert!(verdict.broken.is_empty(), "{:#?}", verdict.broken);
    assert_eq!(verdict.duplicates, [("kill", 1)].into());
}

#[test]
fn a_lost_answer_is_a_cause() {
    let mut run = Run::good();
    run.evidence.sent[1].fault = Some(Fault::CutAfter);
    run.evidence.sent[1].answered = false;
    run.send(Act::Create, "b", 1, "p2", 90).made = false;
    let verdict = judge(&run.evidence);
    assert!(verdict.broken.is_empty(), "{:#?}", verdict.broken);
    assert_eq!(verdict.sent_again, [("cut after", 1)].into());
    assert!(verdict.duplicates.is_empty(), "the platform recognized it");
}

#[test]
fn a_refusal_in_between_excuses_no_second_post() {
    let mut run = Run::good();
    let refused = run.send(Act::Create, "b", 1, "", 90);
    (refused.made, refused.done, refused.answered) = (false, None, false);
    refused.fault = Some(Fault::TooMany("1"));
    run.send(Act::Create, "b", 1, "p3", 110);
    let broken = judge(&run.evidence).broken;
    assert!(broken.iter().any(|broken| broken.starts_with("stands twice without a cause: b")), "{broken:#?}");
}

#[test]
fn a_post_must_not_go_back() {
    let mut run = Run::good();
    run.send(Act::Edit, "a", 1, "p1", 90);
    run.breaks("went back: a shows revision 1 after 2");
}
