//! Sealing of secrets that must be used again: AES-256-GCM-SIV with a random nonce, under the
//! current key. The associated data say whose secret it is, what it is for and to which
//! origin it may be sent: a sealed text that is moved to another row, tenant, kind or URL
//! doesn't open.
//!
//! A sealed text is `v1.<key id>.<base64url of nonce and ciphertext>`.

use aws_lc_rs::aead::{self, AES_256_GCM_SIV, NONCE_LEN, Nonce, RandomizedNonceKey};
use chatport_sdk::{crypto, secret::Secret};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    keyring::{Key, Keyring, Use},
    unambiguous,
};

const VERSION: &str = "v1";

/// Where a sealed text belongs. What a secret of the host's own lacks is left empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Aad<'a> {
    /// The organization.
    pub organization: &'a str,
    /// The installation.
    pub installation: Uuid,
    /// The backend's id.
    pub backend: &'a str,
    /// The token's kind.
    pub kind: &'a str,
    /// The row's key.
    pub row: &'a str,
    /// The origin that the secret may be sent to.
    pub origin: &'a str,
}

impl Aad<'_> {
    fn bytes(&self, key_id: &str) -> Vec<u8> {
        unambiguous(&[
            VERSION.as_bytes(),
            key_id.as_bytes(),
            self.organization.as_bytes(),
            self.installation.as_bytes(),
            self.backend.as_bytes(),
            self.kind.as_bytes(),
            self.row.as_bytes(),
            self.origin.as_bytes(),
        ])
    }
}

/// Why a sealed text doesn't open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It isn't a sealed text, or one of a later version.
    #[error("this isn't a sealed text that this version knows")]
    Malformed,
    /// The key ring lacks its key.
    #[error("the key ring lacks the key {0}")]
    MissingKey(String),
    /// It was changed, or belongs elsewhere.
    #[error("the sealed text was changed, or belongs to another row")]
    Refused,
}

/// Seal under the current key.
pub fn seal(keyring: &Keyring, aad: &Aad<'_>, secret: &Secret) -> String {
    let key = keyring.current();
    let mut text = secret.expose().as_bytes().to_vec();
    let nonce = cipher(key)
        .seal_in_place_append_tag(aead::Aad::from(aad.bytes(key.id())), &mut text)
        .expect("there is randomness for a nonce");
    let sealed = [nonce.as_ref().as_slice(), &text].concat();
    format!("{VERSION}.{}.{}", key.id(), crypto::base64url(&sealed))
}

/// Open what was sealed with the same associated data, under any key of the ring.
///
/// # Errors
/// It isn't a sealed text, its key is missing, or it belongs elsewhere.
pub fn open(keyring: &Keyring, aad: &Aad<'_>, sealed: &str) -> Result<Secret, OpenError> {
    let (key_id, payload) = split(sealed).ok_or(OpenError::Malformed)?;
    let key = keyring.key(key_id).ok_or_else(|| OpenError::MissingKey(key_id.to_owned()))?;
    let payload = crypto::base64url_decode(payload).ok_or(OpenError::Malformed)?;
    let (nonce, ciphertext) = payload.split_at_checked(NONCE_LEN).ok_or(OpenError::Malformed)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| OpenError::Malformed)?;
    let mut text = Zeroizing::new(ciphertext.to_vec());
    let text = cipher(key)
        .open_in_place(nonce, aead::Aad::from(aad.bytes(key_id)), &mut text)
        .map_err(|_| OpenError::Refused)?;
    std::str::from_utf8(text).map(Secret::new).map_err(|_| OpenError::Malformed)
}

/// The id of the key that a text is sealed under.
pub fn key_id(sealed: &str) -> Option<&str> {
    split(sealed).map(|(key_id, _)| key_id)
}

fn split(sealed: &str) -> Option<(&str, &str)> {
    sealed.strip_prefix(VERSION)?.strip_prefix('.')?.split_once('.')
}

