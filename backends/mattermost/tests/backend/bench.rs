//! One installation without a host: what the host would keep, and its tokens in memory.

use std::sync::{Arc, Mutex};

use chatport_mattermost::MattermostBackend;
use chatport_sdk::{
    crypto,
    http::Dispatch,
    prelude::*,
    site::{Random, SiteParts, Vault},
    time::Clock,
    token::{Replace, Token},
};
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use crate::server::{BOT, BOT_TOKEN, KEY, SITE, Server, TEAM, Wire};

/// The vectors' time.
pub(crate) const NOW: i64 = 1_767_225_600;
/// The vectors' JWT secret and command token.
pub(crate) const SECRET: &str = "5f0c1d0e9b7a4c2f8e6d3b1a9c8f7e6d5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d";
pub(crate) const COMMAND: &str = "qzgakf1nx3yt9dr4n8585ihbxy";
pub(crate) const SLOT: &str = "t_9f2c";
pub(crate) const INGRESS: &str = "https://oncall.example.com/in/mattermost/t_9f2c";

pub(crate) struct Bench {
    pub(crate) server: Arc<Server>,
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) now: Timestamp,
    pub(crate) settings: Value,
    pub(crate) identity: Option<Identity>,
    pub(crate) stage: String,
    pub(crate) notes: Value,
    pub(crate) window: Option<Timestamp>,
    pub(crate) ingress: Option<Url>,
    pub(crate) decoy: bool,
}

impl Bench {
    /// Nothing is set up yet.
    pub(crate) fn new(mode: &str) -> Self {
        Self {
            server: Server::new(),
            keeper: Arc::default(),
            now: Timestamp::from_seconds(NOW),
            settings: json!({"site_url": SITE, "mode": mode}),
            identity: None,
            stage: String::new(),
            notes: Value::Null,
            window: None,
            ingress: Some(Url::parse(INGRESS).expect("an address")),
            decoy: false,
        }
    }

    /// Set up by a bot's token, with one command.
    pub(crate) fn with_bot() -> Self {
        let mut bench = Self::new("bot");
        bench.identity = Some(identity(json!({"mode": "bot", "commands": [{"team": TEAM}]})));
        bench.keeper.store(NewToken::new("bot_token", Secret::new(BOT_TOKEN)));
        bench.keeper.store(NewToken::new("command_token", Secret::new(COMMAND)).labelled(TEAM));
        bench
    }

    /// Waiting for the app to be installed.
    pub(crate) fn awaiting_app() -> Self {
        let mut bench = Self::new("apps");
        bench.keeper.store(NewToken::new("install_secret", Secret::new(SECRET)));
        bench.window = Some(Timestamp::from_seconds(NOW + 600));
        bench
    }

    /// Set up as an app; the bot's session is good for two minutes more.
    pub(crate) fn with_app() -> Self {
        let mut bench = Self::awaiting_app();
        bench.window = None;
        let (app_id, app_path) = (app_id(), format!("/plugins/com.mattermost.apps/apps/{}", app_id()));
        bench.identity = Some(identity(json!({"mode": "apps", "app_id": app_id, "app_path": app_path})));
        bench.keeper.store(NewToken::new("webhook_secret", Secret::new("cwsjhrdqebyf8qrnabtxio7k7r")));
        let until = Timestamp::from_seconds(NOW + 120);
        bench.keeper.store(NewToken::new("bot_access_token", Secret::new(BOT_TOKEN)).expires_at(until));
        bench
    }

    /// The same request at a slot that doesn't exist.
    pub(crate) fn decoy() -> Self {
        let mut bench = Self::new("bot");
        bench.settings = Value::Null;
        bench.decoy = true;
        for kind in ["bot_token", "install_secret", "webhook_secret", "bot_access_token"] {
            bench.keeper.store(NewToken::new(kind, Secret::new("random-0123456789abcdef")));
        }
        bench
    }

    pub(crate) fn site(&self) -> Site {
        let clock = Arc::new(Still(self.now));
        let mut parts = SiteParts::new(SLOT, self.keeper.clone(), clock, Arc::new(Dice));
        parts.settings = self.settings.clone();
        parts.identity = self.identity.clone();
        parts.stage = self.stage.clone();
        parts.notes = self.notes.clone();
        parts.window = self.window;
        parts.ingress_url = self.ingress.clone();
        parts.app_name = "OnCall".into();
        parts.decoy = self.decoy;
        let http = HttpClient::new(Arc::new(Wire(self.server.clone())), Dispatch::default());
        Site::new(parts, http)
    }

    /// Keep what a step of setup gave, as the host does.
    pub(crate) fn keep(&mut self, progress: Progress) -> Vec<SetupStep> {
        self.stage = progress.stage;
        self.notes = progress.notes.unwrap_or_default();
        self.identity = progress.installed.or(self.identity.take());
        self.window = progress.window.map(|window| self.now.plus(window));
        progress.tokens.into_iter().for_each(|token| self.keeper.store(token));
        progress.steps
    }

