//! Installations: reading them, and everything that happens to one after it has been set
//! up: new settings, probes, removal. `suspension` holds them and lets them go.

use chatport_sdk::time::Timestamp;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, UpdateMany,
    sea_query::{Expr, ExprTrait, SimpleExpr},
};
use serde_json::{Value, json};

pub use super::view::{
    Installation, InstallationEvent, InstallationHealth, InstallationIdentity, InstallationNews, Probed, ShownStep,
    StepValue, StepWords,
};
use super::{
    SetupFailure,
    audit::{self, Actor},
    channels, commands,
    contain::{SETUP_LIMIT, contained},
    links, machine,
    page::{Cursor, Page, Paged, in_order},
    sites::{self, LoadError, Loaded},
    state::{InstallationState, Problem},
    suspension::suspend_in,
    tokens,
    view::view,
};
use crate::{
    app::App,
    delivery::{self, CancelWhat},
    events::{self, EventKind, NewEvent},
    ids::{InstallationId, OrganizationId},
    ingress::listen,
    store::{
        Change,
        entities::installations::{Column, Entity, Model},
    },
};

/// Which installations are wanted.
#[derive(Clone, Debug, Default)]
pub struct InstallationFilter {
    /// Of this backend.
    pub backend: Option<String>,
    /// Changed after this time; removed ones are then among them.
    pub updated_after: Option<Timestamp>,
}

/// One installation.
///
/// # Errors
/// It isn't there.
pub async fn get(
    app: &App,
    organization: &OrganizationId,
    installation: InstallationId,
) -> Result<Installation, SetupFailure> {
    let row = row(app.database.read(), organization, installation).await?;
    Ok(view(app, &row, None))
}

/// A row that hasn't been removed.
pub(super) async fn row(
    on: &impl ConnectionTrait,
    organization: &OrganizationId,
    installation: InstallationId,
) -> Result<Model, SetupFailure> {
    let row = Entity::find_by_id((organization.as_str().to_owned(), installation.0)).one(on).await?;
    row.filter(|row| row.removed_at.is_none()).ok_or(SetupFailure::NotFound)
}

/// List installations in the order of their last change.
///
/// # Errors
/// The database refuses.
pub async fn list(
    app: &App,
    organization: &OrganizationId,
    filter: &InstallationFilter,
    page: Page,
) -> Result<Paged<Installation>, SetupFailure> {
    let mut query = Entity::find().filter(Column::Organization.eq(organization.as_str()));
    if let Some(backend) = &filter.backend {
        query = query.filter(Column::Backend.eq(backend.as_str()));
    }
    query = match filter.updated_after {
        Some(after) => query.filter(Column::UpdatedAt.gt(after.as_micros())),
        None => query.filter(Column::RemovedAt.is_null()),
    };
    let rows = in_order(query, page, Column::UpdatedAt, Column::Id).all(app.database.read()).await?;
    let at = |row: &Model| Cursor { updated_at: Timestamp::from_micros(row.updated_at), id: row.id };
    Ok(Paged::of(page, rows, at, |row| view(app, &row, None)))
}

/// The one active installation of a backend, for callers that name only the backend.
///
/// # Errors
/// There is none, none is active, or there are several.
pub async fn sole(app: &App, organization: &OrganizationId, backend: &str) -> Result<InstallationId, SetupFailure> {
    let Some(asked) = app.registry.get(backend) else {
        return Err(SetupFailure::BackendUnknown { asked: backend.to_owned(), linked: app.registry.ids() });
    };
    let rows = Entity::find()
        .filter(Column::Organization.eq(organization.as_str()))
        .filter(Column::Backend.eq(backend))
        .filter(Column::RemovedAt.is_null())
        .order_by_asc(Column::CreatedAt)
        .all(app.database.read())
        .await?;
    let state = |row: &Model| InstallationState::stored(&row.state);
    let active = rows.iter().filter(|row| state(row) == InstallationState::Active);
    let active: Vec<InstallationId> = active.map(|row| InstallationId(row.id)).collect();
    match (active.as_slice(), rows.first()) {
        ([only], _) => Ok(*only),
        ([], Some(other)) => {
            Err(SetupFailure::NotActive { installation: InstallationId(other.id), state: state(other) })
        }
        ([], None) => Err(if asked.install().is_none() { no_install(backend) } else { SetupFailure::NotFound }),
        _ => Err(SetupFailure::Several { installations: active }),
    }
}

