//! Checking settings against a backend's JSON Schema. It knows the keywords that schemas of
//! plain Rust types use; what it doesn't know it lets pass, since the backend reads the
//! settings into its own type anyway. The first violation is told by the setting's name.

use std::cell::Cell;

use chatport_sdk::Url;
use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

/// What is wrong with a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The setting, e.g. `site_url` or `teams.0.name`.
    pub name: String,
    /// What is wrong and what would be right.
    pub detail: String,
}

/// Check `value` against `schema`.
///
/// # Errors
/// The first violation.
pub fn check(schema: &Value, value: &Value) -> Result<(), Violation> {
    Checker { root: schema, left: Cell::new(MOST_WORK) }.check(schema, value, "", 0)
}

/// Schemas that refer to themselves end here.
const DEEPEST: usize = 32;
/// Places that are looked at before a check is given up: a schema that isn't trusted may branch
/// without end.
const MOST_WORK: u32 = 10_000;
/// What a pattern counts for, and the memory that one may take.
const PATTERN_WORK: u32 = 100;
const PATTERN_SIZE: usize = 1024 * 1024;

struct Checker<'a> {
    root: &'a Value,
    left: Cell<u32>,
}

impl Checker<'_> {
    fn check(&self, schema: &Value, value: &Value, name: &str, depth: usize) -> Result<(), Violation> {
        let Value::Object(schema) = schema else {
            return if schema == &Value::Bool(false) { refuse(name, "isn't known here") } else { Ok(()) };
        };
        if depth > DEEPEST {
            return refuse(name, "is nested too deeply");
        }
        let is_pattern = value.is_string() && schema.contains_key("pattern");
        match self.left.get().checked_sub(if is_pattern { PATTERN_WORK } else { 1 }) {
            Some(left) => self.left.set(left),
            None => return refuse(name, "can't be checked: the backend's schema is too much work"),
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(|path| self.resolve(path)) {
            self.check(target, value, name, depth + 1)?;
        }
        check_type(schema, value, name)?;
        check_listed(schema, value, name)?;
        match value {
            Value::String(text) => check_text(schema, text, name)?,
            Value::Number(number) => check_number(schema, number.as_f64().unwrap_or(f64::NAN), name)?,
            Value::Array(items) => self.check_items(schema, items, name, depth)?,
            Value::Object(members) => self.check_members(schema, members, name, depth)?,
            Value::Null | Value::Bool(_) => {}
        }
        self.check_branches(schema, value, name, depth)
    }

    fn resolve(&self, path: &str) -> Option<&Value> {
        self.root.pointer(path.strip_prefix('#')?)
    }

    fn check_items(
        &self,
        schema: &Map<String, Value>,
        items: &[Value],
        name: &str,
        depth: usize,
    ) -> Result<(), Violation> {
        if limit(schema, "minItems").is_some_and(|least| items.len() < least) {
            return refuse(name, "has too few entries");
        }
        if limit(schema, "maxItems").is_some_and(|most| items.len() > most) {
            return refuse(name, "has too many entries");
        }
        let Some(of_each) = schema.get("items") else { return Ok(()) };
        items
            .iter()
            .enumerate()
            .try_for_each(|(i, item)| self.check(of_each, item, &join(name, &i.to_string()), depth + 1))
    }

    fn check_members(
        &self,
        schema: &Map<String, Value>,
        members: &Map<String, Value>,
        name: &str,
        depth: usize,
    ) -> Result<(), Violation> {
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        for wanted in required.filter_map(Value::as_str) {
            if !members.contains_key(wanted) {
                return refuse(&join(name, wanted), "is required");
            }
        }
        let known = schema.get("properties").and_then(Value::as_object);
        for (member, value) in members {
            let of_member = known.and_then(|known| known.get(member)).or_else(|| schema.get("additionalProperties"));
            if let Some(of_member) = of_member {
                self.check(of_member, value, &join(name, member), depth + 1)?;
            }
        }
        Ok(())
    }

    fn check_branches(
        &self,
        schema: &Map<String, Value>,
        value: &Value,
        name: &str,
        depth: usize,
    ) -> Result<(), Violation> {
        for branch in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.check(branch, value, name, depth + 1)?;
        }
        for keyword in ["anyOf", "oneOf"] {
            let Some(branches) = schema.get(keyword).and_then(Value::as_array) else { continue };
            let outcomes: Vec<_> = branches.iter().map(|b| self.check(b, value, name, depth + 1)).collect();
            if outcomes.iter().all(Result::is_err) {
                // With one real branch beside `null`, its own words say best what is wrong.
                let real = |branch: &Value| branch.get("type") != Some(&Value::from("null"));
                let mut errors = branches.iter().zip(outcomes).filter(|(b, _)| real(b)).filter_map(|(_, o)| o.err());
                return match (errors.next(), errors.next()) {
                    (Some(only), None) => Err(only),
                    _ => refuse(name, "has none of the allowed forms"),
                };
            }
        }
        Ok(())
    }
}

fn check_type(schema: &Map<String, Value>, value: &Value, name: &str) -> Result<(), Violation> {
    let allowed: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => return Ok(()),
    };
    let fits = |kind: &&str| match *kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    };
    if allowed.iter().any(fits) { Ok(()) } else { refuse(name, format!("must be of type {}", allowed.join(" or "))) }
}

