//! What a card may hold: the elements and actions of Adaptive Cards 1.5 that Teams shows, each
//! with its members. <https://adaptivecards.io/explorer/>

use serde_json::{Map, Value};

use crate::world::World;

/// What a member must be.
#[derive(Clone, Copy)]
enum Is {
    Text,
    Flag,
    Address,
    Object,
    One(&'static [&'static str]),
    Elements,
    Inlines,
    Actions,
    Facts,
    Choices,
    Fallback,
}

/// A kind of element or action: its members, and how many of the first are required.
struct Kind {
    name: &'static str,
    required: usize,
    members: &'static [(&'static str, Is)],
}

const SIZES: Is = Is::One(&["Default", "Small", "Medium", "Large", "ExtraLarge"]);
const WEIGHTS: Is = Is::One(&["Default", "Lighter", "Bolder"]);
const COLOURS: Is = Is::One(&["Default", "Dark", "Light", "Accent", "Good", "Warning", "Attention"]);
const STYLES: Is = Is::One(&["default", "positive", "destructive"]);

#[rustfmt::skip]
const ELEMENTS: &[Kind] = &[
    Kind { name: "TextBlock", required: 1, members: &[("text", Is::Text), ("wrap", Is::Flag), ("size", SIZES), ("weight", WEIGHTS), ("color", COLOURS), ("isSubtle", Is::Flag), ("separator", Is::Flag)] },
    Kind { name: "RichTextBlock", required: 1, members: &[("inlines", Is::Inlines), ("separator", Is::Flag)] },
    Kind { name: "FactSet", required: 1, members: &[("facts", Is::Facts), ("separator", Is::Flag)] },
    Kind { name: "Image", required: 1, members: &[("url", Is::Address), ("altText", Is::Text), ("separator", Is::Flag)] },
    Kind { name: "Container", required: 1, members: &[("items", Is::Elements), ("style", Is::Text), ("separator", Is::Flag)] },
    Kind { name: "ActionSet", required: 1, members: &[("actions", Is::Actions), ("separator", Is::Flag)] },
    Kind { name: "Input.ChoiceSet", required: 2, members: &[("id", Is::Text), ("choices", Is::Choices), ("style", Is::One(&["compact", "expanded", "filtered"])), ("placeholder", Is::Text), ("separator", Is::Flag)] },
];

#[rustfmt::skip]
const ACTIONS: &[Kind] = &[
    Kind { name: "Action.Execute", required: 2, members: &[("title", Is::Text), ("verb", Is::Text), ("data", Is::Object), ("style", STYLES), ("fallback", Is::Fallback)] },
    Kind { name: "Action.Submit", required: 2, members: &[("title", Is::Text), ("data", Is::Object), ("style", STYLES)] },
    Kind { name: "Action.OpenUrl", required: 2, members: &[("title", Is::Text), ("url", Is::Address)] },
];

#[rustfmt::skip]
const RUNS: &[Kind] = &[
    Kind { name: "TextRun", required: 1, members: &[("text", Is::Text), ("size", SIZES), ("weight", WEIGHTS), ("color", COLOURS), ("isSubtle", Is::Flag)] },
];

/// Most people for whom a card asks by itself what it shows.
const MAX_REFRESHED: usize = 60;
/// Most actions that are shown side by side; further ones hide in a menu.
const MAX_ACTIONS: usize = 6;

/// Check a card.
pub(crate) fn check(world: &World, card: &Value) -> Result<(), String> {
    for name in members(card, "card")?.keys() {
        if !["type", "version", "body", "actions", "msteams", "refresh", "$schema"].contains(&name.as_str()) {
            return Err(format!("a card has no `{name}`"));
        }
    }
    if card["type"] != "AdaptiveCard" || card["version"] != "1.5" {
        return Err("it isn't an AdaptiveCard of version 1.5".into());
    }
    list(&card["body"], ELEMENTS)?;
    if let Some(refresh) = card.get("refresh") {
        let given = members(refresh, "refresh")?;
        if given.keys().any(|name| !["action", "userIds"].contains(&name.as_str())) {
            return Err(format!("a refresh has no such member: {refresh}"));
        }
        if refresh["userIds"].as_array().is_some_and(|ids| ids.len() > MAX_REFRESHED) {
            return Err(format!("a refresh for more than {MAX_REFRESHED} people"));
        }
        one(&refresh["action"], &ACTIONS[..1])?;
    }
    if !card["actions"].is_null() {
        list(&card["actions"], ACTIONS)?;
        if card["actions"].as_array().is_some_and(|actions| actions.len() > MAX_ACTIONS) {
            return Err(format!("more than {MAX_ACTIONS} actions"));
        }
    }
    mentions(world, card)
}

