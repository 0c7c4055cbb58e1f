//! A world that is kept in a file.

mod chat;

use std::{fs, path::PathBuf};

use chat::{Chat, alert, outgoing, site_with};
use chatport_sdk::prelude::*;
use serde_json::json;
use tempfile::TempDir;

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("world.json");
    (folder, path)
}

#[tokio::test]
async fn a_world_survives_a_restart_with_its_history_and_what_its_buttons_carry() {
    let (_folder, path) = folder();
    let before = Chat::with_file(&path);
    let receipt = before.post(&outgoing("incidents", "c1", json!({ "title": "Starting" }))).await.unwrap();
    before.edit(&alert("c1"), &receipt).await.unwrap();
    let seen = before.posts("incidents").await;

    let after = Chat::with_file(&path);
    assert_eq!(after.posts("incidents").await, seen);
    assert_eq!(seen[0]["history"][0]["title"], "Starting");
    let pressed = after.happening("/posts/p1/press", json!({ "as": "ada", "action": "ack" })).await;
    assert!(matches!(pressed.kind, HappeningKind::Pressed { token, .. } if token.expose() == "token-of-ack-c1"));
    assert!(matches!(after.find(&alert("c1")).await, Found::Posted(found) if found == receipt));
    assert_eq!(after.post(&alert("c2")).await.unwrap().id, "p2");
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = folder();
    Chat::with_file(&path).post(&alert("c1")).await.unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[tokio::test]
async fn a_file_with_anything_else_is_left_as_it_is() {
    for content in ["", "{}", "not json", r#"{"format": "other", "world": {}}"#] {
        let (_folder, path) = folder();
        fs::write(&path, content).unwrap();
        let chat = Chat::with_file(&path);
        let error = chat.backend.install().unwrap().begin(&chat.site).await.unwrap_err();
        assert!(matches!(&error, SetupError::Field { name, .. } if name == "file"), "{error}");
        assert_eq!(chat.post(&alert("c1")).await.unwrap_err().cause, Cause::Unavailable);
        assert!(chat.backend.install().unwrap().remove(&chat.site).await.is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
}

#[tokio::test]
async fn a_change_that_cannot_be_kept_has_not_happened() {
    let (folder, path) = folder();
    let chat = Chat::with_file(&path);
    chat.post(&alert("c1")).await.unwrap();
    drop(folder);
    assert_eq!(chat.post(&alert("c2")).await.unwrap_err().cause, Cause::Unavailable);
    assert_eq!(chat.posts("incidents").await.len(), 1);
}

#[tokio::test]
async fn a_file_serves_one_installation() {
    let (_folder, path) = folder();
    let first = Chat::with_file(&path);
    first.post(&alert("c1")).await.unwrap();
    let settings = json!({ "file": path });
    let second = site_with(|parts| {
        parts.slot = "second".into();
        parts.settings = settings;
    });
    let error = first.backend.install().unwrap().begin(&second).await.unwrap_err();
    assert!(error.to_string().contains("another installation"), "{error}");
}

#[tokio::test]
async fn settings_that_no_world_can_have_are_refused() {
    let cases = [
        (json!({ "file": "relative.json" }), "file"),
        (json!({ "file": "/etc/passwd" }), "file"),
        (json!({ "world": "" }), "world"),
        (json!({ "world": "Two Words" }), "world"),
        (json!({ "world": 7 }), "settings"),
    ];
    for (settings, field) in cases {
        let chat = Chat { site: site_with(|parts| parts.settings = settings), ..Chat::new() };
        let error = chat.backend.install().unwrap().begin(&chat.site).await.unwrap_err();
        assert!(matches!(&error, SetupError::Field { name, .. } if name == field), "{field}: {error}");
    }
}

#[tokio::test]
async fn removing_the_installation_removes_its_world() {
    let (_folder, path) = folder();
    let chat = Chat::with_file(&path);
    chat.post(&alert("c1")).await.unwrap();
    chat.backend.install().unwrap().remove(&chat.site).await.unwrap();
    assert!(!path.exists());
    assert!(chat.posts("incidents").await.is_empty());
}
