//! The API's description in OpenAPI 3.1, from the registered operations. Schemas are JSON
//! Schema 2020-12; what may be sent and what is answered are two schemas where they differ.
//! `x-problems` lists every kind of problem, for the documentation page.

use std::collections::BTreeMap;

use schemars::Schema;
use serde_json::{Map, Value, json};

use super::{
    openapi_events::{self, Told},
    operation::{Description, Method, Operation, Schemas, Tell},
    problem::{PROBLEM_JSON, ProblemType},
    problem_types as types,
    routes::{Outline, Security},
};

pub(super) const SCHEMAS: &str = "#/components/schemas/";
/// The component that all problems have; a name that no type of the API takes.
const PROBLEM_SCHEMA: &str = "ProblemDetails";
/// … and their kinds.
const PROBLEM_TYPE_SCHEMA: &str = "ProblemType";
const API_KEY: &str = "apiKey";

/// One operation with what its types say.
struct Described<'a> {
    operation: &'a Operation,
    security: Security,
    problems: &'static [ProblemType],
    path: Option<Schema>,
    query: Option<Schema>,
    body: Option<Schema>,
    answers: Vec<(u16, Option<Schema>)>,
}

impl<'a> Described<'a> {
    fn of(operation: &'a Operation, tell: Tell, schemas: &mut Schemas) -> Self {
        let mut description = Description {
            schemas,
            security: Security::Public,
            problems: &[],
            path: None,
            query: None,
            body: None,
            answers: Vec::new(),
        };
        tell(&mut description);
        let Description { security, problems, path, query, body, answers, .. } = description;
        Self { operation, security, problems, path, query, body, answers }
    }
}

/// Kinds of problem that any operation may answer with.
const ALWAYS: &[ProblemType] = &[types::UNSUPPORTED_ENCODING, types::INTERNAL, types::UNAVAILABLE, types::TOO_LONG];
/// … that takes a body.
const WITH_BODY: &[ProblemType] = &[
    types::MALFORMED_JSON,
    types::BODY_UNREADABLE,
    types::BODY_TOO_SLOW,
    types::BODY_TOO_LARGE,
    types::UNSUPPORTED_MEDIA_TYPE,
    types::INVALID_BODY,
];

/// The whole description.
pub(super) fn document(outline: &Outline) -> Value {
    let Outline { about, tags, parameters, operations, events } = outline;
    let mut schemas = Schemas::new();
    let operations: Vec<Described<'_>> =
        operations.iter().map(|(operation, tell)| Described::of(operation, *tell, &mut schemas)).collect();
    let events = events.iter().map(|event| Told::of(event, &mut schemas)).collect();
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let (mut definitions, renamed) = definitions(schemas);
    for described in &operations {
        let mut operation = operation(described, parameters);
        // Only what may be sent is renamed; an answer's schemas keep their names.
        for part in ["parameters", "requestBody"] {
            operation.get_mut(part).into_iter().for_each(|value| rename(value, &renamed));
        }
        let path = described.operation.path.replace("{*", "{");
        paths.entry(path).or_default().insert(method(described.operation.method).to_owned(), operation);
    }
    let webhooks = openapi_events::webhooks(events, &mut definitions, &renamed);
    let tags: Vec<Value> =
        tags.iter().map(|(name, description)| json!({ "name": name, "description": description })).collect();
    json!({
        "openapi": "3.1.0",
        "info": { "title": about.title, "version": about.version, "description": about.description },
        "tags": tags,
        "paths": paths,
        "webhooks": webhooks,
        "components": {
            "schemas": definitions,
            "examples": types::ALL.iter().map(problem_example).collect::<Map<_, _>>(),
            "headers": {
                "Retry-After": {
                    "description": "In how many seconds to try again.",
                    "schema": { "type": "integer", "minimum": 1 },
                },
            },
            "securitySchemes": {
                API_KEY: { "type": "http", "scheme": "bearer", "description": "An API key of the application." },
            },
        },
        "x-problems": types::ALL.iter().map(problem_entry).collect::<Vec<_>>(),
    })
}

fn operation(described: &Described, glossary: &[(&str, &str)]) -> Value {
    let Described { operation, security, body, .. } = described;
    let mut parameters = path_parameters(described, glossary);
    parameters.extend(query_parameters(described.query.as_ref()));
    let mut value = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [operation.tag],
        "responses": responses(described),
        "security": match security {
            Security::ApiKey(scope) => json!([{ API_KEY: [scope] }]),
            Security::Public | Security::PlatformIngress => json!([]),
        },
    });
    let object = value.as_object_mut().expect("made as an object above");
    if !operation.description.is_empty() {
        object.insert("description".to_owned(), json!(operation.description));
    }
    if !parameters.is_empty() {
        object.insert("parameters".to_owned(), json!(parameters));
    }
    if let Some(schema) = body {
        let content = json!({ "application/json": { "schema": schema } });
        object.insert("requestBody".to_owned(), json!({ "required": true, "content": content }));
    }
    value
}

