//! The judge of the model. It shares no code with the rules: it keeps what was asked and
//! answered, looks at the rows before and after each step, and knows what must hold.

use std::collections::{BTreeMap, BTreeSet};

use chatport_host::{
    delivery::{
        AcceptError, Accepted, Operation,
        message::PutMessage,
        store::{Outcome, Recorded, What, Work},
    },
    store::entities::copies,
};
use uuid::Uuid;

use crate::{system::Recording, view::View};

/// How long a lease lasts, in microseconds.
const LEASE: i64 = 60_000_000;

/// How many due copies of a stream are looked at at once.
const HEADS: usize = 4;

/// What was asked for last under a key.
#[derive(Clone, Debug)]
pub struct Asked {
    pub operation: Operation,
    copies: Vec<Uuid>,
    finals: BTreeSet<i64>,
}

#[derive(Clone, Debug)]
struct Held {
    owner: Uuid,
    fence: i64,
    until: i64,
    /// Given back, or perhaps: the answer wasn't heard.
    is_free: bool,
    may_be_free: bool,
}

/// What was done in a step.
pub enum Done<'a> {
    Accepted { operations: &'a [Operation], answers: &'a [Result<Accepted, AcceptError>], taken: &'a [Work] },
    Leased { owner: Uuid, taken: &'a [Work], elsewhere: &'a BTreeSet<Uuid> },
    Recorded(&'a [Recording]),
    Parts(&'a Work, bool),
    Expired,
    Folded,
    Deleted(&'a (String, String)),
    Replayed(&'a [Uuid]),
    Abandoned { owner: Uuid, held: &'a BTreeSet<Uuid> },
    Nothing,
}

/// A copy's revision; the third tells a replay or a removal from what was before it.
type Lives = BTreeSet<(Uuid, i64, u32)>;

/// The judge.
#[derive(Default)]
pub struct Checker {
    pub asked: BTreeMap<(String, String), Asked>,
    held: BTreeMap<Uuid, Held>,
    ended: Lives,
    generations: BTreeMap<Uuid, u32>,
    /// Under which fence each copy was taken last.
    taken_under: BTreeMap<Uuid, i64>,
    /// Whether a copy that is on its way was in doubt when it was taken.
    doubts: BTreeMap<Uuid, bool>,
    /// Copies that were given up while nobody knew whether they had arrived.
    given_up_in_doubt: BTreeSet<Uuid>,
    /// The revision that last left a copy out: what it should have shown before isn't wanted.
    left_out: BTreeMap<Uuid, i64>,
}

impl Checker {
    /// Judge a step.
    pub fn check(&mut self, done: &Done<'_>, before: &View, after: &View) {
        let taken: Vec<&Work> = match done {
            Done::Accepted { operations, answers, taken } => {
                self.check_answers(operations, answers, before, after);
                taken.iter().collect()
            }
            Done::Leased { taken, .. } => taken.iter().collect(),
            Done::Recorded(recordings) => self.check_records(recordings, before, after),
            Done::Parts(work, held) => {
                assert_eq!(*held, self.holds(work), "only the holder of a lease may record parts");
                self.renew(work, after.now);
                Vec::new()
            }
            Done::Expired => {
                check_expiry(before, after);
                Vec::new()
            }
            Done::Folded => {
                check_folds(before, after);
                Vec::new()
            }
            Done::Abandoned { owner, held } => {
                let is_left = |(stream, lease): &(&Uuid, &mut Held)| lease.owner == *owner && !held.contains(*stream);
                self.held.iter_mut().filter(is_left).for_each(|(_, lease)| lease.is_free = true);
                Vec::new()
            }
            Done::Deleted(key) => {
                let message = after.messages.get(*key).map(|message| message.id);
                let own = after.copies.values().filter(|copy| message.is_some() && copy.message == message);
                self.left_out.extend(own.map(|copy| (copy.id, copy.revision)));
                Vec::new()
            }
            Done::Replayed(_) | Done::Nothing => Vec::new(),
        };
        for work in taken {
            self.check_taken(work, matches!(done, Done::Recorded(_)), after);
        }
        self.check_fences(after);
        self.check_ends(done, before, after);
        self.check_doubts(done, before, after);
        if let Done::Leased { owner, elsewhere, .. } = done {
            self.check_nothing_was_overlooked(*owner, elsewhere, after);
        }
        check_law(after);
        check_events(after);
        check_streams_wake(after);
    }

    /// What a request must be answered, from what was asked before.
    fn check_answers(
        &mut self,
        operations: &[Operation],
        answers: &[Result<Accepted, AcceptError>],
        before: &View,
        after: &View,
    ) {
        let mut last_of_batch: BTreeMap<(String, String), usize> = BTreeMap::new();
        for (index, (operation, answer)) in operations.iter().zip(answers).enumerate() {
            let key = (operation.organization.to_string(), operation.key.clone());
            let known = self.asked.get(&key);
            let newest = known.map(|asked| asked.operation.put.revision);
            match (answer, newest) {
                (Ok(accepted), Some(newest)) if operation.put.revision < newest => {
                    assert!(accepted.is_older && !accepted.changed, "a lower revision changes nothing");
                    assert_eq!(accepted.revision, newest);
                }
                (answer, Some(newest)) if operation.put.revision == newest => {
                    let known = known.expect("it was asked");
                    match known.operation.fingerprint == operation.fingerprint {
                        true => {
                            let accepted = answer.as_ref().expect("a repeated request is answered");
                            assert!(!accepted.changed, "a repeated request changes nothing");
                            assert_eq!(ids(accepted), known.copies, "a repeated request gets the first answer");
                        }
                        false => assert!(matches!(answer, Err(AcceptError::Conflict(_))), "{answer:?}"),
                    }
                }
                (Ok(accepted), _) => {
                    assert!(accepted.changed && !accepted.is_older, "a new revision is accepted");
                    assert_eq!(accepted.copies.len(), operation.planned.len(), "each target has a copy");
                    let mut finals = known.map(|asked| asked.finals.clone()).unwrap_or_default();
                    if operation.put.is_final {
                        finals.insert(operation.put.revision);
                    }
                    let copies = ids(accepted);
                    let left = known.iter().flat_map(|asked| &asked.copies).filter(|copy| !copies.contains(copy));
                    self.left_out.extend(left.map(|copy| (*copy, operation.put.revision)));
                    let asked = Asked { operation: operation.clone(), copies, finals };
                    self.asked.insert(key.clone(), asked);
                    last_of_batch.insert(key, index);
                }
                (Err(error), _) => panic!("a new revision must be accepted: {error:?}"),
            }
        }
        for (key, index) in &last_of_batch {
            let is_alone = operations.iter().filter(|other| other.key == key.1).count() == 1;
            let operation = &operations[*index];
            for copy in self.asked[key].copies.iter().filter_map(|id| after.copies.get(id)) {
                assert_eq!(copy.revision, operation.put.revision, "a copy is to show the newest revision");
                if copy.stream.is_none() {
                    assert_eq!(copy.state, "dead");
                    continue;
                }
                assert_eq!(copy.expires_at, operation.expires_at.as_micros());
                let due = operation.due_at.as_micros();
                let was = before.copies.get(&copy.id).map_or("new", |row| row.state.as_str());
                match was {
                    "sending" | "finding" => assert!(copy.due_at >= Some(due), "it waits for its time"),
                    "unknown" | "retry" => {}
                    _ if is_alone => assert_eq!(copy.due_at, Some(due), "a new revision is due in its own time"),
                    _ => {}
                }
            }
        }
    }

    fn holds(&self, work: &Work) -> bool {
        self.held
            .get(&work.lease.stream.0)
            .is_some_and(|held| !held.is_free && held.owner == work.lease.owner && held.fence == work.lease.fence)
    }

    fn renew(&mut self, work: &Work, now: i64) {
        if self.holds(work)
            && let Some(held) = self.held.get_mut(&work.lease.stream.0)
        {
            held.until = now + LEASE;
        }
    }

    fn check_records<'a>(&mut self, recordings: &'a [Recording], before: &View, after: &View) -> Vec<&'a Work> {
        let mut taken = Vec::new();
        let mut lost = 0;
        for Recording { record, answer, heard, is_repeated } in recordings {
            let (work, stream) = (&record.work, record.work.lease.stream.0);
            let is_holder = self.holds(work);
            self.doubts.remove(&work.copy.0);
            match answer {
                Recorded::Lost => {
                    let may_be_free = self.held.get(&stream).is_some_and(|held| held.may_be_free);
                    assert!(!is_holder || may_be_free, "who holds the lease may write");
                    lost += 1;
                }
                _ if !is_holder => panic!("a result under an old fence was written: {work:?}"),
                Recorded::Next(next) => {
                    assert_eq!(next.lease, work.lease, "what comes next comes under the same lease");
                    assert!(record.go_on, "nobody asked for more");
                    self.renew(work, after.now);
                    taken.push(next.as_ref());
                }
                Recorded::Released => self.free(stream, *heard),
            }
            if !heard && let Some(held) = self.held.get_mut(&stream) {
                held.may_be_free |= matches!(answer, Recorded::Released);
            }
            // Its time may have run out while its lease had.
            let row = &before.copies[&work.copy.0];
            // And a removal ends when a revision of its number takes its place.
            let is_another = row.removal != work.removal && row.revision == work.revision;
            if row.is_taken() && !is_another && !is_repeated && !matches!(answer, Recorded::Lost) {
                check_outcome(record.work.copy.0, record.work.revision, &record.outcome, before, after);
            }
        }
        if lost == recordings.len() && lost > 0 {
            let was = View { now: after.now, ..before.clone() };
            assert!(was == *after, "a result under an old fence changes nothing");
        }
        taken
    }

    /// A lease under which there turned out to be nothing to send has been given back at once;
    /// only its fence tells of it.
    fn check_fences(&mut self, after: &View) {
        for (id, stream) in &after.streams {
            let Some(held) = self.held.get_mut(id).filter(|held| held.fence != stream.fence) else { continue };
            assert!(held.fence < stream.fence, "a fence never goes back: {held:?} {stream:?}");
            assert!(held.is_free || held.until <= after.now, "a live lease was taken away: {held:?} {stream:?}");
            *held = Held { owner: Uuid::nil(), fence: stream.fence, until: 0, is_free: true, may_be_free: false };
        }
    }

    fn free(&mut self, stream: Uuid, heard: bool) {
        if let Some(held) = self.held.get_mut(&stream) {
            held.is_free = true;
            held.may_be_free |= !heard;
        }
    }

    /// Somebody got work: it must be their turn, and the work's.
    fn check_taken(&mut self, work: &Work, goes_on: bool, after: &View) {
        let (now, lease) = (after.now, &work.lease);
        let is_again = self.taken_under.insert(work.copy.0, lease.fence) == Some(lease.fence);
        let was_unsure = self.doubts.insert(work.copy.0, work.unsure);
        let is_as_before = was_unsure.is_none_or(|was| was == work.unsure);
        assert!(!is_again || is_as_before, "what is taken once more is in as much doubt as before");
        if !goes_on {
            if let Some(held) = self.held.get(&lease.stream.0) {
                assert!(held.is_free || held.until <= now, "two hold the lease of one stream: {held:?} {lease:?}");
                assert!(lease.fence > held.fence, "a fence grows with each lease");
            }
            let held =
                Held { owner: lease.owner, fence: lease.fence, until: now + LEASE, is_free: false, may_be_free: false };
            self.held.insert(lease.stream.0, held);
        }
        let stream = &after.streams[&lease.stream.0];
        assert_eq!((stream.owner, stream.fence), (Some(lease.owner), lease.fence), "the lease stands in the store");
        assert_eq!(stream.lease_until, now + LEASE, "a lease lasts a minute from now");
        assert!(stream.held_until <= now, "a stream that is held is left alone");
        let held = stream.installation.and_then(|id| after.installations.get(&id)).map_or(0, |row| row.0);
        assert!(held <= now, "what an installation's hold names is left alone");
        let copy = &after.copies[&work.copy.0];
        assert!(copy.is_open && copy.is_taken() && copy.sending == Some(work.revision), "{copy:?}");
        assert!(copy.due_at.is_some_and(|due| due <= now), "only what is due is sent");
        let first = in_stream(after, lease.stream.0)
            .filter(|other| other.due_at.is_some_and(|due| due <= now))
            .min_by_key(|other| (other.sequence, other.id));
        // What was taken before, in a commit whose answer was lost, stays so.
        assert!(is_again || first.map(|first| first.id) == Some(copy.id), "what was accepted first goes first");
        assert!(copy.shown.is_none_or(|shown| work.removal || shown <= work.revision), "no way back: {copy:?}");
        self.check_content(work, copy, after);
    }

    fn check_content(&self, work: &Work, copy: &copies::Model, after: &View) {
        let What::Message { put, key, .. } = &work.what else { return };
        let message = &after.messages[&(work.lease.organization.to_string(), key.clone())];
        assert_eq!(Some(message.id), copy.message);
        if is_summary(key) {
            return check_summary(put, copy, after);
        }
        let asked = &self.asked[&(work.lease.organization.to_string(), key.clone())];
        if copy.pinned.is_some() {
            assert!(put.is_final, "what is kept back is final");
            assert!(asked.finals.contains(&put.revision));
        }
        if asked.copies.contains(&copy.id) && !work.removal && !message.deleted {
            assert_eq!(put.revision, work.revision, "the content is that of the revision");
        }
    }

    /// What became of the revisions that were alive before.
    fn check_ends(&mut self, done: &Done<'_>, before: &View, after: &View) {
        for (id, row) in &after.copies {
            let Some(was) = before.copies.get(id).filter(|was| *was != row) else { continue };
            if was.removal != row.removal || matches!(done, Done::Replayed(copies) if copies.contains(id)) {
                *self.generations.entry(*id).or_default() += 1;
            }
            let fence = row.stream.and_then(|id| after.streams.get(&id)).map(|stream| stream.fence);
            // Of the due ones a few are looked at; what stands behind those isn't recognized.
            let is_before = |other: &&copies::Model| {
                other.sequence < row.sequence && other.due_at.is_some_and(|due| due <= after.now)
            };
            let is_seen = row.stream.is_some_and(|stream| in_stream(before, stream).filter(is_before).count() < HEADS);
            let is_own = self.taken_under.get(id).copied() == fence && is_seen;
            assert!(row.crashes <= was.crashes || !is_own, "who has the lease hasn't crashed: {was:?} {row:?}");
            assert!(row.shown >= was.shown, "what is shown never gets older: {was:?} {row:?}");
        }
        let generations = &self.generations;
        let lives = |view: &View| -> Lives {
            let generation = |id: &Uuid| generations.get(id).copied().unwrap_or_default();
            let rows = view.copies.iter().filter(|(_, row)| row.message.is_some());
            rows.flat_map(|(id, row)| alive(row).into_iter().map(move |revision| (*id, revision, generation(id))))
                .collect()
        };
        let (was, is) = (lives(before), lives(after));
        let back: Vec<_> = is.intersection(&self.ended).collect();
        assert!(back.is_empty(), "what had ended is alive again: {back:?}");
        let told: BTreeSet<(Uuid, i64)> =
            after.events[before.events.len()..].iter().map(|event| told(&event.3)).collect();
        for (id, revision, generation) in was.difference(&is) {
            self.ended.insert((*id, *revision, *generation));
            if told.contains(&(*id, *revision)) {
                continue;
            }
            let row = &after.copies[id];
            let is_superseded = alive(row).iter().any(|other| other > revision);
            let is_called_off = matches!(done, Done::Accepted { .. } | Done::Deleted(_));
            let is_expired_behind = matches!(done, Done::Expired) && row.state == "expired";
            let newer_was_sent = told.iter().any(|(copy, other)| copy == id && other > revision);
            assert!(
                is_superseded || is_called_off || is_expired_behind || newer_was_sent,
                "revision {revision} vanished: {row:?}"
            );
            self.check_final(row, *revision, is_called_off);
        }
    }

    /// What was given up in doubt is found out before anything more is done about it.
    fn check_doubts(&mut self, done: &Done<'_>, before: &View, after: &View) {
        for (id, was) in &before.copies {
            let row = &after.copies[id];
            let was_in_doubt = match was.state.as_str() {
                "unknown" | "doubtful" | "finding" => true,
                "sending" => matches!(done, Done::Expired),
                _ => false,
            };
            if was.is_open && !row.is_open {
                // It may be in more doubt afterwards than its own process was.
                self.doubts.remove(id);
            }
            if was.is_open && was_in_doubt && matches!(row.state.as_str(), "dead" | "expired" | "cancelled") {
                self.given_up_in_doubt.insert(*id);
            } else if row.is_open && self.given_up_in_doubt.remove(id) {
                assert!(matches!(row.state.as_str(), "doubtful" | "finding"), "a doubt is forgotten: {was:?} {row:?}");
            }
        }
    }

    /// A final revision isn't merged into one that isn't final.
    fn check_final(&self, row: &copies::Model, revision: i64, may_be_called_off: bool) {
        let of_message = |asked: &&Asked| asked.copies.contains(&row.id) && !row.removal;
        let Some(asked) = self.asked.values().find(of_message) else { return };
        let is_left_out = self.left_out.get(&row.id).is_some_and(|left| *left >= revision);
        if !asked.finals.contains(&revision) || row.log_id.is_some() || is_left_out {
            return;
        }
        let newer_final = asked.finals.iter().any(|other| *other > revision && *other <= row.revision);
        let is_cancelled = may_be_called_off && !row.is_open;
        assert!(newer_final || is_cancelled, "final revision {revision} was merged away: {row:?}");
    }

    /// After a process with free seats has leased, nothing that may be sent is left.
    fn check_nothing_was_overlooked(&self, owner: Uuid, elsewhere: &BTreeSet<Uuid>, after: &View) {
        for (id, stream) in &after.streams {
            let now = after.now;
            let installation = stream.installation.and_then(|id| after.installations.get(&id)).map_or(0, |row| row.0);
            let is_leased = stream.owner.is_some() && stream.lease_until > now;
            if is_leased || stream.held_until > now || installation > now || elsewhere.contains(id) {
                continue;
            }
            let waits = in_stream(after, *id).find(|copy| copy.due_at.is_some_and(|due| due <= now));
            assert!(waits.is_none(), "{owner} overlooked {waits:?} in {stream:?}");
        }
    }

    /// Everything has been sent that could be: each copy shows the newest revision, nothing
    /// is open, every lease has been given back.
    pub fn check_drained(&self, view: &View) {
        for copy in view.copies.values() {
            assert!(!copy.is_open && copy.pinned.is_none(), "still open: {copy:?}");
            let may_have_arrived = matches!(copy.state.as_str(), "dead" | "expired" | "cancelled");
            assert!(copy.sending.is_none() || may_have_arrived, "still on its way: {copy:?}");
            assert!(copy.due_at.is_none(), "{copy:?}");
            if copy.state == "delivered" && copy.event.is_none() {
                assert_eq!(copy.shown, Some(copy.revision), "the newest revision is shown: {copy:?}");
            }
        }
        for asked in self.asked.values() {
            for copy in asked.copies.iter().filter_map(|id| view.copies.get(id)).filter(|copy| !copy.removal) {
                assert_eq!(copy.revision, asked.operation.put.revision, "the newest revision is meant: {copy:?}");
            }
        }
        for stream in view.streams.values() {
            assert!(stream.owner.is_none() && stream.due_at.is_none(), "a stream that has nothing sleeps: {stream:?}");
        }
    }
}

fn ids(accepted: &Accepted) -> Vec<Uuid> {
    accepted.copies.iter().map(|copy| copy.id.0).collect()
}

fn in_stream(view: &View, stream: Uuid) -> impl Iterator<Item = &copies::Model> {
    view.copies.values().filter(move |copy| copy.stream == Some(stream))
}

/// The revisions of a copy that have not ended.
fn alive(row: &copies::Model) -> BTreeSet<i64> {
    let newest = row.is_open.then_some(row.revision);
    let on_its_way = row.sending.filter(|sending| *sending != row.revision);
    [newest, on_its_way, row.pinned].into_iter().flatten().collect()
}

/// Of which copy and revision an event tells.
fn told(body: &str) -> (Uuid, i64) {
    let event: serde_json::Value = serde_json::from_str(body).expect("an event is JSON");
    let copy = event["data"]["copy"]["id"].as_str().and_then(|id| id.parse().ok()).expect("an event names its copy");
    (copy, event["data"]["revision"].as_i64().expect("an event names the revision"))
}

/// An outcome is written as what it is.
fn check_outcome(copy: Uuid, revision: i64, outcome: &Outcome, before: &View, after: &View) {
    let row = &after.copies[&copy];
    if row.event.is_some() {
        return;
    }
    let new = after.events[before.events.len()..].iter().filter(|event| told(&event.3) == (copy, revision));
    let kinds: Vec<&str> = new.map(|event| event.2.as_str()).collect();
    let expected: &[&str] = match outcome {
        Outcome::Delivered => &["message.delivered"],
        Outcome::Dead { .. } | Outcome::Expired => &["message.failed"],
        _ => &[],
    };
    assert_eq!(kinds, expected, "an end is told once, and nothing else is: {outcome:?} {row:?}");
    if let (Outcome::Retry { at, .. }, true) = (outcome, row.state == "retry") {
        assert_eq!(row.due_at, Some(at.as_micros()), "it is tried again then");
    }
}

/// What had run out of time has ended, and nothing else.
fn check_expiry(before: &View, after: &View) {
    for (id, was) in &before.copies {
        let (row, now) = (&after.copies[id], after.now);
        let stream = was.stream.and_then(|id| before.streams.get(&id));
        let is_leased = stream.is_some_and(|stream| stream.owner.is_some() && stream.lease_until > now);
        let has_ended = was.is_open && row.state == "expired";
        assert_eq!(has_ended, was.is_open && was.expires_at <= now && !is_leased, "expiry is exact: {was:?}");
    }
}

fn is_summary(key: &str) -> bool {
    key.starts_with("chatport.summary.")
}

/// A summary has a line for each that waits for it.
fn check_summary(put: &PutMessage, summary: &copies::Model, after: &View) {
    let lines = put.content.text.lines().count();
    let waiting = after.copies.values().filter(|copy| copy.folded_into == summary.message && copy.is_open).count();
    assert!(lines >= waiting && lines >= 2, "a summary leaves nobody out: {put:?}");
}

/// Only first posts that wait are folded, into one summary of their conversation; one whose
/// summary was shown has ended, and else it is due again.
fn check_folds(before: &View, after: &View) {
    for (id, was) in &before.copies {
        let row = &after.copies[id];
        if was == row {
            continue;
        }
        match (was.folded_into, row.folded_into) {
            (None, Some(message)) => {
                let is_first_post = was.parts == "[]" && was.shown.is_none() && was.state == "pending";
                assert!(is_first_post && was.urgency < 2 && was.log_id.is_none() && was.root.is_none(), "{was:?}");
                assert!(was.due_at.is_some_and(|due| due <= after.now), "only what waits is folded: {was:?}");
                let summary = after.copies.values().find(|copy| copy.message == Some(message)).expect("a summary");
                assert_eq!((summary.stream, &summary.address), (was.stream, &was.address));
                assert!(row.is_open && row.due_at.is_none() && row.state == "pending", "{row:?}");
            }
            (Some(message), _) => {
                let summary = before.copies.values().find(|copy| copy.message == Some(message)).expect("a summary");
                assert!(!summary.is_open, "whoever waits for a summary waits until it has ended");
                let expected = if summary.shown.is_some() { ("folded", false) } else { ("pending", true) };
                assert_eq!((row.state.as_str(), row.is_open), expected, "{row:?}");
            }
            (None, None) => panic!("folding touched {was:?}"),
        }
    }
}

/// accepted = delivered + superseded + dead + expired + cancelled + in flight.
fn check_law(view: &View) {
    for organization in view.tallies.keys().map(|(organization, _)| organization) {
        let of = |outcome: &str| view.tallies.get(&(organization.clone(), outcome.to_owned())).copied().unwrap_or(0);
        let ended: i64 = ["delivered", "superseded", "dead", "expired", "cancelled"].into_iter().map(of).sum();
        let own = view.copies.values().filter(|row| row.message.is_some() && row.organization == *organization);
        let in_flight: usize = own.map(|row| alive(row).len()).sum();
        assert_eq!(of("accepted"), ended + in_flight as i64, "conservation in {organization}: {:?}", view.tallies);
    }
}

/// As many ends are told as are counted.
fn check_events(view: &View) {
    let counted = |outcomes: &[&str]| -> i64 {
        let own = view.tallies.iter().filter(|((_, outcome), _)| outcomes.contains(&outcome.as_str()));
        own.map(|(_, total)| *total).sum()
    };
    let told = |kind: &str| view.events.iter().filter(|event| event.2 == kind).count() as i64;
    assert_eq!(told("message.delivered"), counted(&["delivered"]), "each delivery is told");
    assert_eq!(told("message.failed"), counted(&["dead", "expired"]), "each failure is told");
}

/// A stream wakes no later than the first of its copies.
fn check_streams_wake(view: &View) {
    for copy in view.copies.values() {
        let (Some(due), Some(stream)) = (copy.due_at, copy.stream.and_then(|id| view.streams.get(&id))) else {
            continue;
        };
        let latest = if stream.owner.is_some() { Ord::max(due, view.now) } else { due };
        assert!(stream.due_at.is_some_and(|wakes| wakes <= latest), "{stream:?} oversleeps {copy:?}");
    }
}
