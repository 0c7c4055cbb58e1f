//! How often a message was posted, and why; and what each post has shown.

use std::collections::BTreeMap;

use super::{Evidence, Verdict, incident_between};
use crate::proof::witness::{Act, Sent};

/// Each creation after a message's first has a cause between the one before and itself: the
/// program was hit, or the answer got lost. So there are at most as many posts as causes,
/// and one.
pub(super) fn each_post_has_its_cause(evidence: &Evidence, verdict: &mut Verdict) {
    let mut creations: BTreeMap<&str, Vec<&Sent>> = BTreeMap::new();
    for sent in evidence.sent.iter().filter(|sent| sent.act == Act::Create) {
        let key = sent.shows.as_ref().map_or("", |(key, _)| key);
        creations.entry(key).or_default().push(sent);
    }
    for (key, mut sent) in creations {
        sent.sort_by_key(|sent| sent.from);
        for pair in sent.windows(2) {
            match cause_of(evidence, pair[0], pair[1]) {
                Some(cause) => *verdict.sent_again.entry(cause).or_default() += 1,
                None => verdict.broken.push(format!("posted again without a cause: {key}, {:?}", pair[1])),
            }
        }
        // One post too many is the fault of what hid the one before.
        let made: Vec<&Sent> = sent.into_iter().filter(|sent| sent.made).collect();
        for pair in made.windows(2) {
            match cause_of(evidence, pair[0], pair[1]) {
                Some(cause) => *verdict.duplicates.entry(cause).or_default() += 1,
                None => verdict.broken.push(format!("stands twice without a cause: {key}, {:?}", pair[1])),
            }
        }
    }
}

/// What hid a creation, or kept it from being done: its fault, or an incident.
fn cause_of(evidence: &Evidence, before: &Sent, again: &Sent) -> Option<&'static str> {
    if let Some(fault) = before.fault.as_ref().filter(|_| !before.answered) {
        return Some(fault.name());
    }
    incident_between(evidence, before.from, again.from).map(|incident| incident.cause)
}

/// No post shows an older revision after a newer one.
pub(super) fn no_post_goes_back(evidence: &Evidence, verdict: &mut Verdict) {
    let mut done: Vec<&Sent> = evidence.sent.iter().filter(|sent| sent.done.is_some()).collect();
    done.sort_by_key(|sent| sent.done);
    let mut newest: BTreeMap<&str, i64> = BTreeMap::new();
    for sent in done {
        let (Some(post), Some((key, revision))) = (&sent.post, &sent.shows) else { continue };
        // A repeated creation that the platform recognized changes nothing.
        if sent.act == Act::Create && !sent.made {
            continue;
        }
        let shown = newest.entry(post).or_insert(*revision);
        if revision < shown {
            verdict.broken.push(format!("went back: {key} shows revision {revision} after {shown}"));
        }
        *shown = (*shown).max(*revision);
    }
}
