//! The columns that the engine reads and writes, and the rows that fill them. Those of whole
//! rows stand in the order of their entity's fields, as which they are read.

use crate::{
    delivery::ledger::Stream,
    store::{
        entities::{attempts, copies, messages},
        sheet::{Cell, Columns, Kind},
    },
};
use Kind::{Boolean, Bytes, Id, Integer, Text};

pub(super) const MESSAGES: Columns<12> = [
    ("organization", Text),
    ("id", Id),
    ("key", Text),
    ("revision", Integer),
    ("is_final", Boolean),
    ("deleted", Boolean),
    ("fingerprint", Bytes),
    ("body", Text),
    ("answer", Text),
    ("pinned", Text),
    ("created_at", Integer),
    ("updated_at", Integer),
];

pub(super) fn message(row: &messages::Model) -> [Cell<'_>; 12] {
    [
        (&row.organization).into(),
        row.id.into(),
        (&row.key).into(),
        row.revision.into(),
        row.is_final.into(),
        row.deleted.into(),
        Cell::Bytes(&row.fingerprint),
        (&row.body).into(),
        (&row.answer).into(),
        row.pinned.as_ref().into(),
        row.created_at.into(),
        row.updated_at.into(),
    ]
}

pub(super) const STREAMS: Columns<13> = [
    ("organization", Text),
    ("id", Id),
    ("installation", Id),
    ("subscription", Text),
    ("key", Text),
    ("rate", Text),
    ("urgency", Integer),
    ("owner", Id),
    ("fence", Integer),
    ("lease_until", Integer),
    ("due_at", Integer),
    ("held_until", Integer),
    ("sequence", Integer),
];

pub(super) fn stream(stream: &Stream) -> [Cell<'_>; 13] {
    let row = &stream.row;
    [
        (&row.organization).into(),
        row.id.into(),
        row.installation.into(),
        row.subscription.as_ref().into(),
        (&row.key).into(),
        (&row.rate).into(),
        i64::from(row.urgency).into(),
        row.owner.into(),
        row.fence.into(),
        row.lease_until.into(),
        row.due_at.into(),
        row.held_until.into(),
        row.sequence.into(),
    ]
}

/// What changes of a stream, and the fence under which it was loaded.
pub(super) const STREAM_CHANGES: Columns<11> = [
    ("organization", Text),
    ("id", Id),
    ("was_fence", Integer),
    ("is_released", Boolean),
    ("urgency", Integer),
    ("owner", Id),
    ("fence", Integer),
    ("lease_until", Integer),
    ("due_at", Integer),
    ("held_until", Integer),
    ("sequence", Integer),
];

pub(super) fn stream_change((was, is): &(Stream, Stream)) -> [Cell<'_>; 11] {
    let row = &is.row;
    [
        (&row.organization).into(),
        row.id.into(),
        was.row.fence.into(),
        is.is_released.into(),
        i64::from(row.urgency).into(),
        row.owner.into(),
        row.fence.into(),
        row.lease_until.into(),
        row.due_at.into(),
        row.held_until.into(),
        row.sequence.into(),
    ]
}

pub(super) const COPIES: Columns<35> = [
    ("organization", Text),
    ("id", Id),
    ("stream", Id),
    ("installation", Id),
    ("message", Id),
    ("event", Id),
    ("root", Id),
    ("log_id", Text),
    ("log_text", Text),
    ("target", Text),
    ("account", Text),
    ("address", Text),
    ("sequence", Integer),
    ("revision", Integer),
    ("pinned", Integer),
    ("shown", Integer),
    ("sending", Integer),
    ("is_open", Boolean),
    ("removal", Boolean),
    ("is_fallback", Boolean),
    ("may_fold", Boolean),
    ("folded_into", Id),
    ("fence", Integer),
    ("state", Text),
    ("code", Text),
    ("detail", Text),
    ("due_at", Integer),
    ("attempts", Integer),
    ("crashes", Integer),
    ("first_tried_at", Integer),
    ("parts", Text),
    ("urgency", Integer),
    ("expires_at", Integer),
    ("created_at", Integer),
    ("updated_at", Integer),
];

