//! The network guard: which addresses backends and subscriptions may reach. An address is
//! public, private, loopback or never to be reached; the operator's grants open what isn't
//! public, one host, network and port at a time. Deciding is pure: the connector asks for
//! every address that a name resolves to, before it dials one of them.

mod address;
mod grant;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

pub use address::{Class, classify};
pub use grant::{Grant, GrantError};

/// The scheme of a URL that may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// In clear text.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// By its name in a URL; `None` for any that is never called.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "http" => Some(Self::Http),
            "https" => Some(Self::Https),
            _ => None,
        }
    }

    /// The port that a URL without one means.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// What the operator allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    grants: Vec<Grant>,
    loopback_subscriptions: bool,
    loopback: bool,
}

impl Policy {
    /// A policy of these grants. `loopback_subscriptions` lets subscriptions call any port of
    /// this machine, as a host does that itself listens on loopback alone.
    pub fn new(grants: Vec<Grant>, loopback_subscriptions: bool) -> Self {
        Self { grants, loopback_subscriptions, loopback: false }
    }

    /// A policy of grants in the operator's words.
    ///
    /// # Errors
    /// A grant that can't be read, or that nothing could come of.
    pub fn parse<T: AsRef<str>>(grants: &[T], loopback_subscriptions: bool) -> Result<Self, GrantError> {
        let grants = grants.iter().map(|text| text.as_ref().parse()).collect::<Result<_, _>>()?;
        Ok(Self::new(grants, loopback_subscriptions))
    }

    /// The same, and besides what an address in the operator's own words names: the IP address
    /// that stands in it, or this machine for `localhost`. Any other name may mean something
    /// else tomorrow, so a private one takes a grant.
    pub fn naming(&self, url: &Url) -> Self {
        let ips = match url.host() {
            Some(Host::Ipv4(ip)) => vec![IpAddr::from(ip)],
            Some(Host::Ipv6(ip)) => vec![ip.into()],
            Some(Host::Domain("localhost")) => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            _ => Vec::new(),
        };
        let mut named = self.clone();
        if let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) {
            named.grants.extend(ips.into_iter().filter_map(|ip| Grant::exactly(host, port, ip)));
        }
        named
    }

    /// The policy for calls to subscriptions.
    pub fn for_subscriptions(&self) -> Self {
        Self { loopback: self.loopback_subscriptions, ..self.clone() }
    }
}

/// What becomes of a call to one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may be made.
    Allowed,
    /// It may not.
    Refused(Refusal),
}

/// Why an address is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What the address is, or what the port or scheme lacks.
    pub reason: &'static str,
    /// The grant that would allow it; `None` if nothing can.
    pub grant: Option<Grant>,
}

/// Whether `scheme://host:port` may be called at `ip`, an address that `host` resolves to.
pub fn decide(policy: &Policy, scheme: Scheme, host: &str, port: u16, ip: IpAddr) -> Decision {
    let granted = || policy.grants.iter().any(|grant| grant.covers(host, port, ip));
    let reason = match classify(ip) {
        Class::Never(reason) => return Decision::Refused(Refusal { reason, grant: None }),
        Class::Loopback if policy.loopback => return Decision::Allowed,
        Class::Loopback => "a loopback address",
        Class::Private => "a private address",
        Class::Public if scheme == Scheme::Https && port == 443 => return Decision::Allowed,
        Class::Public if scheme == Scheme::Http => "a public address without TLS",
        Class::Public => "a public address on a port other than 443",
    };
    if granted() {
        return Decision::Allowed;
    }
    Decision::Refused(Refusal { reason, grant: Grant::exactly(host, port, ip) })
}

/// Check every address of an answer: one that is forbidden spoils them all, since an answer
/// that mixes them is a sign of an attack. The text is for the operator: what is refused and
/// which line of the configuration would allow it.
///
/// # Errors
/// Any of the addresses is refused, or there is none.
pub fn check_all(policy: &Policy, scheme: Scheme, host: &str, port: u16, ips: &[IpAddr]) -> Result<(), String> {
    let refused: Vec<(IpAddr, Refusal)> = ips
        .iter()
        .filter_map(|ip| match decide(policy, scheme, host, port, *ip) {
            Decision::Allowed => None,
            Decision::Refused(refusal) => Some((*ip, refusal)),
        })
        .collect();
    let named = |(ip, refusal): &(IpAddr, Refusal)| format!("{host} is {ip}, {}", refusal.reason);
    if let Some(hopeless) = refused.iter().find(|(_, refusal)| refusal.grant.is_none()) {
        return Err(format!("{}, which can't be allowed", named(hopeless)));
    }
    let Some(first) = refused.first() else { return Ok(()) };
    let grants: Vec<String> =
        refused.iter().filter_map(|(_, refusal)| Some(format!("\"{}\"", refusal.grant.as_ref()?))).collect();
    Err(format!("{}: to allow it, configure allow_networks = [{}]", named(first), grants.join(", ")))
}
