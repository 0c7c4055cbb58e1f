//! What becomes of a copy by being worked on: it is taken, sent, and its outcome written
//! down. Streams are leased and given back here; who works is none of its business.

use chatport_sdk::{delivery::Urgency, failure::Scope, time::Timestamp};
use uuid::Uuid;

use super::{
    ledger::Ledger,
    message::ShownPart,
    schedule,
    store::{Documents, LEASE, Lease, Outcome, Record, What, Work},
    tally,
    view::{CopyState, FailureView, MessageEvent, copy_view_of},
};
use crate::{
    ids::{CopyId, InstallationId, OrganizationId},
    store::entities::{attempts, copies},
};

/// The code of what may have arrived; of what is dead by it, that can't be found out.
pub(super) const UNKNOWN: &str = "unknown_outcome";

/// Lease a stream for `owner`; what it was leased for before is lost.
pub(super) fn lease(ledger: &mut Ledger, stream: Uuid, owner: Uuid) -> Option<Lease> {
    let until = ledger.now.plus(LEASE);
    ledger.stream(stream).map(|stream| stream.lease(owner, until))
}

/// Give a stream back.
pub(super) fn release(ledger: &mut Ledger, lease: &Lease) {
    if let Some(stream) = ledger.stream(lease.stream.0) {
        stream.release();
    }
}

/// Whether a loaded stream is still leased so.
pub(super) fn holds(ledger: &mut Ledger, lease: &Lease) -> bool {
    ledger
        .stream(lease.stream.0)
        .is_some_and(|stream| stream.row.owner == Some(lease.owner) && stream.row.fence == lease.fence)
}

/// Make a lease last from now on.
pub(super) fn renew(ledger: &mut Ledger, lease: &Lease) {
    let until = ledger.now.plus(LEASE).as_micros();
    if let Some(stream) = ledger.stream(lease.stream.0) {
        stream.row.lease_until = until;
    }
}

/// The next copy of a leased stream, not yet taken. A copy that was being sent when its
/// process died is set aside. One that was taken under this very lease is this process's own:
/// it hasn't heard of it, and so hasn't sent it. `None`: nothing is due that may be sent.
pub(super) fn next(ledger: &mut Ledger, stream: Uuid) -> Option<Uuid> {
    let held = ledger.stream(stream)?.clone();
    if ledger.is_held(&held) {
        return None;
    }
    // It was taken before anything that has become due in front of it since.
    if held.row.owner.is_some()
        && let Some(own) = ledger.first_taken(stream, held.row.fence)
    {
        return Some(own.id);
    }
    loop {
        let copy = ledger.first_due(stream)?;
        let (id, calm_at) = (copy.id, ledger.calm_at);
        if copy.is_taken() {
            set_aside(ledger, id);
        } else if copy.crashes > 1 && ledger.now < calm_at {
            // It was there when two processes died. If it is what kills them, this one has some
            // time for all the others first; if it isn't, it doesn't happen to be there again.
            if let Some(copy) = ledger.copy(id) {
                copy.due_at = Some(calm_at.as_micros());
            }
        } else {
            return Some(id);
        }
    }
}

/// A copy was being sent when its process died. Like any copy whose outcome isn't known it
/// waits for a moment, so that what the platform still works on is done before it is found
/// out; and longer each time, so that a copy that brings the process down doesn't do so
/// without a pause.
fn set_aside(ledger: &mut Ledger, id: Uuid) {
    let now = ledger.now;
    let Some(copy) = ledger.copy(id) else { return };
    copy.crashes = copy.crashes.saturating_add(1);
    let crashes = usize::try_from(copy.crashes).unwrap_or(usize::MAX);
    copy.state = "unknown".to_owned();
    copy.due_at = Some(now.plus(schedule::wait(crashes, 0.5)).as_micros());
    copy.code = Some(UNKNOWN.to_owned());
    copy.detail = Some("the process that sent it died before the answer came".to_owned());
}

