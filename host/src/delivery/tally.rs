//! How many copy-revisions ended how, counted in the transaction that ends them. The law:
//! accepted = delivered + superseded + dead + expired + cancelled + still open.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};

use crate::{ids::OrganizationId, store::statement};

pub const ACCEPTED: &str = "accepted";
pub const DELIVERED: &str = "delivered";
pub const SUPERSEDED: &str = "superseded";
pub const DEAD: &str = "dead";
pub const EXPIRED: &str = "expired";
pub const CANCELLED: &str = "cancelled";

/// Counts to be added in one transaction.
/// The backlog of an organization, its open copy-revisions, follows from them.
#[derive(Debug, Default)]
pub struct Tallies {
    counts: BTreeMap<(String, &'static str), i64>,
}

impl Tallies {
    /// Count `number` copy-revisions of an organization.
    pub fn add(&mut self, organization: &OrganizationId, outcome: &'static str, number: i64) {
        *self.counts.entry((organization.as_str().to_owned(), outcome)).or_default() += number;
    }

    /// Write the counts. In the order of the keys, so that two transactions can't wait for
    /// each other.
    pub async fn write(self, transaction: &DatabaseTransaction) -> Result<(), DbErr> {
        let mut backlog: BTreeMap<String, i64> = BTreeMap::new();
        for ((organization, outcome), total) in self.counts {
            *backlog.entry(organization.clone()).or_default() += if outcome == ACCEPTED { total } else { -total };
            let sql = "INSERT INTO tallies (organization, outcome, total) VALUES ($1, $2, $3)
                ON CONFLICT (organization, outcome) DO UPDATE SET total = tallies.total + excluded.total";
            let values = [organization.into(), outcome.into(), total.into()];
            transaction.execute_raw(statement(transaction, sql, values)).await?;
        }
        for (organization, change) in backlog.into_iter().filter(|(_, change)| *change != 0) {
            let sql = "UPDATE organizations SET backlog = backlog + $2 WHERE id = $1";
            transaction.execute_raw(statement(transaction, sql, [organization.into(), change.into()])).await?;
        }
        Ok(())
    }
}
