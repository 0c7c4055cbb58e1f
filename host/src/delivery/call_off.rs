//! What isn't wanted any more: a copy that is left out, a message that is deleted, a time that
//! has run out. Each revision that was waiting ends in one way, and is counted so.

use std::time::Duration;

use chatport_sdk::time::Timestamp;

use super::{
    ledger::Ledger,
    revise::{change, roots, taken_up, wake},
    tally,
    view::{CopyView, FailureView, MessageEvent, copy_view},
};
use crate::{ids::OrganizationId, store::entities::copies};

/// How long it is tried to take a copy away.
const REMOVAL_LIFETIME: Duration = Duration::from_secs(24 * 3600);

/// Take a copy out of its message: delete it, or leave what stands and call off the rest.
pub(super) fn leave(ledger: &mut Ledger, row: &copies::Model, delete: bool, now: Timestamp) {
    let organization = OrganizationId::stored(row.organization.clone());
    let is_on_its_way = row.is_taken() || row.state == "unknown";
    let may_stand = row.parts != "[]" || row.is_in_doubt();
    let tallies = &mut ledger.changes.tallies;
    let updated_at = now.as_micros();
    let row = row.clone();
    if delete && may_stand && row.stream.is_some() {
        if row.removal {
            return;
        }
        tallies.add(&organization, tally::ACCEPTED, 1);
        tallies.add(&organization, tally::SUPERSEDED, waiting(&row));
        let row = if is_on_its_way { row } else { taken_up(row) };
        let row = copies::Model {
            pinned: None,
            revision: row.revision + 1,
            removal: true,
            is_open: true,
            due_at: Some(now.as_micros()),
            expires_at: now.plus(REMOVAL_LIFETIME).as_micros(),
            updated_at,
            ..row
        };
        wake(ledger, &row, now.as_micros());
        change(ledger, row);
    } else if row.is_open && !is_on_its_way {
        // What was taken and then not tried is called off like the rest.
        let untried = copies::Model { sending: None, ..row.clone() };
        tallies.add(&organization, tally::CANCELLED, waiting(&untried));
        tallies.add(
            &organization,
            tally::SUPERSEDED,
            i64::from(row.sending.is_some_and(|older| is_older(&row, older))),
        );
        let (state, sending) = ("cancelled".to_owned(), row.is_in_doubt().then_some(row.revision));
        change(ledger, copies::Model { pinned: None, sending, is_open: false, due_at: None, state, updated_at, ..row });
    } else if row.pinned.is_some() {
        // It is on its way and goes on; what it kept back isn't wanted any more.
        tallies.add(&organization, tally::SUPERSEDED, i64::from(row.sending != row.pinned));
        change(ledger, copies::Model { pinned: None, updated_at, ..row });
    }
}

/// Whether what was sent is neither what a copy should show nor what it keeps for before.
fn is_older(row: &copies::Model, sending: i64) -> bool {
    sending != row.revision && Some(sending) != row.pinned
}

/// How many revisions of a copy wait to be sent.
fn waiting(row: &copies::Model) -> i64 {
    let open = row.is_open && row.sending != Some(row.revision);
    let pinned = row.pinned.is_some() && row.sending != row.pinned;
    i64::from(open) + i64::from(pinned)
}

/// Take a message away: a final revision that shows nothing. The answer is its copies.
pub(super) fn delete(
    ledger: &mut Ledger,
    organization: &OrganizationId,
    key: &str,
    now: Timestamp,
) -> Option<Vec<CopyView>> {
    let stored = ledger.message(organization, key)?;
    stored.deleted = true;
    stored.is_final = true;
    stored.updated_at = now.as_micros();
    let stored = stored.clone();
    let mut all: Vec<_> = ledger.copies().filter(|copy| copy.message == Some(stored.id)).cloned().collect();
    all.sort_by_key(|copy| (copy.sequence, copy.id));
    for row in &all {
        leave(ledger, row, true, now);
    }
    Some(roots(ledger, &stored).iter().map(copy_view).collect())
}

/// The time of an open copy has run out. `key`: of its message; an event ends in silence.
pub(super) fn expire(ledger: &mut Ledger, row: &copies::Model, key: Option<&str>) {
    let organization = OrganizationId::stored(row.organization.clone());
    let expired = copies::Model {
        is_open: false,
        state: "expired".into(),
        code: Some("expired".into()),
        due_at: None,
        pinned: None,
        sending: row.is_in_doubt().then_some(row.revision),
        updated_at: ledger.now.as_micros(),
        ..row.clone()
    };
    if let Some(key) = key {
        // An older one in doubt ends with them: what it became is shown by nobody any more.
        let older = i64::from(row.sending.is_some_and(|sending| is_older(row, sending)));
        ledger.changes.tallies.add(&organization, tally::SUPERSEDED, older);
        for revision in [Some(row.revision), row.pinned].into_iter().flatten() {
            ledger.changes.tallies.add(&organization, tally::EXPIRED, 1);
            let failure = FailureView::new("expired", "its time ran out");
            let (message, copy) = (key.to_owned(), copy_view(&expired));
            ledger.tell(&row.organization, &MessageEvent { message, revision, copy, failure: Some(failure) });
        }
    }
    change(ledger, expired);
}
