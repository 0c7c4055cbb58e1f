//! Commands that an application declares for an installation: stored here, made known to the
//! platform by [`super::command_sync`] whenever what was declared has changed.

use std::sync::Arc;

use chatport_sdk::{commands::DeclaredCommand, content::Allow, crypto, schemars::JsonSchema, time::Timestamp};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter,
    sea_query::{Expr, OnConflict},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    SetupFailure,
    audit::{self, Actor},
    command_sync,
    contain::{SETUP_LIMIT, contained, contained_pure},
    sites::{self, Loaded},
};
use crate::{
    app::App,
    ids::{InstallationId, OrganizationId},
    store::{
        Change,
        entities::command_sets::{Column, Entity, Model},
        only,
    },
};

/// The commands of an installation, as applications read them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandSet {
    /// The commands, in the order in which they were declared.
    pub commands: Vec<DeclaredCommand>,
    /// Whether the platform offers them.
    pub state: SyncState,
    /// When the platform last got to know them.
    pub synced_at: Option<Timestamp>,
    /// What the platform doesn't offer though it knows the rest, in words.
    pub missing: Vec<String>,
    /// Why the platform couldn't be told; present while that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<SyncProblem>,
}

/// Whether a platform offers what was declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SyncState {
    /// It will be told as soon as the installation is active.
    Pending,
    /// It was told.
    Synced,
    /// It could not be told; it will be tried again.
    Failed,
}

/// Why a platform couldn't be told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SyncProblem {
    /// A failure code, as for copies.
    pub code: String,
    /// In words.
    pub detail: String,
    /// When it is tried again.
    pub again_at: Timestamp,
}

impl CommandSet {
    fn of(row: Option<Model>) -> Self {
        let Some(row) = row else {
            let (commands, missing) = (Vec::new(), Vec::new());
            return Self { commands, state: SyncState::Synced, synced_at: None, missing, problem: None };
        };
        let state = match (row.due_at, row.attempts) {
            (None, _) => SyncState::Synced,
            (Some(_), 0) => SyncState::Pending,
            _ => SyncState::Failed,
        };
        Self {
            commands: declared(&row),
            state,
            synced_at: row.synced_at.map(Timestamp::from_micros),
            missing: serde_json::from_value(row.missing).unwrap_or_default(),
            problem: row.problem.and_then(|problem| serde_json::from_value(problem).ok()),
        }
    }
}

/// The commands of a row.
pub(super) fn declared(row: &Model) -> Vec<DeclaredCommand> {
    serde_json::from_value(row.commands.clone()).unwrap_or_default()
}

/// What was declared for an installation.
///
/// # Errors
/// It isn't there, or its backend knows no commands.
pub async fn get(
    app: &App,
    organization: &OrganizationId,
    installation: InstallationId,
) -> Result<CommandSet, SetupFailure> {
    offering(app, organization, installation).await?;
    Ok(CommandSet::of(row(app.database.read(), organization, installation).await?))
}

/// Declare commands: exactly these from now on. They must have passed
/// [`chatport_sdk::commands::check`]. The same once more changes nothing, but is tried at once
/// where the platform couldn't be told all of it.
///
/// # Errors
/// It isn't there, its backend knows no commands or can't offer these.
pub async fn declare(
    app: &App,
    organization: &OrganizationId,
    installation: InstallationId,
    commands: Vec<DeclaredCommand>,
    actor: &Actor,
) -> Result<CommandSet, SetupFailure> {
    let loaded = offering(app, organization, installation).await?;
    let before = row(app.database.read(), organization, installation).await?;
    let hash = hash(&commands);
    if before.as_ref().map_or(commands.is_empty(), |before| before.hash == hash && is_all_well(before)) {
        return Ok(CommandSet::of(before));
    }
    let checked =
        contained_pure(|| loaded.backend.commands().map_or(Ok(()), |part| part.check(&loaded.site, &commands)));
    checked.map_err(|error| SetupFailure::call(loaded.backend_id(), error))??;
    let now = app.clock.now();
    let row = Model {
        organization: organization.as_str().to_owned(),
        installation: installation.0,
        commands: json!(commands),
        hash,
        due_at: Some(now.as_micros()),
        leased_until: 0,
        attempts: 0,
        missing: json!([]),
        problem: None,
        synced_at: before.and_then(|before| before.synced_at),
        updated_at: now.as_micros(),
    };
    let newest = OnConflict::columns([Column::Organization, Column::Installation])
        .update_columns([
            Column::Commands,
            Column::Hash,
            Column::DueAt,
            Column::Attempts,
            Column::Missing,
            Column::Problem,
            Column::UpdatedAt,
        ])
        .to_owned();
    let transaction = app.database.begin_uncached().await?;
    Entity::insert(row.clone().into_active_model().reset_all())
        .on_conflict(newest)
        .exec_without_returning(&transaction)
        .await?;
    audit::write(&transaction, organization, actor, "commands.declare", &installation.to_string(), "done", now).await?;
    transaction.commit().await?;
    app.command_sync.wake();
    Ok(CommandSet::of(Some(row)))
}

