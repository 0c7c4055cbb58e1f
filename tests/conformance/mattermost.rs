//! Mattermost's bot mode against the strict stand-in server.

use std::sync::{Arc, LazyLock};

use chatport_fake_mattermost::{Command, FakeMattermost, Options, Post as FakePost};
use chatport_mattermost::MattermostBackend;
use chatport_sdk::{
    http::{Answer, Call},
    prelude::*,
    testkit::{Cue, Fixture, Platform, Post, Refusal, Stage, json_answer, text_answer},
};
use chatport_tests::client::Client;
use http::{HeaderMap, Method, header};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use url::form_urlencoded::Serializer;

/// The stand-in listens on a port; the suite polls its futures itself.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

/// Mattermost and its backend.
pub(crate) struct MattermostFixture;

impl Fixture for MattermostFixture {
    fn backend(&self) -> Arc<dyn MessagingBackend> {
        Arc::new(MattermostBackend)
    }

    fn platform(&self) -> Arc<dyn Platform> {
        let server = RUNTIME.block_on(FakeMattermost::start(Options::default()));
        let (_, bot_token) = server.create_bot("oncall", "sysadmin");
        server.join_team("acme", "oncall");
        // Only who administers a team may make commands known there.
        server.make_team_admin("acme", "oncall");
        server.join_channel("acme/incidents", "oncall");
        server.join_channel("acme/incidents", "alice");
        let _entered = RUNTIME.enter();
        let client = Client::new("", None);
        Arc::new(Mattermost { server, bot_token, client })
    }
}

struct Mattermost {
    server: FakeMattermost,
    bot_token: String,
    client: Client,
}

const PLACE: &str = "acme/incidents";

impl Mattermost {
    fn command(&self, trigger: &str) -> Option<Command> {
        self.server.commands("acme").into_iter().find(|command| command.trigger == trigger)
    }
}

fn texts(post: &FakePost) -> String {
    let mut texts = vec![post.message.clone()];
    for attachment in post.attachments() {
        texts.extend(
            ["pretext", "title", "text", "footer"]
                .iter()
                .filter_map(|name| attachment[name].as_str())
                .map(str::to_owned),
        );
    }
    texts.retain(|text| !text.is_empty());
    texts.join("\n")
}

fn links(post: &FakePost) -> Vec<String> {
    post.attachments().iter().filter_map(|attachment| attachment["title_link"].as_str()).map(str::to_owned).collect()
}

fn buttons(post: &FakePost) -> Vec<(String, String)> {
    let actions = post.action_ids().into_iter().filter_map(|id| post.action(&id).cloned());
    actions
        .filter_map(|action| {
            let token = action["integration"]["context"]["t"].as_str()?.to_owned();
            Some((action["name"].as_str()?.to_owned(), token))
        })
        .collect()
}

#[async_trait]
impl Platform for Mattermost {
    async fn answer(&self, call: &Call) -> Answer {
        let headers: Vec<(&str, &str)> =
            call.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
        let sending = self.client.try_raw(call.method.clone(), call.url.as_str(), &headers, call.body.clone());
        let answer = RUNTIME.block_on(sending).expect("an answer");
        Answer { status: answer.status, headers: answer.headers, body: answer.text.into() }
    }

    async fn posts(&self) -> Vec<Post> {
        let bot = self.server.user_id("oncall");
        let mut posts = self.server.posts(PLACE);
        posts.retain(|post| post.user_id == bot && !post.is_deleted() && post.kind.is_empty());
        posts.sort_by_key(|post| post.create_at);
        let reply_to = |post: &FakePost| Some(post.root_id.clone()).filter(|root| !root.is_empty());
        let shown = |post: &FakePost| Post {
            id: post.id.clone(),
            text: texts(post),
            links: links(post),
            buttons: buttons(post),
            reply_to: reply_to(post),
        };
        posts.iter().map(shown).collect()
    }

    fn place(&self) -> Conversation {
        let id = self.server.channel_id(PLACE);
        Conversation {
            address: Address(json!({ "v": 1, "channel": id })),
            id,
            kind: ConversationKind::Channel,
            name: "incidents".into(),
            display_name: "Incidents".into(),
            team: "acme".into(),
        }
    }

