//! From a document to an Adaptive Card. What doesn't fit is cut where readers see it; the link is
//! never cut. The whole activity stays below 80 KB as UTF-16, which is what Teams surely takes:
//! <https://learn.microsoft.com/microsoftteams/platform/bots/how-to/format-your-bot-messages>

use chatport_sdk::{
    content::{Fact, Style},
    prelude::*,
};
use serde_json::{Value, json};

use crate::{
    card::{Button, Card, CardLink, Mention, MenuOption},
    text::{self, DOTS, MARK, Room, wire_length},
    words::one_line,
};

/// UTF-16 units for everything: 80 KB, less what frames the card.
const ALL: usize = 40_960 - 2_500;
/// UTF-16 units for buttons and menus, and what sending adds to each: everything but its title
/// and options stands there twice.
const BUTTONS: usize = 12_000;
const BUTTON_FRAME: usize = 600;
const OPTION_FRAME: usize = 24;
/// UTF-16 units for facts, and what frames one.
const FACTS: usize = 16_000;
const FACT_FRAME: usize = 24;
/// Longest title, words on a button, name or value of a fact, words of a menu's entry.
const MAX_TITLE: usize = 500;
const MAX_LABEL: usize = 80;
const MAX_NAME: usize = 200;
const MAX_VALUE: usize = 1_000;
const MAX_SUMMARY: usize = 200;
/// Longest address of a picture, in UTF-16 units.
const MAX_IMAGE: usize = 2_000;

/// Turn a document into the one part that it becomes.
pub(crate) fn render(request: &RenderRequest<'_>) -> Rendering {
    let (content, limits) = (request.content, request.limits);
    let mut writer = Writer {
        room: Room { length: limits.text, wire: ALL, unit: limits.unit },
        trimmed: Vec::new(),
        mentions: false,
        simplified: false,
        notes: Vec::new(),
    };
    let link = content.link.as_ref().map(|link| {
        let title = link.label.as_deref().map(one_line).filter(|label| !label.is_empty());
        let title = writer.label(&title.unwrap_or_else(|| "Open".into()));
        CardLink { title, url: link.url.to_string() }
    });
    if let Some(link) = &link {
        // An address may be longer than anything else; the rest has what it leaves.
        writer.room.wire = writer.room.wire.saturating_sub(wire_length(&link.url) + wire_length(&link.title) + 60);
    }
    let buttons = writer.buttons(content, limits);
    let mut body = Vec::new();
    let mention = writer.mention(request.mention);
    body.extend(mention.as_ref().map(|mention| json!({ "type": "TextBlock", "text": mention.text(), "wrap": true })));
    body.extend(writer.title(content));
    let image = writer.image(content);
    // The text may have what the facts don't need, and at least half.
    let wanted = writer.room.unit.length(&content.text);
    let for_facts = (writer.room.length / 2).max(writer.room.length.saturating_sub(wanted));
    let facts = writer.facts(&content.facts, for_facts);
    body.extend(writer.text(&content.text));
    body.extend(facts);
    body.extend(image);

    let mut card = Card::new(writer.summary(content), body);
    let actions = buttons.iter().map(|button| button.action.clone()).collect();
    (card.buttons, card.link, card.mention) = (buttons, link, mention);
    // A card is made of texts and lists: JSON holds all of it.
    let payload = Payload::of(&card).unwrap_or_default();
    Rendering { parts: vec![Part { payload, actions }], notes: writer.finish(limits) }
}

struct Writer {
    room: Room,
    trimmed: Vec<&'static str>,
    mentions: bool,
    simplified: bool,
    notes: Vec<Note>,
}

impl Writer {
    fn harmless(&mut self, text: &str) -> String {
        let (text, found) = text::harmless(text);
        self.mentions |= found;
        text
    }

    /// As much of a text as fits into `room`; counted, and noted if cut.
    fn put(&mut self, what: &'static str, text: &str, room: Room, mark: &str) -> String {
        let (kept, cut) = room.cut(text, mark);
        if cut && !self.trimmed.contains(&what) {
            self.trimmed.push(what);
        }
        self.room.use_up(&kept);
        kept
    }

