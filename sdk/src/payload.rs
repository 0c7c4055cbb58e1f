//! A backend's own form of a post, between rendering and sending.

use serde::{Deserialize, Serialize};
use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};

/// What a backend keeps of a post between [`render`](crate::delivery::Delivery::render) and
/// [`post`](crate::delivery::Delivery::post): JSON that nobody else reads. It is kept as text, so
/// that a backend writes it once, from a type of its own, and reads what it needs back without
/// copying it. Equal texts are equal payloads.
///
/// ```
/// use chatport_sdk::prelude::*;
/// use serde::{Deserialize, Serialize};
/// use std::borrow::Cow;
///
/// #[derive(Serialize, Deserialize)]
/// struct Notice<'a> {
///     #[serde(borrow)]
///     text: Cow<'a, str>,
/// }
///
/// let payload = Payload::of(&Notice { text: "Disk full".into() })?;
/// assert_eq!(payload.text(), r#"{"text":"Disk full"}"#);
/// assert_eq!(payload.read::<Notice<'_>>()?.text, "Disk full");
/// // Where no type is worth it:
/// let payload = Payload::from(serde_json::json!({ "text": "Disk full" }));
/// assert_eq!(payload.value()["text"], "Disk full");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "Value")]
pub struct Payload(Box<RawValue>);

impl Payload {
    /// Keep `value`. Fails only for values that JSON can't hold.
    ///
    /// # Errors
    /// The value isn't JSON, e.g. a map whose keys aren't texts.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        to_raw_value(value).map(Self)
    }

    /// Read it back as the backend's own type, which may borrow its texts.
    ///
    /// # Errors
    /// It is of another shape: another backend's, or an earlier release's.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.text())
    }

    /// It as JSON that can be changed.
    pub fn value(&self) -> Value {
        self.read().unwrap_or_default()
    }

    /// Its text.
    pub fn text(&self) -> &str {
        self.0.get()
    }
}

impl Default for Payload {
    /// Nothing: `null`.
    fn default() -> Self {
        Self(RawValue::NULL.to_owned())
    }
}

impl From<Value> for Payload {
    fn from(value: Value) -> Self {
        Self::of(&value).unwrap_or_default()
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::delivery::Part;

    #[test]
    fn it_travels_as_the_json_that_it_is() {
        let part = Part { payload: json!({ "text": "a \"b\"", "more": [1, null] }).into(), actions: vec![] };
        let sent = serde_json::to_string(&part).expect("JSON");
        assert_eq!(sent, r#"{"payload":{"more":[1,null],"text":"a \"b\""},"actions":[]}"#);
        assert_eq!(serde_json::from_str::<Part>(&sent).expect("a part"), part);
    }

    #[test]
    fn what_differs_in_spelling_alone_is_the_same_once_it_has_travelled() {
        let read = |text: &str| serde_json::from_str::<Payload>(text).expect("JSON");
        assert_eq!(read(r#"{"a":1,"b":"\u00e9"}"#), read("{ \"b\": \"é\", \"a\": 1 }"));
    }
}
