//! What goes over the simulated network: questions and answers in datagrams, each question
//! from a socket of its own. What is lost is lost.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chatport_sdk::time::{Clock, Timestamp};
use serde::{Serialize, de::DeserializeOwned};
use turmoil::net::UdpSocket;
use uuid::Uuid;

use crate::{
    courier::{PATIENCE, Wire},
    platform::{Mood, Platform, Reply, Request},
    truth::Truth,
};

pub const PORT: u16 = 7_000;
const LARGEST: usize = 16_384;
const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// The time of the simulation. Hosts run one after the other through the same tick; nobody
/// sees time go back.
#[derive(Debug, Default)]
pub struct SimulatedClock(AtomicI64);

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        let elapsed = turmoil::sim_elapsed().unwrap_or_default();
        let now = START.plus(elapsed).as_micros();
        Timestamp::from_micros(Ord::max(now, self.0.fetch_max(now, Ordering::Relaxed)))
    }
}

/// Ask a host; `None` if nothing has come back in time.
pub async fn ask<T: DeserializeOwned>(host: &str, question: &impl Serialize, patience: Duration) -> Option<T> {
    let socket = UdpSocket::bind(("0.0.0.0", 0)).await.ok()?;
    let question = serde_json::to_vec(question).expect("plain data");
    socket.send_to(&question, (host, PORT)).await.ok()?;
    let mut buffer = vec![0; LARGEST];
    let (length, _) = tokio::time::timeout(patience, socket.recv_from(&mut buffer)).await.ok()?.ok()?;
    serde_json::from_slice(&buffer[..length]).ok()
}

/// Answer questions for ever, each by a task of its own. `None`: no answer.
pub async fn serve<Q, A, F>(answer: impl Fn(Q) -> F) -> turmoil::Result
where
    Q: DeserializeOwned,
    A: Serialize + Send,
    F: Future<Output = Option<A>> + Send + 'static,
{
    let socket = Arc::new(UdpSocket::bind(("0.0.0.0", PORT)).await?);
    let mut buffer = vec![0; LARGEST];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).await?;
        let Ok(question) = serde_json::from_slice(&buffer[..length]) else { continue };
        let (socket, answer) = (Arc::clone(&socket), answer(question));
        tokio::spawn(async move {
            if let Some(answer) = answer.await {
                let answer = serde_json::to_vec(&answer).expect("plain data");
                // Who has gone away doesn't hear it.
                let _ = socket.send_to(&answer, from).await;
            }
        });
    }
}

/// A platform's host.
pub async fn serve_platform(platform: Arc<Mutex<Platform>>, clock: Arc<dyn Clock>) -> turmoil::Result {
    serve(move |request: Request| {
        let (mood, reply) = {
            let mut platform = platform.lock().unwrap_or_else(PoisonError::into_inner);
            let mood = platform.mood();
            let reply = match mood {
                Mood::Refuses(reply) => Some(reply),
                Mood::LosesRequest => None,
                _ => Some(platform.act(&request, clock.now())),
            };
            (mood, reply)
        };
        async move {
            if let Mood::Slow(time) = mood {
                tokio::time::sleep(time).await;
            }
            reply.filter(|_| !matches!(mood, Mood::LosesAnswer))
        }
    })
    .await
}

/// The wire of a replica.
pub struct Datagrams;

#[async_trait]
impl Wire for Datagrams {
    async fn ask(&self, platform: usize, request: &Request) -> Option<Reply> {
        ask(&format!("platform{platform}"), request, PATIENCE).await
    }

    async fn tell(&self, event: Uuid) -> bool {
        ask::<bool>("application", &event, PATIENCE).await.is_some()
    }
}

/// The application's ear.
pub async fn hear(truth: Truth, clock: Arc<dyn Clock>) -> turmoil::Result {
    serve(move |event: Uuid| {
        truth.event(event, clock.now());
        async { Some(true) }
    })
    .await
}
