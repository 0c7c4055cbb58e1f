//! Setting platforms up: installations with their tokens, verification codes, the links of
//! people and the connected channels.

pub mod audit;
pub mod channels;
pub mod codes;
pub mod command_sync;
pub mod commands;
pub mod contain;
pub mod directory;
pub mod failure;
pub mod guesses;
pub mod installations;
pub mod links;
pub mod machine;
pub mod page;
pub mod redeem;
pub mod renewal;
pub mod schema;
pub mod sites;
pub mod state;
pub mod suspension;
pub mod tokens;
pub mod vault;
mod view;
pub(crate) mod watch;

#[cfg(test)]
pub(crate) mod test_world;
#[cfg(test)]
mod tests;

pub use failure::SetupFailure;
