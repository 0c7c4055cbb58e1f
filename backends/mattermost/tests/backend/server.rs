//! A Mattermost that answers what it was told to, and remembers what it was asked.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use chatport_sdk::{
    http::{Answer, Call, Dispatch, HttpError, HttpErrorKind, Transport},
    prelude::*,
};
use http::{HeaderMap, HeaderName, StatusCode, header};
use serde_json::{Value, json};

/// The server's address in all tests.
pub(crate) const SITE: &str = "https://mattermost.example.com";
/// The accounts and tokens of the vectors.
pub(crate) const BOT: &str = "mgbd1czngjbbdx6eqruqabdeie";
pub(crate) const BOT_TOKEN: &str = "q8idzs7dspf8ugra9sb7dkgxwe";
pub(crate) const ADMIN: &str = "7q7kaakokfdsdycy3pr9ctkc5r";
pub(crate) const ADMIN_TOKEN: &str = "nr7ne5p8oprkimkmt7xra67xjy";
pub(crate) const ALICE: &str = "ws4o4macctyn5ko8uhkkxmgfur";
pub(crate) const ALICE_TOKEN: &str = "pb7g98amypdkiymcwr9f7qtqdw";
pub(crate) const CHANNEL: &str = "fukxanjgjbnp7ng383at53k1sy";
pub(crate) const TEAM: &str = "wx4zz8t4ttgmtxqiwfohijayzc";
pub(crate) const POST: &str = "gqrnh3675jfxzftnjyjfe4udeh";
/// The public key of the vectors' triggers.
pub(crate) const KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Z5A/4QCLi8maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==";

/// One request that came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) route: String,
    pub(crate) origin: String,
    pub(crate) query: String,
    pub(crate) token: Option<String>,
    pub(crate) body: Value,
}

/// One scripted answer.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Answer(Answer),
    /// The connection breaks after the request went out.
    Lost,
    /// No connection is made.
    Down,
}

#[derive(Default)]
pub(crate) struct Server {
    scripts: Mutex<BTreeMap<String, VecDeque<Reply>>>,
    accounts: Mutex<BTreeMap<String, Value>>,
    seen: Mutex<Vec<Seen>>,
}

impl Server {
    /// A server with the accounts of the vectors, its key, and the channel, of which the bot
    /// and Alice are members.
    pub(crate) fn new() -> Arc<Self> {
        let server = Self::default();
        server.account(BOT_TOKEN, json!({"id": BOT, "username": "oncall", "is_bot": true, "roles": "system_user"}));
        server.account(ADMIN_TOKEN, json!({"id": ADMIN, "username": "sysadmin", "roles": "system_admin system_user"}));
        let alice =
            json!({"id": ALICE, "username": "alice", "first_name": "Alice", "last_name": "Ng", "roles": "system_user"});
        server.account(ALICE_TOKEN, alice.clone());
        server.on(&format!("GET /users/{ALICE}"), 200, alice);
        server.on(
            "GET /config/client",
            200,
            json!({"AsymmetricSigningPublicKey": KEY, "SiteURL": SITE, "MaxPostSize": "16383"}),
        );
        server.on("GET /system/ping", 200, json!({"status": "OK"}));
        let team = json!({"id": TEAM, "name": "team-awesome", "display_name": "Awesome"});
        server.on("GET /users/me/teams", 200, json!([team]));
        server.channel("P");
        for user in [BOT, ALICE] {
            server.on(&format!("GET /channels/{CHANNEL}/members/{user}"), 200, json!({"user_id": user}));
        }
        Arc::new(server)
    }

    /// The channel is public (`O`), private (`P`), direct (`D`) or a group's (`G`).
    pub(crate) fn channel(&self, kind: &str) {
        let channel = json!({"id": CHANNEL, "type": kind, "name": "incidents", "display_name": "Incidents",
            "team_id": TEAM, "delete_at": 0});
        self.on(&format!("GET /channels/{CHANNEL}"), 200, channel);
    }

    /// A token of an account.
    pub(crate) fn account(&self, token: &str, user: Value) {
        self.accounts.lock().expect("accounts").insert(token.into(), user);
    }

    /// Answer a route (method and path below `/api/v4`) with JSON from now on.
    pub(crate) fn on(&self, route: &str, status: u16, body: Value) {
        self.script(route, vec![answer(status, &[], body.to_string())]);
    }

    /// Answer a route with an error of Mattermost.
    pub(crate) fn refuse(&self, route: &str, status: u16, id: &str) {
        self.on(route, status, json!({"id": id, "message": "übersetzt", "status_code": status}));
    }

    /// Answer a route with these, one after the other; the last one stays.
    pub(crate) fn script(&self, route: &str, replies: Vec<Reply>) {
        self.scripts.lock().expect("scripts").insert(route.into(), replies.into());
    }

    /// Everything that was asked.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("seen").clone()
    }

    /// What was asked by a route.
    pub(crate) fn asked(&self, route: &str) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.route == route).collect()
    }

    fn reply(&self, seen: &Seen) -> Reply {
        if seen.route == "GET /users/me" {
            let accounts = self.accounts.lock().expect("accounts");
            return match seen.token.as_ref().and_then(|token| accounts.get(token)) {
                Some(user) => answer(200, &[], user.to_string()),
                None => answer(401, &[], json!({"id": "api.context.session_expired.app_error"}).to_string()),
            };
        }
        let mut scripts = self.scripts.lock().expect("scripts");
        let Some(replies) = scripts.get_mut(&seen.route) else { panic!("nobody expects {}", seen.route) };
        if replies.len() > 1 { replies.pop_front() } else { replies.front().cloned() }.expect("a reply")
    }
}

/// An answer with these headers.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Reply {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(name.parse::<HeaderName>().expect("a name"), value.parse().expect("a value"));
    }
    Reply::Answer(Answer { status: StatusCode::from_u16(status).expect("a status"), headers: map, body: body.into() })
}

/// A post, as the server shows it.
pub(crate) fn post(id: &str, root: &str) -> Value {
    json!({"id": id, "user_id": BOT, "channel_id": CHANNEL, "root_id": root, "create_at": 0, "delete_at": 0, "props": {}})
}

pub(crate) struct Wire(pub(crate) Arc<Server>);

#[async_trait]
impl Transport for Wire {
    async fn send(&self, call: Call, dispatch: &Dispatch) -> Result<Answer, HttpError> {
        let path = call.url.path().trim_start_matches("/api/v4");
        let bearer = call.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let seen = Seen {
            route: format!("{} {path}", call.method),
            origin: call.url.origin().ascii_serialization(),
            query: call.url.query().unwrap_or_default().into(),
            token: bearer.and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned),
            body: serde_json::from_slice(&call.body).unwrap_or_default(),
        };
        let reply = self.0.reply(&seen);
        self.0.seen.lock().expect("seen").push(seen);
        match reply {
            Reply::Down => return Err(HttpError::new(HttpErrorKind::Connect, false, "no connection")),
            _ => dispatch.mark(),
        }
        match reply {
            Reply::Answer(answer) => Ok(answer),
            _ => Err(HttpError::new(HttpErrorKind::Timeout, dispatch.is_marked(), "the time ran out")),
        }
    }
}
