//! What an attempt needs before anything is sent: the installation with its backend, the
//! content, the post to which it is a reply, and the address.

use std::{borrow::Cow, sync::Arc, time::Duration};

use chatport_sdk::{
    backend::MessagingBackend,
    content::Content,
    delivery::{Delivery, Receipt},
    failure::{Cause, Failure, Scope},
    identity::{Account, Address},
};

use super::{CALL_LIMIT, Sending, Stop, call, dead};
use crate::{
    delivery::{
        message::{OnMissingRoot, PutMessage},
        prepared::Prepared,
        store::{Outcome, Root, What},
    },
    ids::{CopyId, InstallationId},
    setup::sites,
};

/// How long a reply waits for its root.
const ROOT_WAIT: Duration = Duration::from_secs(30);
const URGENT_ROOT_WAIT: Duration = Duration::from_secs(5);

/// What is to be sent, with all that it takes.
pub(super) struct Task<'a> {
    pub(super) put: &'a Prepared,
    pub(super) content: Cow<'a, Content>,
    pub(super) backend: Arc<dyn MessagingBackend>,
    pub(super) loaded: sites::Loaded,
    pub(super) account: Option<Account>,
    pub(super) root: Option<Receipt>,
}

impl Task<'_> {
    /// Whether it is a message, not a line of its log.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.content, Cow::Borrowed(_))
    }

    pub(super) fn delivery(&self) -> Result<&dyn Delivery, Stop> {
        self.backend.delivery().ok_or_else(|| {
            let detail = format!("{} can't deliver", self.backend.descriptor().name);
            Stop::Outcome(Outcome::Dead { code: "installation_missing", detail })
        })
    }
}

impl<'a> Sending<'a> {
    pub(super) async fn prepare(&mut self, installation: InstallationId) -> Result<Task<'a>, Stop> {
        let work = self.work;
        let organization = &work.lease.organization;
        let What::Message { put, log_text, root, .. } = &work.what else {
            return Err(dead("poison", "this isn't a message"));
        };
        let content = match log_text {
            Some(text) => Cow::Owned(Content { text: text.clone(), ..Content::default() }),
            None => Cow::Borrowed(&put.content),
        };
        let loaded = sites::load(self.app, organization, installation)
            .await
            .map_err(|error| Failure::new(Cause::Unavailable, format!("the installation can't be loaded: {error}")))?;
        let backend = Arc::clone(&loaded.backend);
        let account = work.account.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let root = match root {
            Some(_) if self.has_moved => self.without_root(put)?,
            Some(root) => self.find_root(*root, put).await?,
            None => None,
        };
        let loaded = self.app.renewals.fresh(self.app, loaded).await?;
        Ok(Task { put, content, backend, loaded, account, root })
    }

    async fn find_root(&self, root: CopyId, put: &PutMessage) -> Result<Option<Receipt>, Stop> {
        let now = self.app.clock.now();
        let found = self.app.delivery.units.store.root(&self.work.lease.organization, root).await;
        match found.map_err(|error| Failure::new(Cause::Unavailable, error.to_string()))? {
            Root::Posted(receipt) => Ok(Some(receipt)),
            Root::Pending => {
                let is_urgent = self.work.urgency == chatport_sdk::delivery::Urgency::Urgent;
                let wait = if is_urgent { URGENT_ROOT_WAIT } else { ROOT_WAIT };
                if now < self.work.first_tried.unwrap_or(now).plus(wait) {
                    let until = now.plus(Duration::from_millis(250));
                    let detail = "waits for the message to which it replies".into();
                    return Err(Stop::Outcome(Outcome::Hold {
                        until,
                        scope: Scope::Copy,
                        code: "reply_root_missing",
                        detail,
                    }));
                }
                self.without_root(put)
            }
            Root::Missing => self.without_root(put),
        }
    }

    pub(super) fn without_root(&self, put: &PutMessage) -> Result<Option<Receipt>, Stop> {
        match put.on_missing_root {
            OnMissingRoot::Unthreaded => Ok(None),
            OnMissingRoot::Dead => Err(dead("reply_root_missing", "the message to which it replies isn't there")),
        }
    }

    pub(super) fn is_mention(&self) -> bool {
        matches!(&self.work.what, What::Message { root: Some(_), log_text: None, .. })
    }

    pub(super) async fn find_address(&mut self, task: &Task<'_>) -> Result<Address, Stop> {
        if let Some(text) = &self.work.address {
            return serde_json::from_str(text).map_err(|_| dead("poison", "the stored address can't be read"));
        }
        let account = task.account.as_ref().ok_or_else(|| dead("channel_not_found", "there is no address"))?;
        if let Some(address) = &account.direct {
            return Ok(address.clone());
        }
        let direct = task.delivery()?.direct().ok_or_else(|| {
            let name = task.backend.descriptor().name;
            dead("recipient_unreachable", &format!("{name} has no direct messages"))
        })?;
        let address = call(CALL_LIMIT, direct.direct(&task.loaded.site, account)).await?;
        self.address = serde_json::to_string(&address).ok();
        Ok(address)
    }
}

/// The server that an installation's messages go to; of a backend that names none, all go to
/// the same.
pub(super) fn origin(loaded: &sites::Loaded) -> String {
    match &*loaded.servers {
        "" => loaded.backend_id().to_owned(),
        servers => servers.to_owned(),
    }
}
