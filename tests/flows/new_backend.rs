//! What `chatport new-backend` writes, as its author would use it: it compiles, it passes the
//! conformance suite, and it is registered.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use chatport_tests::program;
use tempfile::TempDir;

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the source of Chatport")
}

/// `chatport new-backend …` in this folder.
fn new_backend(folder: &TempDir, arguments: &[&str]) -> Output {
    let mut chatport = Command::new(program::program());
    chatport.current_dir(folder).env_clear().arg("new-backend").args(arguments).output().expect("the program runs")
}

fn cargo(crate_folder: &Path, arguments: &[&str]) -> Output {
    let target = program::program().ancestors().nth(2).expect("the target folder").to_owned();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(crate_folder).env("CARGO_TARGET_DIR", target).args(arguments);
    // What is there for Chatport itself is enough.
    cargo.arg("--offline").output().expect("cargo runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_new_backend_is_registered_and_passes_the_suite() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = source();
    let written = new_backend(&folder, &["notice-board", "--chatport", source.to_str().expect("a path")]);
    assert!(written.status.success(), "{}", said(&written));
    let made = folder.path().join("notice-board");
    std::fs::copy(source.join("Cargo.lock"), made.join("Cargo.lock")).expect("the same versions");
    let formatted =
        Command::new(env!("CARGO")).current_dir(&made).args(["fmt", "--check"]).output().expect("cargo runs");
    assert!(formatted.status.success(), "{}", said(&formatted));
    let tested = cargo(&made, &["test", "--quiet"]);
    assert!(tested.status.success(), "{}", said(&tested));
}

#[test]
fn nothing_is_written_where_something_is_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = source();
    let source = source.to_str().expect("a path");
    std::fs::create_dir(folder.path().join("taken")).expect("a folder");
    let refusals = [
        (vec!["Notice", "--chatport", source], "a backend's name has"),
        (vec!["notice-", "--chatport", source], "a backend's name has"),
        (vec!["match", "--chatport", source], "is taken"),
        (vec!["chatport-notice", "--chatport", source], "is taken"),
        (vec!["notice"], "give the folder of its source by --chatport"),
        (vec!["notice", "--chatport", "nowhere"], "there is no Chatport at nowhere"),
        (vec!["taken", "--chatport", source], "is there already"),
    ];
    for (arguments, why) in refusals {
        let refused = new_backend(&folder, &arguments);
        assert!(!refused.status.success() && said(&refused).contains(why), "{arguments:?}: {}", said(&refused));
        assert_eq!(said(&refused).lines().count(), 1, "one line: {}", said(&refused));
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("the folder").collect();
    assert_eq!(left.len(), 1, "{left:?}");
}
