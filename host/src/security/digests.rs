//! Keyed digests of tokens that are only compared. Whoever has the database alone can't try
//! out values: the key is in the key ring. A digest is bound to backend, installation and
//! kind, so what is valid for one is not even found for another.
//!
//! A digest can be looked up through a unique index, so the time that takes shows nothing
//! about the token.

use chatport_sdk::crypto;
use uuid::Uuid;

use super::{
    keyring::{Keyring, Use},
    unambiguous,
};

/// A digest, and the id of the key it was made under: both are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// The key's id.
    pub key_id: String,
    /// The digest.
    pub value: [u8; 32],
}

/// The digest to store, under the current key.
pub fn digest(keyring: &Keyring, backend: &str, installation: Uuid, kind: &str, presented: &[u8]) -> Digest {
    let key = keyring.current();
    Digest {
        key_id: key.id().to_owned(),
        value: under(key.derived(Use::Digests), backend, installation, kind, presented),
    }
}

/// The digests that a presented token may be stored under: one for each key, current first.
pub fn candidates(keyring: &Keyring, backend: &str, installation: Uuid, kind: &str, presented: &[u8]) -> Vec<[u8; 32]> {
    keyring.keys().map(|key| under(key.derived(Use::Digests), backend, installation, kind, presented)).collect()
}

fn under(key: &[u8; 32], backend: &str, installation: Uuid, kind: &str, presented: &[u8]) -> [u8; 32] {
    let fields = unambiguous(&[backend.as_bytes(), installation.as_bytes(), kind.as_bytes(), presented]);
    crypto::hmac_sha256(key, &fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::random::SystemRandom;

    #[test]
    fn the_same_token_for_another_backend_installation_or_kind_has_another_digest() {
        let (keyring, one, two) = (Keyring::for_tests(), Uuid::from_u128(1), Uuid::from_u128(2));
        let value = digest(&keyring, "pigeon", one, "code", b"secret").value;
        assert_eq!(value, digest(&keyring, "pigeon", one, "code", b"secret").value);
        for (backend, installation, kind, presented) in [
            ("other", one, "code", "secret"),
            ("pigeon", two, "code", "secret"),
            ("pigeon", one, "webhook", "secret"),
            ("pigeon", one, "code", "Secret"),
            ("pigeon", one, "codes", "ecret"),
        ] {
            assert_ne!(value, digest(&keyring, backend, installation, kind, presented.as_bytes()).value);
        }
    }

    #[test]
    fn after_a_rotation_a_stored_digest_is_still_among_the_candidates() {
        let before = Keyring::for_tests();
        let stored = digest(&before, "pigeon", Uuid::nil(), "code", b"secret");
        let after = before.rotated(&SystemRandom);
        assert_ne!(digest(&after, "pigeon", Uuid::nil(), "code", b"secret"), stored);
        assert!(candidates(&after, "pigeon", Uuid::nil(), "code", b"secret").contains(&stored.value));
        assert!(!candidates(&after, "pigeon", Uuid::nil(), "code", b"other").contains(&stored.value));
    }
}
