//! What the API's description says about one operation. The words are written where the
//! route is registered; parameters, bodies, answers and the policy are taken from the
//! handler's types, so they can't say anything else than what the code does.

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};

use super::{problem::ProblemType, routes::Security};

/// One operation, in words. [`Api::route`](super::routes::Api::route) takes the rest from
/// the handler.
#[derive(Clone, Debug)]
pub struct Operation {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) description: &'static str,
    pub(super) tag: &'static str,
    pub(super) problems: Vec<ProblemType>,
    pub(super) words: Vec<(u16, &'static str)>,
    pub(super) media: Vec<(u16, &'static str, &'static str)>,
}

/// The methods that an operation can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Create or change, by the caller's own key.
    Put,
    /// Do.
    Post,
    /// Change a part.
    Patch,
    /// Remove.
    Delete,
    /// All: for what platforms call. OpenAPI has no word for it, so it stands under `post`.
    Any,
}

impl Operation {
    /// An operation: `path` as for axum, e.g. `/v1/organizations/{org}`; `id` unique in the
    /// API and in camelCase; `summary` a few words without a full stop.
    pub fn new(method: Method, path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self {
            method,
            path,
            id,
            summary,
            description: "",
            tag: "",
            problems: Vec::new(),
            words: Vec::new(),
            media: Vec::new(),
        }
    }

    /// A `GET`.
    pub fn get(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Method::Get, path, id, summary)
    }

    /// A `PUT`.
    pub fn put(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Method::Put, path, id, summary)
    }

    /// A `POST`.
    pub fn post(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Method::Post, path, id, summary)
    }

    /// A `PATCH`.
    pub fn patch(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Method::Patch, path, id, summary)
    }

    /// A `DELETE`.
    pub fn delete(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Method::Delete, path, id, summary)
    }

    /// Every method.
    pub fn any(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Method::Any, path, id, summary)
    }

    /// The group that it stands in.
    pub fn tag(mut self, tag: &'static str) -> Self {
        self.tag = tag;
        self
    }

    /// What it does, in CommonMark.
    pub fn about(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    /// Kinds of problem that it answers with, besides those that follow from its types.
    pub fn problems(mut self, kinds: &[ProblemType]) -> Self {
        self.problems.extend_from_slice(kinds);
        self
    }

    /// What its answer with this status means.
    pub fn says(mut self, status: u16, words: &'static str) -> Self {
        self.words.push((status, words));
        self
    }

    /// An answer that isn't JSON: for handlers that return a plain `Response`.
    pub fn medium(mut self, status: u16, media_type: &'static str, words: &'static str) -> Self {
        self.media.push((status, media_type, words));
        self
    }
}

/// Tells what a handler's types say.
pub(super) type Tell = fn(&mut Description<'_>);

/// What a handler's types say.
#[derive(Debug)]
pub struct Description<'a> {
    pub(super) schemas: &'a mut Schemas,
    pub(super) security: Security,
    pub(super) problems: &'static [ProblemType],
    pub(super) path: Option<Schema>,
    pub(super) query: Option<Schema>,
    pub(super) body: Option<Schema>,
    pub(super) answers: Vec<(u16, Option<Schema>)>,
}

impl Description<'_> {
    /// The handler takes parts of the path as `T`.
    pub fn path<T: JsonSchema>(&mut self) {
        self.path = Some(T::json_schema(&mut self.schemas.requests));
    }

    /// The handler takes the query as `T`.
    pub fn query<T: JsonSchema>(&mut self) {
        self.query = Some(T::json_schema(&mut self.schemas.requests));
    }

    /// The handler takes a JSON body as `T`.
    pub fn body<T: JsonSchema>(&mut self) {
        self.body = Some(self.schemas.request::<T>());
    }

    /// The handler answers with this status and `T` as JSON.
    pub fn answer<T: JsonSchema>(&mut self, status: u16) {
        self.answers.push((status, Some(self.schemas.answer::<T>())));
    }

    /// The handler answers with this status and nothing else.
    pub fn empty_answer(&mut self, status: u16) {
        self.answers.push((status, None));
    }
}

/// The schemas of all types: what may be sent and what is answered differ, e.g. in what is
/// required.
#[derive(Debug)]
pub(super) struct Schemas {
    pub(super) requests: SchemaGenerator,
    pub(super) answers: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Self {
            requests: settings.clone().for_deserialize().into_generator(),
            answers: settings.for_serialize().into_generator(),
        }
    }

    /// The schema of what may be sent as `T`.
    pub(super) fn request<T: JsonSchema>(&mut self) -> Schema {
        self.requests.subschema_for::<T>()
    }

    /// The schema of what is answered as `T`.
    pub(super) fn answer<T: JsonSchema>(&mut self) -> Schema {
        self.answers.subschema_for::<T>()
    }
}
