//! Access tokens: asked for with the bot's credential, kept by the host until five minutes before
//! they run out. What comes in may need one when the host has none: then one is borrowed, and
//! remembered in this process for as long as it lasts.
//! <https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication#bot-to-connector>

use std::{sync::Arc, time::Duration};

use chatport_sdk::{crypto, prelude::*};
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use crate::{
    certificate::Certificate,
    descriptor::{ACCESS_TOKEN, CREDENTIAL},
    details::Details,
    memory::Bounded,
    settings::Settings,
};

/// The labels of a credential.
pub(crate) const SECRET: &str = "client_secret";
pub(crate) const CERTIFICATE: &str = "certificate";

/// A token isn't used any more so long before it runs out.
const MARGIN: Duration = Duration::from_secs(5 * 60);
/// The longest that a token is believed to last.
const LONGEST: u64 = 24 * 3600;
/// Most installations whose borrowed tokens are remembered.
const MAX_BORROWED: usize = 1_000;
/// How long the answer may take.
const TIMEOUT: Duration = Duration::from_secs(8);

/// What a bot proves itself with.
pub(crate) enum Credential {
    Secret(Secret),
    Certificate(Box<Certificate>),
}

impl Credential {
    /// The stored credential.
    ///
    /// # Errors
    /// There is none, or none that can be used.
    fn of(site: &Site) -> Result<(Self, Secret), Failure> {
        let refuse = |detail: &str| Failure::new(Cause::Unauthorized, detail);
        let token = site.token(CREDENTIAL).ok_or_else(|| refuse("there is no credential"))?;
        let credential = match token.label.as_deref() {
            Some(CERTIFICATE) => {
                let certificate = Certificate::read(&token.value);
                Self::Certificate(Box::new(certificate.map_err(|what| refuse(&format!("the certificate {what}")))?))
            }
            _ => Self::Secret(token.value.clone()),
        };
        Ok((credential, token.value))
    }
}

/// A token that the connector takes.
#[derive(Clone, Debug)]
pub(crate) struct AccessToken {
    pub(crate) value: Secret,
    /// Until when it is used.
    pub(crate) until: Timestamp,
}

impl AccessToken {
    /// The same for the host to keep.
    pub(crate) fn to_store(&self) -> NewToken {
        NewToken::new(ACCESS_TOKEN, self.value.clone()).expires_at(self.until)
    }
}

/// Why there is no token: what a person can mend is told apart by the numbers of
/// <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>.
#[derive(Debug)]
pub(crate) enum Refused {
    /// No such app in this tenant.
    App,
    /// No such tenant.
    Tenant,
    /// The credential is wrong, or has run out.
    Credential,
    /// Something else.
    Other(Failure),
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::App => Self::new(Cause::Unauthorized, "the tenant doesn't know the app"),
            Refused::Tenant => Self::new(Cause::Unauthorized, "there is no such tenant"),
            Refused::Credential => Self::new(Cause::Unauthorized, "the credential is refused, or has run out"),
            Refused::Other(failure) => failure,
        }
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: Secret,
    expires_in: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Denied {
    error: String,
    error_codes: Vec<u64>,
}

/// Ask for a token.
///
/// # Errors
/// Why there is none.
pub(crate) async fn ask(
    site: &Site,
    settings: &Settings,
    details: &Details,
    credential: &Credential,
) -> Result<AccessToken, Refused> {
    let tenant = settings.token_tenant.as_deref().unwrap_or(&details.tenant_id);
    let url = format!("{}/{tenant}/oauth2/v2.0/token", settings.login_url.as_str().trim_end_matches('/'));
    let url = Url::parse(&url).map_err(|_| Refused::Tenant)?;
    let form = form(site, settings, details, credential, &url).map_err(Refused::Other)?;
    let request = site.http().post(url).body("application/x-www-form-urlencoded", form);
    let answer =
        request.repeatable().timeout(TIMEOUT).send().await.map_err(|error| Refused::Other(unanswered(error)))?;
    if answer.status != 200 {
        return Err(refused(&answer, site.now()));
    }
    let granted: Granted = answer.json().map_err(|error| Refused::Other(unanswered(error)))?;
    if granted.access_token.is_empty() {
        return Err(Refused::Other(Failure::new(Cause::Unavailable, "the answer holds no token")));
    }
    let lasts = Duration::from_secs(granted.expires_in.min(LONGEST));
    let until = site.now().plus(lasts.saturating_sub(MARGIN).max(lasts / 2));
    Ok(AccessToken { value: granted.access_token, until })
}

