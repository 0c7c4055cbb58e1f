//! What hardly ever changes, kept in memory: keys, organizations, installations with their
//! tokens (sealed as they are stored), channels, links, subscriptions. A value carries the
//! generation that its reader noted before it read, and is used only while that is the
//! present one; whoever changes something raises the generation after the commit and before
//! answering. So a read that races with a commit is never kept.
//!
//! Each organization has its own generation; they share [`STRIPES`] counters. Only what is
//! there is kept: what isn't is looked up each time, but slots. On Postgres other replicas change things
//! too: there values are used only as long as this one hears of it, see [`super::news`].

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::{BuildHasher, Hash},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use chatport_sdk::site::Site;
use uuid::Uuid;

use super::entities::{account_links, api_keys, channels, installations, subscriptions, tokens};
use crate::ids::{InstallationId, OrganizationId};

/// Counters that all organizations share: two on one counter refresh more often, no more.
const STRIPES: usize = 1_024;
/// Most values of one kind. Beyond it, outdated ones go first, then some tenth.
const MOST: usize = 4_096;

/// What is known, by kind. Keys begin with the organization.
#[derive(Default)]
pub(crate) struct Known {
    /// By id.
    pub(crate) api_keys: Shelf<String, KnownKey>,
    /// That it exists.
    pub(crate) organizations: Shelf<String, ()>,
    /// By id, removed ones not among them.
    pub(crate) installations: Shelf<(String, Uuid), KnownInstallation>,
    /// Whose installations slots are, removed ones perhaps among them.
    pub(crate) slots: Shelf<String, (OrganizationId, InstallationId)>,
    /// Slots that are nobody's; on a shelf of their own, so that guessing makes nobody forgotten.
    pub(crate) nobodys_slots: Shelf<String, ()>,
    /// By id, removed ones among them.
    pub(crate) channels: Shelf<(String, Uuid), channels::Model>,
    /// The connected default channels, longest first.
    pub(crate) default_channels: Shelf<String, Vec<channels::Model>>,
    /// The live links of a user, newest first.
    pub(crate) links: Shelf<(String, String), Vec<account_links::Model>>,
    /// All of them, by name; also that there are none.
    pub(crate) subscriptions: Shelf<(), Vec<subscriptions::Model>>,
}

/// An API key; of its secret there is a digest alone.
pub(crate) struct KnownKey {
    pub(crate) row: api_keys::Model,
    /// Newer than in the row, once it has been used.
    pub(crate) last_used_at: AtomicI64,
}

impl From<api_keys::Model> for KnownKey {
    fn from(row: api_keys::Model) -> Self {
        Self { last_used_at: AtomicI64::new(row.last_used_at.unwrap_or(i64::MIN)), row }
    }
}

/// An installation and its usable tokens, newest first.
pub(crate) struct KnownInstallation {
    pub(crate) row: Arc<installations::Model>,
    pub(crate) tokens: Arc<Vec<tokens::Model>>,
    /// What is made of them at the first use: what its backend sees, and the servers that its
    /// settings name.
    pub(crate) site: OnceLock<(Site, Arc<str>)>,
}

/// Whose knowledge a change outdates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Everything,
    Organization(String),
}

/// The generation in which something was read.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Generation {
    everything: u64,
    stripe: usize,
    organization: u64,
}

/// The values, and the generation that each needs to be used.
pub(crate) struct Cache {
    pub(crate) known: Known,
    everything: AtomicU64,
    organizations: Box<[AtomicU64]>,
    hasher: RandomState,
    began: Instant,
    /// In milliseconds since `began`.
    usable_until: AtomicU64,
}

impl Cache {
    /// One that is always usable: nobody else changes the database.
    pub(super) fn sole() -> Self {
        Self::until(u64::MAX)
    }

    /// One that isn't usable yet, since others change the database too.
    pub(super) fn shared() -> Self {
        Self::until(0)
    }

    fn until(usable_until: u64) -> Self {
        Self {
            known: Known::default(),
            everything: AtomicU64::new(0),
            organizations: (0..STRIPES).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
            began: Instant::now(),
            usable_until: AtomicU64::new(usable_until),
        }
    }

    /// What is known under `key`, read if it isn't known or may be outdated. `organization` is
    /// whose it is; the empty one: everybody's.
    pub(crate) async fn find<K: Hash + Eq, V, E>(
        &self,
        shelf: &Shelf<K, V>,
        organization: &str,
        key: K,
        read: impl AsyncFnOnce() -> Result<Option<V>, E>,
    ) -> Result<Option<Arc<V>>, E> {
        // Before anything is read: a change after this line outdates what is read below.
        let generation = self.generation(self.stripe(organization));
        if self.is_usable()
            && let Some(value) = shelf.get(&key, generation)
        {
            return Ok(Some(value));
        }
        // On the heap, so that whoever finds it known doesn't carry the room for a query about.
        let Some(value) = Box::pin(read()).await?.map(Arc::new) else { return Ok(None) };
        if self.is_usable() {
            let is_current = |kept: Generation| kept == self.generation(kept.stripe);
            shelf.keep(key, generation, Arc::clone(&value), is_current);
        }
        Ok(Some(value))
    }

    /// A change has been committed, or may have been.
    pub(crate) fn outdate(&self, scope: &Scope) {
        match scope {
            Scope::Everything => self.everything.fetch_add(1, SeqCst),
            Scope::Organization(organization) => self.organizations[self.stripe(organization)].fetch_add(1, SeqCst),
        };
    }

