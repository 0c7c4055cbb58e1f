//! The key ring: master keys of 256 bits, the current one first. Every other key is derived
//! from one of them for a single use. A key's id is derived from the key too, so an id that
//! a stored row names can never mean a wrong key: either the ring has that key, or it hasn't.
//!
//! The ring is a text, in a file that only its owner may read, or handed over in the
//! environment: one key a line, lines that begin with `#` are comments.

use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use aws_lc_rs::hkdf;
use chatport_sdk::{crypto, secret::Secret, site::Random};
use zeroize::Zeroizing;

/// How a key begins, so that it is recognized where it must not be.
const PREFIX: &str = "cpk_";

const HEADING: &str = "\
# The master keys of a Chatport host. Whoever has them and the database can read every
# stored secret; without them every bot must be set up again. Keep a copy, apart from the
# copies of the database. The first key is the current one; the others open what is older.
";

/// A 256-bit key; wiped when dropped.
type KeyBytes = Zeroizing<[u8; 32]>;

/// What a derived key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Sealing stored secrets.
    Sealing,
    /// Digests of tokens that are only compared.
    Digests,
    /// Action tokens.
    Actions,
    /// What the API hands out and takes back: cursors and signed links.
    Api,
}

/// The uses, in the order of [`Use`], with the labels that keys are derived by.
const USES: [&str; 4] = ["sealing", "digests", "actions", "api"];

/// One master key, with what is derived from it.
#[derive(Clone)]
pub struct Key {
    id: String,
    master: KeyBytes,
    derived: [KeyBytes; 4],
}

impl Key {
    fn new(master: KeyBytes) -> Self {
        let derived = USES.map(|label| derive(&master, label));
        Self { id: crypto::hex(&derive(&master, "id")[..8]), master, derived }
    }

    /// Names the key without showing anything of it: 16 hexadecimal digits.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key for one use.
    pub fn derived(&self, purpose: Use) -> &[u8; 32] {
        &self.derived[purpose as usize]
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

/// HKDF-SHA-256 (RFC 5869).
fn derive(master: &KeyBytes, label: &str) -> KeyBytes {
    let mut key = KeyBytes::default();
    hkdf::Salt::new(hkdf::HKDF_SHA256, b"chatport key ring v1")
        .extract(master.as_slice())
        .expand(&[label.as_bytes()], hkdf::HKDF_SHA256)
        .and_then(|output| output.fill(key.as_mut_slice()))
        .expect("32 bytes are within what HKDF-SHA-256 gives");
    key
}

/// Why there is no key ring.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The file can't be read.
    #[error("can't read the key file {0}: {1}")]
    Read(PathBuf, io::Error),
    /// The file can't be written.
    #[error("can't write the key file {0}: {1}")]
    Write(PathBuf, io::Error),
    /// Others may read the file.
    #[error("others may read the key file {0} (mode {1:04o}): run `chmod 600 {0}`")]
    Exposed(PathBuf, u32),
    /// No key in it.
    #[error("there is no key in it: an interrupted first start may leave an empty key file, which can be deleted")]
    Empty,
    /// A line isn't a key.
    #[error("line {0} is no key: a key is 32 random bytes in base64, e.g. from `openssl rand -base64 32`")]
    NotAKey(usize),
    /// The same key twice.
    #[error("line {0} repeats a key")]
    Repeated(usize),
    /// What was found in the file.
    #[error("the key file {0} can't be used: {1}")]
    InFile(PathBuf, #[source] Box<KeyringError>),
}

/// The keys, the current one first.
#[derive(Clone, Debug)]
pub struct Keyring {
    current: Key,
    older: Vec<Key>,
}

impl Keyring {
    /// The ring in this file; if there is none, a new ring, stored there.
    ///
    /// # Errors
    /// The file can't be read or made, others may read it, or it is no key ring.
    pub fn load_or_create(path: &Path, random: &dyn Random) -> Result<Self, KeyringError> {
        match File::open(path) {
            Ok(file) => Self::load(path, file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(path, random),
            Err(error) => Err(KeyringError::Read(path.into(), error)),
        }
    }

    fn load(path: &Path, mut file: File) -> Result<Self, KeyringError> {
        let unreadable = |error| KeyringError::Read(path.into(), error);
        let mode = file.metadata().map_err(unreadable)?.mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(KeyringError::Exposed(path.into(), mode));
        }
        let mut text = Zeroizing::new(String::new());
        file.read_to_string(&mut text).map_err(unreadable)?;
        Self::parse(&text).map_err(|error| KeyringError::InFile(path.into(), Box::new(error)))
    }

    fn create(path: &Path, random: &dyn Random) -> Result<Self, KeyringError> {
        let ring = Self { current: new_key(random), older: Vec::new() };
        ring.write_new(path).map_err(|error| KeyringError::Write(path.into(), error))?;
        Ok(ring)
    }

    /// The ring in a text from the environment, in the form of the file. Keys may also stand
    /// in one line, with spaces or commas between them.
    ///
    /// # Errors
    /// It is no key ring.
    pub fn from_secret(text: &Secret) -> Result<Self, KeyringError> {
        Self::parse(text.expose())
    }

    fn parse(text: &str) -> Result<Self, KeyringError> {
        let mut keys: Vec<Key> = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            if line.trim_start().starts_with('#') {
                continue;
            }
            for word in line.split([' ', '\t', ',']).filter(|word| !word.is_empty()) {
                let key = read_key(word).ok_or(KeyringError::NotAKey(number))?;
                if keys.iter().any(|known| known.id == key.id) {
                    return Err(KeyringError::Repeated(number));
                }
                keys.push(key);
            }
        }
        let mut keys = keys.into_iter();
        let current = keys.next().ok_or(KeyringError::Empty)?;
        Ok(Self { current, older: keys.collect() })
    }

    /// The key that everything new is made with.
    pub fn current(&self) -> &Key {
        &self.current
    }

    /// All keys, the current one first.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.older)
    }

