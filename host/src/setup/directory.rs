//! Looking people and channels up on a platform, for pickers. Nothing is kept: each question
//! is the platform's to answer, within a time that a person waits.

use std::{sync::Arc, time::Duration};

use chatport_sdk::{
    async_trait,
    descriptor::Rate,
    directory::{Directory, Entry, Lookup, Page, Search},
    failure::Failure,
    site::Site,
};

use tokio::time::Instant;

use super::{SetupFailure, contain::contained, sites, state::InstallationState};
use crate::{
    app::App,
    delivery::pace::{Destination, Pace},
    ids::{InstallationId, OrganizationId},
};

/// How long the platform may be looked at.
const LIMIT: Duration = Duration::from_secs(10);

/// How often a directory may be asked. What a person does with a picker fits in; what is left of
/// the platform's own rate is for messages.
const RATE: Rate = Rate::per_installation("directory", 5.0, 50);

/// How often directories were asked; cheap to clone.
#[derive(Clone, Default)]
pub struct Questions(Pace);

impl std::fmt::Debug for Questions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Questions")
    }
}

impl Questions {
    fn charge(&self, installation: InstallationId) -> Result<(), SetupFailure> {
        let to = Destination { installation, origin: "", conversation: "" };
        let taken = self.0.take(to, &[RATE], Instant::now());
        taken.map_err(|retry_after| SetupFailure::TooManyQuestions { retry_after })
    }
}

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
    app.questions.charge(installation)?;
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
