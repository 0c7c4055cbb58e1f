//! What the guard lets through, in as many spellings as there are.

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;
use url::Url;

use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap_or_else(|_| panic!("{text} is no address"))
}

fn policy(grants: &[&str]) -> Policy {
    Policy::parse(grants, false).expect("grants")
}

fn allowed(policy: &Policy, scheme: Scheme, host: &str, port: u16, ip: IpAddr) -> bool {
    decide(policy, scheme, host, port, ip) == Decision::Allowed
}

/// A grant of the whole address space for the host, as careless as an operator can be.
fn careless() -> Policy {
    policy(&["chat.example.com=0.0.0.0/0:443", "chat.example.com=[2000::/3]:443", "chat.example.com=[fc00::/7]:443"])
}

#[test]
fn some_addresses_are_never_reached_whatever_is_granted() {
    let never = [
        ("unspecified", "0.0.0.0 :: 0.1.2.3 0.255.255.255"),
        ("link-local and metadata", "169.254.169.254 169.254.0.0 169.254.255.255 fe80::1 febf::1"),
        ("metadata elsewhere", "168.63.129.16 100.100.100.200 192.0.0.192 fd00:ec2::254 fd20:ce::254"),
        ("multicast", "224.0.0.1 239.255.255.255 ff02::1 ff0e::1"),
        ("class E and broadcast", "240.0.0.1 254.1.1.1 255.255.255.255"),
        ("documentation", "192.0.2.1 198.51.100.7 203.0.113.255 2001:db8::1 3fff::1"),
        ("benchmarks", "198.18.0.1 198.19.255.255 2001:2::1"),
        ("protocol assignments", "192.0.0.1 192.88.99.1 2001:10::1 2001:20::1"),
        ("mapped", "::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:8.8.8.8 ::ffff:169.254.169.254"),
        ("compatible", "::127.0.0.1 ::10.0.0.1 ::8.8.8.8 ::2"),
        ("translated", "::ffff:0:127.0.0.1"),
        ("NAT64", "64:ff9b::127.0.0.1 64:ff9b::8.8.8.8 64:ff9b:1::10.0.0.1 64:ff9b:1:ffff::1"),
        ("6to4", "2002:7f00:1:: 2002:a00:1::1 2002:808:808::1"),
        ("Teredo", "2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2"),
        ("ISATAP", "2a00:1450::5efe:10.0.0.1 2a00:1450::200:5efe:10.0.0.1 fd00::5efe:127.0.0.1"),
        ("site-local, discarded, unassigned", "fec0::1 100::1 200::1 4000::1 5f00::1 f000::1"),
    ];
    for (group, addresses) in never {
        for address in addresses.split(' ') {
            let decision = decide(&careless(), Scheme::Https, "chat.example.com", 443, ip(address));
            assert!(
                matches!(&decision, Decision::Refused(refusal) if refusal.grant.is_none()),
                "{group}: {address}: {decision:?}"
            );
        }
    }
}

#[test]
fn private_and_loopback_addresses_are_known_at_their_edges() {
    let classes = [
        ("9.255.255.255", Class::Public),
        ("10.0.0.0", Class::Private),
        ("10.255.255.255", Class::Private),
        ("11.0.0.0", Class::Public),
        ("172.15.255.255", Class::Public),
        ("172.16.0.0", Class::Private),
        ("172.31.255.255", Class::Private),
        ("172.32.0.0", Class::Public),
        ("192.167.255.255", Class::Public),
        ("192.168.0.0", Class::Private),
        ("192.168.255.255", Class::Private),
        ("192.169.0.0", Class::Public),
        ("100.63.255.255", Class::Public),
        ("100.64.0.0", Class::Private),
        ("100.127.255.255", Class::Private),
        ("100.128.0.0", Class::Public),
        ("126.255.255.255", Class::Public),
        ("127.0.0.0", Class::Loopback),
        ("127.255.255.255", Class::Loopback),
        ("128.0.0.0", Class::Public),
        ("223.255.255.255", Class::Public),
        ("::1", Class::Loopback),
        ("fc00::1", Class::Private),
        ("fdff:ffff::1", Class::Private),
        ("2a00:1450:4001:830::200e", Class::Public),
        ("2606:4700::1111", Class::Public),
        ("2001:4860:4860::8888", Class::Public),
    ];
    for (address, class) in classes {
        assert_eq!(classify(ip(address)), class, "{address}");
    }
}

