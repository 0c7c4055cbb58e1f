//! Reading JSON strictly: what two programs could read differently, or what is meant to
//! exhaust, is refused. No key twice, no deep nesting, no endless lists. (RFC 8259 leaves
//! the meaning of a key that stands twice open.) Nor is U+0000, which not every database
//! can keep in a text.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Deepest nesting.
pub(super) const MAX_DEPTH: usize = 32;
/// Longest list.
pub(super) const MAX_ITEMS: usize = 1_000;

/// Read one JSON document.
///
/// # Errors
/// What is wrong, with line and column.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Node { depth: 0 }.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
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
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Number::from_f64(number).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        without_nul(text)?;
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(inner)? {
            if items.len() == MAX_ITEMS {
                return Err(A::Error::custom(format_args!("a list of more than {MAX_ITEMS} items")));
            }
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            without_nul(&key)?;
            let value = entries.next_value_seed(inner)?;
            if object.contains_key(&key) {
                return Err(A::Error::custom(format_args!("the key {key:?} stands twice")));
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

fn without_nul<E: Error>(text: &str) -> Result<(), E> {
    if text.contains('\0') { Err(E::custom("the character U+0000 can't be in a text")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn complaint(text: &str) -> String {
        parse(text.as_bytes()).expect_err("refused").to_string()
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_at_any_depth() {
        assert_eq!(complaint(r#"[{"a":1,"a":1}]"#), "the key \"a\" stands twice at line 1 column 14");
        // Escapes don't hide it.
        assert!(complaint(r#"{"a":1,"\u0061":2}"#).contains("stands twice"));
    }

    #[test]
    fn nesting_is_limited() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert!(complaint(&nested(MAX_DEPTH + 1)).starts_with("nested deeper than 32 levels"));
        assert!(parse(nested(1_000_000).as_bytes()).is_err());
    }

    #[test]
    fn lists_are_limited() {
        let list = |length: usize| format!("[{}]", vec!["1"; length].join(","));
        assert!(parse(list(MAX_ITEMS).as_bytes()).is_ok());
        assert!(complaint(&list(MAX_ITEMS + 1)).starts_with("a list of more than 1000 items"));
    }

    #[test]
    fn one_document_in_utf_8_is_all_that_may_stand_there() {
        for bytes in [&b""[..], b"1 2", b"{\"a\":1}x", b"\"\xff\"", b"NaN", b"1e999"] {
            assert!(parse(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn the_character_that_not_every_database_keeps_is_refused() {
        for text in [r#"["a\u0000"]"#, r#"{"\u0000":1}"#] {
            assert!(complaint(text).starts_with("the character U+0000 can't be in a text"), "{text}");
        }
        assert!(parse(br#""a\nb\u0001""#).is_ok());
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
        fn what_is_acceptable_is_read_as_it_was_written(document in documents()) {
            prop_assert_eq!(parse(document.to_string().as_bytes()).expect("acceptable"), document);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = parse(&bytes);
        }
    }
}