    /// Words on a button: cards show them as they are.
    fn label(&mut self, text: &str) -> String {
        let text = self.harmless(&one_line(text));
        Room { length: MAX_LABEL, wire: 6 * MAX_LABEL, unit: LengthUnit::Utf16 }.cut(&text, DOTS).0
    }

    /// The title, which a text run shows as it is, with the state's sign and colour.
    fn title(&mut self, content: &Content) -> Option<Value> {
        let title = self.harmless(&one_line(&content.title));
        let signed = match content.state {
            Some(state) => format!("{} {title}", state.sign()),
            None => title,
        };
        let room = self.room.part(MAX_TITLE.min(self.room.length / 2), 4 * MAX_TITLE);
        let text = self.put("the title", signed.trim(), room, DOTS);
        if text.is_empty() {
            return None;
        }
        let mut run = json!({ "type": "TextRun", "text": text, "size": "Large", "weight": "Bolder" });
        if let Some(state) = content.state {
            run["color"] = colour(state).into();
        }
        Some(json!({ "type": "RichTextBlock", "inlines": [run] }))
    }

    fn text(&mut self, text: &str) -> Option<Value> {
        let text = self.harmless(text);
        let (text, simplified) = text::simplified(&text);
        self.simplified |= simplified;
        let text = self.put("the text", text.trim(), self.room, MARK);
        (!text.is_empty()).then(|| json!({ "type": "TextBlock", "text": text, "wrap": true }))
    }

    /// Named values, up to `most` of the length. If some are left out, the last one says so.
    fn facts(&mut self, facts: &[Fact], most: usize) -> Option<Value> {
        let mut room = self.room.part(most, FACTS.min(self.room.wire / 2));
        let (reserve, mut rows) = (40, Vec::new());
        for (index, fact) in facts.iter().enumerate() {
            let name = self.harmless(&one_line(&fact.name));
            let value = self.harmless(&one_line(&fact.value)).replace("![", "[");
            let (name, name_cut) = room.part(MAX_NAME, 4 * MAX_NAME).cut(&text::escaped(&name), DOTS);
            let (value, value_cut) = room.part(MAX_VALUE, 4 * MAX_VALUE).cut(&value, DOTS);
            let length = room.unit.length(&name) + room.unit.length(&value);
            let wire = wire_length(&name) + wire_length(&value) + FACT_FRAME;
            let is_last = length + reserve > room.length || wire + reserve + FACT_FRAME > room.wire;
            if (is_last || name_cut || value_cut) && !self.trimmed.contains(&"the facts") {
                self.trimmed.push("the facts");
            }
            if is_last {
                let more = format!("{} more (trimmed)", facts.len() - index);
                rows.extend((room.length >= reserve).then(|| (DOTS.to_owned(), more)));
                break;
            }
            (room.length, room.wire) = (room.length - length, room.wire - wire);
            rows.push((name, value));
        }
        let mut shown = Vec::new();
        for (name, value) in rows {
            self.room.use_up(&name);
            self.room.use_up(&value);
            self.room.wire = self.room.wire.saturating_sub(FACT_FRAME);
            shown.push(json!({ "title": name, "value": value }));
        }
        (!shown.is_empty()).then(|| json!({ "type": "FactSet", "facts": shown }))
    }

    fn image(&mut self, content: &Content) -> Option<Value> {
        let image = content.image.as_ref()?;
        let url = image.url.as_str();
        if wire_length(url) > MAX_IMAGE || image.url.scheme() != "https" {
            let detail = "Teams shows pictures with short https addresses alone";
            self.notes.push(Note::new(NoteCode::ImageDropped, detail));
            return None;
        }
        let alt = self.label(&image.alt);
        self.room.wire = self.room.wire.saturating_sub(wire_length(url) + wire_length(&alt) + 60);
        Some(json!({ "type": "Image", "url": url, "altText": alt }))
    }

