//! Inline keyboards. <https://core.telegram.org/bots/api#inlinekeyboardbutton>

use serde_json::Value;

use crate::reply::Refusal;

/// What a button may do; it must do exactly one.
const DOES: [&str; 3] = ["callback_data", "url", "login_url"];
/// What else a button may have.
const LOOKS: [&str; 3] = ["text", "style", "icon_custom_emoji_id"];
const STYLES: [&str; 3] = ["danger", "success", "primary"];
/// The server's limit isn't published; this one is ours.
const MAX_BYTES: usize = 10_240;
const MAX_BUTTONS: usize = 100;
const MAX_DATA: usize = 64;

/// Check a keyboard.
pub(crate) fn check(markup: &Value) -> Result<(), Refusal> {
    let bad = |what: &str| Refusal::bad(format!("can't parse inline keyboard button: {what}"));
    let rows = markup["inline_keyboard"].as_array().ok_or_else(|| Refusal::bad("object expected as reply markup"))?;
    let mut count = 0;
    for row in rows {
        let row = row.as_array().ok_or_else(|| Refusal::bad("can't parse inline keyboard: rows must be arrays"))?;
        for button in row {
            count += 1;
            let members = button.as_object().ok_or_else(|| bad("an object was expected"))?;
            if button["text"].as_str().is_none_or(|text| text.trim().is_empty()) {
                return Err(bad("Field \"text\" must be a non-empty String"));
            }
            if members.keys().filter(|name| DOES.contains(&name.as_str())).count() != 1 {
                return Err(bad("Text buttons are unallowed in the inline keyboard"));
            }
            if let Some(name) =
                members.keys().find(|name| !DOES.contains(&name.as_str()) && !LOOKS.contains(&name.as_str()))
            {
                return Err(bad(&format!("nobody knows \"{name}\"")));
            }
            if members.get("style").is_some_and(|style| style.as_str().is_none_or(|name| !STYLES.contains(&name))) {
                return Err(bad("invalid button style specified"));
            }
            if let Some(data) = members.get("callback_data")
                && data.as_str().is_none_or(|data| data.is_empty() || data.len() > MAX_DATA)
            {
                return Err(Refusal::bad("BUTTON_DATA_INVALID"));
            }
        }
    }
    if count > MAX_BUTTONS || markup.to_string().len() > MAX_BYTES {
        return Err(Refusal::bad("reply markup is too long"));
    }
    Ok(())
}
