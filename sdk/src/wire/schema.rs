//! The JSON Schemas of all methods, as one document.

use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{Answer, Call, Method, calls};
use crate::descriptor::CONTRACT_LEVEL;

/// Is shown every method.
pub(super) trait Visit {
    fn method<M: Method>(&mut self, description: &str);
}

struct Collector {
    generator: SchemaGenerator,
    methods: Map<String, Value>,
}

impl Visit for Collector {
    fn method<M: Method>(&mut self, description: &str) {
        let arguments = self.generator.subschema_for::<M::Arguments>();
        let result = self.generator.subschema_for::<M::Result>();
        let method = json!({ "description": description.trim(), "arguments": arguments, "result": result });
        self.methods.insert(M::NAME.to_owned(), method);
    }
}

/// The document: `call` and `answer` are the bodies of every request and answer; `methods` has,
/// by name, what stands in `arguments` of the one and in `result` of the other; `$defs` what
/// they refer to.
pub fn document() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let call = generator.subschema_for::<Call<Value>>();
    let answer = generator.subschema_for::<Answer<Value>>();
    let mut collector = Collector { generator, methods: Map::new() };
    calls::each_method(&mut collector);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("Chatport's contract with remote backends, level {CONTRACT_LEVEL}"),
        "call": call,
        "answer": answer,
        "methods": collector.methods,
        "$defs": collector.generator.take_definitions(true),
    })
}
