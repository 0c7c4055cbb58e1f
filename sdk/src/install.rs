//! The install steps: a machine whose state the host keeps, so that any replica can go on
//! with it.

use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    async_trait, failure::Failure, identity::Identity, secret::Secret, site::Site, steps::SetupStep, time::Timestamp,
    token::NewToken,
};

/// How an organization sets a platform up.
///
/// Each method may use the network and may be repeated: a person presses twice, a replica
/// dies. What a method returns is written in one transaction; nothing else is remembered.
/// Where the machine stands is [`Progress::stage`], found again in [`Site::stage`].
///
/// ```
/// use chatport_sdk::prelude::*;
/// use serde_json::Value;
///
/// struct Noticeboard;
///
/// #[async_trait]
/// impl Install for Noticeboard {
///     async fn begin(&self, _: &Site) -> Result<Progress, SetupError> {
///         let field = Field::new("api_token", "API token", FieldKind::Secret, "Under *Profile*.");
///         let fields = StepKind::Fields { fields: vec![field] };
///         Ok(Progress::next("token", vec![SetupStep::new("token", "Fill in the bot's token", "", fields)]))
///     }
///
///     async fn submit(&self, site: &Site, fields: &Fields) -> Result<Progress, SetupError> {
///         if site.stage() != "token" {
///             return Err(SetupError::WrongStage("setup isn't waiting for a token".into()));
///         }
///         let token = Secret::new(fields.required("api_token")?);
///         // Here the platform is asked whose token it is.
///         let identity = Identity {
///             server: "https://board.example.com".into(),
///             account: "bot-1".into(),
///             display_name: "OnCall".into(),
///             details: Value::Null,
///         };
///         Ok(Progress::installed(identity).token(NewToken::new("api_token", token)))
///     }
///
///     async fn reauthorize(&self, site: &Site) -> Result<Progress, SetupError> {
///         self.begin(site).await
///     }
///
///     async fn probe(&self, site: &Site) -> Health {
///         Health { can_post: site.token("api_token").is_some(), ..Health::default() }
///     }
///
///     async fn remove(&self, _: &Site) -> Result<(), Failure> {
///         Ok(())
///     }
/// }
/// ```
#[async_trait]
pub trait Install: Send + Sync {
    /// Say what is wrong with settings that the schema alone can't judge. Pure: only the
    /// settings of `site` are looked at. Asked before setup begins and before changed settings
    /// are stored.
    ///
    /// # Errors
    /// The setting that is wrong.
    fn check(&self, _site: &Site) -> Result<(), SetupError> {
        Ok(())
    }

    /// Bring settings that a release before stored to the present shape. `version` is the
    /// [`settings_version`](crate::descriptor::Descriptor::settings_version) of that release, always
    /// lower than the present one; raise that whenever stored settings of the old shape wouldn't be
    /// understood any more. Pure. What comes back is what [`Site::settings`] reads, and is stored
    /// when the installation is changed next. It must name the same servers as before: tokens are
    /// sealed for those.
    fn migrate(&self, settings: Value, _version: u32) -> Value {
        settings
    }

    /// Start. Check the settings: they are what the application sent.
    ///
    /// # Errors
    /// What the person can mend, in words.
    async fn begin(&self, site: &Site) -> Result<Progress, SetupError>;

    /// Take what a person filled in. Called with any fields at any stage, so check.
    ///
    /// # Errors
    /// What the person can mend; the stage stays.
    async fn submit(&self, site: &Site, fields: &Fields) -> Result<Progress, SetupError>;

    /// Ask for new secrets. Links and channels stay.
    ///
    /// # Errors
    /// As for `begin`.
    async fn reauthorize(&self, site: &Site) -> Result<Progress, SetupError>;

    /// Find out how the installation is. Called when somebody asks.
    async fn probe(&self, site: &Site) -> Health;

    /// Take back on the platform what setup put there. A failure is shown to the operator;
    /// the installation is removed all the same.
    ///
    /// # Errors
    /// What couldn't be taken back.
    async fn remove(&self, site: &Site) -> Result<(), Failure>;

    /// Getting new credentials, for platforms whose credentials run out.
    fn renew(&self) -> Option<&dyn Renew> {
        None
    }
}

/// Getting new credentials.
///
/// ```
/// use chatport_sdk::prelude::*;
///
/// struct Noticeboard;
///
/// #[async_trait]
/// impl Renew for Noticeboard {
///     fn kinds(&self, _: &Site) -> &'static [&'static str] {
///         &["session"]
///     }
///
///     async fn renew(&self, site: &Site, kind: &str) -> Result<Renewal, Failure> {
///         let url = Url::parse("https://board.example.com/api/session").expect("an address");
///         let key = site.token("api_key").ok_or_else(|| Failure::new(Cause::Unauthorized, "there is no key"))?;
///         let answer = site.http().post(url).bearer(&key.value).repeatable().send().await?;
///         let session: String = answer.json()?;
///         let token = NewToken::new("session", Secret::new(session));
///         assert_eq!(kind, "session");
///         Ok(Renewal::Renewed(vec![token.expires_at(site.now().plus(std::time::Duration::from_secs(3600)))]))
///     }
/// }
/// ```
#[async_trait]
pub trait Renew: Send + Sync {
    /// The kinds of token that run out and can be renewed in this installation. Pure.
    fn kinds(&self, site: &Site) -> &'static [&'static str];

    /// Get a new token of `kind`. Called when it is missing, about to run out, or was
    /// refused; one call at a time for an installation.
    ///
    /// # Errors
    /// A failure to ask.
    async fn renew(&self, site: &Site, kind: &str) -> Result<Renewal, Failure>;
}

