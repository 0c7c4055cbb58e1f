//! What a backend sees of an installation during a call: made anew for each call from the
//! installation's row and its tokens. They are kept in memory as they are stored, sealed, for
//! sending, and for what platforms send; whatever changes an installation reads them anew.

use std::sync::{Arc, OnceLock};

use chatport_sdk::{
    backend::MessagingBackend,
    http::{Dispatch, HttpClient},
    identity::Identity,
    site::{Site, SiteParts},
    time::Timestamp,
};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter};
use serde_json::Value;
use uuid::Uuid;

use super::{
    contain::contained_pure,
    schema,
    state::InstallationState,
    tokens::{self, Holder},
    vault::{NoNetwork, StoredVault},
};
use crate::{
    app::App,
    ids::{InstallationId, OrganizationId},
    store::{
        cache::KnownInstallation,
        entities::{self, installations},
        only,
    },
};

/// Why an installation can't be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No such installation in this organization, or it was removed.
    #[error("there is no such installation")]
    NotFound,
    /// Its backend isn't linked into this program.
    #[error("the backend `{backend}` isn't linked into this program; linked are: {linked}")]
    BackendNotLinked {
        /// The installation's backend.
        backend: String,
        /// What there is.
        linked: String,
    },
    /// The database refuses.
    #[error("the database refuses: {0}")]
    Store(#[from] DbErr),
}

/// An installation with its backend and usable tokens, as they were a moment ago, and a site
/// for one call.
#[derive(Clone)]
pub struct Loaded {
    /// The organization.
    pub organization: OrganizationId,
    /// The installation.
    pub id: InstallationId,
    /// Its backend.
    pub backend: Arc<dyn MessagingBackend>,
    /// The installation's row.
    pub row: Arc<installations::Model>,
    /// What the backend sees.
    pub site: Site,
    /// Whether a request through `site` that changes something may have left this machine.
    pub dispatch: Dispatch,
    rows: Arc<Vec<entities::tokens::Model>>,
    /// The servers that its settings name, see [`tokens::servers`].
    pub servers: Arc<str>,
}

/// A site for one more call, with a mark of its own.
#[derive(Debug)]
pub struct SiteCall {
    /// What the backend sees.
    pub site: Site,
    /// Whether a request through it that changes something may have left this machine.
    pub dispatch: Dispatch,
}

/// Load an installation and its tokens: as this replica knows them.
///
/// # Errors
/// It doesn't exist in this organization, or can't be loaded.
pub async fn load(app: &App, organization: &OrganizationId, installation: InstallationId) -> Result<Loaded, LoadError> {
    let known = known(app, organization, installation).await?.ok_or(LoadError::NotFound)?;
    let backend = linked(app, &known.row.backend)?;
    Ok(of_known(app, &known, backend))
}

fn of_known(app: &App, known: &KnownInstallation, backend: Arc<dyn MessagingBackend>) -> Loaded {
    let rows = Arc::clone(&known.tokens);
    let row = Arc::clone(&known.row);
    let (site, servers) = known.site.get_or_init(|| template(app, &row, &backend, &rows)).clone();
    // The vault of a site looks at the time itself, so one that has run out isn't used.
    assemble(app, row, backend, rows, &site, servers)
}

/// The same, read from the database: for whatever decides by it what to change.
///
/// # Errors
/// It doesn't exist in this organization, or can't be loaded.
pub async fn load_now(
    app: &App,
    organization: &OrganizationId,
    installation: InstallationId,
) -> Result<Loaded, LoadError> {
    let row = read(app, organization, installation).await?.ok_or(LoadError::NotFound)?;
    let backend = linked(app, &row.backend)?;
    Ok(with_tokens(app, row, backend).await?)
}

/// What this replica knows of an installation, unless it was removed.
///
/// # Errors
/// The database refuses.
pub(crate) async fn known(
    app: &App,
    organization: &OrganizationId,
    installation: InstallationId,
) -> Result<Option<Arc<KnownInstallation>>, DbErr> {
    let cache = app.database.cache();
    let read = async || {
        let Some(row) = read(app, organization, installation).await? else { return Ok(None) };
        let tokens = tokens::usable(app.database.read(), organization, installation, app.clock.now()).await?;
        Ok::<_, DbErr>(Some(KnownInstallation { row: Arc::new(row), tokens: Arc::new(tokens), site: OnceLock::new() }))
    };
    let key = (organization.as_str().to_owned(), installation.0);
    cache.find(&cache.known.installations, organization.as_str(), key, read).await
}

async fn read(
    app: &App,
    organization: &OrganizationId,
    installation: InstallationId,
) -> Result<Option<installations::Model>, DbErr> {
    let query = installations::Entity::find_by_id((organization.as_str().to_owned(), installation.0));
    let row = only(query, app.database.read()).await?.filter(|row| row.removed_at.is_none());
    Ok(row.map(|row| migrated(app, row)))
}