    fn generation(&self, stripe: usize) -> Generation {
        let organization = self.organizations[stripe].load(SeqCst);
        Generation { everything: self.everything.load(SeqCst), stripe, organization }
    }

    fn stripe(&self, organization: &str) -> usize {
        usize::try_from(self.hasher.hash_one(organization) % STRIPES as u64).unwrap_or(0)
    }

    /// Whether changes by others would be known.
    pub(super) fn is_usable(&self) -> bool {
        let until = self.usable_until.load(SeqCst);
        until == u64::MAX || self.elapsed() < until
    }

    /// Milliseconds on this cache's own clock.
    pub(super) fn elapsed(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Everything that others had changed by `moment` (of [`Self::elapsed`]) is known: usable
    /// for so long after it.
    pub(super) fn heard_all_until(&self, moment: u64, lasting: Duration) {
        let lasting = u64::try_from(lasting.as_millis()).unwrap_or(0);
        self.usable_until.fetch_max(moment.saturating_add(lasting), SeqCst);
    }

    /// Changes by others aren't known any more.
    pub(super) fn deafen(&self) {
        self.usable_until.store(0, SeqCst);
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cache")
    }
}

/// The values of one kind.
pub(crate) struct Shelf<K, V>(Mutex<HashMap<K, Kept<V>>>);

struct Kept<V> {
    generation: Generation,
    value: Arc<V>,
}

impl<K, V> Default for Shelf<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Hash + Eq, V> Shelf<K, V> {
    fn get(&self, key: &K, generation: Generation) -> Option<Arc<V>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(key).filter(|kept| kept.generation == generation).map(|kept| Arc::clone(&kept.value))
    }

    fn keep(&self, key: K, generation: Generation, value: Arc<V>, is_current: impl Fn(Generation) -> bool) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST && !kept.contains_key(&key) {
            kept.retain(|_, kept| is_current(kept.generation));
            let mut surplus = if kept.len() >= MOST { MOST / 10 } else { 0 };
            // A map yields its values in no order.
            kept.retain(|_, _| {
                let goes = surplus > 0;
                surplus = surplus.saturating_sub(1);
                !goes
            });
        }
        kept.insert(key, Kept { generation, value });
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    async fn find(cache: &Cache, shelf: &Shelf<u32, u32>, key: u32, stored: u32) -> u32 {
        let read = async || Ok::<_, Infallible>(Some(stored));
        *cache.find(shelf, "acme", key, read).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn a_value_is_read_once_until_its_organization_or_everything_changes() {
        let (cache, shelf) = (Cache::sole(), Shelf::default());
        assert_eq!(find(&cache, &shelf, 1, 10).await, 10);
        assert_eq!(find(&cache, &shelf, 1, 11).await, 10);
        cache.outdate(&Scope::Organization("acme".into()));
        assert_eq!(find(&cache, &shelf, 1, 12).await, 12);
        cache.outdate(&Scope::Everything);
        assert_eq!(find(&cache, &shelf, 1, 13).await, 13);
        let other = (0..).map(|n| format!("other-{n}")).find(|other| cache.stripe(other) != cache.stripe("acme"));
        cache.outdate(&Scope::Organization(other.unwrap()));
        assert_eq!(find(&cache, &shelf, 1, 14).await, 13);
    }

    #[tokio::test]
    async fn what_was_read_while_something_changed_is_not_kept() {
        let (cache, shelf) = (Cache::sole(), Shelf::default());
        let read = async || {
            cache.outdate(&Scope::Organization("acme".into()));
            Ok::<_, Infallible>(Some(10))
        };
        assert_eq!(*cache.find(&shelf, "acme", 1, read).await.unwrap().unwrap(), 10);
        assert_eq!(find(&cache, &shelf, 1, 11).await, 11);
    }

    #[tokio::test]
    async fn what_is_missing_is_looked_up_each_time() {
        let (cache, shelf) = (Cache::sole(), Shelf::default());
        let missing = cache.find(&shelf, "acme", 1, async || Ok::<_, Infallible>(None::<u32>)).await;
        assert!(missing.unwrap().is_none());
        assert_eq!(find(&cache, &shelf, 1, 10).await, 10);
    }

    #[tokio::test]
    async fn a_shared_one_is_used_only_as_long_as_it_heard_of_changes() {
        let (cache, shelf) = (Cache::shared(), Shelf::default());
        assert_eq!(find(&cache, &shelf, 1, 10).await, 10);
        assert_eq!(find(&cache, &shelf, 1, 11).await, 11);
        cache.heard_all_until(cache.elapsed(), Duration::from_secs(60));
        assert_eq!(find(&cache, &shelf, 1, 12).await, 12);
        assert_eq!(find(&cache, &shelf, 1, 13).await, 12);
        cache.deafen();
        assert_eq!(find(&cache, &shelf, 1, 14).await, 14);
    }

    #[tokio::test]
    async fn a_shelf_holds_a_bounded_number_and_forgets_what_is_outdated_first() {
        let (cache, shelf) = (Cache::sole(), Shelf::default());
        let most = u32::try_from(MOST).unwrap();
        for key in 0..most * 2 {
            find(&cache, &shelf, key, key).await;
            assert!(shelf.0.lock().unwrap().len() <= MOST);
        }
        cache.outdate(&Scope::Everything);
        for key in 0..most {
            find(&cache, &shelf, key, key + 1).await;
        }
        for key in 0..10 {
            assert_eq!(find(&cache, &shelf, key, 0).await, key + 1);
        }
    }
}
