//! Work that waits: streams that are due are leased, each with its first due copy, and copies
//! whose time has run out are ended.

use std::collections::HashMap;

use tokio::time::Instant;

use super::{
    call_off,
    desk::{Assignment, Desk},
    ledger::Stream,
    outcomes,
    store::{Documents, RowsWanted, SHARE, StoreError},
    units::Units,
};

/// Most streams that are leased in one commit.
const BATCH: usize = 32;

/// Whether an organization got as many of these as it gets at once.
fn is_any_share_full(due: &[Stream]) -> bool {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for stream in due {
        *counts.entry(&stream.row.organization).or_default() += 1;
    }
    counts.into_values().any(|count| count >= SHARE)
}

impl Units {
    /// Lease what is due, as far as there are seats. Whether there may be more.
    ///
    /// # Errors
    /// The store fails.
    pub async fn lease(&self, desk: &Desk) -> Result<bool, StoreError> {
        let limit = Ord::min(desk.free(), BATCH);
        if limit == 0 {
            return Ok(true);
        }
        let leased = Instant::now();
        let (mut unit, mut ledger) = self.begin().await?;
        let due = unit.due(limit, &desk.full()).await?;
        if due.is_empty() {
            return Ok(false);
        }
        let seats: Vec<_> = due.iter().filter_map(|stream| Some((stream.row.id, desk.seat(stream)?))).collect();
        // Leases of this very process that have run out are due too, and their seats are taken: who
        // looks again at once finds the same.
        let may_be_more = (due.len() == limit || is_any_share_full(&due)) && !seats.is_empty();
        ledger.load_streams(due);
        let lease = |(id, seat)| Some((outcomes::lease(&mut ledger, id, desk.owner)?, seat));
        let mut seats: Vec<_> = seats.into_iter().filter_map(lease).collect();
        let heads_of = seats.iter().map(|(lease, _)| (lease.stream, None)).collect();
        ledger.load(unit.load(&RowsWanted { heads_of, ..RowsWanted::default() }).await?);
        let leases: Vec<_> = seats.iter().map(|(lease, _)| lease.clone()).collect();
        let works = self.take(unit.as_mut(), &mut ledger, &leases, &Documents::default()).await?;
        unit.commit(ledger.into_changes()).await?;
        for work in works {
            if let Some(position) = seats.iter().position(|(lease, _)| *lease == work.lease) {
                let (_, seat) = seats.swap_remove(position);
                desk.assign(Assignment { work, seat, leased });
            }
        }
        Ok(may_be_more)
    }

    /// End up to `limit` open copies whose time has run out. The answer is their number.
    ///
    /// # Errors
    /// The store fails.
    pub async fn expire(&self, limit: u64) -> Result<usize, StoreError> {
        let (mut unit, mut ledger) = self.begin().await?;
        let mut rows = unit.overdue(limit).await?;
        // Told in the order in which they were accepted, whatever order the store has.
        rows.sort_by_key(|row| row.id);
        if rows.is_empty() {
            return Ok(0);
        }
        ledger.load_copies(rows.clone());
        let documents =
            self.documents(unit.as_mut(), &mut ledger, rows.iter().map(|row| row.id), &Documents::default()).await?;
        for row in &rows {
            let document = row.message.and_then(|message| documents.messages.get(&message));
            call_off::expire(&mut ledger, row, document.map(|document| document.key.as_str()));
        }
        unit.commit(ledger.into_changes()).await?;
        Ok(rows.len())
    }
}
