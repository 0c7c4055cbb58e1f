//! Mentions that call everybody: `@channel`, `@all` and `@here`. The server looks for them
//! in messages and in attachments alike, whatever their case, after decoding character
//! references such as `&#64;`. A zero-width space behind the sign makes them harmless and
//! leaves them readable.

/// Stands behind a sign that is to call nobody.
pub(crate) const ZERO_WIDTH_SPACE: char = '\u{200b}';
/// The words that call everybody.
const EVERYBODY: [&str; 3] = ["channel", "all", "here"];
/// How far a word is looked at.
const WORD: usize = 256;
/// Longest name of a character reference that is looked at.
const MAX_REFERENCE: usize = 16;

/// The text with its calls to everybody made harmless; `None`: there are none.
pub(crate) fn neutralised(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut done = 0;
    for (at, sign) in text.match_indices(['@', '＠', '&']) {
        let behind = at + sign.len();
        let rest = &text[behind..];
        if if sign == "&" { is_encoded_sign(rest) } else { calls_everybody(rest) } {
            out.push_str(&text[done..behind]);
            out.push(ZERO_WIDTH_SPACE);
            done = behind;
        }
    }
    if done == 0 {
        return None;
    }
    out.push_str(&text[done..]);
    Some(out)
}

/// Whether a sign followed by `rest` calls everybody, or might after decoding.
fn calls_everybody(rest: &str) -> bool {
    let mut ends = rest.char_indices().enumerate().filter(|(count, (_, c))| *count == WORD || c.is_whitespace());
    let word = ends.next().map_or(rest, |(_, (end, _))| &rest[..end]);
    let is_call = |name: &str| {
        word.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
            && !word[name.len()..].chars().next().is_some_and(char::is_alphanumeric)
    };
    word.contains('&') || EVERYBODY.into_iter().any(is_call)
}

/// Whether what follows an ampersand makes it a character reference to a sign.
fn is_encoded_sign(rest: &str) -> bool {
    let Some(end) = rest.bytes().take(MAX_REFERENCE + 1).position(|byte| byte == b';') else { return false };
    let name = &rest[..end];
    let number = match name.strip_prefix('#') {
        None => return name.eq_ignore_ascii_case("commat"),
        Some(number) => match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        },
    };
    number.is_ok_and(|number| matches!(char::from_u32(number), Some('@' | '＠')))
}

/// The message that calls one person by name, if the name is one.
pub(crate) fn of_person(username: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_');
    let is_name = (1..=64).contains(&username.len()) && username.bytes().all(plain);
    let message = format!("@{username}");
    (is_name && neutralised(&message).is_none()).then_some(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_to_everybody_are_made_harmless_in_every_spelling() {
        for text in [
            "@channel",
            "x @All, y",
            "(@HERE)",
            "\\@channel.",
            "＠all",
            "@&#99;hannel",
            "&#64;here",
            "&#x40;all",
            "&#0064;all",
            "&COMMAT;channel",
            "@all_",
            "@here-",
        ] {
            let harmless = neutralised(text).expect(text);
            assert!(harmless.contains(ZERO_WIDTH_SPACE), "{text}");
        }
    }

    #[test]
    fn other_words_stay_as_they_are() {
        for text in ["@allison", "@channels", "all here", "a@b.example", "AT&T", "&amp;", "@"] {
            assert_eq!(neutralised(text), None, "{text}");
        }
    }

    #[test]
    fn only_a_name_calls_a_person() {
        assert_eq!(of_person("alice.ng").as_deref(), Some("@alice.ng"));
        for name in ["", "all", "channel", "Alice", "a b", "a\n@all", &"a".repeat(65)] {
            assert_eq!(of_person(name), None, "{name}");
        }
    }
}
