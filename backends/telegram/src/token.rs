//! The bot's token: digits, a colon, and a secret. People paste it, or the whole message in which
//! @BotFather told it.

use chatport_sdk::prelude::*;

/// Longest token that a server takes.
const MAX_TOKEN: usize = 80;

/// Whether a text can be a token. Nothing else is ever put into a path.
fn is_token(text: &str) -> bool {
    let Some((bot, secret)) = text.split_once(':') else { return false };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    text.len() <= MAX_TOKEN
        && !bot.is_empty()
        && !bot.starts_with('0')
        && bot.bytes().all(|byte| byte.is_ascii_digit())
        && secret.len() >= 3
        && secret.bytes().all(plain)
}

/// The token in a text: the longest of what can be one, for a message has times and addresses too.
pub(crate) fn find(text: &str) -> Option<Secret> {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '_' | '-');
    let words = text.split(|c: char| !part(c)).map(|word| word.trim_matches(':'));
    words.filter(|word| is_token(word)).max_by_key(|word| word.len()).map(Secret::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";

    #[test]
    fn a_token_is_found_in_what_the_botfather_wrote() {
        let message = format!(
            "Done! Congratulations on your new bot. You will find it at t.me/oncall_bot. It is 12:3045.\n\nUse this token \
             to access the HTTP API:\n{TOKEN}\nKeep your token secure."
        );
        for text in [TOKEN, &format!(" {TOKEN}\n"), &format!("`{TOKEN}`."), &message] {
            assert_eq!(find(text).expect("a token").expose(), TOKEN);
        }
    }

    #[test]
    fn what_is_no_token_is_not_taken_for_one() {
        for text in ["", "hello", "12:30", "abc:defghij", "012:abcdefgh", "1:a/b", &format!("1:{}", "a".repeat(80))] {
            assert!(find(text).is_none(), "{text}");
        }
    }
}
