//! The backends of this program: those that are linked into it, and those that the operator
//! attaches, which may come later.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use chatport_sdk::{
    backend::{MessagingBackend, Registration},
    descriptor::{CONTRACT_LEVEL, is_id},
    inventory,
};

use crate::config::RemoteEntry;

/// Every backend, by id.
#[derive(Clone)]
pub struct Registry {
    backends: Arc<BTreeMap<&'static str, Entry>>,
}

#[derive(Clone)]
struct Entry {
    /// Empty while a remote backend hasn't said what it is.
    backend: OnceLock<Arc<dyn MessagingBackend>>,
    origin: &'static str,
}

/// Why the linked backends can't be used together.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RegistryError {
    /// Nothing is linked.
    #[error(
        "no backend is linked into this program: name at least one backend's crate, e.g. `use chatport_backends as _;`"
    )]
    Empty,
    /// Two backends have one id.
    #[error(
        "two backends call themselves `{id}`: the crates {first} and {second}; link only one of them or rename one"
    )]
    Duplicate {
        /// The id.
        id: &'static str,
        /// One crate.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// An id that can't stand in a path.
    #[error(
        "the crate {crate_name} registers the id `{id}`: an id has 2 to 32 characters of a-z, 0-9 and -, and begins with a letter"
    )]
    BadId {
        /// The id.
        id: &'static str,
        /// Its crate.
        crate_name: &'static str,
    },
    /// A level of the contract that this host doesn't speak.
    #[error(
        "the crate {crate_name} speaks level {level} of the contract, this host speaks {CONTRACT_LEVEL}: build both with the same chatport-sdk"
    )]
    ContractLevel {
        /// Its crate.
        crate_name: &'static str,
        /// Its level.
        level: u32,
    },
}

impl Registry {
    /// Collect what is linked.
    ///
    /// # Errors
    /// No backend at all, or backends that can't be used together.
    pub fn linked() -> Result<Self, RegistryError> {
        Self::of(inventory::iter::<Registration>.into_iter().map(|r| (r.make(), r.crate_name())))
    }

    /// A registry of these backends and the crates that they come from.
    ///
    /// # Errors
    /// As for [`Registry::linked`].
    pub fn of(
        found: impl IntoIterator<Item = (Arc<dyn MessagingBackend>, &'static str)>,
    ) -> Result<Self, RegistryError> {
        let mut backends: BTreeMap<&'static str, Entry> = BTreeMap::new();
        for (backend, crate_name) in found {
            let (id, level) = (backend.descriptor().id, backend.descriptor().contract);
            if !is_id(id) {
                return Err(RegistryError::BadId { id, crate_name });
            }
            if level != CONTRACT_LEVEL {
                return Err(RegistryError::ContractLevel { crate_name, level });
            }
            if let Some(other) = backends.insert(id, Entry { backend: backend.into(), origin: crate_name }) {
                return Err(RegistryError::Duplicate { id, first: other.origin, second: crate_name });
            }
        }
        if backends.is_empty() {
            return Err(RegistryError::Empty);
        }
        Ok(Self { backends: Arc::new(backends) })
    }

    /// The same with a place for each remote backend, which stays empty until it is attached.
    ///
    /// # Errors
    /// A linked backend has the id already.
    pub fn expecting(self, remotes: &[RemoteEntry]) -> Result<Self, RegistryError> {
        let mut backends = BTreeMap::clone(&self.backends);
        for remote in remotes {
            // The operator names them once, at the start: like ids of linked backends they are
            // constants of the program.
            let (id, origin): (&'static str, _) = (remote.id.clone().leak(), remote.url.to_string().leak());
            if let Some(other) = backends.insert(id, Entry { backend: OnceLock::new(), origin }) {
                return Err(RegistryError::Duplicate { id, first: other.origin, second: "of remote_backends" });
            }
        }
        Ok(Self { backends: Arc::new(backends) })
    }

    /// Fill the place of a remote backend. One that is there stays.
    pub(crate) fn attach(&self, backend: Arc<dyn MessagingBackend>) {
        if let Some(entry) = self.backends.get(backend.descriptor().id) {
            let _ = entry.backend.set(backend);
        }
    }

    /// The backend of this id.
    pub fn get(&self, id: &str) -> Option<&Arc<dyn MessagingBackend>> {
        self.backends.get(id)?.backend.get()
    }

    /// All, by id, with the crates or addresses that they come from.
    pub fn iter(&self) -> impl Iterator<Item = (&dyn MessagingBackend, &'static str)> {
        self.backends.values().filter_map(|entry| Some((entry.backend.get()?.as_ref(), entry.origin)))
    }

    /// All ids, for messages to people.
    pub fn ids(&self) -> String {
        self.iter().map(|(backend, _)| backend.descriptor().id).collect::<Vec<_>>().join(", ")
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.backends.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use chatport_sdk::descriptor::Descriptor;

    use super::*;

    struct Named(Descriptor);
    impl MessagingBackend for Named {
        fn descriptor(&self) -> &Descriptor {
            &self.0
        }
    }
    fn named(id: &'static str, crate_name: &'static str) -> (Arc<dyn MessagingBackend>, &'static str) {
        (Arc::new(Named(Descriptor::new(id, id))), crate_name)
    }

    #[test]
    fn two_backends_of_one_id_are_refused_and_both_crates_named() {
        let error = Registry::of([named("pigeon", "pigeon-one"), named("pigeon", "pigeon-two")]).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("pigeon-one") && text.contains("pigeon-two"), "{text}");
    }

    fn remote(id: &str) -> RemoteEntry {
        RemoteEntry { id: id.into(), url: "http://127.0.0.1:9000/".parse().expect("a URL"), secrets: Vec::new() }
    }

    #[test]
    fn a_remote_backend_is_there_once_it_is_attached_and_no_sooner() {
        let registry = Registry::of([named("pigeon", "pigeon-one")]).expect("one");
        let registry = registry.expecting(&[remote("dove")]).expect("room for another");
        assert!(registry.get("dove").is_none() && registry.ids() == "pigeon");
        registry.clone().attach(named("dove", "").0);
        assert!(registry.get("dove").is_some() && registry.ids() == "dove, pigeon");
        assert_eq!(registry.iter().next().map(|(_, origin)| origin), Some("http://127.0.0.1:9000/"));
    }

    #[test]
    fn a_remote_backend_does_not_take_a_linked_ones_place() {
        let registry = Registry::of([named("pigeon", "pigeon-one")]).expect("one");
        let error = registry.expecting(&[remote("pigeon")]).expect_err("the id is taken").to_string();
        assert!(error.contains("pigeon-one") && error.contains("remote_backends"), "{error}");
    }

    #[test]
    fn a_program_without_backends_is_refused() {
        assert_eq!(Registry::of([]).unwrap_err(), RegistryError::Empty);
    }

    #[test]
    fn an_id_must_fit_into_a_path() {
        for id in ["", "x", "Pigeon", "pig eon", "1pigeon", "pigeon/.."] {
            assert!(matches!(Registry::of([named(id, "c")]), Err(RegistryError::BadId { .. })), "{id}");
        }
    }
}
