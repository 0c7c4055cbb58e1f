//! Setting a sandbox up: there is nothing that a person must do, so beginning is completing.

use chatport_sdk::prelude::*;
use serde_json::json;

use crate::{SandboxBackend, Settings, file::FileError, world::BOT};

impl From<FileError> for SetupError {
    fn from(error: FileError) -> Self {
        Self::field("file", error.to_string())
    }
}

impl SandboxBackend {
    fn installed(&self, site: &Site) -> Result<Progress, SetupError> {
        let settings = Settings::of(site)?;
        self.worlds.open(site)?;
        Ok(Progress::installed(Identity {
            server: "sandbox".into(),
            account: BOT.into(),
            display_name: format!("Sandbox ({})", settings.world),
            details: json!({ "world": settings.world }),
        }))
    }
}

#[async_trait]
impl Install for SandboxBackend {
    async fn begin(&self, site: &Site) -> Result<Progress, SetupError> {
        self.installed(site)
    }

    async fn submit(&self, _site: &Site, _fields: &Fields) -> Result<Progress, SetupError> {
        Err(SetupError::WrongStage("a sandbox is installed at once: there is nothing to fill in".into()))
    }

    async fn reauthorize(&self, site: &Site) -> Result<Progress, SetupError> {
        self.installed(site)
    }

    async fn probe(&self, site: &Site) -> Health {
        let mut health = Health { identity: Some(BOT.into()), ..Health::default() };
        match self.worlds.faults(site, |faults| faults.refuse_credential()) {
            Ok(false) => (health.can_post, health.can_receive) = (true, true),
            Ok(true) => {
                health.can_receive = true;
                health.missing.push("the bot's credential: the world was asked to refuse it".into());
                health.cure = Some("Send DELETE to …/faults at the sandbox's address.".into());
            }
            Err(error) => {
                health.missing.push(error.to_string());
                health.cure = Some("Mend or move the file that the settings name, or name another one.".into());
            }
        }
        health
    }

    async fn remove(&self, site: &Site) -> Result<(), Failure> {
        Ok(self.worlds.remove(site)?)
    }
}
