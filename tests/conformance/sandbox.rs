//! The sandbox, which is its own platform.

use std::{
    any::Any,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use chatport_sandbox::SandboxBackend;
use chatport_sdk::{
    http::{Answer, Call},
    prelude::*,
    testkit::{Cue, Fixture, Platform, Post, Stage, text_answer},
};
use http::{HeaderMap, Method};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// A sandbox: one process, which has the world in it.
pub(crate) struct SandboxFixture(Arc<SandboxBackend>);

impl SandboxFixture {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }
}

impl Fixture for SandboxFixture {
    fn backend(&self) -> Arc<dyn MessagingBackend> {
        Arc::<SandboxBackend>::clone(&self.0)
    }

    fn platform(&self) -> Arc<dyn Platform> {
        Arc::new(World { backend: Arc::clone(&self.0), events: AtomicUsize::new(0) })
    }

    fn surroundings(&self) -> Box<dyn Any> {
        Box::new(RUNTIME.enter())
    }
}

/// By it those who wait for news learn that there are none.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

struct World {
    backend: Arc<SandboxBackend>,
    events: AtomicUsize,
}

const PLACE: &str = "incidents";

impl World {
    async fn read(&self) -> Value {
        match self.receive(Method::GET, format!("/conversations/{PLACE}/posts"), Bytes::new()).await {
            Received::Answer(response) => serde_json::from_slice(&response.body).expect("JSON"),
            other => panic!("{other:?}"),
        }
    }

    async fn token_of(&self, post: &str, action: &str) -> String {
        let body = json!({ "as": "ada", "action": action }).to_string();
        let Received::Happenings(happenings) =
            self.receive(Method::POST, format!("/posts/{post}/press"), body.into()).await
        else {
            // A menu wants a choice.
            return String::new();
        };
        match &happenings[0].kind {
            HappeningKind::Pressed { token, .. } => token.expose().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    async fn receive(&self, method: Method, path: String, body: Bytes) -> Received {
        // Any stage has the same slot, and a world is known by its slot.
        let same = Arc::new(World { backend: Arc::clone(&self.backend), events: AtomicUsize::new(0) });
        let stage = Stage::new(same, &[]);
        stage.set_settings(self.settings());
        let request = Request { method, path, query: None, headers: HeaderMap::new(), body };
        self.backend.ingress().expect("an ingress").receive(&stage.site(), &request).await
    }
}

fn post(view: &Value, reply_to: Option<&str>) -> Option<Post> {
    let text = |name: &str| view[name].as_str().unwrap_or_default();
    view.get("copy")?;
    if view.get("deleted_at").is_some() {
        return None;
    }
    let buttons = view["buttons"].as_array().into_iter().flatten();
    Some(Post {
        id: text("id").to_owned(),
        text: [text("title"), text("text")].concat(),
        links: view["link"]["url"].as_str().map(str::to_owned).into_iter().collect(),
        // The token isn't shown in a sandbox; a press brings it back.
        buttons: buttons.map(|button| (button["id"].as_str().unwrap_or_default().to_owned(), String::new())).collect(),
        reply_to: reply_to.map(str::to_owned),
    })
}

#[async_trait]
impl Platform for World {
    async fn answer(&self, _: &Call) -> Answer {
        text_answer(404, "nobody calls a sandbox")
    }

    async fn posts(&self) -> Vec<Post> {
        let read = self.read().await;
        let mut posts = Vec::new();
        for view in read["posts"].as_array().into_iter().flatten() {
            posts.extend(post(view, None));
            let root = view["id"].as_str();
            posts.extend(view["replies"].as_array().into_iter().flatten().filter_map(|reply| post(reply, root)));
        }
        for post in &mut posts {
            for (action, token) in &mut post.buttons {
                *token = self.token_of(&post.id, action).await;
            }
        }
        posts
    }

    fn place(&self) -> Conversation {
        Conversation {
            id: PLACE.into(),
            address: Address(json!({ "v": 1, "conversation": PLACE })),
            kind: ConversationKind::Channel,
            name: PLACE.into(),
            display_name: "Incidents".into(),
            team: "demo".into(),
        }
    }

    fn settings(&self) -> Value {
        json!({ "world": "demo" })
    }

    fn person(&self) -> Option<Account> {
        Some(Account::new("ada"))
    }

    async fn request(&self, _: &Stage, cue: &Cue) -> Option<Request> {
        let id = format!("e{}", self.events.fetch_add(1, Ordering::Relaxed));
        let (path, body) = match cue {
            Cue::Code(code) => {
                let text = format!("link {}", code.expose());
                ("/conversations/dm-ada/messages".to_owned(), json!({ "as": "ada", "text": text, "id": id }))
            }
            Cue::Press { post, .. } => {
                (format!("/posts/{post}/press"), json!({ "as": "ada", "action": "ack", "id": id }))
            }
            Cue::Command { name, text } => {
                let text = format!("/{name} {text}");
                (format!("/conversations/{PLACE}/messages"), json!({ "as": "ada", "text": text, "id": id }))
            }
            _ => return None,
        };
        let body = body.to_string().into();
        Some(Request { method: Method::POST, path, query: None, headers: HeaderMap::new(), body })
    }
}
