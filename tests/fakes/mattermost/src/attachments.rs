//! Message attachments inside a post's properties: what is refused, what clients get to see.

use serde_json::{Map, Value, json};

use crate::ids::new_id;
use crate::options::Options;

/// Checks the attachments of a post that is made or changed. The text says what is wrong.
///
/// A post must not carry null entries; the other rules hold in strict mode, see
/// [`Options::strict_attachments`].
pub(crate) fn check(props: &Map<String, Value>, options: &Options) -> Result<(), String> {
    let Some(attachments) = props.get("attachments") else {
        return Ok(());
    };
    let Some(attachments) = attachments.as_array() else {
        return strict(options, "attachments is not a list");
    };
    for (at, attachment) in attachments.iter().enumerate() {
        let Some(attachment) = attachment.as_object() else {
            return Err(format!("attachment {at} is not an object"));
        };
        for key in TEXT_KEYS {
            if attachment.get(key).is_some_and(|v| !v.is_string() && !v.is_null()) {
                strict(options, &format!("attachment {at}: {key} is not a text"))?;
            }
        }
        for field in list(attachment, "fields")? {
            if !field.is_object() {
                return Err(format!("attachment {at}: a field is not an object"));
            }
        }
        for action in list(attachment, "actions")? {
            let Some(action) = action.as_object() else {
                return Err(format!("attachment {at}: an action is not an object"));
            };
            if options.strict_attachments {
                check_action(action, options).map_err(|why| format!("attachment {at}: {why}"))?;
            }
        }
    }
    Ok(())
}

fn strict(options: &Options, why: &str) -> Result<(), String> {
    if options.strict_attachments { Err(why.to_owned()) } else { Ok(()) }
}

fn list<'a>(map: &'a Map<String, Value>, key: &str) -> Result<&'a [Value], String> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(format!("{key} is not a list")),
    }
}

