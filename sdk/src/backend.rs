//! The trait that a backend implements, and how the program finds it.

use std::sync::Arc;

use crate::{
    commands::Commands, delivery::Delivery, descriptor::Descriptor, directory::Directory, ingress::Ingress,
    install::Install, listen::Listen, verification::Verification,
};

/// The code for one chat platform.
///
/// Each accessor stands for one optional part and returns `None` unless overridden. The
/// catalogue, the API's refusals and the conformance suite derive from the accessors, so
/// there is no list of capabilities that could fall out of step. Accessors are called
/// often, must be cheap and must give the same answer each time.
///
/// ```
/// use std::sync::LazyLock;
///
/// use chatport_sdk::prelude::*;
///
/// #[derive(Default)]
/// struct Noticeboard;
///
/// register_backend!(Noticeboard);
///
/// static DESCRIPTOR: LazyLock<Descriptor> = LazyLock::new(|| {
///     let mut descriptor = Descriptor::new("noticeboard", "Noticeboard");
///     descriptor.limits.text = 2_000;
///     descriptor
/// });
///
/// // Without any part it is known by name, and no more.
/// impl MessagingBackend for Noticeboard {
///     fn descriptor(&self) -> &Descriptor {
///         &DESCRIPTOR
///     }
/// }
/// ```
pub trait MessagingBackend: Send + Sync + 'static {
    /// Identity, labels, limits, settings and token kinds. Constant.
    fn descriptor(&self) -> &Descriptor;

    /// The install steps: how an organization sets this platform up.
    fn install(&self) -> Option<&dyn Install> {
        None
    }

    /// The verification-code steps: how a person or a channel is linked.
    fn verification(&self) -> Option<&dyn Verification> {
        None
    }

    /// Posting, editing and deleting. A backend without it can't deliver.
    fn delivery(&self) -> Option<&dyn Delivery> {
        None
    }

    /// What the platform calls.
    fn ingress(&self) -> Option<&dyn Ingress> {
        None
    }

    /// How a platform is heard that doesn't call.
    fn listen(&self) -> Option<&dyn Listen> {
        None
    }

    /// Finding people and channels, for pickers.
    fn directory(&self) -> Option<&dyn Directory> {
        None
    }

    /// Making the application's commands known to the platform.
    fn commands(&self) -> Option<&dyn Commands> {
        None
    }
}

/// One linked-in backend. Made by [`register_backend!`](crate::register_backend).
#[derive(Debug)]
pub struct Registration {
    make: fn() -> Arc<dyn MessagingBackend>,
    crate_name: &'static str,
}

impl Registration {
    /// A registration of `B`, found in the crate `crate_name`.
    pub const fn new<B: MessagingBackend + Default>(crate_name: &'static str) -> Self {
        Self { make: || Arc::new(B::default()), crate_name }
    }

    /// Make the backend. Called once, at start-up.
    pub fn make(&self) -> Arc<dyn MessagingBackend> {
        (self.make)()
    }

    /// The crate that registered it: named when two backends have one id.
    pub fn crate_name(&self) -> &'static str {
        self.crate_name
    }
}

inventory::collect!(Registration);

/// Register a backend: `register_backend!(MyBackend);`, where `MyBackend: Default`.
///
/// The plain form is `inventory::submit! { Registration::new::<MyBackend>("my-crate") }`.
#[macro_export]
macro_rules! register_backend {
    ($backend:ty) => {
        $crate::inventory::submit! {
            $crate::backend::Registration::new::<$backend>(env!("CARGO_PKG_NAME"))
        }
    };
}
