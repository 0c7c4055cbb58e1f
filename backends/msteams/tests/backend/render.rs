//! How documents are shown. The stand-in checks each card that is posted.

use chatport_sdk::{prelude::*, testkit::run};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::bench::{Bench, content};

fn rendered(bench: &Bench, value: Value) -> Rendering {
    bench.delivery().render(&RenderRequest::new(&content(value), &bench.backend.descriptor().limits))
}

fn has_note(rendering: &Rendering, code: NoteCode) -> bool {
    rendering.notes.iter().any(|note| note.code == code)
}

/// What is posted of a document, as the stand-in took it.
fn posted(bench: &Bench, value: Value) -> chatport_fake_msteams::Post {
    let id = bench.post(&content(value)).id;
    let posts = bench.teams.posts(&bench.channel());
    posts.into_iter().find(|post| post.id == id).expect("it stands")
}

#[test]
fn a_title_is_shown_as_it_is_with_its_state() {
    let bench = Bench::ready();
    let post = posted(&bench, json!({ "title": "a_b *c* [d](e)\n<b>", "state": "firing" }));
    let run = &post.card()["body"][0]["inlines"][0];
    assert_eq!((&run["text"], &run["color"]), (&json!("🔴 a_b *c* [d](e) <b>"), &json!("Attention")));
}

#[test]
fn mentions_in_a_text_are_made_harmless_and_noted() {
    let bench = Bench::ready();
    let document = json!({ "title": "<at>everyone</at>", "text": "<AT>x</AT>",
        "facts": [{ "name": "<at>", "value": "</at>" }], "actions": [{ "id": "a", "label": "<at>y</at>" }] });
    assert!(has_note(&rendered(&bench, document.clone()), NoteCode::MentionNeutralised));
    // The stand-in takes no `<at>` that mentions nobody.
    posted(&bench, document);
    assert!(!has_note(&rendered(&bench, json!({ "title": "@everyone" })), NoteCode::MentionNeutralised));
}

#[test]
fn a_linked_person_is_called_by_name() {
    let bench = Bench::ready();
    let limits = &bench.backend.descriptor().limits;
    let mut account = Account::new(bench.teams.person_id("Ada"));
    account.display_name = "Ada <L>".into();
    let document = content(json!({ "title": "T" }));
    let mut rendering = bench.delivery().render(&RenderRequest::new(&document, limits).mention(Some(&account)));
    let mut outgoing = bench.outgoing(&document);
    outgoing.part = rendering.parts.remove(0);
    run(bench.delivery().post(&bench.stage.site(), &outgoing)).expect("posted");
    let post = bench.teams.posts(&bench.channel()).remove(0);
    assert!(post.text().starts_with("<at>Ada L</at>"), "{}", post.text());
    account.display_name = "<>".into();
    let nobody = bench.delivery().render(&RenderRequest::new(&document, limits).mention(Some(&account)));
    assert!(has_note(&nobody, NoteCode::Simplified));
}

#[test]
fn buttons_are_universal_with_a_fallback_and_the_link_is_one_of_them() {
    let bench = Bench::ready();
    let mut document = crate::press::with_buttons();
    document["link"] = json!({ "url": "https://x.example/a?b=c", "label": "Read on" });
    let post = posted(&bench, document);
    let kinds: Vec<&str> = post.actions().iter().filter_map(|action| action["type"].as_str()).collect();
    assert_eq!(kinds, ["Action.Execute", "Action.Execute", "Action.OpenUrl"]);
    let button = post.action("Acknowledge").expect("a button");
    assert_eq!((&button["fallback"]["type"], &button["style"]), (&json!("Action.Submit"), &json!("positive")));
    assert_eq!(button["data"], button["fallback"]["data"]);
    assert_eq!(post.links(), ["https://x.example/a?b=c"]);
}