/// The names in a path's template, in order.
fn template_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).map(|name| name.trim_start_matches('*'))
}

fn path_parameters(described: &Described, glossary: &[(&str, &str)]) -> Vec<Value> {
    let typed = described.path.as_ref().and_then(|schema| schema.get("properties"));
    let parameter = |name: &str| {
        let schema = typed.and_then(|properties| properties.get(name)).cloned();
        let mut schema = schema.unwrap_or_else(|| json!({ "type": "string" }));
        let own_words = schema.as_object_mut().and_then(|object| object.remove("description"));
        let words = glossary.iter().find(|(known, _)| *known == name).map(|(_, words)| json!(words));
        json!({
            "name": name, "in": "path", "required": true,
            "description": words.or(own_words).unwrap_or_default(), "schema": schema,
        })
    };
    template_names(described.operation.path).map(parameter).collect()
}

fn query_parameters(schema: Option<&Schema>) -> Vec<Value> {
    let Some(properties) = schema.and_then(|schema| schema.get("properties")).and_then(Value::as_object) else {
        return Vec::new();
    };
    let required = |name: &str| {
        let list = schema.and_then(|schema| schema.get("required")).and_then(Value::as_array);
        list.is_some_and(|list| list.iter().any(|entry| entry == name))
    };
    let parameter = |(name, schema): (&String, &Value)| {
        let mut schema = without_null(schema);
        let words = schema.as_object_mut().and_then(|object| object.remove("description")).unwrap_or_default();
        json!({ "name": name, "in": "query", "required": required(name), "description": words, "schema": schema })
    };
    properties.iter().map(parameter).collect()
}

/// A query parameter can be absent, but there is no way to write null.
fn without_null(schema: &Value) -> Value {
    let mut schema = schema.clone();
    let Some(object) = schema.as_object_mut() else { return schema };
    if let Some(Value::Array(kinds)) = object.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [kind] = kinds.as_slice() {
            let kind = kind.clone();
            object.insert("type".to_owned(), kind);
        }
    }
    if let Some(Value::Array(options)) = object.get_mut("anyOf") {
        options.retain(|option| option["type"] != "null");
        if let [Value::Object(only)] = options.as_slice() {
            let only = only.clone();
            object.remove("anyOf");
            object.extend(only);
        }
    }
    schema
}

fn responses(described: &Described) -> Map<String, Value> {
    let operation = &described.operation;
    let words_for = |status: u16| {
        let given = operation.words.iter().find(|(of, _)| *of == status).map(|(_, words)| *words);
        given.unwrap_or(match status {
            201 => "Created.",
            202 => "Accepted: it is on disk and will be done.",
            204 => "Done.",
            _ => "What was asked for.",
        })
    };
    let mut responses = Map::new();
    for (status, schema) in &described.answers {
        let mut response = json!({ "description": words_for(*status) });
        if let Some(schema) = schema {
            response["content"] = json!({ "application/json": { "schema": schema } });
        }
        responses.insert(status.to_string(), response);
    }
    for (status, media_type, words) in &operation.media {
        let entry = responses.entry(status.to_string()).or_insert_with(|| json!({ "description": words }));
        if !media_type.is_empty() {
            entry["content"][*media_type] = json!({ "schema": { "type": "string" } });
        }
    }
    for (status, kinds) in problems(described) {
        responses.insert(status.to_string(), problem_response(status, &kinds));
    }
    responses
}

fn problems(described: &Described) -> BTreeMap<u16, Vec<ProblemType>> {
    // What a platform's request is answered with is the backend's matter.
    let mut kinds = if described.security == Security::PlatformIngress { Vec::new() } else { ALWAYS.to_vec() };
    kinds.extend_from_slice(described.problems);
    let has_cursor = described.query.as_ref().is_some_and(|query| query.pointer("/properties/cursor").is_some());
    let by_type = [
        (described.body.is_some(), WITH_BODY),
        (described.query.is_some(), &[types::INVALID_QUERY]),
        (has_cursor, &[types::INVALID_CURSOR]),
        (described.path.is_some(), &[types::INVALID_PATH]),
    ];
    by_type.into_iter().filter(|(applies, _)| *applies).for_each(|(_, more)| kinds.extend_from_slice(more));
    kinds.extend_from_slice(&described.operation.problems);
    let mut by_status: BTreeMap<u16, Vec<ProblemType>> = BTreeMap::new();
    for kind in kinds {
        let same_status = by_status.entry(kind.status).or_default();
        if !same_status.contains(&kind) {
            same_status.push(kind);
        }
    }
    by_status
}

