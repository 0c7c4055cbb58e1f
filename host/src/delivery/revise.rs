//! A newer revision of a message that is known: its copies converge to it, new targets get
//! copies, targets that are left out are handled as asked.

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr,
    EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};

use super::{
    accept::{self, AcceptError, Accepted, Operation},
    copy_rows,
    message::OnRemoved,
    streams::Streams,
    tally::{self, Tallies},
    targets::Planned,
    view::{CopyView, copy_view},
};
use crate::{
    events::NewEvent,
    ids::{MessageId, OrganizationId},
    store::{
        entities::{copies, messages},
        statement,
    },
};
use chatport_sdk::time::Timestamp;

/// Apply an operation to a message that may exist.
pub(super) async fn revise(
    transaction: &DatabaseTransaction,
    operation: &Operation,
    tallies: &mut Tallies,
    events: &mut Vec<(OrganizationId, NewEvent)>,
) -> Result<Result<Accepted, AcceptError>, DbErr> {
    let stored = find_locked(transaction, &operation.organization, &operation.key).await?;
    let stored = stored.ok_or_else(|| DbErr::RecordNotFound("the message".into()))?;
    let revision = operation.put.revision;
    if revision < stored.revision {
        return Ok(Ok(present(transaction, &stored).await?));
    }
    if revision == stored.revision {
        if stored.fingerprint != operation.fingerprint {
            return Ok(Err(AcceptError::Conflict(revision)));
        }
        let first: Result<Accepted, _> = serde_json::from_str(&stored.answer);
        let first = first.map_err(|_| DbErr::Custom("a stored answer can't be read".into()))?;
        return Ok(Ok(Accepted { changed: false, ..first }));
    }
    lock_streams(transaction, &stored).await?;
    let rows = roots(transaction, &stored).await?;
    let mut views = Vec::new();
    let mut kept = Vec::new();
    // A final revision that still waits isn't merged into one that isn't final.
    let pins = stored.is_final && !stored.deleted && !operation.put.is_final;
    for row in rows {
        let is_wanted = operation.planned.iter().any(|planned| planned.target == row.target);
        if is_wanted && row.stream.is_some() {
            let row = reopen(transaction, &row, operation, pins, tallies).await?;
            let logs = missing_logs(transaction, operation, &row).await?;
            tallies.add(&operation.organization, tally::ACCEPTED, i64::try_from(logs.len()).unwrap_or(0));
            copy_rows::insert_copies(transaction, logs).await?;
            views.push(CopyView { notes: copy_rows::notes_of(&operation.planned, &row.target), ..copy_view(&row) });
            kept.push(row.target);
        } else if let Some(planned) = still_dead(&operation.planned, &row) {
            let (code, detail) = planned;
            let mut update = row.clone().into_active_model();
            update.revision = Set(revision);
            update.code = Set(Some(code.to_owned()));
            update.detail = Set(Some(detail));
            update.updated_at = Set(operation.now.as_micros());
            let row = update.update(transaction).await?;
            copy_rows::count_new(tallies, operation, &row);
            events.extend(copy_rows::failed_event(operation, &row));
            views.push(copy_view(&row));
            kept.push(row.target);
        } else if !is_wanted {
            let delete = operation.put.on_removed == OnRemoved::Delete;
            leave(transaction, &row, delete, operation.now, tallies).await?;
        }
    }
    let added: Vec<&Planned> = operation.planned.iter().filter(|planned| !kept.contains(&planned.target)).collect();
    let mut streams = match added.is_empty() {
        true => Streams::wake(transaction, &[]).await?,
        false => Streams::wake(transaction, &[operation]).await?,
    };
    for planned in added {
        let row = copy_rows::new_copy(operation, MessageId(stored.id), planned, &mut streams);
        copy_rows::count_new(tallies, operation, &row);
        events.extend(copy_rows::failed_event(operation, &row));
        views.push(CopyView { notes: planned.notes.clone(), ..copy_view(&row) });
        let logs = copy_rows::log_copies(operation, &row);
        tallies.add(&operation.organization, tally::ACCEPTED, i64::try_from(logs.len()).unwrap_or(0));
        copy_rows::insert_copies(transaction, std::iter::once(row).chain(logs).collect()).await?;
    }
    let accepted = Accepted { key: operation.key.clone(), revision, copies: views, changed: true, is_older: false };
    let mut update = accept::message_row(operation, MessageId(stored.id), &accepted);
    update.created_at = sea_orm::ActiveValue::NotSet;
    update.pinned = Set(match pins {
        true => Some(stored.body),
        false if operation.put.is_final => None,
        false => stored.pinned,
    });
    update.update(transaction).await?;
    Ok(Ok(accepted))
}

