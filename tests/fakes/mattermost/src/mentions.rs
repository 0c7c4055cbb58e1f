//! Finds the mentions in a post that make the server notify people.
//!
//! The server looks in the message and in the pretext, the text and (newer servers) the field
//! values of attachments. Code is left out.

use serde_json::Value;

use crate::model::{MentionPlace, Post};

/// All mentions of a post: keyword (`@channel`, `@alice`) and place, in order.
pub(crate) fn in_post(post: &Post) -> Vec<(String, MentionPlace)> {
    let mut found = Vec::new();
    let mut look = |text: &str, place: MentionPlace| {
        found.extend(in_text(text).into_iter().map(|keyword| (keyword, place)));
    };
    look(&post.message, MentionPlace::Message);
    for attachment in post.attachments() {
        let text = |key: &str| attachment.get(key).and_then(Value::as_str).unwrap_or_default();
        look(text("pretext"), MentionPlace::Pretext);
        look(text("text"), MentionPlace::AttachmentText);
        let fields = attachment.get("fields").and_then(Value::as_array);
        for field in fields.into_iter().flatten() {
            if let Some(value) = field.get("value").and_then(Value::as_str) {
                look(value, MentionPlace::FieldValue);
            }
        }
    }
    found
}

/// The keywords in a text, in order.
pub(crate) fn in_text(text: &str) -> Vec<String> {
    let text = without_code(text);
    let mut found = Vec::new();
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        if character == '@' && !(before.is_alphanumeric() || before == '_') {
            let name: String = text[at + 1..]
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
                .collect();
            let name = name.trim_end_matches(['.', '-', '_', ':']).to_lowercase();
            if !name.is_empty() {
                found.push(format!("@{name}"));
            }
        }
        before = character;
    }
    found
}

/// Drops fenced blocks and inline code; an unclosed fence runs to the end.
fn without_code(text: &str) -> String {
    let mut out = String::new();
    for (index, part) in text.split("```").enumerate() {
        if index % 2 == 1 {
            continue;
        }
        let pieces: Vec<&str> = part.split('`').collect();
        for (index, piece) in pieces.iter().enumerate() {
            // An odd piece is code only if its closing backtick exists.
            if index % 2 == 0 || index + 1 == pieces.len() {
                out.push_str(piece);
                out.push(' ');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn mentions_are_found_where_the_server_looks() {
        let keywords = |text: &str| in_text(text);
        assert_eq!(keywords("@channel: help, @Alice."), ["@channel", "@alice"]);
        assert_eq!(keywords("a@all b"), Vec::<String>::new());
        assert_eq!(keywords("@\u{200b}channel"), Vec::<String>::new());
        assert_eq!(keywords("`@here` and ```\n@all\n``` (@here)"), ["@here"]);
        let mut post = Post::default();
        post.props.insert(
            "attachments".into(),
            json!([{"pretext": "@here", "text": "@all", "title": "@channel",
                    "fields": [{"title": "@channel", "value": "@channel"}]}]),
        );
        assert_eq!(
            in_post(&post),
            [
                ("@here".into(), MentionPlace::Pretext),
                ("@all".into(), MentionPlace::AttachmentText),
                ("@channel".into(), MentionPlace::FieldValue)
            ]
        );
    }
}
