//! The Apps plugin's way: a secret is made here, the administrator pastes it while
//! installing the app from its manifest, and the plugin's call completes setup.

use std::time::Duration;

use chatport_sdk::{crypto, prelude::*};

use crate::{
    api::Client,
    descriptor::{INSTALL_SECRET, WEBHOOK_SECRET},
    details::Details,
    manifest::{self, MANIFEST},
    nonce,
    settings::Settings,
};

/// How long the app can be installed.
const WINDOW: Duration = Duration::from_secs(15 * 60);
/// How long a session takes to come after it was asked for.
const SESSION_WAIT: Duration = Duration::from_secs(5);

pub(super) async fn begin(site: &Site, settings: &Settings) -> Result<Progress, SetupError> {
    let secret = new_secret(site);
    let steps = steps(site, settings, &secret.value).await?;
    Ok(Progress::next("apps-install", steps).token(secret).window(WINDOW))
}

/// A new secret; the present one stays good until the app has been installed with the new
/// one, however long that takes.
pub(super) async fn reauthorize(site: &Site, settings: &Settings) -> Result<Progress, SetupError> {
    let secret = new_secret(site).awaiting_confirmation();
    let steps = steps(site, settings, &secret.value).await?;
    Ok(Progress::next("apps-install", steps).token(secret).window(WINDOW))
}

fn new_secret(site: &Site) -> NewToken {
    NewToken::new(INSTALL_SECRET, Secret::new(crypto::base64url(&site.random::<32>())))
}

async fn steps(site: &Site, settings: &Settings, secret: &Secret) -> Result<Vec<SetupStep>, SetupError> {
    let Some(ingress) = site.ingress_url() else {
        return Err(SetupError::NeedsPublicUrl(
            "Mattermost must reach this host to install the app: the operator has to set its public address".into(),
        ));
    };
    let config = Client::anonymous(site, &settings.site_url).config().await?;
    if let Some(other) = config.other_address(&settings.site_url) {
        let detail = format!("the server calls itself {other}: use that address, or change the server's Site URL");
        return Err(SetupError::field("site_url", detail));
    }
    let until = Some(site.now().plus(WINDOW));
    let console =
        StepKind::OpenLink { url: settings.site_url.at("/admin_console/integrations/integration_management") };
    let prepare = format!(
        "A system administrator checks three things in the System Console. \
         **Integrations → Integration Management**: *Enable OAuth 2.0 Service Provider* is on. \
         **Plugins**: *Apps* is installed and enabled (servers from version 10 on also need the feature flag \
         `MM_FEATUREFLAGS_AppsEnabled=true`; where that can't be had, set up with `mode` \"bot\"). \
         **Environment → Developer**: if this host has a private address, `{}` is listed under *Allow untrusted internal \
         connections*.",
        ingress.host_str().unwrap_or_default()
    );
    let command =
        StepKind::RunCommand { command: ShownValue::Plain(format!("/apps install http {ingress}{MANIFEST}")) };
    let copy = StepKind::CopyValue { label: "Outgoing JWT Secret".into(), value: ShownValue::Secret(secret.clone()) };
    let wait = StepKind::Wait { what: "Mattermost to report that the app is installed".into() };
    Ok(vec![
        SetupStep::new("prepare", "Prepare the server", prepare, console),
        SetupStep::new("run-install", "Run the command", "As a system administrator, in any channel.", command)
            .expires_at(until),
        SetupStep::new(
            "paste-secret",
            "Paste the secret",
            "Into the field *Outgoing JWT Secret* of the dialog that opens; agree, and submit. It is shown only now.",
            copy,
        )
        .expires_at(until),
        SetupStep::new("wait", "Wait for Mattermost", "Setup goes on by itself.", wait).expires_at(until),
    ])
}

/// Ask the plugin for a new session of the bot; it comes by a call of its own.
pub(super) async fn ask_for_session(site: &Site) -> Result<Renewal, Failure> {
    let settings = Settings::in_use(site)?;
    let needs_person = |detail: &str| Failure::new(Cause::Unauthorized, detail);
    let details = Details::of(site).ok_or_else(|| needs_person("setup isn't complete"))?;
    let (Some(app_id), Some(app_path)) = (&details.app_id, &details.app_path) else {
        return Err(needs_person("the app isn't installed: install it again"));
    };
    if *app_path != manifest::app_path(app_id) {
        return Err(needs_person("the app's path isn't the plugin's"));
    }
    let secret = site.token(WEBHOOK_SECRET).ok_or_else(|| needs_person("the webhook's secret is missing"))?.value;
    let nonce = nonce::make(&secret, site.now());
    let client = Client::anonymous(site, &settings.site_url);
    client.ask_for_session(app_path, &secret, &nonce).await?;
    Ok(Renewal::Asked { retry_after: SESSION_WAIT })
}
