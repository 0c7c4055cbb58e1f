//! The rows of presses: what is known of many in one query, and what is written of many in
//! one statement each.

use std::collections::HashSet;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, QueryResult};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    press::{First, Known, KnownCopy, KnownLink, Press},
    recorder::Conclusion,
};
use crate::{
    setup::audit::Actor,
    store::{
        sheet::{self, Cell, Columns, Kind, Sheet},
        statement,
    },
};

const PRESSES: Columns<7> = [
    ("place", Kind::Integer),
    ("organization", Kind::Text),
    ("installation", Kind::Id),
    ("happening", Kind::Text),
    ("copy", Kind::Id),
    ("account", Kind::Text),
    ("conversation", Kind::Text),
];

const CLAIMS: Columns<9> = [
    ("organization", Kind::Text),
    ("installation", Kind::Id),
    ("id", Kind::Text),
    ("fingerprint", Kind::Bytes),
    ("outcome", Kind::Text),
    ("received_at", Kind::Integer),
    ("audit", Kind::Id),
    ("actor", Kind::Text),
    ("object", Kind::Text),
];

const OUTCOMES: Columns<3> = [("installation", Kind::Id), ("id", Kind::Text), ("outcome", Kind::Text)];

const TAKEN: Columns<4> =
    [("organization", Kind::Text), ("event", Kind::Id), ("target", Kind::Text), ("at", Kind::Integer)];

/// What is stored about each of these presses, in their order.
///
/// # Errors
/// The database refuses.
pub(super) async fn known(on: &DatabaseTransaction, presses: &[&Press]) -> Result<Vec<Known>, DbErr> {
    if presses.is_empty() {
        return Ok(Vec::new());
    }
    let numbered: Vec<(i64, &&Press)> = (0..).zip(presses).collect();
    let sheet = Sheet::of(&PRESSES, &numbered, |(place, press)| {
        [
            (*place).into(),
            press.loaded.organization.as_str().into(),
            press.loaded.id.0.into(),
            (&press.id).into(),
            press.button.map(|button| button.copy).into(),
            (&press.account.id).into(),
            (&press.conversation).into(),
        ]
    });
    let sql = format!(
        "SELECT v.place, h.fingerprint, h.outcome, c.id, c.root, c.address, c.parts, c.sending, c.shown,
            m.key, m.revision, m.body, l.user_id, l.username, l.display_name, l.direct, n.id AS channel
        FROM {} AS v
        LEFT JOIN happenings h ON h.installation = v.installation AND h.id = v.happening
        LEFT JOIN copies c ON c.organization = v.organization AND c.id = v.copy
            AND c.installation = v.installation AND NOT c.removal
        LEFT JOIN messages m ON m.organization = c.organization AND m.id = c.message AND NOT m.deleted
        LEFT JOIN account_links l ON l.installation = v.installation AND l.account = v.account AND l.unlinked_at IS NULL
        LEFT JOIN channels n ON n.installation = v.installation AND n.conversation = v.conversation
            AND n.removed_at IS NULL",
        source(on, &PRESSES)
    );
    let mut known: Vec<Known> = presses.iter().map(|_| Known::default()).collect();
    for row in on.query_all_raw(statement(on, &sql, [sheet.into()])).await? {
        let place: i64 = row.try_get("", "place")?;
        let known = usize::try_from(place).ok().and_then(|place| known.get_mut(place));
        *known.ok_or_else(|| DbErr::Custom("a row of no press".into()))? = read(&row)?;
    }
    Ok(known)
}

fn read(row: &QueryResult) -> Result<Known, DbErr> {
    let fingerprint: Option<Vec<u8>> = row.try_get("", "fingerprint")?;
    let outcome = row.try_get("", "outcome")?;
    let key: Option<String> = row.try_get("", "key")?;
    let user: Option<String> = row.try_get("", "user_id")?;
    Ok(Known {
        first: fingerprint.map(|fingerprint| First { fingerprint, outcome }),
        copy: key.map(|key| copy(row, key)).transpose()?,
        link: user.map(|user| link(row, user)).transpose()?,
        channel: row.try_get("", "channel")?,
    })
}

fn copy(row: &QueryResult, key: String) -> Result<KnownCopy, DbErr> {
    Ok(KnownCopy {
        id: row.try_get("", "id")?,
        root: row.try_get("", "root")?,
        address: row.try_get("", "address")?,
        parts: row.try_get("", "parts")?,
        sending: row.try_get("", "sending")?,
        shown: row.try_get("", "shown")?,
        key,
        revision: row.try_get("", "revision")?,
        body: row.try_get("", "body")?,
    })
}

fn link(row: &QueryResult, user: String) -> Result<KnownLink, DbErr> {
    Ok(KnownLink {
        user,
        username: row.try_get("", "username")?,
        display_name: row.try_get("", "display_name")?,
        direct: row.try_get("", "direct")?,
    })
}

/// A press that is made the first happening of its id.
pub(super) struct Claim<'a> {
    pub press: &'a Press,
    /// The outcome, where there is one already.
    pub outcome: Option<Value>,
    /// The copy that was pressed, to be audited.
    pub copy: Option<Uuid>,
}