pub(super) fn copy(row: &copies::Model) -> [Cell<'_>; 35] {
    [
        (&row.organization).into(),
        row.id.into(),
        row.stream.into(),
        row.installation.into(),
        row.message.into(),
        row.event.into(),
        row.root.into(),
        row.log_id.as_ref().into(),
        row.log_text.as_ref().into(),
        (&row.target).into(),
        row.account.as_ref().into(),
        row.address.as_ref().into(),
        row.sequence.into(),
        row.revision.into(),
        row.pinned.into(),
        row.shown.into(),
        row.sending.into(),
        row.is_open.into(),
        row.removal.into(),
        row.is_fallback.into(),
        row.may_fold.into(),
        row.folded_into.into(),
        row.fence.into(),
        (&row.state).into(),
        row.code.as_ref().into(),
        row.detail.as_ref().into(),
        row.due_at.into(),
        i64::from(row.attempts).into(),
        i64::from(row.crashes).into(),
        row.first_tried_at.into(),
        (&row.parts).into(),
        i64::from(row.urgency).into(),
        row.expires_at.into(),
        row.created_at.into(),
        row.updated_at.into(),
    ]
}

/// What changes of a copy.
pub(super) const COPY_CHANGES: Columns<23> = [
    ("organization", Text),
    ("id", Id),
    ("address", Text),
    ("revision", Integer),
    ("pinned", Integer),
    ("shown", Integer),
    ("sending", Integer),
    ("is_open", Boolean),
    ("removal", Boolean),
    ("may_fold", Boolean),
    ("folded_into", Id),
    ("fence", Integer),
    ("state", Text),
    ("code", Text),
    ("detail", Text),
    ("due_at", Integer),
    ("attempts", Integer),
    ("crashes", Integer),
    ("first_tried_at", Integer),
    ("parts", Text),
    ("urgency", Integer),
    ("expires_at", Integer),
    ("updated_at", Integer),
];

pub(super) fn copy_change(row: &copies::Model) -> [Cell<'_>; 23] {
    [
        (&row.organization).into(),
        row.id.into(),
        row.address.as_ref().into(),
        row.revision.into(),
        row.pinned.into(),
        row.shown.into(),
        row.sending.into(),
        row.is_open.into(),
        row.removal.into(),
        row.may_fold.into(),
        row.folded_into.into(),
        row.fence.into(),
        (&row.state).into(),
        row.code.as_ref().into(),
        row.detail.as_ref().into(),
        row.due_at.into(),
        i64::from(row.attempts).into(),
        i64::from(row.crashes).into(),
        row.first_tried_at.into(),
        (&row.parts).into(),
        i64::from(row.urgency).into(),
        row.expires_at.into(),
        row.updated_at.into(),
    ]
}

pub(super) const ATTEMPTS: Columns<9> = [
    ("organization", Text),
    ("id", Id),
    ("copy", Id),
    ("revision", Integer),
    ("outcome", Text),
    ("code", Text),
    ("detail", Text),
    ("duration", Integer),
    ("at", Integer),
];

pub(super) fn attempt(row: &attempts::Model) -> [Cell<'_>; 9] {
    [
        (&row.organization).into(),
        row.id.into(),
        row.copy.into(),
        row.revision.into(),
        (&row.outcome).into(),
        row.code.as_ref().into(),
        row.detail.as_ref().into(),
        row.duration.into(),
        row.at.into(),
    ]
}

pub(super) const TALLIES: Columns<3> = [("organization", Text), ("outcome", Text), ("total", Integer)];

/// A number of an installation or of an organization.
pub(super) const NUMBERS: Columns<3> = [("installation", Id), ("name", Text), ("number", Integer)];

/// Times of installations.
pub(super) const INSTALLATION_TIMES: Columns<4> =
    [("organization", Text), ("id", Id), ("held_until", Integer), ("last_delivered_at", Integer)];

/// Something of an organization, by its id.
pub(super) const OWNED: Columns<2> = [("organization", Text), ("id", Id)];

/// Something of an organization, by its key.
pub(super) const KEYED: Columns<2> = [("organization", Text), ("key", Text)];

/// A conversation of an installation.
pub(super) const PLACES: Columns<2> = [("installation", Id), ("key", Text)];

/// A stream, and a copy in it.
pub(super) const HEADS_OF: Columns<2> = [("id", Id), ("without", Id)];

/// Something, by its id.
pub(super) const IDS: Columns<1> = [("id", Id)];

/// Something, by its name.
pub(super) const NAMES: Columns<1> = [("name", Text)];
