//! A message as it was read, with what backends make of it. To accept it, each is asked what it
//! has to leave out; the first attempt, mostly a moment later, sends what was made for that.

use std::{
    fmt,
    ops::Deref,
    sync::{Arc, Mutex, PoisonError},
};

use chatport_sdk::{
    backend::MessagingBackend,
    delivery::{RenderRequest, Rendering},
};

use super::message::PutMessage;
use crate::setup::contain::contained_pure;

/// It.
pub struct Prepared {
    put: PutMessage,
    renderings: Mutex<Vec<(Arc<dyn MessagingBackend>, Arc<Rendering>)>>,
}

impl Prepared {
    /// Its content in a backend's form. A remote backend that has been attached anew is another
    /// one. `None`: it can't deliver, or panics.
    pub(super) fn rendering(&self, backend: &Arc<dyn MessagingBackend>) -> Option<Arc<Rendering>> {
        if let Some(known) = self.known(backend) {
            return Some(known);
        }
        let delivery = backend.delivery()?;
        let request = RenderRequest::new(&self.put.content, &backend.descriptor().limits);
        let made = Arc::new(contained_pure(|| delivery.render(&request)).ok()?);
        let mut renderings = self.renderings.lock().unwrap_or_else(PoisonError::into_inner);
        renderings.push((Arc::clone(backend), Arc::clone(&made)));
        Some(made)
    }

    fn known(&self, backend: &Arc<dyn MessagingBackend>) -> Option<Arc<Rendering>> {
        let renderings = self.renderings.lock().unwrap_or_else(PoisonError::into_inner);
        renderings.iter().find(|(of, _)| Arc::ptr_eq(of, backend)).map(|(_, known)| Arc::clone(known))
    }
}

impl From<PutMessage> for Prepared {
    fn from(put: PutMessage) -> Self {
        Self { put, renderings: Mutex::default() }
    }
}

impl Deref for Prepared {
    type Target = PutMessage;

    fn deref(&self) -> &PutMessage {
        &self.put
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.put.fmt(f)
    }
}
