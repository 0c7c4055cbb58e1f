//! A remote backend, as the contract has backends: each method is one call over the link. What
//! the contract wants at once (`render`, `present`, `check`) is waited for while the runtime
//! gives the thread's other work away; what can be known beforehand (streams, kinds, purposes)
//! isn't asked at all.

use std::fmt;

use chatport_sdk::{
    async_trait,
    backend::MessagingBackend,
    commands::{Commands, DeclaredCommand, Synced},
    delivery::{
        Delete, Delivery, Direct, Edit, Edited, Find, Found, Outgoing, Receipt, RenderRequest, Rendering, StreamKey,
    },
    descriptor::Descriptor,
    directory::{Directory, Entry, Lookup, Page, Search},
    failure::Failure,
    happening::{Happening, Outcome},
    identity::{Account, Address},
    ingress::{Ingress, Received, Request, Response},
    install::{Fields, Health, Install, Progress, Renew, Renewal, SetupError},
    listen::{Heard, Listen},
    secret::Secret,
    site::Site,
    verification::{Presentation, Purpose, Verification},
    wire::{self, Broken, Known, Method, Take},
};
use http::StatusCode;
use tokio::runtime::{Handle, RuntimeFlavor};

use super::link::{Link, Means, Patience, Trouble};
use crate::{config::RemoteEntry, setup::schema};

/// A backend that runs as its own process.
pub struct RemoteBackend {
    link: Link,
    known: Known,
}

impl fmt::Debug for RemoteBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteBackend").field("id", &self.known.descriptor.id).finish_non_exhaustive()
    }
}

/// Why a remote backend can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// It doesn't say what it is.
    #[error("{0}")]
    NoDescriptor(String),
    /// Its descriptor breaks a rule.
    #[error("its descriptor can't be used: {0}")]
    Descriptor(#[from] Broken),
}

type Answer<M> = <<M as Method>::Result as Take>::Taken;

impl RemoteBackend {
    /// Connect: ask for the descriptor. No host is needed; what waits for a pure method wants
    /// tokio's runtime of several threads. The descriptor's texts are kept until the process
    /// ends, so connect once.
    ///
    /// # Errors
    /// It doesn't answer, or its descriptor breaks a rule.
    pub async fn connect(entry: RemoteEntry, means: Means) -> Result<Self, ConnectError> {
        let link = Link::new(entry, means);
        let described = describe(&link).await?;
        Self::of(link, described)
    }

    /// The backend that described itself like this.
    pub(super) fn of(link: Link, described: wire::Descriptor) -> Result<Self, ConnectError> {
        let known = described.know(&link.entry().id)?;
        Ok(Self { link, known })
    }

    async fn ask<M: Method>(
        &self,
        site: Option<wire::Site>,
        arguments: M::Arguments,
        patience: Patience,
    ) -> Result<Answer<M>, Trouble> {
        self.link.ask::<M>(&self.known.descriptor, site, arguments, patience).await
    }

    /// A call that may use the network, so it is told the tokens.
    async fn ask_at<M: Method>(
        &self,
        site: &Site,
        arguments: M::Arguments,
        patience: Patience,
    ) -> Result<Answer<M>, Trouble> {
        self.ask::<M>(Some(wire::Site::of(site, self.known.descriptor.tokens)), arguments, patience).await
    }

    /// A pure call, waited for here and now; the runtime moves this thread's other work to
    /// another, so nobody else waits.
    fn wait<M: Method>(&self, site: Option<&Site>, arguments: M::Arguments) -> Result<Answer<M>, Trouble> {
        let site = site.map(|site| wire::Site::of(site, &[]));
        match Handle::try_current() {
            Ok(runtime) if runtime.runtime_flavor() == RuntimeFlavor::MultiThread => {
                let asked = self.ask::<M>(site, arguments, Patience::PURE);
                tokio::task::block_in_place(|| runtime.block_on(asked))
            }
            _ => {
                tracing::error!(method = M::NAME, "a pure call can only be waited for in a runtime of several threads");
                Err(Trouble::Unanswered("it can't be waited for here".into()))
            }
        }
    }

    async fn progress<M>(&self, site: &Site, arguments: M::Arguments) -> Result<Progress, SetupError>
    where
        M: Method,
        M::Result: Take<Taken = Progress>,
    {
        let progress = self.ask_at::<M>(site, arguments, Patience::SETUP).await.map_err(Trouble::setup)?;
        if let Some(settings) = &progress.settings {
            schema::check(self.known.descriptor.settings.as_value(), settings)
                .map_err(|violation| SetupError::field(violation.name, violation.detail))?;
        }
        Ok(progress)
    }
}

/// Ask for a descriptor.
pub(super) async fn describe(link: &Link) -> Result<wire::Descriptor, ConnectError> {
    // Nothing in the answer depends on what is known so far.
    let unknown = Descriptor::new("unknown", "");
    link.ask::<wire::Describe>(&unknown, None, wire::Nothing {}, Patience::DESCRIBING)
        .await
        .map_err(|trouble| ConnectError::NoDescriptor(trouble.repeatable().detail))
}

