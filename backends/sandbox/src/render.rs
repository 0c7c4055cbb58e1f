//! From a document to what a post shows. Text stays the Markdown that it is. What doesn't fit
//! is cut where readers see it; the link is never cut. Buttons' words don't count.

use chatport_sdk::{
    content::{Fact, Link, MAX_LABEL},
    prelude::*,
};

use crate::card::{Button, Card};

/// Stands where text was cut.
const MARK: &str = " … (trimmed)";
/// The same where a code block was cut open; closes it.
const MARK_AFTER_CODE: &str = "\n```\n… (trimmed)";

/// Turn a document into the one part that it becomes.
pub(crate) fn render(request: &RenderRequest<'_>) -> Rendering {
    let (content, limits) = (request.content, request.limits);
    let mut notes = Vec::new();
    let mut room = Room { left: limits.text, unit: limits.unit };

    let link = content.link.clone().map(|link| room.take_link(link));
    let mention = request.mention.map(|account| format!("@{}", account.name())).unwrap_or_default();
    let mention = room.take(&mention, room.left / 4).0;
    let image = content.image.clone().filter(|image| {
        let length = room.length(image.url.as_str()) + room.length(&image.alt);
        let fits = length <= room.left / 2;
        room.left -= if fits { length } else { 0 };
        fits
    });
    if image.is_none() && content.image.is_some() {
        notes.push(Note::new(NoteCode::ImageDropped, "the picture's address is too long"));
    }
    let (title, title_cut) = room.take(&content.title, room.left / 2);
    // The text may have what the facts don't need, and at least half.
    let wanted = room.length(&content.text);
    let facts = room.take_facts(&content.facts, (room.left / 2).max(room.left.saturating_sub(wanted)));
    let (text, text_cut) = room.take(&content.text, room.left);

    let cut = [("the title", title_cut), ("the text", text_cut), ("the facts", facts != content.facts)];
    for (what, _) in cut.iter().filter(|(_, cut)| *cut) {
        notes.push(Note::new(NoteCode::Trimmed, format!("{what} didn't fit into {} {:?}", limits.text, limits.unit)));
    }
    let buttons = buttons(content, limits, &mut notes);
    let actions = buttons.iter().map(|button| button.id.clone()).collect();
    let card = Card { mention, state: content.state, title, text, facts, image, link, buttons };
    // A card is made of texts, numbers and lists: JSON holds all of it.
    let payload = Payload::of(&card).unwrap_or_default();
    Rendering { parts: vec![Part { payload, actions }], notes }
}

fn buttons(content: &Content, limits: &Limits, notes: &mut Vec<Note>) -> Vec<Button> {
    let left_out = content.actions.len().saturating_sub(limits.actions);
    if left_out > 0 {
        notes.push(Note::new(NoteCode::ActionsDropped, format!("{left_out} actions are more than fit into a post")));
    }
    let button = |action: &Action| {
        let left_out = action.choices.len().saturating_sub(limits.choices);
        if left_out > 0 {
            let detail = format!("{left_out} choices of `{}` are more than fit into a menu", action.id);
            notes.push(Note::new(NoteCode::ActionsDropped, detail));
        }
        Button {
            id: action.id.clone(),
            label: action.label.clone(),
            style: action.style,
            choices: action.choices.iter().take(limits.choices).cloned().collect(),
        }
    };
    content.actions.iter().take(limits.actions).map(button).collect()
}

/// What may still be put into a post.
struct Room {
    left: usize,
    unit: LengthUnit,
}

impl Room {
    fn length(&self, text: &str) -> usize {
        self.unit.length(text)
    }

    /// Take up to `most` of the room for a text, cut with a mark if it is longer.
    fn take(&mut self, text: &str, most: usize) -> (String, bool) {
        let most = most.min(self.left);
        if self.length(text) <= most {
            self.left -= self.length(text);
            return (text.into(), false);
        }
        let mut kept = self.start_of(text, most.saturating_sub(self.length(MARK_AFTER_CODE))).to_owned();
        let in_code = kept.matches("```").count() % 2 == 1;
        kept.push_str(if in_code { MARK_AFTER_CODE } else { MARK });
        if self.length(&kept) > most {
            kept = self.start_of(MARK.trim_start(), most).to_owned();
        }
        self.left -= self.length(&kept);
        (kept, true)
    }

    /// The longest start of a text that isn't longer than `most`.
    fn start_of<'a>(&self, text: &'a str, most: usize) -> &'a str {
        let mut length = 0;
        for (index, character) in text.char_indices() {
            length += self.length(character.encode_utf8(&mut [0; 4]));
            if length > most {
                return &text[..index];
            }
        }
        text
    }

    /// The address is kept whole, whatever its length; its words are kept if they fit.
    fn take_link(&mut self, mut link: Link) -> Link {
        self.left = self.left.saturating_sub(self.length(link.url.as_str()));
        link.label = link.label.map(|label| self.take(&label, (self.left / 4).min(MAX_LABEL)).0);
        link.label = link.label.filter(|label| !label.is_empty());
        link
    }

    /// Take up to `most` of the room for facts. If some are left out, the last one says so.
    fn take_facts(&mut self, facts: &[Fact], most: usize) -> Vec<Fact> {
        let length = |fact: &Fact, room: &Self| room.length(&fact.name) + room.length(&fact.value);
        let whole: usize = facts.iter().map(|fact| length(fact, self)).sum();
        if whole <= most {
            self.left -= whole;
            return facts.to_vec();
        }
        let more =
            |left_out: usize| Fact { name: "…".into(), value: format!("{left_out} more (trimmed)"), short: false };
        let mut room = most.saturating_sub(length(&more(facts.len()), self));
        let mut kept = Vec::new();
        for fact in facts {
            let needed = length(fact, self);
            if needed > room {
                break;
            }
            room -= needed;
            kept.push(fact.clone());
        }
        let last = more(facts.len() - kept.len());
        if length(&last, self) <= most {
            kept.push(last);
        }
        self.left -= kept.iter().map(|fact| length(fact, self)).sum::<usize>();
        kept
    }
}
