//! The judge at the end of each run. It gets the notes of what really happened, what stands on
//! the platforms, and the rows; it knows nothing of the engine's rules.

use std::collections::{BTreeMap, BTreeSet};

use chatport_host::{
    ids::OrganizationId,
    store::entities::{copies, messages},
};
use chatport_sdk::time::Timestamp;
use chatport_tests::twin::Tables;
use uuid::Uuid;

use crate::{
    asks::Ask,
    platform::Post,
    truth::{Call, DeedKind, Notes},
};

/// Everything as it is at the end.
pub struct Ending<'a> {
    pub notes: &'a Notes,
    pub tables: &'a Tables,
    pub posts: BTreeMap<u64, Post>,
}

/// How one copy-revision ended, as it was told.
type Told = BTreeMap<(Uuid, i64), Vec<String>>;

impl Ending<'_> {
    /// What is wrong.
    pub fn faults(&self) -> Vec<String> {
        let told = self.told();
        let mut faults = Vec::new();
        faults.extend(self.lost());
        faults.extend(self.conservation());
        faults.extend(told.iter().filter(|(_, kinds)| kinds.len() > 1).map(|end| format!("ended twice: {end:?}")));
        faults.extend(self.overlaps());
        faults.extend(self.order());
        faults.extend(self.posted_again());
        faults.extend(self.not_the_newest(&told));
        faults.extend(self.finals(&told));
        faults.extend(self.went_back());
        faults.extend(self.sent_too_late());
        faults.extend(self.expired_early());
        faults.extend(self.untold());
        faults
    }

    fn told(&self) -> Told {
        let mut told = Told::new();
        for event in &self.tables.events {
            let body: serde_json::Value = serde_json::from_str(&event.body).expect("an event is JSON");
            let copy = body["data"]["copy"]["id"].as_str().and_then(|id| id.parse().ok()).expect("a copy");
            let revision = body["data"]["revision"].as_i64().expect("a revision");
            told.entry((copy, revision)).or_default().push(event.kind.as_str().to_owned());
        }
        told
    }

    fn copies_of(&self, ask: &Ask) -> Vec<&copies::Model> {
        let organization = OrganizationId::parse(&ask.organization).expect("a name");
        let message = self.tables.messages.get(&(organization, ask.key.clone())).map(|message| message.id);
        self.tables.copies.values().filter(|copy| message.is_some() && copy.message == message).collect()
    }

    /// I1: what was acknowledged is there.
    fn lost(&self) -> Vec<String> {
        let is_lost = |ask: &&Ask| {
            let organization = OrganizationId::parse(&ask.organization).expect("a name");
            let message = self.tables.messages.get(&(organization, ask.key.clone()));
            let copies = self.copies_of(ask);
            let meant = copies.iter().filter(|copy| copy.log_id.is_none() && copy.revision == ask.revision);
            match ask.delete {
                true => message.is_none_or(|message| !message.deleted),
                false => {
                    message.is_none_or(|message| message.deleted || message.revision != ask.revision)
                        || meant.count() < ask.targets.len()
                        || copies.iter().filter(|copy| copy.log_id.is_some()).count() < ask.lines
                }
            }
        };
        self.notes.acknowledged.values().filter(is_lost).map(|ask| format!("lost: {ask:?}")).collect()
    }

    /// I2: accepted = delivered + superseded + dead + expired + cancelled, and nothing is open.
    fn conservation(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for organization in &self.tables.organizations {
            if self.tables.backlog(organization) != 0 {
                faults.push(format!("conservation in {organization}: {:?}", self.tables.tallies));
            }
        }
        // What was given up may have arrived all the same; nothing else is left on its way.
        let is_given_up = |copy: &copies::Model| matches!(copy.state.as_str(), "dead" | "expired" | "cancelled");
        let is_left = |copy: &copies::Model| copy.is_open || copy.sending.is_some() && !is_given_up(copy);
        let open = self.tables.copies.values().filter(|copy| is_left(copy));
        faults.extend(open.map(|copy| format!("still open: {copy:?}")));
        let awake = self.tables.streams.values().filter(|stream| stream.owner.is_some());
        faults.extend(awake.map(|stream| format!("still leased: {stream:?}")));
        faults
    }

    /// I4: no two calls of one stream are under way at once.
    fn overlaps(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut last: BTreeMap<Uuid, &Call> = BTreeMap::new();
        let mut calls: Vec<&Call> = self.notes.calls.iter().collect();
        calls.sort_by_key(|call| call.begun);
        for call in calls {
            if let Some(before) = last.insert(call.stream, call) {
                let ended = before.ended.or_else(|| self.stopped(before));
                if ended.is_none_or(|ended| ended > call.begun) {
                    faults.push(format!("overlap: {before:?} {call:?}"));
                }
            }
        }
        faults
    }

    /// When a call ended with the process that made it.
    fn stopped(&self, call: &Call) -> Option<Timestamp> {
        let own = self.notes.incidents.iter().filter(|incident| incident.replica == call.replica);
        own.filter(|incident| incident.from >= call.begun).map(|incident| incident.from).min()
    }

    /// I4: what was accepted first is taken first, of what was due and hadn't been tried.
    fn order(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut taken: BTreeMap<Uuid, Timestamp> = BTreeMap::new();
        for (at, _, copy, _) in &self.notes.carried {
            let first = taken.entry(*copy).or_insert(*at);
            *first = Ord::min(*first, *at);
        }
        let irregular = |((organization, key), message): (&(OrganizationId, String), &messages::Model)| {
            self.notes.irregular.contains(&(organization.to_string(), key.clone())).then_some(message.id)
        };
        let irregular: BTreeSet<Uuid> = self.tables.messages.iter().filter_map(irregular).collect();
        let was_due_at_once = |copy: &&copies::Model| copy.message.is_some_and(|message| !irregular.contains(&message));
        for earlier in self.tables.copies.values().filter(was_due_at_once) {
            let Some(earlier_at) = taken.get(&earlier.id) else { continue };
            // A line of the log has its place behind its root, also where it is accepted much later.
            let came = |copy: &copies::Model| self.tables.came.get(&copy.id);
            let is_later = |copy: &&copies::Model| {
                copy.stream == earlier.stream && copy.sequence > earlier.sequence && came(copy) > came(earlier)
            };
            for later in self.tables.copies.values().filter(is_later) {
                let Some(later_at) = taken.get(&later.id) else { continue };
                let was_tried = self.tables.taken.get(&earlier.id).is_some_and(|at| *at <= later_at.as_micros());
                if later_at < earlier_at && !was_tried {
                    faults.push(format!("order: {} at {earlier_at} after {} at {later_at}", earlier.id, later.id));
                }
            }
        }
        faults
    }

    /// I5: each post after the first of a copy has a cause: an answer that didn't come, or a
    /// process that stopped or lost the store before it could write down the one before.
    fn posted_again(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut last: BTreeMap<Uuid, (usize, Timestamp)> = BTreeMap::new();
        for deed in &self.notes.deeds {
            if deed.kind == DeedKind::Deleted {
                last.remove(&deed.copy);
            }
            if deed.kind != DeedKind::Posted {
                continue;
            }
            if let Some((before, at)) = last.insert(deed.copy, (deed.call, deed.at)) {
                let call = &self.notes.calls[before];
                let own = self.notes.incidents.iter().filter(|incident| incident.replica == call.replica);
                let mut hit = own.filter(|incident| incident.until >= call.begun && incident.from <= deed.at);
                if call.answered && hit.next().is_none() {
                    faults.push(format!("posted again without a cause: {} at {at} and {}", deed.copy, deed.at));
                }
            }
        }
        faults
    }

    /// I6: the newest revision ends up shown.
    fn not_the_newest(&self, told: &Told) -> Vec<String> {
        let mut faults = Vec::new();
        for ask in self.notes.acknowledged.values() {
            for copy in self.copies_of(ask) {
                let standing: Vec<&Post> =
                    self.posts.values().filter(|post| post.copy == copy.id && !post.deleted).collect();
                let is_meant = copy.revision == ask.revision && copy.log_id.is_none() && !copy.removal;
                let ended = told.get(&(copy.id, copy.revision)).map(Vec::as_slice);
                match copy.state.as_str() {
                    "delivered" => {
                        let shows = standing.iter().any(|post| Some(post.shows) == copy.shown);
                        if !shows || copy.shown != Some(copy.revision) {
                            faults.push(format!("doesn't show the newest: {copy:?} {standing:?}"));
                        }
                    }
                    "removed" if standing.len() > self.doubles(copy.id) => {
                        faults.push(format!("still stands: {copy:?} {standing:?}"));
                    }
                    "dead" | "expired" if ended.is_none() => faults.push(format!("ended untold: {copy:?}")),
                    "cancelled" if is_meant && !ask.delete => faults.push(format!("called off: {copy:?} {ask:?}")),
                    _ => {}
                }
            }
        }
        faults
    }

    /// How often a copy was posted too many times, for causes that were found.
    fn doubles(&self, copy: Uuid) -> usize {
        let posted = self.notes.deeds.iter().filter(|deed| deed.copy == copy && deed.kind == DeedKind::Posted);
        posted.count().saturating_sub(1)
    }

    /// A final revision that was the last one asked for has been delivered or says why not.
    fn finals(&self, told: &Told) -> Vec<String> {
        let mut faults = Vec::new();
        for ask in self.notes.acknowledged.values().filter(|ask| ask.is_final && !ask.delete) {
            for copy in self.copies_of(ask).iter().filter(|copy| copy.revision == ask.revision) {
                if copy.log_id.is_none() && !told.contains_key(&(copy.id, ask.revision)) {
                    faults.push(format!("a final revision vanished: {copy:?}"));
                }
            }
        }
        faults
    }

    /// I6: no post shows an older revision after a newer one.
    fn went_back(&self) -> Vec<String> {
        let mut shown: BTreeMap<u64, i64> = BTreeMap::new();
        let mut faults = Vec::new();
        for deed in &self.notes.deeds {
            let before = shown.insert(deed.post, deed.revision);
            if before.is_some_and(|before| before > deed.revision) {
                faults.push(format!("went back from {before:?}: {deed:?}"));
            }
        }
        faults
    }

    /// I7: nothing is begun to be posted after its time has run out.
    fn sent_too_late(&self) -> Vec<String> {
        let late = |call: &&Call| {
            let copy = &self.tables.copies[&call.copy];
            call.posts && call.begun.as_micros() > copy.expires_at
        };
        let calls = self.notes.calls.iter().filter(late);
        calls.map(|call| format!("posted after it had expired: {call:?}")).collect()
    }

    /// I7: and nothing is given up before.
    fn expired_early(&self) -> Vec<String> {
        let is_early = |body: &serde_json::Value| {
            let time = |value: &serde_json::Value| value.as_str().and_then(Timestamp::parse).expect("a time");
            let (told, copy) = (&body["data"], &body["data"]["copy"]);
            // Where a newer revision has come, the copy has that one's time.
            let has_expired = copy["code"] == "expired" && told["revision"] == copy["revision"];
            has_expired && time(&body["timestamp"]) < time(&copy["expires_at"])
        };
        let bodies = self.tables.events.iter().map(|event| serde_json::from_str(&event.body).expect("JSON"));
        bodies.filter(is_early).map(|body| format!("expired early: {body}")).collect()
    }

    /// I8: each end was told.
    fn untold(&self) -> Vec<String> {
        let untold = self.tables.events.iter().filter(|event| !self.notes.events.contains_key(&event.id));
        untold.map(|event| format!("the application never heard {event:?}")).collect()
    }
}
