//! What a rig works in: a stand-in platform behind its witness, one Chatport or several
//! replicas, an organization with its channels, and an application.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use chatport_fake_mattermost::{FakeMattermost, Options};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{
    application::{Application, Channel},
    checker::{Evidence, Verdict, judge},
    dice::Dice,
    ledger::Wish,
    weather::Weather,
    witness::{Act, Sent, Witness},
};
use crate::{
    mattermost::{BOT, Connected, connect_bot_by, grant_for},
    organization::{Organization, text},
    program::Chatport,
};

/// How many channels are connected unless a rig needs more.
pub const CHANNELS: usize = 6;

/// The world.
pub struct World {
    pub server: FakeMattermost,
    pub witness: Witness,
    /// The replicas; one on SQLite.
    pub chatports: Vec<Chatport>,
    pub application: Application,
    /// The lives that are under way.
    pub lives: JoinSet<()>,
    pub dice: Dice,
    /// When the program was back, after each incident.
    back: Vec<Instant>,
    names: Vec<String>,
}

/// What a world is made of.
#[derive(Clone, Debug)]
pub struct Setting {
    pub replicas: usize,
    pub channels: usize,
    /// The database, unless it is SQLite.
    pub database: Option<String>,
    /// Whether the platform forgets what it was asked to post.
    pub forgets: bool,
    /// Further arguments.
    pub arguments: Vec<String>,
}

impl Default for Setting {
    fn default() -> Self {
        Self { replicas: 1, channels: CHANNELS, database: None, forgets: false, arguments: Vec::new() }
    }
}

impl World {
    /// Make one, in which nothing has happened yet.
    pub async fn of(setting: &Setting, mut dice: Dice) -> Self {
        let server = FakeMattermost::start(Options::default()).await;
        let witness = Witness::before(&server.url(), Weather::fair(dice.fork()), setting.forgets).await;
        let chatports = start(setting, &witness).await;
        let acme = Organization::create(&chatports[0].client(), "acme").await;
        let bot = connect_bot_by(&acme, &server, &witness.url).await;
        let names: Vec<String> = (0..setting.channels).map(|number| format!("c{number}")).collect();
        let mut channels = Vec::new();
        for name in &names {
            channels.push(connect(&bot, name).await);
        }
        let doors = chatports.iter().map(Chatport::client).collect();
        let application = Application::new(doors, &acme.id, channels);
        let (lives, back) = (JoinSet::new(), Vec::new());
        Self { server, witness, chatports, application, lives, dice, back, names }
    }

    /// Begin the lives of so many messages.
    pub fn begin(&mut self, count: usize) {
        self.application.begin(&mut self.lives, &mut self.dice, count);
    }

    /// Whether something waits to be sent or is about to be asked for.
    pub fn is_busy(&self) -> bool {
        !self.lives.is_empty()
    }

    /// From this moment on there was somebody who could deliver again.
    pub fn back_since(&mut self, moment: Instant) {
        self.back.push(moment);
    }

    /// How long it took each time until the first delivery, where one came before the next
    /// incident.
    pub fn recoveries(&self) -> Vec<Duration> {
        let incidents = self.application.ledger.incidents();
        let first = |since: &Instant| {
            let next = incidents.iter().map(|incident| incident.from).find(|from| from > since);
            let first = self.witness.first_after(*since)?;
            next.is_none_or(|next| first < next).then(|| first - *since)
        };
        self.back.iter().filter_map(first).collect()
    }

    /// How long it took from each message's acceptance to its first post.
    pub fn waits(&self) -> Vec<Duration> {
        let mut posted: BTreeMap<String, Instant> = BTreeMap::new();
        for sent in self.witness.sent() {
            if let (Act::Create, Some(done), Some((key, _))) = (&sent.act, sent.done, sent.shows) {
                posted.entry(key).or_insert(done);
            }
        }
        let told = self.application.ledger.told().into_iter();
        told.filter_map(|told| Some(posted.remove(&told.key)?.saturating_duration_since(told.told))).collect()
    }

    /// The messages that were accepted before a moment, and haven't been posted yet.
    pub fn overdue(&self, before: Instant) -> Vec<String> {
        let sent = self.witness.sent();
        let is_posted = |key: &str| {
            let shows = |sent: &Sent| sent.shows.as_ref().is_some_and(|(shown, _)| shown == key);
            sent.iter().any(|sent| sent.done.is_some() && shows(sent))
        };
        let told = self.application.ledger.told();
        // One that was taken away need not be posted.
        let deleted: BTreeSet<&str> =
            told.iter().filter(|told| told.wish == Wish::Delete).map(|told| told.key.as_str()).collect();
        let early = told.iter().filter(|told| told.told < before).map(|told| told.key.as_str());
        let early: BTreeSet<&str> = early.filter(|key| !deleted.contains(key)).collect();
        early.into_iter().filter(|key| !is_posted(key)).map(str::to_owned).collect()
    }

