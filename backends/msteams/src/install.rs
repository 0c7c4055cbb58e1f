//! The setup steps, shown so that people can see what they will need. None completes.

use chatport_sdk::prelude::*;

use crate::TeamsBackend;

const NOT_YET: &str =
    "Setting Microsoft Teams up can't be completed: this build of Chatport has no delivery for Microsoft Teams yet.";

fn steps() -> Vec<SetupStep> {
    let mut steps = vec![SetupStep::new(
        "not-yet",
        "Not available yet",
        format!("{NOT_YET} The steps below show what it will ask for; nothing that you enter is kept."),
        StepKind::Wait { what: "a build of Chatport that can deliver to Microsoft Teams".into() },
    )];
    if let Ok(url) = Url::parse("https://portal.azure.com/#create/Microsoft.AzureBot") {
        let text = "Create an Azure Bot of the type *Single Tenant*, and switch the channel *Microsoft Teams* on. \
                    Its messaging endpoint stays empty for now: this build doesn't listen for Teams.";
        steps.push(SetupStep::new("create-bot", "Create a bot in Azure", text, StepKind::OpenLink { url }));
    }
    steps.push(SetupStep::new(
        "enter-app",
        "Enter what the bot is known by",
        "The bot's *Configuration* page in Azure shows the app id and the tenant id; the secret is made under \
         *Manage password* and shown once.",
        StepKind::Fields {
            fields: vec![
                Field::new("app_id", "App id", FieldKind::Text, "*Microsoft App ID*, a UUID."),
                Field::new("tenant_id", "Tenant id", FieldKind::Text, "*App Tenant ID*, a UUID."),
                Field::new("client_secret", "Client secret", FieldKind::Secret, "The secret's *value*, not its id."),
            ],
        },
    ));
    steps
}

fn not_yet<T>() -> Result<T, SetupError> {
    Err(SetupError::WrongStage(NOT_YET.into()))
}

#[async_trait]
impl Install for TeamsBackend {
    async fn begin(&self, _site: &Site) -> Result<Progress, SetupError> {
        Ok(Progress::next("not_yet", steps()))
    }

    async fn submit(&self, _site: &Site, _fields: &Fields) -> Result<Progress, SetupError> {
        not_yet()
    }

    async fn reauthorize(&self, _site: &Site) -> Result<Progress, SetupError> {
        not_yet()
    }

    async fn probe(&self, _site: &Site) -> Health {
        Health { missing: vec![NOT_YET.into()], ..Health::default() }
    }

    async fn remove(&self, _site: &Site) -> Result<(), Failure> {
        // Setup put nothing there.
        Ok(())
    }
}
