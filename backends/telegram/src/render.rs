//! From a document to one message. What doesn't fit is cut, on plain text and before markup; the
//! link is never cut. Lengths are Telegram's (UTF-16 code units once markup has been read), and so
//! is the limit of 32,768 bytes before that.

use chatport_sdk::{
    content::{Fact, Link},
    prelude::*,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    descriptor::MAX_TEXT,
    keyboard::{self, Button},
    markdown,
    runs::{self, DOTS, MARK, Room, Run, Style, is_clickable, is_visible, one_line},
};

/// Bytes of a whole text with its markup.
const MAX_BYTES: usize = 32_000;
/// Longest title, fact's name, fact's value, and name of a person.
const MAX_TITLE: usize = 500;
const MAX_NAME: usize = 200;
const MAX_VALUE: usize = 1_000;
/// Longest address of a link or picture, in bytes.
const MAX_URL: usize = 4_000;

/// What a message shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Card {
    /// The text as HTML.
    html: String,
    /// The address whose picture is shown below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    picture: Option<String>,
    /// The slots for buttons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rows: Vec<Vec<Button>>,
}

impl Card {
    /// The card of a part.
    ///
    /// # Errors
    /// A part that isn't ours.
    pub(crate) fn of(part: &Part) -> Result<Self, Failure> {
        part.payload
            .read()
            .map_err(|_| Failure::new(Cause::ContentRejected, "the part isn't one of a Telegram message"))
    }

    /// The text, its preview and its buttons, as methods take them.
    pub(crate) fn body(&self, outgoing: &Outgoing) -> Value {
        let preview = match &self.picture {
            Some(url) => json!({ "url": url, "prefer_large_media": true }),
            None => json!({ "is_disabled": true }),
        };
        let mut body = json!({ "text": self.html, "parse_mode": "HTML", "link_preview_options": preview });
        if let Some(keyboard) = keyboard::keyboard(&self.rows, outgoing) {
            body["reply_markup"] = keyboard;
        }
        body
    }
}

/// A text's body as plain text, with the addresses of its links behind their words where there is room.
pub(crate) fn without_markup(body: &mut Value) {
    let html = body["text"].as_str().unwrap_or_default();
    let long = runs::plain(html, true);
    let is_room = LengthUnit::Utf16.length(&long) <= MAX_TEXT;
    body["text"] = if is_room { long } else { runs::plain(html, false) }.into();
    if let Some(members) = body.as_object_mut() {
        members.remove("parse_mode");
    }
}

/// Turn a document into the one message that it becomes.
pub(crate) fn render(request: &RenderRequest<'_>) -> Rendering {
    let (content, limits) = (request.content, request.limits);
    let room = Room { unit: limits.unit, length: limits.text.min(MAX_TEXT), bytes: MAX_BYTES };
    let mut writer = Writer { room, trimmed: Vec::new(), notes: Vec::new() };

    let link = writer.link(content.link.as_ref());
    let mut head = request.mention.map(|person| writer.mention(person)).unwrap_or_default();
    head.extend(writer.title(content, link.as_deref()));
    let tail = writer.pointer(content, link.as_deref());
    // The text may have what the facts don't need, and at least half.
    let wanted = writer.room.unit.length(&content.text);
    let for_facts = (writer.room.length / 2).max(writer.room.length.saturating_sub(wanted));
    let facts = writer.facts(&content.facts, for_facts);
    let text = writer.text(&content.text);
    let picture = writer.picture(content);
    let (rows, dropped) = keyboard::rows(&content.actions, limits.actions, limits.choices);
    if dropped > 0 {
        let detail = format!("{dropped} buttons don't fit under a message");
        writer.notes.push(Note::new(NoteCode::ActionsDropped, detail));
    }

    // The styles of the tail come first where there are too many.
    let body = runs::tidy([head, text, facts].concat());
    let runs = [body, tail].concat();
    let is_seen = runs.iter().any(|run| is_visible(&run.text));
    let html = if is_seen { runs::html(&runs) } else { "(no text)".into() };
    let mut actions: Vec<String> = rows.iter().flatten().map(|button| button.action.clone()).collect();
    actions.dedup();
    // A card is made of texts and lists: JSON holds all of it.
    let payload = Payload::of(&Card { html, picture, rows }).unwrap_or_default();
    Rendering { parts: vec![Part { payload, actions }], notes: writer.finish(limits) }
}

struct Writer {
    room: Room,
    trimmed: Vec<&'static str>,
    notes: Vec<Note>,
}

impl Writer {
    /// As much of some runs as fits into `room`; counted, and noted if cut.
    fn put(&mut self, what: &'static str, runs: Vec<Run>, room: Room, mark: &str) -> Vec<Run> {
        let (kept, is_cut) = room.cut(runs, mark);
        if is_cut && !self.trimmed.contains(&what) {
            self.trimmed.push(what);
        }
        self.room.use_up(&kept);
        kept
    }

