//! What people type to the bot: words, and codes behind words of any sort.

use chatport_sdk::prelude::*;

/// What somebody wrote.
#[derive(Debug)]
pub(crate) enum Said {
    /// A verification code.
    Code(Secret),
    /// A wish to be unlinked.
    Unlink,
    /// Nothing, or a wish for help.
    Help,
    /// Something else.
    Other(String),
}

/// Most words of a message that may end with a code. Applications have their own words for it,
/// e.g. `linkUser CODE`.
const MOST_WORDS: usize = 4;

/// What a text without its mentions says.
pub(crate) fn read(text: &str) -> Said {
    let words: Vec<&str> = text.split_whitespace().collect();
    let first = words.first().map(|word| word.to_ascii_lowercase()).unwrap_or_default();
    match (first.as_str(), &words[..]) {
        ("" | "help" | "link", [] | [_]) => Said::Help,
        ("unlink", [_]) => Said::Unlink,
        ("link", [_, rest @ ..]) => Said::Code(Secret::new(bare(&rest.join(" ")))),
        _ => match code(&words) {
            Some(code) => Said::Code(code),
            None => Said::Other(words.join(" ")),
        },
    }
}

/// A code alone, or as the last word of a short message: `K7QX-2M4P-9ZRT`, or the same without its
/// hyphens. The fewer signs of a code there are, the more there must be else: behind other words
/// small letters and no hyphens are a word, for a wrong code counts against the person.
fn code(words: &[&str]) -> Option<Secret> {
    let (last, before) = words.split_last()?;
    let last = bare(last);
    let groups: Vec<&str> = last.split(is_hyphen).collect();
    let is_part = |part: &&str| part.len() == 4 && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_grouped = groups.len() == 3 && groups.iter().all(is_part);
    let is_plain = last.len() == 12 && last.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let has_digit = last.bytes().any(|byte| byte.is_ascii_digit());
    let is_large = !last.bytes().any(|byte| byte.is_ascii_lowercase());
    let is_code = match (is_grouped, is_plain) {
        (true, _) => before.is_empty() || has_digit || is_large,
        (_, true) => has_digit && (before.is_empty() || is_large),
        _ => false,
    };
    (is_code && before.len() < MOST_WORDS).then(|| Secret::new(last))
}

/// Without what is put around a code, or gets into it when it is copied.
fn bare(word: &str) -> &str {
    word.trim_matches(['`', '"', '\'', '*', '.', ',', '\u{200b}', '\u{feff}'])
}

/// A hyphen, and what keyboards make of it.
fn is_hyphen(character: char) -> bool {
    matches!(character, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_in(text: &str) -> Option<String> {
        match read(text) {
            Said::Code(code) => Some(code.expose().to_owned()),
            _ => None,
        }
    }

    #[test]
    fn a_code_is_found_behind_whatever_word_the_application_tells_people_to_type() {
        for text in [
            "K7QX-2M4P-9ZRT",
            "linkUser K7QX-2M4P-9ZRT",
            "linkTeam k7qx-2m4p-9zrt",
            "/link K7QX2M4P9ZRT",
            "please link me K7QX-2M4P-9ZRT.",
            "linkUser `K7QX-2M4P-9ZRT`",
            "linkUser K7QX\u{2013}2M4P\u{2011}9ZRT",
            "linkUser ABCD-EFGH-JKMN",
            "k7qx2m4p9zrt\u{200b}",
        ] {
            let code = code_in(text).unwrap_or_else(|| panic!("no code in {text:?}"));
            assert_eq!(code.chars().filter(char::is_ascii_alphanumeric).count(), 12, "{text}: {code}");
        }
        assert_eq!(code_in("link K7QX 2M4P 9ZRT").as_deref(), Some("K7QX 2M4P 9ZRT"));
    }

    #[test]
    fn words_are_no_codes() {
        for text in [
            "acknowledged",
            "rollback deployment42",
            "that was well-done-guys",
            "linkUser K7QX-2M4P",
            "K7QX-2M4P-9ZRT now",
            "the five words before K7QX-2M4P-9ZRT",
            "linkUser é7QX-2M4P-9ZRT",
            "linkUser",
            "K7QX--2M4P-9ZR",
        ] {
            assert!(matches!(read(text), Said::Other(_)), "{text}");
        }
    }
}
