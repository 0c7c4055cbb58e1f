//! Looking at JSON strictly, before it is read: what two programs could read differently, or what
//! is meant to exhaust, is refused. No key twice, no deep nesting, no endless lists. (RFC 8259
//! leaves the meaning of a key that stands twice open.) Nor is U+0000, which not every database
//! can keep in a text.

use std::{borrow::Cow, collections::BTreeSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Deepest nesting.
pub(super) const MAX_DEPTH: usize = 32;
/// Longest list.
pub(super) const MAX_ITEMS: usize = 1_000;

/// Look at one JSON document.
///
/// # Errors
/// What is wrong, with line and column.
pub(super) fn check(bytes: &[u8]) -> Result<(), serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    Node { depth: 0 }.deserialize(&mut reader)?;
    reader.end()
}

#[derive(Clone, Copy)]
struct Node {
    depth: usize,
}

impl Node {
    fn inner<E: Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom(format_args!("nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Node {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        without_nul(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        let mut items = 0;
        while list.next_element_seed(inner)?.is_some() {
            items += 1;
            if items > MAX_ITEMS {
                return Err(A::Error::custom(format_args!("a list of more than {MAX_ITEMS} items")));
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        let mut keys = BTreeSet::new();
        while let Some(key) = entries.next_key_seed(Key)? {
            without_nul(&key)?;
            entries.next_value_seed(inner)?;
            if let Some(twice) = keys.replace(key) {
                return Err(A::Error::custom(format_args!("the key {twice:?} stands twice")));
            }
        }
        Ok(())
    }
}

/// Reads a key; one without escapes isn't copied.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}

fn without_nul<E: Error>(text: &str) -> Result<(), E> {
    if text.contains('\0') { Err(E::custom("the character U+0000 can't be in a text")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn complaint(text: &str) -> String {
        check(text.as_bytes()).expect_err("refused").to_string()
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_at_any_depth() {
        assert_eq!(complaint(r#"[{"a":1,"a":1}]"#), "the key \"a\" stands twice at line 1 column 14");
        // Nor does their number.
        let many: Vec<String> = (0..48).map(|number| format!("\"{number}\":0")).collect();
        assert!(check(format!("{{{}}}", many.join(",")).as_bytes()).is_ok());
        assert!(complaint(&format!("{{{},\"40\":0}}", many.join(","))).starts_with("the key \"40\" stands twice"));
        // Escapes don't hide it.
        assert!(complaint(r#"{"a":1,"\u0061":2}"#).contains("stands twice"));
    }

    #[test]
    fn nesting_is_limited() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(check(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert!(complaint(&nested(MAX_DEPTH + 1)).starts_with("nested deeper than 32 levels"));
        assert!(check(nested(1_000_000).as_bytes()).is_err());
    }

    #[test]
    fn lists_are_limited() {
        let list = |length: usize| format!("[{}]", vec!["1"; length].join(","));
        assert!(check(list(MAX_ITEMS).as_bytes()).is_ok());
        assert!(complaint(&list(MAX_ITEMS + 1)).starts_with("a list of more than 1000 items"));
    }

    #[test]
    fn one_document_in_utf_8_is_all_that_may_stand_there() {
        for bytes in [&b""[..], b"1 2", b"{\"a\":1}x", b"\"\xff\"", b"NaN", b"1e999"] {
            assert!(check(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn the_character_that_not_every_database_keeps_is_refused() {
        for text in [r#"["a\u0000"]"#, r#"{"\u0000":1}"#] {
            assert!(complaint(text).starts_with("the character U+0000 can't be in a text"), "{text}");
        }
        assert!(check(br#""a\nb\u0001""#).is_ok());
    }

    fn texts() -> impl Strategy<Value = String> {
        any::<String>().prop_map(|text| text.replace('\0', ""))
    }

    fn documents() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            texts().prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(texts(), inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_can_be_read_in_one_way_is_accepted(document in documents()) {
            prop_assert!(check(document.to_string().as_bytes()).is_ok());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            // And nothing is accepted that can't be read.
            prop_assert!(check(&bytes).is_err() || serde_json::from_slice::<Value>(&bytes).is_ok());
        }
    }
}
