//! Loft, a made-up platform, strict and in memory: what the reference backend speaks to.

use std::sync::{Mutex, PoisonError};

use chatport_sdk::{
    http::{Answer, Call},
    prelude::*,
    testkit::{Cue, Platform, Post, Refusal, Stage, json_answer, text_answer},
};
use http::{HeaderMap, Method, header};
use serde_json::{Value, json};

use crate::hearing::signature;

pub(crate) const TOKEN: &str = "loft-token-5d0e";
pub(crate) const LOFT: &str = "town";
pub(crate) const PERSON: &str = "ada";
/// Longest text of a post, in characters.
pub(crate) const LONGEST: usize = 2_000;

#[derive(Default)]
struct World {
    made: usize,
    posts: Vec<(String, String, Post)>,
    commands: Vec<String>,
    /// What has happened, for those who ask, until they ask for what is behind it.
    events: Vec<(u64, Value)>,
    happened: u64,
}

/// Who and what is there.
const LISTS: [(&str, [&str; 3]); 2] = [("lofts", [LOFT, "attic", "barn"]), ("people", [PERSON, "grace", "linus"])];

/// A page of three at most, after an id.
fn list(name: &str, call: &Call) -> Answer {
    let asked =
        |wanted: &str| call.url.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
    let (query, after) = (asked("query").unwrap_or_default(), asked("after").unwrap_or_default());
    let limit = asked("limit").and_then(|limit| limit.parse().ok()).unwrap_or(3);
    let mut ids: Vec<&str> = LISTS.iter().filter(|(of, _)| *of == name).flat_map(|(_, ids)| *ids).collect();
    ids.sort_unstable();
    ids.retain(|id| id.contains(&query) && *id > after.as_str());
    let more = ids.len() > limit;
    ids.truncate(limit);
    json_answer(200, &json!({ "ids": ids, "more": more }))
}

/// The platform.
#[derive(Default)]
pub(crate) struct Loft(Mutex<World>);

impl Loft {
    fn respond(&self, call: &Call) -> Answer {
        let mut world = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bearer = call.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        if bearer != Some(&format!("Bearer {TOKEN}")) {
            return text_answer(401, "who are you?");
        }
        let path: Vec<&str> = call.url.path().trim_matches('/').split('/').collect();
        match (&call.method, path.as_slice()) {
            (&Method::GET, ["api", "me"]) => json_answer(200, &json!({ "id": "bot-1", "name": "OnCall" })),
            (&Method::POST, ["api", "token"]) => json_answer(200, &json!({ "token": TOKEN })),
            (&Method::GET, ["api", name @ ("lofts" | "people")]) => list(name, call),
            (&Method::PUT, ["api", "commands"]) => {
                let names = body(call)["commands"].as_array().cloned().unwrap_or_default();
                world.commands = names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
                json_answer(200, &json!({}))
            }
            (&Method::GET, ["api", "events"]) => {
                let after =
                    call.url.query_pairs().find(|(name, _)| name == "after").map(|(_, after)| after.into_owned());
                let after = after.and_then(|after| after.parse().ok()).unwrap_or(0);
                world.events.retain(|(number, _)| *number > after);
                let events: Vec<_> =
                    world.events.iter().map(|(number, event)| json!({ "number": number, "event": event })).collect();
                json_answer(200, &json!({ "events": events }))
            }
            (&Method::POST, ["api", "people", PERSON, "loft"]) => json_answer(200, &json!({ "id": "dm-ada" })),
            (&Method::POST, ["api", "lofts", loft @ (LOFT | "dm-ada"), "posts"]) => world.add(loft, &body(call)),
            (&Method::GET, ["api", "lofts", loft, "posts"]) => {
                let key = call.url.query_pairs().find(|(name, _)| name == "key").map(|(_, key)| key.into_owned());
                let is_it = |(place, of, _): &&(String, String, Post)| place == loft && Some(of) == key.as_ref();
                let found: Vec<_> =
                    world.posts.iter().filter(is_it).map(|(.., post)| json!({ "id": post.id })).collect();
                json_answer(200, &json!({ "posts": found }))
            }
            (&Method::PUT, ["api", "posts", id]) => match world.posts.iter_mut().find(|(.., post)| post.id == *id) {
                Some((.., post)) => match read(&body(call)) {
                    Some(read) => {
                        *post = Post { id: post.id.clone(), reply_to: post.reply_to.take(), ..read };
                        json_answer(200, &json!({ "id": id }))
                    }
                    None => text_answer(400, "a post needs a text that isn't too long"),
                },
                None => text_answer(410, "gone"),
            },
            (&Method::DELETE, ["api", "posts", id]) => {
                let before = world.posts.len();
                world.posts.retain(|(.., post)| post.id != *id);
                text_answer(if world.posts.len() < before { 204 } else { 410 }, "")
            }
            _ => text_answer(404, "no such thing"),
        }
    }
}

