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

/// The text with its calls to everybody made harmless, and whether there were any.
pub(crate) fn neutralise(text: &str) -> (String, bool) {
    let mut out = String::with_capacity(text.len());
    let mut found = false;
    for (at, character) in text.char_indices() {
        out.push(character);
        let rest = &text[at + character.len_utf8()..];
        let calls = match character {
            '@' | '＠' => calls_everybody(rest),
            '&' => is_encoded_sign(rest),
            _ => false,
        };
        if calls {
            out.push(ZERO_WIDTH_SPACE);
            found = true;
        }
    }
    (out, found)
}

/// Whether a sign followed by `rest` calls everybody, or might after decoding.
fn calls_everybody(rest: &str) -> bool {
    let word: String = rest.chars().take_while(|c| !c.is_whitespace()).take(WORD).collect();
    let is_call = |name: &str| {
        word.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
            && !word[name.len()..].chars().next().is_some_and(char::is_alphanumeric)
    };
    word.contains('&') || EVERYBODY.into_iter().any(is_call)
}

/// Whether what follows an ampersand makes it a character reference to a sign.
fn is_encoded_sign(rest: &str) -> bool {
    let Some((name, _)) = rest.split_once(';').filter(|(name, _)| name.len() <= 16) else { return false };
    let name = name.to_ascii_lowercase();
    let number = match name.strip_prefix('#') {
        None => return name == "commat",
        Some(number) => match number.strip_prefix('x') {
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
    (is_name && !neutralise(&message).1).then_some(message)
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
            let (harmless, found) = neutralise(text);
            assert!(found, "{text}");
            assert!(harmless.contains(ZERO_WIDTH_SPACE), "{text}");
        }
    }

    #[test]
    fn other_words_stay_as_they_are() {
        for text in ["@allison", "@channels", "all here", "a@b.example", "AT&T", "&amp;", "@"] {
            assert_eq!(neutralise(text), (text.to_owned(), false), "{text}");
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
