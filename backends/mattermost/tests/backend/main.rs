//! The backend as the host sees it: driven through the contract alone, against a scripted
//! server, a vault in memory and a clock that stands still.

mod actions;
mod apps_calls;
mod apps_install;
mod bench;
mod bot_install;
mod delivery;
mod errors;
mod hostile;
mod manifest;
mod render;
mod server;
mod sessions;
mod slash;
mod vectors;
