//! What is constant about a backend.

use std::collections::BTreeSet;

use super::{Finding, Fixture, Obstacle, ensure};
use crate::{
    backend::MessagingBackend,
    descriptor::{CONTRACT_LEVEL, is_id},
};

pub(super) async fn the_descriptor_is_sane(fixture: &dyn Fixture) -> Finding {
    let backend = fixture.backend();
    let it = backend.descriptor();
    ensure!(is_id(it.id), "the id `{}` isn't [a-z][a-z0-9-]{{1,31}}", it.id);
    ensure!(!it.name.trim().is_empty(), "it has no name");
    ensure!(it.contract == CONTRACT_LEVEL, "contract level {} instead of {CONTRACT_LEVEL}", it.contract);
    ensure!(it.limits.text >= 100, "a post holds {} of text: not even a title and a link", it.limits.text);
    ensure!(it.settings_version >= 1, "versions of settings count from 1");
    ensure!(it.settings.as_object().is_some(), "the settings' schema isn't an object");
    ensure!(!it.press_limit.is_zero(), "a press has no time at all");
    if let Some(icon) = it.icon {
        let known = ["image/svg+xml", "image/png"];
        ensure!(known.contains(&icon.media_type), "an icon of type {}", icon.media_type);
        ensure!((1..=65_536).contains(&icon.bytes.len()), "an icon of {} bytes", icon.bytes.len());
    }
    ensure!(!it.rates.is_empty(), "there are no rates");
    for rate in it.rates {
        let is_rate = rate.per_second.is_finite() && rate.per_second > 0.0 && rate.burst > 0 && !rate.name.is_empty();
        ensure!(is_rate, "the rate {rate:?} lets nothing pass");
    }
    let names: BTreeSet<&str> = it.rates.iter().map(|rate| rate.name).collect();
    ensure!(names.len() == it.rates.len(), "two rates have one name");
    for kind in it.tokens {
        let is_name = kind.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            && kind.name.starts_with(|first: char| first.is_ascii_lowercase());
        ensure!(is_name, "the token kind `{}` isn't [a-z][a-z0-9_]*", kind.name);
    }
    let names: BTreeSet<&str> = it.tokens.iter().map(|kind| kind.name).collect();
    ensure!(names.len() == it.tokens.len(), "two token kinds have one name");
    Ok(())
}

/// Which parts are there, one bit each.
fn parts(backend: &dyn MessagingBackend) -> [bool; 12] {
    let delivery = backend.delivery();
    [
        backend.install().is_some(),
        backend.install().is_some_and(|install| install.renew().is_some()),
        backend.verification().is_some(),
        delivery.is_some(),
        delivery.is_some_and(|delivery| delivery.edit().is_some()),
        delivery.is_some_and(|delivery| delivery.delete().is_some()),
        delivery.is_some_and(|delivery| delivery.find().is_some()),
        delivery.is_some_and(|delivery| delivery.direct().is_some()),
        backend.ingress().is_some(),
        backend.listen().is_some(),
        backend.directory().is_some(),
        backend.commands().is_some(),
    ]
}

pub(super) async fn parts_stay_what_they_are(fixture: &dyn Fixture) -> Finding {
    let (one, other) = (fixture.backend(), fixture.backend());
    for _ in 0..3 {
        ensure!(parts(one.as_ref()) == parts(one.as_ref()), "an accessor doesn't always give the same answer");
        ensure!(parts(one.as_ref()) == parts(other.as_ref()), "a process made anew offers other parts");
    }
    let (a, b) = (one.descriptor(), other.descriptor());
    let same = a.id == b.id && a.tokens == b.tokens && a.rates == b.rates && a.limits == b.limits;
    ensure!(same && a.settings == b.settings, "a process made anew has another descriptor");
    Ok(())
}
