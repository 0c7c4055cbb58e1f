//! What an application asks for, applied to the rows: a message and its copies are made, or
//! converge to a newer revision; new targets get copies, targets that are left out are
//! handled as asked (`call_off` takes copies out of it). Also what lets a copy go on.

use std::time::Duration;

use chatport_sdk::{delivery::Urgency, time::Timestamp};
use serde::Serialize;
use uuid::Uuid;

use super::{
    accept::{AcceptError, Accepted, Operation},
    call_off::leave,
    ledger::{Ledger, Stream},
    message::{self, OnRemoved},
    tally,
    targets::{Planned, PlannedPlace},
    view::{CopyView, FailureView, MessageEvent, copy_view},
};
use crate::{
    ids::OrganizationId,
    store::entities::{copies, messages, streams},
};

/// Room in a stream's order for one copy and the lines of its log.
const STEP: i64 = message::MAX_LOG as i64 + 1;

/// Apply an operation. Its message, the message's copies, and the streams of both are loaded
/// where they exist.
pub(super) fn apply(ledger: &mut Ledger, operation: &Operation) -> Result<Accepted, AcceptError> {
    let (key, revision) = (operation.key.clone(), operation.put.revision);
    let Some(stored) = ledger.message(&operation.organization, &operation.key).cloned() else {
        let id = ledger.new_id();
        let copies = operation.planned.iter().map(|planned| add_copy(ledger, operation, id, planned)).collect();
        let accepted = Accepted { key, revision, copies, changed: true, is_older: false };
        ledger.add_message(message_row(operation, id, &accepted));
        return Ok(accepted);
    };
    if revision < stored.revision {
        let copies = roots(ledger, &stored).iter().map(copy_view).collect();
        return Ok(Accepted { key, revision: stored.revision, copies, changed: false, is_older: true });
    }
    if revision == stored.revision {
        if stored.fingerprint != operation.fingerprint {
            return Err(AcceptError::Conflict(revision));
        }
        let first: Accepted = serde_json::from_str(&stored.answer).map_err(|_| AcceptError::Unreadable)?;
        return Ok(Accepted { changed: false, ..first });
    }
    let mut views = Vec::new();
    let mut kept = Vec::new();
    // A final revision that still waits isn't merged into one that isn't final.
    let pins = stored.is_final && !stored.deleted && !operation.put.is_final;
    for row in roots(ledger, &stored) {
        let is_of = |planned: &&Planned| planned.target == row.target && planned.is_fallback == row.is_fallback;
        let planned = operation.planned.iter().find(is_of);
        match planned {
            Some(planned) if row.stream.is_some() => {
                let row = reopen(ledger, row, operation, pins.then_some(stored.revision));
                add_missing_logs(ledger, operation, &row);
                views.push(CopyView { notes: planned.notes.clone(), ..copy_view(&row) });
                kept.push((row.target, row.is_fallback));
            }
            // It could never be resolved, and still can't be.
            Some(Planned { place: Err((code, detail)), .. }) => {
                let (code, detail) = (Some((*code).to_owned()), Some(detail.clone()));
                let row = copies::Model { revision, code, detail, updated_at: operation.now.as_micros(), ..row };
                count_new(ledger, operation, &row);
                views.push(copy_view(&row));
                kept.push((row.target.clone(), row.is_fallback));
                change(ledger, row);
            }
            // Now it can: a new copy takes its place.
            Some(_) => {}
            None => {
                let delete = operation.put.on_removed == OnRemoved::Delete;
                leave(ledger, &row, delete, operation.now);
            }
        }
    }
    let is_new = |planned: &&Planned| !kept.contains(&(planned.target.clone(), planned.is_fallback));
    for planned in operation.planned.iter().filter(is_new) {
        views.push(add_copy(ledger, operation, stored.id, planned));
    }
    let accepted = Accepted { key, revision, copies: views, changed: true, is_older: false };
    let mut row = message_row(operation, stored.id, &accepted);
    row.created_at = stored.created_at;
    row.pinned = match pins {
        true => Some(stored.body),
        false if operation.put.is_final => None,
        false => stored.pinned,
    };
    if let Some(message) = ledger.message(&operation.organization, &operation.key) {
        *message = row;
    }
    Ok(accepted)
}

