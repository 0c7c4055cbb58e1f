//! Events in the API's description: for each kind a webhook and a schema of its own, in
//! which `type` is that kind, and [`ANY`] for whoever reads them all.

use std::collections::BTreeMap;

use schemars::Schema;
use serde_json::{Map, Value, json};

use super::{
    openapi::{SCHEMAS, rename},
    operation::Schemas,
    routes::Event,
};

/// The schema of an event of any kind.
const ANY: &str = "AnyEvent";

/// An event with what its types say.
pub(super) struct Told {
    name: &'static str,
    summary: &'static str,
    schema: Schema,
    reply: Option<Schema>,
}

impl Told {
    pub(super) fn of(event: &Event, schemas: &mut Schemas) -> Self {
        let Event { name, summary, schema, reply } = *event;
        Self { name, summary, schema: schema(schemas), reply: reply.map(|reply| reply(schemas)) }
    }
}

/// The webhooks. Their schemas are put among the definitions, in place of those of
/// [`crate::events::Event`] that they are made from.
pub(super) fn webhooks(
    events: Vec<Told>,
    definitions: &mut Map<String, Value>,
    renamed: &BTreeMap<String, String>,
) -> Map<String, Value> {
    let mut webhooks = Map::new();
    let (mut made_from, mut names) = (Vec::new(), BTreeMap::new());
    for Told { name, summary, schema, reply } in events {
        let envelope = schema.get("$ref").and_then(Value::as_str).and_then(|at| at.strip_prefix(SCHEMAS));
        let Some((envelope, mut schema)) = envelope.and_then(|of| Some((of.to_owned(), definitions.get(of)?.clone())))
        else {
            continue;
        };
        made_from.push(envelope);
        schema["description"] = json!(format!("{summary}."));
        schema["properties"]["type"] = json!({ "type": "string", "const": name, "description": "What kind." });
        let own_name = schema_name(name);
        let reference = json!({ "$ref": format!("{SCHEMAS}{own_name}") });
        let mut answers = json!({ "2XX": { "description": "Taken. Anything else, and it comes again." } });
        if let Some(reply) = reply {
            let mut content = json!({ "application/json": { "schema": reply } });
            rename(&mut content, renamed);
            answers["200"] = json!({ "description": "Taken, and what is shown at once.", "content": content });
            answers["403"] = json!({ "description": "Taken, and refused: the notice says why.", "content": content });
        }
        let post = json!({
            "summary": summary,
            "requestBody": { "required": true, "content": { "application/json": { "schema": reference } } },
            "responses": answers,
        });
        webhooks.insert(name.to_owned(), json!({ "post": post }));
        names.insert(name, reference);
        definitions.insert(own_name, schema);
    }
    for envelope in made_from {
        definitions.remove(&envelope);
    }
    if !names.is_empty() {
        let mapping: Map<String, Value> =
            names.iter().map(|(name, reference)| ((*name).to_owned(), reference["$ref"].clone())).collect();
        let any = json!({
            "description": "An event of any kind; more kinds may come.",
            "oneOf": names.values().collect::<Vec<_>>(),
            "discriminator": { "propertyName": "type", "mapping": mapping },
        });
        definitions.insert(ANY.to_owned(), any);
    }
    webhooks
}

/// `action.invoked` becomes `ActionInvokedEvent`.
fn schema_name(kind: &str) -> String {
    let capitalized = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    kind.split('.').map(capitalized).chain(["Event".to_owned()]).collect()
}
