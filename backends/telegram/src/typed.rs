//! What people type to the bot: commands, and codes.

use chatport_sdk::prelude::*;

/// A command: `/name@bot text`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Command<'a> {
    /// Its name, without the slash.
    pub(crate) name: String,
    /// What follows.
    pub(crate) text: &'a str,
}

/// The command in a text; `None`: it is none, or it is for another bot.
pub(crate) fn command<'a>(text: &'a str, bot: &str) -> Option<Command<'a>> {
    let typed = text.trim().strip_prefix('/')?;
    let (word, text) = typed.split_once(char::is_whitespace).unwrap_or((typed, ""));
    let (name, to) = word.split_once('@').unwrap_or((word, bot));
    let name = name.to_ascii_lowercase();
    (to.eq_ignore_ascii_case(bot) && chatport_sdk::commands::is_name(&name))
        .then_some(Command { name, text: text.trim() })
}

/// A code that stands alone: `K7QX-2M4P-9ZRT`, or the same without its hyphens if that can't be a
/// word.
pub(crate) fn bare_code(text: &str) -> Option<Secret> {
    let text = text.trim();
    let groups: Vec<&str> = text.split('-').collect();
    let is_part = |part: &&str| part.len() == 4 && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_grouped = groups.len() == 3 && groups.iter().all(is_part);
    let is_plain = text.len() == 12
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().any(|byte| byte.is_ascii_digit());
    (is_grouped || is_plain).then(|| Secret::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_has_a_name_and_what_follows() {
        let of = |text| command(text, "oncall_bot").map(|command| (command.name, command.text.to_owned()));
        let is = |name: &str, text: &str| Some((name.to_owned(), text.to_owned()));
        assert_eq!(of("/start K7QX-2M4P-9ZRT"), is("start", "K7QX-2M4P-9ZRT"));
        assert_eq!(of("/start@OnCall_bot\nK7QX"), is("start", "K7QX"));
        assert_eq!(of(" /unlink "), is("unlink", ""));
        for text in ["/start@other_bot x", "start", "/", "//x", "/ x", "/é", "", "/a b@"] {
            assert!(of(text).is_none_or(|(name, _)| name == "a"), "{text}");
        }
    }

    #[test]
    fn a_code_alone_is_told_from_words() {
        for code in ["K7QX-2M4P-9ZRT", " k7qx-2m4p-9zrt\n", "K7QX2M4P9ZRT"] {
            assert!(bare_code(code).is_some(), "{code}");
        }
        for text in ["acknowledged", "K7QX-2M4P", "K7QX-2M4P-9ZRT now", "K7QX--2M4P-9ZR", "", "é7QX-2M4P-9ZRT"] {
            assert!(bare_code(text).is_none(), "{text}");
        }
    }
}