/// Whether saying the same once more can't mend anything.
fn is_all_well(row: &Model) -> bool {
    row.attempts == 0 && row.missing.as_array().is_none_or(Vec::is_empty)
}

/// The installation, if its backend makes commands known.
async fn offering(
    app: &App,
    organization: &OrganizationId,
    installation: InstallationId,
) -> Result<Loaded, SetupFailure> {
    let loaded = sites::load_now(app, organization, installation).await?;
    match loaded.backend.commands() {
        Some(_) => Ok(loaded),
        None => Err(SetupFailure::LacksPart { backend: loaded.backend_id().to_owned(), part: "commands" }),
    }
}

fn hash(commands: &[DeclaredCommand]) -> Vec<u8> {
    crypto::sha256(json!(commands).to_string().as_bytes()).to_vec()
}

pub(super) async fn row(
    on: &impl ConnectionTrait,
    organization: &OrganizationId,
    installation: InstallationId,
) -> Result<Option<Model>, DbErr> {
    only(Entity::find_by_id((organization.as_str().to_owned(), installation.0)), on).await
}

/// Who may use a command of an installation; `None`: it isn't declared (any more).
///
/// # Errors
/// The database refuses.
pub(crate) async fn allowed(
    on: &impl ConnectionTrait,
    organization: &OrganizationId,
    installation: InstallationId,
    name: &str,
) -> Result<Option<Allow>, DbErr> {
    let commands = row(on, organization, installation).await?.map(|row| declared(&row)).unwrap_or_default();
    Ok(commands.into_iter().find(|command| command.name == name).map(|command| command.allow))
}

/// The installation was set up anew: what the platform knew may be gone.
///
/// # Errors
/// The database refuses.
pub(super) async fn sync_again(transaction: &Change, loaded: &Loaded, now: Timestamp) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::DueAt, Expr::value(now.as_micros()))
        .col_expr(Column::Attempts, Expr::value(0))
        .filter(Column::Organization.eq(loaded.organization.as_str()))
        .filter(Column::Installation.eq(loaded.id.0))
        .exec(&**transaction)
        .await?;
    Ok(())
}

/// Take the commands of an installation that is being removed back on the platform, as far as
/// that goes: a failure is for the operator's eyes.
///
/// # Errors
/// The database refuses.
pub(super) async fn take_back(app: &App, loaded: &Loaded) -> Result<(), DbErr> {
    if row(app.database.read(), &loaded.organization, loaded.id).await?.is_none() {
        return Ok(());
    }
    command_sync::end(app, &loaded.organization, loaded.id).await?;
    let (backend, site) = (Arc::clone(&loaded.backend), loaded.call(app).site);
    let asked = contained(SETUP_LIMIT, async move {
        match backend.commands() {
            Some(part) => part.sync(&site, &[]).await.map(drop),
            None => Ok(()),
        }
    });
    let failure = match asked.await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(failure)) => failure.to_string(),
        Err(error) => error.to_string(),
    };
    tracing::warn!(installation = %loaded.id, failure, "commands may be left on the platform");
    Ok(())
}

/// Forget the commands of an installation that is being removed.
///
/// # Errors
/// The database refuses.
pub(super) async fn forget(
    transaction: &Change,
    organization: &OrganizationId,
    installation: InstallationId,
) -> Result<(), DbErr> {
    Entity::delete_by_id((organization.as_str().to_owned(), installation.0)).exec(&**transaction).await?;
    Ok(())
}
