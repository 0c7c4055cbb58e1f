//! The keys that the connector's tokens are signed with: read from the issuer's OpenID metadata
//! and kept for a day. One call at a time asks for them; a key that isn't known is a reason to
//! look again, but not often; and what is known stays in use where the issuer doesn't answer.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chatport_sdk::prelude::*;
use serde::Deserialize;

use crate::{jwt::Key, memory::Bounded};

/// How long keys are good without looking again.
const FRESH: Duration = Duration::from_secs(24 * 3600);
/// How many looks in vain are allowed at once, and how soon there is one more.
const LOOKS: u32 = 3;
const LOOK_AGAIN: Duration = Duration::from_secs(10 * 60);
/// How long after a failure the issuer is left alone, where something is known.
const PAUSE: Duration = Duration::from_secs(60);
/// How long each of the two answers may take.
const TIMEOUT: Duration = Duration::from_secs(4);
/// Most issuers and keys that are remembered.
const MAX_ISSUERS: usize = 64;
const MAX_KEYS: usize = 256;

/// The issuers' keys, by the address of their metadata.
#[derive(Debug)]
pub(crate) struct Keys {
    issuers: Bounded<Arc<Issuer>>,
}

impl Default for Keys {
    fn default() -> Self {
        Self { issuers: Bounded::new(MAX_ISSUERS) }
    }
}

/// What is known of one issuer.
#[derive(Debug, Default)]
struct Issuer {
    known: Mutex<Known>,
    /// Held while it is asked.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug, Default)]
struct Known {
    keys: Arc<HashMap<String, Key>>,
    /// When it answered last.
    read_at: Option<Timestamp>,
    /// When it last failed to answer.
    failed_at: Option<Timestamp>,
    /// How many looks in vain have been made, and since when they are being forgiven.
    looks: u32,
    looked_at: Option<Timestamp>,
}

/// Why there is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoKey {
    /// The issuer doesn't publish it.
    Unknown,
    /// The issuer doesn't answer.
    Unavailable,
}

impl Keys {
    /// The issuer's key of this name.
    ///
    /// # Errors
    /// There is none, or the issuer can't be asked.
    pub(crate) async fn find(&self, site: &Site, metadata: &Url, name: &str) -> Result<Key, NoKey> {
        let issuer = self.issuers.get_or_make(metadata.as_str(), Arc::default);
        let known = issuer.known();
        let found = known.keys.get(name).cloned();
        if let Some(key) = &found
            && known.is_fresh(site.now())
        {
            return Ok(key.clone());
        }
        let asking = match &found {
            // Known, if old: whoever is asking already will bring it up to date.
            Some(key) => match issuer.asking.try_lock() {
                Ok(asking) => asking,
                Err(_) => return Ok(key.clone()),
            },
            None => issuer.asking.lock().await,
        };
        issuer.look(site, metadata, name).await;
        drop(asking);
        let known = issuer.known();
        let key = known.keys.get(name).cloned().or(found);
        key.ok_or(if known.read_at.is_some() { NoKey::Unknown } else { NoKey::Unavailable })
    }

    /// Whether the issuer answers, for a probe.
    pub(crate) async fn reachable(site: &Site, metadata: &Url) -> Result<(), Failure> {
        fetch(site, metadata).await.map(drop)
    }
}

impl Known {
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.read_at.is_some_and(|read_at| now.since(read_at) < FRESH)
    }

    /// Whether to ask for the sake of this key, and counts it.
    fn may_look(&mut self, now: Timestamp, name: &str) -> bool {
        let Some(read_at) = self.read_at else { return true };
        if now.since(read_at) >= FRESH {
            return self.failed_at.is_none_or(|failed_at| now.since(failed_at) >= PAUSE);
        }
        if self.keys.contains_key(name) {
            return false;
        }
        let since = self.looked_at.map_or(Duration::ZERO, |looked_at| now.since(looked_at));
        let forgiven = since.as_secs() / LOOK_AGAIN.as_secs();
        if forgiven > 0 {
            self.looks = self.looks.saturating_sub(u32::try_from(forgiven).unwrap_or(u32::MAX));
            self.looked_at = Some(now);
        }
        if self.looks >= LOOKS {
            return false;
        }
        self.looks += 1;
        self.looked_at.get_or_insert(now);
        true
    }
}

impl Issuer {
    fn known(&self) -> Known {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ask the issuer, if that is due. Called by one at a time.
    async fn look(&self, site: &Site, metadata: &Url, name: &str) {
        if !self.known.lock().unwrap_or_else(PoisonError::into_inner).may_look(site.now(), name) {
            return;
        }
        let read = fetch(site, metadata).await;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match read {
            Ok(keys) => {
                known.keys = Arc::new(keys);
                (known.read_at, known.failed_at) = (Some(site.now()), None);
            }
            Err(_) => known.failed_at = Some(site.now()),
        }
    }
}

#[derive(Deserialize)]
struct Metadata {
    jwks_uri: Url,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

/// A key as it is published (RFC 7517), with the channels that it may sign for.
#[derive(Deserialize)]
struct Published {
    kty: String,
    kid: String,
    n: String,
    e: String,
    #[serde(default)]
    endorsements: Vec<String>,
}

async fn fetch(site: &Site, metadata: &Url) -> Result<HashMap<String, Key>, Failure> {
    let refuse = |detail| Err(Failure::new(Cause::Unavailable, detail));
    let described: Metadata = get(site, metadata.clone()).await?;
    // Whoever answers for the metadata answers for the keys.
    if described.jwks_uri.origin() != metadata.origin() {
        return refuse("the issuer's keys are said to be at another server than its metadata");
    }
    let set: KeySet = get(site, described.jwks_uri).await?;
    // Kinds of key that aren't known here are somebody else's.
    let published = set.keys.into_iter().filter_map(|key| Published::deserialize(key).ok());
    let rsa = published.filter(|key| key.kty == "RSA" && !key.kid.is_empty()).take(MAX_KEYS);
    let keys: HashMap<String, Key> =
        rsa.map(|key| (key.kid, Key { n: key.n, e: key.e, endorsements: key.endorsements })).collect();
    if keys.is_empty() {
        return refuse("the issuer publishes no RSA keys");
    }
    Ok(keys)
}

async fn get<T: for<'de> Deserialize<'de>>(site: &Site, url: Url) -> Result<T, Failure> {
    let answer = site.http().get(url).timeout(TIMEOUT).send().await?;
    match answer.status.as_u16() {
        200 => Ok(answer.json()?),
        status => Err(Failure::new(Cause::Unavailable, format!("the issuer of tokens answered {status}"))),
    }
}
