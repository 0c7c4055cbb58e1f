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
    made: Mutex<Vec<Made>>,
}

/// What one backend has made of it.
struct Made {
    by: Arc<dyn MessagingBackend>,
    rendering: Arc<Rendering>,
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
        let rendering = Arc::new(contained_pure(|| delivery.render(&request)).ok()?);
        let made = Made { by: Arc::clone(backend), rendering: Arc::clone(&rendering) };
        self.made.lock().unwrap_or_else(PoisonError::into_inner).push(made);
        Some(rendering)
    }

    fn known(&self, backend: &Arc<dyn MessagingBackend>) -> Option<Arc<Rendering>> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.iter().find(|made| Arc::ptr_eq(&made.by, backend)).map(|made| Arc::clone(&made.rendering))
    }
}

impl From<PutMessage> for Prepared {
    fn from(put: PutMessage) -> Self {
        Self { put, made: Mutex::default() }
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
