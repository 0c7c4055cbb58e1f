//! What every part of the host shares.

use std::{ops::Deref, sync::Arc};

use chatport_sdk::{site::Random, time::Clock};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    config::Settings,
    crowd::Crowd,
    delivery::{Delivery, read::RecentTallies},
    events::health::SubscriptionHealth,
    ingress::Ingress,
    registry::Registry,
    security::{keyring::Keyring, transport::Transports},
    setup::{command_sync::CommandSync, directory::Questions, renewal::Renewals},
    store::Database,
};

/// The host, for whoever needs a part of it; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The host's parts.
#[derive(Clone)]
pub struct Parts {
    /// What the operator configured.
    pub settings: Arc<Settings>,
    /// Where platforms reach this host, without a slash at the end.
    pub public_url: Option<Url>,
    /// The database.
    pub database: Database,
    /// The linked backends.
    pub registry: Registry,
    /// The keys.
    pub keyring: Arc<Keyring>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Ways out to the network.
    pub transports: Arc<Transports>,
    /// The delivery engine's front door.
    pub delivery: Delivery,
    /// How many copy-revisions ended how, for whoever watches.
    pub tallies: RecentTallies,
    /// What the platforms' way in keeps.
    pub ingress: Ingress,
    /// How much may be inside at once.
    pub crowd: Crowd,
    /// How the receivers of events have answered.
    pub subscription_health: SubscriptionHealth,
    /// Credentials that are being renewed.
    pub renewals: Renewals,
    /// How often directories are asked.
    pub questions: Questions,
    /// Tells whoever makes commands known that some are due.
    pub command_sync: CommandSync,
    /// Cancelled when the host begins to stop.
    pub stopping: CancellationToken,
}

impl From<Parts> for App {
    fn from(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("App")
    }
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Parts")
    }
}
