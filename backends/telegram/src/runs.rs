//! Text as runs of one style each. Lengths are counted and cuts are made here, on plain text;
//! markup comes last, and each run opens and closes its own, so no content can break it.

use chatport_sdk::prelude::*;
use url::Host;

/// Stands where text was cut.
pub(crate) const MARK: &str = "\n… (trimmed)";
/// Stands where a name was cut.
pub(crate) const DOTS: &str = "…";
/// More runs with a style than this lose it: a server keeps the first 100 alone.
pub(crate) const MOST_STYLED: usize = 90;

/// How a run looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) bold: bool,
    pub(crate) italic: bool,
    pub(crate) strike: bool,
    pub(crate) code: bool,
    /// A block of code.
    pub(crate) pre: bool,
}

/// Some text in one style.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) text: String,
    pub(crate) style: Style,
    /// Where it leads.
    pub(crate) link: Option<String>,
}

impl Run {
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    pub(crate) fn bold(text: impl Into<String>) -> Self {
        Self { text: text.into(), style: Style { bold: true, ..Style::default() }, link: None }
    }

    fn is_styled(&self) -> bool {
        self.style != Style::default() || self.link.is_some()
    }

    /// What it stands in, from the outside in. Code can't be anything else as well.
    fn tags(&self) -> impl DoubleEndedIterator<Item = &'static str> {
        let Style { bold, italic, strike, code, pre } = self.style;
        let more = !code && !pre;
        let tags = [
            (pre, "pre"),
            (self.link.is_some() && !pre, "a"),
            (code && !pre, "code"),
            (bold && more, "b"),
            (italic && more, "i"),
            (strike && more, "s"),
        ];
        tags.into_iter().filter_map(|(is_on, tag)| is_on.then_some(tag))
    }

    /// The address that its tags hold.
    fn address(&self) -> Option<&str> {
        self.link.as_deref().filter(|_| !self.style.pre)
    }

    /// Write it, with what opens and closes it.
    fn write(&self, html: &mut String) {
        for tag in self.tags() {
            html.push('<');
            html.push_str(tag);
            if let Some(address) = self.address().filter(|_| tag == "a") {
                html.push_str(HREF);
                escape(address, html);
                html.push('"');
            }
            html.push('>');
        }
        escape(&self.text, html);
        for tag in self.tags().rev() {
            html.push_str("</");
            html.push_str(tag);
            html.push('>');
        }
    }

    /// The bytes of what opens and closes it.
    fn frame(&self) -> usize {
        let tags: usize = self.tags().map(|tag| "<></>".len() + 2 * tag.len()).sum();
        tags + self.address().map_or(0, |address| HREF.len() + escaped_length(address) + 1)
    }
}

/// What stands before the address of a link.
const HREF: &str = " href=\"";

/// What a server reads as something else than a character, and how it is written instead.
/// <https://core.telegram.org/bots/api#html-style>
fn escaped(character: char) -> Option<&'static str> {
    Some(match character {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '"' => "&quot;",
        _ => return None,
    })
}

/// Write a text so that a server reads it as it is.
fn escape(text: &str, html: &mut String) {
    let mut done = 0;
    for (at, character) in text.char_indices() {
        if let Some(instead) = escaped(character) {
            html.push_str(&text[done..at]);
            html.push_str(instead);
            done = at + 1;
        }
    }
    html.push_str(&text[done..]);
}

/// The bytes of a character as it is written.
fn escaped_width(character: char) -> usize {
    escaped(character).map_or(character.len_utf8(), str::len)
}

fn escaped_length(text: &str) -> usize {
    text.chars().map(escaped_width).sum()
}

/// Text as it was before `escape`.
fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// What `html` has written, without markup; with the addresses of links behind their words, or not.
pub(crate) fn plain(html: &str, with_addresses: bool) -> String {
    let (start, pieces) = html.split_once('<').unwrap_or((html, ""));
    let mut out = unescaped(start);
    let mut link = None;
    for (tag, text) in pieces.split('<').filter_map(|piece| piece.split_once('>')) {
        if let Some(address) = tag.strip_prefix("a href=\"").and_then(|rest| rest.strip_suffix('"')) {
            link = Some((out.len(), unescaped(address)));
        }
        if tag == "/a"
            && let Some((start, address)) = link.take()
            && with_addresses
            && is_clickable(&address)
            && out[start..] != *address
        {
            out.push_str(&format!(" ({address})"));
        }
        out.push_str(&unescaped(text));
    }
    out
}

/// The runs as HTML.
pub(crate) fn html(runs: &[Run]) -> String {
    let mut html = String::with_capacity(html_length(runs));
    seen(runs).for_each(|run| run.write(&mut html));
    html
}

fn html_length(runs: &[Run]) -> usize {
    seen(runs).map(|run| run.frame() + escaped_length(&run.text)).sum()
}

fn seen(runs: &[Run]) -> impl Iterator<Item = &Run> {
    runs.iter().filter(|run| !run.text.is_empty())
}

/// Runs of the same look become one, and of too many looks the last are given up.
pub(crate) fn tidy(runs: Vec<Run>) -> Vec<Run> {
    let mut tidy: Vec<Run> = Vec::new();
    let mut styled = 0;
    for mut run in runs.into_iter().filter(|run| !run.text.is_empty()) {
        if styled >= MOST_STYLED {
            (run.style, run.link) = (Style::default(), None);
        }
        match tidy.last_mut() {
            Some(last) if last.style == run.style && last.link == run.link => last.text.push_str(&run.text),
            _ => {
                styled += usize::from(run.is_styled());
                tidy.push(run);
            }
        }
    }
    tidy
}