#[test]
fn without_grants_only_public_https_on_its_port_is_reached() {
    let none = Policy::default();
    let public = ip("198.41.0.4");
    assert!(allowed(&none, Scheme::Https, "chat.example.com", 443, public));
    assert!(!allowed(&none, Scheme::Http, "chat.example.com", 443, public));
    assert!(!allowed(&none, Scheme::Http, "chat.example.com", 80, public));
    assert!(!allowed(&none, Scheme::Https, "chat.example.com", 8443, public));
    for address in ["10.1.2.3", "127.0.0.1", "::1", "fd00::1", "100.64.0.1"] {
        assert!(!allowed(&none, Scheme::Https, "chat.example.com", 443, ip(address)), "{address}");
    }
}

#[test]
fn a_grant_needs_its_host_and_its_network_and_its_port() {
    let granted = policy(&["chat.corp=10.1.2.0/24:8065"]);
    let inside = ip("10.1.2.3");
    for scheme in [Scheme::Http, Scheme::Https] {
        assert!(allowed(&granted, scheme, "chat.corp", 8065, inside));
    }
    assert!(!allowed(&granted, Scheme::Http, "other.corp", 8065, inside), "another host");
    assert!(!allowed(&granted, Scheme::Http, "chat.corp", 8065, ip("10.1.3.3")), "another network");
    assert!(!allowed(&granted, Scheme::Http, "chat.corp", 8066, inside), "another port");
}

#[test]
fn grants_do_not_lend_each_other_their_parts() {
    let granted = policy(&["a.corp=10.1.0.0/16:443", "b.corp=10.2.0.0/16:8443"]);
    assert!(!allowed(&granted, Scheme::Https, "a.corp", 443, ip("10.2.0.1")));
    assert!(!allowed(&granted, Scheme::Https, "a.corp", 8443, ip("10.1.0.1")));
}

#[test]
fn a_star_stands_for_exactly_one_label() {
    let granted = policy(&["*.corp.example=10.0.0.0/8:443"]);
    for (host, expected) in [
        ("chat.corp.example", true),
        ("CHAT.Corp.Example", true),
        ("chat.corp.example.", true),
        ("corp.example", false),
        ("a.chat.corp.example", false),
        ("chatcorp.example", false),
        ("chat.corp.example.attacker.net", false),
        (".corp.example", false),
    ] {
        assert_eq!(allowed(&granted, Scheme::Https, host, 443, ip("10.0.0.1")), expected, "{host}");
    }
}

#[test]
fn a_granted_public_host_may_use_http_and_another_port() {
    let granted = policy(&["chat.example.com=198.41.0.0/24:8065"]);
    assert!(allowed(&granted, Scheme::Http, "chat.example.com", 8065, ip("198.41.0.4")));
    assert!(!allowed(&granted, Scheme::Http, "chat.example.com", 80, ip("198.41.0.4")));
}

#[test]
fn loopback_is_reached_only_by_a_grant_for_loopback() {
    let address = ip("127.0.0.1");
    assert!(!allowed(&careless(), Scheme::Https, "chat.example.com", 443, address));
    assert!(!allowed(&policy(&["localhost=126.0.0.0/7:8065"]), Scheme::Http, "localhost", 8065, address));
    let granted = policy(&["localhost=127.0.0.1:8065", "localhost=[::1]:8065"]);
    assert!(allowed(&granted, Scheme::Http, "localhost", 8065, address));
    assert!(allowed(&granted, Scheme::Http, "localhost", 8065, ip("::1")));
    assert!(!allowed(&granted, Scheme::Http, "localhost", 5432, address));
}

#[test]
fn a_host_on_loopback_calls_subscriptions_there_and_nothing_else() {
    let policy = Policy::parse::<&str>(&[], true).expect("no grants");
    let subscriptions = policy.for_subscriptions();
    for address in ["127.0.0.1", "::1"] {
        assert!(allowed(&subscriptions, Scheme::Http, "localhost", 3000, ip(address)));
        assert!(!allowed(&policy, Scheme::Http, "localhost", 3000, ip(address)), "a backend's call");
    }
    assert!(!allowed(&subscriptions, Scheme::Http, "localhost", 3000, ip("10.0.0.1")));
    assert!(!allowed(&subscriptions, Scheme::Http, "localhost", 3000, ip("::ffff:127.0.0.1")));
    let elsewhere = Policy::parse::<&str>(&[], false).expect("no grants").for_subscriptions();
    assert!(!allowed(&elsewhere, Scheme::Http, "localhost", 3000, ip("127.0.0.1")));
}

