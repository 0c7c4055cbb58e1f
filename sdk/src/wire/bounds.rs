//! How long what a remote backend says may be.

use serde_json::Value;

/// Longest words for an operator or a person, in characters; what is longer is cut.
const WORDS: usize = 500;

/// A rule that an answer breaks, in words without anything of the answer's content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Broken(String);

impl Broken {
    pub(super) fn new(rule: impl Into<String>) -> Self {
        Self(rule.into())
    }
}

/// Words as they may stand in a log or before a person: cut, on one line.
pub(super) fn words(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(WORDS).collect()
}

/// At most `most` characters.
pub(super) fn text(name: &str, value: &str, most: usize) -> Result<(), Broken> {
    if value.chars().count() > most {
        return Err(Broken::new(format!("{name} has more than {most} characters")));
    }
    Ok(())
}

/// 1 to `most` characters, none of them a control character.
pub(super) fn name(name: &str, value: &str, most: usize) -> Result<(), Broken> {
    if value.trim().is_empty() || value.chars().any(char::is_control) {
        return Err(Broken::new(format!("{name} must be a text without control characters, and not empty")));
    }
    text(name, value, most)
}

/// JSON of at most `most` bytes.
pub(super) fn json(name: &str, value: &Value, most: usize) -> Result<(), Broken> {
    bytes(name, &value.to_string(), most)
}

/// JSON of at most `most` bytes, as text.
pub(super) fn bytes(name: &str, json: &str, most: usize) -> Result<(), Broken> {
    if json.len() > most {
        return Err(Broken::new(format!("{name} has more than {most} bytes as JSON")));
    }
    Ok(())
}

/// At most `most` items.
pub(super) fn count<T>(name: &str, items: &[T], most: usize) -> Result<(), Broken> {
    if items.len() > most {
        return Err(Broken::new(format!("{name}: more than {most}")));
    }
    Ok(())
}
