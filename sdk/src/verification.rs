//! Linking by codes: how a code is shown to the person who is to enter it. Making and
//! redeeming codes is the host's work.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{secret::Secret, site::Site, steps::SetupStep};

/// What a code links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A user of the application to an account on the platform.
    User,
    /// A conversation to the organization.
    Channel,
}

/// The verification-code steps of a backend.
///
/// ```
/// use chatport_sdk::prelude::*;
///
/// struct Noticeboard;
///
/// impl Verification for Noticeboard {
///     fn purposes(&self) -> &'static [Purpose] {
///         &[Purpose::User, Purpose::Channel]
///     }
///
///     fn present(&self, site: &Site, purpose: Purpose, code: &Secret) -> Presentation {
///         let to = match purpose {
///             Purpose::User => format!("{}, in a direct message", site.app_name()),
///             Purpose::Channel => "the board that is to be connected".into(),
///         };
///         let send = StepKind::SendText { text: ShownValue::Secret(code.clone()), to };
///         Presentation { steps: vec![SetupStep::new("send-code", "Send the code", "", send)], deep_link: None }
///     }
/// }
/// ```
pub trait Verification: Send + Sync {
    /// What can be linked by a code. Constant.
    fn purposes(&self) -> &'static [Purpose];

    /// What to show to the person who is to enter `code`. Pure: no network. The code is 12
    /// characters of Crockford's base32 in three groups, e.g. `K7QX-2M4P-9ZRT`.
    fn present(&self, site: &Site, purpose: Purpose, code: &Secret) -> Presentation;
}

/// How a code is entered on a platform.
#[derive(Clone, Debug, Default)]
pub struct Presentation {
    /// What to do, in order.
    pub steps: Vec<SetupStep>,
    /// A link that does it all, where the platform has such links.
    pub deep_link: Option<Url>,
}
