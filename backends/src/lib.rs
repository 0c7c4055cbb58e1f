//! The stock backends. A backend is linked in by two lines: its dependency in `Cargo.toml`
//! and its `use` below. A crate that no path names isn't linked, and its registration is
//! lost silently; the lint on the next line says so at build time.
#![warn(unused_crate_dependencies)]

use chatport_mattermost as _;
use chatport_msteams as _;
use chatport_sandbox as _;
use chatport_telegram as _;
