//! Messages that this process has accepted a moment ago while the streams of some of their
//! copies were busy, as they were read: they needn't be loaded and read again to be sent. Each is
//! kept until those copies have been taken.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use uuid::Uuid;

use super::{
    accept::Operation,
    prepared::Prepared,
    store::{Body, MessageDocument},
};
use crate::store::entities::copies;

/// Most bytes of canonical text that are kept; read and rendered, they take some times as much.
const MOST: usize = 2 * 1024 * 1024;
/// Most messages that are kept.
const MOST_MESSAGES: usize = 4_096;

/// They, the newest revision of each.
#[derive(Clone, Default)]
pub(super) struct Recent(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    messages: HashMap<Uuid, Message>,
    /// In the order in which they came; some are no longer kept.
    order: VecDeque<(Uuid, i64)>,
    size: usize,
}

struct Message {
    key: String,
    put: Arc<Prepared>,
    size: usize,
    /// How many copies are still to be taken.
    waiting: usize,
}

impl Kept {
    fn remove(&mut self, id: Uuid) {
        if let Some(message) = self.messages.remove(&id) {
            self.size -= message.size;
        }
    }

    fn is_kept(&self, (id, revision): (Uuid, i64)) -> bool {
        self.messages.get(&id).is_some_and(|message| message.put.revision == revision)
    }
}

impl Recent {
    /// These have been committed; so many copies of each wait for their turn.
    pub(super) fn keep(&self, accepted: &[(Uuid, &Operation, usize)]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, operation, waiting) in accepted {
            let (key, put, size) = (operation.key.clone(), Arc::clone(&operation.put), operation.canonical.len());
            kept.remove(*id);
            kept.order.push_back((*id, put.revision));
            kept.messages.insert(*id, Message { key, put, size, waiting: *waiting });
            kept.size += size;
        }
        while let Some(oldest) = kept.order.front().copied()
            && (kept.size > MOST || kept.order.len() > MOST_MESSAGES || !kept.is_kept(oldest))
        {
            kept.order.pop_front();
            if kept.is_kept(oldest) {
                kept.remove(oldest.0);
            }
        }
    }

    /// What a copy that is taken is to show, if it is to show the revision that is kept.
    pub(super) fn take(&self, copy: &copies::Model) -> Option<(Uuid, MessageDocument)> {
        let id = copy.message.filter(|_| copy.pinned.is_none())?;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let message = kept.messages.get_mut(&id).filter(|message| message.put.revision == copy.revision)?;
        message.waiting = message.waiting.saturating_sub(1);
        let (is_last, key, body) = (message.waiting == 0, message.key.clone(), Body::Read(Arc::clone(&message.put)));
        if is_last {
            kept.remove(id);
        }
        Some((id, MessageDocument { key, body, pinned: None }))
    }
}

#[cfg(test)]
mod tests {
    use chatport_sdk::{content::Content, time::Timestamp};
    use serde_json::json;

    use super::*;
    use crate::delivery::message::PutMessage;
    use crate::ids::OrganizationId;

    fn operation(revision: i64, size: usize) -> Operation {
        Operation {
            organization: OrganizationId::stored("acme".into()),
            key: "disk".into(),
            put: Arc::new(PutMessage::of(revision, Content::default()).into()),
            canonical: "x".repeat(size),
            fingerprint: [0; 32],
            planned: Vec::new(),
            expires_at: Timestamp::EPOCH,
            due_at: Timestamp::EPOCH,
            now: Timestamp::EPOCH,
            quota: 0,
        }
    }

    fn copy(message: Uuid, revision: i64, pinned: Option<i64>) -> copies::Model {
        let row = json!({ "organization": "acme", "id": Uuid::nil(), "message": message, "target": "{}", "sequence": 0,
            "revision": revision, "pinned": pinned, "is_open": true, "removal": false, "is_fallback": false,
            "may_fold": false, "fence": 0, "state": "pending", "attempts": 0, "crashes": 0, "parts": "[]", "urgency": 1,
            "expires_at": 0, "created_at": 0, "updated_at": 0 });
        serde_json::from_value(row).expect("a copy")
    }

    #[test]
    fn a_copy_is_given_the_revision_that_it_is_to_show_and_no_other() {
        let (recent, id) = (Recent::default(), Uuid::max());
        recent.keep(&[(id, &operation(1, 10), 1), (id, &operation(2, 10), 1)]);
        assert!(recent.take(&copy(id, 1, None)).is_none(), "an older one");
        assert!(recent.take(&copy(id, 3, None)).is_none(), "one that another replica has accepted");
        assert!(recent.take(&copy(id, 2, Some(1))).is_none(), "a final one goes first");
        assert!(recent.take(&copy(Uuid::nil(), 2, None)).is_none(), "another message");
        assert!(recent.take(&copy(id, 2, None)).is_some());
    }

    #[test]
    fn the_oldest_make_room_and_a_newer_revision_of_theirs_stays() {
        let (recent, [one, other]) = (Recent::default(), [1, 2].map(Uuid::from_u128));
        recent.keep(&[(one, &operation(1, MOST), 2), (one, &operation(2, 1), 2)]);
        assert!(recent.take(&copy(one, 2, None)).is_some());
        recent.keep(&[(other, &operation(1, MOST), 1)]);
        assert!(recent.take(&copy(one, 2, None)).is_none());
        assert!(recent.take(&copy(other, 1, None)).is_some());
    }

    #[test]
    fn a_message_goes_with_the_last_copy_that_waited_and_leaves_its_room() {
        let (recent, [one, other]) = (Recent::default(), [1, 2].map(Uuid::from_u128));
        recent.keep(&[(one, &operation(1, MOST), 2), (other, &operation(1, 0), 1)]);
        assert!(recent.take(&copy(one, 1, None)).is_some());
        assert!(recent.take(&copy(one, 1, None)).is_some());
        assert!(recent.take(&copy(one, 1, None)).is_none(), "two waited");
        recent.keep(&[(one, &operation(2, MOST), 1)]);
        assert!(recent.take(&copy(other, 1, None)).is_some(), "the first one's room was free");
    }
}
