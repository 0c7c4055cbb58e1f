//! The application of a rig: it says what messages show, revises them, finishes some and
//! takes some away, and repeats each request until it is told that it was accepted. What it
//! is told goes to the ledger.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use http::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{
    dice::Dice,
    ledger::{self, Ledger, Told, Wish},
};
use crate::client::Client;

/// A connected channel: its id here and on the platform.
#[derive(Clone, Debug)]
pub struct Channel {
    pub id: String,
    pub conversation: String,
}

/// What came of requests that weren't accepted at once.
#[derive(Clone, Debug, Default)]
pub struct Refusals {
    /// How often each kind came: the problem's type, or `no answer`.
    pub kinds: BTreeMap<String, u64>,
    /// The longest that a refusal took.
    pub slowest: Duration,
    /// What should never have come.
    pub unexpected: Vec<String>,
}

/// The application; cheap to clone.
#[derive(Clone)]
pub struct Application {
    /// The addresses of the program, one per replica.
    doors: Arc<Vec<Client>>,
    organization: String,
    pub channels: Arc<Vec<Channel>>,
    pub ledger: Ledger,
    refusals: Arc<Mutex<Refusals>>,
    next: Arc<AtomicUsize>,
    /// Lives go on while this holds.
    calm: Arc<AtomicBool>,
}

/// One message's life: what is asked for, and how long after the one before.
type Steps = Vec<(Duration, Wish)>;

impl Application {
    /// An application for an organization.
    pub fn new(doors: Vec<Client>, organization: &str, channels: Vec<Channel>) -> Self {
        Self {
            doors: Arc::new(doors),
            organization: organization.to_owned(),
            channels: Arc::new(channels),
            ledger: Ledger::default(),
            refusals: Arc::default(),
            next: Arc::default(),
            calm: Arc::default(),
        }
    }

    /// What was refused so far.
    pub fn refusals(&self) -> Refusals {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on nobody waits between two steps of a message's life.
    pub fn hurry(&self) {
        self.calm.store(true, Ordering::Relaxed);
    }

    /// Begin the lives of so many messages.
    pub fn begin(&self, lives: &mut JoinSet<()>, dice: &mut Dice, count: usize) {
        for _ in 0..count {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let channel = dice.one(&self.channels).clone();
            let steps = life(dice);
            let (application, first) = (self.clone(), dice.below(self.doors.len()));
            lives.spawn(async move { application.live(format!("m{number}"), channel, steps, first).await });
        }
    }

    async fn live(self, key: String, channel: Channel, steps: Steps, first: usize) {
        for (number, (pause, wish)) in steps.into_iter().enumerate() {
            if !self.calm.load(Ordering::Relaxed) {
                tokio::time::sleep(pause).await;
            }
            self.ask(&key, &channel, wish, first + number).await;
        }
    }

    /// Ask until it is accepted.
    pub async fn ask(&self, key: &str, channel: &Channel, wish: Wish, first_door: usize) {
        let path = format!("/v1/organizations/{}/messages/{key}", self.organization);
        let (method, body) = request(key, channel, wish);
        let asked = Instant::now();
        for repeated in 0.. {
            // Whoever gets no answer asks the next one.
            let door = &self.doors[(first_door + repeated) % self.doors.len()];
            let begun = Instant::now();
            let headers = [("content-type", "application/json")];
            let answer = door.try_raw(method.clone(), &path, &headers, body.clone()).await;
            let heard = Instant::now();
            let kind = match answer {
                Ok(answer) if answer.status == 202 => {
                    let (key, conversation) = (key.to_owned(), channel.conversation.clone());
                    return self.ledger.acknowledge(Told { key, conversation, wish, asked, told: heard });
                }
                Ok(answer) if answer.status == 503 => problem(&answer.text),
                Ok(answer) => {
                    let unexpected = format!("{key}: {} {}", answer.status, answer.text);
                    return self.refused(|refusals| refusals.unexpected.push(unexpected));
                }
                Err(_) => "no answer".to_owned(),
            };
            self.refused(|refusals| {
                *refusals.kinds.entry(kind).or_default() += 1;
                refusals.slowest = refusals.slowest.max(heard - begun);
            });
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Ask one door once.
    ///
    /// # Errors
    /// It isn't accepted: what came instead.
    pub async fn ask_once(&self, key: &str, channel: &Channel, wish: Wish, door: usize) -> Result<(), String> {
        let path = format!("/v1/organizations/{}/messages/{key}", self.organization);
        let (method, body) = request(key, channel, wish);
        let asked = Instant::now();
        let headers = [("content-type", "application/json")];
        let answer = self.doors[door].try_raw(method, &path, &headers, body).await?;
        if answer.status != 202 {
            return Err(format!("{} {}", answer.status, answer.text));
        }
        let (key, conversation) = (key.to_owned(), channel.conversation.clone());
        self.ledger.acknowledge(Told { key, conversation, wish, asked, told: Instant::now() });
        Ok(())
    }

    fn refused(&self, note: impl FnOnce(&mut Refusals)) {
        note(&mut self.refusals.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A message as it stands, by the first door that answers.
    pub async fn message(&self, key: &str) -> Result<Value, String> {
        let path = format!("/v1/organizations/{}/messages/{key}", self.organization);
        let mut told = String::new();
        for door in self.doors.iter() {
            match door.try_raw(Method::GET, &path, &[], "").await {
                Ok(answer) if answer.status == 200 => return Ok(answer.json()),
                Ok(answer) => told = format!("{} {}", answer.status, answer.text),
                Err(error) => told = error,
            }
        }
        Err(told)
    }

    /// The program, by its first door.
    pub fn door(&self) -> &Client {
        &self.doors[0]
    }
}

fn request(key: &str, channel: &Channel, wish: Wish) -> (Method, String) {
    match wish {
        Wish::Delete => (Method::DELETE, String::new()),
        Wish::Show { revision, is_final } => {
            let content = json!({ "title": ledger::title(key, revision) });
            let targets = [json!({ "channel": channel.id })];
            let put = json!({ "revision": revision, "final": is_final, "targets": targets, "content": content });
            (Method::PUT, put.to_string())
        }
    }
}

/// The slug of a problem's type.
fn problem(text: &str) -> String {
    let problem: Value = serde_json::from_str(text).unwrap_or_default();
    let slug = problem["type"].as_str().and_then(|of| of.rsplit('/').next()).map(str::to_owned);
    slug.unwrap_or_else(|| "503 of no type".into())
}

/// Half of the messages are revised, some several times; a third ends with a final
/// revision, some of those go on after it; a few are taken away.
fn life(dice: &mut Dice) -> Steps {
    let mut steps = vec![(dice.millis(0, 200), Wish::Show { revision: 1, is_final: false })];
    let show = |steps: &mut Steps, dice: &mut Dice, is_final| {
        let revision = i64::try_from(steps.len()).expect("few") + 1;
        steps.push((dice.millis(0, 250), Wish::Show { revision, is_final }));
    };
    if dice.percent(50) {
        for _ in 0..=dice.below(4) {
            show(&mut steps, dice, false);
        }
    }
    if dice.percent(33) {
        show(&mut steps, dice, true);
        if dice.percent(40) {
            show(&mut steps, dice, false);
        }
    }
    if dice.percent(12) {
        steps.push((dice.millis(0, 250), Wish::Delete));
    }
    steps
}
