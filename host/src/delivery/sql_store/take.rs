//! Taking the next copy of a leased stream, and giving streams back.

use chatport_sdk::{delivery::Urgency, time::Timestamp};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult, Value};
use uuid::Uuid;

use super::LEASE;
use crate::{
    delivery::{
        schedule,
        store::{Lease, What, Work},
        tally::{self, Tallies},
    },
    ids::{CopyId, InstallationId},
    store::statement,
};

const RELEASE: &str = "UPDATE streams SET owner = NULL, lease_until = 0,
        due_at = (SELECT MIN(due_at) FROM copies WHERE copies.stream = streams.id)
    WHERE organization = $1 AND id = $2 AND owner = $3 AND fence = $4";

const RENEW: &str = "UPDATE streams SET lease_until = $5
    WHERE organization = $1 AND id = $2 AND owner = $3 AND fence = $4";

const HEAD: &str =
    "SELECT c.*, m.body AS message_body, m.pinned AS message_pinned, m.key AS message_key, e.body AS event_body,
        s.subscription AS stream_subscription, s.held_until AS stream_held, i.held_until AS installation_held
    FROM copies c
    JOIN streams s ON s.id = c.stream
    LEFT JOIN installations i ON i.id = s.installation
    LEFT JOIN messages m ON m.id = c.message
    LEFT JOIN events e ON e.id = c.event
    WHERE c.stream = $1 AND c.due_at <= $2
    ORDER BY c.sequence LIMIT 1";

pub(super) fn lease_values(lease: &Lease) -> [Value; 4] {
    [lease.organization.as_str().into(), lease.stream.0.into(), lease.owner.into(), lease.fence.into()]
}

/// Renew the lease; `None` if somebody else has it.
pub(super) async fn renew(
    transaction: &DatabaseTransaction,
    lease: &Lease,
    now: Timestamp,
) -> Result<Option<()>, DbErr> {
    let [organization, stream, owner, fence] = lease_values(lease);
    let values = [organization, stream, owner, fence, now.plus(LEASE).as_micros().into()];
    let renewed = transaction.execute_raw(statement(transaction, RENEW, values)).await?;
    Ok((renewed.rows_affected() == 1).then_some(()))
}

/// Give a stream back; it is due again with the first of its copies.
pub(super) async fn release(transaction: &DatabaseTransaction, lease: &Lease) -> Result<(), DbErr> {
    transaction.execute_raw(statement(transaction, RELEASE, lease_values(lease))).await?;
    Ok(())
}

/// Take the first due copy of a leased stream and mark on disk that it is being sent: if
/// this process dies now, the next one knows that it may have arrived.
pub(super) async fn take_next(
    transaction: &DatabaseTransaction,
    lease: &Lease,
    now: Timestamp,
    adopt: bool,
    tallies: &mut Tallies,
) -> Result<Option<Work>, DbErr> {
    loop {
        let values: [Value; 2] = [lease.stream.0.into(), now.as_micros().into()];
        let Some(row) = transaction.query_one_raw(statement(transaction, HEAD, values)).await? else {
            return Ok(None);
        };
        let installation_held = row.try_get::<Option<i64>>("", "installation_held")?.unwrap_or(0);
        if row.try_get::<i64>("", "stream_held")?.max(installation_held) > now.as_micros() {
            return Ok(None);
        }
        let work = match read_work(&row, lease) {
            Ok(work) => work,
            Err(error) => {
                give_up(transaction, &row, lease, now, &error, tallies).await?;
                continue;
            }
        };
        if !adopt && row.try_get::<String>("", "state")? == "sending" {
            set_aside(transaction, &work, now).await?;
        } else {
            return take(transaction, work, &row, now, tallies).await.map(Some);
        }
    }
}

/// A copy was being sent when its process died. Like any copy whose outcome isn't known it
/// waits for a moment, so that what the platform still works on is done before it is found
/// out; and longer each time, so that a copy that brings the process down doesn't do so
/// without a pause.
async fn set_aside(transaction: &DatabaseTransaction, work: &Work, now: Timestamp) -> Result<(), DbErr> {
    let crashes = work.crashes.saturating_add(1);
    let pause = schedule::wait(usize::try_from(crashes).unwrap_or(usize::MAX), 0.5);
    let sql = "UPDATE copies SET state = 'unknown', crashes = $3, due_at = $4, code = 'unknown_outcome', detail = $5
        WHERE organization = $1 AND id = $2";
    let values: [Value; 5] = [
        work.lease.organization.as_str().into(),
        work.copy.0.into(),
        i32::try_from(crashes).unwrap_or(i32::MAX).into(),
        now.plus(pause).as_micros().into(),
        "the process that sent it died before the answer came".into(),
    ];
    transaction.execute_raw(statement(transaction, sql, values)).await?;
    Ok(())
}