    pub(crate) async fn begin(&mut self) -> Result<Vec<SetupStep>, SetupError> {
        let progress = install().begin(&self.site()).await?;
        Ok(self.keep(progress))
    }

    pub(crate) async fn submit(&mut self, fields: &[(&str, &str)]) -> Result<Vec<SetupStep>, SetupError> {
        let fields: Fields = fields.iter().copied().collect();
        let progress = install().submit(&self.site(), &fields).await?;
        Ok(self.keep(progress))
    }

    pub(crate) async fn reauthorize(&mut self) -> Result<Vec<SetupStep>, SetupError> {
        let progress = install().reauthorize(&self.site()).await?;
        Ok(self.keep(progress))
    }

    pub(crate) async fn receive(&self, request: &Request) -> Received {
        let ingress = MattermostBackend.ingress().expect("ingress");
        ingress.receive(&self.site(), request).await
    }

    /// What the platform is told if the happening of a request has this outcome.
    pub(crate) async fn answer(&self, happening: &Happening, outcome: Outcome) -> Response {
        let ingress = MattermostBackend.ingress().expect("ingress");
        ingress.answer(&self.site(), std::slice::from_ref(happening), &[outcome]).await
    }
}

pub(crate) fn install() -> &'static dyn Install {
    MattermostBackend.install().expect("install")
}

pub(crate) fn delivery() -> &'static dyn Delivery {
    MattermostBackend.delivery().expect("delivery")
}

/// The id of the app of the bench's slot.
pub(crate) fn app_id() -> String {
    format!("oncall-{}", &crypto::hex(&crypto::sha256(SLOT.as_bytes()))[..10])
}

fn identity(more: Value) -> Identity {
    let mut details = json!({"v": 1, "bot_user_id": BOT, "bot_username": "oncall", "signing_key": KEY});
    let more = more.as_object().expect("an object").clone();
    details.as_object_mut().expect("an object").extend(more);
    Identity { server: SITE.into(), account: BOT.into(), display_name: "@oncall".into(), details }
}

/// A request below the slot.
pub(crate) fn post(path: &str, headers: &[(&'static str, &str)], body: impl Into<Bytes>) -> Request {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().expect("a header"));
    }
    Request { method: Method::POST, path: path.into(), query: None, headers: map, body: body.into() }
}

/// The reason of a refusal, and its answer.
pub(crate) fn refusal(received: Received) -> (&'static str, Response) {
    match received {
        Received::Refused { response, reason } => (reason, response),
        other => panic!("not refused: {other:?}"),
    }
}

/// The one happening of a request.
pub(crate) fn happening(received: Received) -> Happening {
    match received {
        Received::Happenings(mut happenings) => happenings.pop().expect("a happening"),
        other => panic!("nothing happened: {other:?}"),
    }
}

/// The answer that was given at once.
pub(crate) fn at_once(received: Received) -> Response {
    match received {
        Received::Answer(response) => response,
        other => panic!("not answered: {other:?}"),
    }
}

pub(crate) fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).expect("JSON")
}

/// Tokens in memory.
#[derive(Default)]
pub(crate) struct Keeper(Mutex<Vec<(&'static str, Token)>>);

impl Keeper {
    pub(crate) fn store(&self, new: NewToken) {
        let mut tokens = self.0.lock().expect("tokens");
        let goes = |(kind, token): &(&str, Token)| {
            *kind == new.kind
                && match new.replace {
                    Replace::All => true,
                    Replace::SameLabel => token.label == new.label,
                    _ => false,
                }
        };
        tokens.retain(|token| !goes(token));
        let token =
            Token { value: new.value, label: new.label, created_at: Timestamp::EPOCH, expires_at: new.expires_at };
        tokens.insert(0, (new.kind, token));
    }
}

impl Vault for Keeper {
    fn tokens(&self, kind: &str) -> Vec<Token> {
        assert_ne!(kind, "command_token", "what is only compared is never revealed");
        let tokens = self.0.lock().expect("tokens");
        tokens.iter().filter(|(stored, _)| *stored == kind).map(|(_, token)| token.clone()).collect()
    }

    fn matches(&self, kind: &str, presented: &[u8]) -> Option<String> {
        let tokens = self.0.lock().expect("tokens");
        let found = tokens.iter().find(|(stored, token)| *stored == kind && token.value.matches(presented));
        found.map(|(_, token)| token.label.clone().unwrap_or_default())
    }
}

struct Still(Timestamp);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// Randomness that is different each time.
struct Dice;

impl Random for Dice {
    fn fill(&self, buffer: &mut [u8]) {
        aws_lc_rs::rand::fill(buffer).expect("randomness");
    }
}