/// The address that a URL's host means, if it is one in any spelling.
#[test]
fn an_address_that_the_operator_names_is_reached_there_and_nowhere_else() {
    let naming = |url: &str| policy(&[]).naming(&Url::parse(url).expect("a URL"));
    for (url, host, port, address) in [
        ("http://127.0.0.1:9000/", "127.0.0.1", 9000, "127.0.0.1"),
        ("http://[::1]/", "[::1]", 80, "::1"),
        ("http://localhost:9000/", "localhost", 9000, "127.0.0.1"),
        ("https://10.1.2.3/", "10.1.2.3", 443, "10.1.2.3"),
    ] {
        let named = naming(url);
        assert!(allowed(&named, Scheme::Http, host, port, ip(address)), "{url}");
        assert!(!allowed(&named, Scheme::Http, host, port + 1, ip(address)), "{url}");
        assert!(!allowed(&named, Scheme::Http, "other.example", port, ip(address)), "{url}");
    }
    assert!(!allowed(&naming("http://pager.corp:9000/"), Scheme::Http, "pager.corp", 9000, ip("10.1.2.3")));
    assert!(!allowed(&naming("http://169.254.169.254/"), Scheme::Http, "169.254.169.254", 80, ip("169.254.169.254")));
}

fn literal(host: &str) -> Option<IpAddr> {
    match Url::parse(&format!("https://{host}/")).ok()?.host()? {
        url::Host::Ipv4(address) => Some(address.into()),
        url::Host::Ipv6(address) => Some(address.into()),
        url::Host::Domain(_) => None,
    }
}

#[test]
fn no_spelling_of_a_forbidden_address_is_let_through() {
    let loopback = "127.0.0.1 127.1 127.0.1 2130706433 0x7f000001 0x7F.1 0177.0.0.1 017700000001 127.0.0.1. \
                    0x7f.0x0.0x0.0x1 127.000.000.001 %31%32%37.0.0.1 １２７.0.0.1 127。0。0。1 ①②⑦.0.0.1 0x7f.0.1 127.0x1 \
                    [::1] [0:0:0:0:0:0:0:1] [0000::0001] [::ffff:127.0.0.1] [::ffff:7f00:1] [::127.0.0.1] [64:ff9b::7f00:1]";
    let metadata = "169.254.169.254 2852039166 0xa9fea9fe 0xA9.0xFE.0xA9.0xFE 0251.0376.0251.0376 169.254.43518 \
                    169.16689662 [::ffff:169.254.169.254] [::ffff:a9fe:a9fe] [64:ff9b::a9fe:a9fe] [2002:a9fe:a9fe::]";
    let private = "10.0.0.1 10.1 0xa.1 012.0.0.1 167772161 192.168.1.1 192.168.257 0xc0a80101 3232235777 172.16.0.1 \
                   [fd00::1] [FD00:0::1] [::ffff:10.0.0.1]";
    let unspecified = "0 0.0.0.0 0x0 00 0.0 [::] [0::0]";
    for host in [loopback, metadata, private, unspecified].iter().flat_map(|hosts| hosts.split_whitespace()) {
        let address = literal(host).unwrap_or_else(|| panic!("{host} isn't read as an address"));
        assert!(!allowed(&Policy::default(), Scheme::Https, host, 443, address), "{host} is {address}");
    }
}

#[test]
fn one_forbidden_address_spoils_the_whole_answer() {
    let (public, private) = (ip("198.41.0.4"), ip("10.1.2.3"));
    let checked = |ips: &[IpAddr]| check_all(&Policy::default(), Scheme::Https, "chat.example.com", 443, ips);
    assert_eq!(checked(&[public, ip("2606:4700::1111")]), Ok(()));
    for mixed in [[public, private], [private, public], [public, ip("::1")], [public, ip("169.254.169.254")]] {
        assert!(checked(&mixed).is_err(), "{mixed:?}");
    }
}

