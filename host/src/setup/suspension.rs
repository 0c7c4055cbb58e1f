//! An installation that needs a person: suspended, its streams held, until somebody says that it
//! works again.

use chatport_sdk::time::Timestamp;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::json;

use super::{
    SetupFailure,
    audit::{self, Actor},
    installations::{Installation, append, get, later},
    sites::{self, LoadError, Loaded},
    state::{InstallationState, Problem, Transition},
    tokens,
};
use crate::{
    app::App,
    events::EventKind,
    ids::{InstallationId, OrganizationId},
    store::{
        Change,
        entities::installations::{Column, Entity, Model},
    },
};

/// An installation needs a person; its streams are held. One that isn't active stays as it is.
///
/// # Errors
/// The database refuses.
pub async fn suspend(
    app: &App,
    organization: &OrganizationId,
    installation: InstallationId,
    code: &str,
    detail: &str,
) -> Result<(), DbErr> {
    let loaded = match sites::load_now(app, organization, installation).await {
        Ok(loaded) => loaded,
        Err(LoadError::Store(error)) => return Err(error),
        Err(_) => return Ok(()),
    };
    let now = app.clock.now();
    let cure = match code {
        "installation_revoked" => "Reauthorize the installation, or remove it.",
        _ => "Mend the cause, then resume the installation.",
    };
    let transaction = app.database.begin(organization).await?;
    let suspended = suspend_in(&transaction, &loaded, &Problem::new(code, detail, cure, now), now).await?;
    transaction.commit().await?;
    if suspended {
        tracing::warn!(%organization, %installation, code, detail, "an installation is suspended");
        app.delivery.wake();
    }
    Ok(())
}

/// Suspend within the transaction of whatever is the reason. The answer tells whether it was
/// active.
pub(crate) async fn suspend_in(
    transaction: &Change,
    loaded: &Loaded,
    problem: &Problem,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let changed = change_state(transaction, &loaded.row, Transition::Suspend, Some(problem), now).await?;
    if changed {
        let state = InstallationState::Suspended;
        append(transaction, &loaded.row, EventKind::InstallationSuspended, state, Some(problem), now).await?;
    }
    Ok(changed)
}

/// The app was removed on the platform's side: what the platform or a person gave for it is
/// void, and the installation waits for new credentials.
pub(crate) async fn uninstalled(transaction: &Change, loaded: &Loaded, now: Timestamp) -> Result<(), DbErr> {
    let problem = Problem::uninstalled(now);
    tokens::revoke_given(transaction, &loaded.holder(), now).await?;
    if suspend_in(transaction, loaded, &problem, now).await? {
        return Ok(());
    }
    // Suspended for a lesser reason, it could be resumed as it is.
    Entity::update_many()
        .col_expr(Column::Problem, Expr::value(json!(problem)))
        .col_expr(Column::UpdatedAt, later(now))
        .filter(Column::Organization.eq(loaded.organization.as_str()))
        .filter(Column::Id.eq(loaded.id.0))
        .filter(Column::State.eq(InstallationState::Suspended.as_str()))
        .exec(transaction)
        .await?;
    Ok(())
}

/// A person says that a suspended installation works again: its messages go on.
///
/// # Errors
/// It isn't there, isn't suspended, needs new credentials, or its backend isn't linked.
pub async fn resume(
    app: &App,
    organization: &OrganizationId,
    installation: InstallationId,
    actor: &Actor,
) -> Result<Installation, SetupFailure> {
    let loaded = sites::load_now(app, organization, installation).await?;
    let problem = loaded.row.problem.clone().and_then(|problem| serde_json::from_value::<Problem>(problem).ok());
    if let Some(problem) = problem.filter(Problem::needs_new_credentials) {
        let detail =
            format!("{}: it can't be resumed without new credentials; reauthorize it, or remove it", problem.detail);
        return Err(SetupFailure::WrongStage(detail));
    }
    let now = app.clock.now();
    let transaction = app.database.begin(organization).await?;
    if !change_state(&transaction, &loaded.row, Transition::Resume, None, now).await? {
        return Err(match loaded.state() {
            InstallationState::Pending => SetupFailure::NotActive { installation, state: InstallationState::Pending },
            state => SetupFailure::WrongStage(format!(
                "only a suspended installation can be resumed; this one is {}",
                state.as_str()
            )),
        });
    }
    append(&transaction, &loaded.row, EventKind::InstallationActivated, InstallationState::Active, None, now).await?;
    audit::write(&transaction, organization, actor, "installation.resume", &installation.to_string(), "done", now)
        .await?;
    transaction.commit().await?;
    app.delivery.wake();
    get(app, organization, installation).await
}

/// Go one way of the state machine: from whatever state the row has now, if there is such a
/// way. What is to be sent is held and let go with it.
pub(super) async fn change_state(
    transaction: &Change,
    row: &Model,
    transition: Transition,
    problem: Option<&Problem>,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let from = InstallationState::ALL.into_iter().filter(|state| state.after(transition).is_some());
    // Whatever the way begins with, it has one end.
    let Some(to) = from.clone().find_map(|state| state.after(transition)) else { return Ok(false) };
    let held_until = if to == InstallationState::Active { 0 } else { i64::MAX };
    let updated = Entity::update_many()
        .col_expr(Column::State, Expr::value(to.as_str()))
        .col_expr(Column::HeldUntil, Expr::value(held_until))
        .col_expr(Column::Problem, Expr::value(problem.map(|problem| json!(problem))))
        .col_expr(Column::UpdatedAt, later(now))
        .filter(Column::Organization.eq(row.organization.as_str()))
        .filter(Column::Id.eq(row.id))
        .filter(Column::State.is_in(from.map(InstallationState::as_str)))
        .exec(transaction)
        .await?;
    if updated.rows_affected == 0 {
        return Ok(false);
    }
    Ok(true)
}
