//! Buttons under a message: one for each action, and one for each choice of a menu, for Telegram
//! has no menus. <https://core.telegram.org/bots/api#inlinekeyboardmarkup>

use chatport_sdk::{
    content::{Style, *},
    delivery::Outgoing,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::runs::{cut, is_visible, one_line};

/// Most buttons of a keyboard.
const MAX_BUTTONS: usize = 100;
/// Longest words on a button.
const MAX_LABEL: usize = 64;
/// Longest token of a button, in bytes.
const MAX_DATA: usize = 64;
/// Bytes for all buttons; what a server takes isn't published.
const MAX_BYTES: usize = 9_000;
/// What a button takes besides its words.
const FRAME: usize = 110;
/// Buttons beside each other, and how much their words may have together.
const IN_A_ROW: usize = 3;
const ROW_LENGTH: usize = 32;

/// A slot for a button.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Button {
    pub(crate) action: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    choice: Option<String>,
    label: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    style: Option<String>,
}

/// The rows of buttons, and how many buttons had to be left out.
pub(crate) fn rows(actions: &[Action], most: usize, most_choices: usize) -> (Vec<Vec<Button>>, usize) {
    let mut rows: Vec<Vec<Button>> = Vec::new();
    let (mut buttons, mut bytes, mut dropped, mut shown) = (0, 0, 0, 0);
    for action in actions {
        let all = buttons_of(action);
        if shown >= most {
            dropped += all.len();
            continue;
        }
        let is_menu = !action.choices.is_empty();
        let mut any = false;
        for (index, button) in all.into_iter().enumerate() {
            let size = button.label.len() + FRAME;
            if buttons >= MAX_BUTTONS || bytes + size > MAX_BYTES || (is_menu && index >= most_choices) {
                dropped += 1;
                continue;
            }
            (buttons, bytes, any) = (buttons + 1, bytes + size, true);
            match rows.last_mut().filter(|row| !is_menu && has_room(row, &button)) {
                Some(row) => row.push(button),
                None => rows.push(vec![button]),
            }
        }
        shown += usize::from(any);
    }
    (rows, dropped)
}

fn has_room(row: &[Button], button: &Button) -> bool {
    let length = |button: &Button| button.label.chars().count();
    let together: usize = row.iter().map(length).sum();
    let is_of_menu = row.iter().any(|button| button.choice.is_some());
    row.len() < IN_A_ROW && together + length(button) <= ROW_LENGTH && !is_of_menu
}

fn buttons_of(action: &Action) -> Vec<Button> {
    let name = words(&[&action.label, &action.id]);
    let style = style(action.style).map(str::to_owned);
    let button = |choice: Option<&Choice>| {
        let label = choice.map(|choice| format!("{name}: {}", words(&[&choice.label, &choice.value])));
        let label = cut(&label.unwrap_or_else(|| name.clone()), MAX_LABEL);
        let choice = choice.map(|choice| choice.value.clone());
        Button { action: action.id.clone(), choice, label, style: style.clone() }
    };
    match action.choices.as_slice() {
        [] => vec![button(None)],
        choices => choices.iter().map(|choice| button(Some(choice))).collect(),
    }
}

/// The first of these that can be seen.
fn words(texts: &[&String]) -> String {
    let lines = texts.iter().map(|text| one_line(text));
    lines.into_iter().find(|line| is_visible(line)).unwrap_or_else(|| "-".into())
}

fn style(style: Style) -> Option<&'static str> {
    match style {
        Style::Primary => Some("primary"),
        Style::Success => Some("success"),
        Style::Danger => Some("danger"),
        _ => None,
    }
}

/// The keyboard with the tokens in it. A button without one would be dead: it is left out.
pub(crate) fn keyboard(rows: &[Vec<Button>], outgoing: &Outgoing) -> Option<Value> {
    let live = |button: &Button| {
        let token = match &button.choice {
            None => outgoing.token(&button.action),
            Some(choice) => outgoing.choice_token(&button.action, choice),
        };
        let token = token.filter(|token| (1..=MAX_DATA).contains(&token.expose().len()))?;
        let mut shown = json!({ "text": button.label, "callback_data": token.expose() });
        if let Some(style) = &button.style {
            shown["style"] = style.as_str().into();
        }
        Some(shown)
    };
    let rows = rows.iter().map(|row| row.iter().filter_map(live).collect::<Vec<_>>());
    let rows: Vec<Vec<Value>> = rows.filter(|row| !row.is_empty()).collect();
    (!rows.is_empty()).then(|| json!({ "inline_keyboard": rows }))
}
