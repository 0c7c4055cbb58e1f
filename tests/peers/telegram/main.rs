//! Telegram's backend beside software that isn't ours: `telemelya`, a mock of the Bot API, takes
//! part in a whole exchange with the real program; the models of `aiogram`, a client, judge the
//! bodies that we send and the updates that our own stand-in makes. Both are Python programs of
//! pinned versions, installed below the target folder.

mod exchange;
mod relay;
mod schema;

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// The folder with the peers, which are installed first.
fn peers() -> &'static Path {
    static PEERS: OnceLock<PathBuf> = OnceLock::new();
    PEERS.get_or_init(|| {
        let here = std::env::current_exe().expect("this test's path");
        // target/debug/deps/suite → target/peers/telegram
        let folder = here.ancestors().nth(3).expect("the target folder").join("peers/telegram");
        let installed = std::process::Command::new("bash").arg(script("install")).arg(&folder).status();
        assert!(installed.expect("bash runs").success(), "the peers can't be installed into {}", folder.display());
        folder
    })
}

/// One of the scripts beside this file.
fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/telegram").join(name)
}
