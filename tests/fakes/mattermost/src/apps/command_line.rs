//! Reads what somebody typed after the slash, as the web client does: words choose the binding,
//! then come flags and positional values.

use super::bindings::Binding;
use super::forms::{Field, Form};

/// The binding a command line means.
#[derive(Debug)]
pub(crate) struct Resolved<'a> {
    pub(crate) binding: &'a Binding,
    /// Full location, e.g. `/command/oncall/link`.
    pub(crate) location: String,
    /// What follows the binding's words.
    pub(crate) rest: &'a str,
}

/// Finds the binding for a text that starts with a slash. The first of equal labels counts.
pub(crate) fn resolve<'a>(tree: &'a [Binding], text: &'a str) -> Result<Resolved<'a>, String> {
    let commands = tree.iter().filter(|b| b.location == "/command");
    let mut level: Vec<&Binding> = commands.flat_map(|top| &top.bindings).collect();
    let mut rest = text.strip_prefix('/').ok_or("a command starts with a slash")?;
    let mut location = "/command".to_owned();
    loop {
        let (word, after) = next_word(rest);
        if word.is_empty() {
            return Err("the command is not complete: choose a subcommand".into());
        }
        let found = level.iter().find(|binding| binding.label.to_lowercase() == word.to_lowercase());
        let binding = *found.ok_or_else(|| format!("there is no command {word:?} here"))?;
        location = format!("{location}/{}", binding.location);
        rest = after;
        if binding.bindings.is_empty() {
            return Ok(Resolved { binding, location, rest });
        }
        level = binding.bindings.iter().collect();
    }
}

fn next_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    match text.find(char::is_whitespace) {
        Some(end) => text.split_at(end),
        None => (text, ""),
    }
}

/// Values that were typed, by field name.
pub(crate) type Typed = Vec<(String, String)>;

/// Reads flags and positional values for a form.
pub(crate) fn fill(form: &Form, text: &str) -> Result<Typed, String> {
    let mut typed: Typed = Vec::new();
    let mut rest = text.trim_start();
    let mut positional: Vec<&Field> = form.fields.iter().filter(|f| f.position > 0).collect();
    positional.sort_by_key(|field| field.position);
    let mut positional = positional.into_iter();
    while !rest.is_empty() {
        if let Some(flag) = rest.strip_prefix("--") {
            rest = read_flag(form, flag, &mut typed)?.trim_start();
            continue;
        }
        if let Some(field) = positional.next() {
            let (value, after) = value(rest)?;
            typed.push((field.name.clone(), value));
            rest = after.trim_start();
            continue;
        }
        let last = form.fields.iter().find(|field| field.position == -1);
        let field = last.ok_or_else(|| format!("the argument {rest:?} fits nothing"))?;
        typed.push((field.name.clone(), rest.trim_end().to_owned()));
        rest = "";
    }
    for field in form.fields.iter().filter(|field| field.is_required) {
        let given = typed.iter().any(|(name, value)| *name == field.name && !value.is_empty());
        if !given && field.value.is_null() {
            return Err(format!("required field missing: `{}`", field.label));
        }
    }
    Ok(typed)
}

/// Reads a flag and its value; gives what follows.
fn read_flag<'a>(form: &Form, flag: &'a str, typed: &mut Typed) -> Result<&'a str, String> {
    let end = flag.find(|c: char| c.is_whitespace() || c == '=');
    let (label, after) = flag.split_at(end.unwrap_or(flag.len()));
    let field = form.fields.iter().find(|field| field.label.to_lowercase() == label.to_lowercase());
    let field = field.ok_or_else(|| format!("there is no flag `--{label}`"))?;
    let after = after.strip_prefix('=').unwrap_or(after).trim_start();
    if field.kind == "bool" {
        let (word, behind) = next_word(after);
        let (value, after) = match word {
            "true" | "false" => (word, behind),
            _ => ("true", after),
        };
        typed.push((field.name.clone(), value.to_owned()));
        return Ok(after);
    }
    if after.is_empty() {
        return Err(format!("the flag `--{label}` has no value"));
    }
    let (value, after) = value(after)?;
    typed.push((field.name.clone(), value));
    Ok(after)
}

/// A value: a word, or something between quotes or backticks.
fn value(text: &str) -> Result<(String, &str), String> {
    let quote = match text.chars().next() {
        Some(quote @ ('"' | '`')) => quote,
        _ => {
            let (word, after) = next_word(text);
            return Ok((word.to_owned(), after));
        }
    };
    let mut out = String::new();
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => {
                out.push(character);
                escaped = false;
            }
            '\\' if quote == '"' => escaped = true,
            _ if character == quote => return Ok((out, &text[at + 1..])),
            _ => out.push(character),
        }
    }
    Err("the closing quote is missing".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tree() -> Vec<Binding> {
        serde_json::from_value(json!([{"location": "/command", "bindings": [
            {"location": "oncall", "label": "oncall", "bindings": [
                {"location": "link", "label": "link", "form": {"submit": "/link", "fields": [
                    {"name": "code", "label": "code", "type": "text", "is_required": true, "position": 1},
                    {"name": "note", "label": "note", "type": "text"},
                    {"name": "force", "label": "force", "type": "bool"},
                    {"name": "more", "label": "more", "type": "text", "position": -1}
                ]}},
                {"location": "unlink", "label": "unlink", "submit": "/unlink"}
            ]}
        ]}]))
        .unwrap()
    }

    #[test]
    fn words_choose_the_binding() {
        let tree = tree();
        let found = resolve(&tree, "/OnCall link ABC").unwrap();
        assert_eq!(found.location, "/command/oncall/link");
        assert_eq!(found.rest.trim(), "ABC");
        assert!(resolve(&tree, "/oncall").is_err());
        assert!(resolve(&tree, "/oncall fly").is_err());
        assert!(resolve(&tree, "/other").is_err());
    }

    #[test]
    fn values_are_read() {
        let tree = tree();
        let fill = |text: &str| {
            let found = resolve(&tree, text).unwrap();
            fill(found.binding.form.as_ref().unwrap(), found.rest)
        };
        let pairs = |list: &[(&str, &str)]| -> Typed { list.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect() };
        assert_eq!(fill("/oncall link ABC"), Ok(pairs(&[("code", "ABC")])));
        assert_eq!(
            fill(r#"/oncall link --note "two \"words\"" --force ABC and the rest"#),
            Ok(pairs(&[("note", "two \"words\""), ("force", "true"), ("code", "ABC"), ("more", "and the rest")]))
        );
        assert!(fill("/oncall link").unwrap_err().contains("`code`"));
        assert!(fill("/oncall link --fly").is_err());
        assert!(fill("/oncall link \"open").is_err());
    }
}