/// Take a copy: once this is committed it counts as being sent. If the process dies then,
/// the next one knows that it may have arrived.
///
/// # Errors
/// The copy can't be read; it has become a dead letter.
pub(super) fn take(ledger: &mut Ledger, lease: &Lease, copy: Uuid, documents: &Documents) -> Option<Work> {
    let subscription = ledger.stream(lease.stream.0)?.row.subscription.clone();
    let now = ledger.now;
    let row = ledger.copy(copy)?.clone();
    match read(&row, lease, subscription, documents) {
        Ok(mut work) => {
            // Taken once more, after a commit whose answer was lost, it is in as much doubt as before.
            work.unsure = matches!(row.state.as_str(), "unknown" | "doubtful" | "finding");
            let is_message = row.message.is_some();
            if is_message && row.sending.is_some_and(|sending| sending < work.revision) {
                ledger.changes.tallies.add(&lease.organization, tally::SUPERSEDED, 1);
            }
            let copy = ledger.copy(copy)?;
            copy.state = if work.unsure { "finding" } else { "sending" }.to_owned();
            copy.sending = copy.pinned.or(Some(copy.revision));
            copy.fence = lease.fence;
            copy.first_tried_at = copy.first_tried_at.or(Some(now.as_micros()));
            work.first_tried = copy.first_tried_at.map(Timestamp::from_micros);
            Some(work)
        }
        Err(what) => {
            give_up(ledger, &row, what);
            None
        }
    }
}

/// A copy that can't be read must not stop the others: it becomes a dead letter.
fn give_up(ledger: &mut Ledger, row: &copies::Model, what: &str) {
    tracing::error!(copy = %row.id, what, "a stored copy can't be read; it is set aside as a dead letter");
    if row.message.is_some() {
        let others = [row.sending, row.pinned].into_iter().flatten().chain([row.revision]);
        let ended = others.collect::<std::collections::BTreeSet<i64>>().len();
        let organization = OrganizationId::stored(row.organization.clone());
        ledger.changes.tallies.add(&organization, tally::DEAD, i64::try_from(ended).unwrap_or(1));
    }
    let now = ledger.now;
    if let Some(copy) = ledger.copy(row.id) {
        copy.sending = copy.is_in_doubt().then_some(copy.revision);
        copy.is_open = false;
        copy.state = "dead".to_owned();
        copy.code = Some("poison".to_owned());
        copy.detail = Some(format!("its {what} can't be read"));
        copy.pinned = None;
        copy.due_at = None;
        copy.updated_at = now.as_micros();
    }
}

fn read(
    row: &copies::Model,
    lease: &Lease,
    subscription: Option<String>,
    documents: &Documents,
) -> Result<Work, &'static str> {
    let what = match (row.event, row.message) {
        (Some(id), _) => What::Event {
            subscription: subscription.ok_or("subscription")?,
            id,
            body: documents.events.get(&id).cloned().ok_or("event")?,
        },
        (None, Some(message)) => {
            let document = documents.messages.get(&message).ok_or("message")?;
            let body = match row.pinned {
                Some(_) => document.pinned.as_ref().ok_or("final revision")?,
                None => &document.body,
            };
            What::Message {
                installation: InstallationId(row.installation.ok_or("installation")?),
                put: body.put().ok_or("message")?,
                key: document.key.clone(),
                root: row.root.map(CopyId),
                log_text: row.log_text.clone(),
                target: row.target.clone(),
            }
        }
        (None, None) => return Err("message"),
    };
    if !CopyState::is_known(&row.state) {
        return Err("state");
    }
    Ok(Work {
        lease: lease.clone(),
        copy: CopyId(row.id),
        what,
        revision: row.pinned.unwrap_or(row.revision),
        removal: row.removal,
        is_fallback: row.is_fallback,
        unsure: false,
        parts: serde_json::from_str(&row.parts).map_err(|_| "parts")?,
        address: row.address.clone(),
        account: row.account.clone(),
        attempts: u32::try_from(row.attempts).unwrap_or(0),
        crashes: u32::try_from(row.crashes).unwrap_or(0),
        first_tried: row.first_tried_at.map(Timestamp::from_micros),
        urgency: match row.urgency {
            0 => Urgency::Low,
            2 => Urgency::Urgent,
            _ => Urgency::Normal,
        },
        expires_at: Timestamp::from_micros(row.expires_at),
        created_at: Timestamp::from_micros(row.created_at),
    })
}

