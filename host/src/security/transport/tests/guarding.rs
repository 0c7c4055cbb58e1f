//! What the guard keeps from being dialled.

use std::net::{IpAddr, Ipv4Addr};

use chatport_sdk::http::{Dispatch, HttpClient, HttpErrorKind};
use url::Url;

use super::{
    super::Transports,
    platform::{Caller, HOST, Lookup, Names, OK, Platform, Reply, local, transports},
};
use crate::security::network::Policy;

const REFUSED: (HttpErrorKind, bool) = (HttpErrorKind::AddressRefused, false);

#[tokio::test]
async fn an_address_without_a_grant_is_not_dialled_and_the_error_names_the_line() {
    let trap = Platform::that_replies([OK]).await;
    let caller = Caller::of(&transports(&[], Names::with(HOST, Lookup::Is(local())), None));
    let error = caller.post(trap.url()).await.expect_err("it is refused");
    assert_eq!((error.kind, error.sent), REFUSED);
    let line = format!("allow_networks = [\"{HOST}=127.0.0.1/32:{}\"]", trap.port);
    assert!(error.detail.contains(&line), "{}", error.detail);
    assert!(!caller.dispatch.is_marked());
    assert_eq!(trap.connections(), 0);
}

#[tokio::test]
async fn an_address_in_the_url_is_guarded_like_any() {
    let trap = Platform::that_replies([OK]).await;
    let caller = Caller::of(&transports(&[], Names::with(HOST, Lookup::Is(local())), None));
    for host in ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "[::1]", "127.0.0.1."] {
        let url = Url::parse(&format!("http://{host}:{}/", trap.port)).expect("a URL");
        assert_eq!(caller.failure(url).await, REFUSED, "{host}");
    }
    assert_eq!(trap.connections(), 0);
}

#[tokio::test]
async fn a_grant_for_an_address_in_the_url_opens_it() {
    let platform = Platform::that_replies([OK]).await;
    let grant = format!("127.0.0.1=127.0.0.1:{}", platform.port);
    let caller = Caller::of(&transports(&[grant], Names::with(HOST, Lookup::Hangs), None));
    let url = Url::parse(&format!("http://127.0.0.1:{}/", platform.port)).expect("a URL");
    caller.post(url).await.expect("an answer");
}

#[tokio::test]
async fn an_answer_that_mixes_allowed_and_forbidden_addresses_is_dropped_whole() {
    let trap = Platform::that_replies([OK]).await;
    let mixed = vec![IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv4Addr::new(169, 254, 169, 254))];
    let caller = Caller::of(&transports(&[trap.grant()], Names::with(HOST, Lookup::Is(mixed)), None));
    assert_eq!(caller.failure(trap.url()).await, REFUSED);
    assert_eq!(trap.connections(), 0);
}

#[tokio::test]
async fn a_name_that_turns_to_another_address_is_checked_anew() {
    let closing = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let platform = Platform::that_replies([Reply::Close(closing)]).await;
    let turned = vec![IpAddr::from(Ipv4Addr::new(127, 0, 0, 2))];
    let transports = transports(&[platform.grant()], Names::with(HOST, Lookup::Turns(local(), turned)), None);
    Caller::of(&transports).post(platform.url()).await.expect("an answer");
    assert_eq!(Caller::of(&transports).failure(platform.url()).await, REFUSED);
    assert_eq!(platform.connections(), 1);
}

#[tokio::test]
async fn when_the_first_address_refuses_the_next_one_is_dialled() {
    let platform = Platform::that_replies([OK]).await;
    let two = vec![IpAddr::from(Ipv4Addr::new(127, 0, 0, 9)), IpAddr::from(Ipv4Addr::LOCALHOST)];
    let grant = format!("{HOST}=127.0.0.0/8:{}", platform.port);
    let caller = Caller::of(&transports(&[grant], Names::with(HOST, Lookup::Is(two)), None));
    caller.post(platform.url()).await.expect("an answer");
}

#[tokio::test]
async fn a_host_on_loopback_lets_subscriptions_and_nobody_else_call_loopback() {
    let platform = Platform::that_replies([OK]).await;
    let policy = Policy::parse::<&str>(&[], true).expect("no grants");
    let names = Names::with(HOST, Lookup::Is(local()));
    let transports = Transports::with_resolver(policy, None, names).expect("TLS");
    let subscription = HttpClient::new(transports.for_subscription("oncall"), Dispatch::default());
    subscription.post(platform.url()).send().await.expect("an answer");
    assert_eq!(Caller::of(&transports).failure(platform.url()).await, REFUSED);
}
