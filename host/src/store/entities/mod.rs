//! One entity a table; the columns are those of the migrations.

pub mod organizations;
pub mod api_keys;
pub mod installations;
pub mod tokens;
pub mod guesses;
pub mod account_links;
pub mod channels;
pub mod messages;
pub mod subscriptions;
pub mod streams;
pub mod events;
pub mod copies;
pub mod attempts;
pub mod tallies;
pub mod happenings;
pub mod audit;
pub mod facts;