fn cipher(key: &Key) -> RandomizedNonceKey {
    RandomizedNonceKey::new(&AES_256_GCM_SIV, key.derived(Use::Sealing)).expect("a key of 32 bytes")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::security::random::SystemRandom;

    const AAD: Aad<'static> = Aad {
        organization: "acme",
        installation: Uuid::from_u128(1),
        backend: "pigeon",
        kind: "bot_token",
        row: "row",
        origin: "https://chat.example.com",
    };

    proptest! {
        #[test]
        fn what_is_sealed_opens_where_it_belongs(text in ".{0,200}") {
            let keyring = Keyring::for_tests();
            let sealed = seal(&keyring, &AAD, &Secret::new(text.clone()));
            let opened = open(&keyring, &AAD, &sealed).expect("it opens");
            prop_assert_eq!(opened.expose(), text);
        }

        #[test]
        fn a_sealed_text_with_one_bit_flipped_never_opens(text in ".{0,64}", place in any::<prop::sample::Index>(), bit in 0..8_u8) {
            let keyring = Keyring::for_tests();
            let sealed = seal(&keyring, &AAD, &Secret::new(text));
            let head = sealed.rfind('.').expect("three parts") + 1;
            let mut payload = crypto::base64url_decode(&sealed[head..]).expect("base64url");
            let place = place.index(payload.len());
            payload[place] ^= 1_u8 << bit;
            let changed = format!("{}{}", &sealed[..head], crypto::base64url(&payload));
            prop_assert_eq!(open(&keyring, &AAD, &changed).map(|_| ()), Err(OpenError::Refused));
        }

        #[test]
        fn a_sealed_text_with_one_character_changed_never_opens(place in any::<prop::sample::Index>(), character in "[ -~]") {
            let keyring = Keyring::for_tests();
            let mut sealed = seal(&keyring, &AAD, &Secret::new("hunter2"));
            let place = place.index(sealed.len());
            prop_assume!(sealed[place..=place] != character);
            sealed.replace_range(place..=place, &character);
            prop_assert!(open(&keyring, &AAD, &sealed).is_err());
        }

        #[test]
        fn arbitrary_text_never_opens(text in "(v1\\.)?.{0,80}") {
            prop_assert!(open(&Keyring::for_tests(), &AAD, &text).is_err());
        }

        #[test]
        fn a_sealed_text_opens_nowhere_else(field in 0..6_usize, other in "[a-z:/.]{0,12}") {
            let keyring = Keyring::for_tests();
            let sealed = seal(&keyring, &AAD, &Secret::new("hunter2"));
            let mut aad = AAD;
            match field {
                0 => aad.organization = &other,
                1 => aad.installation = Uuid::new_v4(),
                2 => aad.backend = &other,
                3 => aad.kind = &other,
                4 => aad.row = &other,
                _ => aad.origin = &other,
            }
            prop_assume!(aad != AAD);
            prop_assert_eq!(open(&keyring, &aad, &sealed).map(|_| ()), Err(OpenError::Refused));
        }
    }

    #[test]
    fn letters_that_move_to_a_neighbouring_field_make_another_place() {
        let keyring = Keyring::for_tests();
        let sealed = seal(&keyring, &AAD, &Secret::new("hunter2"));
        let moved = Aad { backend: "pigeonbot", kind: "_token", ..AAD };
        assert!(open(&keyring, &moved, &sealed).is_err());
    }

    #[test]
    fn the_same_secret_sealed_twice_gives_two_texts() {
        let keyring = Keyring::for_tests();
        let secret = Secret::new("hunter2");
        assert_ne!(seal(&keyring, &AAD, &secret), seal(&keyring, &AAD, &secret));
    }

    #[test]
    fn after_a_rotation_the_old_text_opens_and_new_ones_are_under_the_new_key() {
        let before = Keyring::for_tests();
        let sealed = seal(&before, &AAD, &Secret::new("hunter2"));
        let after = before.rotated(&SystemRandom);
        assert_eq!(open(&after, &AAD, &sealed).expect("it opens").expose(), "hunter2");
        assert_eq!(key_id(&sealed), Some(before.current().id()));
        let resealed = seal(&after, &AAD, &Secret::new("hunter2"));
        assert_eq!(key_id(&resealed), Some(after.current().id()));
        let missing = OpenError::MissingKey(before.current().id().to_owned());
        assert_eq!(open(&after.without(before.current().id()), &AAD, &sealed).map(|_| ()), Err(missing));
    }
}