/// What a copy becomes by an outcome.
struct Change {
    /// Of a copy whose newest revision this was.
    state: &'static str,
    is_open: bool,
    shown: bool,
    attempts: u32,
    due: Option<Timestamp>,
    code: Option<&'static str>,
    detail: String,
    /// The tally of the revision, if this is its end.
    tally: Option<&'static str>,
    keeps_sending: bool,
}

fn change_of(work: &Work, outcome: &Outcome) -> Change {
    let open = |state, due, attempts, code, detail: &str| Change {
        state,
        is_open: true,
        shown: false,
        attempts,
        due: Some(due),
        code,
        detail: detail.to_owned(),
        tally: None,
        keeps_sending: false,
    };
    let end = |state, code, detail: &str, tally| Change {
        state,
        is_open: false,
        shown: false,
        attempts: work.attempts + 1,
        due: None,
        code,
        detail: detail.to_owned(),
        tally: Some(tally),
        keeps_sending: false,
    };
    // A doubt from before stays: only finding out or a confirmation ends it.
    let waits = |otherwise| if work.unsure { "unknown" } else { otherwise };
    match outcome {
        Outcome::Delivered => {
            let state = if work.removal { "removed" } else { "delivered" };
            Change { shown: !work.removal, attempts: 0, ..end(state, None, "", tally::DELIVERED) }
        }
        Outcome::Retry { at, code, detail } => {
            Change { keeps_sending: work.unsure, ..open(waits("retry"), *at, work.attempts + 1, Some(*code), detail) }
        }
        Outcome::Hold { until, code, detail, .. } => {
            Change { keeps_sending: work.unsure, ..open(waits("pending"), *until, work.attempts, Some(*code), detail) }
        }
        Outcome::Unknown { at, detail } => {
            Change { keeps_sending: true, ..open("unknown", *at, work.attempts + 1, Some(UNKNOWN), detail) }
        }
        Outcome::Dead { code, detail } => end("dead", Some(*code), detail, tally::DEAD),
        Outcome::Expired => end("expired", Some("expired"), "its time ran out", tally::EXPIRED),
        Outcome::Unneeded => end("cancelled", None, "everything else has arrived", tally::CANCELLED),
        // What is being sent stays noted, so that a revision which a newer one has replaced is
        // counted when that is taken.
        Outcome::Untried { due } => {
            Change { keeps_sending: true, ..open(waits("pending"), *due, work.attempts, None, "") }
        }
    }
}