/// A copy that can't be read must not stop the others: it becomes a dead letter.
async fn give_up(
    transaction: &DatabaseTransaction,
    row: &QueryResult,
    lease: &Lease,
    now: Timestamp,
    error: &DbErr,
    tallies: &mut Tallies,
) -> Result<(), DbErr> {
    let id: Uuid = row.try_get("", "id")?;
    tracing::error!(copy = %id, %error, "a stored copy can't be read; it is set aside as a dead letter");
    if row.try_get::<Option<Uuid>>("", "message")?.is_some() {
        let revision: i64 = row.try_get("", "revision")?;
        let others = [row.try_get::<Option<i64>>("", "sending")?, row.try_get::<Option<i64>>("", "pinned")?];
        let ended: std::collections::BTreeSet<i64> = others.into_iter().flatten().chain([revision]).collect();
        tallies.add(&lease.organization, tally::DEAD, i64::try_from(ended.len()).unwrap_or(1));
    }
    let sql = "UPDATE copies SET is_open = FALSE, state = 'dead', code = 'poison', detail = 'it can''t be read',
            sending = NULL, pinned = NULL, due_at = NULL, updated_at = $3
        WHERE organization = $1 AND id = $2";
    let values: [Value; 3] = [lease.organization.as_str().into(), id.into(), now.as_micros().into()];
    transaction.execute_raw(statement(transaction, sql, values)).await?;
    Ok(())
}

async fn take(
    transaction: &DatabaseTransaction,
    mut work: Work,
    row: &QueryResult,
    now: Timestamp,
    tallies: &mut Tallies,
) -> Result<Work, DbErr> {
    work.unsure = row.try_get::<String>("", "state")? == "unknown";
    let sending: Option<i64> = row.try_get("", "sending")?;
    let is_message = matches!(work.what, What::Message { .. });
    if is_message && sending.is_some_and(|sending| sending < work.revision) {
        tallies.add(&work.lease.organization, tally::SUPERSEDED, 1);
    }
    let first_tried = work.first_tried.unwrap_or(now);
    let sql = "UPDATE copies SET state = 'sending', sending = COALESCE(pinned, revision), first_tried_at = $3
        WHERE organization = $1 AND id = $2";
    let values: [Value; 3] =
        [work.lease.organization.as_str().into(), work.copy.0.into(), first_tried.as_micros().into()];
    transaction.execute_raw(statement(transaction, sql, values)).await?;
    Ok(work)
}

fn read_work(row: &QueryResult, lease: &Lease) -> Result<Work, DbErr> {
    let bad = |what: &str| DbErr::Custom(format!("a copy's {what} can't be read"));
    let parts: String = row.try_get("", "parts")?;
    let pinned: Option<i64> = row.try_get("", "pinned")?;
    let what = match row.try_get::<Option<Uuid>>("", "event")? {
        Some(id) => What::Event {
            subscription: row
                .try_get::<Option<String>>("", "stream_subscription")?
                .ok_or_else(|| bad("subscription"))?,
            id,
            body: row.try_get("", "event_body")?,
        },
        None => What::Message {
            installation: InstallationId(
                row.try_get::<Option<Uuid>>("", "installation")?.ok_or_else(|| bad("installation"))?,
            ),
            body: match pinned {
                Some(_) => row.try_get::<Option<String>>("", "message_pinned")?.ok_or_else(|| bad("final revision"))?,
                None => row.try_get("", "message_body")?,
            },
            key: row.try_get("", "message_key")?,
            root: row.try_get::<Option<Uuid>>("", "root")?.map(CopyId),
            log_text: row.try_get("", "log_text")?,
            target: row.try_get("", "target")?,
        },
    };
    Ok(Work {
        lease: lease.clone(),
        copy: CopyId(row.try_get("", "id")?),
        what,
        revision: match pinned {
            Some(revision) => revision,
            None => row.try_get("", "revision")?,
        },
        removal: row.try_get("", "removal")?,
        unsure: false,
        parts: serde_json::from_str(&parts).map_err(|_| bad("parts"))?,
        address: row.try_get("", "address")?,
        account: row.try_get("", "account")?,
        attempts: u32::try_from(row.try_get::<i32>("", "attempts")?).unwrap_or(0),
        crashes: u32::try_from(row.try_get::<i32>("", "crashes")?).unwrap_or(0),
        first_tried: row.try_get::<Option<i64>>("", "first_tried_at")?.map(Timestamp::from_micros),
        urgency: match row.try_get::<i16>("", "urgency")? {
            0 => Urgency::Low,
            2 => Urgency::Urgent,
            _ => Urgency::Normal,
        },
        expires_at: Timestamp::from_micros(row.try_get("", "expires_at")?),
        created_at: Timestamp::from_micros(row.try_get("", "created_at")?),
    })
}
