//! Listings in pages. A page tells where the next one begins by an opaque cursor; a caller
//! follows `next` until it is absent.

use chatport_sdk::crypto;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned, de::Error};

use super::{problem::Problem, problem_types as types};

/// Longest cursor that is looked at.
const MAX_CURSOR: usize = 1_024;

/// One page of a listing.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    /// The things on this page.
    pub items: Vec<T>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// The page of `found`, of which there may be one more than `limit`: then there is a
    /// next page, and it begins after the `position` of the last item on this one.
    ///
    /// # Errors
    /// A position that can't be written as JSON: a defect.
    pub fn of<P: Serialize>(
        mut found: Vec<T>,
        limit: PageLimit,
        position: impl FnOnce(&T) -> P,
    ) -> Result<Self, Problem> {
        let more = found.len() > limit.get();
        found.truncate(limit.get());
        let next = found.last().filter(|_| more).map(|last| Cursor::at(&position(last))).transpose()?;
        Ok(Self { items: found, next })
    }

    /// The same page of something else.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(convert).collect(), next: self.next }
    }
}

/// A place in a listing. Its text means nothing to callers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(String);

impl Cursor {
    /// The cursor of a position.
    ///
    /// # Errors
    /// A position that can't be written as JSON: a defect.
    pub fn at<P: Serialize>(position: &P) -> Result<Self, Problem> {
        let json = serde_json::to_vec(position).map_err(Problem::internal)?;
        Ok(Self(crypto::base64url(&json)))
    }

    /// The position, as the type that it was made of.
    ///
    /// # Errors
    /// A text that no listing gave out.
    pub fn position<P: DeserializeOwned>(&self) -> Result<P, Problem> {
        Some(self.0.as_str())
            .filter(|text| text.len() <= MAX_CURSOR)
            .and_then(crypto::base64url_decode)
            .and_then(|json| serde_json::from_slice(&json).ok())
            .ok_or_else(|| Problem::new(types::INVALID_CURSOR))
    }
}

impl Cursor {
    /// A cursor whose text the store made.
    pub(super) fn new(text: String) -> Self {
        Self(text)
    }

    /// Its text.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl JsonSchema for Cursor {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Cursor".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": MAX_CURSOR, "description": "The `next` of the page before." })
    }
}

/// How many items a page may have: 1 to 500, usually 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageLimit(u16);

impl PageLimit {
    /// The most.
    pub const MAX: u16 = 500;

    /// The number.
    pub fn get(self) -> usize {
        self.0.into()
    }
}

impl Default for PageLimit {
    fn default() -> Self {
        Self(100)
    }
}

impl<'de> Deserialize<'de> for PageLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u16::deserialize(deserializer)? {
            limit @ 1..=Self::MAX => Ok(Self(limit)),
            _ => Err(D::Error::custom("must be a number from 1 to 500")),
        }
    }
}

impl JsonSchema for PageLimit {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PageLimit".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer", "minimum": 1, "maximum": Self::MAX, "default": Self::default().0,
            "description": "Most items on a page.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(number: u16) -> PageLimit {
        serde_json::from_value(number.into()).expect("allowed")
    }

    #[test]
    fn following_next_gives_every_item_once() {
        let all: Vec<u32> = (1..=7).collect();
        let mut seen = Vec::new();
        let mut after = 0;
        loop {
            // What a store does: one more than is wanted.
            let found = all.iter().copied().filter(|item| *item > after).take(4).collect();
            let page = Page::of(found, limit(3), |last| *last).expect("a page");
            seen.extend(page.items);
            match page.next {
                Some(next) => after = next.position().expect("ours"),
                None => break,
            }
        }
        assert_eq!(seen, all);
    }

    #[test]
    fn a_full_last_page_has_no_next() {
        assert_eq!(Page::of(vec![1, 2, 3], limit(3), |last| *last).expect("a page").next, None);
    }

    #[test]
    fn a_cursor_that_no_listing_gave_out_is_refused() {
        for text in ["", "!", "bm90IGpzb24", &"a".repeat(2_000)] {
            let refused = Cursor(text.to_owned()).position::<i64>().expect_err("refused");
            assert_eq!(refused.kind(), types::INVALID_CURSOR);
        }
    }

    #[test]
    fn a_page_has_1_to_500_items() {
        for (number, allowed) in [(0, false), (1, true), (500, true), (501, false)] {
            assert_eq!(serde_json::from_value::<PageLimit>(number.into()).is_ok(), allowed, "{number}");
        }
    }
}