fn check_listed(schema: &Map<String, Value>, value: &Value, name: &str) -> Result<(), Violation> {
    if let Some(only) = schema.get("const").filter(|only| *only != value) {
        return refuse(name, format!("must be {only}"));
    }
    match schema.get("enum").and_then(Value::as_array) {
        Some(listed) if !listed.contains(value) => {
            let listed: Vec<String> = listed.iter().map(Value::to_string).collect();
            refuse(name, format!("must be one of {}", listed.join(", ")))
        }
        _ => Ok(()),
    }
}

fn check_text(schema: &Map<String, Value>, text: &str, name: &str) -> Result<(), Violation> {
    let length = text.chars().count();
    if let Some(least) = limit(schema, "minLength").filter(|least| length < *least) {
        return refuse(name, format!("must have at least {least} characters"));
    }
    if let Some(most) = limit(schema, "maxLength").filter(|most| length > *most) {
        return refuse(name, format!("must have at most {most} characters"));
    }
    // A pattern in another dialect than this one's is the backend's to judge.
    let compiled =
        |pattern: &str| -> Option<Regex> { RegexBuilder::new(pattern).size_limit(PATTERN_SIZE).build().ok() };
    let pattern = schema.get("pattern").and_then(Value::as_str).and_then(compiled);
    if let Some(pattern) = pattern.filter(|pattern| !pattern.is_match(text)) {
        return refuse(name, format!("must be of the form {pattern}"));
    }
    match schema.get("format").and_then(Value::as_str) {
        Some("uri") if Url::parse(text).is_err() => refuse(name, "must be an address such as https://chat.example.com"),
        _ => Ok(()),
    }
}

fn check_number(schema: &Map<String, Value>, number: f64, name: &str) -> Result<(), Violation> {
    let bound = |keyword: &str| schema.get(keyword).and_then(Value::as_f64);
    if let Some(least) = bound("minimum").filter(|least| number < *least) {
        return refuse(name, format!("must be at least {least}"));
    }
    if let Some(most) = bound("maximum").filter(|most| number > *most) {
        return refuse(name, format!("must be at most {most}"));
    }
    Ok(())
}

fn limit(schema: &Map<String, Value>, keyword: &str) -> Option<usize> {
    schema.get(keyword).and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok())
}

fn join(name: &str, member: &str) -> String {
    if name.is_empty() { member.to_owned() } else { format!("{name}.{member}") }
}

fn refuse(name: &str, detail: impl Into<String>) -> Result<(), Violation> {
    let name = if name.is_empty() { "settings" } else { name };
    Err(Violation { name: name.to_owned(), detail: detail.into() })
}

#[cfg(test)]
mod tests {
    use chatport_sdk::schemars::{self, JsonSchema};
    use serde_json::json;

    use super::*;

    #[derive(JsonSchema)]
    #[schemars(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Wanted {
        site: Url,
        #[schemars(range(min = 1, max = 10))]
        size: u8,
        #[schemars(regex(pattern = "^[a-z]+$"), length(max = 5))]
        word: Option<String>,
        mode: Option<Mode>,
        #[serde(default)]
        names: Vec<String>,
    }

    #[derive(JsonSchema)]
    #[serde(rename_all = "snake_case")]
    #[allow(dead_code)]
    enum Mode {
        Quick,
        Slow,
    }

    fn violation(value: Value) -> String {
        let schema = Value::from(schemars::schema_for!(Wanted));
        check(&schema, &value).expect_err("a violation").name
    }

    #[test]
    fn settings_of_the_right_shape_pass() {
        let schema = Value::from(schemars::schema_for!(Wanted));
        for good in [
            json!({ "site": "https://chat.example.com", "size": 3 }),
            json!({ "site": "https://chat.example.com", "size": 3, "mode": "slow", "names": ["a"], "word": "low" }),
            json!({ "site": "https://chat.example.com", "size": 3, "mode": null }),
        ] {
            assert_eq!(check(&schema, &good), Ok(()), "{good}");
        }
    }

    #[test]
    fn a_schema_that_branches_without_end_is_given_up() {
        let branch = json!({ "$ref": "#" });
        let endless = json!({ "allOf": [branch, branch, branch, branch] });
        assert!(check(&endless, &json!({})).is_err());
        let branches = json!({ "anyOf": [branch, branch, branch, branch] });
        assert!(check(&branches, &json!({})).is_err());
        let costly: Vec<Value> = (0..1_000).map(|n| json!({ "pattern": format!("(\\w{{50}}){{{n}}}|a") })).collect();
        assert!(check(&json!({ "allOf": costly }), &json!("a")).is_err());
    }

    #[test]
    fn a_violation_names_the_setting() {
        let site = "https://chat.example.com";
        assert_eq!(violation(json!({ "size": 3 })), "site");
        assert_eq!(violation(json!({ "site": "chat", "size": 3 })), "site");
        assert_eq!(violation(json!({ "site": site, "size": 11 })), "size");
        assert_eq!(violation(json!({ "site": site, "size": "3" })), "size");
        for word in ["Up", "a b", "", "longer"] {
            assert_eq!(violation(json!({ "site": site, "size": 3, "word": word })), "word", "{word}");
        }
        assert_eq!(violation(json!({ "site": site, "size": 3, "mode": "odd" })), "mode");
        assert_eq!(violation(json!({ "site": site, "size": 3, "names": ["a", 1] })), "names.1");
        assert_eq!(violation(json!({ "site": site, "size": 3, "colour": "red" })), "colour");
        assert_eq!(violation(json!([])), "settings");
    }
}
