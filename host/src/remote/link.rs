//! One exchange with a remote backend: a signed request, a signed answer. Both are signed as
//! Standard Webhooks describes it (<https://www.standardwebhooks.com>), the answer under an id
//! made from the request's, so that an answer belongs to one request alone.

use std::{fmt, sync::Arc, time::Duration};

use chatport_sdk::{
    crypto,
    descriptor::{CONTRACT_LEVEL, Descriptor},
    failure::{Cause, Failure, Scope},
    http::{Answer, Dispatch, HttpClient, Transport},
    install::SetupError,
    secret::Secret,
    site::Random,
    time::Clock,
    wire::{self, Broken, Method, Take},
};
use http::{HeaderName, StatusCode};

use super::gate::{Closed, Gate, Lane};
use crate::{
    config::RemoteEntry,
    security::{random, webhook_signature},
};

/// The longest answer that is read.
const MAX_ANSWER: usize = 1024 * 1024;

/// What a link needs of the world.
#[derive(Clone)]
pub struct Means {
    /// The way out to the network.
    pub transport: Arc<dyn Transport>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
}

impl fmt::Debug for Means {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Means")
    }
}

/// How long a call may take, and how long it may wait for its turn. Together they stay below
/// what the host gives a backend, so that the link still says whether something was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    lane: Lane,
    limit: Duration,
    turn: Duration,
}

impl Patience {
    const fn of(limit: Duration) -> Self {
        Self { lane: Lane::Application, limit, turn: Duration::from_secs(1) }
    }

    pub(super) const SETUP: Self = Self::of(Duration::from_secs(28));
    pub(super) const SENDING: Self = Self::of(Duration::from_secs(18));
    /// A flood must not pile up before the gate.
    pub(super) const INGRESS: Self =
        Self { lane: Lane::Platform, limit: Duration::from_secs(8), turn: Duration::from_millis(250) };
    /// It may wait for 30 seconds for something to happen.
    pub(super) const LISTENING: Self =
        Self { lane: Lane::Listening, limit: Duration::from_secs(35), turn: Duration::from_secs(5) };
    pub(super) const DESCRIBING: Self = Self::of(Duration::from_secs(5));
    /// What the host waits for without being able to do something else.
    pub(super) const PURE: Self = Self { lane: Lane::Quick, limit: Duration::from_millis(500), turn: Duration::ZERO };
}

/// Why there is no result.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Nothing was done.
    Undone(Failure),
    /// The request went out and no answer came that counts: it may have been done.
    Unanswered(String),
    /// The backend says so.
    Failed(Failure),
    /// The backend says that a person can mend it.
    Setup(SetupError),
}

impl Trouble {
    /// Of a call that can't be repeated without harm.
    pub(super) fn once(self) -> Failure {
        self.failure(Cause::NoAnswer)
    }

    /// Of a call that may be repeated.
    pub(super) fn repeatable(self) -> Failure {
        self.failure(Cause::Unavailable)
    }

    /// Of a call of setup.
    pub(super) fn setup(self) -> SetupError {
        match self {
            Self::Setup(error) => error,
            other => other.repeatable().into(),
        }
    }

    fn detail(&self) -> &str {
        match self {
            Self::Undone(failure) | Self::Failed(failure) => &failure.detail,
            Self::Unanswered(detail) => detail,
            Self::Setup(_) => "a person can mend it",
        }
    }

    fn failure(self, unanswered: Cause) -> Failure {
        match self {
            Self::Undone(failure) | Self::Failed(failure) => failure,
            Self::Unanswered(detail) => Failure::new(unanswered, detail),
            Self::Setup(_) => Failure::new(unanswered, "the remote backend speaks of setup where none is"),
        }
    }
}

/// The way to one remote backend.
#[derive(Debug)]
pub(super) struct Link {
    entry: RemoteEntry,
    means: Means,
    gate: Gate,
}

impl Link {
    pub(super) fn new(entry: RemoteEntry, means: Means) -> Self {
        Self { entry, means, gate: Gate::new() }
    }

    pub(super) fn entry(&self) -> &RemoteEntry {
        &self.entry
    }

    /// Call a method.
    pub(super) async fn ask<M: Method>(
        &self,
        descriptor: &Descriptor,
        site: Option<wire::Site>,
        arguments: M::Arguments,
        patience: Patience,
    ) -> Result<<M::Result as Take>::Taken, Trouble> {
        let id = self.entry.id.clone();
        let call =
            wire::Call { contract: CONTRACT_LEVEL, backend: id.clone(), method: M::NAME.to_owned(), site, arguments };
        let asked = self.answer_to::<M>(&call, descriptor, patience).await;
        let (outcome, detail) = match &asked {
            Err(Trouble::Undone(failure)) => ("undone", failure.detail.as_str()),
            Err(Trouble::Unanswered(detail)) => ("unanswered", detail.as_str()),
            _ => ("answered", ""),
        };
        if outcome == "unanswered" {
            tracing::warn!(backend = id, method = M::NAME, detail, "a remote backend gave no answer that counts");
        } else {
            tracing::debug!(backend = id, method = M::NAME, outcome, detail, "called a remote backend");
        }
        metrics::counter!("chatport_remote_calls_total", "backend" => id, "outcome" => outcome).increment(1);
        asked
    }

