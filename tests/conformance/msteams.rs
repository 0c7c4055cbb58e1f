//! Microsoft Teams against the strict stand-in for the connector and the login service.

use std::sync::Arc;

use chatport_fake_msteams::{Asked, FakeTeams, Options, Post as FakePost, Reply};
use chatport_msteams::TeamsBackend;
use chatport_sdk::{
    http::{Answer, Call},
    prelude::*,
    testkit::{Cue, Fixture, Platform, Post, Refusal, Stage, json_answer, text_answer, with_header},
};
use http::{HeaderMap, Method, header};
use serde_json::{Value, json};

/// Teams and its backend.
pub(crate) struct TeamsFixture;

impl Fixture for TeamsFixture {
    fn backend(&self) -> Arc<dyn MessagingBackend> {
        Arc::new(TeamsBackend::default())
    }

    fn platform(&self) -> Arc<dyn Platform> {
        let options = Options { throttled: false, ..Options::default() };
        let teams = FakeTeams::unserved(options, "https://teams.example.com");
        teams.installs("Ada", true);
        teams.installs_in_team("Ada", "Operations", true);
        Arc::new(Teams(teams))
    }
}

struct Teams(FakeTeams);

const PLACE: (&str, &str) = ("Operations", "Incidents");

impl Teams {
    fn channel(&self) -> String {
        self.0.channel_id(PLACE.0, PLACE.1)
    }

    fn address(&self, conversation: &str, kind: &str) -> Address {
        let options = self.0.options();
        Address(json!({
            "v": 1, "service_url": self.0.service_url().trim_end_matches('/'), "conversation": conversation,
            "kind": kind, "tenant": options.tenant_id, "bot": format!("28:{}", options.app_id),
        }))
    }
}

fn answer_of(reply: Reply) -> Answer {
    let answer = match reply.body {
        Value::Null => text_answer(reply.status, ""),
        body => json_answer(reply.status, &body),
    };
    match reply.retry_after {
        Some(seconds) => with_header(answer, "retry-after", &seconds.to_string()),
        None => answer,
    }
}

fn shown(post: &FakePost) -> Post {
    Post {
        id: post.id.clone(),
        text: post.text(),
        links: post.links(),
        buttons: post.buttons(),
        reply_to: post.reply_to.clone(),
    }
}

#[async_trait]
impl Platform for Teams {
    async fn answer(&self, call: &Call) -> Answer {
        let (method, path) = (call.method.clone(), call.url.path().to_owned());
        answer_of(self.0.answer(Asked { method, path, headers: call.headers.clone(), body: call.body.to_vec() }))
    }

    async fn posts(&self) -> Vec<Post> {
        self.0.posts(&self.channel()).iter().map(shown).collect()
    }

    fn place(&self) -> Conversation {
        let id = self.channel();
        Conversation {
            address: self.address(&id, "channel"),
            id,
            kind: ConversationKind::Channel,
            name: PLACE.1.into(),
            display_name: PLACE.1.into(),
            team: PLACE.0.into(),
        }
    }

    fn settings(&self) -> Value {
        self.0.settings()
    }

    fn fields(&self, _: &[SetupStep]) -> Fields {
        let options = self.0.options();
        let fields = [("app_id", options.app_id), ("tenant_id", options.tenant_id), ("client_secret", options.secret)];
        fields.into_iter().collect()
    }

    fn person(&self) -> Option<Account> {
        let mut account = Account::new(self.0.person_id("Ada"));
        account.display_name = "Ada".into();
        account.direct = Some(self.address(&self.0.personal_chat("Ada"), "personal"));
        Some(account)
    }

    fn refusals(&self) -> Vec<Refusal> {
        use Scope::{Conversation, Copy, Installation};
        let refusal = |name: &'static str, reply, cause, scope| Refusal::new(name, answer_of(reply), cause, scope);
        let error = |status, code| Reply::error(status, code, "übersetzt");
        vec![
            refusal("the token is refused", error(401, "Unauthorized"), Cause::Unauthorized, Installation),
            refusal("the bot is blocked", Reply::blocked(), Cause::RecipientBlockedBot, Conversation),
            refusal("the app isn't in the team", Reply::not_in_roster(), Cause::BotNotInChannel, Conversation),
            refusal("the channel is gone", Reply::no_conversation(), Cause::ChannelNotFound, Conversation),
            refusal("it is too large", Reply::too_big(), Cause::ContentRejected, Copy),
            refusal("the app is forbidden", error(403, "BotDisabledByAdmin"), Cause::InstallationRevoked, Installation),
            refusal("it is too much at once", error(412, "PreconditionFailed"), Cause::Unavailable, Copy),
            refusal("the service is away", error(503, "ServiceUnavailable"), Cause::Unavailable, Copy),
            refusal("it is too quick", Reply::too_many(7), Cause::RateLimited, Conversation),
        ]
    }

    async fn request(&self, _: &Stage, cue: &Cue) -> Option<Request> {
        let activity = match cue {
            Cue::Code(code) => self.0.says("Ada", &format!("link {}", code.expose())),
            Cue::Text(text) => self.0.mentions("Ada", PLACE, None, text),
            Cue::Press { token, post } => {
                let posts = self.0.posts(&self.channel());
                let post = posts.iter().find(|found| found.id == *post)?;
                let (title, _) = post.buttons().into_iter().find(|(_, carried)| carried == token.expose())?;
                self.0.presses("Ada", &post.id, &title, json!({}), false)
            }
            _ => return None,
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, "application/json; charset=utf-8".parse().ok()?);
        headers.insert(header::AUTHORIZATION, self.0.authorization().parse().ok()?);
        let (path, body) = ("/api/messages".into(), activity.to_string().into());
        Some(Request { method: Method::POST, path, query: None, headers, body })
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.claims()["nbf"].as_i64().expect("a time") + 5)
    }
}