/// Room for text: in the units that people's limits count, and in the bytes that a server reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) unit: LengthUnit,
    pub(crate) length: usize,
    pub(crate) bytes: usize,
}

impl Room {
    /// A part of this room.
    pub(crate) fn part(self, length: usize) -> Self {
        Self { length: self.length.min(length), ..self }
    }

    pub(crate) fn use_up(&mut self, runs: &[Run]) {
        for run in runs {
            self.length = self.length.saturating_sub(self.unit.length(&run.text));
            self.bytes = self.bytes.saturating_sub(run.frame() + escaped_length(&run.text));
        }
    }

    fn fits(self, runs: &[Run]) -> bool {
        let length: usize = runs.iter().map(|run| self.unit.length(&run.text)).sum();
        length <= self.length && html_length(runs) <= self.bytes
    }

    /// As much of the runs as fits, with `mark` behind them if they were cut, and whether they
    /// were.
    pub(crate) fn cut(self, runs: Vec<Run>, mark: &str) -> (Vec<Run>, bool) {
        if self.fits(&runs) {
            return (runs, false);
        }
        let mark = Run::plain(mark);
        let mut room = self;
        room.use_up(std::slice::from_ref(&mark));
        let mut kept: Vec<Run> = Vec::new();
        for run in runs {
            let mut start = Run { text: String::new(), ..run.clone() };
            room.bytes = match room.bytes.checked_sub(start.frame()) {
                Some(bytes) => bytes,
                None => break,
            };
            start.text = room.start_of(&run.text);
            let is_whole = start.text.len() == run.text.len();
            room.use_up(&[Run::plain(start.text.as_str())]);
            kept.push(start);
            if !is_whole {
                break;
            }
        }
        if let Some(last) = kept.last_mut() {
            last.text.truncate(last.text.trim_end().len());
        }
        kept.push(mark);
        if self.fits(&kept) { (kept, true) } else { (Vec::new(), true) }
    }

    /// The longest start of a text that fits: between characters, so never inside of a pair.
    fn start_of(self, text: &str) -> String {
        let mut room = self;
        let mut end = 0;
        for (at, character) in text.char_indices() {
            let mut buffer = [0; 4];
            let length = self.unit.length(character.encode_utf8(&mut buffer));
            if length > room.length || escaped_width(character) > room.bytes {
                break;
            }
            room.length -= length;
            room.bytes -= escaped_width(character);
            end = at + character.len_utf8();
        }
        text[..end].to_owned()
    }
}

/// A plain text of at most so many UTF-16 code units.
pub(crate) fn cut(text: &str, most: usize) -> String {
    let room = Room { unit: LengthUnit::Utf16, length: most, bytes: usize::MAX };
    room.cut(vec![Run::plain(clean(text))], DOTS).0.into_iter().map(|run| run.text).collect()
}

/// The text without what a server takes out or changes by itself.
pub(crate) fn clean(text: &str) -> String {
    let kept = |c: &char| *c != '\r' && !('\u{2028}'..='\u{202e}').contains(c);
    let cleaned = |c: char| if c.is_control() && c != '\n' { ' ' } else { c };
    text.chars().filter(kept).map(cleaned).collect()
}

/// The text on one line.
pub(crate) fn one_line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether there is anything to be seen.
pub(crate) fn is_visible(text: &str) -> bool {
    let is_invisible = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '\u{ad}' | '\u{34f}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{2064}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
    };
    !text.chars().all(is_invisible)
}

/// Whether a server makes a link of an address: it wants a dot in the host's name.
pub(crate) fn is_clickable(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| {
        let has_dot = match url.host() {
            Some(Host::Domain(name)) => name.trim_end_matches('.').contains('.'),
            Some(_) => true,
            None => false,
        };
        has_dot && matches!(url.scheme(), "http" | "https")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_closes_what_it_opens() {
        let style = Style { bold: true, italic: true, strike: true, ..Style::default() };
        let run = Run { text: "a < b & \"c\"".into(), style, link: Some("https://x.example/?a=1&b=\"2\"".into()) };
        let wanted = "<a href=\"https://x.example/?a=1&amp;b=&quot;2&quot;\"><b><i><s>a &lt; b &amp; &quot;c&quot;</s></i></b></a>";
        assert_eq!(html(&[run]), wanted);
        let code = Run { style: Style { code: true, bold: true, ..Style::default() }, ..Run::plain("x") };
        assert_eq!(html(&[code]), "<code>x</code>");
    }

    #[test]
    fn html_becomes_the_words_that_it_was_made_of() {
        let text = "a < b &amp; \"c\" </a>";
        let styled = Run { link: Some("https://x.example/?a=1&b=2".into()), ..Run::bold(text) };
        let html = html(&[Run::plain("1 > 0, "), styled]);
        assert_eq!(plain(&html, false), format!("1 > 0, {text}"));
        assert_eq!(plain(&html, true), format!("1 > 0, {text} (https://x.example/?a=1&b=2)"));
    }

    #[test]
    fn a_cut_is_never_inside_of_a_character_and_is_marked() {
        assert_eq!(cut("🔥🔥🔥🔥", 8), "🔥🔥🔥🔥");
        assert_eq!(cut("🔥🔥🔥🔥", 7), "🔥🔥🔥…");
        assert_eq!(cut("🔥🔥🔥🔥", 6), "🔥🔥…");
    }

    #[test]
    fn bytes_are_counted_as_they_are_written() {
        let room = Room { unit: LengthUnit::Utf16, length: 4_096, bytes: 100 };
        let (runs, is_cut) = room.cut(vec![Run::bold("&".repeat(50))], MARK);
        assert!(is_cut && html(&runs).len() <= 100, "{}", html(&runs));
    }
}
