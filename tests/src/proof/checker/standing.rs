//! Nothing that was accepted is lost: at the end each message shows its newest revision, or
//! is gone where it was taken away.

use std::collections::BTreeMap;

use super::{Evidence, Life, Verdict};
use crate::proof::ledger;

/// The API and the platform both show the newest revision of everything.
pub(super) fn nothing_is_lost(evidence: &Evidence, lives: &BTreeMap<&str, Life>, verdict: &mut Verdict) {
    for (key, life) in lives {
        if let Some(how) = lost(evidence, key, life) {
            verdict.broken.push(format!("lost: {key}, told up to revision {}: {how}", life.newest));
        }
    }
}

fn lost(evidence: &Evidence, key: &str, life: &Life) -> Option<String> {
    let Some(message) = evidence.shown.get(key) else { return Some("the API doesn't know it".into()) };
    let copies = message["copies"].as_array().map(Vec::as_slice).unwrap_or_default();
    let [copy] = copies else { return Some(format!("there are {} copies", copies.len())) };
    if message["revision"] != life.newest {
        return Some(format!("the API has revision {}", message["revision"]));
    }
    let (state, post) = (copy["state"].as_str().unwrap_or_default(), copy["posts"][0].as_str());
    if life.deleted {
        let is_gone = matches!(state, "removed" | "cancelled") && post.is_none();
        return (!is_gone).then(|| format!("it was taken away, and its copy is {copy}"));
    }
    if state != "delivered" || copy["shown_revision"] != life.newest {
        return Some(format!("its copy is {copy}"));
    }
    let Some(title) = post.and_then(|post| evidence.standing.get(post)) else {
        return Some(format!("post {post:?} doesn't stand on the platform"));
    };
    (*title != ledger::title(key, life.newest)).then(|| format!("the platform shows {title:?}"))
}

/// A final revision was shown, unless it was taken away.
pub(super) fn finals_were_shown(evidence: &Evidence, lives: &BTreeMap<&str, Life>, verdict: &mut Verdict) {
    for (key, life) in lives.iter().filter(|(_, life)| !life.deleted) {
        for revision in &life.finals {
            let shows = Some(((*key).to_owned(), *revision));
            if !evidence.sent.iter().any(|sent| sent.done.is_some() && sent.shows == shows) {
                verdict.broken.push(format!("final: revision {revision} of {key} was never shown"));
            }
        }
    }
}
