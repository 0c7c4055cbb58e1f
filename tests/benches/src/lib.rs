//! What the bench's programs share: the marker by which a message is known again, the
//! ledger of what arrived, latencies, and a connection that speaks HTTP.

pub mod connection;
pub mod latencies;
pub mod ledger;
pub mod marker;

/// The token of the bot that the stand-in platform knows.
pub const BOT_TOKEN: &str = "benchbenchbenchbenchbenchb";
/// The account on the stand-in platform that presses buttons.
pub const PERSON: &str = "personpersonpersonpersonpe";
/// What the application says to each press.
pub const NOTICE: &str = "Noted.";
