//! How many copy-revisions ended how, counted in the transaction that ends them. The law:
//! accepted = delivered + superseded + dead + expired + cancelled + still open.

use std::collections::BTreeMap;

use crate::ids::OrganizationId;

pub const ACCEPTED: &str = "accepted";
pub const DELIVERED: &str = "delivered";
pub const SUPERSEDED: &str = "superseded";
pub const DEAD: &str = "dead";
pub const EXPIRED: &str = "expired";
pub const CANCELLED: &str = "cancelled";

/// Counts to be added in one transaction. The backlog of an organization, its open
/// copy-revisions, follows from their sums.
#[derive(Clone, Debug, Default)]
pub struct Tallies {
    counts: BTreeMap<(String, &'static str), i64>,
}

impl Tallies {
    /// Count `number` copy-revisions of an organization.
    pub fn add(&mut self, organization: &OrganizationId, outcome: &'static str, number: i64) {
        *self.counts.entry((organization.as_str().to_owned(), outcome)).or_default() += number;
    }

    /// The counts, in the order of their keys, so that two transactions which write them can't
    /// wait for each other.
    pub fn rows(&self) -> impl Iterator<Item = (&str, &'static str, i64)> {
        let counts = self.counts.iter().filter(|(_, total)| **total != 0);
        counts.map(|((organization, outcome), total)| (organization.as_str(), *outcome, *total))
    }
}