fn message_row(operation: &Operation, id: Uuid, accepted: &Accepted) -> messages::Model {
    messages::Model {
        organization: operation.organization.as_str().to_owned(),
        id,
        key: operation.key.clone(),
        revision: operation.put.revision,
        is_final: operation.put.is_final,
        deleted: false,
        fingerprint: operation.fingerprint.to_vec(),
        body: operation.canonical.clone(),
        answer: stored(accepted),
        pinned: None,
        created_at: operation.now.as_micros(),
        updated_at: operation.now.as_micros(),
    }
}

/// The copies of a message itself, without the lines of its log.
pub(super) fn roots(ledger: &Ledger, message: &messages::Model) -> Vec<copies::Model> {
    let is_root = |copy: &&copies::Model| copy.message == Some(message.id) && copy.log_id.is_none();
    let mut rows: Vec<_> = ledger.copies().filter(is_root).cloned().collect();
    rows.sort_by_key(|row| (row.created_at, row.id));
    rows
}

pub(super) fn change(ledger: &mut Ledger, row: copies::Model) {
    if let Some(copy) = ledger.copy(row.id) {
        *copy = row;
    }
}

/// Make a copy with the lines of its log; where its target can't be resolved, a dead one.
fn add_copy(ledger: &mut Ledger, operation: &Operation, message: Uuid, planned: &Planned) -> CopyView {
    let row = new_copy(ledger, operation, message, planned);
    count_new(ledger, operation, &row);
    let view = CopyView { notes: planned.notes.clone(), ..copy_view(&row) };
    for log in log_copies(ledger, operation, &row) {
        ledger.changes.tallies.add(&operation.organization, tally::ACCEPTED, 1);
        ledger.add_copy(log);
    }
    ledger.add_copy(row);
    view
}

fn new_copy(ledger: &mut Ledger, operation: &Operation, message: Uuid, planned: &Planned) -> copies::Model {
    let due = operation.due_of(planned.is_fallback).as_micros();
    let dead = planned.place.as_ref().err();
    let place = planned.place.as_ref().ok();
    let stream = place.map(|place| take_turn(ledger, operation, place, due));
    copies::Model {
        organization: operation.organization.as_str().to_owned(),
        id: ledger.new_id(),
        stream: stream.map(|(id, _)| id),
        installation: place.map(|place| place.installation.0),
        message: Some(message),
        event: None,
        root: place.and_then(|place| place.root).map(|root| root.0),
        log_id: None,
        log_text: None,
        target: planned.target.clone(),
        account: place.and_then(|place| place.account.as_ref()).map(stored),
        address: place.and_then(|place| place.address.as_ref()).map(stored),
        sequence: stream.map_or(0, |(_, sequence)| sequence),
        revision: operation.put.revision,
        pinned: None,
        shown: None,
        sending: None,
        is_open: dead.is_none(),
        removal: false,
        is_fallback: planned.is_fallback,
        may_fold: !planned.is_fallback && place.is_some_and(|place| place.storm_guard) && can_fold(operation),
        folded_into: None,
        fence: 0,
        state: if dead.is_some() { "dead" } else { "pending" }.to_owned(),
        code: dead.map(|(code, _)| (*code).to_owned()),
        detail: dead.map(|(_, detail)| detail.clone()),
        due_at: dead.is_none().then_some(due),
        attempts: 0,
        crashes: 0,
        first_tried_at: None,
        parts: "[]".to_owned(),
        urgency: rank(operation.put.urgency),
        expires_at: operation.expires_at.as_micros(),
        created_at: operation.now.as_micros(),
        updated_at: operation.now.as_micros(),
    }
}

/// Whether a line in a summary says enough of a message for now: nothing presses, more is
/// expected, and nothing hangs on its post.
fn can_fold(operation: &Operation) -> bool {
    let put = &operation.put;
    put.urgency != Urgency::Urgent && !put.is_final && put.log.is_empty()
}

/// How an urgency is stored.
fn rank(urgency: Urgency) -> i16 {
    match urgency {
        Urgency::Low => 0,
        Urgency::Urgent => 2,
        Urgency::Normal => 1,
    }
}

