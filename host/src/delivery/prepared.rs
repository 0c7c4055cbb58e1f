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
    /// one. Nothing is what a backend gives that is away: then it is asked again. `None`: it
    /// can't deliver, or panics.
    pub(super) fn rendering(&self, backend: &Arc<dyn MessagingBackend>) -> Option<Arc<Rendering>> {
        if let Some(known) = self.known(backend) {
            return Some(known);
        }
        let delivery = backend.delivery()?;
        let request = RenderRequest::new(&self.put.content, &backend.descriptor().limits);
        let rendering = Arc::new(contained_pure(|| delivery.render(&request)).ok()?);
        if !rendering.parts.is_empty() {
            let made = Made { by: Arc::clone(backend), rendering: Arc::clone(&rendering) };
            self.made.lock().unwrap_or_else(PoisonError::into_inner).push(made);
        }
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use chatport_sdk::prelude::*;

    use super::*;

    /// Gives nothing the first time, and counts how often it is asked.
    struct Owl(Descriptor, AtomicUsize);

    impl MessagingBackend for Owl {
        fn descriptor(&self) -> &Descriptor {
            &self.0
        }

        fn delivery(&self) -> Option<&dyn Delivery> {
            Some(self)
        }
    }

    #[async_trait]
    impl Delivery for Owl {
        fn render(&self, _: &RenderRequest<'_>) -> Rendering {
            let part = Part { payload: Payload::default(), actions: Vec::new() };
            let parts = if self.1.fetch_add(1, SeqCst) == 0 { Vec::new() } else { vec![part] };
            Rendering { parts, notes: Vec::new() }
        }

        fn stream(&self, _: &Address) -> Result<StreamKey, Failure> {
            Ok(StreamKey { key: "tree".into(), rate: "default" })
        }

        async fn post(&self, _: &Site, outgoing: &Outgoing) -> Result<Receipt, Failure> {
            Ok(Receipt::new(outgoing.copy.clone()))
        }
    }

    #[test]
    fn a_backend_is_asked_until_it_gives_something_and_then_no_more() {
        let owl = Arc::new(Owl(Descriptor::new("owl", "Owl"), AtomicUsize::new(0)));
        let backend = Arc::clone(&owl) as Arc<dyn MessagingBackend>;
        let prepared = Prepared::from(PutMessage::of(1, Content::default()));
        let parts = || prepared.rendering(&backend).expect("a rendering").parts.len();
        assert_eq!((parts(), parts(), parts(), owl.1.load(SeqCst)), (0, 1, 1, 2));
        let attached_anew = Arc::new(Owl(Descriptor::new("owl", "Owl"), AtomicUsize::new(1)));
        let backend = Arc::clone(&attached_anew) as Arc<dyn MessagingBackend>;
        prepared.rendering(&backend).expect("a rendering");
        assert_eq!(attached_anew.1.load(SeqCst), 2, "another one, which is asked");
    }
}