fn check_action(action: &Map<String, Value>, options: &Options) -> Result<(), String> {
    let text = |key: &str| action.get(key).and_then(Value::as_str).unwrap_or_default();
    let id = text("id");
    if !id.is_empty() && !is_action_id(id, options) {
        return Err(format!("action id {id:?} cannot be routed"));
    }
    if text("name").is_empty() {
        return Err(format!("action {id:?} has no name"));
    }
    let style = text("style");
    let is_hex = style
        .strip_prefix('#')
        .is_some_and(|hex| matches!(hex.len(), 3 | 6) && hex.bytes().all(|b| b.is_ascii_hexdigit()));
    if !style.is_empty() && !STYLES.contains(&style) && !is_hex {
        return Err(format!("action {id:?} has an unknown style"));
    }
    let options_count = list(action, "options")?.len();
    let source = text("data_source");
    match text("type") {
        "button" if options_count > 0 || !source.is_empty() => {
            return Err(format!("button {id:?} has options"));
        }
        "button" => {}
        "select" if source.is_empty() && options_count == 0 => {
            return Err(format!("menu {id:?} has nothing to choose from"));
        }
        "select" if !source.is_empty() && options_count > 0 => {
            return Err(format!("menu {id:?} has both a source and options"));
        }
        "select" if !source.is_empty() && !["users", "channels"].contains(&source) => {
            return Err(format!("menu {id:?} has an unknown source"));
        }
        "select" => {}
        other => return Err(format!("action {id:?} has type {other:?}")),
    }
    let url = action
        .get("integration")
        .and_then(|integration| integration.get("url"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    if !(url.starts_with("http://") || url.starts_with("https://") || url.starts_with("/plugins/")) {
        return Err(format!("action {id:?} has no valid integration url"));
    }
    let context = action.get("integration").and_then(|i| i.get("context"));
    if context.is_some_and(|context| !context.is_object() && !context.is_null()) {
        return Err(format!("the context of action {id:?} is not an object"));
    }
    Ok(())
}

const STYLES: [&str; 6] = ["default", "primary", "success", "good", "warning", "danger"];

/// Keys of an attachment whose values are texts.
const TEXT_KEYS: [&str; 13] = [
    "fallback",
    "color",
    "pretext",
    "author_name",
    "author_link",
    "author_icon",
    "title",
    "title_link",
    "text",
    "image_url",
    "thumb_url",
    "footer",
    "footer_icon",
];

/// Whether a click on this action id reaches its route.
pub(crate) fn is_action_id(id: &str, options: &Options) -> bool {
    !id.is_empty()
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || (options.wide_action_ids && (b == b'_' || b == b'-')))
}

/// Gives actions without an id one, as the server does when it stores a post.
pub(crate) fn generate_action_ids(props: &mut Map<String, Value>) {
    let attachments = props.get_mut("attachments").and_then(Value::as_array_mut);
    for attachment in attachments.into_iter().flatten() {
        let actions = attachment.get_mut("actions").and_then(Value::as_array_mut);
        for action in actions.into_iter().flatten() {
            let Some(action) = action.as_object_mut() else {
                continue;
            };
            let missing = action.get("id").and_then(Value::as_str).is_none_or(str::is_empty);
            if missing {
                action.insert("id".into(), new_id().into());
            }
        }
    }
}

/// The properties as clients get them: attachments carry all their keys (the server writes a
/// typed structure) and actions come without their integration.
pub(crate) fn for_client(props: &Map<String, Value>) -> Map<String, Value> {
    let mut out = props.clone();
    if let Some(Value::Array(attachments)) = out.get_mut("attachments") {
        for attachment in attachments {
            if let Value::Object(map) = attachment {
                *attachment = typed(map);
            }
        }
    }
    out
}

fn typed(attachment: &Map<String, Value>) -> Value {
    let mut out = Map::new();
    out.insert("id".into(), json!(0));
    for key in TEXT_KEYS {
        let text = attachment.get(key).and_then(Value::as_str);
        out.insert(key.into(), text.unwrap_or_default().into());
    }
    for key in ["fields", "ts"] {
        out.insert(key.into(), attachment.get(key).cloned().unwrap_or(Value::Null));
    }
    if let Some(Value::Array(actions)) = attachment.get("actions")
        && !actions.is_empty()
    {
        let mut actions = actions.clone();
        for action in actions.iter_mut().filter_map(Value::as_object_mut) {
            action.remove("integration");
        }
        out.insert("actions".into(), actions.into());
    }
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn props(attachments: Value) -> Map<String, Value> {
        let mut map = Map::new();
        map.insert("attachments".into(), attachments);
        map
    }

    fn button() -> Value {
        json!({"id": "ack", "type": "button", "name": "Ack", "style": "good",
               "integration": {"url": "http://host/actions", "context": {"a": 1}}})
    }

    #[test]
    fn broken_attachments_are_refused() {
        let options = Options::default();
        let refused = |attachments: Value| check(&props(attachments), &options).is_err();
        assert!(!refused(json!([{"text": "t", "actions": [button()]}])));
        assert!(refused(json!([null])));
        assert!(refused(json!([{"actions": [null]}])));
        assert!(refused(json!([{"fields": [null]}])));
        assert!(refused(json!([{"text": 5}])));
        for (key, bad) in [
            ("id", json!("a_b")),
            ("type", json!("")),
            ("name", json!("")),
            ("style", json!("loud")),
            ("integration", json!(null)),
            ("options", json!([{"text": "a", "value": "a"}])),
        ] {
            let mut action = button();
            action[key] = bad;
            assert!(refused(json!([{"actions": [action]}])), "{key}");
        }
        let wide = Options { wide_action_ids: true, ..Options::default() };
        let mut action = button();
        action["id"] = json!("a_b");
        assert!(check(&props(json!([{"actions": [action]}])), &wide).is_ok());
    }

    #[test]
    fn clients_never_see_integrations() {
        let shown = for_client(&props(json!([{"text": "t", "actions": [button()]}])));
        let attachment = &shown["attachments"][0];
        assert_eq!(attachment["fallback"], "");
        assert_eq!(attachment["text"], "t");
        assert_eq!(attachment["actions"][0]["id"], "ack");
        assert!(attachment["actions"][0].get("integration").is_none());
    }
}