    /// Everything that was begun is told and delivered; then judge it.
    pub async fn end(mut self, patience: Duration) -> (Self, Verdict) {
        self.application.hurry();
        let deadline = Instant::now() + patience;
        let told = async { while self.lives.join_next().await.transpose().expect("a life ends well").is_some() {} };
        let is_told = tokio::time::timeout(patience, told).await.is_ok();
        while Instant::now() < deadline && !self.is_quiet().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let evidence = self.evidence().await;
        let mut verdict = judge(&evidence);
        self.keep_logs();
        if !is_told {
            verdict.broken.push(format!("never accepted: {:?}", self.application.refusals()));
        }
        (self, verdict)
    }

    /// `CHATPORT_PROOF_LOGS` names a folder for what the programs have logged since they were
    /// started last.
    fn keep_logs(&self) {
        let Ok(folder) = std::env::var("CHATPORT_PROOF_LOGS") else { return };
        for chatport in &self.chatports {
            let port = chatport.url.rsplit(':').next().unwrap_or_default();
            let file = std::path::Path::new(&folder).join(format!("chatport-{port}.log"));
            std::fs::write(file, chatport.log()).expect("the folder for logs can be written to");
        }
    }

    async fn is_quiet(&self) -> bool {
        let open = |(name, count): (&String, &i64)| name.starts_with("in_flight") && *count > 0;
        self.tallies().await.is_ok_and(|tallies| !tallies.is_empty() && !tallies.iter().any(open))
    }

    async fn tallies(&self) -> Result<BTreeMap<String, i64>, String> {
        let answer = self.application.door().try_raw(http::Method::GET, "/metrics", &[], "").await?;
        let figure = |line: &str| {
            let rest = line.strip_prefix("chatport_copy_revisions{outcome=\"")?;
            let (outcome, number) = rest.split_once("\"} ")?;
            number.trim().parse().ok().map(|number| (outcome.to_owned(), number))
        };
        Ok(answer.text.lines().filter_map(figure).collect())
    }

    async fn evidence(&self) -> Evidence {
        let told = self.application.ledger.told();
        let mut shown: BTreeMap<String, Value> = BTreeMap::new();
        for told in &told {
            if let Ok(message) = self.application.message(&told.key).await {
                shown.insert(told.key.clone(), message);
            }
        }
        let bot = self.server.user_id(BOT);
        let posts = self.names.iter().flat_map(|name| self.server.posts(name)).filter(|post| post.user_id == bot);
        let title = |post: &chatport_fake_mattermost::Post| {
            post.props["attachments"][0]["title"].as_str().unwrap_or_default().to_owned()
        };
        Evidence {
            told,
            incidents: self.application.ledger.incidents(),
            sent: self.witness.sent(),
            standing: posts.map(|post| (post.id.clone(), title(&post))).collect(),
            shown,
            tallies: self.tallies().await.unwrap_or_default(),
        }
    }
}

/// The rates are out of the way: it isn't they that are looked at.
async fn start(setting: &Setting, witness: &Witness) -> Vec<Chatport> {
    let allowed = format!("--allow-networks={}", grant_for(&witness.url));
    let usual = ["--demo=off", "--app-name=OnCall", "--rates=mattermost.server=5000/5000", &allowed];
    let more = setting.arguments.iter().map(String::as_str);
    let arguments: Vec<&str> = usual.into_iter().chain(more).collect();
    let database = setting.database.as_deref();
    let environment: Vec<(&str, &str)> = database.map(|url| ("DATABASE_URL", url)).into_iter().collect();
    let first = Chatport::start_with(&arguments, &environment).await;
    let mut chatports = vec![first];
    for _ in 1..setting.replicas {
        let another = chatports[0].replica().await;
        chatports.push(another);
    }
    chatports
}

async fn connect(bot: &Connected, name: &str) -> Channel {
    bot.server.create_channel("acme", name);
    bot.server.join_channel(name, BOT);
    let conversation = bot.server.channel_id(name);
    let address = json!({ "v": 1, "channel": conversation });
    let place = json!({ "id": conversation, "address": address, "kind": "channel", "name": name });
    let connected = json!({ "installation": bot.installation, "conversation": place });
    let channel = bot.organization.post("channels", connected).await.expect(201);
    Channel { id: text(&channel, "id"), conversation }
}
