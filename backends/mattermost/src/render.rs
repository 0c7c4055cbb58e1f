//! From a document to a message attachment. Text stays the Markdown that it is; a plain
//! title is escaped where Mattermost would read Markdown. What doesn't fit is cut where
//! readers see it; the link is never cut. The whole post stays below the server's 300,000
//! bytes (and so below its 800,000 characters of properties).

use std::borrow::Cow;

use chatport_sdk::{
    content::{Fact, Link, Style},
    prelude::*,
};

use crate::{
    card::{Attachment, AttachmentField, Button, Card, MenuOption},
    mentions,
    room::{MARK, Room, close_blocks, json_bytes},
};

/// Bytes for everything that is written for readers, leaving room for what sending adds.
const ALL_BYTES: usize = 280_000;
/// Bytes for buttons and menus; each needs some for its address and token too.
const BUTTON_BYTES: usize = 110_000;
/// What sending adds to each button, at most: address, token, names of members.
const BUTTON_EXTRA: usize = 1_200;
/// Bytes for facts, with their frames.
const FACT_BYTES: usize = 60_000;
/// What frames a fact: the names of its members.
const FACT_FRAME: usize = 48;
/// Longest title, fact's name or value, or word on a button.
const MAX_TITLE: usize = 1_000;
const MAX_NAME: usize = 256;
const MAX_VALUE: usize = 2_000;
const MAX_FALLBACK: usize = 300;
/// Longest address of a picture, and longest value of a choice, in bytes.
const MAX_IMAGE: usize = 8_000;
const MAX_CHOICE: usize = 4_000;
/// Stands where a name was cut.
const DOTS: &str = "…";

/// Turn a document into the one part that it becomes.
pub(crate) fn render(request: &RenderRequest<'_>) -> Rendering {
    let (content, limits) = (request.content, request.limits);
    let mut writer = Writer {
        room: Room { length: limits.text, bytes: ALL_BYTES, unit: limits.unit },
        calls: false,
        trimmed: Vec::new(),
        notes: Vec::new(),
    };
    let mut attachment = Attachment::default();
    if let Some(state) = content.state {
        attachment.color = state.colour().into();
    }
    if let Some(link) = &content.link {
        attachment.title_link = link.url.as_str().into();
        // An address may be longer than anything else; the rest has what it leaves.
        writer.room.bytes = writer.room.bytes.saturating_sub(json_bytes(&attachment.title_link));
    }
    let buttons = writer.buttons(content, limits);
    attachment.title = writer.title(content);
    attachment.image_url = writer.image(content);
    let pointer = content.link.as_ref().and_then(|link| writer.pointer(link, content));
    if let Some(pointer) = &pointer {
        writer.room.use_up(pointer);
    }
    // The text may have what the facts don't need, and at least half.
    let wanted = writer.room.unit.length(&content.text);
    let for_facts = (writer.room.length / 2).max(writer.room.length.saturating_sub(wanted));
    attachment.fields = writer.facts(&content.facts, for_facts);
    attachment.text = writer.text(&content.text);
    if let Some(pointer) = pointer {
        let text = attachment.text.to_mut();
        close_blocks(text);
        text.push_str(&pointer);
    }
    attachment.fallback = writer.fallback(content);
    let message = writer.mention(request.mention).into();

    let actions = buttons.iter().map(|button| button.action.to_string()).collect();
    let card = Card { message, attachment, buttons };
    // A card is made of texts and lists: JSON holds all of it.
    let payload = Payload::of(&card).unwrap_or_default();
    Rendering { parts: vec![Part { payload, actions }], notes: writer.finish(limits) }
}

struct Writer {
    room: Room,
    calls: bool,
    trimmed: Vec<&'static str>,
    notes: Vec<Note>,
}