    /// What notifications show. It doesn't count as text of the post.
    fn summary(&mut self, content: &Content) -> String {
        let texts = [content.title.as_str(), content.text.as_str()];
        let text = texts.into_iter().find(|text| !text.trim().is_empty()).unwrap_or_default();
        let text = self.harmless(&one_line(text));
        Room { length: MAX_SUMMARY, wire: 6 * MAX_SUMMARY, unit: LengthUnit::Utf16 }.cut(&text, DOTS).0
    }

    /// Whom the card calls by name: by the account, under the name that people read.
    fn mention(&mut self, account: Option<&Account>) -> Option<Mention> {
        let account = account?;
        // The name stands between tags.
        let plain = |c: &char| !c.is_control() && !matches!(c, '<' | '>' | '&');
        let name: String = one_line(account.name()).chars().filter(plain).take(MAX_LABEL).collect();
        let mention = Mention { id: account.id.clone(), name };
        let text = mention.text();
        if mention.name.trim().is_empty() || !self.room.part(self.room.length / 2, self.room.wire / 2).fits(&text) {
            self.notes.push(Note::new(NoteCode::Simplified, "the person can't be mentioned: the name isn't known"));
            return None;
        }
        self.room.use_up(&text);
        self.room.wire = self.room.wire.saturating_sub(2 * wire_length(&text) + wire_length(&mention.id) + 100);
        Some(mention)
    }

    fn buttons(&mut self, content: &Content, limits: &Limits) -> Vec<Button> {
        let mut wire = BUTTONS.min(self.room.wire / 2);
        let (mut buttons, mut dropped) = (Vec::new(), 0);
        for action in &content.actions {
            let size = BUTTON_FRAME + 3 * 2 * MAX_LABEL;
            if buttons.len() >= limits.actions || size > wire {
                dropped += 1;
                continue;
            }
            let title = if action.label.trim().is_empty() { &action.id } else { &action.label };
            let title = self.label(title);
            let (mut left, mut options) = (wire - size, Vec::new());
            for choice in action.choices.iter().take(limits.choices) {
                let title = if choice.label.trim().is_empty() { &choice.value } else { &choice.label };
                let option = MenuOption { title: self.label(title), value: choice.value.clone() };
                let size = wire_length(&option.title) + wire_length(&option.value) + OPTION_FRAME;
                if size > left {
                    break;
                }
                left -= size;
                options.push(option);
            }
            if !action.choices.is_empty() && options.is_empty() {
                dropped += 1;
                continue;
            }
            if options.len() < action.choices.len() {
                let without = action.choices.len() - options.len();
                let detail = format!("{without} choices of `{}` don't fit into a menu", action.id);
                self.notes.push(Note::new(NoteCode::ActionsDropped, detail));
            }
            self.room.wire = self.room.wire.saturating_sub(wire - left);
            wire = left;
            buttons.push(Button { action: action.id.clone(), title, style: style(action.style).into(), options });
        }
        if dropped > 0 {
            self.notes.push(Note::new(NoteCode::ActionsDropped, format!("{dropped} actions don't fit onto a card")));
        }
        buttons
    }

    /// The notes, each sort once.
    fn finish(mut self, limits: &Limits) -> Vec<Note> {
        for what in &self.trimmed {
            let detail = format!("{what} didn't fit into {} {:?}", limits.text, limits.unit);
            self.notes.push(Note::new(NoteCode::Trimmed, detail));
        }
        if self.mentions {
            self.notes.push(Note::new(NoteCode::MentionNeutralised, "a mention in the text was made harmless"));
        }
        if self.simplified {
            let detail = "cards have no headings, code blocks and pictures in texts";
            self.notes.push(Note::new(NoteCode::Simplified, detail));
        }
        self.notes
    }
}

fn style(style: Style) -> &'static str {
    match style {
        Style::Primary | Style::Success => "positive",
        Style::Danger => "destructive",
        _ => "",
    }
}

fn colour(state: State) -> &'static str {
    match state {
        State::Firing => "Attention",
        State::Acknowledged => "Warning",
        State::Resolved => "Good",
        State::Info => "Accent",
        _ => "Default",
    }
}
