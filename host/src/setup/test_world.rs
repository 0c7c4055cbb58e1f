//! What the tests of setup and ingress share: a small platform whose post is carried by
//! pigeons, a host over a database of its own, and a clock that is moved by hand.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use chatport_sdk::{
    delivery::{Delivery, Rendering},
    identity::ConversationKind,
    prelude::*,
    schemars::{self, JsonSchema},
    time::Clock,
};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, QueryOrder};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    audit::Actor,
    installations::Installation,
    machine,
    sites::{self, Loaded},
};
use crate::{
    app::{App, Parts},
    host::Host,
    ids::{InstallationId, OrganizationId},
    registry::Registry,
    store::{
        Location,
        entities::{events, organizations},
        statement,
    },
};

/// A clock that stands still until it is moved.
pub(crate) struct HandClock(AtomicI64);

impl HandClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// The pigeon post.
pub(crate) struct Pigeon {
    descriptor: Descriptor,
    /// How often it was asked to renew.
    pub(crate) renewals: AtomicUsize,
    /// What the next renewals answer; without any, a new token each time.
    pub(crate) promises: Mutex<Vec<Duration>>,
    /// Whether the platform has forgotten where to call.
    pub(crate) is_deaf: AtomicBool,
    /// The names of the commands of each call that made them known.
    pub(crate) told: Mutex<Vec<Vec<String>>>,
    /// How the next calls that make commands known fail, from the last one.
    pub(crate) refusals: Mutex<Vec<Failure>>,
    /// While somebody holds it, such calls don't come back.
    pub(crate) gate: tokio::sync::Mutex<()>,
    /// What those who listen hear next; without any: nothing. `None`: nobody is to listen.
    pub(crate) news: Mutex<Option<VecDeque<Result<Heard, Failure>>>>,
    /// At which cursors it was listened.
    pub(crate) cursors: Mutex<Vec<Option<String>>>,
    /// What was said about what was heard.
    pub(crate) said: Mutex<Vec<String>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    loft: Option<Url>,
}

const TOKENS: &[TokenKind] = &[
    TokenKind { name: "api_key", usage: TokenUse::Reveal, origin: TokenOrigin::Person, lifetime: None },
    TokenKind { name: "hook", usage: TokenUse::Compare, origin: TokenOrigin::Host, lifetime: None },
    TokenKind { name: "signing", usage: TokenUse::Reveal, origin: TokenOrigin::Host, lifetime: None },
    TokenKind {
        name: "access",
        usage: TokenUse::Reveal,
        origin: TokenOrigin::Platform,
        lifetime: Some(Duration::from_secs(3600)),
    },
];

impl Default for Pigeon {
    fn default() -> Self {
        let mut descriptor = Descriptor::new("pigeon", "Pigeon post").settings::<Settings>();
        descriptor.tokens = TOKENS;
        Self {
            descriptor,
            renewals: AtomicUsize::new(0),
            promises: Mutex::default(),
            is_deaf: AtomicBool::new(false),
            told: Mutex::default(),
            refusals: Mutex::default(),
            gate: tokio::sync::Mutex::default(),
            news: Mutex::default(),
            cursors: Mutex::default(),
            said: Mutex::default(),
        }
    }
}

impl Pigeon {
    /// For trying out alone.
    pub(crate) fn make_loopback_only(&mut self) {
        self.descriptor.loopback_only = true;
    }
}

impl MessagingBackend for Pigeon {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }
    fn install(&self) -> Option<&dyn Install> {
        Some(self)
    }
    fn verification(&self) -> Option<&dyn Verification> {
        Some(self)
    }
    fn delivery(&self) -> Option<&dyn Delivery> {
        Some(self)
    }
    fn ingress(&self) -> Option<&dyn Ingress> {
        Some(self)
    }
    fn listen(&self) -> Option<&dyn Listen> {
        Some(self)
    }
    fn directory(&self) -> Option<&dyn Directory> {
        Some(self)
    }
    fn commands(&self) -> Option<&dyn Commands> {
        Some(self)
    }
}

