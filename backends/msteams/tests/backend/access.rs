//! Credentials and access tokens.

use std::time::Duration;

use chatport_fake_msteams::{Key, Options, Reply};
use chatport_sdk::{prelude::*, testkit::run};
use serde_json::json;

use crate::bench::Bench;

/// A bot that is registered with a certificate; and the certificate with its key, as PEM.
fn with_certificate() -> (Bench, String) {
    let key = Key::number(9);
    let (pem, der) = key.certificate();
    let mut published = key.jwk("");
    published.as_object_mut().expect("a key").remove("kid");
    let certificate = Some((der, json!({ "keys": [published] })));
    (Bench::new(Options { certificate, ..Options::default() }), pem)
}

impl Bench {
    fn try_certificate(&self, pem: &str) -> Result<(), SetupError> {
        let options = self.teams.options();
        self.submit(&[("app_id", &options.app_id), ("tenant_id", &options.tenant_id), ("certificate", pem)])
    }

    fn tokens_asked(&self) -> usize {
        self.teams.asked().iter().filter(|(_, path)| path.ends_with("/token")).count()
    }
}

#[test]
fn a_certificate_stands_in_place_of_a_secret() {
    let (bench, pem) = with_certificate();
    bench.try_certificate(&pem).expect("set up");
    let renew = bench.install().renew().expect("renew");
    let renewed = run(renew.renew(&bench.stage.site(), "access_token"));
    assert!(matches!(renewed, Ok(Renewal::Renewed(_))), "{renewed:?}");
    // A form has one line: its line breaks may be lost.
    let (bench, pem) = with_certificate();
    bench.try_certificate(&pem.replace('\n', " ")).expect("set up");
}

#[test]
fn a_certificate_that_cant_work_is_named_before_anything_is_asked() {
    let (bench, pem) = with_certificate();
    let (other, _) = Key::number(8).certificate();
    let block = |pem: &str, label: &str| {
        let start = pem.find(&format!("-----BEGIN {label}")).expect("a block");
        let end = format!("-----END {label}-----");
        pem[start..pem.find(&end).expect("its end") + end.len()].to_owned()
    };
    let (certificate, key) = (block(&pem, "CERTIFICATE"), block(&pem, "PRIVATE KEY"));
    for (pem, says) in [
        ("nothing".to_owned(), "no private key"),
        (certificate.clone(), "no private key"),
        (key, "no certificate"),
        (format!("{certificate}{}", block(&other, "PRIVATE KEY")), "isn't that of its first certificate"),
        (format!("{certificate}-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"), "isn't an RSA key"),
    ] {
        match bench.try_certificate(&pem) {
            Err(SetupError::Field { name, detail }) => {
                assert!(name == "certificate" && detail.contains(says), "{detail}, not {says}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(bench.tokens_asked(), 0);
}

#[test]
fn what_is_wrong_is_named_by_its_field() {
    let bench = Bench::new(Options::default());
    let options = bench.teams.options();
    let other = "00000000-0000-4000-8000-000000000001";
    let right =
        [("app_id", options.app_id.as_str()), ("tenant_id", &options.tenant_id), ("client_secret", &options.secret)];
    for (field, wrong) in
        [("app_id", "x"), ("app_id", other), ("tenant_id", "contoso"), ("tenant_id", other), ("client_secret", "y")]
    {
        let fields = right.map(|(name, value)| (name, if name == field { wrong } else { value }));
        let refused = bench.submit(&fields).expect_err("refused");
        assert!(matches!(&refused, SetupError::Field { name, .. } if name == field), "{field} {wrong}: {refused:?}");
    }
    let both = [&right[..], &[("certificate", "x")]].concat();
    assert!(matches!(bench.submit(&both), Err(SetupError::Field { name, .. }) if name == "certificate"));
    bench.submit(&right).expect("set up");
    // Links and channels belong to this bot.
    let fields = right.map(|(name, value)| (name, if name == "app_id" { other } else { value }));
    assert!(matches!(bench.submit(&fields), Err(SetupError::Field { name, .. }) if name == "app_id"));
}

#[test]
fn an_access_token_is_kept_until_five_minutes_before_its_end() {
    let bench = Bench::ready();
    let token = bench.stage.site().token("access_token").expect("from setup");
    let now = bench.stage.site().now();
    assert_eq!(token.expires_at, Some(now.plus(Duration::from_secs(55 * 60))));
    bench.stage.clock.pass(Duration::from_secs(55 * 60));
    let outgoing = bench.outgoing(&crate::bench::content(json!({ "title": "x" })));
    let failure = run(bench.delivery().post(&bench.stage.site(), &outgoing)).expect_err("it has run out");
    assert_eq!(failure.cause, Cause::AwaitingCredential);
}

#[test]
fn what_comes_in_borrows_a_token_once() {
    let bench = Bench::ready();
    assert_eq!(bench.tokens_asked(), 1, "for setup");
    // The host's has run out, and nothing is being sent that would renew it.
    bench.stage.clock.pass(Duration::from_secs(56 * 60));
    for text in ["one", "two", "three"] {
        let mut claims = bench.teams.claims();
        claims["exp"] = (claims["exp"].as_i64().expect("a time") + 3_600).into();
        let token = format!("Bearer {}", bench.teams.token(&claims, &serde_json::Value::Null));
        let request = bench.request(&token, bench.teams.mentions("Ada", crate::bench::PLACE, None, text).to_string());
        assert!(matches!(bench.receive_request(&request), Received::Happenings(_)));
    }
    assert_eq!(bench.tokens_asked(), 2);
}

#[test]
fn a_token_that_is_refused_is_replaced_once() {
    let bench = Bench::ready();
    let refuse = || Reply::error(401, "Unauthorized", "no");
    bench.teams.fail_next("/members/", refuse());
    assert!(matches!(bench.receive(&bench.teams.says("Ada", "hello")), Received::Happenings(_)));
    assert_eq!(bench.tokens_asked(), 2);
    // A second refusal is the last one.
    let bench = Bench::ready();
    bench.teams.fail_next("/members/", refuse());
    bench.teams.fail_next("/members/", refuse());
    assert!(matches!(bench.receive(&bench.teams.says("Ada", "hello")), Received::Answer(_)));
    assert_eq!(bench.tokens_asked(), 2);
}

#[test]
fn a_secret_that_has_run_out_needs_a_person() {
    let bench = Bench::ready();
    bench.teams.change_secret("another");
    let renew = bench.install().renew().expect("renew");
    let failure = run(renew.renew(&bench.stage.site(), "access_token")).expect_err("refused");
    assert_eq!((failure.cause, failure.scope), (Cause::Unauthorized, Scope::Installation));
    let health = run(bench.install().probe(&bench.stage.site()));
    assert!(!health.can_post && health.can_receive, "{health:?}");
    bench.teams.fail_next("/token", Reply { status: 503, body: json!({}), retry_after: None });
    let failure = run(renew.renew(&bench.stage.site(), "access_token")).expect_err("away");
    assert_eq!(failure.cause, Cause::Unavailable);
}
