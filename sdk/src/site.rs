//! All that a backend sees of the world: one installation's settings, tokens and address,
//! a guarded HTTP client, the clock and randomness. No database, no environment, no other
//! tenant; so a backend can be tested without a host.

use std::{
    any::Any,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

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
    /// What [`Site::read_once`] has read.
    read: Mutex<Vec<Arc<dyn Any + Send + Sync>>>,
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
            read: Mutex::default(),
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

    /// What `read` makes of the settings, or of anything else here that stays as it is: the
    /// identity, its details, the app's name. It is read once, by its type, and kept until the
    /// installation is changed: many calls share it. An error isn't kept.
    ///
    /// Not for what another call may see differently: the tokens, the time, randomness.
    ///
    /// ```
    /// use chatport_sdk::prelude::*;
    /// use serde::Deserialize;
    /// use std::sync::Arc;
    ///
    /// #[derive(Deserialize)]
    /// struct Settings {
    ///     address: Url,
    /// }
    ///
    /// fn settings(site: &Site) -> Result<Arc<Settings>, SetupError> {
    ///     site.read_once(|site| {
    ///         let settings: Settings =
    ///             site.settings().map_err(|error| SetupError::field("address", error.to_string()))?;
    ///         match settings.address.scheme() {
    ///             "https" => Ok(settings),
    ///             _ => Err(SetupError::field("address", "must start with https://")),
    ///         }
    ///     })
    /// }
    /// ```
    ///
    /// # Errors
    /// Those of `read`.
    pub fn read_once<T, E>(&self, read: impl FnOnce(&Self) -> Result<T, E>) -> Result<Arc<T>, E>
    where
        T: Send + Sync + 'static,
    {
        let all = || self.parts.read.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all().iter().find(|kept| kept.is::<T>()).cloned();
        if let Some(Ok(known)) = known.map(Arc::downcast) {
            return Ok(known);
        }
        // Not under the lock: `read` may read something else once. Two calls may both come to this.
        let value = Arc::new(read(self)?);
        let mut all = all();
        if !all.iter().any(|kept| kept.is::<T>()) {
            all.push(Arc::clone(&value) as Arc<dyn Any + Send + Sync>);
        }
        Ok(value)
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use serde_json::json;

    use super::*;
    use crate::http::{Answer, Call, Dispatch, HttpError, HttpErrorKind, Transport};

    /// No tokens, no time, no chance and no network.
    struct Nothing;

    impl Vault for Nothing {
        fn tokens(&self, _: &str) -> Vec<Token> {
            Vec::new()
        }

        fn matches(&self, _: &str, _: &[u8]) -> Option<String> {
            None
        }
    }

    impl Clock for Nothing {
        fn now(&self) -> Timestamp {
            Timestamp::EPOCH
        }
    }

    impl Random for Nothing {
        fn fill(&self, _: &mut [u8]) {}
    }

    #[crate::async_trait]
    impl Transport for Nothing {
        async fn send(&self, _: Call, _: &Dispatch) -> Result<Answer, HttpError> {
            Err(HttpError::new(HttpErrorKind::Connect, false, "there is no network"))
        }
    }

    fn http() -> HttpClient {
        HttpClient::new(Arc::new(Nothing), Dispatch::default())
    }

    fn site(settings: Value) -> Site {
        let mut parts = SiteParts::new("slot", Arc::new(Nothing), Arc::new(Nothing), Arc::new(Nothing));
        parts.settings = settings;
        Site::new(parts, http())
    }

    #[test]
    fn what_is_read_once_is_shared_by_all_calls() {
        let (site, reads) = (site(json!("a name")), Cell::new(0));
        let read = |site: &Site| {
            reads.set(reads.get() + 1);
            site.settings::<String>()
        };
        let first = site.read_once(read).expect("a text");
        let second = site.calling(http()).read_once(read).expect("a text");
        assert_eq!((first.as_str(), Arc::ptr_eq(&first, &second), reads.get()), ("a name", true, 1));
    }

    #[test]
    fn each_type_is_read_for_itself_and_an_error_is_not_kept() {
        let site = site(json!("a name"));
        site.read_once(Site::settings::<u32>).expect_err("not a number");
        assert_eq!(*site.read_once(|_| Ok::<_, ()>(7_u32)).expect("a number"), 7);
        assert_eq!(*site.read_once(Site::settings::<String>).expect("a text"), "a name");
    }
}
