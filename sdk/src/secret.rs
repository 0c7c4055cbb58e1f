//! A value that must not be seen: it can't be printed, compared carelessly or serialized.

use std::fmt;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroize;

/// A secret text. It has neither `Display` nor `Serialize`, its `Debug` shows nothing, and
/// its memory is wiped when it is dropped. [`Secret::expose`] is the only way in.
///
/// ```
/// use chatport_sdk::prelude::*;
///
/// let secret = Secret::new("hunter2");
/// assert!(!format!("{secret:?}").contains("hunter2"));
/// // In constant time.
/// assert!(secret.matches(b"hunter2") && !secret.matches(b"hunter3"));
/// ```
#[derive(Clone)]
pub struct Secret(Box<str>);

impl Secret {
    /// Wrap a text.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into().into_boxed_str())
    }

    /// The text itself: for a header, a body or a sealed row, never for a log.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the text is empty. An empty key must never be accepted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Compare in constant time.
    pub fn matches(&self, presented: &[u8]) -> bool {
        crate::crypto::constant_time_eq(self.0.as_bytes(), presented)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self::new(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_the_value() {
        assert!(!format!("{:?}", Secret::new("hunter2")).contains("hunter2"));
    }

    #[test]
    fn only_the_same_text_matches() {
        let secret = Secret::new("abc");
        assert!(secret.matches(b"abc"));
        assert!(!secret.matches(b"abd"));
        assert!(!secret.matches(b"ab"));
    }
}
