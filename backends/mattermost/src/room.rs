//! How much still fits: in the characters that readers count and in the bytes that the
//! server counts. What doesn't fit is cut where readers see it.

use std::borrow::Cow;

use chatport_sdk::prelude::*;

use crate::mentions::{ZERO_WIDTH_SPACE, neutralised};

/// Stands where text was cut.
pub(crate) const MARK: &str = "\n… (trimmed)";

/// Room for text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// What is left of the length that readers count.
    pub(crate) length: usize,
    /// What is left of the bytes on the wire.
    pub(crate) bytes: usize,
    /// How lengths are counted.
    pub(crate) unit: LengthUnit,
}

/// The length of a text inside JSON, without the quotes.
pub(crate) fn json_bytes(text: &str) -> usize {
    let escape = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x8 | 0xc => 1,
        0..=0x1f => 5,
        _ => 0,
    };
    text.len() + text.bytes().map(escape).sum::<usize>()
}

impl Room {
    /// A part of this room: at most `length`, and at most `bytes`.
    pub(crate) fn part(self, length: usize, bytes: usize) -> Self {
        Self { length: self.length.min(length), bytes: self.bytes.min(bytes), unit: self.unit }
    }

    /// Whether a text fits.
    pub(crate) fn fits(self, text: &str) -> bool {
        self.unit.length(text) <= self.length && json_bytes(text) <= self.bytes
    }

    /// Count a text as put in.
    pub(crate) fn use_up(&mut self, text: &str) {
        self.length = self.length.saturating_sub(self.unit.length(text));
        self.bytes = self.bytes.saturating_sub(json_bytes(text));
    }

    /// As much of a text as fits, with `mark` behind it if it was cut, and whether it was.
    pub(crate) fn cut<'a>(self, text: Cow<'a, str>, mark: &str) -> (Cow<'a, str>, bool) {
        if self.fits(&text) {
            return (text, false);
        }
        // A code block that is cut open is closed before the mark, or it would swallow it.
        let closings = ["\n```", "\n~~~"];
        let closing: usize = closings.iter().map(|closing| self.unit.length(closing)).sum();
        // A cut may leave a call to everybody of a longer word; what mends it needs room.
        let mending = ZERO_WIDTH_SPACE.len_utf8();
        let spare = Self {
            length: self.length.saturating_sub(self.unit.length(mark) + closing + mending),
            bytes: self.bytes.saturating_sub(json_bytes(mark) + 2 * closing + mending),
            unit: self.unit,
        };
        let start = spare.start_of(&text).trim_end();
        let mut kept = neutralised(start).unwrap_or_else(|| start.to_owned());
        close_blocks(&mut kept);
        kept.push_str(mark);
        if !self.fits(&kept) {
            kept = self.start_of(mark.trim_start()).to_owned();
        }
        (kept.into(), true)
    }

    /// The longest start of a text that fits.
    fn start_of(self, text: &str) -> &str {
        let mut room = self;
        for (at, character) in text.char_indices() {
            let mut buffer = [0; 4];
            let character = &*character.encode_utf8(&mut buffer);
            if !room.fits(character) {
                return &text[..at];
            }
            room.use_up(character);
        }
        text
    }
}

/// Close an open code block.
pub(crate) fn close_blocks(text: &mut String) {
    for fence in ["```", "~~~"] {
        if text.matches(fence).count() % 2 == 1 {
            text.push('\n');
            text.push_str(fence);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(length: usize) -> Room {
        Room { length, bytes: 10_000, unit: LengthUnit::Characters }
    }

    #[test]
    fn what_fits_is_left_alone() {
        assert_eq!(room(5).cut("ééééé".into(), MARK), ("ééééé".into(), false));
    }

    #[test]
    fn a_cut_is_marked_and_closes_code() {
        let (kept, cut) = room(60).cut(format!("```\n{}", "x".repeat(100)).into(), MARK);
        assert!(cut && kept.ends_with(&format!("\n```{MARK}")), "{kept}");
        assert!(kept.chars().count() <= 60);
    }

    #[test]
    fn a_cut_makes_no_call_to_everybody_of_a_longer_word() {
        let text = format!("@channels {}", "x".repeat(100));
        for length in 0..60 {
            let (kept, _) = room(length).cut(text.as_str().into(), MARK);
            assert_eq!(neutralised(&kept), None, "{length}");
            assert!(kept.chars().count() <= length, "{length}");
        }
    }

    #[test]
    fn bytes_count_as_json_counts_them() {
        for text in ["plain", "\"\\\n\t\r\u{8}\u{c}", "\0\u{1f}\u{7f}", "é🔴\u{2028}"] {
            assert_eq!(json_bytes(text) + 2, serde_json::to_string(text).expect("text").len(), "{text:?}");
        }
    }
}