impl MessagingBackend for RemoteBackend {
    fn descriptor(&self) -> &Descriptor {
        &self.known.descriptor
    }

    fn install(&self) -> Option<&dyn Install> {
        self.known.parts.install.then_some(self)
    }

    fn verification(&self) -> Option<&dyn Verification> {
        (!self.known.purposes.is_empty()).then_some(self)
    }

    fn delivery(&self) -> Option<&dyn Delivery> {
        self.known.parts.deliver.then_some(self)
    }

    fn ingress(&self) -> Option<&dyn Ingress> {
        self.known.parts.receive.then_some(self)
    }

    fn listen(&self) -> Option<&dyn Listen> {
        self.known.parts.listen.then_some(self)
    }

    fn directory(&self) -> Option<&dyn Directory> {
        self.known.parts.directory.then_some(self)
    }

    fn commands(&self) -> Option<&dyn Commands> {
        self.known.parts.commands.then_some(self)
    }
}

#[async_trait]
impl Install for RemoteBackend {
    fn check(&self, site: &Site) -> Result<(), SetupError> {
        self.wait::<wire::Check>(Some(site), wire::Nothing {}).map_err(Trouble::setup)
    }

    async fn begin(&self, site: &Site) -> Result<Progress, SetupError> {
        self.progress::<wire::Begin>(site, wire::Nothing {}).await
    }

    async fn submit(&self, site: &Site, fields: &Fields) -> Result<Progress, SetupError> {
        let value = |name: &str| Some((name.to_owned(), wire::Revealed(fields.secret(name)?)));
        let fields = fields.names().filter_map(value).collect();
        self.progress::<wire::Submit>(site, wire::Submitted { fields }).await
    }

    async fn reauthorize(&self, site: &Site) -> Result<Progress, SetupError> {
        self.progress::<wire::Reauthorize>(site, wire::Nothing {}).await
    }

    async fn probe(&self, site: &Site) -> Health {
        let asked = self.ask_at::<wire::Probe>(site, wire::Nothing {}, Patience::SETUP).await;
        asked.unwrap_or_else(|trouble| Health {
            missing: vec![trouble.repeatable().detail],
            cure: Some("the operator must look after the backend's own process".into()),
            ..Health::default()
        })
    }

    async fn remove(&self, site: &Site) -> Result<(), Failure> {
        self.ask_at::<wire::Remove>(site, wire::Nothing {}, Patience::SETUP).await.map_err(Trouble::repeatable)
    }

    fn renew(&self) -> Option<&dyn Renew> {
        (!self.known.renews.is_empty()).then_some(self)
    }
}

#[async_trait]
impl Renew for RemoteBackend {
    fn kinds(&self, _: &Site) -> &'static [&'static str] {
        self.known.renews
    }

    async fn renew(&self, site: &Site, kind: &str) -> Result<Renewal, Failure> {
        let wanted = wire::Renewing { kind: kind.to_owned() };
        self.ask_at::<wire::Renew>(site, wanted, Patience::SETUP).await.map_err(Trouble::repeatable)
    }
}

impl Verification for RemoteBackend {
    fn purposes(&self) -> &'static [Purpose] {
        self.known.purposes
    }

    /// Without an answer there are no steps: the code itself is good all the same.
    fn present(&self, site: &Site, purpose: Purpose, code: &Secret) -> Presentation {
        let shown = wire::Presenting { purpose, code: wire::Revealed(code.clone()) };
        self.wait::<wire::Present>(Some(site), shown).unwrap_or_default()
    }
}

#[async_trait]
impl Delivery for RemoteBackend {
    /// Without an answer there are no parts; the host then tries again later.
    fn render(&self, request: &RenderRequest<'_>) -> Rendering {
        let (content, limits, mention) = (request.content.clone(), request.limits.clone(), request.mention.cloned());
        self.wait::<wire::Render>(None, wire::Rendered { content, limits, mention }).unwrap_or_default()
    }

    fn stream(&self, address: &Address) -> Result<StreamKey, Failure> {
        wire::stream_of(address, &self.known.descriptor)
    }

    async fn post(&self, site: &Site, outgoing: &Outgoing) -> Result<Receipt, Failure> {
        // What has no stream isn't an address of this backend, and its process needn't know of such.
        self.stream(&outgoing.address)?;
        let posting = wire::Posting { outgoing: outgoing.into() };
        self.ask_at::<wire::Post>(site, posting, Patience::SENDING).await.map_err(Trouble::once)
    }

    fn edit(&self) -> Option<&dyn Edit> {
        self.known.parts.edit.then_some(self)
    }

    fn delete(&self) -> Option<&dyn Delete> {
        self.known.parts.delete.then_some(self)
    }

    fn find(&self) -> Option<&dyn Find> {
        self.known.parts.find.then_some(self)
    }

    fn direct(&self) -> Option<&dyn Direct> {
        self.known.parts.direct.then_some(self)
    }
}

