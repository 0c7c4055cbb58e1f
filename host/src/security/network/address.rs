//! What an address is. IPv6 is read by what is known to be public: whatever isn't assigned,
//! or carries an IPv4 address inside, is never reached, so no spelling of a forbidden IPv4
//! address gets through in another dress.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::LazyLock,
};

use ipnet::IpNet;

/// What an address is, to the guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Reached by nobody, with the reason.
    Never(&'static str),
    /// This machine: only by a grant for loopback.
    Loopback,
    /// A private network: only by a grant.
    Private,
    /// Anything else.
    Public,
}

const METADATA: Class = Class::Never("a metadata service of a cloud");
const RESERVED: Class = Class::Never("a reserved address");
const EXAMPLE: Class = Class::Never("an address for documentation");
const BENCHMARK: Class = Class::Never("an address for benchmarks");
const LINK_LOCAL: Class = Class::Never("a link-local address");
const EMBEDDED: Class = Class::Never("an IPv6 address that carries an IPv4 address");

/// The first range that holds an address says what it is (IANA's registries of special
/// addresses, and where the large clouds keep the credentials of a machine).
const RANGES: &[(&str, Class)] = &[
    ("168.63.129.16/32", METADATA),
    ("100.100.100.200/32", METADATA),
    ("fd00:ec2::/32", METADATA),
    ("fd20:ce::/32", METADATA),
    ("0.0.0.0/32", Class::Never("the unspecified address")),
    ("0.0.0.0/8", RESERVED),
    ("10.0.0.0/8", Class::Private),
    ("100.64.0.0/10", Class::Private),
    ("127.0.0.0/8", Class::Loopback),
    ("169.254.0.0/16", LINK_LOCAL),
    ("172.16.0.0/12", Class::Private),
    ("192.0.0.0/24", RESERVED),
    ("192.0.2.0/24", EXAMPLE),
    ("192.88.99.0/24", RESERVED),
    ("192.168.0.0/16", Class::Private),
    ("198.18.0.0/15", BENCHMARK),
    ("198.51.100.0/24", EXAMPLE),
    ("203.0.113.0/24", EXAMPLE),
    ("224.0.0.0/4", Class::Never("a multicast address")),
    ("255.255.255.255/32", Class::Never("the broadcast address")),
    ("240.0.0.0/4", RESERVED),
    ("0.0.0.0/0", Class::Public),
    ("::/128", Class::Never("the unspecified address")),
    ("::1/128", Class::Loopback),
    ("::ffff:0:0/96", EMBEDDED),
    ("::/96", EMBEDDED),
    ("64:ff9b::/96", EMBEDDED),
    ("64:ff9b:1::/48", EMBEDDED),
    ("fc00::/7", Class::Private),
    ("fe80::/10", LINK_LOCAL),
    ("ff00::/8", Class::Never("a multicast address")),
    ("2001::/32", EMBEDDED),
    ("2001:2::/48", BENCHMARK),
    ("2001:db8::/32", EXAMPLE),
    ("2001::/23", RESERVED),
    ("2002::/16", EMBEDDED),
    ("3fff::/20", EXAMPLE),
    ("2000::/3", Class::Public),
    ("::/0", RESERVED),
];

static TABLE: LazyLock<Vec<(IpNet, Class)>> = LazyLock::new(|| {
    let read = |(network, class): &(&str, Class)| (network.parse().expect("a network of the table"), *class);
    RANGES.iter().map(read).collect()
});

/// What `ip` is.
pub fn classify(ip: IpAddr) -> Class {
    if matches!(ip, IpAddr::V6(ip) if is_isatap(ip)) {
        return EMBEDDED;
    }
    let found = TABLE.iter().find(|(network, _)| network.contains(&ip));
    found.map_or(RESERVED, |(_, class)| *class)
}

/// ISATAP (RFC 5214 §6.1) marks the interface part, under any prefix.
fn is_isatap(ip: Ipv6Addr) -> bool {
    let [_, _, _, _, high, low, ..] = ip.segments();
    high & !0x0200 == 0 && low == 0x5efe
}

/// Whether a grant for `network` can open anything, and if not, why.
pub(super) fn hopeless(network: &IpNet) -> Option<&'static str> {
    let whole = TABLE.iter().find(|(range, _)| range.contains(network));
    match whole?.1 {
        Class::Never(reason) => Some(reason),
        _ => None,
    }
}