/// Change settings: members of `patch` replace those of the same name, null takes one away.
/// Where other servers are named than before, what was sealed for those is discarded, and
/// the installation is suspended until it is reauthorized.
///
/// # Errors
/// It isn't there, or the settings break the schema.
pub async fn change_settings(
    app: &App,
    organization: &OrganizationId,
    installation: InstallationId,
    patch: &Value,
    actor: &Actor,
) -> Result<Installation, SetupFailure> {
    let before = sites::load_now(app, organization, installation).await?;
    let mut settings = before.row.settings.clone();
    merge(&mut settings, patch);
    machine::check_settings(before.backend.descriptor(), &settings)?;
    let changed = Model { settings: settings.clone(), ..before.row.as_ref().clone() };
    machine::check_by_backend(&sites::fresh(app, changed, before.backend.clone()))?;
    let now = app.clock.now();
    let transaction = app.database.begin(organization).await?;
    let updated = guarded(&before.row, now)
        .col_expr(Column::Settings, Expr::value(settings.clone()))
        .col_expr(Column::SettingsVersion, Expr::value(before.row.settings_version))
        .exec(&transaction)
        .await?;
    machine::expect_unchanged(updated.rows_affected)?;
    let moved = tokens::servers(&settings) != tokens::servers(&before.row.settings);
    if moved && tokens::revoke_given_for_servers(&transaction, &before.holder(), now).await? {
        suspend_in(&transaction, &before, &Problem::moved(now), now).await?;
    }
    audit::write(&transaction, organization, actor, "installation.change", &installation.to_string(), "done", now)
        .await?;
    transaction.commit().await?;
    app.delivery.wake();
    get(app, organization, installation).await
}

/// RFC 7396, for the top level.
fn merge(settings: &mut Value, patch: &Value) {
    let (Value::Object(settings), Value::Object(patch)) = (&mut *settings, patch) else {
        settings.clone_from(patch);
        return;
    };
    for (name, value) in patch {
        if value.is_null() {
            settings.remove(name);
        } else {
            settings.insert(name.clone(), value.clone());
        }
    }
}

/// A time of change that is later than the last one, even within one tick of the clock.
pub(super) fn later(now: Timestamp) -> SimpleExpr {
    let last = || Expr::col(Column::UpdatedAt);
    Expr::case(last().gte(now.as_micros()), last().add(1)).finally(now.as_micros()).into()
}

/// An update of this very version of a row: it touches nothing if somebody else was quicker.
pub(super) fn guarded(row: &Model, now: Timestamp) -> UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::UpdatedAt, later(now))
        .filter(Column::Organization.eq(row.organization.as_str()))
        .filter(Column::Id.eq(row.id))
        .filter(Column::State.eq(row.state.as_str()))
        .filter(Column::UpdatedAt.eq(row.updated_at))
}

/// Find out how an installation is, and keep the answer.
///
/// # Errors
/// It isn't there, or its backend can't be asked.
pub async fn probe(
    app: &App,
    organization: &OrganizationId,
    installation: InstallationId,
) -> Result<Installation, SetupFailure> {
    let loaded = sites::load_now(app, organization, installation).await?;
    let (backend, site) = (loaded.backend.clone(), loaded.site.clone());
    let asked = contained(SETUP_LIMIT, async move {
        match backend.install() {
            Some(install) => Some(install.probe(&site).await),
            None => None,
        }
    });
    let failed = |error| SetupFailure::call(loaded.backend_id(), error);
    let health = asked.await.map_err(failed)?.ok_or_else(|| no_install(loaded.backend_id()))?;
    let health = listen::and_listening(app, &loaded, health).await?;
    let probed = Probed { at: app.clock.now(), health };
    Entity::update_many()
        .col_expr(Column::Health, Expr::value(json!(probed)))
        .filter(Column::Organization.eq(organization.as_str()))
        .filter(Column::Id.eq(installation.0))
        .exec(app.database.write_uncached())
        .await?;
    get(app, organization, installation).await
}

