//! Setting an installation up: an administrator registers a bot in Azure and fills in what it is
//! known by; the credential is tried; then the app package can be downloaded and uploaded in
//! Teams. One stage, `credential`, then installed.

use chatport_sdk::prelude::*;

use crate::{
    TeamsBackend,
    access::{self, CERTIFICATE, Credential, Refused, SECRET},
    certificate::Certificate,
    descriptor::{ACCESS_TOKEN, AUDIENCE, CREDENTIAL},
    details::{self, Details},
    ingress,
    keys::Keys,
    package,
    settings::Settings,
};

const STAGE: &str = "credential";
const APP_ID: &str = "app_id";
const TENANT_ID: &str = "tenant_id";
const PORTAL: &str = "https://portal.azure.com/#create/Microsoft.AzureBot";

#[async_trait]
impl Install for TeamsBackend {
    fn check(&self, site: &Site) -> Result<(), SetupError> {
        Settings::of(site).map(drop)
    }

    async fn begin(&self, site: &Site) -> Result<Progress, SetupError> {
        Settings::of(site)?;
        let mut steps = vec![];
        if let Ok(url) = Url::parse(PORTAL) {
            let text = "Create an Azure Bot of the type *Single Tenant*; choose to create a new app registration.";
            steps.push(SetupStep::new("create-bot", "Create a bot in Azure", text, StepKind::OpenLink { url }));
        }
        steps.push(endpoint(site)?);
        steps.push(fields(None));
        Ok(Progress::next(STAGE, steps))
    }

    async fn submit(&self, site: &Site, fields: &Fields) -> Result<Progress, SetupError> {
        if site.stage() != STAGE {
            let detail = "setup isn't waiting for fields: reauthorize to change the credential";
            return Err(SetupError::WrongStage(detail.into()));
        }
        let settings = Settings::of(site)?;
        let details = Details::new(uuid(fields, APP_ID)?, uuid(fields, TENANT_ID)?);
        if let Some(former) = Details::of(site).filter(|former| *former != details) {
            let detail = "links and channels belong to the bot and tenant that were set up first";
            let name = if former.app_id == details.app_id { TENANT_ID } else { APP_ID };
            return Err(SetupError::field(name, detail));
        }
        let (credential, label, value) = credential(fields)?;
        let granted = access::ask(site, &settings, &details, &credential).await;
        let granted = granted.map_err(|refused| in_words(refused, label))?;
        let (url, key) = package::link(site).ok_or_else(|| needs_public_url(site))?;
        let text = "Upload it under *Teams admin center → Teams apps → Manage apps → Upload new app*, allow it, and add \
                    it to the teams and chats that it is to post in. People add it for themselves to be written to. The \
                    link works until the next one is made.";
        let step = SetupStep::new("app-package", "Download the app package", text, StepKind::OpenLink { url });
        let audience = Secret::new(details::audience_digest(&details.app_id));
        let tokens = vec![
            NewToken { label: Some(label.to_owned()), ..NewToken::new(CREDENTIAL, value) },
            granted.to_store(),
            NewToken::new(AUDIENCE, audience),
            key,
        ];
        let identity = details.identity(site.app_name());
        Ok(Progress { steps: vec![step.optional()], tokens, ..Progress::installed(identity) })
    }

    async fn reauthorize(&self, site: &Site) -> Result<Progress, SetupError> {
        let details = Details::of(site);
        Ok(Progress::next(STAGE, vec![endpoint(site)?, fields(details.as_ref())]))
    }

    async fn probe(&self, site: &Site) -> Health {
        probe(site).await
    }

    async fn remove(&self, _site: &Site) -> Result<(), Failure> {
        // The registration and the app are the administrator's.
        Ok(())
    }

    fn renew(&self) -> Option<&dyn Renew> {
        Some(self)
    }
}

#[async_trait]
impl Renew for TeamsBackend {
    fn kinds(&self, _site: &Site) -> &'static [&'static str] {
        &[ACCESS_TOKEN]
    }

    async fn renew(&self, site: &Site, _kind: &str) -> Result<Renewal, Failure> {
        Ok(Renewal::Renewed(vec![access::renew(site).await?.to_store()]))
    }
}

/// Where the bot's messages are to be sent.
fn endpoint(site: &Site) -> Result<SetupStep, SetupError> {
    let ingress_url = site.ingress_url().ok_or_else(|| needs_public_url(site))?;
    let value = ShownValue::Plain(format!("{ingress_url}{}", ingress::MESSAGES));
    let text = "On the bot's *Configuration* page, paste it as the messaging endpoint. Then add the channel *Microsoft \
                Teams* on the page *Channels*.";
    let copy = StepKind::CopyValue { label: "Messaging endpoint".into(), value };
    Ok(SetupStep::new("endpoint", "Tell the bot where to send messages", text, copy))
}

