//! What documents become: nothing that an application sends can break it.

use chatport_sdk::{
    content::{Action, Allow, Choice, Fact, Image, Link, State, Style},
    prelude::*,
};
use chatport_telegram::TelegramBackend;
use proptest::prelude::*;

use crate::{Bench, titled};

/// Text of any characters, with what Markdown and HTML look for among them.
fn any_text() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        any::<String>(),
        "[a-z <>&\"*_~`#\\[\\]()!|\\n-]{0,40}",
        Just("<b>".to_owned()),
        Just("](https://x.example/?a=1&b=\"2\")".to_owned()),
        Just("```\n".to_owned()),
        Just("🔥👩‍👩‍👧‍👦".to_owned()),
    ];
    prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
}

fn any_action() -> impl Strategy<Value = (String, Vec<String>)> {
    (any_text(), prop::collection::vec(any_text(), 0..25))
}

prop_compose! {
    fn any_content()(
        title in any_text(),
        text in any_text(),
        times in 1_usize..40,
        facts in prop::collection::vec((any_text(), any_text()), 0..8),
        actions in prop::collection::vec(any_action(), 0..8),
        has_link in any::<bool>(),
        has_image in any::<bool>(),
    ) -> Content {
        let url = |text: &str| Url::parse(text).expect("a URL");
        let choice = |(number, label): (usize, String)| Choice { value: format!("v{number}"), label };
        let action = |(number, (label, choices)): (usize, (String, Vec<String>))| Action {
            id: format!("a{number}"),
            label,
            style: Style::Danger,
            choices: choices.into_iter().enumerate().map(choice).collect(),
            allow: Allow::Linked,
        };
        Content {
            state: Some(State::Firing),
            title,
            text: text.repeat(times),
            facts: facts.into_iter().map(|(name, value)| Fact { name, value, short: false }).collect(),
            image: has_image.then(|| Image { url: url("https://x.example/p.png?a=1&b=2"), alt: String::new() }),
            link: has_link.then(|| Link { url: url(LINK), label: None }),
            actions: actions.into_iter().enumerate().map(action).collect(),
        }
    }
}

const LINK: &str = "https://oncall.example.com/incidents/4711?tab=log&x=1";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_document_is_taken_and_leads_where_it_should(content in any_content()) {
        let bench = Bench::new();
        let receipt = bench.post(&bench.outgoing(&content, bench.group));
        prop_assert!(receipt.is_ok(), "{receipt:?}");
        let posts = bench.server.posts(&bench.token, bench.group);
        prop_assert!(posts[0].text.encode_utf16().count() <= 4_096);
        prop_assert!(content.link.is_none() || posts[0].links().iter().any(|link| link == LINK));
    }
}

fn shown(content: &Content) -> (String, Vec<String>, Vec<Note>) {
    let bench = Bench::new();
    let limits = &TelegramBackend.descriptor().limits;
    let notes = TelegramBackend.delivery().expect("delivery").render(&RenderRequest::new(content, limits)).notes;
    bench.post(&bench.outgoing(content, bench.group)).expect("posted");
    let post = bench.server.posts(&bench.token, bench.group).remove(0);
    (post.text.clone(), post.links(), notes)
}

#[test]
fn a_document_reads_from_its_state_to_its_link() {
    let url = |text: &str| Url::parse(text).expect("a URL");
    let mut content = Content { state: Some(State::Firing), text: "It is **full**.".into(), ..titled("Disk full") };
    content.facts.push(Fact { name: "Host".into(), value: "`db-1`".into(), short: true });
    content.link = Some(Link { url: url(LINK), label: Some("Open".into()) });
    let (text, links, notes) = shown(&content);
    assert_eq!(text, "🔴 Disk full\nIt is full.\n\nHost: db-1\n\nOpen");
    assert_eq!((links, notes), (vec![LINK.to_owned(), LINK.to_owned()], vec![]));
}

#[test]
fn an_address_that_servers_make_no_link_of_stands_as_text() {
    let url = Url::parse("http://oncall:8080/incidents/1").expect("a URL");
    let content = Content { link: Some(Link { url, label: None }), ..titled("Disk full") };
    assert_eq!(shown(&content).0, "Disk full\n\nhttp://oncall:8080/incidents/1");
}

#[test]
fn what_is_cut_is_marked_and_noted() {
    let content = Content { text: "word ".repeat(2_000), ..titled("Disk full") };
    let (text, _, notes) = shown(&content);
    assert!(text.ends_with("… (trimmed)") && text.encode_utf16().count() > 4_000, "{}", text.len());
    assert_eq!(notes.iter().map(|note| note.code).collect::<Vec<_>>(), [NoteCode::Trimmed]);
}

#[test]
fn nothing_to_be_seen_is_said_to_be_nothing() {
    assert_eq!(shown(&titled("\u{200d}\u{202e}\0")).0, "(no text)");
}

#[test]
fn a_menu_becomes_a_button_for_each_choice() {
    let choice = |value: &str| Choice { value: value.into(), label: format!("for {value}") };
    let action = |id: &str, choices: &[&str]| Action {
        id: id.into(),
        label: id.to_uppercase(),
        style: Style::Default,
        choices: choices.iter().map(|value| choice(value)).collect(),
        allow: Allow::Linked,
    };
    let content = Content { actions: vec![action("ack", &[]), action("quiet", &["1h", "8h"])], ..titled("x") };
    let bench = Bench::new();
    let outgoing = bench.outgoing(&content, bench.group);
    bench.post(&outgoing).expect("posted");
    let buttons = bench.server.posts(&bench.token, bench.group)[0].buttons();
    let token = |action: &str, choice| outgoing.choice_token(action, choice).expect("a token").expose().to_owned();
    let wanted = [
        ("ACK".to_owned(), outgoing.token("ack").expect("a token").expose().to_owned()),
        ("QUIET: for 1h".to_owned(), token("quiet", "1h")),
        ("QUIET: for 8h".to_owned(), token("quiet", "8h")),
    ];
    assert_eq!(buttons, wanted);
}

#[test]
fn what_can_wait_is_silent_and_what_is_urgent_is_not() {
    let bench = Bench::new();
    for (urgency, is_silent) in [(Urgency::Low, true), (Urgency::Normal, false), (Urgency::Urgent, false)] {
        let mut outgoing = bench.outgoing(&titled("x"), bench.group);
        outgoing.urgency = urgency;
        let receipt = bench.post(&outgoing).expect("posted");
        let post = bench.server.message(bench.group, receipt.id.parse().expect("an id")).expect("it stands");
        assert_eq!(post.silent, is_silent);
    }
}
