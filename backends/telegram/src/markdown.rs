//! From CommonMark to runs. Telegram shows less than CommonMark knows: headings become bold lines,
//! lists get signs, pictures become links, rules become lines; HTML stays the text that it is.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::runs::{Run, Style, clean, is_clickable};

/// How deep a list is shown.
const DEEPEST: usize = 6;

/// A text as runs.
pub(crate) fn runs(text: &str) -> Vec<Run> {
    let text = clean(text);
    let mut writer = Writer::default();
    for event in Parser::new_ext(&text, Options::ENABLE_STRIKETHROUGH) {
        writer.take(event);
    }
    writer.runs
}

/// A text that is to stay on one line.
pub(crate) fn line(text: &str) -> Vec<Run> {
    let mut runs = runs(text);
    for run in &mut runs {
        run.text = run.text.replace('\n', " ");
        run.style.pre = false;
    }
    runs
}

#[derive(Default)]
struct Writer {
    runs: Vec<Run>,
    bold: usize,
    italic: usize,
    strike: usize,
    heading: bool,
    pre: bool,
    quotes: usize,
    links: Vec<Option<String>>,
    /// The numbers of the lists that are open; none for those with signs.
    lists: Vec<Option<u64>>,
    /// Line breaks that are due before more text.
    breaks: usize,
}

impl Writer {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.open(tag),
            Event::End(tag) => self.close(tag),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.put(&text, false),
            Event::Code(text) => self.put(&text, true),
            Event::SoftBreak | Event::HardBreak => self.need(1),
            Event::Rule => {
                self.need(2);
                self.put("———", false);
                self.need(2);
            }
            _ => {}
        }
    }

    fn open(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph if self.lists.is_empty() => self.need(2),
            Tag::Heading { .. } => {
                self.need(2);
                self.heading = true;
            }
            Tag::BlockQuote(_) => {
                self.need(2);
                self.quotes += 1;
            }
            Tag::CodeBlock(_) => {
                self.need(1);
                self.pre = true;
            }
            Tag::List(first) => {
                self.need(if self.lists.is_empty() { 2 } else { 1 });
                self.lists.push(first);
            }
            Tag::Item => self.item(),
            Tag::Emphasis => self.italic += 1,
            Tag::Strong => self.bold += 1,
            Tag::Strikethrough => self.strike += 1,
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.links.push(is_clickable(&dest_url).then(|| dest_url.into_string()));
            }
            _ => {}
        }
    }

    fn close(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => self.need(if self.lists.is_empty() { 2 } else { 1 }),
            TagEnd::Heading(_) => {
                self.heading = false;
                self.need(2);
            }
            TagEnd::BlockQuote(_) => {
                self.quotes = self.quotes.saturating_sub(1);
                self.need(2);
            }
            TagEnd::CodeBlock => {
                if let Some(last) = self.runs.last_mut() {
                    last.text.truncate(last.text.trim_end_matches('\n').len());
                }
                self.pre = false;
                self.need(1);
            }
            TagEnd::List(_) => {
                self.lists.pop();
                self.need(if self.lists.is_empty() { 2 } else { 1 });
            }
            TagEnd::Item => self.need(1),
            TagEnd::Emphasis => self.italic = self.italic.saturating_sub(1),
            TagEnd::Strong => self.bold = self.bold.saturating_sub(1),
            TagEnd::Strikethrough => self.strike = self.strike.saturating_sub(1),
            TagEnd::Link | TagEnd::Image => drop(self.links.pop()),
            TagEnd::HtmlBlock => self.need(1),
            _ => {}
        }
    }

    fn item(&mut self) {
        self.need(1);
        let depth = self.lists.len().saturating_sub(1).min(DEEPEST);
        let sign = match self.lists.last_mut() {
            Some(Some(number)) => {
                let sign = format!("{number}. ");
                *number = number.saturating_add(1);
                sign
            }
            _ => "• ".to_owned(),
        };
        self.put(&format!("{}{sign}", "  ".repeat(depth)), false);
    }

    /// At least so many line breaks before what comes next.
    fn need(&mut self, breaks: usize) {
        self.breaks = self.breaks.max(breaks);
    }

    fn put(&mut self, text: &str, code: bool) {
        if text.is_empty() {
            return;
        }
        let breaks = std::mem::take(&mut self.breaks);
        if !self.runs.is_empty() && breaks > 0 {
            self.runs.push(Run::plain("\n".repeat(breaks)));
        }
        if self.quotes > 0 && (breaks > 0 || self.runs.is_empty()) {
            self.runs.push(Run::plain("> "));
        }
        let style = Style {
            bold: self.bold > 0 || self.heading,
            italic: self.italic > 0,
            strike: self.strike > 0,
            code: code && !self.pre,
            pre: self.pre,
        };
        let link = self.links.iter().flatten().next().cloned().filter(|_| !self.pre);
        let style = if style.pre { Style { pre: true, ..Style::default() } } else { style };
        self.runs.push(Run { text: text.to_owned(), style, link });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::{html, tidy};

    fn shown(text: &str) -> String {
        html(&tidy(runs(text)))
    }

    #[test]
    fn what_telegram_knows_is_shown() {
        for (text, wanted) in [
            ("The disk is **full**, *really*.", "The disk is <b>full</b>, <i>really</i>."),
            ("~~old~~ `x < y`", "<s>old</s> <code>x &lt; y</code>"),
            ("[Log](https://x.example/?a&b)", "<a href=\"https://x.example/?a&amp;b\">Log</a>"),
            ("[Log](javascript:alert(1))", "Log"),
            ("# Head\ntext", "<b>Head</b>\n\ntext"),
            ("- one\n- two\n  1. three", "• one\n• two\n  1. three"),
            ("```sh\nls <x>\n```\nthen", "<pre>ls &lt;x&gt;</pre>\n\nthen"),
            ("> said\n\nnot said", "&gt; said\n\nnot said"),
            ("![plot](https://x.example/p.png)", "<a href=\"https://x.example/p.png\">plot</a>"),
            ("a<br>b & <script>", "a&lt;br&gt;b &amp; &lt;script&gt;"),
        ] {
            assert_eq!(shown(text), wanted, "{text}");
        }
    }

    #[test]
    fn one_line_stays_one() {
        assert_eq!(html(&tidy(line("**a**\n\nb"))), "<b>a</b>  b");
    }
}
