//! What the bench's programs share: the marker by which a message is known again, the
//! ledger of what arrived, and latencies.

pub mod latencies;
pub mod ledger;
pub mod marker;
