//! One send at a time in a conversation, and first posts in the order of acceptance.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{Evidence, Life, Verdict};
use crate::proof::witness::{Act, Sent};

/// What was on its way when the program died waits a second before it is found out, counted
/// from the next lease; nobody promises its place in the order meanwhile.
const SET_ASIDE: Duration = Duration::from_millis(400);

/// No two requests of one conversation are under way at once, as the platform sees it. One
/// ends with its answer, or when its asker is gone.
pub(super) fn sends_of_a_conversation_never_overlap(evidence: &Evidence, verdict: &mut Verdict) {
    for (conversation, sent) in by_conversation(evidence) {
        for pair in sent.windows(2) {
            let [one, other] = pair else { continue };
            if one.until.is_none_or(|until| until > other.from) && !was_frozen(evidence, one) {
                verdict.broken.push(format!("overlap in {conversation}: {} and {}", about(one), about(other)));
            }
        }
    }
}

/// A frozen program can't be told from a slow one: its request is under way until it wakes.
fn was_frozen(evidence: &Evidence, sent: &Sent) -> bool {
    let is_freeze = |cause: &str| cause == "freeze";
    let under_way = |from: Instant, until: Instant| sent.from <= until && sent.until.is_none_or(|ended| ended >= from);
    evidence.incidents.iter().any(|incident| is_freeze(incident.cause) && under_way(incident.from, incident.until))
}

fn by_conversation(evidence: &Evidence) -> BTreeMap<&str, Vec<&Sent>> {
    let mut all: BTreeMap<&str, Vec<&Sent>> = BTreeMap::new();
    for sent in &evidence.sent {
        all.entry(&sent.conversation).or_default().push(sent);
    }
    all.values_mut().for_each(|sent| sent.sort_by_key(|sent| sent.from));
    all
}

fn about(sent: &Sent) -> String {
    format!("{:?} of {:?} from {:?} until {:?} (fault {:?})", sent.act, sent.shows, sent.from, sent.until, sent.fault)
}

/// A message that was accepted before another was asked for is posted before it, in the
/// same conversation, unless it wasn't due then: it had failed, or was under way when the
/// program was hit.
pub(super) fn first_posts_come_in_order(evidence: &Evidence, lives: &BTreeMap<&str, Life>, verdict: &mut Verdict) {
    let mut first: BTreeMap<&str, &Sent> = BTreeMap::new();
    for sent in evidence.sent.iter().filter(|sent| sent.act == Act::Create) {
        if let Some((key, _)) = &sent.shows {
            let seen = first.entry(key).or_insert(sent);
            if sent.from < seen.from {
                *seen = sent;
            }
        }
    }
    let mut posted: BTreeMap<&str, Vec<(&str, &Life, &Sent)>> = BTreeMap::new();
    for (key, life) in lives {
        if let Some(sent) = first.get(key) {
            posted.entry(&life.first.conversation).or_default().push((key, life, sent));
        }
    }
    for messages in posted.values() {
        for (key, life, sent) in messages.iter().filter(|(_, life, sent)| !was_set_aside(evidence, life, sent)) {
            let overtook = messages
                .iter()
                .find(|(_, other, before)| life.first.told < other.first.asked && before.from < sent.from);
            if let Some((other, ..)) = overtook {
                verdict.broken.push(format!("order: {other} was posted before {key}, which was accepted earlier"));
            }
        }
    }
}

/// Whether something hit the program between acceptance and post, and the post came only
/// after the pause for what was under way then.
fn was_set_aside(evidence: &Evidence, life: &Life, sent: &Sent) -> bool {
    evidence.incidents.iter().any(|incident| {
        incident.until >= life.first.asked
            && incident.from <= sent.from
            && sent.from.saturating_duration_since(incident.from) >= SET_ASIDE
    })
}