impl Writer {
    /// Text without calls to everybody.
    fn harmless<'a>(&mut self, text: impl Into<Cow<'a, str>>) -> Cow<'a, str> {
        let text = text.into();
        let Some(harmless) = mentions::neutralised(&text) else { return text };
        self.calls = true;
        harmless.into()
    }

    /// As much of a text as fits into `room`; counted, and noted if cut.
    fn put<'a>(&mut self, what: &'static str, text: Cow<'a, str>, room: Room, mark: &str) -> Cow<'a, str> {
        let (kept, cut) = room.cut(text, mark);
        if cut && !self.trimmed.contains(&what) {
            self.trimmed.push(what);
        }
        self.room.use_up(&kept);
        kept
    }

    fn title<'a>(&mut self, content: &'a Content) -> Cow<'a, str> {
        let link = content.link.as_ref();
        let label = link.and_then(|link| link.label.as_deref()).unwrap_or_default();
        let address = link.map_or("", |link| link.url.as_str());
        let words = [content.title.as_str(), label, address];
        let plain = words.into_iter().find(|words| !words.trim().is_empty()).unwrap_or_default();
        let title = self.harmless(one_line(plain));
        // Beside a link the title is shown as it is, alone it is read as Markdown.
        let title = if content.link.is_some() { title } else { escaped(&title).into() };
        let room = self.room.part(MAX_TITLE.min(self.room.length / 2), 6 * MAX_TITLE);
        self.put("the title", title, room, DOTS)
    }

    /// The link under its own words, where the title has other ones.
    fn pointer(&mut self, link: &Link, content: &Content) -> Option<String> {
        let label = link.label.as_deref().map(one_line).filter(|label| !label.is_empty())?;
        if content.title.trim().is_empty() {
            return None;
        }
        let label = self.harmless(label);
        let (label, _) = self.room.part(MAX_NAME, self.room.bytes).cut(label, DOTS);
        let address = link.url.as_str().replace('(', "%28").replace(')', "%29");
        let pointer = format!("\n\n[{}]({address})", escaped(&label));
        // An address that would call everybody stays behind the title alone.
        let safe = mentions::neutralised(&address).is_none();
        let half = self.room.part(self.room.length / 2, self.room.bytes / 2);
        (safe && half.fits(&pointer)).then_some(pointer)
    }

    fn image<'a>(&mut self, content: &'a Content) -> Cow<'a, str> {
        let Some(image) = &content.image else { return Cow::default() };
        let address = image.url.as_str();
        if json_bytes(address) > MAX_IMAGE {
            self.notes.push(Note::new(NoteCode::ImageDropped, "the picture's address is too long"));
            return Cow::default();
        }
        self.room.bytes = self.room.bytes.saturating_sub(json_bytes(address));
        address.into()
    }

    /// Named values, up to `most` of the length. If some are left out, the last one says so.
    fn facts<'a>(&mut self, facts: &'a [Fact], most: usize) -> Vec<AttachmentField<'a>> {
        let mut room = self.room.part(most, FACT_BYTES);
        let reserve = 40;
        let mut fields = Vec::new();
        for (index, fact) in facts.iter().enumerate() {
            let name = self.harmless(one_line(&fact.name));
            let value = self.harmless(&fact.value);
            let limit = Room { length: MAX_NAME, bytes: 4 * MAX_NAME, ..room };
            let (title, name_cut) = limit.cut(name, DOTS);
            let limit = Room { length: MAX_VALUE, bytes: 6 * MAX_VALUE, ..room };
            let (value, value_cut) = limit.cut(value, MARK);
            let length = room.unit.length(&title) + room.unit.length(&value);
            let bytes = json_bytes(&title) + json_bytes(&value) + FACT_FRAME;
            if length + reserve > room.length || bytes + reserve + FACT_FRAME > room.bytes {
                let more = format!("{} more (trimmed)", facts.len() - index);
                if room.length >= reserve {
                    fields.push(AttachmentField { title: DOTS.into(), value: more.into(), short: false });
                }
                self.trimmed.push("the facts");
                break;
            }
            if (name_cut || value_cut) && !self.trimmed.contains(&"the facts") {
                self.trimmed.push("the facts");
            }
            room.length -= length;
            room.bytes -= bytes;
            fields.push(AttachmentField { title, value, short: fact.short });
        }
        for field in &fields {
            self.room.use_up(&field.title);
            self.room.use_up(&field.value);
            self.room.bytes = self.room.bytes.saturating_sub(FACT_FRAME);
        }
        fields
    }

    fn text<'a>(&mut self, text: &'a str) -> Cow<'a, str> {
        let text = self.harmless(text);
        self.put("the text", text, self.room, MARK)
    }

    /// What notifications show. It doesn't count as text of the post.
    fn fallback<'a>(&mut self, content: &'a Content) -> Cow<'a, str> {
        let link = content.link.as_ref().map(|link| link.url.as_str());
        let texts = [content.title.as_str(), content.text.as_str(), link.unwrap_or_default()];
        let text = texts.into_iter().find(|text| !text.trim().is_empty()).unwrap_or_default();
        let text = self.harmless(one_line(text));
        Room { length: MAX_FALLBACK, bytes: 6 * MAX_FALLBACK, ..self.room }.cut(text, DOTS).0
    }

    /// The one thing that stands outside the attachment.
    fn mention(&mut self, account: Option<&Account>) -> String {
        let Some(account) = account else { return String::new() };
        mentions::of_person(&account.username).unwrap_or_else(|| {
            self.notes.push(Note::new(NoteCode::Simplified, "the person can't be mentioned: the name isn't known"));
            String::new()
        })
    }

    fn buttons<'a>(&mut self, content: &'a Content, limits: &Limits) -> Vec<Button<'a>> {
        let mut bytes = BUTTON_BYTES.min(self.room.bytes / 2);
        let mut buttons = Vec::new();
        let mut dropped = 0;
        for action in &content.actions {
            let (button, left_out) = self.button(action, limits);
            let options: usize =
                button.options.iter().map(|option| json_bytes(&option.text) + json_bytes(&option.value) + 24).sum();
            let size = json_bytes(&button.name) + options + BUTTON_EXTRA;
            let is_menu = !action.choices.is_empty();
            if buttons.len() >= limits.actions || size > bytes || (is_menu && button.options.is_empty()) {
                dropped += 1;
                continue;
            }
            if left_out > 0 {
                let detail = format!("{left_out} choices of `{}` don't fit into a menu", action.id);
                self.notes.push(Note::new(NoteCode::ActionsDropped, detail));
            }
            bytes -= size;
            self.room.bytes = self.room.bytes.saturating_sub(size);
            buttons.push(button);
        }
        if dropped > 0 {
            self.notes.push(Note::new(NoteCode::ActionsDropped, format!("{dropped} actions don't fit into a post")));
        }
        buttons
    }

    /// A button or menu, and how many choices it had to leave out.
    fn button<'a>(&mut self, action: &'a Action, limits: &Limits) -> (Button<'a>, usize) {
        let words = Room { length: MAX_NAME, bytes: 6 * MAX_NAME, unit: limits.unit };
        let mut word = |text: &'a str, instead: &'a str| {
            let text = self.harmless(one_line(if text.trim().is_empty() { instead } else { text }));
            words.cut(text, DOTS).0
        };
        let named = if action.id.trim().is_empty() { "-" } else { &action.id };
        let name = word(&action.label, named);
        let fitting = |choice: &&Choice| !choice.value.is_empty() && json_bytes(&choice.value) <= MAX_CHOICE;
        let options: Vec<MenuOption<'a>> = (action.choices.iter().filter(fitting).take(limits.choices))
            .map(|choice| MenuOption { text: word(&choice.label, &choice.value), value: choice.value.as_str().into() })
            .collect();
        let left_out = action.choices.len() - options.len();
        (Button { action: action.id.as_str().into(), name, style: style(action.style).into(), options }, left_out)
    }

    /// The notes, each sort once.
    fn finish(mut self, limits: &Limits) -> Vec<Note> {
        for what in &self.trimmed {
            let detail = format!("{what} didn't fit into {} {:?}", limits.text, limits.unit);
            self.notes.push(Note::new(NoteCode::Trimmed, detail));
        }
        if self.calls {
            let detail = "a call to everybody in a channel was made harmless";
            self.notes.push(Note::new(NoteCode::MentionNeutralised, detail));
        }
        self.notes
    }
}

fn style(style: Style) -> &'static str {
    match style {
        Style::Primary => "primary",
        Style::Success => "success",
        Style::Danger => "danger",
        _ => "default",
    }
}

/// A text on one line.
fn one_line(text: &str) -> Cow<'_, str> {
    let mut last = ' ';
    let mut is_fine = |c: char| {
        let before = std::mem::replace(&mut last, c);
        !c.is_whitespace() || (c == ' ' && before != ' ')
    };
    if text.chars().all(&mut is_fine) && last != ' ' {
        return text.into();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ").into()
}

/// Plain text, so written that Markdown shows it as it is.
fn escaped(text: &str) -> String {
    let special = |c: char| matches!(c, '\\' | '`' | '*' | '_' | '~' | '[' | ']' | '<' | '>' | '#' | '|' | '!');
    text.chars().fold(String::with_capacity(text.len()), |mut out, character| {
        if special(character) {
            out.push('\\');
        }
        out.push(character);
        out
    })
}
