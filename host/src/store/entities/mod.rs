//! One entity a table; the columns are those of the migrations.

pub mod account_links;
pub mod api_keys;
pub mod attempts;
pub mod audit;
pub mod channels;
pub mod command_sets;
pub mod copies;
pub mod events;
pub mod facts;
pub mod guesses;
pub mod happenings;
pub mod installations;
pub mod listeners;
pub mod messages;
pub mod organizations;
pub mod streams;
pub mod subscriptions;
pub mod tallies;
pub mod tokens;
