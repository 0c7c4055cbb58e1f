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
    message::PutMessage,
    store::{Body, MessageDocument},
};
use crate::store::entities::copies;

/// Most bytes of canonical text that are kept; read, they take about twice as much.
const MOST: usize = 2 * 1024 * 1024;

/// They, the newest revision of each.
#[derive(Clone, Default)]
pub(super) struct Recent(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    messages: HashMap<Uuid, (String, Arc<PutMessage>)>,
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
