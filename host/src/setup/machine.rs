//! The install steps as a machine: a backend says what comes next, the host keeps where the
//! machine stands, so that any replica can go on with it. What a step brings is written in
//! one transaction, and only if nobody else went on meanwhile.

use std::sync::Arc;

use chatport_sdk::{
    crypto,
    descriptor::Descriptor,
    identity::Identity,
    install::{Fields, Progress},
    time::Timestamp,
    token::NewToken,
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, sea_query::Expr};
use serde_json::{Value, json};

use super::{
    SetupFailure,
    audit::{self, Actor},
    commands,
    contain::{SETUP_LIMIT, contained, contained_pure},
    installations::{self, Installation, guarded},
    schema, sites,
    sites::Loaded,
    state::{InstallationState, Transition},
    suspension,
    tokens::{self, Holder},
    view::view,
};
use crate::{
    app::App,
    events::EventKind,
    ids::{InstallationId, OrganizationId},
    store::{
        Change,
        entities::{
            installations::{Column, Entity, Model},
            organizations,
        },
    },
};

/// What a person asks of the machine.
#[derive(Clone, Debug)]
enum Ask {
    Begin,
    Submit(Fields),
    Reauthorize,
}

/// Begin to set a backend up. Its first steps are in the answer, secrets and all, this once.
///
/// # Errors
/// What the person can mend.
pub async fn create(
    app: &App,
    organization: &OrganizationId,
    backend: &str,
    settings: Value,
    actor: &Actor,
) -> Result<Installation, SetupFailure> {
    let Some(backend) = app.registry.get(backend).cloned() else {
        return Err(SetupFailure::BackendUnknown { asked: backend.to_owned(), linked: app.registry.ids() });
    };
    let descriptor = backend.descriptor();
    if descriptor.loopback_only && !app.settings.serves_this_machine_alone() {
        return Err(SetupFailure::LoopbackOnly { backend: descriptor.id.to_owned() });
    }
    if backend.install().is_none() {
        return Err(installations::no_install(descriptor.id));
    }
    if descriptor.needs_public_url && app.public_url.is_none() {
        let detail = format!("{} must reach this host: set the public URL of the host first", descriptor.name);
        return Err(SetupFailure::NeedsPublicUrl(detail));
    }
    let settings = if settings.is_null() { json!({}) } else { settings };
    check_settings(descriptor, &settings)?;
    let known = organizations::Entity::find_by_id(organization.as_str()).one(app.database.read()).await?;
    known.ok_or(SetupFailure::NotFound)?;
    // Nothing is stored before the backend has answered: a refusal leaves nothing behind.
    let row = new_row(app, organization, descriptor, settings);
    let loaded = sites::fresh(app, row, Arc::clone(&backend));
    check_by_backend(&loaded)?;
    let progress = ask(&loaded, Ask::Begin).await?;
    let now = app.clock.now();
    let transaction = app.database.begin(organization).await?;
    Entity::insert(loaded.row.as_ref().clone().into_active_model().reset_all())
        .exec_without_returning(&transaction)
        .await?;
    let steps = apply(&transaction, app, &loaded, progress, now).await?;
    let object = loaded.id.to_string();
    audit::write(&transaction, organization, actor, "installation.create", &object, "done", now).await?;
    transaction.commit().await?;
    app.delivery.wake();
    answer(app, &loaded, steps).await
}

/// Take what a person filled in.
///
/// # Errors
/// What the person can mend; the stage stays.
pub async fn submit(
    app: &App,
    organization: &OrganizationId,
    installation: InstallationId,
    fields: Fields,
    actor: &Actor,
) -> Result<Installation, SetupFailure> {
    go_on(app, organization, installation, Ask::Submit(fields), "installation.submit", actor).await
}

/// Ask for new secrets; links and channels stay.
///
/// # Errors
/// What the person can mend.
pub async fn reauthorize(
    app: &App,
    organization: &OrganizationId,
    installation: InstallationId,
    actor: &Actor,
) -> Result<Installation, SetupFailure> {
    go_on(app, organization, installation, Ask::Reauthorize, "installation.reauthorize", actor).await
}

