//! How documents are shown.

use chatport_mattermost::MattermostBackend;
use chatport_sdk::{
    content::{Content, Fact, Image, Link},
    delivery::ActionToken,
    prelude::*,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    bench::{Bench, delivery},
    server::{CHANNEL, POST, post},
};

fn limits() -> Limits {
    MattermostBackend.descriptor().limits.clone()
}

fn rendered(content: Value) -> Rendering {
    let content: Content = serde_json::from_value(content).expect("a document");
    delivery().render(&RenderRequest::new(&content, &limits()))
}

fn attachment(rendering: &Rendering) -> Value {
    rendering.parts[0].payload.value()["attachment"].take()
}

fn has_note(rendering: &Rendering, code: NoteCode) -> bool {
    rendering.notes.iter().any(|note| note.code == code)
}

#[test]
fn an_unlinked_title_is_plain_text() {
    let rendering = rendered(json!({"title": "a_b *c* [d](e)"}));
    assert_eq!(attachment(&rendering)["title"], r"a\_b \*c\* \[d\](e)");
    let rendering = rendered(json!({"title": "a_b", "link": {"url": "https://x.example/"}}));
    assert_eq!(attachment(&rendering)["title"], "a_b", "beside a link Mattermost shows it as it is");
}

#[test]
fn a_link_has_words_to_press() {
    let rendering = rendered(json!({"text": "t", "link": {"url": "https://x.example/a"}}));
    assert_eq!(attachment(&rendering)["title"], "https://x.example/a");
    let rendering = rendered(json!({"title": " ", "text": "t", "link": {"url": "https://x.example/a", "label": "\n"}}));
    assert_eq!(attachment(&rendering)["title"], "https://x.example/a");
    let rendering = rendered(json!({"text": "t", "link": {"url": "https://x.example/a", "label": "Open"}}));
    assert_eq!(attachment(&rendering)["title"], "Open");
    let rendering =
        rendered(json!({"title": "T", "text": "t", "link": {"url": "https://x.example/(a)", "label": "Open"}}));
    assert_eq!(attachment(&rendering)["title_link"], "https://x.example/(a)");
    assert_eq!(attachment(&rendering)["text"], "t\n\n[Open](https://x.example/%28a%29)");
}

#[test]
fn calls_to_everybody_are_made_harmless_and_noted() {
    let rendering =
        rendered(json!({"title": "@here", "text": "x @channel", "facts": [{"name": "n", "value": "@all"}]}));
    assert_eq!(attachment(&rendering)["text"], "x @\u{200b}channel");
    assert!(has_note(&rendering, NoteCode::MentionNeutralised));
    assert!(!has_note(&rendered(json!({"title": "@alice"})), NoteCode::MentionNeutralised));
}

#[test]
fn a_person_is_mentioned_outside_the_attachment() {
    let content: Content = serde_json::from_value(json!({"title": "T"})).expect("a document");
    let mut account = Account::new("ws4o4macctyn5ko8uhkkxmgfur");
    let render = |account: &Account| delivery().render(&RenderRequest::new(&content, &limits()).mention(Some(account)));
    account.username = "alice".into();
    assert_eq!(render(&account).parts[0].payload.value()["message"], "@alice");
    account.username = "channel".into();
    let nobody = render(&account);
    assert!(nobody.parts[0].payload.value().get("message").is_none());
    assert!(has_note(&nobody, NoteCode::Simplified));
}

#[test]
fn what_is_cut_is_marked_and_noted() {
    let rendering = rendered(json!({"title": "T", "text": "é".repeat(20_000), "link": {"url": "https://x.example/"}}));
    assert!(attachment(&rendering)["text"].as_str().expect("a text").ends_with("… (trimmed)"));
    assert!(has_note(&rendering, NoteCode::Trimmed));
    let facts: Vec<Value> = (0..50).map(|n| json!({"name": format!("n{n}"), "value": "v".repeat(1_999)})).collect();
    let rendering = rendered(json!({"title": "T", "facts": facts}));
    let attachment = attachment(&rendering);
    let fields = attachment["fields"].as_array().expect("fields");
    assert!(fields.len() < 50 && fields.last().expect("a field")["value"].as_str().expect("a text").contains("more"));
    assert!(has_note(&rendering, NoteCode::Trimmed));
}

#[test]
fn more_actions_than_fit_are_left_out_and_noted() {
    let actions: Vec<Value> = (0..3).map(|n| json!({"id": format!("a{n}"), "label": "L"})).collect();
    let content: Content = serde_json::from_value(json!({"title": "T", "actions": actions})).expect("a document");
    let mut few = limits();
    few.actions = 2;
    let rendering = delivery().render(&RenderRequest::new(&content, &few));
    assert_eq!(rendering.parts[0].actions, ["a0", "a1"]);
    assert!(has_note(&rendering, NoteCode::ActionsDropped));
}

#[test]
fn rendering_twice_is_the_same() {
    let content = json!({"title": "T", "text": "t", "state": "resolved", "actions": [{"id": "a", "label": "A"}]});
    assert_eq!(rendered(content.clone()), rendered(content));
}

