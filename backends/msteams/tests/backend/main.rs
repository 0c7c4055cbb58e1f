//! The backend as the host sees it: driven through the contract alone, against the strict stand-in
//! without a network, and a clock that stands still.

mod access;
mod bench;
mod errors;
mod hostile;
mod ingress;
mod keys;
mod package;
mod press;
mod render;
mod tokens;