impl World {
    fn add(&mut self, loft: &str, body: &Value) -> Answer {
        let (Some(post), Some(key)) = (read(body), body["key"].as_str()) else {
            return text_answer(400, "a post needs a key and a text that isn't too long");
        };
        self.made += 1;
        let id = format!("p{}", self.made);
        self.posts.push((loft.to_owned(), key.to_owned(), Post { id: id.clone(), ..post }));
        json_answer(201, &json!({ "id": id }))
    }
}

/// What Ada does, as the platform tells it.
fn event(cue: &Cue) -> Option<Value> {
    Some(match cue {
        Cue::Code(code) => json!({ "by": PERSON, "id": "e1", "kind": "code", "code": code.expose(), "loft": LOFT }),
        Cue::Press { token, post } => json!({
            "by": PERSON, "id": "e2", "kind": "press", "token": token.expose(), "post": post, "loft": LOFT,
        }),
        Cue::Command { name, text } => json!({
            "by": PERSON, "id": "e4", "kind": "command", "name": name, "text": text, "loft": LOFT,
        }),
        Cue::Text(text) => json!({ "by": PERSON, "id": "e3", "kind": "text", "text": text, "loft": LOFT }),
        _ => return None,
    })
}

fn body(call: &Call) -> Value {
    serde_json::from_slice(&call.body).unwrap_or_default()
}

fn read(body: &Value) -> Option<Post> {
    let text = body["text"].as_str().filter(|text| !text.is_empty() && text.chars().count() <= LONGEST)?;
    let button = |button: &Value| Some((button["label"].as_str()?.to_owned(), button["token"].as_str()?.to_owned()));
    Some(Post {
        text: text.to_owned(),
        buttons: body["buttons"].as_array().into_iter().flatten().filter_map(button).collect(),
        reply_to: body["reply_to"].as_str().map(str::to_owned),
        ..Post::default()
    })
}

#[async_trait]
impl Platform for Loft {
    async fn answer(&self, call: &Call) -> Answer {
        self.respond(call)
    }

    async fn posts(&self) -> Vec<Post> {
        let world = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        world.posts.iter().filter(|(loft, ..)| loft == LOFT).map(|(.., post)| post.clone()).collect()
    }

    async fn commands(&self) -> Option<Vec<String>> {
        let world = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Some(world.commands.clone())
    }

    fn settings(&self) -> Value {
        json!({ "lofts": [LOFT] })
    }

    fn earlier_settings(&self) -> Vec<(u32, Value)> {
        vec![(1, json!({ "loft": LOFT }))]
    }

    fn fields(&self, _: &[SetupStep]) -> Fields {
        [("api_token", TOKEN)].into_iter().collect()
    }

    fn place(&self) -> Conversation {
        Conversation {
            id: LOFT.into(),
            address: Address(json!({ "v": 1, "loft": LOFT })),
            kind: ConversationKind::Channel,
            name: LOFT.into(),
            display_name: "Town".into(),
            team: String::new(),
        }
    }

    fn person(&self) -> Option<Account> {
        {
            let mut ada = Account::new(PERSON);
            ada.username = PERSON.into();
            Some(ada)
        }
    }

    fn refusals(&self) -> Vec<Refusal> {
        let refusal =
            |name: &'static str, status, cause, scope| Refusal::new(name, text_answer(status, "no"), cause, scope);
        vec![
            refusal("the token is revoked", 401, Cause::Unauthorized, Scope::Installation),
            refusal("the loft is gone", 410, Cause::ChannelNotFound, Scope::Copy),
            refusal("the bot may not write", 403, Cause::PermissionDenied, Scope::Copy),
            refusal("the platform is away", 503, Cause::Unavailable, Scope::Copy),
        ]
    }

    async fn happens(&self, _: &Stage, cue: &Cue) -> bool {
        let Some(event) = event(cue) else { return false };
        let mut world = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        world.happened += 1;
        let number = world.happened;
        world.events.push((number, event));
        true
    }

    async fn request(&self, stage: &Stage, cue: &Cue) -> Option<Request> {
        let body = event(cue)?.to_string();
        let secret = stage.site().token("signing")?.value;
        let mut headers = HeaderMap::new();
        headers.insert("x-loft-signature", signature(&secret, body.as_bytes()).parse().ok()?);
        Some(Request { method: Method::POST, path: "/events".into(), query: None, headers, body: body.into() })
    }
}