/// A place in the order of a conversation's stream, which is made or woken.
fn take_turn(ledger: &mut Ledger, operation: &Operation, place: &PlannedPlace, due: i64) -> (Uuid, i64) {
    let urgency = rank(operation.put.urgency);
    if let Some(stream) = ledger.stream_at(place.installation, &place.stream) {
        stream.wake(due, urgency);
        let sequence = stream.row.sequence;
        stream.row.sequence += STEP;
        return (stream.row.id, sequence);
    }
    let row = streams::Model {
        organization: operation.organization.as_str().to_owned(),
        id: ledger.new_id(),
        installation: Some(place.installation.0),
        subscription: None,
        key: place.stream.clone(),
        rate: place.rate.clone(),
        urgency,
        owner: None,
        fence: 0,
        lease_until: 0,
        due_at: Some(due),
        held_until: 0,
        sequence: STEP,
    };
    let (id, held) = (row.id, ledger.hold_of(place.installation));
    ledger.add_stream(Stream::loaded(row, held));
    (id, 0)
}

fn stored<T: Serialize>(value: &T) -> String {
    // Serializing plain data into memory can't fail.
    serde_json::to_string(value).expect("plain data")
}

/// The lines of the log that a copy's thread doesn't have yet: one reply each.
fn log_copies(ledger: &mut Ledger, operation: &Operation, root: &copies::Model) -> Vec<copies::Model> {
    if root.stream.is_none() || root.account.is_some() || root.is_fallback || operation.put.log.is_empty() {
        return Vec::new();
    }
    let is_there = |line: &message::LogLine| {
        ledger.copies().any(|copy| copy.root == Some(root.id) && copy.log_id.as_deref() == Some(&line.id))
    };
    let missing: Vec<_> = operation.put.log.iter().zip(1..).filter(|(line, _)| !is_there(line)).collect();
    let line_of = |(line, number): (&message::LogLine, i64)| copies::Model {
        id: ledger.new_id(),
        root: Some(root.id),
        may_fold: false,
        folded_into: None,
        fence: 0,
        log_id: Some(line.id.clone()),
        log_text: Some(line.text.clone()),
        sequence: root.sequence + number,
        due_at: Some(operation.due_at.as_micros()),
        created_at: operation.now.as_micros(),
        updated_at: operation.now.as_micros(),
        expires_at: operation.expires_at.as_micros(),
        revision: operation.put.revision,
        pinned: None,
        shown: None,
        sending: None,
        is_open: true,
        state: "pending".into(),
        parts: "[]".into(),
        first_tried_at: None,
        code: None,
        detail: None,
        attempts: 0,
        crashes: 0,
        ..root.clone()
    };
    missing.into_iter().map(line_of).collect()
}

fn add_missing_logs(ledger: &mut Ledger, operation: &Operation, root: &copies::Model) {
    for log in log_copies(ledger, operation, root) {
        if let Some(stream) = log.stream.and_then(|stream| ledger.stream(stream)) {
            stream.wake(operation.due_at.as_micros(), log.urgency);
        }
        ledger.changes.tallies.add(&operation.organization, tally::ACCEPTED, 1);
        ledger.add_copy(log);
    }
}

/// Count a copy-revision; one that is dead already is told of at once.
fn count_new(ledger: &mut Ledger, operation: &Operation, row: &copies::Model) {
    ledger.changes.tallies.add(&operation.organization, tally::ACCEPTED, 1);
    if let Some(code) = row.code.as_deref().filter(|_| !row.is_open) {
        ledger.changes.tallies.add(&operation.organization, tally::DEAD, 1);
        let failure = FailureView::new(code, row.detail.as_deref().unwrap_or_default());
        let (message, revision) = (operation.key.clone(), row.revision);
        let told = MessageEvent { message, revision, copy: copy_view(row), failure: Some(failure) };
        ledger.tell(&row.organization, &told);
    }
}

