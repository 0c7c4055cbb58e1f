//! One installation without a host, and the Teams that it is in.

use std::sync::Arc;

use chatport_fake_msteams::{Asked, FakeTeams, Options, Reply};
use chatport_msteams::TeamsBackend;
use chatport_sdk::{
    async_trait,
    content::Content,
    http::Call,
    prelude::*,
    testkit::{Fixture, Platform, Post, Stage, json_answer, run, text_answer, with_header},
};
use http::{HeaderMap, Method, header};
use serde_json::{Value, json};

pub(crate) const PLACE: (&str, &str) = ("Operations", "Incidents");
pub(crate) const URL: &str = "https://teams.example.com";

struct Teams(FakeTeams);

pub(crate) fn answer_of(reply: Reply) -> Answer {
    let answer = match reply.body {
        Value::Null => text_answer(reply.status, ""),
        body => json_answer(reply.status, &body),
    };
    match reply.retry_after {
        Some(seconds) => with_header(answer, "retry-after", &seconds.to_string()),
        None => answer,
    }
}

#[async_trait]
impl Platform for Teams {
    async fn answer(&self, call: &Call) -> Answer {
        let (method, path) = (call.method.clone(), call.url.path().to_owned());
        answer_of(self.0.answer(Asked { method, path, headers: call.headers.clone(), body: call.body.to_vec() }))
    }

    async fn posts(&self) -> Vec<Post> {
        Vec::new()
    }

    fn place(&self) -> Conversation {
        place(&self.0, &self.0.channel_id(PLACE.0, PLACE.1), ConversationKind::Channel, "channel")
    }

    fn settings(&self) -> Value {
        self.0.settings()
    }

    fn fields(&self, _: &[SetupStep]) -> Fields {
        let options = self.0.options();
        [("app_id", options.app_id), ("tenant_id", options.tenant_id), ("client_secret", options.secret)]
            .into_iter()
            .collect()
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.claims()["nbf"].as_i64().expect("a time") + 5)
    }
}

fn place(teams: &FakeTeams, id: &str, kind: ConversationKind, word: &str) -> Conversation {
    let options = teams.options();
    let address = json!({
        "v": 1, "service_url": teams.service_url().trim_end_matches('/'), "conversation": id, "kind": word,
        "tenant": options.tenant_id, "bot": format!("28:{}", options.app_id),
    });
    let (name, display_name, team) = (String::new(), String::new(), String::new());
    Conversation { id: id.to_owned(), address: Address(address), kind, name, display_name, team }
}

struct TeamsFixture(FakeTeams);

impl Fixture for TeamsFixture {
    fn backend(&self) -> Arc<dyn MessagingBackend> {
        Arc::new(TeamsBackend::default())
    }

    fn platform(&self) -> Arc<dyn Platform> {
        Arc::new(Teams(self.0.clone()))
    }
}

pub(crate) struct Bench {
    pub(crate) teams: FakeTeams,
    pub(crate) stage: Stage,
    pub(crate) backend: TeamsBackend,
}

impl Bench {
    /// Nothing is set up yet; Ada has the app, and so has the team.
    pub(crate) fn new(options: Options) -> Self {
        let teams = FakeTeams::unserved(Options { throttled: false, ..options }, URL);
        teams.installs("Ada", true);
        teams.installs_in_team("Ada", PLACE.0, true);
        let backend = TeamsBackend::default();
        let stage = Stage::of(&TeamsFixture(teams.clone()), backend.descriptor());
        Self { teams, stage, backend }
    }

    /// Set up by a client secret.
    pub(crate) fn ready() -> Self {
        let bench = Self::new(Options::default());
        run(bench.stage.install(&TeamsFixture(bench.teams.clone()))).expect("set up");
        bench
    }

    pub(crate) fn install(&self) -> &dyn Install {
        self.backend.install().expect("install")
    }

    pub(crate) fn delivery(&self) -> &dyn Delivery {
        self.backend.delivery().expect("delivery")
    }

    /// Setup begins, and these fields are submitted.
    pub(crate) fn submit(&self, fields: &[(&str, &str)]) -> Result<(), SetupError> {
        let begun = run(self.install().begin(&self.stage.site()))?;
        self.stage.keep(begun).expect("kept");
        let submitted = run(self.install().submit(&self.stage.site(), &fields.iter().copied().collect()))?;
        self.stage.keep(submitted).expect("kept");
        Ok(())
    }

    /// A request of the connector with this proof.
    pub(crate) fn request(&self, authorization: &str, body: impl Into<Bytes>) -> Request {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, "application/json".parse().expect("a value"));
        if let Ok(value) = authorization.parse() {
            headers.insert(header::AUTHORIZATION, value);
        }
        Request { method: Method::POST, path: "/api/messages".into(), query: None, headers, body: body.into() }
    }

    pub(crate) async fn receive_async(&self, request: &Request) -> Received {
        self.backend.ingress().expect("ingress").receive(&self.stage.site(), request).await
    }

    pub(crate) fn receive_request(&self, request: &Request) -> Received {
        run(self.receive_async(request))
    }

    /// An activity comes with a genuine token.
    pub(crate) fn receive(&self, activity: &Value) -> Received {
        self.receive_request(&self.request(&self.teams.authorization(), activity.to_string()))
    }

    /// What happened with an activity.
    pub(crate) fn happened(&self, activity: &Value) -> Vec<Happening> {
        match self.receive(activity) {
            Received::Happenings(happenings) => happenings,
            other => panic!("{activity} became {other:?}"),
        }
    }

    /// What Teams is told if what happened has this outcome.
    pub(crate) fn answer(&self, happenings: &[Happening], outcome: Outcome) -> Response {
        let outcomes = vec![outcome; happenings.len()];
        run(self.backend.ingress().expect("ingress").answer(&self.stage.site(), happenings, &outcomes))
    }

    /// A channel, a group chat or a personal chat, as an address.
    pub(crate) fn address(&self, id: &str, kind: &str) -> Address {
        place(&self.teams, id, ConversationKind::Channel, kind).address
    }

    pub(crate) fn channel(&self) -> String {
        self.teams.channel_id(PLACE.0, PLACE.1)
    }

    /// A document as it goes out to the channel, each action with a token.
    pub(crate) fn outgoing(&self, content: &Content) -> Outgoing {
        let limits = &self.backend.descriptor().limits;
        let part = self.delivery().render(&RenderRequest::new(content, limits)).parts.remove(0);
        let tokens = part.actions.iter().map(|action| {
            let token = Secret::new(format!("{:x<60}", format!("token-of-{}", action.len())));
            chatport_sdk::delivery::ActionToken { action: action.clone(), choice: None, token }
        });
        let tokens = tokens.collect();
        let mut outgoing = Outgoing::new("copy", 1, self.address(&self.channel(), "channel"), part);
        outgoing.tokens = tokens;
        outgoing.refresh = Some(Secret::new("token-of-the-post"));
        outgoing
    }

    /// The same, posted.
    pub(crate) fn post(&self, content: &Content) -> Receipt {
        run(self.delivery().post(&self.stage.site(), &self.outgoing(content))).expect("posted")
    }
}

pub(crate) fn content(value: Value) -> Content {
    serde_json::from_value(value).expect("a document")
}

/// Why a request was refused; `None`: it wasn't.
pub(crate) fn reason(received: &Received) -> Option<&'static str> {
    match received {
        Received::Refused { reason, .. } => Some(reason),
        _ => None,
    }
}