fn needs_public_url(site: &Site) -> SetupError {
    SetupError::NeedsPublicUrl(format!("Teams must reach {}: set the public URL of the host first", site.app_name()))
}

fn fields(known: Option<&Details>) -> SetupStep {
    let mut app_id = Field::new(APP_ID, "App id", FieldKind::Text, "*Microsoft App ID*, a UUID.");
    let mut tenant_id = Field::new(TENANT_ID, "Tenant id", FieldKind::Text, "*App Tenant ID*, a UUID.");
    if let Some(known) = known {
        app_id = app_id.default(&known.app_id);
        tenant_id = tenant_id.default(&known.tenant_id);
    }
    let secret = Field::new(SECRET, "Client secret", FieldKind::Secret, "The secret's *value*, not its id.");
    let help = "Instead of a secret: the certificate and its private key, both as PEM, one after the other.";
    let certificate = Field::new(CERTIFICATE, "Certificate", FieldKind::Secret, help);
    let text = "The bot's *Configuration* page in Azure shows the app id and the tenant id; under *Manage Password* a \
                client secret is made and shown once, or a certificate is uploaded.";
    let fields = vec![app_id, tenant_id, secret.optional(), certificate.optional()];
    SetupStep::new("enter-app", "Enter what the bot is known by", text, StepKind::Fields { fields })
}

fn uuid(fields: &Fields, name: &str) -> Result<String, SetupError> {
    let text = fields.required(name)?;
    details::uuid(text)
        .ok_or_else(|| SetupError::field(name, "must be a UUID such as 11111111-2222-3333-4444-555555555555"))
}

/// What was filled in, its label, and how it is kept.
fn credential(fields: &Fields) -> Result<(Credential, &'static str, Secret), SetupError> {
    match (fields.secret(SECRET), fields.secret(CERTIFICATE)) {
        (Some(secret), None) => Ok((Credential::Secret(secret.clone()), SECRET, secret)),
        (None, Some(pem)) => {
            let certificate = Certificate::read(&pem).map_err(|what| SetupError::field(CERTIFICATE, what))?;
            Ok((Credential::Certificate(Box::new(certificate)), CERTIFICATE, pem))
        }
        (None, None) => Err(SetupError::field(SECRET, "is required, or a certificate")),
        (Some(_), Some(_)) => Err(SetupError::field(CERTIFICATE, "stands in place of a client secret: fill in one")),
    }
}

fn in_words(refused: Refused, label: &str) -> SetupError {
    match refused {
        Refused::App => SetupError::field(APP_ID, "the tenant doesn't know this app"),
        Refused::Tenant => SetupError::field(TENANT_ID, "there is no such tenant"),
        Refused::Credential => {
            SetupError::field(label, "is refused, or has run out: it must be the secret's value, not its id")
        }
        Refused::Other(failure) => failure.into(),
    }
}

/// How an installation is: one question after the other, until one has no good answer.
async fn probe(site: &Site) -> Health {
    let mut health = Health::default();
    let miss = |health: &mut Health, what: String, cure: &str| {
        health.missing.push(what);
        health.cure.get_or_insert_with(|| cure.to_owned());
    };
    let (Some(details), Ok(settings)) = (Details::of(site), Settings::of(site)) else {
        miss(&mut health, "setup isn't complete, or the settings can't be read".into(), "Finish setup.");
        return health;
    };
    health.identity = Some(format!("{} in the tenant {}", details.app_id, details.tenant_id));
    match access::renew(site).await {
        Ok(_) => health.can_post = true,
        Err(failure) if failure.cause == Cause::Unauthorized => {
            miss(&mut health, failure.detail, "Make a new secret in Azure, and reauthorize.");
        }
        Err(failure) => {
            miss(&mut health, failure.for_application().into(), "Check that this host may reach the login service.");
        }
    }
    match Keys::reachable(site, &settings.openid_metadata_url).await {
        Ok(()) if site.ingress_url().is_some() => health.can_receive = true,
        Ok(()) => miss(&mut health, "the host has no public address".into(), "The operator sets the public URL."),
        Err(failure) => {
            let what = format!("the keys of Teams' calls can't be read: {}", failure.for_application());
            miss(&mut health, what, "Check that this host may reach the issuer of Teams' tokens.");
        }
    }
    health
}
