//! What documents become.

mod chat;

use chatport_sandbox::SandboxBackend;
use chatport_sdk::prelude::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn render(content: &Value, limits: &Limits) -> (Value, Rendering) {
    let content: Content = serde_json::from_value(content.clone()).expect("a document");
    let backend = SandboxBackend::default();
    let rendering = backend.delivery().expect("it delivers").render(&RenderRequest::new(&content, limits));
    (rendering.parts[0].payload.value(), rendering)
}

fn limits() -> Limits {
    SandboxBackend::default().descriptor().limits.clone()
}

/// The length of everything that counts.
fn length(card: &Value, unit: LengthUnit) -> usize {
    let facts = card["facts"].as_array().cloned().unwrap_or_default();
    let facts = facts.iter().flat_map(|fact| [fact["name"].clone(), fact["value"].clone()]);
    let rest = ["/mention", "/title", "/text", "/link/url", "/link/label", "/image/url", "/image/alt"];
    let texts = rest.iter().filter_map(|at| card.pointer(at).cloned()).chain(facts);
    texts.filter_map(|text| text.as_str().map(|text| unit.length(text))).sum()
}

#[test]
fn a_document_that_fits_stays_as_it_is() {
    let (card, rendering) = render(
        &json!({
            "state": "firing", "title": "Disk full", "text": "*on* `db1`",
            "facts": [{ "name": "team", "value": "storage" }],
            "link": { "url": "https://oncall.example/a/1", "label": "Open" },
            "actions": [{ "id": "ack", "label": "Acknowledge" }],
        }),
        &limits(),
    );
    assert_eq!(
        (&card["title"], &card["text"], &card["state"]),
        (&json!("Disk full"), &json!("*on* `db1`"), &json!("firing"))
    );
    assert_eq!(card["facts"][0]["value"], "storage");
    assert_eq!(card["link"]["label"], "Open");
    assert_eq!(rendering.parts[0].actions, ["ack"]);
    assert!(rendering.notes.is_empty());
}

#[test]
fn a_long_text_is_cut_visibly_and_keeps_the_link() {
    let (card, rendering) = render(
        &json!({ "title": "Logs", "text": "é".repeat(50_000), "link": { "url": "https://oncall.example/a/1" } }),
        &limits(),
    );
    assert!(card["text"].as_str().unwrap().ends_with("… (trimmed)"));
    assert_eq!(card["link"]["url"], "https://oncall.example/a/1");
    assert!(length(&card, LengthUnit::Characters) <= 4_000);
    assert_eq!(rendering.notes[0].code, NoteCode::Trimmed);
}

#[test]
fn the_mark_stands_outside_of_a_code_block_that_was_cut() {
    let (card, _) = render(&json!({ "text": format!("```\n{}\n```", "x".repeat(9_000)) }), &limits());
    assert!(card["text"].as_str().unwrap().ends_with("x\n```\n… (trimmed)"));
}

#[test]
fn facts_that_do_not_fit_are_counted() {
    let facts: Vec<_> = (0..50).map(|n| json!({ "name": format!("f{n}"), "value": "v".repeat(400) })).collect();
    let (card, rendering) = render(&json!({ "title": "Many", "text": "t".repeat(5_000), "facts": facts }), &limits());
    let last = card["facts"].as_array().unwrap().last().unwrap();
    assert!(last["value"].as_str().unwrap().ends_with("more (trimmed)"), "{last}");
    assert!(rendering.notes.iter().any(|note| note.detail.contains("facts")));
}

#[test]
fn actions_and_choices_beyond_the_limits_are_left_out_with_a_note() {
    let choices: Vec<_> = (0..50).map(|n| json!({ "value": format!("{n}"), "label": "c" })).collect();
    let actions: Vec<_> = (0..20).map(|n| json!({ "id": format!("a{n}"), "label": "A", "choices": choices })).collect();
    let (card, rendering) = render(&json!({ "title": "Many", "actions": actions }), &limits());
    assert_eq!(card["buttons"].as_array().unwrap().len(), limits().actions);
    assert_eq!(card["buttons"][0]["choices"].as_array().unwrap().len(), limits().choices);
    assert_eq!(rendering.parts[0].actions.len(), limits().actions);
    assert!(rendering.notes.iter().all(|note| note.code == NoteCode::ActionsDropped) && !rendering.notes.is_empty());
}

#[test]
fn a_person_is_called_by_name() {
    let content: Content = serde_json::from_value(json!({ "title": "Disk full" })).unwrap();
    let mut ada = Account::new("ada");
    ada.username = "ada".into();
    let backend = SandboxBackend::default();
    let limits = limits();
    let request = RenderRequest::new(&content, &limits).mention(Some(&ada));
    let rendering = backend.delivery().unwrap().render(&request);
    assert_eq!(rendering.parts[0].payload.value()["mention"], "@ada");
}

proptest! {
    #[test]
    fn whatever_is_written_stays_within_the_limits(
        title in ".{0,300}",
        text in "(?s).{0,2000}",
        facts in prop::collection::vec((".{1,40}", ".{0,200}"), 0..12),
        label in prop::option::of(".{1,80}"),
        unit in prop::sample::select(vec![LengthUnit::Characters, LengthUnit::Utf16, LengthUnit::Bytes]),
        most in 60_usize..1_500,
    ) {
        let facts: Vec<_> = facts.into_iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        let link = json!({ "url": "https://oncall.example/a/1", "label": label });
        let mut limits = limits();
        (limits.unit, limits.text) = (unit, most);
        let (card, _) = render(&json!({ "title": title, "text": text, "facts": facts, "link": link }), &limits);
        prop_assert!(length(&card, unit) <= most, "{} > {most}: {card}", length(&card, unit));
        prop_assert_eq!(&card["link"]["url"], "https://oncall.example/a/1");
    }
}