#[async_trait]
impl Directory for Pigeon {
    async fn search(&self, site: &Site, search: &Search) -> Result<Page, Failure> {
        assert_ne!(search.query, "panic", "a bug");
        let keeper = Account::new(site.token("access").map_or("nobody", |_| "keeper"));
        Ok(Page { entries: vec![Entry::Person(keeper)], next: None })
    }

    async fn resolve(&self, _: &Site, _: &Lookup) -> Result<Vec<Entry>, Failure> {
        Err(Failure::new(Cause::PermissionDenied, "the register is locked"))
    }
}

#[async_trait]
impl Commands for Pigeon {
    fn check(&self, _: &Site, commands: &[DeclaredCommand]) -> Result<(), SetupError> {
        match commands.iter().find(|command| command.name == "coo") {
            Some(_) => Err(SetupError::field("commands", "`coo` is what pigeons say themselves")),
            None => Ok(()),
        }
    }

    async fn sync(&self, _: &Site, commands: &[DeclaredCommand]) -> Result<Synced, Failure> {
        self.told.lock().unwrap().push(commands.iter().map(|command| command.name.clone()).collect());
        drop(self.gate.lock().await);
        let refusal = self.refusals.lock().unwrap().pop();
        match refusal {
            Some(failure) => Err(failure),
            None => Ok(Synced::default().token(NewToken::new("hook", Secret::new("told")).labelled("commands"))),
        }
    }
}

pub(crate) fn identity(bot: &str) -> Identity {
    Identity {
        server: "https://loft.example.com".into(),
        account: bot.into(),
        display_name: format!("Bot {bot}"),
        details: Value::Null,
    }
}

#[async_trait]
impl Install for Pigeon {
    fn check(&self, site: &Site) -> Result<(), SetupError> {
        let settings: Settings = site.settings().map_err(|error| SetupError::field("settings", error.to_string()))?;
        match settings.loft {
            Some(loft) if loft.password().is_some() => Err(SetupError::field("loft", "must hold no password")),
            _ => Ok(()),
        }
    }

    /// In the release before, the loft was called a coop.
    fn migrate(&self, mut settings: Value, _: u32) -> Value {
        if let Some(coop) = settings.as_object_mut().and_then(|settings| settings.remove("coop")) {
            settings["loft"] = coop;
        }
        if settings["loft"] == "https://moved.example.com/" {
            settings["loft"] = json!("https://elsewhere.example.com/");
        }
        settings
    }

    async fn begin(&self, site: &Site) -> Result<Progress, SetupError> {
        let hook = Secret::new(format!("hook-{}", chatport_sdk::crypto::hex(&site.random::<16>())));
        let shown = StepKind::CopyValue { label: "Hook".into(), value: ShownValue::Secret(hook.clone()) };
        let steps = vec![SetupStep::new("hook", "Copy the hook", "Paste it at the loft.", shown)];
        let progress = Progress::next("credentials", steps).token(NewToken::new("hook", hook));
        Ok(progress.window(Duration::from_secs(900)))
    }

    async fn submit(&self, site: &Site, fields: &Fields) -> Result<Progress, SetupError> {
        match fields.get("mischief") {
            Some("panic") => panic!("a bug"),
            Some("undeclared") => {
                let stray = NewToken::new("stray", Secret::new("x"));
                return Ok(Progress::next("credentials", vec![]).token(stray));
            }
            _ => {}
        }
        if site.stage() != "credentials" {
            return Err(SetupError::WrongStage("nothing is to be filled in now".into()));
        }
        let api_key = Secret::new(fields.required("api_key")?);
        let installed = Progress::installed(identity(fields.get("bot").unwrap_or("bot-1")));
        Ok(installed.token(NewToken::new("api_key", api_key)))
    }

    async fn reauthorize(&self, _: &Site) -> Result<Progress, SetupError> {
        Ok(Progress::next("credentials", vec![]))
    }