async fn go_on(
    app: &App,
    organization: &OrganizationId,
    installation: InstallationId,
    what: Ask,
    action: &str,
    actor: &Actor,
) -> Result<Installation, SetupFailure> {
    let loaded = sites::load_now(app, organization, installation).await?;
    let progress = ask(&loaded, what).await?;
    let now = app.clock.now();
    let transaction = app.database.begin(organization).await?;
    let steps = apply(&transaction, app, &loaded, progress, now).await?;
    audit::write(&transaction, organization, actor, action, &installation.to_string(), "done", now).await?;
    transaction.commit().await?;
    app.delivery.wake();
    answer(app, &loaded, steps).await
}

/// The installation as it is now, with the steps that were made just now.
async fn answer(app: &App, loaded: &Loaded, steps: Vec<Value>) -> Result<Installation, SetupFailure> {
    let row = installations::row(app.database.read(), &loaded.organization, loaded.id).await?;
    Ok(view(app, &row, Some(steps)))
}

async fn ask(loaded: &Loaded, what: Ask) -> Result<Progress, SetupFailure> {
    let (backend, site) = (Arc::clone(&loaded.backend), loaded.site.clone());
    let asked = contained(SETUP_LIMIT, async move {
        let install = backend.install()?;
        Some(match what {
            Ask::Begin => install.begin(&site).await,
            Ask::Submit(fields) => install.submit(&site, &fields).await,
            Ask::Reauthorize => install.reauthorize(&site).await,
        })
    });
    let answered = asked.await.map_err(|error| SetupFailure::call(loaded.backend_id(), error))?;
    Ok(answered.ok_or_else(|| installations::no_install(loaded.backend_id()))??)
}

fn new_row(app: &App, organization: &OrganizationId, descriptor: &Descriptor, settings: Value) -> Model {
    let now = app.clock.now().as_micros();
    let mut slot = [0; 16];
    app.random.fill(&mut slot);
    Model {
        organization: organization.as_str().to_owned(),
        id: InstallationId::new().0,
        backend: descriptor.id.to_owned(),
        slot: crypto::hex(&slot),
        state: InstallationState::Pending.as_str().to_owned(),
        settings,
        settings_version: i32::try_from(descriptor.settings_version).unwrap_or(i32::MAX),
        stage: String::new(),
        notes: Value::Null,
        steps: json!([]),
        window_until: None,
        identity: None,
        problem: None,
        health: None,
        held_until: 0,
        last_delivered_at: None,
        last_heard_at: None,
        created_at: now,
        updated_at: now,
        removed_at: None,
    }
}

/// Check settings against the backend's schema.
pub(super) fn check_settings(descriptor: &Descriptor, settings: &Value) -> Result<(), SetupFailure> {
    schema::check(descriptor.settings.as_value(), settings)
        .map_err(|violation| SetupFailure::field(violation.name, violation.detail))
}

/// Let the backend judge what its schema can't.
pub(super) fn check_by_backend(loaded: &Loaded) -> Result<(), SetupFailure> {
    let checked = contained_pure(|| loaded.backend.install().map_or(Ok(()), |install| install.check(&loaded.site)));
    Ok(checked.map_err(|error| SetupFailure::call(loaded.backend_id(), error))??)
}

/// Write what a step brought. The answer is the next steps, with their secrets.
async fn apply(
    transaction: &Change,
    app: &App,
    loaded: &Loaded,
    progress: Progress,
    now: Timestamp,
) -> Result<Vec<Value>, SetupFailure> {
    let settings = progress.settings.unwrap_or_else(|| loaded.row.settings.clone());
    let (kept, shown): (Vec<Value>, Vec<Value>) =
        progress.steps.iter().map(|step| (step.to_json(false), step.to_json(true))).unzip();
    let window = progress.window.map(|window| now.plus(window).as_micros()).or(loaded.row.window_until);
    let mut update = guarded(&loaded.row, now)
        .col_expr(Column::Settings, Expr::value(settings.clone()))
        .col_expr(Column::SettingsVersion, Expr::value(loaded.row.settings_version))
        .col_expr(Column::Stage, Expr::value(progress.stage))
        .col_expr(Column::Steps, Expr::value(Value::Array(kept)))
        .col_expr(Column::WindowUntil, Expr::value(window));
    if let Some(notes) = progress.notes {
        update = update.col_expr(Column::Notes, Expr::value(notes));
    }
    let updated = update.exec(transaction).await?;
    expect_unchanged(updated.rows_affected)?;
    let holder = Holder { servers: tokens::servers(&settings), ..loaded.holder() };
    match progress.installed {
        Some(identity) => complete(transaction, app, loaded, &holder, identity, progress.tokens, now).await?,
        None => tokens::store(transaction, app, &holder, progress.tokens, now).await?,
    }
    Ok(shown)
}