#[async_trait]
impl Edit for RemoteBackend {
    async fn edit(&self, site: &Site, outgoing: &Outgoing, receipt: &Receipt) -> Result<Edited, Failure> {
        let editing = wire::Editing { outgoing: outgoing.into(), receipt: receipt.clone() };
        self.ask_at::<wire::Edit>(site, editing, Patience::SENDING).await.map_err(Trouble::repeatable)
    }
}

#[async_trait]
impl Delete for RemoteBackend {
    async fn delete(&self, site: &Site, address: &Address, receipt: &Receipt) -> Result<(), Failure> {
        let deleting = wire::Deleting { address: address.clone(), receipt: receipt.clone() };
        self.ask_at::<wire::Delete>(site, deleting, Patience::SENDING).await.map_err(Trouble::repeatable)
    }
}

#[async_trait]
impl Find for RemoteBackend {
    async fn find(&self, site: &Site, outgoing: &Outgoing) -> Result<Found, Failure> {
        let wanted = wire::Posting { outgoing: outgoing.into() };
        self.ask_at::<wire::Find>(site, wanted, Patience::SENDING).await.map_err(Trouble::repeatable)
    }
}

#[async_trait]
impl Direct for RemoteBackend {
    async fn direct(&self, site: &Site, account: &Account) -> Result<Address, Failure> {
        let wanted = wire::Directing { account: account.clone() };
        self.ask_at::<wire::Direct>(site, wanted, Patience::SENDING).await.map_err(Trouble::repeatable)
    }
}

#[async_trait]
impl Ingress for RemoteBackend {
    async fn receive(&self, site: &Site, request: &Request) -> Received {
        let received = wire::Receiving { request: request.into() };
        let asked = self.ask_at::<wire::Receive>(site, received, Patience::INGRESS).await;
        asked.unwrap_or_else(|_| Received::Answer(unavailable()))
    }

    async fn answer(&self, site: &Site, happenings: &[Happening], outcomes: &[Outcome]) -> Response {
        let answered = answered(happenings, outcomes);
        let is_stored = !outcomes.iter().any(|outcome| matches!(outcome, Outcome::Unavailable));
        match self.ask_at::<wire::Answering>(site, answered, Patience::INGRESS).await {
            Ok(response) => response,
            // What happened is on disk: the platform needn't send it again.
            Err(_) if is_stored => Response::empty(),
            Err(_) => unavailable(),
        }
    }
}

#[async_trait]
impl Listen for RemoteBackend {
    fn listens(&self, site: &Site) -> bool {
        site.identity().is_some() && (!self.known.parts.receive || site.ingress_url().is_none())
    }

    async fn listen(&self, site: &Site, cursor: Option<&str>) -> Result<Heard, Failure> {
        let listening = wire::Listening { cursor: cursor.map(str::to_owned) };
        self.ask_at::<wire::Listen>(site, listening, Patience::LISTENING).await.map_err(Trouble::repeatable)
    }

    /// What happened is on disk: without an answer the platform hears nothing of it, no more.
    async fn answer(&self, site: &Site, happenings: &[Happening], outcomes: &[Outcome]) {
        let answered = answered(happenings, outcomes);
        if let Err(trouble) = self.ask_at::<wire::AnswerHeard>(site, answered, Patience::INGRESS).await {
            tracing::warn!(failure = %trouble.repeatable(), "what came of something heard was not told");
        }
    }
}

fn answered(happenings: &[Happening], outcomes: &[Outcome]) -> wire::Answered {
    wire::Answered {
        happenings: happenings.iter().map(wire::Happening::from).collect(),
        outcomes: outcomes.iter().map(wire::Outcome::from).collect(),
    }
}

#[async_trait]
impl Directory for RemoteBackend {
    async fn search(&self, site: &Site, search: &Search) -> Result<Page, Failure> {
        self.ask_at::<wire::Search>(site, search.into(), Patience::INGRESS).await.map_err(Trouble::repeatable)
    }

    async fn resolve(&self, site: &Site, wanted: &Lookup) -> Result<Vec<Entry>, Failure> {
        self.ask_at::<wire::Resolve>(site, wanted.into(), Patience::INGRESS).await.map_err(Trouble::repeatable)
    }
}

#[async_trait]
impl Commands for RemoteBackend {
    fn check(&self, site: &Site, commands: &[DeclaredCommand]) -> Result<(), SetupError> {
        let declared = wire::Declaring { commands: commands.to_vec() };
        self.wait::<wire::CheckCommands>(Some(site), declared).map_err(Trouble::setup)
    }

    async fn sync(&self, site: &Site, commands: &[DeclaredCommand]) -> Result<Synced, Failure> {
        let declared = wire::Declaring { commands: commands.to_vec() };
        self.ask_at::<wire::SyncCommands>(site, declared, Patience::SETUP).await.map_err(Trouble::repeatable)
    }
}

fn unavailable() -> Response {
    Response::text(StatusCode::SERVICE_UNAVAILABLE, "not recorded, try again")
}