    async fn probe(&self, site: &Site) -> Health {
        let (can_post, is_deaf) = (site.token("api_key").is_some(), self.is_deaf.load(Ordering::SeqCst));
        let cure = is_deaf.then(|| "Hang the bell up again.".to_owned());
        Health { can_post, can_receive: !is_deaf, cure, ..Health::default() }
    }

    async fn remove(&self, _: &Site) -> Result<(), Failure> {
        Err(Failure::new(Cause::Unreachable, "the loft is shut"))
    }

    fn renew(&self) -> Option<&dyn Renew> {
        Some(self)
    }
}

#[async_trait]
impl Renew for Pigeon {
    fn kinds(&self, _: &Site) -> &'static [&'static str] {
        &["access"]
    }

    async fn renew(&self, _: &Site, _: &str) -> Result<Renewal, Failure> {
        let number = self.renewals.fetch_add(1, Ordering::SeqCst);
        if let Some(retry_after) = self.promises.lock().unwrap().pop() {
            return Ok(Renewal::Asked { retry_after });
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok(Renewal::Renewed(vec![NewToken::new("access", Secret::new(format!("access-{number}")))]))
    }
}

impl Verification for Pigeon {
    fn purposes(&self) -> &'static [Purpose] {
        &[Purpose::User, Purpose::Channel]
    }

    fn present(&self, _: &Site, _: Purpose, code: &Secret) -> Presentation {
        let send = StepKind::SendText { text: ShownValue::Secret(code.clone()), to: "the bot".into() };
        let mut presentation = Presentation::default();
        presentation.steps.push(SetupStep::new("send", "Send the code", "", send));
        presentation
    }
}

#[async_trait]
impl Delivery for Pigeon {
    fn render(&self, request: &RenderRequest<'_>) -> Rendering {
        let actions = request.content.actions.iter().map(|action| action.id.clone()).collect();
        Rendering { parts: vec![Part { payload: json!(request.content).into(), actions }], notes: vec![] }
    }

    fn stream(&self, address: &Address) -> Result<StreamKey, Failure> {
        let loft = address.0["loft"].as_str().ok_or_else(|| Failure::new(Cause::ChannelNotFound, "no loft"))?;
        Ok(StreamKey { key: loft.into(), rate: "default" })
    }

    async fn post(&self, _: &Site, outgoing: &Outgoing) -> Result<Receipt, Failure> {
        Ok(Receipt::new(format!("post-{}", outgoing.copy)))
    }
}

#[async_trait]
impl Ingress for Pigeon {
    fn public(&self, base: &PublicBase<'_>, request: &Request) -> Option<Response> {
        (request.path == "/manifest").then(|| Response::json(&json!({ "url": base.ingress_url })))
    }

    async fn receive(&self, site: &Site, request: &Request) -> Received {
        if request.path == "/panic" {
            panic!("a bug");
        }
        if site.matches("hook", request.header("x-hook").unwrap_or_default().as_bytes()).is_none() {
            let response = Response::text(http::StatusCode::UNAUTHORIZED, "no");
            return Received::Refused { response, reason: "the hook doesn't match" };
        }
        let account = Account::new("u1");
        Received::Happenings(vec![Happening::new("h1", HappeningKind::UnlinkAsked { account })])
    }

    async fn answer(&self, _: &Site, _: &[Happening], outcomes: &[Outcome]) -> Response {
        Response::json(&json!({ "outcome": format!("{:?}", outcomes[0]) }))
    }
}

#[async_trait]
impl Listen for Pigeon {
    fn listens(&self, _: &Site) -> bool {
        self.news.lock().unwrap().is_some()
    }

    async fn listen(&self, _: &Site, cursor: Option<&str>) -> Result<Heard, Failure> {
        self.cursors.lock().unwrap().push(cursor.map(str::to_owned));
        let next = self.news.lock().unwrap().as_mut().and_then(VecDeque::pop_front);
        match next {
            Some(heard) => heard,
            None => std::future::pending().await,
        }
    }

