//! What a process remembers between calls to spare the platform questions. All of it may be lost
//! at any moment, and none of it grows without bound.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

/// A map that forgets its oldest entry when it is full. It shows nothing of what it holds.
pub(crate) struct Bounded<V> {
    most: usize,
    kept: Mutex<Kept<V>>,
}

struct Kept<V> {
    entries: HashMap<String, V>,
    order: VecDeque<String>,
}

impl<V: Clone> Bounded<V> {
    /// An empty map for at most so many entries.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, kept: Mutex::new(Kept { entries: HashMap::new(), order: VecDeque::new() }) }
    }

    /// What is kept under a key.
    pub(crate) fn get(&self, key: &str) -> Option<V> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).entries.get(key).cloned()
    }

    /// Keep a value instead of what was there.
    pub(crate) fn put(&self, key: String, value: V) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.entries.insert(key.clone(), value).is_some() {
            return;
        }
        kept.order.push_back(key);
        if kept.order.len() > self.most
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.entries.remove(&oldest);
        }
    }

    /// What is kept under a key, made now if there is nothing.
    pub(crate) fn get_or_make(&self, key: &str, make: impl FnOnce() -> V) -> V {
        if let Some(known) = self.get(key) {
            return known;
        }
        // Two may make it at once; the later one is kept, and either is good.
        let made = make();
        self.put(key.to_owned(), made.clone());
        made
    }
}

impl<V> std::fmt::Debug for Bounded<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bounded").field("most", &self.most).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first() {
        let map = Bounded::new(2);
        for (key, value) in [("a", 1), ("b", 2), ("a", 3), ("c", 4)] {
            map.put(key.into(), value);
        }
        assert_eq!((map.get("a"), map.get("b"), map.get("c")), (None, Some(2), Some(4)));
    }
}