/// How a renewal went.
#[derive(Debug)]
#[non_exhaustive]
pub enum Renewal {
    /// Here they are.
    Renewed(Vec<NewToken>),
    /// They will come by a happening; ask again after this time if they don't.
    Asked {
        /// How long to wait.
        retry_after: Duration,
    },
}

/// Where setup stands after a call.
///
/// ```
/// use chatport_sdk::prelude::*;
/// use std::time::Duration;
///
/// // The next step is done on the platform, which calls back within a quarter of an hour.
/// let wait = StepKind::Wait { what: "an administrator to allow the app".into() };
/// let steps = vec![SetupStep::new("allow", "Allow the app", "Under *Apps* of the workspace.", wait)];
/// let progress = Progress::next("awaiting_app", steps).window(Duration::from_secs(15 * 60));
/// assert_eq!(progress.stage, "awaiting_app");
/// ```
#[derive(Debug, Default)]
pub struct Progress {
    /// What to do next; empty when complete.
    pub steps: Vec<SetupStep>,
    /// The backend's name for where the machine stands.
    pub stage: String,
    /// Tokens to store.
    pub tokens: Vec<NewToken>,
    /// Set when setup is complete: the installation becomes active.
    pub installed: Option<Identity>,
    /// Settings to store instead of the present ones.
    pub settings: Option<Value>,
    /// What the backend learned and wants to find again at the next stage, in
    /// [`Site::notes`]; never a secret.
    pub notes: Option<Value>,
    /// Opens the window in which a happening may complete the installation.
    pub window: Option<Duration>,
}

impl Progress {
    /// More is to be done.
    pub fn next(stage: impl Into<String>, steps: Vec<SetupStep>) -> Self {
        Self { stage: stage.into(), steps, ..Self::default() }
    }

    /// Setup is complete.
    pub fn installed(identity: Identity) -> Self {
        Self { stage: "installed".into(), installed: Some(identity), ..Self::default() }
    }

    /// Store this token.
    pub fn token(mut self, token: NewToken) -> Self {
        self.tokens.push(token);
        self
    }

    /// Keep these notes for the next stage.
    pub fn notes(mut self, notes: Value) -> Self {
        self.notes = Some(notes);
        self
    }

    /// Let a happening complete the installation within this time.
    pub fn window(mut self, window: Duration) -> Self {
        self.window = Some(window);
        self
    }
}

/// What a person filled in.
#[derive(Clone, Debug, Default)]
pub struct Fields(BTreeMap<String, Secret>);

impl Fields {
    /// The value of a field, trimmed; `None` if it is absent or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.expose().trim()).filter(|value| !value.is_empty())
    }

    /// The value of a field as a secret, trimmed.
    pub fn secret(&self, name: &str) -> Option<Secret> {
        self.get(name).map(Secret::new)
    }

    /// Whether a toggle is on.
    pub fn is_on(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// The value of a field that must be filled in.
    ///
    /// # Errors
    /// An error that names the field.
    pub fn required(&self, name: &str) -> Result<&str, SetupError> {
        self.get(name).ok_or_else(|| SetupError::field(name, "is required"))
    }

    /// The names of the fields that were filled in.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Fields {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(fields: I) -> Self {
        Self(fields.into_iter().map(|(name, value)| (name.into(), Secret::new(value))).collect())
    }
}

/// Why setup can't go on: something that the person can mend.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A field or setting is wrong.
    #[error("{name}: {detail}")]
    Field {
        /// The field's name.
        name: String,
        /// What is wrong and what would be right.
        detail: String,
    },
    /// The platform refused or couldn't be reached.
    #[error(transparent)]
    Platform(#[from] Failure),
    /// It isn't the time for it, e.g. fields for a stage that is over.
    #[error("{0}")]
    WrongStage(String),
    /// The host has no public address and this needs one.
    #[error("{0}")]
    NeedsPublicUrl(String),
}

impl SetupError {
    /// A field or setting is wrong.
    pub fn field(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Field { name: name.into(), detail: detail.into() }
    }
}

/// How an installation is, as far as a probe can tell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// Who the bot is, if the platform knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Whether it can post.
    pub can_post: bool,
    /// Whether what people do there reaches the host.
    pub can_receive: bool,
    /// What is missing, in words.
    #[serde(default)]
    pub missing: Vec<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
    /// When a credential is known to run out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_expires_at: Option<Timestamp>,
}