    async fn answer(&self, _: &Site, happenings: &[Happening], outcomes: &[Outcome]) {
        let said = format!("{}: {:?}", happenings[0].id, outcomes[0]);
        self.said.lock().unwrap().push(said);
    }
}

/// A host over a database of its own, with one organization.
pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) pigeon: Arc<Pigeon>,
    pub(crate) organization: OrganizationId,
    pub(crate) folder: tempfile::TempDir,
}

impl World {
    /// Over SQLite; over Postgres where `CHATPORT_TEST_POSTGRES` says where one is.
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pigeon = Arc::new(Pigeon::default());
        let registry = Registry::of([(pigeon.clone() as Arc<dyn MessagingBackend>, "pigeon")]).unwrap();
        let location = location(&folder).await;
        let app = Host::for_tests(&location, folder.path(), registry).await.unwrap();
        let clock = Arc::new(HandClock(AtomicI64::new(1_767_225_600_000_000)));
        let app = App::from(Parts { clock: clock.clone(), ..(*app).clone() });
        let organization = OrganizationId::parse("acme").unwrap();
        let row = organizations::ActiveModel {
            id: Set("acme".into()),
            name: Set("Acme".into()),
            locale: Set("en".into()),
            created_at: Set(0),
            updated_at: Set(0),
        };
        organizations::Entity::insert(row).exec_without_returning(app.database.write()).await.unwrap();
        Self { app, clock, pigeon, organization, folder }
    }

    /// Begin to set the pigeon post up.
    pub(crate) async fn begin(&self) -> Installation {
        let settings = json!({ "loft": "https://loft.example.com" });
        machine::create(&self.app, &self.organization, "pigeon", settings, &Actor::host()).await.unwrap()
    }

    /// An active installation.
    pub(crate) async fn installed(&self) -> InstallationId {
        let id = self.begin().await.id;
        self.submit(id, &[("api_key", "key-of-the-loft")]).await.unwrap();
        id
    }

    pub(crate) async fn submit(
        &self,
        id: InstallationId,
        fields: &[(&str, &str)],
    ) -> Result<Installation, super::SetupFailure> {
        let fields: Fields = fields.iter().copied().collect();
        machine::submit(&self.app, &self.organization, id, fields, &Actor::host()).await
    }

    pub(crate) async fn load(&self, id: InstallationId) -> Loaded {
        sites::load_now(&self.app, &self.organization, id).await.unwrap()
    }

    /// The events so far: kind and data.
    pub(crate) async fn events(&self) -> Vec<(String, Value)> {
        let rows = events::Entity::find().order_by_asc(events::Column::Sequence).all(self.app.database.read()).await;
        let data = |body: &str| serde_json::from_str::<Value>(body).unwrap()["data"].clone();
        rows.unwrap().iter().map(|row| (row.kind.clone(), data(&row.body))).collect()
    }

    pub(crate) async fn event_kinds(&self) -> Vec<String> {
        self.events().await.into_iter().map(|(kind, _)| kind).collect()
    }

    pub(crate) async fn count(&self, sql: &str) -> i64 {
        let on = self.app.database.read();
        let row = on.query_one_raw(statement(on, &format!("SELECT COUNT(*) AS number {sql}"), [])).await.unwrap();
        row.unwrap().try_get("", "number").unwrap()
    }
}

async fn location(folder: &tempfile::TempDir) -> Location {
    let Ok(base) = std::env::var("CHATPORT_TEST_POSTGRES") else {
        return Location::Sqlite(folder.path().join("chatport.db"));
    };
    let name = format!("setup_{}", uuid::Uuid::new_v4().simple());
    let server = sea_orm::Database::connect(format!("{base}/postgres")).await.unwrap();
    server.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    Location::Postgres(format!("{base}/{name}"))
}

/// A channel of the pigeon post.
pub(crate) fn loft(id: &str) -> Conversation {
    Conversation {
        id: id.into(),
        address: Address(json!({ "v": 1, "loft": id })),
        kind: ConversationKind::Channel,
        name: id.into(),
        display_name: format!("Loft {id}"),
        team: String::new(),
    }
}
