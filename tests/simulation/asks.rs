//! What the simulated application asks for, and where its targets are.

use std::{sync::Arc, time::Duration};

use chatport_host::{
    delivery::{
        Operation,
        message::{self, PutMessage},
        targets::{Planned, PlannedPlace},
    },
    events::EventKind,
    ids::{InstallationId, OrganizationId},
};
use chatport_sdk::{identity::Address, time::Timestamp};
use chatport_tests::{seeded::Dice, twin::Twin};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

/// The organizations, each with the installations (and so platforms) that it has.
pub const ORGANIZATIONS: [(&str, &[usize]); 2] = [("acme", &[0, 1]), ("bolt", &[1])];
/// Conversations of an installation.
const LOFTS: usize = 2;
/// Who hears events.
pub const SUBSCRIPTION: &str = "pager";
/// From one revision to the next.
const STEP: i64 = 10;

/// A request of the application.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ask {
    pub organization: String,
    pub key: String,
    pub revision: i64,
    pub is_final: bool,
    /// Take the message away instead.
    pub delete: bool,
    /// Platform and conversation of each target.
    pub targets: Vec<(usize, usize)>,
    pub lines: usize,
    pub urgency: usize,
    pub delay: u64,
    pub lifetime: u64,
    pub deletes_removed: bool,
}

/// The asks for one key, in order.
pub fn script(organization: usize, key: usize, lifetime: u64, dice: &mut Dice) -> Vec<Ask> {
    let (name, platforms) = ORGANIZATIONS[organization];
    let mut targets: Vec<(usize, usize)> =
        platforms.iter().flat_map(|platform| (0..LOFTS).map(move |loft| (*platform, loft))).collect();
    while targets.len() > 1 && dice.chance(600) {
        targets.remove(dice.below(targets.len() as u64) as usize);
    }
    let count = 1 + dice.below(4) as usize;
    let mut asks = Vec::new();
    for index in 0..count {
        if index > 0 && targets.len() > 1 && dice.chance(150) {
            targets.remove(0);
        }
        asks.push(Ask {
            organization: name.to_owned(),
            key: format!("k{key}"),
            revision: (index as i64 + 1) * STEP,
            is_final: dice.chance(300),
            delete: index > 0 && dice.chance(120),
            targets: targets.clone(),
            lines: dice.below(3) as usize * usize::from(dice.chance(300)),
            urgency: dice.below(3) as usize,
            delay: if dice.chance(100) { dice.below(40) } else { 0 },
            lifetime: if dice.chance(60) { 45 + dice.below(60) } else { lifetime },
            deletes_removed: dice.chance(500),
        });
    }
    asks
}

pub fn installation(organization: &str, platform: usize) -> InstallationId {
    let place = ORGANIZATIONS.iter().position(|(name, _)| *name == organization).expect("a known organization");
    InstallationId(Uuid::from_u128(0x100 * (place as u128 + 1) + platform as u128))
}

/// Which platform an installation is on.
pub fn platform_of(installation: InstallationId) -> usize {
    (installation.0.as_u128() % 0x100) as usize
}

/// Set the organizations and their installations up.
pub fn furnish(twin: &Twin) {
    twin.tables(|tables| {
        for (name, platforms) in ORGANIZATIONS {
            tables.organizations.insert(OrganizationId::parse(name).expect("a name"));
            let own = platforms.iter().map(|platform| (installation(name, *platform), Default::default()));
            tables.installations.extend(own);
        }
        let kinds = vec![EventKind::MessageDelivered, EventKind::MessageFailed];
        tables.subscriptions.insert(SUBSCRIPTION.into(), kinds);
    });
}

/// What a front door would make of it.
pub fn operation(ask: &Ask, now: Timestamp) -> Operation {
    let lines: Vec<_> =
        (0..ask.lines).map(|id| json!({ "id": id.to_string(), "text": format!("line {id}") })).collect();
    let urgency = ["low", "normal", "urgent"][ask.urgency];
    let document = json!({
        "revision": ask.revision,
        "final": ask.is_final,
        "targets": [],
        "content": { "title": format!("{}", ask.revision) },
        "log": lines,
        "urgency": urgency,
        "on_removed": if ask.deletes_removed { "delete" } else { "leave" },
    });
    let put: PutMessage = serde_json::from_value(document).expect("a message");
    let canonical = put.canonical();
    let planned = ask.targets.iter().map(|(platform, loft)| Planned {
        is_fallback: false,
        target: json!({ "channel": format!("{platform}-{loft}") }).to_string(),
        place: Ok(PlannedPlace {
            installation: installation(&ask.organization, *platform),
            stream: format!("loft{loft}"),
            rate: String::new(),
            address: Some(Address(json!({ "loft": loft }))),
            account: None,
            root: None,
            storm_guard: false,
        }),
        notes: Vec::new(),
    });
    let due_at = now.plus(Duration::from_secs(ask.delay));
    Operation {
        organization: OrganizationId::parse(&ask.organization).expect("a name"),
        key: ask.key.clone(),
        fingerprint: message::fingerprint(&canonical),
        canonical,
        planned: planned.collect(),
        put: Arc::new(put.into()),
        expires_at: due_at.plus(Duration::from_secs(ask.lifetime)),
        due_at,
        now,
        quota: 1_000_000,
    }
}