/// Write down how an attempt ended. The stream is loaded under the work's lease, and the
/// copy. What stands there already, from a commit whose answer was lost, isn't written again.
pub(super) fn conclude(ledger: &mut Ledger, record: &Record) {
    let (work, now) = (&record.work, ledger.now);
    let change = change_of(work, &record.outcome);
    let Some(copy) = ledger.copy(work.copy.0) else { return };
    if !copy.is_taken() || copy.sending != Some(work.revision) {
        return;
    }
    let was_due = copy.due_at;
    let is_newer = copy.revision > work.revision || copy.removal != work.removal;
    // A removal that a revision of the same number has replaced: it was counted then.
    let is_counted = copy.revision == work.revision && copy.removal != work.removal;
    copy.parts = parts_text(&record.parts);
    if record.address.is_some() {
        copy.address.clone_from(&record.address);
    }
    if change.shown {
        copy.shown = Some(work.revision);
    }
    if !change.keeps_sending {
        copy.sending = None;
    }
    // Given up, though it could still be found out whether it had arrived.
    let is_in_doubt = work.unsure
        && match record.outcome {
            Outcome::Dead { code, .. } => code != UNKNOWN,
            Outcome::Expired => true,
            _ => false,
        };
    if copy.pinned == Some(work.revision) && !change.is_open {
        copy.pinned = None;
    }
    let goes_on = is_newer && !change.is_open;
    copy.is_open = is_newer || change.is_open;
    copy.state = match goes_on {
        true if is_in_doubt => "doubtful",
        true => "pending",
        false => change.state,
    }
    .to_owned();
    if is_in_doubt && !goes_on {
        copy.sending = Some(copy.revision);
    }
    if !matches!(record.outcome, Outcome::Untried { .. }) {
        copy.code = change.code.map(str::to_owned);
        copy.detail = detail_of(&change);
        copy.attempts = i32::try_from(change.attempts).unwrap_or(i32::MAX);
    }
    if !matches!(record.outcome, Outcome::Untried { .. } | Outcome::Hold { .. }) {
        copy.crashes = 0;
    }
    copy.due_at = match goes_on {
        // The newer revision may have to wait for its own time.
        true => Some(Ord::max(was_due.unwrap_or(0), now.as_micros())),
        false => change.due.map(Timestamp::as_micros),
    };
    copy.updated_at = now.as_micros();
    let copy = copy.clone();
    match &record.outcome {
        Outcome::Untried { due } => {
            if let Some(stream) = ledger.stream(work.lease.stream.0) {
                stream.hold(*due);
            }
            return;
        }
        Outcome::Hold { until, scope, .. } => hold(ledger, work, *scope, *until),
        _ => {
            let id = ledger.new_id();
            ledger.changes.attempts.push(attempt(record, &change, id, now));
        }
    }
    let What::Message { installation, key, .. } = &work.what else {
        if let Outcome::Retry { at, .. } = &record.outcome {
            // A receiver that fails once fails the next one too: its events wait, in order.
            hold(ledger, work, Scope::Conversation, *at);
        }
        return;
    };
    let organization = &work.lease.organization;
    let is_replaced = is_newer && copy.pinned != Some(work.revision);
    let ended = match change.tally {
        // A newer revision takes its place, so this one has ended, unsent.
        None if is_replaced && !change.keeps_sending => Some(tally::SUPERSEDED),
        tally => tally,
    };
    if let Some(outcome) = ended.filter(|_| !is_counted) {
        ledger.changes.tallies.add(organization, outcome, 1);
    }
    if record.outcome == Outcome::Delivered {
        ledger.changes.delivered.insert((organization.clone(), *installation), now);
    }
    if change.tally.is_some() && !is_counted && record.outcome != Outcome::Unneeded {
        let failure = change.code.map(|code| FailureView::new(code, &change.detail));
        let (message, revision, copy) = (key.clone(), work.revision, copy_view_of(&copy, &record.parts));
        ledger.tell(organization.as_str(), &MessageEvent { message, revision, copy, failure });
    }
}

/// Let everything that the scope names wait.
fn hold(ledger: &mut Ledger, work: &Work, scope: Scope, until: Timestamp) {
    match (scope, &work.what) {
        (Scope::Copy, _) => {}
        (Scope::Installation | Scope::Origin, What::Message { installation, .. }) => {
            let key = (work.lease.organization.clone(), *installation);
            let held = ledger.changes.holds.entry(key).or_insert(until);
            *held = Ord::max(*held, until);
        }
        _ => {
            if let Some(stream) = ledger.stream(work.lease.stream.0) {
                stream.hold(until);
            }
        }
    }
}

fn attempt(record: &Record, change: &Change, id: Uuid, now: Timestamp) -> attempts::Model {
    attempts::Model {
        organization: record.work.lease.organization.as_str().to_owned(),
        id,
        copy: record.work.copy.0,
        revision: record.work.revision,
        outcome: record.outcome.name().to_owned(),
        code: change.code.map(str::to_owned),
        detail: detail_of(change),
        duration: i64::try_from(record.took.as_micros()).unwrap_or(i64::MAX),
        at: now.as_micros(),
    }
}

fn detail_of(change: &Change) -> Option<String> {
    (!change.detail.is_empty()).then(|| change.detail.clone())
}

pub(super) fn parts_text(parts: &[ShownPart]) -> String {
    // Serializing plain data into memory can't fail.
    serde_json::to_string(parts).expect("parts are plain data")
}
