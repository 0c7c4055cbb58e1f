//! The backend against a stand-in for ntfy: the conformance suite in memory, and the whole way
//! through the program over HTTP.

mod flow;
mod server;

use std::sync::Arc;

use chatport_ntfy::Ntfy;
use chatport_sdk::{
    content::{Allow, Link, Style},
    http::Dispatch,
    prelude::*,
    site::SiteParts,
    testkit::{Dice, Fixture, Platform, Stage, run},
};
use server::FakeNtfy;

struct NtfyFixture;

impl Fixture for NtfyFixture {
    fn backend(&self) -> Arc<dyn MessagingBackend> {
        Arc::new(Ntfy)
    }

    fn platform(&self) -> Arc<dyn Platform> {
        Arc::new(FakeNtfy::default())
    }
}

mod conformance {
    chatport_sdk::conformance!(super::NtfyFixture);
}

#[test]
fn a_link_as_long_as_a_message_leaves_less_room_for_text() {
    let stage = Stage::of(&NtfyFixture, Ntfy.descriptor());
    run(stage.install(&NtfyFixture)).expect("set up");
    let url = Url::parse(&format!("https://grafana.example.com/?{}", "x".repeat(4_000))).expect("an address");
    let content = Content {
        title: "Disk full".into(),
        text: "\"quoted\" ".repeat(1_000),
        link: Some(Link { url: url.clone(), label: None }),
        ..Content::default()
    };
    let mut rendering = Ntfy.render(&RenderRequest::new(&content, &Ntfy.descriptor().limits));
    assert_eq!(rendering.notes[0].code, NoteCode::Trimmed);
    let outgoing = Outgoing::new("c1", 1, stage.platform.place().address, rendering.parts.remove(0));
    run(Ntfy.post(&stage.site(), &outgoing)).expect("posted");
    let posts = run(stage.platform.posts());
    assert_eq!(posts[0].links, [url.to_string()]);
    assert!(posts[0].text.contains("quoted"));
}

#[test]
fn without_a_public_address_there_are_no_buttons() {
    let stage = Stage::of(&NtfyFixture, Ntfy.descriptor());
    run(stage.install(&NtfyFixture)).expect("set up");
    let mut parts = SiteParts::new("slot", stage.vault.clone(), stage.clock.clone(), Arc::new(Dice::new(1)));
    parts.settings = stage.platform.settings();
    let site = Site::new(parts, HttpClient::new(stage.line.clone(), Dispatch::default()));
    let label = "Acknowledge".to_owned();
    let action = Action { id: "ack".into(), label, style: Style::Default, choices: Vec::new(), allow: Allow::Anyone };
    let content = Content { title: "Disk full".into(), actions: vec![action], ..Content::default() };
    let mut rendering = Ntfy.render(&RenderRequest::new(&content, &Ntfy.descriptor().limits));
    let outgoing = Outgoing::new("c1", 1, stage.platform.place().address, rendering.parts.remove(0));
    run(Ntfy.post(&site, &outgoing)).expect("posted");
    assert_eq!(run(stage.platform.posts())[0].buttons, []);
}
