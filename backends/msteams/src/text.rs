//! Text on a card. Cards read a part of Markdown, and `<at>…</at>` as a mention: what a document
//! says as CommonMark is brought to what cards read, plain text is escaped, and nothing in a
//! document can be read as a mention.
//! <https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format>

use chatport_sdk::prelude::*;

/// Stands behind a sign that is to mean nothing.
const ZERO_WIDTH_SPACE: char = '\u{200b}';
/// Stands where text was cut.
pub(crate) const MARK: &str = "\n\n… (trimmed)";
/// Stands where a name was cut.
pub(crate) const DOTS: &str = "…";

/// The text without mentions and functions, and whether there were mentions.
pub(crate) fn harmless(text: &str) -> (String, bool) {
    let mut out = String::with_capacity(text.len());
    let mut found = false;
    for (at, character) in text.char_indices() {
        // JSON and cards have no place for these.
        if character.is_control() && !matches!(character, '\n' | '\t') {
            continue;
        }
        out.push(character);
        let rest = &text[at + character.len_utf8()..];
        let is_tag = character == '<' && {
            let name = rest.trim_start_matches(['/', ' ', '\t']);
            name.get(..2).is_some_and(|name| name.eq_ignore_ascii_case("at"))
        };
        // `{{DATE(…)}}` would be worked out by the client.
        if is_tag || (character == '{' && rest.starts_with('{')) {
            out.push(ZERO_WIDTH_SPACE);
            found |= is_tag;
        }
    }
    (out, found)
}

/// Plain text, so written that Markdown shows it as it is.
pub(crate) fn escaped(text: &str) -> String {
    let special = |c: char| matches!(c, '\\' | '`' | '*' | '_' | '~' | '[' | ']' | '<' | '>' | '#' | '|' | '!');
    text.chars().fold(String::with_capacity(text.len()), |mut out, character| {
        if special(character) {
            out.push('\\');
        }
        out.push(character);
        out
    })
}

/// CommonMark as cards read it, and whether something had to be simplified: headings become bold
/// lines, pictures become links, code is shown as plain lines.
pub(crate) fn simplified(text: &str) -> (String, bool) {
    let (mut out, mut changed) = (String::with_capacity(text.len()), false);
    let mut fence: Option<&str> = None;
    for line in text.split('\n') {
        let trimmed = line.trim_start();
        let opens = ["```", "~~~"].into_iter().find(|fence| trimmed.starts_with(fence));
        match (fence, opens) {
            (None, Some(opened)) => (fence, changed) = (Some(opened), true),
            (Some(open), Some(closed)) if open == closed => fence = None,
            (Some(_), _) => out.push_str(&format!("{}\n\n", escaped(line))),
            (None, None) => {
                let heading = trimmed.trim_start_matches('#');
                let level = trimmed.len() - heading.len();
                if (1..=6).contains(&level) && heading.starts_with(' ') && !heading.trim().is_empty() {
                    changed = true;
                    out.push_str(&format!("**{}**\n\n", heading.trim().trim_end_matches('#').trim_end()));
                } else {
                    out.push_str(line);
                    out.push('\n');
                }
            }
        }
    }
    out.pop();
    if out.contains("![") {
        (out, changed) = (out.replace("![", "["), true);
    }
    (out, changed)
}

/// How much still fits: in what readers count, and in the UTF-16 units of the JSON on the wire.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// What is left of the length that readers count.
    pub(crate) length: usize,
    /// What is left on the wire.
    pub(crate) wire: usize,
    /// How lengths are counted.
    pub(crate) unit: LengthUnit,
}

/// The length of a text inside JSON in UTF-16 units, without the quotes.
pub(crate) fn wire_length(text: &str) -> usize {
    let width = |character: char| match character {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        other => other.len_utf16(),
    };
    text.chars().map(width).sum()
}

impl Room {
    /// A part of this room.
    pub(crate) fn part(self, length: usize, wire: usize) -> Self {
        Self { length: self.length.min(length), wire: self.wire.min(wire), unit: self.unit }
    }

    pub(crate) fn fits(self, text: &str) -> bool {
        self.unit.length(text) <= self.length && wire_length(text) <= self.wire
    }

    /// Count a text as put in.
    pub(crate) fn use_up(&mut self, text: &str) {
        self.length = self.length.saturating_sub(self.unit.length(text));
        self.wire = self.wire.saturating_sub(wire_length(text));
    }

    /// As much of a text as fits, with `mark` behind it if it was cut, and whether it was.
    pub(crate) fn cut(self, text: &str, mark: &str) -> (String, bool) {
        if self.fits(text) {
            return (text.to_owned(), false);
        }
        let mut spare = Self {
            length: self.length.saturating_sub(self.unit.length(mark)),
            wire: self.wire.saturating_sub(wire_length(mark)),
            unit: self.unit,
        };
        let mut end = 0;
        for (at, character) in text.char_indices() {
            let mut buffer = [0; 4];
            let piece = &*character.encode_utf8(&mut buffer);
            if !spare.fits(piece) {
                break;
            }
            spare.use_up(piece);
            end = at + character.len_utf8();
        }
        // A backslash at the end would escape what stands behind it.
        let kept = format!("{}{mark}", text[..end].trim_end().trim_end_matches('\\'));
        if self.fits(&kept) { (kept, true) } else { (String::new(), true) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_a_mention() {
        for text in ["<at>everyone</at>", "x <AT id=\"1\">a</AT>", "</at>", "< at>", "<at"] {
            let (out, found) = harmless(text);
            assert!(found && !out.to_lowercase().contains("<at"), "{text}: {out}");
        }
        for text in ["@everyone", "a < b", "<b>", "at", "<"] {
            assert_eq!(harmless(text), (text.to_owned(), false), "{text}");
        }
        assert_eq!(harmless("{{DATE(x)}}").0, "{\u{200b}{DATE(x)}}");
    }

    #[test]
    fn what_cards_dont_read_is_simplified() {
        assert_eq!(simplified("# Disk *full*\nx"), ("**Disk *full***\n\nx".into(), true));
        assert_eq!(simplified("a\n```sh\nrm *\n```\nb"), ("a\nrm \\*\n\nb".into(), true));
        assert_eq!(simplified("![graph](https://x)"), ("[graph](https://x)".into(), true));
        assert_eq!(simplified("#tag\n**b** [l](https://x)"), ("#tag\n**b** [l](https://x)".into(), false));
    }

    #[test]
    fn the_wire_counts_as_json_does() {
        for text in ["plain", "\"\\\n\t\r\u{8}\u{c}", "\0\u{1f}\u{7f}", "é🔴\u{2028}"] {
            let json = serde_json::to_string(text).expect("text");
            assert_eq!(wire_length(text) + 2, json.encode_utf16().count(), "{text:?}");
        }
    }

    #[test]
    fn a_cut_fits_and_says_so() {
        let room = Room { length: 40, wire: 60, unit: LengthUnit::Utf16 };
        for text in ["x".repeat(100), "🔴".repeat(100), "\\*".repeat(100), "\"".repeat(100)] {
            let (kept, cut) = room.cut(&text, MARK);
            assert!(cut && room.fits(&kept) && kept.ends_with(MARK), "{kept:?}");
        }
        assert_eq!(Room { length: 2, ..room }.cut("long", MARK), (String::new(), true));
    }
}