/// What a token is asked for with, at `url`.
fn form(
    site: &Site,
    settings: &Settings,
    details: &Details,
    credential: &Credential,
    url: &Url,
) -> Result<String, Failure> {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials").append_pair("client_id", &details.app_id);
    form.append_pair("scope", &settings.scope);
    match credential {
        Credential::Secret(secret) => form.append_pair("client_secret", secret.expose()),
        Credential::Certificate(certificate) => {
            let assertion = certificate.assertion(site, &details.app_id, url)?;
            form.append_pair("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
            form.append_pair("client_assertion", assertion.expose())
        }
    };
    Ok(form.finish())
}

/// Asking once more does no harm.
fn unanswered(error: HttpError) -> Failure {
    match Failure::from(error) {
        failure if failure.cause == Cause::NoAnswer => Failure::new(Cause::Unavailable, failure.detail),
        failure => failure,
    }
}

fn refused(answer: &Answer, now: Timestamp) -> Refused {
    let denied: Denied = answer.json().unwrap_or_default();
    let has = |codes: &[u64]| codes.iter().any(|code| denied.error_codes.contains(code));
    let status = answer.status.as_u16();
    match (status, denied.error.as_str()) {
        _ if has(&[700_016]) => Refused::App,
        _ if has(&[90_002, 900_021, 900_023]) => Refused::Tenant,
        (400 | 401, "invalid_client") | (401 | 403, _) => Refused::Credential,
        (400, "unauthorized_client") => Refused::App,
        (300..=399, _) => Refused::Other(Failure::new(Cause::RedirectRefused, "the login service has moved")),
        (429, _) => {
            let failure = Failure::new(Cause::RateLimited, "the login service asks to slow down");
            Refused::Other(failure.retry_after(answer.retry_after(now)))
        }
        (500..=599, _) => {
            Refused::Other(Failure::new(Cause::Unavailable, format!("the login service answered {status}")))
        }
        _ => Refused::Other(Failure::new(Cause::Unauthorized, format!("the login service answered {status}"))),
    }
}

/// Ask with the stored credential.
///
/// # Errors
/// There is no credential, or it gets no token.
pub(crate) async fn renew(site: &Site) -> Result<AccessToken, Failure> {
    let (settings, details) = (Settings::in_use(site)?, Details::in_use(site)?);
    let (credential, _) = Credential::of(site)?;
    Ok(ask(site, &settings, &details, &credential).await?)
}

/// The token that the host keeps.
///
/// # Errors
/// There is none that lasts: the host gets one.
pub(crate) fn kept(site: &Site) -> Result<Secret, Failure> {
    let token = site.token(ACCESS_TOKEN).filter(|token| token.expires_at.is_none_or(|at| site.now() < at));
    token
        .map(|token| token.value)
        .ok_or_else(|| Failure::new(Cause::AwaitingCredential, "there is no access token that lasts"))
}

/// Tokens that were asked for because the host had none.
#[derive(Debug)]
pub(crate) struct Borrowed {
    known: Bounded<Arc<tokio::sync::Mutex<Option<AccessToken>>>>,
}

impl Default for Borrowed {
    fn default() -> Self {
        Self { known: Bounded::new(MAX_BORROWED) }
    }
}

impl Borrowed {
    /// A token for a call: the host's, or a borrowed one.
    ///
    /// # Errors
    /// As for [`renew`].
    pub(crate) async fn token(&self, site: &Site) -> Result<Secret, Failure> {
        match kept(site) {
            Ok(token) => Ok(token),
            Err(_) => self.borrow(site, None).await,
        }
    }

    /// Another token than one that was refused.
    ///
    /// # Errors
    /// As for [`renew`].
    pub(crate) async fn other_than(&self, site: &Site, refused: &Secret) -> Result<Secret, Failure> {
        self.borrow(site, Some(refused)).await
    }

    /// One call at a time for an installation and credential.
    async fn borrow(&self, site: &Site, refused: Option<&Secret>) -> Result<Secret, Failure> {
        let (_, value) = Credential::of(site)?;
        let key = crypto::hex(&crypto::sha256(format!("{} {}", site.slot(), value.expose()).as_bytes()));
        let known = self.known.get_or_make(&key, Arc::default);
        let mut known = known.lock().await;
        let is_good = |token: &&AccessToken| {
            site.now() < token.until && refused.is_none_or(|refused| !refused.matches(token.value.expose().as_bytes()))
        };
        if let Some(token) = known.as_ref().filter(is_good) {
            return Ok(token.value.clone());
        }
        Ok(known.insert(renew(site).await?).value.clone())
    }
}