/// A row with settings of the shape that its backend has now, where an earlier release stored
/// them. They are stored when the installation is changed next, so that replicas of both
/// releases can run beside each other until then.
pub(super) fn migrated(app: &App, mut row: installations::Model) -> installations::Model {
    let Some(backend) = app.registry.get(&row.backend) else { return row };
    let present = backend.descriptor().settings_version;
    let Some(version) = u32::try_from(row.settings_version).ok().filter(|version| *version < present) else {
        return row;
    };
    let settings = row.settings.clone();
    let brought = contained_pure(|| match backend.install() {
        Some(install) => install.migrate(settings, version),
        None => settings,
    });
    let is_good = |settings: &Value| {
        tokens::servers(settings) == tokens::servers(&row.settings)
            && schema::check(backend.descriptor().settings.as_value(), settings).is_ok()
    };
    match brought.ok().filter(is_good) {
        Some(settings) => {
            row.settings = settings;
            row.settings_version = i32::try_from(present).unwrap_or(i32::MAX);
        }
        None => {
            tracing::error!(installation = %row.id, backend = row.backend, version, "its settings can't be brought to the present version: this is a bug in the backend");
        }
    }
    row
}

/// Load the installation of a slot: as this replica knows it. Nobody can tell by the time that
/// it takes whether a slot exists: one that doesn't is kept in memory too, and looking it up
/// asks the database for just as much.
///
/// # Errors
/// The database refuses.
pub async fn load_slot(app: &App, backend: &Arc<dyn MessagingBackend>, slot: &str) -> Result<Option<Loaded>, DbErr> {
    let Some(owner) = owner_of(app, slot).await? else { return Ok(None) };
    let (organization, id) = owner.as_ref();
    let Some(known) = known(app, organization, *id).await? else {
        // It was removed, and stays so.
        let cache = app.database.cache();
        let nobody = async || Ok::<_, DbErr>(Some(()));
        cache.find(&cache.known.nobodys_slots, "", slot.to_owned(), nobody).await?;
        return Ok(None);
    };
    let is_of_backend = known.row.backend == backend.descriptor().id;
    Ok(is_of_backend.then(|| of_known(app, &known, Arc::clone(backend))))
}

/// Whose a slot is. That never changes: slots are random, so nobody has asked for one before it
/// was somebody's.
async fn owner_of(app: &App, slot: &str) -> Result<Option<Arc<(OrganizationId, InstallationId)>>, DbErr> {
    let cache = app.database.cache();
    let mut owner = None;
    let is_nobodys = async || {
        let read = async || {
            let row = of_slot(app, slot).await?;
            if row.is_none() {
                read(app, &nobody(), InstallationId(Uuid::nil())).await?;
                no_tokens(app).await?;
            }
            Ok::<_, DbErr>(row.map(|row| (OrganizationId::stored(row.organization), InstallationId(row.id))))
        };
        owner = cache.find(&cache.known.slots, "", slot.to_owned(), read).await?;
        Ok::<_, DbErr>(owner.is_none().then_some(()))
    };
    cache.find(&cache.known.nobodys_slots, "", slot.to_owned(), is_nobodys).await?;
    Ok(owner)
}

/// The same, read from the database; for a slot that doesn't exist it is asked for just as much.
///
/// # Errors
/// The database refuses.
pub async fn load_slot_now(
    app: &App,
    backend: &Arc<dyn MessagingBackend>,
    slot: &str,
) -> Result<Option<Loaded>, DbErr> {
    let row = of_slot(app, slot).await?.filter(|row| row.backend == backend.descriptor().id);
    let Some(row) = row else {
        no_tokens(app).await?;
        return Ok(None);
    };
    with_tokens(app, row, backend.clone()).await.map(Some)
}

async fn of_slot(app: &App, slot: &str) -> Result<Option<installations::Model>, DbErr> {
    let query = installations::Entity::find().filter(installations::Column::Slot.eq(slot));
    let row = only(query, app.database.read()).await?.filter(|row| row.removed_at.is_none());
    Ok(row.map(|row| migrated(app, row)))
}

fn nobody() -> OrganizationId {
    OrganizationId::stored(String::new())
}

/// Ask for the tokens of nobody.
async fn no_tokens(app: &App) -> Result<(), DbErr> {
    tokens::usable(app.database.read(), &nobody(), InstallationId(Uuid::nil()), app.clock.now()).await.map(drop)
}

/// An installation that isn't stored yet.
pub(super) fn fresh(app: &App, row: installations::Model, backend: Arc<dyn MessagingBackend>) -> Loaded {
    whole(app, row, backend, Arc::default())
}