/// Keep workers out of a message's streams until this transaction ends: what is read of its
/// copies stays true, and both sides lock in the same order. SQLite has one writer anyway.
async fn lock_streams(transaction: &DatabaseTransaction, message: &messages::Model) -> Result<(), DbErr> {
    if transaction.get_database_backend() == DbBackend::Postgres {
        let sql = "SELECT id FROM streams WHERE id IN
            (SELECT stream FROM copies WHERE organization = $1 AND message = $2) ORDER BY id FOR UPDATE";
        let values = [message.organization.as_str().into(), message.id.into()];
        transaction.query_all_raw(statement(transaction, sql, values)).await?;
    }
    Ok(())
}

/// Find a message and keep others from changing it until this transaction ends: of two
/// revisions that come in at once, the second must see the first.
async fn find_locked(
    transaction: &DatabaseTransaction,
    organization: &OrganizationId,
    key: &str,
) -> Result<Option<messages::Model>, DbErr> {
    messages::Entity::find()
        .filter(messages::Column::Organization.eq(organization.as_str()))
        .filter(messages::Column::Key.eq(key))
        .lock_exclusive()
        .one(transaction)
        .await
}

/// The message as it stands.
async fn present(on: &impl ConnectionTrait, stored: &messages::Model) -> Result<Accepted, DbErr> {
    let copies = roots(on, stored).await?.iter().map(copy_view).collect();
    Ok(Accepted { key: stored.key.clone(), revision: stored.revision, copies, changed: false, is_older: true })
}

/// The copies of a message itself, without the lines of its log.
async fn roots(on: &impl ConnectionTrait, stored: &messages::Model) -> Result<Vec<copies::Model>, DbErr> {
    copies::Entity::find()
        .filter(copies::Column::Organization.eq(stored.organization.as_str()))
        .filter(copies::Column::Message.eq(stored.id))
        .filter(copies::Column::LogId.is_null())
        .order_by_asc(copies::Column::CreatedAt)
        .order_by_asc(copies::Column::Id)
        .all(on)
        .await
}

/// Make a copy due again for a newer revision. What was pending is superseded by it; what
/// is on its way is left, and this waits behind it.
async fn reopen(
    transaction: &DatabaseTransaction,
    row: &copies::Model,
    operation: &Operation,
    pins: bool,
    tallies: &mut Tallies,
) -> Result<copies::Model, DbErr> {
    tallies.add(&operation.organization, tally::ACCEPTED, 1);
    let pinned = match (pins && row.is_open, operation.put.is_final) {
        (true, _) => Some(row.revision),
        (false, true) => None,
        (false, false) => row.pinned,
    };
    let waited = [row.is_open.then_some(row.revision), row.pinned].into_iter().flatten();
    let superseded = waited.filter(|revision| row.sending != Some(*revision) && pinned != Some(*revision)).count();
    tallies.add(&operation.organization, tally::SUPERSEDED, i64::try_from(superseded).unwrap_or(0));
    let is_active = matches!(row.state.as_str(), "sending" | "unknown" | "retry");
    let due = if is_active { row.due_at.unwrap_or(operation.due_at.as_micros()) } else { operation.due_at.as_micros() };
    let mut update = row.clone().into_active_model();
    update.revision = Set(operation.put.revision);
    update.pinned = Set(pinned);
    update.is_open = Set(true);
    update.removal = Set(false);
    update.due_at = Set(Some(due));
    update.expires_at = Set(operation.expires_at.as_micros());
    update.updated_at = Set(operation.now.as_micros());
    if !is_active {
        update.state = Set("pending".to_owned());
        update.attempts = Set(0);
        update.first_tried_at = Set(None);
        update.code = Set(None);
        update.detail = Set(None);
    }
    wake(transaction, row, due).await?;
    update.update(transaction).await
}

