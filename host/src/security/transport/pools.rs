//! The transports, one for each installation and each subscription: a connection that was
//! made for one is never used for another. Those that were used least recently are dropped,
//! and their idle connections with them.

use std::{
    collections::HashMap,
    fmt,
    net::IpAddr,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use chatport_sdk::http::Transport;
use rustls::ClientConfig;
use url::{Host, Url};
use uuid::Uuid;

use super::{
    GuardedTransport,
    connector::{Connector, Resolve, SystemResolver},
    tls,
};
use crate::security::network::{Policy, Scheme, check_all};

pub use super::tls::TlsError as TransportError;

/// How many transports are kept.
const CAPACITY: usize = 512;

/// Whose connections.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Owner {
    Installation { organization: String, installation: Uuid },
    Subscription(String),
}

/// Ways out to the network.
pub struct Transports {
    tls: Arc<ClientConfig>,
    resolver: Arc<dyn Resolve>,
    policy: Arc<Policy>,
    subscription_policy: Arc<Policy>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    transports: HashMap<Owner, (Arc<GuardedTransport>, u64)>,
    uses: u64,
}

impl Transports {
    /// Ways out that `policy` guards. `extra_authorities` is a file of certificates in PEM
    /// that are trusted besides the system's.
    ///
    /// # Errors
    /// That file can't be used.
    pub fn new(policy: Policy, extra_authorities: Option<&Path>) -> Result<Self, TransportError> {
        Self::with_resolver(policy, extra_authorities, Arc::new(SystemResolver))
    }

    /// The same, with names looked up by `resolver`.
    ///
    /// # Errors
    /// The file of certificates can't be used.
    pub fn with_resolver(
        policy: Policy,
        extra_authorities: Option<&Path>,
        resolver: Arc<dyn Resolve>,
    ) -> Result<Self, TransportError> {
        let subscription_policy = Arc::new(policy.for_subscriptions());
        Ok(Self {
            tls: tls::client_config(extra_authorities)?,
            resolver,
            policy: Arc::new(policy),
            subscription_policy,
            kept: Mutex::default(),
        })
    }

    /// The transport of an installation.
    pub fn for_installation(&self, organization: &str, installation: Uuid) -> Arc<dyn Transport> {
        let organization = organization.to_owned();
        self.kept(Owner::Installation { organization, installation }, &self.policy)
    }

    /// The transport of a subscription.
    pub fn for_subscription(&self, name: &str) -> Arc<dyn Transport> {
        self.kept(Owner::Subscription(name.to_owned()), &self.subscription_policy)
    }

    /// The transport of a remote backend at `url`, which the operator has named: that very
    /// address may be called, see [`Policy::naming`].
    pub fn for_remote(&self, url: &Url) -> Arc<dyn Transport> {
        let policy = Arc::new(self.policy.naming(url));
        let connector = Connector { policy, resolver: self.resolver.clone() };
        Arc::new(GuardedTransport::new(connector, self.tls.clone()))
    }

    /// Whether a subscription's URL may be called, as far as that is known without looking a
    /// name up: for an address that stands in it. The text names the line of the
    /// configuration that would allow it.
    ///
    /// # Errors
    /// The guard refuses the address.
    pub fn check_subscription(&self, url: &Url) -> Result<(), String> {
        let ip = match url.host() {
            Some(Host::Ipv4(ip)) => IpAddr::from(ip),
            Some(Host::Ipv6(ip)) => ip.into(),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        let (Some(scheme), Some(host)) = (Scheme::parse(url.scheme()), url.host_str()) else { return Ok(()) };
        let port = url.port().unwrap_or(scheme.default_port());
        check_all(&self.subscription_policy, scheme, host, port, &[ip])
    }

    fn kept(&self, owner: Owner, policy: &Arc<Policy>) -> Arc<GuardedTransport> {
        // A panic can't leave the map half changed: what it holds stays usable.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uses += 1;
        let now = kept.uses;
        if let Some((transport, used)) = kept.transports.get_mut(&owner) {
            *used = now;
            return transport.clone();
        }
        if kept.transports.len() >= CAPACITY {
            let oldest = kept.transports.iter().min_by_key(|(_, (_, used))| *used);
            if let Some(oldest) = oldest.map(|(owner, _)| owner.clone()) {
                kept.transports.remove(&oldest);
            }
        }
        let connector = Connector { policy: policy.clone(), resolver: self.resolver.clone() };
        let transport = Arc::new(GuardedTransport::new(connector, self.tls.clone()));
        kept.transports.insert(owner, (transport.clone(), now));
        transport
    }
}

impl fmt::Debug for Transports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transports").field("policy", &self.policy).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transports() -> Transports {
        Transports::new(Policy::default(), None).expect("TLS")
    }

    fn is_same(one: &Arc<dyn Transport>, other: &Arc<dyn Transport>) -> bool {
        Arc::ptr_eq(one, other)
    }

    #[test]
    fn an_installation_keeps_its_transport_and_shares_it_with_nobody() {
        let transports = transports();
        let mine = transports.for_installation("acme", Uuid::nil());
        assert!(is_same(&mine, &transports.for_installation("acme", Uuid::nil())));
        assert!(!is_same(&mine, &transports.for_installation("other", Uuid::nil())));
        assert!(!is_same(&mine, &transports.for_installation("acme", Uuid::max())));
        assert!(!is_same(&mine, &transports.for_subscription("acme")));
    }

    #[test]
    fn an_address_in_a_subscriptions_url_is_checked_at_once_and_a_name_is_not() {
        let transports = transports();
        let checked = |url: &str| transports.check_subscription(&url.parse().expect("a URL"));
        let refused = checked("http://10.1.2.3:3000/hook").expect_err("private");
        assert!(refused.ends_with(r#"configure allow_networks = ["10.1.2.3=10.1.2.3/32:3000"]"#), "{refused}");
        assert!(checked("http://[::1]:3000/").is_err());
        assert!(checked("https://169.254.169.254/").expect_err("metadata").contains("can't be allowed"));
        assert_eq!(checked("https://198.41.0.4/hook"), Ok(()));
        assert_eq!(checked("http://chat.corp/hook"), Ok(()));
    }

    #[test]
    fn the_transport_that_was_used_least_recently_makes_room() {
        let transports = transports();
        let kept = transports.for_subscription("busy");
        let dropped = transports.for_subscription("forgotten");
        for number in 2..=CAPACITY {
            transports.for_subscription("busy");
            transports.for_subscription(&number.to_string());
        }
        assert!(is_same(&kept, &transports.for_subscription("busy")));
        assert!(!is_same(&dropped, &transports.for_subscription("forgotten")));
    }
}
