//! Looking people and channels up on a platform, for pickers. Nothing is kept: each question
//! is the platform's to answer, within a time that a person waits.

use std::{sync::Arc, time::Duration};

use chatport_sdk::{
    async_trait,
    directory::{Directory, Entry, Lookup, Page, Search},
    failure::Failure,
    site::Site,
};

use super::{SetupFailure, contain::contained, sites, state::InstallationState};
use crate::{
    app::App,
    ids::{InstallationId, OrganizationId},
};

/// How long the platform may be looked at.
const LIMIT: Duration = Duration::from_secs(10);

/// One page of what fits a query.
///
/// # Errors
/// It isn't there or isn't active, its backend has no directory, or the platform refuses.
pub async fn search(
    app: &App,
    organization: &OrganizationId,
    installation: InstallationId,
    search: Search,
) -> Result<Page, SetupFailure> {
    ask(app, organization, installation, search).await
}

/// Everything that has exactly this address or name.
///
/// # Errors
/// As for [`search`].
pub async fn resolve(
    app: &App,
    organization: &OrganizationId,
    installation: InstallationId,
    wanted: Lookup,
) -> Result<Vec<Entry>, SetupFailure> {
    ask(app, organization, installation, wanted).await
}

/// Something that a directory can be asked.
#[async_trait]
trait Question: Send + 'static {
    type Answer: Send + 'static;
    async fn put(self, directory: &dyn Directory, site: &Site) -> Result<Self::Answer, Failure>;
}

#[async_trait]
impl Question for Search {
    type Answer = Page;
    async fn put(self, directory: &dyn Directory, site: &Site) -> Result<Page, Failure> {
        directory.search(site, &self).await
    }
}

#[async_trait]
impl Question for Lookup {
    type Answer = Vec<Entry>;
    async fn put(self, directory: &dyn Directory, site: &Site) -> Result<Vec<Entry>, Failure> {
        directory.resolve(site, &self).await
    }
}

async fn ask<Q: Question>(
    app: &App,
    organization: &OrganizationId,
    installation: InstallationId,
    question: Q,
) -> Result<Q::Answer, SetupFailure> {
    let loaded = sites::load(app, organization, installation).await?;
    let backend_id = loaded.backend_id();
    let lacking = || SetupFailure::LacksPart { backend: backend_id.to_owned(), part: "directory" };
    loaded.backend.directory().ok_or_else(lacking)?;
    if loaded.state() != InstallationState::Active {
        return Err(SetupFailure::NotActive { installation, state: loaded.state() });
    }
    let loaded = app.renewals.fresh(app, loaded).await.map_err(SetupFailure::Platform)?;
    let (backend, site) = (Arc::clone(&loaded.backend), loaded.call(app).site);
    let asked = contained(LIMIT, async move {
        match backend.directory() {
            Some(directory) => Some(question.put(directory, &site).await),
            None => None,
        }
    });
    let answered = asked.await.map_err(|error| SetupFailure::call(backend_id, error))?;
    answered.ok_or_else(lacking)?.map_err(SetupFailure::Platform)
}