/// Make presses the first happenings of their ids. The answer is those that were claimed:
/// another replica may have been quicker. Those alone are audited.
///
/// # Errors
/// The database refuses.
pub(super) async fn claim(on: &DatabaseTransaction, claims: &[Claim<'_>]) -> Result<HashSet<(Uuid, String)>, DbErr> {
    if claims.is_empty() {
        return Ok(HashSet::new());
    }
    struct Row<'a> {
        press: &'a Press,
        outcome: Option<String>,
        audit: Option<Uuid>,
        actor: String,
        object: Option<String>,
    }
    let mut rows: Vec<Row<'_>> = claims
        .iter()
        .map(|Claim { press, outcome, copy }| Row {
            press,
            outcome: outcome.as_ref().map(Value::to_string),
            audit: copy.map(|_| Uuid::now_v7()),
            actor: Actor::account(press.loaded.backend_id(), &press.account.id).name,
            object: copy.map(|copy| copy.to_string()),
        })
        .collect();
    // In one order by all: two replicas that claim the same don't wait for each other.
    rows.sort_by(|one, other| (one.press.loaded.id.0, &one.press.id).cmp(&(other.press.loaded.id.0, &other.press.id)));
    let sheet = Sheet::of(&CLAIMS, &rows, |row| {
        [
            row.press.loaded.organization.as_str().into(),
            row.press.loaded.id.0.into(),
            (&row.press.id).into(),
            Cell::Bytes(&row.press.fingerprint),
            row.outcome.as_ref().into(),
            row.press.at.as_micros().into(),
            row.audit.into(),
            (&row.actor).into(),
            row.object.as_ref().into(),
        ]
    });
    let source = source(on, &CLAIMS);
    let outcome = outcome(on);
    let claims = format!(
        "INSERT INTO happenings (organization, installation, id, fingerprint, outcome, received_at)
        SELECT organization, installation, id, fingerprint, {outcome}, received_at FROM {source} AS v WHERE TRUE
        ON CONFLICT DO NOTHING RETURNING installation, id"
    );
    let audit = "INSERT INTO audit (id, organization, actor, action, object, result, at)
        SELECT v.audit, v.organization, v.actor, 'action.press', v.object, 'done', v.received_at";
    let sql = match on.get_database_backend() {
        DbBackend::Postgres => format!(
            "WITH claimed AS ({claims}), audited AS ({audit} FROM {source} AS v
                JOIN claimed c ON c.installation = v.installation AND c.id = v.id WHERE v.audit IS NOT NULL)
            SELECT installation, id FROM claimed"
        ),
        // There is no other replica.
        _ => format!("{audit} FROM {source} AS v WHERE v.audit IS NOT NULL;\n{claims}"),
    };
    let claimed = on.query_all_raw(statement(on, &sql, [sheet.into()])).await?;
    claimed.iter().map(|row| Ok((row.try_get("", "installation")?, row.try_get("", "id")?))).collect()
}

/// Keep what presses told of parts. What the engine recorded meanwhile is better.
///
/// # Errors
/// The database refuses.
pub(super) async fn keep_part(
    on: &DatabaseTransaction,
    press: &Press,
    copy: Uuid,
    (was, is): &(String, String),
) -> Result<(), DbErr> {
    let sql = "UPDATE copies SET parts = $4 WHERE organization = $1 AND id = $2 AND parts = $3";
    let organization = press.loaded.organization.as_str();
    let values = [organization.into(), copy.into(), was.as_str().into(), is.as_str().into()];
    on.execute_raw(statement(on, sql, values)).await?;
    Ok(())
}

/// Keep the outcomes of presses, so that repetitions get the first answer.
///
/// # Errors
/// The database refuses.
pub(super) async fn conclude(on: &DatabaseTransaction, conclusions: &[&Conclusion]) -> Result<(), DbErr> {
    let rows: Vec<(&Conclusion, String)> = conclusions
        .iter()
        .filter_map(|conclusion| Some((*conclusion, conclusion.outcome.as_ref()?.to_string())))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let sheet = Sheet::of(&OUTCOMES, &rows, |(conclusion, outcome)| {
        [conclusion.installation.0.into(), (&conclusion.id).into(), outcome.into()]
    });
    let sql = format!(
        "UPDATE happenings AS t SET outcome = {} FROM {} AS v WHERE t.installation = v.installation AND t.id = v.id",
        outcome(on),
        source(on, &OUTCOMES)
    );
    on.execute_raw(statement(on, &sql, [sheet.into()])).await?;
    Ok(())
}

/// Events that have been taken: their copies need not be sent.
///
/// # Errors
/// The database refuses.
pub(super) async fn settle(on: &DatabaseTransaction, conclusions: &[&Conclusion]) -> Result<(), DbErr> {
    let target = |subscription: &String| json!({ "subscription": subscription }).to_string();
    let rows: Vec<_> = conclusions
        .iter()
        .filter_map(|conclusion| {
            let (event, subscription) = conclusion.taken.as_ref()?;
            Some((*conclusion, event.0, target(subscription)))
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let sheet = Sheet::of(&TAKEN, &rows, |(conclusion, event, target)| {
        [conclusion.organization.as_str().into(), (*event).into(), target.into(), conclusion.at.as_micros().into()]
    });
    let sql = format!(
        "UPDATE copies AS t SET is_open = FALSE, state = 'delivered', due_at = NULL, updated_at = v.at FROM {} AS v
        WHERE t.organization = v.organization AND t.event = v.event AND t.target = v.target AND t.state = 'pending'",
        source(on, &TAKEN)
    );
    on.execute_raw(statement(on, &sql, [sheet.into()])).await?;
    Ok(())
}

fn source<const N: usize>(on: &DatabaseTransaction, columns: &Columns<N>) -> String {
    sheet::rows(on.get_database_backend(), columns, 1)
}

/// An outcome as its column takes it.
fn outcome(on: &DatabaseTransaction) -> &'static str {
    match on.get_database_backend() {
        DbBackend::Postgres => "CAST(v.outcome AS JSONB)",
        _ => "v.outcome",
    }
}
