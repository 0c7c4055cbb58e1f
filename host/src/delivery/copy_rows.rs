//! The rows of new copies: of the message itself, and of the lines of its log.

use chatport_sdk::delivery::{Note, Urgency};
use sea_orm::{ActiveModelTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel};
use serde::Serialize;

use super::{
    accept::Operation,
    message,
    streams::Streams,
    tally::{self, Tallies},
    targets::Planned,
    view::{FailureView, MessageEvent, copy_view},
};
use crate::{
    events::{EventKind, NewEvent},
    ids::{CopyId, MessageId, OrganizationId},
    store::entities::copies,
};

/// A new copy, in its place among those of its stream.
pub(super) fn new_copy(
    operation: &Operation,
    message: MessageId,
    planned: &Planned,
    streams: &mut Streams,
) -> copies::Model {
    let dead = planned.place.as_ref().err();
    let stream = planned.place.as_ref().ok().and_then(|place| streams.take(place));
    let place = planned.place.as_ref().ok();
    let due = dead.is_none().then(|| operation.due_at.as_micros());
    copies::Model {
        organization: operation.organization.as_str().to_owned(),
        id: CopyId::new().0,
        stream: stream.map(|(id, _)| id),
        installation: place.map(|place| place.installation.0),
        message: Some(message.0),
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
        state: if dead.is_some() { "dead" } else { "pending" }.to_owned(),
        code: dead.map(|(code, _)| (*code).to_owned()),
        detail: dead.map(|(_, detail)| detail.clone()),
        due_at: due,
        attempts: 0,
        crashes: 0,
        first_tried_at: None,
        parts: "[]".to_owned(),
        urgency: match operation.put.urgency {
            Urgency::Low => 0,
            Urgency::Urgent => 2,
            Urgency::Normal => 1,
        },
        expires_at: operation.expires_at.as_micros(),
        created_at: operation.now.as_micros(),
        updated_at: operation.now.as_micros(),
    }
}

fn stored<T: Serialize>(value: &T) -> String {
    // Serializing plain data into memory can't fail.
    serde_json::to_string(value).expect("plain data")
}

/// The lines of the log that this copy's thread doesn't have yet: one reply each.
pub(super) fn log_copies(operation: &Operation, root: &copies::Model) -> Vec<copies::Model> {
    if root.stream.is_none() || root.account.is_some() {
        return Vec::new();
    }
    let line_of = |(line, number): (&message::LogLine, i64)| copies::Model {
        id: CopyId::new().0,
        root: Some(root.id),
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
    operation.put.log.iter().zip(1..).map(line_of).collect()
}

pub(super) fn count_new(tallies: &mut Tallies, operation: &Operation, row: &copies::Model) {
    tallies.add(&operation.organization, tally::ACCEPTED, 1);
    if !row.is_open {
        tallies.add(&operation.organization, tally::DEAD, 1);
    }
}

/// A target that can't be resolved is told at once.
pub(super) fn failed_event(operation: &Operation, row: &copies::Model) -> Option<(OrganizationId, NewEvent)> {
    let code = row.code.as_deref()?;
    let told = MessageEvent {
        message: operation.key.clone(),
        revision: row.revision,
        copy: copy_view(row),
        failure: Some(FailureView::new(code, row.detail.as_deref().unwrap_or_default())),
    };
    let event = NewEvent::new(EventKind::MessageFailed, serde_json::json!(told), operation.now);
    Some((operation.organization.clone(), event))
}

/// The notes of a plan, for an answer that is made from stored rows.
pub(super) fn notes_of(planned: &[Planned], target: &str) -> Vec<Note> {
    planned.iter().find(|planned| planned.target == target).map(|planned| planned.notes.clone()).unwrap_or_default()
}
pub(super) async fn insert_copies(transaction: &DatabaseTransaction, rows: Vec<copies::Model>) -> Result<(), DbErr> {
    // Copies have 31 columns; SQLite takes 32766 values in a statement.
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let chunk: Vec<_> = rows.by_ref().take(500).map(|row| row.into_active_model().reset_all()).collect();
        copies::Entity::insert_many(chunk).exec_without_returning(transaction).await?;
    }
    Ok(())
}
