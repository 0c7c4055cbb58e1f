//! A grant, in the operator's words: `HOST=NETWORK:PORT`.
//!
//! - HOST is a name as it stands in the URL (`chat.corp`), one with `*.` in front for
//!   exactly one more label (`*.corp`), or an address (`10.1.2.3`, `[fd00::1]`).
//! - NETWORK is what the host may resolve to: `10.1.2.0/24`, or a single address. IPv6 stands
//!   in brackets: `[fd00:1::/64]`.
//! - PORT is the one port.
//!
//! A granted host may be called with and without TLS: how private its network is, only the
//! operator knows.

use std::{fmt, net::IpAddr, str::FromStr};

use ipnet::IpNet;
use url::Host;

use super::address::{self, Class};

/// What the operator opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    host: HostPattern,
    network: IpNet,
    port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostPattern {
    Exactly(String),
    /// One label in front of this.
    OneLabelBefore(String),
}

/// Why a grant can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "allow_networks: \"{grant}\": {problem}; a grant reads HOST=NETWORK:PORT, e.g. \"chat.corp=10.1.2.0/24:8065\" or \"chat.corp=[fd00:1::/64]:443\""
)]
pub struct GrantError {
    grant: String,
    problem: String,
}

impl Grant {
    /// The narrowest grant for one address; `None` if the host can't stand in a grant.
    pub(super) fn exactly(host: &str, port: u16, ip: IpAddr) -> Option<Self> {
        Some(Self { host: HostPattern::Exactly(normal_host(host).ok()?), network: ip.into(), port })
    }

    /// Whether this grant allows `host:port` at `ip`, which isn't one that nothing can allow.
    pub(super) fn covers(&self, host: &str, port: u16, ip: IpAddr) -> bool {
        // A wide network doesn't include this machine by accident.
        let explicit =
            address::classify(ip) != Class::Loopback || address::classify(self.network.network()) == Class::Loopback;
        explicit && self.port == port && self.network.contains(&ip) && self.host.matches(host)
    }
}

impl HostPattern {
    fn matches(&self, host: &str) -> bool {
        let Ok(host) = normal_host(host) else { return false };
        match self {
            Self::Exactly(name) => *name == host,
            Self::OneLabelBefore(parent) => host.split_once('.').is_some_and(|(_, rest)| rest == parent),
        }
    }
}

/// A host in the one form that URLs have it in: lower case, punycode, addresses in their usual
/// spelling, IPv6 in brackets, no dot at the end.
fn normal_host(host: &str) -> Result<String, String> {
    match Host::parse(host.strip_suffix('.').unwrap_or(host)) {
        Ok(Host::Domain(name)) if name.is_empty() || name.ends_with('.') || name.starts_with('.') => {
            Err(format!("\"{host}\" is no host"))
        }
        Ok(host) => Ok(host.to_string()),
        Err(error) => Err(format!("\"{host}\" is no host ({error})")),
    }
}

impl FromStr for Grant {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, GrantError> {
        read(text.trim()).map_err(|problem| GrantError { grant: text.to_owned(), problem })
    }
}

fn read(text: &str) -> Result<Grant, String> {
    let (host, rest) = text.split_once('=').ok_or("there is no \"=\" after the host")?;
    let (network, port) = rest.rsplit_once(':').ok_or("there is no \":\" before a port")?;
    let host = match host.trim().strip_prefix("*.") {
        Some(parent) => HostPattern::OneLabelBefore(normal_host(parent)?),
        None => HostPattern::Exactly(normal_host(host.trim())?),
    };
    if let HostPattern::Exactly(name) | HostPattern::OneLabelBefore(name) = &host
        && name.contains('*')
    {
        return Err("a \"*\" can only stand for the first label, as in \"*.corp\"".to_owned());
    }
    let network = read_network(network.trim())?;
    let port = match port.trim().parse() {
        Ok(0) | Err(_) => return Err(format!("\"{}\" is no port", port.trim())),
        Ok(port) => port,
    };
    match address::hopeless(&network) {
        Some(reason) => Err(format!("{network} can't be allowed: it is {reason}")),
        None => Ok(Grant { host, network, port }),
    }
}

fn read_network(text: &str) -> Result<IpNet, String> {
    let bracketed = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let inner = bracketed.unwrap_or(text);
    let network = inner.parse::<IpNet>().or_else(|_| inner.parse::<IpAddr>().map(IpNet::from));
    let network = network.map_err(|_| format!("\"{text}\" is no network"))?;
    if bracketed.is_some() != network.addr().is_ipv6() {
        return Err("an IPv6 network stands in brackets, and only that".to_owned());
    }
    if network.trunc() != network {
        return Err(format!("{network} is an address within {}: which one is meant?", network.trunc()));
    }
    Ok(network)
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            HostPattern::Exactly(name) => write!(f, "{name}=")?,
            HostPattern::OneLabelBefore(parent) => write!(f, "*.{parent}=")?,
        }
        match self.network {
            IpNet::V4(network) => write!(f, "{network}:{}", self.port),
            IpNet::V6(network) => write!(f, "[{network}]:{}", self.port),
        }
    }
}
