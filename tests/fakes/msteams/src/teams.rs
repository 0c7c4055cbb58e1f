//! The handle on a stand-in: what tests see and set.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    connector,
    keys::{Key, KeySet},
    login,
    post::Post,
    refusal::{Asked, Reply},
    serve,
    world::{Chat, Fault, Options, Person, Team, World},
};

/// The first of the connector's keys; what lies before is the login service's.
const FIRST_KEY: usize = 1;

/// Milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "tokens are compared with the clock of the program under test")]
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A stand-in; cheap to clone. It ends with its last clone.
#[derive(Clone, Debug)]
pub struct FakeTeams {
    pub(crate) world: Arc<Mutex<World>>,
    _serving: Option<Arc<Serving>>,
}

#[derive(Debug)]
struct Serving(JoinHandle<()>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl FakeTeams {
    /// Listen on a port of this machine. There are Ada and Bob; Ada and Bob are in the team
    /// Operations with the channels General and Incidents; nobody has the app yet.
    pub async fn start(options: Options) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let teams = Self::unserved(options, &format!("http://{address}"));
        let world = Arc::clone(&teams.world);
        let serving = tokio::spawn(serve::accept(listener, world));
        Self { _serving: Some(Arc::new(Serving(serving))), ..teams }
    }

    /// The same without a network: [`Self::answer`] answers.
    pub fn unserved(options: Options, url: &str) -> Self {
        let world = World {
            options,
            url: url.to_owned(),
            region: "emea".into(),
            people: Default::default(),
            teams: Default::default(),
            chats: Default::default(),
            posts: Vec::new(),
            sent: Vec::new(),
            faults: Vec::new(),
            asked: Vec::new(),
            signing: vec![(FIRST_KEY, format!("connector-{FIRST_KEY}"))],
            trusted: None,
            revoked_before: 0,
            counter: 0,
        };
        let teams = Self { world: Arc::new(Mutex::new(world)), _serving: None };
        teams.add_person("Ada");
        teams.add_person("Bob");
        teams.add_team("Operations", &["Ada", "Bob"]);
        teams.add_channel("Operations", "Incidents");
        teams
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answer a request.
    pub fn answer(&self, asked: Asked) -> Reply {
        answer(&mut self.world(), asked)
    }

    /// The address of everything.
    pub fn url(&self) -> String {
        self.world().url.clone()
    }

    /// The address of the service that activities name, with its slash.
    pub fn service_url(&self) -> String {
        self.world().service_url()
    }

    /// Serve from another region from now on; the one before goes on being served.
    pub fn move_to(&self, region: &str) {
        self.world().region = region.to_owned();
    }

    /// The settings by which Chatport uses this stand-in.
    pub fn settings(&self) -> Value {
        let url = self.url();
        json!({ "openid_metadata_url": format!("{url}{}", login::METADATA), "login_url": url, "service_urls": [url] })
    }

    /// What it was started with.
    pub fn options(&self) -> Options {
        self.world().options.clone()
    }

    /// Somebody joins the tenant.
    pub fn add_person(&self, name: &str) {
        let mut world = self.world();
        let number = world.people.len() + 1;
        let person = Person {
            name: name.to_owned(),
            id: format!("29:1{}{number}", name.to_lowercase()),
            aad: format!("0000000{number}-0000-4000-8000-000000000000"),
            chat: format!("a:1_{}{number}-chat", name.to_lowercase()),
            has_app: false,
            has_blocked: false,
        };
        world.people.insert(name.to_owned(), person);
    }

    /// A team with a first channel, `General`.
    pub fn add_team(&self, name: &str, members: &[&str]) {
        let mut world = self.world();
        let id = format!("19:{}-general@thread.tacv2", name.to_lowercase());
        let channels = [("General".to_owned(), id.clone())].into_iter().collect();
        let members = members.iter().map(|name| (*name).to_owned()).collect();
        world.teams.insert(name.to_owned(), Team { id, name: name.to_owned(), has_app: false, members, channels });
    }

    /// One more channel in a team.
    pub fn add_channel(&self, team: &str, name: &str) {
        let id = format!("19:{}-{}@thread.tacv2", team.to_lowercase(), name.to_lowercase());
        self.world().teams.get_mut(team).expect("a team").channels.insert(name.to_owned(), id);
    }

    /// A chat of several people, which has the app.
    pub fn add_chat(&self, name: &str, members: &[&str]) {
        let members = members.iter().map(|name| (*name).to_owned()).collect();
        let id = format!("19:{}_chat@thread.v2", name.to_lowercase());
        self.world().chats.insert(name.to_owned(), Chat { id, has_app: true, members });
    }

    /// The id by which the bot knows somebody.
    pub fn person_id(&self, name: &str) -> String {
        self.world().people[name].id.clone()
    }

    /// The id of somebody's personal chat with the bot.
    pub fn personal_chat(&self, name: &str) -> String {
        self.world().people[name].chat.clone()
    }

    /// The id of a channel.
    pub fn channel_id(&self, team: &str, name: &str) -> String {
        self.world().teams[team].channels[name].clone()
    }

    /// Somebody blocks the bot, or no longer does.
    pub fn block(&self, name: &str, blocks: bool) {
        self.world().people.get_mut(name).expect("a person").has_blocked = blocks;
    }

    /// The bot's posts in a conversation that weren't deleted, oldest first.
    pub fn posts(&self, conversation: &str) -> Vec<Post> {
        let world = self.world();
        let stands = |post: &&Post| post.conversation == conversation && !post.is_deleted;
        world.posts.iter().filter(stands).cloned().collect()
    }

    /// The requests that were made so far: method and path.
    pub fn asked(&self) -> Vec<(String, String)> {
        let world = self.world();
        world.asked.iter().map(|asked| (asked.method.to_string(), asked.path.clone())).collect()
    }

    /// Give this answer to the next request whose path holds this.
    pub fn fail_next(&self, path: &str, reply: Reply) {
        self.world().faults.push(Fault { path: path.to_owned(), reply });
    }

    /// Sign with a new key from now on. It is published; the one before too, unless it is dropped.
    pub fn rotate_key(&self, drop_old: bool) {
        let mut world = self.world();
        let next = world.signing[0].0 + 1;
        if drop_old {
            world.signing.clear();
        }
        world.signing.insert(0, (next, format!("connector-{next}")));
    }

    /// Take access tokens that these keys have signed, too.
    pub fn trust(&self, keys: Value) {
        self.world().trusted = Some(KeySet::new(keys));
    }

    /// Refuse all access tokens that were issued so far.
    pub fn revoke_tokens(&self) {
        self.world().revoked_before = now_ms() / 1_000 + 1;
    }

    /// The client secret is another one from now on.
    pub fn change_secret(&self, secret: &str) {
        self.world().options.secret = secret.to_owned();
    }

    /// The claims of a genuine token of the connector.
    pub fn claims(&self) -> Value {
        let (world, now) = (self.world(), now_ms() / 1_000);
        json!({
            "iss": "https://api.botframework.com", "aud": world.options.app_id, "serviceurl": world.service_url(),
            "iat": now - 5, "nbf": now - 5, "exp": now + 3_600,
        })
    }

    /// A token of the connector with these claims; the header's members can be others, too.
    pub fn token(&self, claims: &Value, header: &Value) -> String {
        let (number, id) = self.world().signing[0].clone();
        let mut whole = json!({ "alg": "RS256", "typ": "JWT", "kid": id, "x5t": id });
        for (name, value) in header.as_object().into_iter().flatten() {
            whole[name] = value.clone();
        }
        Key::number(number).sign(&whole, claims)
    }
}

/// Answer a request, unless something else is to happen.
pub(crate) fn answer(world: &mut World, asked: Asked) -> Reply {
    world.asked.push(asked.clone());
    if let Some(place) = world.faults.iter().position(|fault| asked.path.contains(&fault.path)) {
        return world.faults.remove(place).reply;
    }
    // Every region that has been is served.
    let mut segments = asked.path.splitn(3, '/').skip(1);
    match (segments.next(), segments.next()) {
        (Some(region), Some(rest)) if rest.starts_with("v3/") && !region.is_empty() => {
            connector::answer(world, &asked, rest)
        }
        _ => login::answer(world, &asked),
    }
}
