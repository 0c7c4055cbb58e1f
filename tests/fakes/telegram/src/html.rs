//! Reading HTML as the server does: a few tags, each closed in order, and the rest is text.
//! <https://core.telegram.org/bots/api#html-style>

use serde_json::{Value, json};
use url::{Host, Url};

/// Something that is more than text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// What it is, e.g. `bold`.
    pub kind: &'static str,
    /// Where it begins and how long it is, in UTF-16 code units.
    pub offset: usize,
    pub length: usize,
    /// Where it leads.
    pub url: Option<String>,
}

impl Entity {
    pub(crate) fn shown(&self) -> Value {
        let mut entity = json!({ "type": self.kind, "offset": self.offset, "length": self.length });
        if let Some(url) = &self.url {
            match url.strip_prefix("tg://user?id=").and_then(|id| id.parse::<i64>().ok()) {
                Some(id) => entity["user"] = json!({ "id": id, "is_bot": false, "first_name": "?" }),
                None => entity["url"] = url.as_str().into(),
            }
        }
        entity
    }
}

/// The tags and what they make.
const TAGS: [(&str, &str); 12] = [
    ("b", "bold"),
    ("strong", "bold"),
    ("i", "italic"),
    ("em", "italic"),
    ("u", "underline"),
    ("ins", "underline"),
    ("s", "strikethrough"),
    ("strike", "strikethrough"),
    ("del", "strikethrough"),
    ("code", "code"),
    ("pre", "pre"),
    ("blockquote", "blockquote"),
];
/// The server keeps so many.
const MOST: usize = 100;

struct Open {
    name: String,
    kind: &'static str,
    offset: usize,
    url: Option<String>,
}

/// The text of some HTML, and what is more than text in it.
///
/// # Errors
/// What can't be read, in the server's words.
pub fn parse(html: &str) -> Result<(String, Vec<Entity>), String> {
    let mut reader = Reader { html, at: 0, text: String::new(), open: Vec::new(), entities: Vec::new() };
    while let Some(character) = reader.rest().chars().next() {
        match character {
            '&' => reader.reference(),
            '<' if reader.rest().starts_with("</") => reader.end_tag()?,
            '<' => reader.start_tag()?,
            other => {
                reader.text.push(other);
                reader.at += other.len_utf8();
            }
        }
    }
    if let Some(open) = reader.open.last() {
        return Err(format!("Can't find end tag corresponding to start tag \"{}\"", open.name));
    }
    let mut entities = reader.entities;
    entities.sort_by_key(|entity| (entity.offset, std::cmp::Reverse(entity.length)));
    entities.truncate(MOST);
    Ok((reader.text, entities))
}