/// Texts that are long, or full of what Markdown, JSON and mentions are made of.
fn words(most: usize) -> impl Strategy<Value = String> {
    let nasty = "[@＠&#;a-zA-Z`~\\[\\]()<>|*_\\\\\"\n\t é🔴\u{0}]{0,40}";
    let calls = prop_oneof![
        Just("@channel".to_owned()),
        Just("@ALL ".to_owned()),
        Just("&#64;here".to_owned()),
        Just("```\n".to_owned()),
        nasty.prop_map(|text| text),
    ];
    (prop::collection::vec(calls, 0..6), 1..most).prop_map(|(texts, times)| texts.concat().repeat(times))
}

prop_compose! {
    fn documents()(
        title in words(100), text in words(800), label in prop::option::of(words(20)),
        link in prop::option::of("https://x\\.example/[a-z@()]{0,3000}"),
        image in prop::option::of("https://x\\.example/[a-z]{0,9000}"),
        facts in prop::collection::vec((words(20), words(60), any::<bool>()), 0..60),
        actions in prop::collection::vec(("[a-z]{1,8}", words(20), prop::collection::vec((words(12), words(12)), 0..60)), 0..30),
    ) -> Content {
        let mut content = Content { title, text, ..Content::default() };
        content.link = link.map(|url| Link { url: Url::parse(&url).expect("an address"), label });
        content.image = image.map(|url| Image { url: Url::parse(&url).expect("an address"), alt: String::new() });
        content.facts = facts.into_iter().map(|(name, value, short)| Fact { name, value, short }).collect();
        let choice = |(value, label): (String, String)| json!({"value": value, "label": label});
        content.actions = actions.into_iter().map(|(id, label, choices)| {
            let choices: Vec<Value> = choices.into_iter().map(choice).collect();
            serde_json::from_value(json!({"id": id, "label": label, "choices": choices})).expect("an action")
        }).collect();
        content
    }
}

/// Every text that people would see, except addresses and the values of menus.
fn shown(value: &Value, key: &str, texts: &mut Vec<String>) {
    match value {
        Value::String(text) if !matches!(key, "title_link" | "image_url" | "value_of_menu" | "action") => {
            texts.push(text.clone())
        }
        Value::Array(items) => items.iter().for_each(|item| shown(item, key, texts)),
        Value::Object(members) => {
            let is_option = members.contains_key("text") && members.contains_key("value") && members.len() == 2;
            for (name, member) in members {
                let key = if is_option && name == "value" { "value_of_menu" } else { name };
                shown(member, key, texts);
            }
        }
        _ => {}
    }
}

/// Whether the server would find a call to everybody.
fn calls_everybody(text: &str) -> bool {
    let text = text.to_lowercase().replace("&#64;", "@").replace('＠', "@");
    ["@channel", "@all", "@here"]
        .iter()
        .any(|call| text.match_indices(call).any(|(at, _)| !text[at + call.len()..].starts_with(char::is_alphanumeric)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_document_stays_within_the_limits(content in documents(), text in 200_usize..20_000) {
        let mut limits = limits();
        limits.text = text;
        let rendering = delivery().render(&RenderRequest::new(&content, &limits));
        prop_assert_eq!(rendering.parts.len(), 1);
        let part = &rendering.parts[0];
        let payload = part.payload.value();
        let attachment = &payload["attachment"];
        let length = |value: &Value| value.as_str().unwrap_or_default().chars().count();
        let fields = attachment["fields"].as_array().map_or(0, |fields| {
            fields.iter().map(|field| length(&field["title"]) + length(&field["value"])).sum()
        });
        prop_assert!(length(&attachment["title"]) + length(&attachment["text"]) + fields <= text);

        if let Some(link) = &content.link {
            prop_assert_eq!(attachment["title_link"].as_str(), Some(link.url.as_str()));
            prop_assert!(length(&attachment["title"]) > 0, "something to press");
        }
        let mut texts = Vec::new();
        shown(&payload, "", &mut texts);
        for text in texts {
            prop_assert!(!calls_everybody(&text), "{}", text);
        }

        // As it is sent, with tokens of full length.
        let mut outgoing = Outgoing::new("01920000-0000-7000-8000-000000000001", 1, Address(json!({"v": 1, "channel": CHANNEL})), part.clone());
        for action in &part.actions {
            outgoing.tokens.push(ActionToken { action: action.clone(), choice: None, token: Secret::new("t".repeat(64)) });
        }
        let bench = Bench::with_bot();
        bench.server.on("POST /posts", 201, post(POST, ""));
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(delivery().post(&bench.site(), &outgoing)).expect("posted");
        let sent = bench.server.asked("POST /posts").pop().expect("a request").body;
        prop_assert!(sent.to_string().len() <= 300_000);
        prop_assert!(sent["props"].to_string().chars().count() <= 800_000);
        for action in sent["props"]["attachments"][0]["actions"].as_array().into_iter().flatten() {
            prop_assert!(action["id"].as_str().expect("an id").bytes().all(|b| b.is_ascii_alphanumeric()));
            prop_assert!(!action["name"].as_str().expect("a name").is_empty());
            prop_assert_eq!(action["type"] == "select", action.get("options").is_some());
        }
    }
}