    /// The key with this id.
    pub fn key(&self, id: &str) -> Option<&Key> {
        self.keys().find(|key| key.id == id)
    }

    /// Those of `ids`, which stored rows name, that this ring can't serve: with any of them
    /// it is the wrong ring for the database, or an incomplete one.
    pub fn missing<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
        ids.into_iter().filter(|id| self.key(id).is_none()).collect()
    }

    /// A ring with a new current key; the present keys become older ones.
    pub fn rotated(&self, random: &dyn Random) -> Self {
        Self { current: new_key(random), older: self.keys().cloned().collect() }
    }

    /// A ring without this older key. The current key stays.
    pub fn without(&self, id: &str) -> Self {
        Self { current: self.current.clone(), older: self.older.iter().filter(|key| key.id != id).cloned().collect() }
    }

    /// Replace the ring in the file with this one, at once or not at all.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn save(&self, path: &Path) -> Result<(), KeyringError> {
        let temporary = path.with_added_extension("new");
        let replace = || {
            match std::fs::remove_file(&temporary) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            self.write_new(&temporary)?;
            std::fs::rename(&temporary, path)?;
            sync_folder(path)
        };
        replace().map_err(|error| KeyringError::Write(path.into(), error))
    }

    /// Write to a file that must not exist yet and that only its owner may read.
    fn write_new(&self, path: &Path) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        let mut text = Zeroizing::new(String::from(HEADING));
        for key in self.keys() {
            text.push_str(PREFIX);
            text.push_str(&Zeroizing::new(crypto::base64url(key.master.as_slice())));
            text.push('\n');
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        sync_folder(path)
    }

    /// A ring for tests, the same each time.
    #[cfg(test)]
    pub fn for_tests() -> Self {
        Self { current: Key::new(KeyBytes::new([7; 32])), older: Vec::new() }
    }
}

fn new_key(random: &dyn Random) -> Key {
    let mut master = KeyBytes::default();
    random.fill(master.as_mut_slice());
    Key::new(master)
}

fn read_key(word: &str) -> Option<Key> {
    let text = word.strip_prefix(PREFIX).unwrap_or(word);
    let bytes = Zeroizing::new(crypto::base64url_decode(text).or_else(|| crypto::base64_decode(text))?);
    Some(Key::new(KeyBytes::new(bytes.as_slice().try_into().ok()?)))
}