struct Reader<'a> {
    html: &'a str,
    at: usize,
    text: String,
    open: Vec<Open>,
    entities: Vec<Entity>,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.html[self.at..]
    }

    fn offset(&self) -> usize {
        self.text.encode_utf16().count()
    }

    /// `&lt;` and the like; any other ampersand is one.
    fn reference(&mut self) {
        let name = self.rest()[1..].split_once(';').map(|(name, _)| name.to_owned()).unwrap_or_default();
        let character = match name.as_str() {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "quot" => Some('"'),
            _ => name
                .strip_prefix('#')
                .and_then(|number| match number.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16).ok(),
                    None => number.parse().ok(),
                })
                .and_then(char::from_u32),
        };
        match character {
            Some(character) => {
                self.text.push(character);
                self.at += name.len() + 2;
            }
            None => {
                self.text.push('&');
                self.at += 1;
            }
        }
    }

    fn start_tag(&mut self) -> Result<(), String> {
        let begin = self.at;
        let Some((tag, _)) = self.rest()[1..].split_once('>') else {
            return Err(format!("Unclosed start tag at byte offset {begin}"));
        };
        let (name, attributes) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
        let (name, attributes, length) = (name.to_ascii_lowercase(), attributes.to_owned(), tag.len());
        let known = TAGS.iter().find(|(tag, _)| *tag == name).map(|(_, kind)| *kind);
        let kind = match (known, name.as_str()) {
            (Some(kind), _) => kind,
            (None, "a") => "text_link",
            (None, "tg-spoiler") => "spoiler",
            _ => return Err(format!("Unsupported start tag \"{name}\" at byte offset {begin}")),
        };
        let url = (kind == "text_link").then(|| href(&attributes)).flatten();
        if !attributes.trim().is_empty() && kind != "text_link" {
            return Err(format!("Unexpected attribute at byte offset {begin}"));
        }
        if let Some(open) = self.open.iter().find(|open| matches!(open.kind, "code" | "pre")) {
            // The real one splits entities; nobody means that.
            return Err(format!("\"{name}\" inside of \"{}\" at byte offset {begin}", open.name));
        }
        self.at += length + 2;
        let offset = self.offset();
        self.open.push(Open { name, kind, offset, url });
        Ok(())
    }

    fn end_tag(&mut self) -> Result<(), String> {
        let begin = self.at;
        let Some((name, _)) = self.rest()[2..].split_once('>') else {
            return Err(format!("Unclosed end tag at byte offset {begin}"));
        };
        let (name, length) = (name.trim().to_ascii_lowercase(), name.len());
        let Some(open) = self.open.pop() else {
            return Err(format!("Unexpected end tag at byte offset {begin}"));
        };
        if open.name != name {
            let (wanted, found) = (open.name, name);
            return Err(format!(
                "Unmatched end tag at byte offset {begin}, expected \"</{wanted}>\", found \"</{found}>\""
            ));
        }
        self.at += length + 3;
        let length = self.offset() - open.offset;
        if length == 0 {
            return Ok(());
        }
        let is_link = open.kind == "text_link";
        let url = open.url.filter(|url| is_followed(url));
        if is_link && url.is_none() {
            // The real one drops such a link without a word.
            return Err(format!("a link that leads nowhere at byte offset {begin}"));
        }
        let is_person = url.as_deref().is_some_and(|url| url.starts_with("tg://user?id="));
        let kind = if is_person { "text_mention" } else { open.kind };
        self.entities.push(Entity { kind, offset: open.offset, length, url });
        Ok(())
    }
}

fn href(attributes: &str) -> Option<String> {
    let value = attributes.trim().strip_prefix("href=\"")?.strip_suffix('"')?;
    let plain = value.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    Some(plain)
}

/// Whether clients would make a link of it.
fn is_followed(url: &str) -> bool {
    if let Some(id) = url.strip_prefix("tg://user?id=") {
        return id.parse::<i64>().is_ok_and(|id| id > 0);
    }
    let Ok(url) = Url::parse(url) else { return false };
    let has_dot = match url.host() {
        Some(Host::Domain(name)) => name.trim_end_matches('.').contains('.'),
        Some(_) => true,
        None => false,
    };
    matches!(url.scheme(), "http" | "https") && has_dot
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_right_is_read() {
        let (text, entities) = parse("a &lt;b&gt; <b>c <i>d</i></b> &amp;&quot;&#33; & &x;").expect("HTML");
        assert_eq!(text, "a <b> c d &\"! & &x;");
        let kinds: Vec<_> = entities.iter().map(|entity| (entity.kind, entity.offset, entity.length)).collect();
        assert_eq!(kinds, [("bold", 6, 3), ("italic", 8, 1)]);
        let (_, entities) = parse("🔥<a href=\"https://x.example/?a&amp;b\">x</a>").expect("HTML");
        assert_eq!((entities[0].offset, entities[0].url.as_deref()), (2, Some("https://x.example/?a&b")));
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for html in
            ["<b>", "</b>", "<b><i></b></i>", "<x>y</x>", "a < b", "<b", "<a href=\"javascript:x\">y</a>", "<br>"]
        {
            assert!(parse(html).is_err(), "{html}");
        }
    }
}
