//! The slash command, the same in both modes: its words, its help, and how it is announced
//! to the server.

use chatport_sdk::prelude::*;
use serde_json::{Value, json};

/// Longest code that is passed on; the host's are shorter.
const MAX_CODE: usize = 64;
/// The words, as shown while typing.
const HINT: &str = "[link|unlink|help]";

/// What somebody typed after the command's name.
#[derive(Debug)]
pub(crate) enum Words {
    /// `link CODE`, or a code alone
    Link(Secret),
    /// `unlink`
    Unlink,
    /// `help`, nothing, or `link` without a code.
    Help,
    /// Anything else.
    Other(String),
}

impl Words {
    /// Understand what was typed.
    pub(crate) fn of(text: &str) -> Self {
        let text = text.trim();
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        match word.to_ascii_lowercase().as_str() {
            "" | "help" => Self::Help,
            "unlink" => Self::Unlink,
            "link" => code(rest).map_or(Self::Help, Self::Link),
            // Pasted without the word: what is secret is no business of the application.
            _ if is_code(text) => Self::Link(Secret::new(text)),
            _ => Self::Other(text.to_owned()),
        }
    }
}

/// Whether a text is a code and nothing else: twelve characters of Crockford's base32 in
/// groups, or without groups and with a digit among them (else it may be a word).
fn is_code(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let is_base32 = |c: char| c.is_ascii_alphanumeric() && !matches!(c, 'u' | 'U');
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let in_groups = lengths == [4, 4, 4];
    groups.iter().all(|group| group.chars().all(is_base32))
        && (in_groups || lengths == [12] && text.contains(|c: char| c.is_ascii_digit()))
}

/// A code, if it may be one.
pub(crate) fn code(text: &str) -> Option<Secret> {
    let text = text.trim();
    (!text.is_empty() && text.len() <= MAX_CODE).then(|| Secret::new(text))
}

/// What `help` says.
pub(crate) fn help(command: &str, app_name: &str) -> String {
    format!(
        "**{app_name} in Mattermost**\n\
         - `/{command} link CODE` links you, or the channel you are in, with a code that {app_name} shows.\n\
         - `/{command} unlink` takes your link back.\n\
         - `/{command} help` shows this."
    )
}

/// The command as the Apps plugin takes it: the answer to `bindings`.
pub(crate) fn bindings(command: &str, app_name: &str) -> Value {
    // Who acts is proven by the person's own token, so it is asked for each time.
    let person = json!({ "acting_user": "+summary", "acting_user_access_token": "+all" });
    let mut person_and_place = person.clone();
    person_and_place["channel"] = "id".into();
    person_and_place["team"] = "summary".into();
    let code = json!({
        "name": "code", "type": "text", "is_required": true, "position": 1, "hint": "code",
        "description": format!("The code that {app_name} shows"), "max_length": MAX_CODE,
    });
    json!({
        "type": "ok",
        "data": [{
            "location": "/command",
            "bindings": [{
                "location": command, "label": command, "icon": "icon.png", "description": app_name, "hint": HINT,
                "bindings": [
                    {
                        "location": "link", "label": "link", "hint": "[code]",
                        "description": "Link your account, or this channel",
                        "form": {
                            "submit": { "path": "/command/link", "expand": person_and_place },
                            "fields": [code],
                        },
                    },
                    {
                        "location": "unlink", "label": "unlink", "description": "Take your link back",
                        "submit": { "path": "/command/unlink", "expand": person },
                    },
                    {
                        "location": "help", "label": "help", "description": "Say what can be done here",
                        "submit": { "path": "/command/help" },
                    },
                ],
            }],
        }],
    })
}

/// The command as the server's REST interface takes it.
pub(crate) fn registration(team: &str, command: &str, app_name: &str, url: &str) -> Value {
    let name: String = app_name.chars().take(64).collect();
    json!({
        "team_id": team, "trigger": command, "method": "P", "url": url,
        "display_name": name, "description": "Links accounts and channels",
        "auto_complete": true, "auto_complete_desc": format!("Use {name} from Mattermost"), "auto_complete_hint": HINT,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_alone_is_meant_for_linking() {
        for text in ["K7QX-2M4P-9ZRT", " k7qx-2m4p-9zrt ", "K7QX2M4P9ZRT", "ABCD-EFGH-JKMN", "OLI0-2M4P-9ZRT"] {
            assert!(matches!(Words::of(text), Words::Link(code) if code.expose() == text.trim()), "{text}");
        }
        for text in ["notification", "K7QX-2M4P", "K7QX-2M4P-9ZRT please", "UUUU-2M4P-9ZRT", "K7QX-2M4P-9ZR-T"] {
            assert!(matches!(Words::of(text), Words::Other(_)), "{text}");
        }
    }
}