#[test]
fn a_refusal_names_the_line_that_would_allow_the_call() {
    let refused = |policy: &Policy, host, ips: &[IpAddr]| {
        check_all(policy, Scheme::Http, host, 8065, ips).expect_err("it is refused")
    };
    let none = Policy::default();
    let text = refused(&none, "chat.corp", &[ip("10.1.2.3")]);
    assert!(text.ends_with(r#"configure allow_networks = ["chat.corp=10.1.2.3/32:8065"]"#), "{text}");
    let two = refused(&none, "chat.corp", &[ip("10.1.2.3"), ip("fd00::3")]);
    assert!(two.ends_with(r#"["chat.corp=10.1.2.3/32:8065", "chat.corp=[fd00::3/128]:8065"]"#), "{two}");
    let literal = refused(&none, "[fd00::3]", &[ip("fd00::3")]);
    assert!(literal.ends_with(r#"["[fd00::3]=[fd00::3/128]:8065"]"#), "{literal}");
    let hopeless = refused(&none, "chat.corp", &[ip("10.1.2.3"), ip("169.254.169.254")]);
    assert!(hopeless.contains("can't be allowed") && !hopeless.contains("allow_networks"), "{hopeless}");
}

#[test]
fn what_is_no_grant_is_refused_with_the_problem() {
    for (text, problem) in [
        ("", "there is no \"=\""),
        ("chat.corp", "there is no \"=\""),
        ("chat.corp=10.1.2.3", "there is no \":\""),
        ("chat.corp=10.1.2.3/32:", "\"\" is no port"),
        ("chat.corp=10.1.2.3/32:0", "\"0\" is no port"),
        ("chat.corp=10.1.2.3/32:65536", "\"65536\" is no port"),
        ("chat.corp=10.1.2.3/33:443", "is no network"),
        ("chat.corp=chat:443", "is no network"),
        ("chat.corp=fd00::1:443", "stands in brackets"),
        ("chat.corp=[10.0.0.1]:443", "stands in brackets"),
        ("chat.corp=10.1.2.3/24:443", "is an address within 10.1.2.0/24"),
        ("chat.corp=169.254.0.0/16:443", "link-local"),
        ("chat.corp=[::ffff:10.0.0.1]:443", "carries an IPv4"),
        ("=10.1.2.3/32:443", "is no host"),
        ("*=10.0.0.0/8:443", "only stand for the first label"),
        ("*.*.corp=10.0.0.0/8:443", "only stand for the first label"),
        ("chat.*.corp=10.0.0.0/8:443", "only stand for the first label"),
        ("https://chat.corp=10.0.0.0/8:443", "is no host"),
        ("chat corp=10.0.0.0/8:443", "is no host"),
    ] {
        let error = text.parse::<Grant>().expect_err(text).to_string();
        assert!(error.contains(problem) && error.contains("HOST=NETWORK:PORT"), "{text}: {error}");
    }
}

#[test]
fn only_http_and_https_are_ever_called() {
    assert_eq!(Scheme::parse("https"), Some(Scheme::Https));
    for scheme in ["file", "ftp", "ws", "gopher", "HTTPS", "unix", ""] {
        assert_eq!(Scheme::parse(scheme), None, "{scheme}");
    }
}

fn addresses() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<u32>().prop_map(|bits| Ipv4Addr::from_bits(bits).into()),
        any::<u128>().prop_map(|bits| Ipv6Addr::from_bits(bits).into()),
        any::<[u8; 15]>().prop_map(|bytes| {
            let mut ula = [0xfd; 16];
            ula[1..].copy_from_slice(&bytes);
            Ipv6Addr::from(ula).into()
        }),
        any::<[u8; 3]>().prop_map(|[a, b, c]| Ipv4Addr::new(10, a, b, c).into()),
    ]
}

proptest! {
    #[test]
    fn the_line_that_a_refusal_names_is_read_and_does_allow_the_call(address in addresses(), port in 1..=u16::MAX, host in "[a-z]{1,8}\\.corp") {
        if let Decision::Refused(Refusal { grant: Some(grant), .. }) = decide(&Policy::default(), Scheme::Http, &host, port, address) {
            let policy = policy(&[&grant.to_string()]);
            prop_assert!(allowed(&policy, Scheme::Http, &host, port, address), "{grant}");
        }
    }

    #[test]
    fn no_embedding_of_an_ipv4_address_is_ever_reached(bits in any::<u32>(), prefix in 0..6_usize) {
        let low = u128::from(bits);
        let embedded = match prefix {
            0 => low,
            1 => 0xffff_0000_0000 | low,
            2 => (0x64_ff9b << 96) | low,
            3 => (0x64_ff9b_0001 << 80) | low,
            4 => (0x2002 << 112) | (low << 80),
            _ => (0x2001 << 112) | low,
        };
        prop_assume!(embedded != 1);
        let address = IpAddr::from(Ipv6Addr::from_bits(embedded));
        prop_assert!(matches!(classify(address), Class::Never(_)), "{}", address);
    }

    #[test]
    fn reading_a_grant_never_panics(text in ".{0,60}") {
        let _ = text.parse::<Grant>();
    }
}