fn problem_response(status: u16, kinds: &[ProblemType]) -> Value {
    let titles: Vec<&str> = kinds.iter().map(|kind| kind.title).collect();
    let uris: Vec<String> = kinds.iter().map(ProblemType::uri).collect();
    let example =
        |kind: &ProblemType| (kind.slug.to_owned(), json!({ "$ref": format!("#/components/examples/{}", kind.slug) }));
    let schema = json!({
        "allOf": [{ "$ref": format!("{SCHEMAS}{PROBLEM_SCHEMA}") }],
        "properties": { "type": { "enum": uris } },
    });
    let examples: Map<String, Value> = kinds.iter().map(example).collect();
    let mut response = json!({
        "description": format!("{}.", titles.join("; or: ")),
        "content": { PROBLEM_JSON: { "schema": schema, "examples": examples } },
    });
    if matches!(status, 429 | 503) {
        response["headers"] = json!({ "Retry-After": { "$ref": "#/components/headers/Retry-After" } });
    }
    response
}

fn problem_entry(kind: &ProblemType) -> Value {
    let ProblemType { slug, status, title, cure } = kind;
    json!({ "type": kind.uri(), "slug": slug, "status": status, "title": title, "cure": cure })
}

fn problem_example(kind: &ProblemType) -> (String, Value) {
    let ProblemType { slug, status, title, cure } = kind;
    let value = json!({ "type": kind.uri(), "title": title, "status": status, "cure": cure, "request_id": "0192f3a4" });
    ((*slug).to_owned(), json!({ "summary": title, "value": value }))
}

fn problem_type_schema() -> Value {
    let uris: Vec<String> = types::ALL.iter().map(ProblemType::uri).collect();
    json!({ "type": "string", "description": "The kind of problem; it never changes. More may come.", "enum": uris })
}

fn problem_schema() -> Value {
    json!({
        "type": "object",
        "description": "What is wrong, in the form of RFC 9457. A kind of problem may have more members.",
        "required": ["type", "title", "status", "cure"],
        "properties": {
            "type": { "$ref": format!("{SCHEMAS}{PROBLEM_TYPE_SCHEMA}") },
            "title": { "type": "string", "description": "The kind in words." },
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "detail": { "type": "string", "description": "What is wrong this time." },
            "cure": { "type": "string", "description": "What to do about it." },
            "pointer": { "type": "string", "description": "Where in the body it is wrong: a JSON pointer (RFC 6901)." },
            "field": { "type": "string", "description": "The field of a form that was refused." },
            "cause": { "type": "string", "description": "Why a platform refused." },
            "installation": { "type": "string", "description": "The installation that isn't in the right state." },
            "state": { "type": "string", "description": "The state that it is in." },
            "installations": {
                "type": "array", "items": { "type": "string" },
                "description": "The installations of which one must be named.",
            },
            "request_id": { "type": "string", "description": "What to quote when asking for help." },
        },
    })
}

fn method(method: Method) -> &'static str {
    match method {
        Method::Get => "get",
        Method::Put => "put",
        Method::Post | Method::Any => "post",
        Method::Patch => "patch",
        Method::Delete => "delete",
    }
}

/// All schemas under their names, and the new names of those for what may be sent that
/// differ from the one for what is answered.
fn definitions(mut schemas: Schemas) -> (Map<String, Value>, BTreeMap<String, String>) {
    let mut definitions = schemas.answers.take_definitions(true);
    let requests = schemas.requests.take_definitions(true);
    // A schema differs, too, if one that it refers to does; so look until nothing changes.
    let mut renamed: BTreeMap<String, String> = BTreeMap::new();
    loop {
        let differs = |(name, schema): &(&String, &Value)| {
            let mut schema = (*schema).clone();
            rename(&mut schema, &renamed);
            !renamed.contains_key(*name) && definitions.get(*name).is_some_and(|answered| *answered != schema)
        };
        let new: Vec<String> = requests.iter().filter(differs).map(|(name, _)| name.clone()).collect();
        if new.is_empty() {
            break;
        }
        renamed.extend(new.into_iter().map(|name| (name.clone(), format!("{name}Input"))));
    }
    for (name, mut schema) in requests {
        rename(&mut schema, &renamed);
        definitions.insert(renamed.get(&name).cloned().unwrap_or(name), schema);
    }
    definitions.insert(PROBLEM_SCHEMA.to_owned(), problem_schema());
    definitions.insert(PROBLEM_TYPE_SCHEMA.to_owned(), problem_type_schema());
    (definitions, renamed)
}

/// Rewrite every reference to a schema that has a new name.
pub(super) fn rename(value: &mut Value, renamed: &BTreeMap<String, String>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, renamed)),
        Value::Object(object) => {
            for (key, value) in object {
                let new = (key == "$ref").then(|| renamed.get(value.as_str()?.strip_prefix(SCHEMAS)?)).flatten();
                match new {
                    Some(new) => *value = json!(format!("{SCHEMAS}{new}")),
                    None => rename(value, renamed),
                }
            }
        }
        _ => {}
    }
}