    /// The link's address, if a message can hold it.
    fn link(&mut self, link: Option<&Link>) -> Option<String> {
        let url = link?.url.to_string();
        if url.len() > MAX_URL {
            self.trimmed.push("the link's address");
            return None;
        }
        // All else has what it leaves, twice: as a link, and as text where that must be.
        self.room.bytes = self.room.bytes.saturating_sub(2 * (6 * url.len()).min(MAX_BYTES / 4));
        Some(url)
    }

    fn mention(&mut self, person: &Account) -> Vec<Run> {
        let name = match one_line(person.name()) {
            name if is_visible(&name) => name,
            _ => person.id.clone(),
        };
        let is_person = person.id.parse::<i64>().is_ok_and(|id| id > 0);
        let link = is_person.then(|| format!("tg://user?id={}", person.id));
        if !is_person {
            self.notes.push(Note::new(NoteCode::Simplified, "the person can't be mentioned: the account isn't one"));
        }
        let room = self.room.part(MAX_NAME);
        let mut named = self.put("the name", vec![Run { link, ..Run::plain(name) }], room, DOTS);
        named.push(Run::plain("\n"));
        named
    }

    /// One line: the state's sign, and the title, which leads where the link does.
    fn title(&mut self, content: &Content, link: Option<&str>) -> Vec<Run> {
        let label = content.link.as_ref().and_then(|link| link.label.as_deref()).unwrap_or_default();
        let named = [content.title.as_str(), label, link.unwrap_or_default()];
        let title = named.into_iter().map(one_line).find(|title| is_visible(title)).unwrap_or_default();
        let sign = content.state.map(|state| format!("{} ", state.sign())).unwrap_or_default();
        let link = link.filter(|link| is_clickable(link)).map(str::to_owned);
        let style = Style { bold: true, ..Style::default() };
        let room = self.room.part(MAX_TITLE.min(self.room.length / 2));
        let mut line = vec![Run::plain(sign)];
        line.extend(self.put("the title", vec![Run { text: title, style, link }], room, DOTS));
        self.room.use_up(&line[..1]);
        line
    }

    /// The link under its own words, where the title has other ones; and its address as it is,
    /// where servers make no link of it.
    fn pointer(&mut self, content: &Content, link: Option<&str>) -> Vec<Run> {
        let Some(url) = link else { return Vec::new() };
        let label = content.link.as_ref().and_then(|link| link.label.as_deref()).map(one_line).unwrap_or_default();
        let mut run = match is_clickable(url) {
            true if is_visible(&label) && is_visible(&content.title) => Run::plain(label),
            true => return Vec::new(),
            false => Run::plain(url),
        };
        if is_clickable(url) {
            run.link = Some(url.to_owned());
        }
        let room = self.room.part(if run.link.is_some() { MAX_NAME } else { MAX_URL });
        let mut pointer = vec![Run::plain("\n\n")];
        pointer.extend(self.put("the link", vec![run], room, DOTS));
        self.room.use_up(&pointer[..1]);
        pointer
    }

    /// Named values, one a line, up to `most` of the length.
    fn facts(&mut self, facts: &[Fact], most: usize) -> Vec<Run> {
        let mut lines = Vec::new();
        for (index, fact) in facts.iter().enumerate() {
            let (name, _) = self.room.part(MAX_NAME).cut(vec![Run::bold(format!("{}:", one_line(&fact.name)))], DOTS);
            let (value, is_cut) = self.room.part(MAX_VALUE).cut(markdown::line(&fact.value), DOTS);
            let start = if index == 0 { "\n\n" } else { "\n" };
            lines.extend([vec![Run::plain(start)], name, vec![Run::plain(" ")], value].concat());
            if is_cut && !self.trimmed.contains(&"the facts") {
                self.trimmed.push("the facts");
            }
        }
        let room = self.room.part(most);
        self.put("the facts", lines, room, MARK)
    }

    fn text(&mut self, text: &str) -> Vec<Run> {
        let runs = markdown::runs(text);
        if !runs.iter().any(|run| is_visible(&run.text)) {
            return Vec::new();
        }
        let start = Run::plain("\n");
        self.room.use_up(std::slice::from_ref(&start));
        let room = self.room;
        let mut text = vec![start];
        text.extend(self.put("the text", runs::tidy(runs), room, MARK));
        text
    }

    /// A picture is the preview of its own address.
    fn picture(&mut self, content: &Content) -> Option<String> {
        let url = content.image.as_ref()?.url.to_string();
        if url.len() > MAX_URL || !is_clickable(&url) {
            self.notes.push(Note::new(NoteCode::ImageDropped, "Telegram can't fetch the picture from its address"));
            return None;
        }
        Some(url)
    }

    fn finish(mut self, limits: &Limits) -> Vec<Note> {
        for what in &self.trimmed {
            let detail = format!("{what} didn't fit into {} {:?}", limits.text, limits.unit);
            self.notes.push(Note::new(NoteCode::Trimmed, detail));
        }
        self.notes
    }
}
