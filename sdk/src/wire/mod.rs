//! The contract over HTTP: the JSON that the host and a backend in another process exchange.
//! Each method of the contract is one [`Method`]: a name, what is asked and what comes back.
//! What comes back is nobody's word that counts: [`Take`] makes it into the contract's own
//! types, and refuses what is too long, unknown or impossible. `docs/remote-backends.md` says
//! how the JSON travels; `docs/remote-backend.schema.json` is made from these types.

mod bounds;
mod calls;
mod described;
mod happenings;
mod ingress;
mod install;
mod outcomes;
mod parts;
mod schema;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use url::Url;

pub use bounds::Broken;
pub use calls::*;
pub use described::{Descriptor, Known, Parts, Rate, TokenKind, stream_of};
pub use happenings::*;
pub use ingress::*;
pub use install::*;
pub use outcomes::*;
pub use parts::*;
pub use schema::document;

use crate::{
    descriptor,
    failure::{self, Cause, Scope},
    identity::Address,
    install::SetupError,
    secret::Secret,
};

/// The header that names a request; also the name that its answer is bound to.
pub const ID_HEADER: &str = "webhook-id";
/// The header with the time of signing, in seconds since 1970.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
/// The header with the signatures.
pub const SIGNATURE_HEADER: &str = "webhook-signature";

/// The id under which the answer to the request `id` is signed. It differs from the request's,
/// so that nobody can send a request back as its own answer.
pub fn answer_id(id: &str) -> String {
    format!("answer-{id}")
}

/// One method of the contract.
pub trait Method {
    /// Its name on the wire.
    const NAME: &'static str;
    /// What is asked.
    type Arguments: Serialize + JsonSchema + Send;
    /// What comes back.
    type Result: DeserializeOwned + JsonSchema + Take + Send;
}

/// What a remote backend said, made into what the host works with.
pub trait Take {
    /// What the host works with.
    type Taken: Send;

    /// Check it and make it.
    ///
    /// # Errors
    /// A rule that it breaks.
    fn take(self, backend: &descriptor::Descriptor) -> Result<Self::Taken, Broken>;
}

impl Take for () {
    type Taken = ();

    fn take(self, _: &descriptor::Descriptor) -> Result<(), Broken> {
        Ok(())
    }
}

/// A request: the whole body, so the signature covers the method too.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Call<A> {
    /// The level of the contract that the host speaks.
    pub contract: u32,
    /// The id of the backend that is meant.
    pub backend: String,
    /// The method.
    pub method: String,
    /// The installation; absent where a method is about none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<Site>,
    /// What is asked.
    pub arguments: A,
}

/// An answer: one of the three.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer<R> {
    /// It worked.
    Result(R),
    /// It didn't, as far as the platform is concerned.
    Failure(Failure),
    /// A person can mend it; only from methods of `install`.
    SetupError(SetupProblem),
}

/// A secret as it stands in JSON: the one place where a secret is written out.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(with = "String")]
pub struct Revealed(pub Secret);

impl Serialize for Revealed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

impl<'de> Deserialize<'de> for Revealed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Secret::deserialize(deserializer).map(Self)
    }
}

/// A failed call to the platform.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// What happened. `unreachable` only if nothing can have reached the platform; `no_answer`
    /// if something may have.
    pub cause: Cause,
    /// What else is affected; absent: what the cause usually affects.
    #[serde(default)]
    pub scope: Option<Scope>,
    /// How long the platform asks to wait, in seconds.
    #[serde(default)]
    pub retry_after: Option<u32>,
    /// Where the conversation has gone.
    #[serde(default)]
    pub moved_to: Option<Address>,
    /// The platform's own id of the error.
    #[serde(default)]
    pub error_id: Option<String>,
    /// For an operator's eyes. Never a secret, never a body.
    #[serde(default)]
    pub detail: String,
}

impl Take for Failure {
    type Taken = failure::Failure;

    fn take(self, backend: &descriptor::Descriptor) -> Result<failure::Failure, Broken> {
        let mut failure = failure::Failure::new(self.cause, bounds::words(&self.detail));
        failure.scope = match self.scope {
            // What one process says doesn't hold others' installations at the same server.
            Some(Scope::Origin) => Scope::Installation,
            scope => scope.unwrap_or(failure.scope),
        };
        failure.retry_after = self.retry_after.map(|seconds| Duration::from_secs(seconds.into()));
        failure.moved_to = self.moved_to.map(|address| address.take(backend)).transpose()?;
        failure.error_id = self.error_id.as_deref().map(bounds::words);
        Ok(failure)
    }
}

/// Why setup can't go on: something that the person can mend.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "problem", rename_all = "snake_case", deny_unknown_fields)]
pub enum SetupProblem {
    /// A field or setting is wrong.
    Field {
        /// Its name.
        name: String,
        /// What is wrong and what would be right.
        detail: String,
    },
    /// It isn't the time for it, e.g. fields for a stage that is over.
    WrongStage {
        /// In words.
        detail: String,
    },
    /// The host has no public address and this needs one.
    NeedsPublicUrl {
        /// In words.
        detail: String,
    },
}

impl From<SetupProblem> for SetupError {
    fn from(problem: SetupProblem) -> Self {
        match problem {
            SetupProblem::Field { name, detail } => Self::field(bounds::words(&name), bounds::words(&detail)),
            SetupProblem::WrongStage { detail } => Self::WrongStage(bounds::words(&detail)),
            SetupProblem::NeedsPublicUrl { detail } => Self::NeedsPublicUrl(bounds::words(&detail)),
        }
    }
}

/// An address for people: http or https, so that no link runs something.
fn for_people(name: &str, url: &Url) -> Result<(), Broken> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Broken::new(format!("{name} must be an http or https address")));
    }
    bounds::text(name, url.as_str(), 2_048)
}

#[cfg(test)]
mod tests;
