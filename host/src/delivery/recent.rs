//! The messages that this process has accepted last, as they were read. A copy whose stream was
//! busy is sent a moment after it was accepted; its message needn't be loaded and read again
//! for that.

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

/// They, the newest revision of each.
#[derive(Clone, Default)]
pub(super) struct Recent(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    messages: HashMap<Uuid, (String, Arc<Prepared>)>,
    /// In the order in which they came: the message, its revision and its size.
    order: VecDeque<(Uuid, i64, usize)>,
    size: usize,
}

impl Recent {
    /// These have been committed.
    pub(super) fn keep(&self, accepted: &[(Uuid, &Operation)]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, operation) in accepted {
            let size = operation.canonical.len();
            kept.messages.insert(*id, (operation.key.clone(), Arc::clone(&operation.put)));
            kept.order.push_back((*id, operation.put.revision, size));
            kept.size += size;
        }
        while kept.size > MOST
            && let Some((id, revision, size)) = kept.order.pop_front()
        {
            kept.size -= size;
            if kept.messages.get(&id).is_some_and(|(_, put)| put.revision == revision) {
                kept.messages.remove(&id);
            }
        }
    }

    /// What a copy is to show, if it is to show the revision that is kept.
    pub(super) fn document(&self, copy: &copies::Model) -> Option<(Uuid, MessageDocument)> {
        let id = copy.message.filter(|_| copy.pinned.is_none())?;
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (key, put) = kept.messages.get(&id).filter(|(_, put)| put.revision == copy.revision)?;
        Some((id, MessageDocument { key: key.clone(), body: Body::Read(Arc::clone(put)), pinned: None }))
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
        recent.keep(&[(id, &operation(1, 10)), (id, &operation(2, 10))]);
        assert!(recent.document(&copy(id, 2, None)).is_some());
        assert!(recent.document(&copy(id, 1, None)).is_none(), "an older one");
        assert!(recent.document(&copy(id, 3, None)).is_none(), "one that another replica has accepted");
        assert!(recent.document(&copy(id, 2, Some(1))).is_none(), "a final one goes first");
        assert!(recent.document(&copy(Uuid::nil(), 2, None)).is_none(), "another message");
    }

    #[test]
    fn the_oldest_make_room_and_a_newer_revision_of_theirs_stays() {
        let (recent, [one, other]) = (Recent::default(), [1, 2].map(Uuid::from_u128));
        recent.keep(&[(one, &operation(1, MOST)), (one, &operation(2, 1))]);
        assert!(recent.document(&copy(one, 2, None)).is_some());
        recent.keep(&[(other, &operation(1, MOST))]);
        assert!(recent.document(&copy(one, 2, None)).is_none());
        assert!(recent.document(&copy(other, 1, None)).is_some());
    }
}
