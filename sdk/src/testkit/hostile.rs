//! Content that breaks what was written for nice content, and requests that nobody meant.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};
use url::Url;

use super::Dice;
use crate::{
    content::{Action, Allow, Choice, Content, Fact, Image, Link, MAX_TEXT, MAX_TITLE, State, Style},
    ingress::Request,
};

/// Pieces of text of which content is put together.
const PIECES: &[&str] = &[
    "",
    " ",
    "\n",
    "\r\n",
    "\t",
    "\u{0}",
    "\u{7f}",
    "\u{feff}",
    "\u{202e}",
    "\u{200d}",
    "\u{fffd}",
    "a",
    "Disk full",
    "👩‍👩‍👧‍👦",
    "🔥",
    "e\u{301}\u{323}",
    "ﷺ",
    "中文字",
    "שלום",
    "<b>",
    "</script>",
    "<!--",
    "&amp;",
    "&",
    "\"",
    "'",
    "\\",
    "`",
    "```",
    "~~~",
    "**",
    "__",
    "~~",
    "||",
    "|",
    "[",
    "](",
    "](http://x/)",
    "![",
    ")",
    "<https://example.com>",
    "# ",
    "> ",
    "- ",
    "1. ",
    "@all",
    "@channel",
    "@here",
    "@everyone",
    "<!channel>",
    "<@U123>",
    "@ada",
    "#town",
    ":fire:",
    "$x$",
    "{{x}}",
    "${x}",
    "%s%n",
    "'; DROP TABLE",
    "http://example.com/?a=b&c=d#e",
    "javascript:alert(1)",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

/// The address that every document with a link leads to.
pub(super) const LINK: &str = "https://oncall.example.com/incidents/4711?tab=log&x=1";

fn text(dice: &Dice, longest: usize) -> String {
    let mut text = String::new();
    let pieces = match dice.below(4) {
        0 => dice.below(3),
        1 => dice.below(20),
        2 => dice.below(200),
        _ => dice.below(2_000),
    };
    for _ in 0..pieces {
        text.push_str(dice.one_of::<&str>(PIECES));
        if text.len() > longest {
            break;
        }
    }
    text.chars().take(longest).collect()
}

/// A document that the host would accept, with anything in it.
pub(super) fn content(dice: &Dice) -> Content {
    let states = [None, Some(State::Firing), Some(State::Acknowledged), Some(State::Silenced), Some(State::Resolved)];
    let mut content = Content {
        state: *dice.one_of(&states),
        title: text(dice, MAX_TITLE),
        text: text(dice, MAX_TEXT),
        ..Content::default()
    };
    for _ in 0..dice.below(6) {
        let name = format!("f{}", text(dice, 200));
        content.facts.push(Fact { name, value: text(dice, 2_000), short: dice.below(2) == 0 });
    }
    if dice.below(2) == 0 {
        content.link = link();
    }
    if dice.below(4) == 0 {
        let url = Url::parse("https://example.com/graph.png").ok();
        content.image = url.map(|url| Image { url, alt: text(dice, 300) });
    }
    for number in 0..dice.below(8) {
        content.actions.push(action(dice, number));
    }
    if content.title.is_empty() && content.text.is_empty() {
        content.title = "x".into();
    }
    content
}

fn action(dice: &Dice, number: usize) -> Action {
    let choice = |number| Choice { value: format!("v{number}"), label: format!("c{}", text(dice, 200)) };
    let choices = if dice.below(3) == 0 { (0..=dice.below(40)).map(choice).collect() } else { Vec::new() };
    Action {
        id: format!("a{number}-{}", text(dice, 40)),
        label: format!("l{}", text(dice, 200)),
        style: *dice.one_of(&[Style::Default, Style::Primary, Style::Danger]),
        choices,
        allow: Allow::Linked,
    }
}

/// Where to read on.
pub(super) fn link() -> Option<Link> {
    Url::parse(LINK).ok().map(|url| Link { url, label: None })
}

/// Anything that somebody might look for.
pub(super) fn query(dice: &Dice, longest: usize) -> String {
    text(dice, longest).trim().to_owned()
}

/// Any JSON, small.
pub(super) fn value(dice: &Dice, depth: usize) -> Value {
    match dice.below(if depth == 0 { 6 } else { 8 }) {
        0 => Value::Null,
        1 => json!(dice.below(2) == 0),
        2 => json!(dice.number()),
        3 => json!(-1.5),
        4 | 5 => json!(text(dice, 200)),
        6 => (0..dice.below(4)).map(|_| value(dice, depth - 1)).collect(),
        _ => {
            let keys = ["v", "id", "channel", "team_id", "token", "text", "user_id", "context", "type", "message"];
            (0..dice.below(6)).map(|_| ((*dice.one_of(&keys)).to_owned(), value(dice, depth - 1))).collect()
        }
    }
}

/// Any request.
pub(super) fn request(dice: &Dice) -> Request {
    let methods = [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::HEAD, Method::OPTIONS];
    let paths = ["/", "", "/events", "/webhook", "//", "/../..", "/%00", "/actions", "/a/b/c", "/%ff"];
    let mut headers = HeaderMap::new();
    let names = ["content-type", "authorization", "x-signature", "webhook-id", "webhook-signature", "user-agent"];
    let values =
        ["application/json", "Bearer x", "Token ", "v1,AAAA", "text/plain", "application/x-www-form-urlencoded"];
    for _ in 0..dice.below(4) {
        let name = HeaderName::from_static(dice.one_of::<&str>(&names));
        headers.insert(name, HeaderValue::from_static(dice.one_of::<&str>(&values)));
    }
    let body = match dice.below(4) {
        0 => String::new(),
        1 => text(dice, 4_000),
        2 => format!("token={}&text={}&user_id={}", text(dice, 30), text(dice, 30), text(dice, 30)),
        _ => value(dice, 4).to_string(),
    };
    Request {
        method: dice.one_of(&methods).clone(),
        path: (*dice.one_of(&paths)).to_owned(),
        query: (dice.below(3) == 0).then(|| text(dice, 60)),
        headers,
        body: body.into(),
    }
}