/// The backend of this id.
pub(super) fn linked(app: &App, backend: &str) -> Result<Arc<dyn MessagingBackend>, LoadError> {
    app.registry
        .get(backend)
        .cloned()
        .ok_or_else(|| LoadError::BackendNotLinked { backend: backend.to_owned(), linked: app.registry.ids() })
}

async fn with_tokens(
    app: &App,
    row: installations::Model,
    backend: Arc<dyn MessagingBackend>,
) -> Result<Loaded, DbErr> {
    let organization = OrganizationId::stored(row.organization.clone());
    let rows = tokens::usable(app.database.read(), &organization, InstallationId(row.id), app.clock.now()).await?;
    Ok(whole(app, row, backend, Arc::new(rows)))
}

fn whole(
    app: &App,
    row: installations::Model,
    backend: Arc<dyn MessagingBackend>,
    rows: Arc<Vec<entities::tokens::Model>>,
) -> Loaded {
    let (site, servers) = template(app, &row, &backend, &rows);
    assemble(app, Arc::new(row), backend, rows, &site, servers)
}

fn assemble(
    app: &App,
    row: Arc<installations::Model>,
    backend: Arc<dyn MessagingBackend>,
    rows: Arc<Vec<entities::tokens::Model>>,
    site: &Site,
    servers: Arc<str>,
) -> Loaded {
    let (organization, id) = (OrganizationId::stored(row.organization.clone()), InstallationId(row.id));
    let SiteCall { site, dispatch } = call_of(app, site, &organization, id);
    Loaded { organization, id, backend, row, site, dispatch, rows, servers }
}

/// What a backend sees of an installation, not yet able to call out; and the servers that its
/// settings name.
fn template(
    app: &App,
    row: &installations::Model,
    backend: &Arc<dyn MessagingBackend>,
    rows: &Arc<Vec<entities::tokens::Model>>,
) -> (Site, Arc<str>) {
    let servers: Arc<str> = tokens::servers(&row.settings).into();
    let holder = Holder {
        organization: OrganizationId::stored(row.organization.clone()),
        installation: InstallationId(row.id),
        backend: Arc::clone(backend),
        servers: servers.to_string(),
    };
    let ingress_url = ingress_url(app, holder.backend_id(), &row.slot);
    let vault = StoredVault { holder, rows: Arc::clone(rows), keyring: app.keyring.clone(), clock: app.clock.clone() };
    let mut parts = SiteParts::new(&row.slot, Arc::new(vault), app.clock.clone(), app.random.clone());
    parts.settings = row.settings.clone();
    parts.identity = stored_identity(row);
    parts.stage = row.stage.clone();
    parts.notes = row.notes.clone();
    parts.window = row.window_until.map(Timestamp::from_micros);
    parts.ingress_url = ingress_url;
    parts.app_name = app.settings.app_name.clone();
    (Site::new(parts, HttpClient::new(Arc::new(NoNetwork), Dispatch::default())), servers)
}

fn call_of(app: &App, site: &Site, organization: &OrganizationId, id: InstallationId) -> SiteCall {
    let dispatch = Dispatch::default();
    let transport = app.transports.for_installation(organization.as_str(), id.0);
    SiteCall { site: site.calling(HttpClient::new(transport, dispatch.clone())), dispatch }
}

/// What an installation turned out to be.
pub(super) fn stored_identity(row: &installations::Model) -> Option<Identity> {
    row.identity.clone().and_then(|identity| serde_json::from_value(identity).ok())
}

impl Loaded {
    /// The backend's id.
    pub fn backend_id(&self) -> &'static str {
        self.backend.descriptor().id
    }

    /// Where it stands.
    pub fn state(&self) -> InstallationState {
        InstallationState::stored(&self.row.state)
    }

    /// Whose tokens it keeps.
    pub fn holder(&self) -> Holder {
        Holder {
            organization: self.organization.clone(),
            installation: self.id,
            backend: Arc::clone(&self.backend),
            servers: self.servers.to_string(),
        }
    }

    /// The row of the newest usable token of a kind.
    pub(super) fn newest(&self, kind: &str) -> Option<Uuid> {
        self.rows.iter().find(|row| row.kind == kind).map(|row| row.id)
    }

    /// A site for one more call: whether that one left this machine is told apart.
    pub fn call(&self, app: &App) -> SiteCall {
        call_of(app, &self.site, &self.organization, self.id)
    }
}

impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loaded").field("id", &self.id).field("state", &self.row.state).finish_non_exhaustive()
    }
}

/// Where a platform reaches an installation, without a slash at the end.
pub fn ingress_url(app: &App, backend: &str, slot: &str) -> Option<url::Url> {
    let base = app.public_url.as_ref()?.as_str().trim_end_matches('/');
    url::Url::parse(&format!("{base}/in/{backend}/{slot}")).ok()
}