/// A guarded update must have touched its row.
pub(super) fn expect_unchanged(rows_affected: u64) -> Result<(), SetupFailure> {
    if rows_affected == 1 {
        return Ok(());
    }
    let detail = "somebody else changed this installation at the same moment: look at it again";
    Err(SetupFailure::WrongStage(detail.into()))
}

/// Setup is complete, by a step or by a happening: the installation becomes active.
async fn complete(
    transaction: &Change,
    app: &App,
    loaded: &Loaded,
    holder: &Holder,
    identity: Identity,
    new_tokens: Vec<NewToken>,
    now: Timestamp,
) -> Result<(), SetupFailure> {
    if let Some(former) = other_identity(loaded, &identity) {
        return Err(SetupFailure::OtherIdentity { expected: former.display_name });
    }
    tokens::store(transaction, app, holder, new_tokens, now).await?;
    let was_active = loaded.state() == InstallationState::Active;
    suspension::change_state(transaction, &loaded.row, Transition::Complete, None, now).await?;
    commands::sync_again(transaction, loaded, now).await?;
    set_identity(transaction, loaded, &identity).await?;
    if !was_active {
        let state = InstallationState::Active;
        installations::append(transaction, &loaded.row, EventKind::InstallationActivated, state, None, now).await?;
    }
    Ok(())
}

/// The bot that was set up first, if it is another one: links and channels belong to it.
fn other_identity(loaded: &Loaded, identity: &Identity) -> Option<Identity> {
    sites::stored_identity(&loaded.row).filter(|former| former.account != identity.account)
}

async fn set_identity(transaction: &Change, loaded: &Loaded, identity: &Identity) -> Result<(), SetupFailure> {
    Entity::update_many()
        .col_expr(Column::Identity, Expr::value(json!(identity)))
        .filter(Column::Organization.eq(loaded.row.organization.as_str()))
        .filter(Column::Id.eq(loaded.row.id))
        .exec(transaction)
        .await?;
    Ok(())
}

/// What came of a setup that was completed on the platform's side.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Completion {
    /// The installation is active.
    Taken,
    /// It isn't the time for it.
    NotNow,
    /// It is another bot's than this one, which is set up here.
    AnotherBot(Identity),
}

/// Setup was completed on the platform's side. It is taken while the window is open, or
/// where it repeats what an active installation is already.
///
/// # Errors
/// What is wrong with it.
pub(crate) async fn completed_by_platform(
    transaction: &Change,
    app: &App,
    loaded: &Loaded,
    identity: &Identity,
    new_tokens: Vec<NewToken>,
    now: Timestamp,
) -> Result<Completion, SetupFailure> {
    let in_window = loaded.row.window_until.is_some_and(|until| now.as_micros() < until);
    let repeats = loaded.state() == InstallationState::Active
        && sites::stored_identity(&loaded.row)
            .is_some_and(|former| former.account == identity.account && former.server == identity.server);
    if !(in_window || repeats) {
        return Ok(Completion::NotNow);
    }
    if let Some(present) = other_identity(loaded, identity) {
        return Ok(Completion::AnotherBot(present));
    }
    let updated = guarded(&loaded.row, now)
        .col_expr(Column::Stage, Expr::value("installed"))
        .col_expr(Column::Steps, Expr::value(json!([])))
        .exec(transaction)
        .await?;
    expect_unchanged(updated.rows_affected)?;
    complete(transaction, app, loaded, &loaded.holder(), identity.clone(), new_tokens, now).await?;
    Ok(Completion::Taken)
}