/// Every `<at>` in a card must be a mention of somebody who exists, and each mention must stand
/// in the text.
fn mentions(world: &World, card: &Value) -> Result<(), String> {
    let mut text = String::new();
    shown(card, &mut text);
    let mut text = text.to_lowercase();
    for entity in card["msteams"]["entities"].as_array().into_iter().flatten() {
        let shown = entity["text"].as_str().ok_or("a mention without a text")?;
        let (id, name) = (entity["mentioned"]["id"].as_str(), entity["mentioned"]["name"].as_str());
        let is_somebody = id.is_some_and(|id| world.person_by_id(id).is_some());
        if entity["type"] != "mention" || !is_somebody || shown != format!("<at>{}</at>", name.unwrap_or_default()) {
            return Err(format!("a mention of nobody: {entity}"));
        }
        let lower = shown.to_lowercase();
        if !text.contains(&lower) {
            return Err("a mention that doesn't stand in the text".into());
        }
        text = text.replace(&lower, "");
    }
    if text.contains("<at>") || text.contains("</at>") {
        return Err("an <at> that mentions nobody".into());
    }
    Ok(())
}

/// Everything of a card that people read.
fn shown(value: &Value, into: &mut String) {
    match value {
        Value::String(text) => into.extend([text.as_str(), "\n"]),
        Value::Array(items) => items.iter().for_each(|item| shown(item, into)),
        Value::Object(members) => {
            for (name, member) in members {
                match name.as_str() {
                    "type" | "id" | "data" | "url" | "verb" | "msteams" | "refresh" => {}
                    "choices" => {
                        member.as_array().into_iter().flatten().for_each(|choice| shown(&choice["title"], into))
                    }
                    _ => shown(member, into),
                }
            }
        }
        _ => {}
    }
}

fn members<'v>(value: &'v Value, what: &str) -> Result<&'v Map<String, Value>, String> {
    value.as_object().ok_or_else(|| format!("a {what} that is no object"))
}

fn list(value: &Value, kinds: &[Kind]) -> Result<(), String> {
    let items = value.as_array().ok_or("not a list")?;
    items.iter().try_for_each(|item| one(item, kinds))
}

fn one(value: &Value, kinds: &[Kind]) -> Result<(), String> {
    let given = members(value, "element")?;
    let name = given.get("type").and_then(Value::as_str).unwrap_or_default();
    let kind = kinds.iter().find(|kind| kind.name == name).ok_or_else(|| format!("`{name}` can't stand there"))?;
    for (required, _) in &kind.members[..kind.required] {
        if !given.contains_key(*required) {
            return Err(format!("a {name} without `{required}`"));
        }
    }
    for (member, value) in given.iter().filter(|(member, _)| *member != "type") {
        let known = kind.members.iter().find(|(known, _)| known == member);
        let (_, is) = known.ok_or_else(|| format!("a {name} has no `{member}`"))?;
        fits(value, *is).map_err(|why| format!("{name}.{member}: {why}"))?;
    }
    Ok(())
}

fn fits(value: &Value, is: Is) -> Result<(), String> {
    let named = |items: &Value, names: [&str; 2]| -> Result<(), String> {
        for item in items.as_array().ok_or("not a list")? {
            let item = members(item, "row")?;
            if item.len() != 2 || names.iter().any(|name| !item.get(*name).is_some_and(Value::is_string)) {
                return Err(format!("not a row of {names:?}"));
            }
        }
        Ok(())
    };
    let holds = match is {
        Is::Text => value.is_string(),
        Is::Flag => value.is_boolean(),
        Is::Object => value.is_object(),
        Is::Address => value
            .as_str()
            .is_some_and(|url| url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))),
        Is::One(allowed) => value.as_str().is_some_and(|value| allowed.contains(&value)),
        Is::Elements => return list(value, ELEMENTS),
        Is::Inlines => return list(value, RUNS),
        Is::Actions => return list(value, ACTIONS),
        Is::Fallback => return one(value, ACTIONS),
        Is::Facts => return named(value, ["title", "value"]),
        Is::Choices => return named(value, ["title", "value"]),
    };
    if holds { Ok(()) } else { Err(format!("{value} can't stand there")) }
}
