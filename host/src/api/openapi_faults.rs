//! What is wrong with a description: references that lead nowhere, names that stand twice,
//! words that are missing, bodies that take anything. A test over the whole API wants none.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Everything that is wrong, one line each.
pub(crate) fn faults(document: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    references(document, document, &mut faults);
    let tags: BTreeSet<&str> = list(&document["tags"]).filter_map(|tag| tag["name"].as_str()).collect();
    let mut ids = BTreeSet::new();
    for (path, methods) in entries(&document["paths"]) {
        for (method, operation) in entries(methods) {
            let name = format!("{method} {path}");
            operation_faults(path, operation, &tags, &mut |fault| faults.push(format!("{name}: {fault}")));
            let id = operation["operationId"].as_str().unwrap_or_default();
            if !ids.insert(id) {
                faults.push(format!("{name}: the operationId `{id}` stands twice"));
            }
            let body = &operation["requestBody"]["content"]["application/json"]["schema"];
            open_objects(document, body, &format!("{name}: body"), &mut BTreeSet::new(), &mut faults);
        }
    }
    faults
}

fn operation_faults(path: &str, operation: &Value, tags: &BTreeSet<&str>, fault: &mut dyn FnMut(String)) {
    let text = |member: &str| operation[member].as_str().unwrap_or_default();
    if text("operationId").is_empty() || text("summary").is_empty() || text("summary").ends_with('.') {
        fault("needs an operationId, and a summary without a full stop".into());
    }
    if !list(&operation["tags"]).all(|tag| tag.as_str().is_some_and(|tag| tags.contains(tag))) {
        fault("its tag isn't described".into());
    }
    if !entries(&operation["responses"]).any(|(status, _)| matches!(status.as_bytes()[0], b'2' | b'3')) {
        fault("no answer is described: give back a typed answer, or say `.medium(…)`".into());
    }
    let declared =
        |place: &'static str| list(&operation["parameters"]).filter(move |parameter| parameter["in"] == place);
    let in_template: BTreeSet<&str> = path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
    let in_path: BTreeSet<&str> = declared("path").filter_map(|parameter| parameter["name"].as_str()).collect();
    if in_template != in_path {
        fault(format!("the path has {in_template:?}, the description {in_path:?}"));
    }
    for parameter in declared("path").chain(declared("query")) {
        if parameter["description"].as_str().is_none_or(str::is_empty) {
            fault(format!("nobody says what the parameter {} is", parameter["name"]));
        }
    }
    let needs_key = list(&operation["security"]).next().is_some();
    if needs_key && operation["responses"].get("401").is_none() {
        fault("needs a key, but no 401 is described".into());
    }
}

/// Objects of a body must refuse what they don't know: a misspelt field must not be lost.
fn open_objects<'a>(
    document: &'a Value,
    schema: &'a Value,
    place: &str,
    seen: &mut BTreeSet<&'a str>,
    faults: &mut Vec<String>,
) {
    if !schema.is_object() {
        return;
    }
    if let Some(reference) = schema["$ref"].as_str() {
        if seen.insert(reference) {
            open_objects(document, target(document, reference), reference, seen, faults);
        }
        return;
    }
    if schema.get("properties").is_some() && schema["additionalProperties"] != false {
        faults.push(format!("{place} takes unknown fields: say `#[serde(deny_unknown_fields)]`"));
    }
    for (name, property) in entries(&schema["properties"]) {
        open_objects(document, property, &format!("{place}/{name}"), seen, faults);
    }
    for keyword in ["items", "additionalProperties"] {
        open_objects(document, &schema[keyword], place, seen, faults);
    }
    for keyword in ["anyOf", "oneOf", "allOf", "prefixItems"] {
        list(&schema[keyword]).for_each(|option| open_objects(document, option, place, seen, faults));
    }
}

fn references(document: &Value, value: &Value, faults: &mut Vec<String>) {
    if let Some(reference) = value.get("$ref").and_then(Value::as_str)
        && target(document, reference).is_null()
    {
        faults.push(format!("{reference} leads nowhere"));
    }
    list(value).for_each(|item| references(document, item, faults));
    entries(value).for_each(|(_, member)| references(document, member, faults));
}

fn target<'a>(document: &'a Value, reference: &str) -> &'a Value {
    reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer)).unwrap_or(&Value::Null)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter).map(|(name, value)| (name.as_str(), value))
}