    fn settings(&self) -> Value {
        json!({ "site_url": self.server.url() })
    }

    /// First the bot's token; then the token of the command, which a person makes by hand.
    fn fields(&self, steps: &[SetupStep]) -> Fields {
        let url = steps.iter().find_map(|step| match &step.kind {
            StepKind::CopyValue { label, value: ShownValue::Plain(url) } if label == "Request URL" => Some(url),
            _ => None,
        });
        match url {
            Some(url) => {
                let there = self.command("oncall").map(|command| command.token);
                let made = there.unwrap_or_else(|| self.server.create_command("acme", "oncall", url));
                [(format!("command_token_{}", self.server.team_id("acme")), made)].into_iter().collect()
            }
            None => [("bot_token", self.bot_token.as_str())].into_iter().collect(),
        }
    }

    fn person(&self) -> Option<Account> {
        let mut account = Account::new(self.server.user_id("alice"));
        account.username = "alice".into();
        Some(account)
    }

    async fn commands(&self) -> Option<Vec<String>> {
        Some(self.server.commands("acme").into_iter().map(|command| command.trigger).collect())
    }

    fn refusals(&self) -> Vec<Refusal> {
        let refusal = |name: &'static str, status, id: &str, cause, scope| {
            let answer = json_answer(status, &json!({ "id": id, "message": "übersetzt", "status_code": status }));
            Refusal::new(name, answer, cause, scope)
        };
        vec![
            refusal(
                "the token is revoked",
                401,
                "api.context.session_expired.app_error",
                Cause::Unauthorized,
                Scope::Installation,
            ),
            refusal(
                "the bot may not post there",
                403,
                "api.context.permissions.app_error",
                Cause::BotNotInChannel,
                Scope::Conversation,
            ),
            Refusal::new("the server is being restarted", text_answer(503, "away"), Cause::Unavailable, Scope::Copy),
        ]
    }

    async fn request(&self, stage: &Stage, cue: &Cue) -> Option<Request> {
        let alice = self.server.user_id("alice");
        let trigger = self.server.trigger_id("alice");
        let (path, content_type, body) = match cue {
            Cue::Press { token, post } => {
                let body = json!({
                    "user_id": alice, "user_name": "alice", "channel_id": self.server.channel_id(PLACE),
                    "team_id": self.server.team_id("acme"), "post_id": post, "trigger_id": trigger, "type": "button",
                    "data_source": "", "context": { "t": token.expose() },
                });
                ("/actions".to_owned(), "application/json", body.to_string())
            }
            Cue::Code(_) | Cue::Text(_) | Cue::Command { .. } => {
                let (word, text) = match cue {
                    Cue::Code(code) => ("oncall", format!("link {}", code.expose())),
                    Cue::Text(text) => ("oncall", text.clone()),
                    Cue::Command { name, text } => (name.as_str(), text.clone()),
                    _ => return None,
                };
                let command = self.command(word)?;
                let mut form = Serializer::new(String::new());
                form.append_pair("channel_id", &self.server.channel_id(PLACE)).append_pair("channel_name", "incidents");
                form.append_pair("team_id", &self.server.team_id("acme")).append_pair("team_domain", "acme");
                form.append_pair("command", &format!("/{word}")).append_pair("text", &text);
                form.append_pair("token", &command.token).append_pair("trigger_id", &trigger);
                form.append_pair("user_id", &alice).append_pair("user_name", "alice");
                form.append_pair("response_url", "").append_pair("user_mentions", "");
                // The path is the one that the server was told.
                let ingress = stage.site().ingress_url().map(|url| url.path().to_owned())?;
                let path = command.url.split_once(&ingress).map(|(_, path)| path.to_owned())?;
                (path, "application/x-www-form-urlencoded", form.finish())
            }
            _ => return None,
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, content_type.parse().ok()?);
        Some(Request { method: Method::POST, path, query: None, headers, body: body.into() })
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.server.now_ms())
    }
}