/// Make sure that a new name in a folder outlives a power cut.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;
    use crate::security::random::SystemRandom;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys");
        (folder, path)
    }

    fn ids(ring: &Keyring) -> Vec<&str> {
        ring.keys().map(Key::id).collect()
    }

    #[test]
    fn the_first_start_makes_a_ring_that_only_its_owner_may_read_and_the_next_finds_it() {
        let (_folder, path) = folder();
        let made = Keyring::load_or_create(&path, &SystemRandom).expect("a new ring");
        assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
        let found = Keyring::load_or_create(&path, &SystemRandom).expect("the same ring");
        assert_eq!(ids(&made), ids(&found));
    }

    #[test]
    fn a_key_file_that_others_may_read_is_refused_with_the_cure() {
        let (_folder, path) = folder();
        Keyring::load_or_create(&path, &SystemRandom).expect("a new ring");
        for mode in [0o640, 0o604, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
            let error = Keyring::load_or_create(&path, &SystemRandom).expect_err("it is exposed").to_string();
            assert!(error.contains(&format!("chmod 600 {}", path.display())), "{error}");
        }
    }

    #[test]
    fn an_empty_or_damaged_key_file_is_never_replaced() {
        let (_folder, path) = folder();
        for text in ["", "# nothing\n", "cpk_AAAA\n"] {
            fs::write(&path, text).expect("a file");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a mode");
            Keyring::load_or_create(&path, &SystemRandom).expect_err("no ring");
            assert_eq!(fs::read_to_string(&path).expect("a file"), text);
        }
    }

    #[test]
    fn a_rotated_ring_has_a_new_current_key_and_keeps_the_old_one_through_the_file() {
        let (_folder, path) = folder();
        let first = Keyring::load_or_create(&path, &SystemRandom).expect("a new ring");
        let second = first.rotated(&SystemRandom);
        second.save(&path).expect("saved");
        let found = Keyring::load_or_create(&path, &SystemRandom).expect("the ring");
        assert_eq!(ids(&found), ids(&second));
        assert_eq!(found.missing([first.current().id()]), Vec::<&str>::new());
        assert_eq!(ids(&found.without(first.current().id())), [second.current().id()]);
        assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn the_current_key_cannot_be_taken_out() {
        let ring = Keyring::for_tests();
        assert_eq!(ids(&ring.without(ring.current().id())), ids(&ring));
    }

    #[test]
    fn a_ring_lacks_the_keys_of_another() {
        let (mine, other) = (Keyring::for_tests(), Keyring::for_tests().rotated(&SystemRandom));
        let foreign = other.current().id();
        assert_eq!(mine.missing([foreign, mine.current().id()]), [foreign]);
    }

    #[test]
    fn a_ring_in_the_environment_may_be_a_plain_random_value_in_base64() {
        let plain = crypto::base64(&[9; 32]);
        let two = format!("{plain}, {PREFIX}{}", crypto::base64url(&[10; 32]));
        let one = Keyring::from_secret(&Secret::new(plain)).expect("a ring");
        let both = Keyring::from_secret(&Secret::new(two)).expect("a ring");
        assert_eq!(one.current().id(), both.current().id());
        assert_eq!(both.keys().count(), 2);
    }

    #[test]
    fn what_is_no_ring_is_refused_with_its_line() {
        let key = crypto::base64url(&[9; 32]);
        let refused = |text: String| Keyring::from_secret(&Secret::new(text)).expect_err("no ring").to_string();
        assert!(refused(format!("# keys\n{key}\nhunter2")).starts_with("line 3 is no key"));
        assert!(refused(crypto::base64(&[9; 16])).starts_with("line 1 is no key"));
        assert!(refused(format!("{key}\n{key}")).starts_with("line 2 repeats"));
    }

    #[test]
    fn a_key_is_derived_by_rfc_5869_and_differs_for_each_use() {
        // By hand: extract and expand are one HMAC each for 32 bytes.
        let ring = Keyring::for_tests();
        let extracted = crypto::hmac_sha256(b"chatport key ring v1", &[7; 32]);
        for (purpose, label) in [
            (Use::Sealing, &b"sealing\x01"[..]),
            (Use::Digests, b"digests\x01"),
            (Use::Actions, b"actions\x01"),
            (Use::Api, b"api\x01"),
        ] {
            assert_eq!(ring.current().derived(purpose), &crypto::hmac_sha256(&extracted, label));
        }
    }

    #[test]
    fn debug_output_and_errors_show_no_key() {
        let ring = Keyring::for_tests();
        let shown = format!("{ring:?}");
        assert!(shown.contains(ring.current().id()));
        assert!(!shown.contains("7, 7") && !shown.contains(&crypto::base64url(&[7; 32])));
        let error = Keyring::from_secret(&Secret::new("hunter2")).expect_err("no key");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
