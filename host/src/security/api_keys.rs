//! The keys that applications call with: `cp_live_<id>_<secret>_<checksum>`. The fixed
//! beginning lets scanners recognize a leaked key, the id finds the row, the checksum refuses
//! a mistyped key without asking the database. Only a digest of the secret is stored; it has
//! 190 bits of randomness, so a plain SHA-256 is enough.

use std::{collections::BTreeSet, fmt, str::FromStr};

use chatport_sdk::{crypto, secret::Secret, site::Random};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::random;

const PREFIX: &str = "cp_live_";
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ID_LENGTH: usize = 12;
const SECRET_LENGTH: usize = 32;
const CHECKSUM_LENGTH: usize = 6;

/// An application's key.
#[derive(Clone, Debug)]
pub struct ApiKey {
    id: String,
    secret: Secret,
}

impl ApiKey {
    /// A new one.
    pub fn generate(random: &dyn Random) -> Self {
        Self { id: base62(random, ID_LENGTH), secret: Secret::new(base62(random, SECRET_LENGTH)) }
    }

    /// A presented key, if it has the form of one and its checksum is right.
    pub fn parse(presented: &str) -> Option<Self> {
        let (checked, checksum) = presented.rsplit_once('_')?;
        let (id, secret) = checked.strip_prefix(PREFIX)?.split_once('_')?;
        let well_formed = is_base62(id, ID_LENGTH) && is_base62(secret, SECRET_LENGTH);
        (well_formed && checksum == self::checksum(checked))
            .then(|| Self { id: id.to_owned(), secret: Secret::new(secret) })
    }

    /// Names the key; no secret.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The whole key, to be shown once.
    pub fn text(&self) -> Secret {
        let checked = format!("{PREFIX}{}_{}", self.id, self.secret.expose());
        let checksum = checksum(&checked);
        Secret::new(format!("{checked}_{checksum}"))
    }

    /// What is stored.
    pub fn digest(&self) -> [u8; 32] {
        crypto::sha256(self.secret.expose().as_bytes())
    }

    /// Whether this is the key whose digest is stored, compared in constant time.
    pub fn matches(&self, stored: &[u8]) -> bool {
        crypto::constant_time_eq(&self.digest(), stored)
    }
}

fn checksum(checked: &str) -> String {
    let mut rest = crc32fast::hash(checked.as_bytes()) as usize;
    let mut digits = [0; CHECKSUM_LENGTH];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[rest % 62];
        rest /= 62;
    }
    digits.iter().copied().map(char::from).collect()
}

/// Characters that are all equally likely: bytes beyond the last multiple of 62 are drawn again.
fn base62(random: &dyn Random, length: usize) -> String {
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let [byte] = random::bytes(random);
        if byte < 248 {
            text.push(char::from(BASE62[usize::from(byte % 62)]));
        }
    }
    text
}

fn is_base62(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Scope {
    /// Send messages and read what became of them.
    #[serde(rename = "send")]
    Send,
    /// Link and unlink people and channels.
    #[serde(rename = "link")]
    Link,
    /// Read organizations and installations.
    #[serde(rename = "install:read")]
    InstallRead,
    /// Change organizations and installations.
    #[serde(rename = "install:write")]
    InstallWrite,
    /// Replay dead letters.
    #[serde(rename = "replay")]
    Replay,
    /// Read the audit log.
    #[serde(rename = "audit:read")]
    AuditRead,
    /// Make and revoke keys, and whatever concerns all organizations.
    #[serde(rename = "keys")]
    Keys,
}

impl Scope {
    /// All of them, with their names.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Send, "send"),
        (Self::Link, "link"),
        (Self::InstallRead, "install:read"),
        (Self::InstallWrite, "install:write"),
        (Self::Replay, "replay"),
        (Self::AuditRead, "audit:read"),
        (Self::Keys, "keys"),
    ];
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::ALL[*self as usize].1)
    }
}

/// A scope that doesn't exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such scope: {0}")]
pub struct UnknownScope(String);

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        let known = Self::ALL.iter().find(|(_, name)| *name == text);
        known.map(|(scope, _)| *scope).ok_or_else(|| UnknownScope(text.to_owned()))
    }
}

