//! Reading long lists in pages. A cursor is where the last page ended; rows that change
//! meanwhile move to the end, so nobody misses them.

use chatport_sdk::{crypto, time::Timestamp};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use uuid::Uuid;

/// Most rows of a page.
pub const MAX_LIMIT: u64 = 1_000;

/// Where a page ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// When the last row was changed.
    pub updated_at: Timestamp,
    /// Its id.
    pub id: Uuid,
}

impl Cursor {
    /// As the opaque text that a caller gives back.
    pub fn encode(&self) -> String {
        let mut bytes = Vec::with_capacity(24);
        bytes.extend(self.updated_at.as_micros().to_be_bytes());
        bytes.extend(self.id.as_bytes());
        crypto::base64url(&bytes)
    }

    /// Read it back; `None` if it isn't one of ours.
    pub fn decode(text: &str) -> Option<Self> {
        let bytes = crypto::base64url_decode(text)?;
        let (time, id) = bytes.split_at_checked(8)?;
        Some(Self {
            updated_at: Timestamp::from_micros(i64::from_be_bytes(time.try_into().ok()?)),
            id: Uuid::from_slice(id).ok()?,
        })
    }
}

/// Which page is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// After this row.
    pub after: Option<Cursor>,
    /// At most this many rows.
    pub limit: u64,
}

impl Default for Page {
    fn default() -> Self {
        Self { after: None, limit: 100 }
    }
}

/// One page.
#[derive(Clone, Debug)]
pub struct Paged<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Cursor>,
}

impl<T> Paged<T> {
    /// A page of rows that were read with one more than `page.limit`.
    pub(super) fn of<Row>(
        page: Page,
        mut rows: Vec<Row>,
        at: impl Fn(&Row) -> Cursor,
        show: impl Fn(Row) -> T,
    ) -> Self {
        let limit = page.size();
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(at) } else { None };
        Self { items: rows.into_iter().map(show).collect(), next }
    }
}

impl Page {
    /// How many rows it has at most.
    pub(super) fn size(&self) -> usize {
        self.limit.clamp(1, MAX_LIMIT) as usize
    }

    /// How many rows to read, to know whether there are more.
    pub(super) fn one_more(&self) -> u64 {
        self.limit.clamp(1, MAX_LIMIT) + 1
    }
}

/// The rows of a page, and one more to know whether there is another: those after its
/// cursor, in the order of their last change.
pub(super) fn in_order<E: EntityTrait>(
    query: Select<E>,
    page: Page,
    updated_at: E::Column,
    id: E::Column,
) -> Select<E> {
    let query = match page.after {
        Some(cursor) => {
            let at = cursor.updated_at.as_micros();
            query.filter(updated_at.gt(at).or(updated_at.eq(at).and(id.gt(cursor.id))))
        }
        None => query,
    };
    query.order_by_asc(updated_at).order_by_asc(id).limit(page.one_more())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was_and_garbage_is_none() {
        let cursor = Cursor { updated_at: Timestamp::from_micros(1_767_225_600_123_456), id: Uuid::now_v7() };
        assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        for garbage in ["", "abc", "%%%", "AAAAAAAAAAA"] {
            assert_eq!(Cursor::decode(garbage), None, "{garbage}");
        }
    }
}