    async fn answer_to<M: Method>(
        &self,
        call: &wire::Call<M::Arguments>,
        descriptor: &Descriptor,
        patience: Patience,
    ) -> Result<<M::Result as Take>::Taken, Trouble> {
        let body = serde_json::to_vec(call).map_err(|_| undone("the request can't be written as JSON"))?;
        let pass = self.gate.enter(patience.lane, patience.limit, patience.turn).await.map_err(closed)?;
        let exchanged = self.exchange(body, patience.limit).await;
        let asked = exchanged.and_then(|answer| read::<M>(&answer.body, descriptor));
        match &asked {
            Err(trouble @ (Trouble::Undone(_) | Trouble::Unanswered(_))) => {
                if let Some(pause) = pass.silent() {
                    let (seconds, reason) = (pause.as_secs(), trouble.detail());
                    tracing::warn!(
                        backend = self.entry.id,
                        seconds,
                        reason,
                        "a remote backend has fallen silent: it is left alone for a while"
                    );
                }
            }
            // An answer that counts, whatever it says.
            _ => pass.answered(),
        }
        asked
    }

    /// Send one request and check who answers it.
    async fn exchange(&self, body: Vec<u8>, limit: Duration) -> Result<Answer, Trouble> {
        let (secrets, now) = (&self.entry.secrets, self.means.clock.now().as_seconds());
        let id = format!("req_{}", crypto::hex(&random::bytes::<16>(self.means.random.as_ref())));
        let signature = webhook_signature::sign(secrets, &id, now, &body);
        let sent = HttpClient::new(Arc::clone(&self.means.transport), Dispatch::default())
            .post(self.entry.url.clone())
            .header(HeaderName::from_static(wire::ID_HEADER), &id)
            .header(HeaderName::from_static(wire::TIMESTAMP_HEADER), &now.to_string())
            .header(HeaderName::from_static(wire::SIGNATURE_HEADER), &signature)
            .body("application/json", body)
            .timeout(limit)
            .max_answer(MAX_ANSWER)
            .send()
            .await;
        let answer = match sent {
            Ok(answer) => answer,
            Err(error) if error.sent => return Err(Trouble::Unanswered(format!("the remote backend: {error}"))),
            Err(error) => return Err(undone(&format!("the remote backend can't be reached: {error}"))),
        };
        match answer.status {
            StatusCode::OK => self.check(&id, &answer).map(|()| answer),
            // It says so before it reads anything else.
            StatusCode::UNAUTHORIZED => {
                Err(undone("the remote backend refuses the signature: both need the same secret and the right time"))
            }
            status => Err(Trouble::Unanswered(format!("the remote backend answered {}", status.as_u16()))),
        }
    }

    fn check(&self, id: &str, answer: &Answer) -> Result<(), Trouble> {
        let header = |name| answer.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let expected = wire::answer_id(id);
        if header(wire::ID_HEADER) != expected {
            return Err(Trouble::Unanswered("the answer isn't to this request".into()));
        }
        let (timestamp, signatures) = (header(wire::TIMESTAMP_HEADER), header(wire::SIGNATURE_HEADER));
        let (secrets, now): (&[Secret], _) = (&self.entry.secrets, self.means.clock.now());
        webhook_signature::verify(secrets, &expected, timestamp, signatures, &answer.body, now)
            .map_err(|error| Trouble::Unanswered(format!("the answer isn't the remote backend's: {error}")))
    }
}

/// Read what was answered, and check it. What is wrong is told by where it stands: an answer may
/// hold secrets.
fn read<M: Method>(body: &[u8], descriptor: &Descriptor) -> Result<<M::Result as Take>::Taken, Trouble> {
    let mut text = serde_json::Deserializer::from_slice(body);
    let read: Result<wire::Answer<M::Result>, _> = serde_path_to_error::deserialize(&mut text);
    let broken = |broken: Broken| Trouble::Unanswered(format!("the remote backend breaks a rule: {broken}"));
    let unreadable = |at: &str| Trouble::Unanswered(format!("the answer isn't what {} gives back: {at}", M::NAME));
    let answer = read.map_err(|error| {
        let path: String = error.path().to_string().chars().filter(|c| !c.is_control()).take(100).collect();
        // These names are the contract's own.
        let missing = Some(error.inner().to_string()).filter(|text| text.starts_with("missing field"));
        unreadable(&format!("{path} {}", missing.unwrap_or_default()))
    })?;
    text.end().map_err(|_| unreadable("there is more behind it"))?;
    match answer {
        wire::Answer::Result(result) => result.take(descriptor).map_err(broken),
        wire::Answer::Failure(failure) => Err(Trouble::Failed(failure.take(descriptor).map_err(broken)?)),
        wire::Answer::SetupError(problem) => Err(Trouble::Setup(problem.into())),
    }
}

fn undone(detail: &str) -> Trouble {
    Trouble::Undone(Failure::new(Cause::Unreachable, detail))
}

fn closed(closed: Closed) -> Trouble {
    Trouble::Undone(match closed {
        // It costs no attempt: nothing was tried.
        Closed::Silent(wait) => {
            Failure::new(Cause::Unreachable, "the remote backend has fallen silent").retry_after(Some(wait))
        }
        Closed::Full => Failure::new(Cause::RateLimited, "too many calls of the remote backend are on their way")
            .scope(Scope::Copy)
            .retry_after(Some(Duration::from_secs(1))),
    })
}