/// The scopes of a key; stored as their names with spaces between them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Every scope.
    pub fn all() -> Self {
        Scope::ALL.iter().map(|(scope, _)| *scope).collect()
    }

    /// Whether this scope is among them.
    pub fn allow(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Whether all of `wanted` are among them: a key can't make a mightier one.
    pub fn include(&self, wanted: &Self) -> bool {
        wanted.0.is_subset(&self.0)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl FromStr for Scopes {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        text.split_whitespace().map(str::parse).collect()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.iter().map(Scope::to_string).collect();
        f.write_str(&names.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use proptest::prelude::*;

    use super::*;
    use crate::security::random::SystemRandom;

    #[test]
    fn a_key_is_read_back_and_matches_its_digest() {
        let key = ApiKey::generate(&SystemRandom);
        let read = ApiKey::parse(key.text().expose()).expect("a key");
        assert_eq!(read.id(), key.id());
        assert!(read.matches(&key.digest()));
    }

    #[test]
    fn another_secret_does_not_match() {
        let (one, two) = (ApiKey::generate(&SystemRandom), ApiKey::generate(&SystemRandom));
        for stored in [&two.digest()[..], &one.digest()[..31], &[]] {
            assert!(!one.matches(stored));
        }
    }

    #[test]
    fn a_key_has_the_form_that_scanners_look_for() {
        let text = ApiKey::generate(&SystemRandom).text();
        let parts: Vec<&str> = text.expose().split('_').collect();
        assert_eq!(parts[..2], ["cp", "live"]);
        assert_eq!(parts[2..].iter().map(|part| part.len()).collect::<Vec<_>>(), [12, 32, 6]);
    }

    #[test]
    fn the_checksum_is_the_crc_32_in_base62() {
        // The check value of CRC-32 (ISO-HDLC) for these digits is cbf43926.
        let value = checksum("123456789").bytes().fold(0, |value: u64, digit| {
            value * 62 + BASE62.iter().position(|known| *known == digit).expect("base62") as u64
        });
        assert_eq!(value, 0xcbf4_3926);
    }

    proptest! {
        #[test]
        fn one_mistyped_character_is_refused_without_asking_anybody(place in any::<prop::sample::Index>(), typed in "[ -~]") {
            let mut text = ApiKey::generate(&SystemRandom).text().expose().to_owned();
            let place = place.index(text.len());
            prop_assume!(text[place..=place] != typed);
            text.replace_range(place..=place, &typed);
            prop_assert!(ApiKey::parse(&text).is_none());
        }

        #[test]
        fn arbitrary_text_is_no_key(text in "(cp_live_)?.{0,80}") {
            prop_assert!(ApiKey::parse(&text).is_none());
        }
    }

    #[test]
    fn a_key_cannot_be_seen_in_debug_output() {
        let key = ApiKey::generate(&SystemRandom);
        assert!(!format!("{key:?}").contains(key.secret.expose()));
    }

    /// Gives the bytes downwards from 255, each in its turn.
    struct Countdown(AtomicU8);

    impl Random for Countdown {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill_with(|| self.0.fetch_sub(1, Ordering::Relaxed));
        }
    }

    #[test]
    fn every_character_of_a_key_is_equally_likely() {
        // Each byte once: each character as often as any other.
        let drawn = base62(&Countdown(AtomicU8::new(255)), 248);
        let counts = BASE62.map(|known| drawn.bytes().filter(|byte| *byte == known).count());
        assert_eq!(counts, [4; 62]);
    }

    #[test]
    fn a_scope_has_one_name_in_text_and_in_json() {
        for (scope, name) in Scope::ALL {
            assert_eq!(scope.to_string(), name);
            assert_eq!(name.parse(), Ok(scope));
            assert_eq!(serde_json::to_value(scope).expect("JSON"), name);
        }
        assert_eq!("admin".parse::<Scope>(), Err(UnknownScope("admin".into())));
    }

    #[test]
    fn stored_scopes_are_read_back() {
        let scopes: Scopes = [Scope::Replay, Scope::Send].into_iter().collect();
        assert_eq!(scopes.to_string(), "send replay");
        assert_eq!("send replay".parse(), Ok(scopes.clone()));
        assert!(scopes.allow(Scope::Send) && !scopes.allow(Scope::Keys));
        assert!("send everything".parse::<Scopes>().is_err());
    }

    #[test]
    fn a_key_can_hand_on_only_what_it_has() {
        let scopes: Scopes = [Scope::Keys, Scope::Send].into_iter().collect();
        assert!(scopes.include(&[Scope::Send].into_iter().collect()));
        assert!(!scopes.include(&Scopes::all()));
    }
}