#[test]
fn what_is_left_out_is_noted() {
    let bench = Bench::ready();
    let actions: Vec<Value> = (0..9).map(|n| json!({ "id": format!("a{n}"), "label": "L" })).collect();
    let rendering = rendered(&bench, json!({ "title": "T", "actions": actions }));
    assert_eq!(rendering.parts[0].actions.len(), 5);
    assert!(has_note(&rendering, NoteCode::ActionsDropped));
    let rendering = rendered(&bench, json!({ "title": "T", "image": { "url": "http://x.example/a.png" } }));
    assert!(has_note(&rendering, NoteCode::ImageDropped));
    let long =
        rendered(&bench, json!({ "title": "T", "text": "é".repeat(40_000), "link": { "url": "https://x.example/" } }));
    assert!(has_note(&long, NoteCode::Trimmed));
    assert!(long.parts[0].payload.text().contains("… (trimmed)"));
    let facts: Vec<Value> = (0..50).map(|n| json!({ "name": format!("n{n}"), "value": "v".repeat(999) })).collect();
    let rendering = rendered(&bench, json!({ "title": "T", "facts": facts }));
    assert!(has_note(&rendering, NoteCode::Trimmed) && rendering.parts[0].payload.text().contains("more (trimmed)"));
}

#[test]
fn what_is_urgent_is_important() {
    let bench = Bench::ready();
    let mut outgoing = bench.outgoing(&content(json!({ "title": "Wake up" })));
    outgoing.urgency = Urgency::Urgent;
    run(bench.delivery().post(&bench.stage.site(), &outgoing)).expect("posted");
    assert_eq!(bench.teams.posts(&bench.channel())[0].activity["importance"], "high");
}

/// Texts that are long, or full of what Markdown, JSON and mentions are made of.
fn words(most: usize) -> impl Strategy<Value = String> {
    let nasty = "[@&#;a-zA-Z`~\\[\\]()<>|*_\\\\\"{}!\n\t é🔴\u{0}]{0,40}";
    let tags = prop_oneof![
        Just("<at>all</at>".to_owned()),
        Just("< at".to_owned()),
        Just("</AT>".to_owned()),
        Just("```\n".to_owned()),
        Just("{{DATE(x)}}".to_owned()),
        Just("\\".to_owned()),
    ];
    let piece = prop_oneof![nasty.prop_map(String::from), tags, Just("\"\\\"".repeat(50)), Just("🔴".repeat(60))];
    (prop::collection::vec(piece, 0..8), 1..most).prop_map(|(pieces, times)| pieces.concat().repeat(times))
}

fn document() -> impl Strategy<Value = Value> {
    let action = (words(3), prop::collection::vec(words(3), 0..50));
    let parts = (
        words(20),
        words(400),
        prop::collection::vec((words(3), words(20)), 0..50),
        prop::collection::vec(action, 0..8),
        prop::option::of("[a-z/?=&%]{0,3000}"),
    );
    parts.prop_map(|(title, text, facts, actions, link)| {
        let cut = |text: String, most: usize| text.chars().take(most).collect::<String>();
        let facts: Vec<Value> =
            facts.into_iter().map(|(name, value)| json!({ "name": cut(format!("f{name}"), 256), "value": value })).collect();
        let action = |(number, (label, choices)): (usize, (String, Vec<String>))| {
            let choices = choices.into_iter().enumerate();
            let choices: Vec<Value> = choices
                .map(|(at, label)| json!({ "value": cut(format!("{at}{label}"), 256), "label": cut(format!("c{label}"), 256) }))
                .collect();
            json!({ "id": format!("a{number}"), "label": cut(format!("l{label}"), 256), "choices": choices })
        };
        let actions: Vec<Value> = actions.into_iter().enumerate().map(action).collect();
        let mut document = json!({ "title": cut(format!("t{title}"), 1_000), "text": cut(text, 50_000), "facts": facts, "actions": actions });
        if let Some(path) = link {
            document["link"] = json!({ "url": format!("https://x.example/{path}"), "label": "Open" });
        }
        document
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_document_says_teams_takes_it_and_its_link_is_kept(document in document()) {
        let bench = Bench::ready();
        // The stand-in refuses what is larger than 80 KB, no card, or mentions nobody.
        let post = posted(&bench, document.clone());
        let limits = &bench.backend.descriptor().limits;
        prop_assert!(limits.unit.length(&post.text()) <= limits.text);
        if let Some(url) = document["link"]["url"].as_str() {
            let url = Url::parse(url).expect("an address").to_string();
            prop_assert_eq!(post.links(), [url]);
        }
    }
}
