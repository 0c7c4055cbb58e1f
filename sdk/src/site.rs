//! All that a backend sees of the world: one installation's settings, tokens and address,
//! a guarded HTTP client, the clock and randomness. No database, no environment, no other
//! tenant; so a backend can be tested without a host.

use std::{fmt, sync::Arc};

use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use crate::{
    http::HttpClient,
    identity::Identity,
    time::{Clock, Timestamp},
    token::Token,
};

/// One installation, as its backend sees it during one call.
#[derive(Clone)]
pub struct Site {
    parts: Arc<SiteParts>,
    http: HttpClient,
}

/// What a site is made of. Made by the host, and by tests.
#[non_exhaustive]
pub struct SiteParts {
    /// The random name of the installation that stands in its ingress path.
    pub slot: String,
    /// The installation's settings.
    pub settings: Value,
    /// Who the installation turned out to be, once it is set up.
    pub identity: Option<Identity>,
    /// Where setup stands.
    pub stage: String,
    /// What the backend noted during setup.
    pub notes: Value,
    /// Until when a happening may complete the installation.
    pub window: Option<Timestamp>,
    /// Where the platform reaches this installation, without a slash at the end.
    pub ingress_url: Option<Url>,
    /// The operator's name for the app.
    pub app_name: String,
    /// Whether this stands for an installation that doesn't exist.
    pub decoy: bool,
    /// The tokens.
    pub vault: Arc<dyn Vault>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
}

impl SiteParts {
    /// A site with nothing in it but what it can't do without.
    pub fn new(slot: impl Into<String>, vault: Arc<dyn Vault>, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self {
            slot: slot.into(),
            settings: Value::Null,
            identity: None,
            stage: String::new(),
            notes: Value::Null,
            window: None,
            ingress_url: None,
            app_name: "Chatport".into(),
            decoy: false,
            vault,
            clock,
            random,
        }
    }
}

/// The tokens of one installation.
pub trait Vault: Send + Sync {
    /// The usable tokens of a kind that is declared as `Reveal`, newest first.
    fn tokens(&self, kind: &str) -> Vec<Token>;

    /// Whether `presented` is a usable token of the kind, compared in constant time.
    /// The answer is its label, which may be empty.
    fn matches(&self, kind: &str, presented: &[u8]) -> Option<String>;
}

/// Where randomness comes from.
pub trait Random: Send + Sync {
    /// Fill `buffer` with unpredictable bytes.
    fn fill(&self, buffer: &mut [u8]);
}

impl Site {
    /// A site that calls out through `http`.
    pub fn new(parts: SiteParts, http: HttpClient) -> Self {
        Self { parts: Arc::new(parts), http }
    }

    /// The same installation, calling out through another client: how the host makes a site for
    /// each call.
    #[must_use]
    pub fn calling(&self, http: HttpClient) -> Self {
        Self { parts: Arc::clone(&self.parts), http }
    }

    /// The random name of the installation that stands in its ingress path.
    pub fn slot(&self) -> &str {
        &self.parts.slot
    }

    /// The settings as the backend's own type.
    ///
    /// # Errors
    /// Settings that aren't of that shape.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(&self.parts.settings)
    }

    /// Who the installation turned out to be; `None` until setup is complete.
    pub fn identity(&self) -> Option<&Identity> {
        self.parts.identity.as_ref()
    }

    /// Where setup stands: the stage of the last [`Progress`](crate::install::Progress).
    pub fn stage(&self) -> &str {
        &self.parts.stage
    }

    /// What the backend noted during setup; null at first.
    pub fn notes(&self) -> &Value {
        &self.parts.notes
    }

    /// Until when a happening may complete the installation; `None` if it may not.
    pub fn window(&self) -> Option<Timestamp> {
        self.parts.window.filter(|until| self.now() < *until)
    }

    /// Where the platform reaches this installation, without a slash at the end. `None`
    /// where the operator has configured no public address.
    pub fn ingress_url(&self) -> Option<&Url> {
        self.parts.ingress_url.as_ref()
    }

    /// The operator's name for the app, e.g. `OnCall`.
    pub fn app_name(&self) -> &str {
        &self.parts.app_name
    }

    /// Whether this stands for an installation that doesn't exist.
    pub fn is_decoy(&self) -> bool {
        self.parts.decoy
    }

    /// The usable tokens of a kind that is declared as `Reveal`, newest first.
    pub fn tokens(&self, kind: &str) -> Vec<Token> {
        self.parts.vault.tokens(kind)
    }

    /// The newest usable token of a kind.
    pub fn token(&self, kind: &str) -> Option<Token> {
        self.tokens(kind).into_iter().next()
    }

    /// Whether `presented` is a usable token of the kind; the answer is its label.
    pub fn matches(&self, kind: &str, presented: &[u8]) -> Option<String> {
        self.parts.vault.matches(kind, presented)
    }

    /// The guarded HTTP client.
    pub fn http(&self) -> &HttpClient {
        &self.http
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// `N` unpredictable bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.parts.random.fill(&mut bytes);
        bytes
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site")
            .field("stage", &self.parts.stage)
            .field("decoy", &self.parts.decoy)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SiteParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SiteParts").field("stage", &self.stage).finish_non_exhaustive()
    }
}
