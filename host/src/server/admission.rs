//! Who may have a connection: so many in all, so many from one address.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ipnet::IpNet;
use metrics::{counter, gauge};

use super::limits::Limits;

/// Counts connections.
#[derive(Clone, Debug)]
pub(super) struct Admission {
    counts: Arc<Mutex<Counts>>,
    most: usize,
    most_per_address: usize,
    /// Proxies: many clients share their address.
    proxies: Arc<[IpNet]>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// The right to one connection; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    counts: Arc<Mutex<Counts>>,
    address: Option<IpAddr>,
}

impl Admission {
    pub(super) fn new(limits: &Limits, proxies: Vec<IpNet>) -> Self {
        Self {
            counts: Arc::default(),
            most: limits.connections,
            most_per_address: limits.connections_per_address,
            proxies: proxies.into(),
        }
    }

    /// A place for a connection from `peer`, if there is one.
    pub(super) fn admit(&self, peer: IpAddr) -> Option<Place> {
        let counted = !peer.is_loopback() && !self.proxies.iter().any(|proxy| proxy.contains(&peer));
        let address = counted.then(|| subscriber(peer));
        let mut counts = lock(&self.counts);
        let full = counts.all >= self.most;
        let hog = address.is_some_and(|a| counts.by_address.get(&a).is_some_and(|n| *n >= self.most_per_address));
        if full || hog {
            let reason = if full { "full" } else { "address" };
            counter!("chatport_http_connections_refused_total", "reason" => reason).increment(1);
            return None;
        }
        counts.all += 1;
        if let Some(address) = address {
            *counts.by_address.entry(address).or_default() += 1;
        }
        gauge!("chatport_http_connections").increment(1);
        Some(Place { counts: self.counts.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = lock(&self.counts);
        counts.all -= 1;
        gauge!("chatport_http_connections").decrement(1);
        let Some(address) = self.address else { return };
        if let Some(count) = counts.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                counts.by_address.remove(&address);
            }
        }
    }
}

fn lock(counts: &Mutex<Counts>) -> MutexGuard<'_, Counts> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One subscriber has one IPv4 address, or all addresses of an IPv6 /64.
fn subscriber(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V4(_) => peer,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(most: usize, most_per_address: usize, proxies: &[&str]) -> Admission {
        let limits = Limits { connections: most, connections_per_address: most_per_address, ..Limits::default() };
        Admission::new(&limits, proxies.iter().map(|text| text.parse().expect("a network")).collect())
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_place_is_free_again_when_its_connection_ends() {
        let admission = admission(1, 10, &[]);
        let place = admission.admit(ip("192.0.2.1")).expect("room");
        assert!(admission.admit(ip("192.0.2.2")).is_none());
        drop(place);
        assert!(admission.admit(ip("192.0.2.2")).is_some());
    }

    #[test]
    fn one_address_cannot_take_all_places() {
        let admission = admission(10, 1, &[]);
        let _place = admission.admit(ip("192.0.2.1")).expect("room");
        assert!(admission.admit(ip("192.0.2.1")).is_none());
        assert!(admission.admit(ip("192.0.2.2")).is_some());
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_as_one() {
        let admission = admission(10, 1, &[]);
        let _place = admission.admit(ip("2001:db8::1")).expect("room");
        assert!(admission.admit(ip("2001:db8::2")).is_none());
        assert!(admission.admit(ip("2001:db8:0:1::2")).is_some());
    }

    #[test]
    fn a_trusted_proxy_and_this_machine_speak_for_many() {
        let admission = admission(10, 1, &["10.0.0.0/8"]);
        for address in ["10.1.1.1", "10.1.1.1", "127.0.0.1", "127.0.0.1", "::1", "::1"] {
            std::mem::forget(admission.admit(ip(address)).expect("not counted by address"));
        }
    }

    #[test]
    fn nothing_is_remembered_of_an_address_that_has_left() {
        let admission = admission(10, 5, &[]);
        drop(admission.admit(ip("192.0.2.1")));
        assert!(lock(&admission.counts).by_address.is_empty());
    }
}