pub(super) fn no_install(backend: &str) -> SetupFailure {
    SetupFailure::NoInstall { backend: backend.to_owned() }
}

/// Take an installation away. What stands on the platform is taken back as far as it goes.
///
/// # Errors
/// It isn't there, or the database refuses.
pub async fn remove(
    app: &App,
    organization: &OrganizationId,
    installation: InstallationId,
    actor: &Actor,
) -> Result<(), SetupFailure> {
    let row = match sites::load_now(app, organization, installation).await {
        Ok(loaded) => {
            commands::take_back(app, &loaded).await?;
            take_back(&loaded).await;
            loaded.row.as_ref().clone()
        }
        // It can be removed all the same.
        Err(LoadError::BackendNotLinked { .. }) => row(app.database.read(), organization, installation).await?,
        Err(error) => return Err(error.into()),
    };
    let now = app.clock.now();
    let transaction = app.database.begin(organization).await?;
    let copies = CancelWhat::Installation(installation);
    delivery::lock_streams(&transaction, organization, &copies).await?;
    let updated = Entity::update_many()
        .col_expr(Column::State, Expr::value(InstallationState::Removed.as_str()))
        .col_expr(Column::RemovedAt, Expr::value(now.as_micros()))
        .col_expr(Column::UpdatedAt, later(now))
        .col_expr(Column::Steps, Expr::value(json!([])))
        .col_expr(Column::Notes, Expr::value(Value::Null))
        .col_expr(Column::WindowUntil, Expr::value(Option::<i64>::None))
        .filter(Column::Organization.eq(organization.as_str()))
        .filter(Column::Id.eq(installation.0))
        .filter(Column::RemovedAt.is_null())
        .exec(&transaction)
        .await?;
    if updated.rows_affected == 0 {
        return Err(SetupFailure::NotFound);
    }
    tokens::revoke_all(&transaction, organization, installation, now).await?;
    links::end_all(&transaction, organization, installation, now).await?;
    channels::remove_all(&transaction, organization, installation, now).await?;
    commands::forget(&transaction, organization, installation).await?;
    listen::forget(&transaction, organization, installation).await?;
    append(&transaction, &row, EventKind::InstallationRemoved, InstallationState::Removed, None, now).await?;
    audit::write(&transaction, organization, actor, "installation.remove", &installation.to_string(), "done", now)
        .await?;
    delivery::cancel(app, &transaction, organization, &copies, now).await?;
    transaction.commit().await?;
    app.delivery.wake();
    Ok(())
}

/// Best effort: a failure is for the operator's eyes.
async fn take_back(loaded: &Loaded) {
    let (backend, site) = (loaded.backend.clone(), loaded.site.clone());
    let asked = contained(SETUP_LIMIT, async move {
        match backend.install() {
            Some(install) => install.remove(&site).await,
            None => Ok(()),
        }
    });
    let failure = match asked.await {
        Ok(Ok(())) => return,
        Ok(Err(failure)) => failure.to_string(),
        Err(error) => error.to_string(),
    };
    tracing::warn!(installation = %loaded.id, failure, "something may be left on the platform");
}

/// Tell of an installation's new state.
pub(super) async fn append(
    transaction: &Change,
    row: &Model,
    kind: EventKind,
    state: InstallationState,
    problem: Option<&Problem>,
    now: Timestamp,
) -> Result<(), DbErr> {
    let told = InstallationEvent {
        installation: InstallationNews {
            id: InstallationId(row.id),
            backend: row.backend.clone(),
            state,
            problem: problem.cloned(),
        },
    };
    let organization = OrganizationId::stored(row.organization.clone());
    events::append(transaction, &organization, NewEvent::new(kind, &told, now)).await
}