/// Take a copy out of its message: delete it, or leave what stands and call off the rest.
pub(super) async fn leave(
    transaction: &DatabaseTransaction,
    row: &copies::Model,
    delete: bool,
    now: Timestamp,
    tallies: &mut Tallies,
) -> Result<(), DbErr> {
    let organization = OrganizationId::stored(row.organization.clone());
    let may_stand = row.parts != "[]" || matches!(row.state.as_str(), "sending" | "unknown");
    let mut update = row.clone().into_active_model();
    update.updated_at = Set(now.as_micros());
    if delete && may_stand && row.stream.is_some() {
        if row.removal {
            return Ok(());
        }
        tallies.add(&organization, tally::ACCEPTED, 1);
        tallies.add(&organization, tally::SUPERSEDED, waiting(row));
        update.pinned = Set(None);
        update.revision = Set(row.revision + 1);
        update.removal = Set(true);
        update.is_open = Set(true);
        update.due_at = Set(Some(now.as_micros()));
        if !matches!(row.state.as_str(), "sending" | "unknown") {
            update.state = Set("pending".to_owned());
        }
        update.expires_at = Set(now.plus(std::time::Duration::from_secs(24 * 3600)).as_micros());
        wake(transaction, row, now.as_micros()).await?;
        update.update(transaction).await?;
    } else if row.is_open && !matches!(row.state.as_str(), "sending" | "unknown") {
        tallies.add(&organization, tally::CANCELLED, waiting(row));
        update.pinned = Set(None);
        update.is_open = Set(false);
        update.due_at = Set(None);
        update.state = Set("cancelled".to_owned());
        update.update(transaction).await?;
    } else if row.pinned.is_some() {
        // It is on its way and goes on; what it kept back isn't wanted any more.
        tallies.add(&organization, tally::SUPERSEDED, i64::from(row.sending != row.pinned));
        update.pinned = Set(None);
        update.update(transaction).await?;
    }
    Ok(())
}

/// Why a target that could never be resolved still can't be.
fn still_dead(planned: &[Planned], row: &copies::Model) -> Option<(&'static str, String)> {
    let planned = planned.iter().find(|planned| planned.target == row.target && row.stream.is_none())?;
    planned.place.as_ref().err().cloned()
}

/// How many revisions of a copy wait to be sent.
fn waiting(row: &copies::Model) -> i64 {
    let open = row.is_open && row.sending != Some(row.revision);
    let pinned = row.pinned.is_some() && row.sending != row.pinned;
    i64::from(open) + i64::from(pinned)
}

async fn wake(transaction: &DatabaseTransaction, row: &copies::Model, due: i64) -> Result<(), DbErr> {
    let sql = "UPDATE streams SET due_at = $3 WHERE organization = $1 AND id = $2 AND (due_at IS NULL OR due_at > $3)";
    let values = [row.organization.clone().into(), row.stream.into(), due.into()];
    transaction.execute_raw(statement(transaction, sql, values)).await?;
    Ok(())
}

/// The lines of the log that a copy's thread doesn't have yet.
async fn missing_logs(
    transaction: &DatabaseTransaction,
    operation: &Operation,
    row: &copies::Model,
) -> Result<Vec<copies::Model>, DbErr> {
    if operation.put.log.is_empty() {
        return Ok(Vec::new());
    }
    let present = copies::Entity::find()
        .filter(copies::Column::Organization.eq(row.organization.as_str()))
        .filter(copies::Column::Root.eq(row.id))
        .filter(copies::Column::LogId.is_not_null())
        .all(transaction)
        .await?;
    let is_new = |copy: &copies::Model| !present.iter().any(|other| other.log_id == copy.log_id);
    let logs: Vec<_> = copy_rows::log_copies(operation, row).into_iter().filter(is_new).collect();
    if !logs.is_empty() {
        wake(transaction, row, operation.due_at.as_micros()).await?;
    }
    Ok(logs)
}

/// Take a message away: a final revision that shows nothing.
pub(super) async fn delete(
    transaction: &DatabaseTransaction,
    organization: &OrganizationId,
    key: &str,
    now: Timestamp,
    tallies: &mut Tallies,
) -> Result<Option<Vec<CopyView>>, DbErr> {
    let Some(stored) = find_locked(transaction, organization, key).await? else { return Ok(None) };
    lock_streams(transaction, &stored).await?;
    let all = copies::Entity::find()
        .filter(copies::Column::Organization.eq(organization.as_str()))
        .filter(copies::Column::Message.eq(stored.id))
        .order_by_asc(copies::Column::Sequence)
        .all(transaction)
        .await?;
    for row in &all {
        leave(transaction, row, true, now, tallies).await?;
    }
    messages::Entity::update_many()
        .col_expr(messages::Column::Deleted, Expr::value(true))
        .col_expr(messages::Column::IsFinal, Expr::value(true))
        .col_expr(messages::Column::UpdatedAt, Expr::value(now.as_micros()))
        .filter(messages::Column::Organization.eq(organization.as_str()))
        .filter(messages::Column::Id.eq(stored.id))
        .exec(transaction)
        .await?;
    Ok(Some(roots(transaction, &stored).await?.iter().map(copy_view).collect()))
}