/// Make a copy due again for a newer revision. What was pending is superseded by it; what
/// is on its way is left, and this waits behind it.
fn reopen(ledger: &mut Ledger, row: copies::Model, operation: &Operation, pins: Option<i64>) -> copies::Model {
    let tallies = &mut ledger.changes.tallies;
    tallies.add(&operation.organization, tally::ACCEPTED, 1);
    // A copy that was left out of the final one has nothing to keep.
    let pinned = match (row.is_open && pins == Some(row.revision), operation.put.is_final) {
        (true, _) => Some(row.revision),
        (false, true) => None,
        (false, false) => row.pinned,
    };
    let waited = [row.is_open.then_some(row.revision), row.pinned].into_iter().flatten();
    let superseded = waited.filter(|revision| row.sending != Some(*revision) && pinned != Some(*revision)).count();
    // A removal has the number after the revision that it takes away. If this comes under the
    // same number, the removal ends here, though it may be on its way.
    let is_homonym = row.is_open && row.removal && row.sending == Some(operation.put.revision);
    let superseded = i64::try_from(superseded).unwrap_or(0) + i64::from(is_homonym);
    tallies.add(&operation.organization, tally::SUPERSEDED, superseded);
    // A fallback that was never needed waits again.
    let wanted = operation.due_of(row.is_fallback && row.parts == "[]").as_micros();
    let is_active = row.is_taken() || matches!(row.state.as_str(), "unknown" | "retry");
    let due = match row.state.as_str() {
        // What is on its way goes first; then this, in its time.
        _ if row.is_taken() => Ord::max(row.due_at.unwrap_or(wanted), wanted),
        "unknown" | "retry" => row.due_at.unwrap_or(wanted),
        _ => wanted,
    };
    let row = if is_active { row } else { copies::Model { code: None, detail: None, ..taken_up(row) } };
    let row = copies::Model {
        revision: operation.put.revision,
        pinned,
        is_open: true,
        removal: false,
        // What was in a summary, or is about to be, is posted by itself once there is more to say.
        may_fold: row.may_fold && row.folded_into.is_none() && can_fold(operation),
        folded_into: None,
        due_at: Some(due),
        urgency: rank(operation.put.urgency),
        expires_at: operation.expires_at.as_micros(),
        updated_at: operation.now.as_micros(),
        ..row
    };
    wake(ledger, &row, due);
    change(ledger, row.clone());
    row
}

/// A copy that isn't on its way, as it stands when there is something to do again: it waits for its
/// turn. If it was given up in doubt, what may have arrived is found out first then.
pub(super) fn taken_up(row: copies::Model) -> copies::Model {
    let row = copies::Model { attempts: 0, ..row };
    match row.is_in_doubt() {
        true => copies::Model { state: "doubtful".to_owned(), sending: None, ..row },
        false => copies::Model { state: "pending".to_owned(), first_tried_at: None, ..row },
    }
}

/// A copy is due at this time, and so is its stream.
pub(super) fn wake(ledger: &mut Ledger, row: &copies::Model, due: i64) {
    if let Some(stream) = row.stream.and_then(|stream| ledger.stream(stream)) {
        stream.wake(due, row.urgency);
    }
}

/// A copy of this message can't be delivered: its fallbacks need not wait any longer.
pub(super) fn hasten(ledger: &mut Ledger, message: Uuid) {
    let now = ledger.now.as_micros();
    let is_waiting = |copy: &&copies::Model| {
        copy.message == Some(message)
            && copy.is_fallback
            && matches!(copy.state.as_str(), "pending" | "doubtful")
            && copy.due_at.is_some_and(|due| due > now)
    };
    let waiting: Vec<_> = ledger.copies().filter(is_waiting).cloned().collect();
    for row in waiting {
        wake(ledger, &row, now);
        change(ledger, copies::Model { due_at: Some(now), ..row });
    }
}

/// Try a copy again that was given up: from `due` on, for `lifetime`. Whether it was.
pub(super) fn replay(ledger: &mut Ledger, id: Uuid, due: Timestamp, lifetime: Duration) -> bool {
    let now = ledger.now;
    let Some(copy) = ledger.copy(id).filter(|copy| matches!(copy.state.as_str(), "dead" | "expired")) else {
        return false;
    };
    *copy = copies::Model {
        is_open: true,
        due_at: Some(due.as_micros()),
        crashes: 0,
        expires_at: due.plus(lifetime).as_micros(),
        updated_at: now.as_micros(),
        ..taken_up(copy.clone())
    };
    let copy = copy.clone();
    wake(ledger, &copy, due.as_micros());
    ledger.changes.tallies.add(&OrganizationId::stored(copy.organization), tally::ACCEPTED, 1);
    true
}
