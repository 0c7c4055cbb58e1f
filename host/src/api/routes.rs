//! Registering routes. One call puts a handler behind a path *and* into the API's
//! description, so there is no route without a description and none without a policy: the
//! policy is the type of the handler's first argument, which lets the request pass or
//! refuses it before anything else is looked at.
//!
//! ```
//! use chatport_host::api::{answer::NoContent, operation::Operation, problem::Problem, routes::{About, Api, Public}};
//!
//! async fn ping(_: Public) -> Result<NoContent, Problem> {
//!     Ok(NoContent)
//! }
//!
//! let (router, outline) = Api::<()>::new(About::new("Example", "1.0", "An example."))
//!     .tag("Health", "Whether it runs.")
//!     .route(Operation::get("/ping", "ping", "Ask for a sign of life").tag("Health"), ping)
//!     .finish();
//! assert_eq!(outline.describe()["paths"]["/ping"]["get"]["operationId"], "ping");
//! # let _: axum::Router = router;
//! ```
//!
//! A handler that names no policy doesn't compile:
//!
//! ```compile_fail,E0277
//! use chatport_host::api::{answer::NoContent, operation::Operation, problem::Problem, routes::{About, Api}};
//!
//! async fn ping() -> Result<NoContent, Problem> {
//!     Ok(NoContent)
//! }
//!
//! Api::<()>::new(About::new("Example", "1.0", "An example."))
//!     .route(Operation::get("/ping", "ping", "Ask for a sign of life"), ping);
//! ```
//!
//! Nor does one whose first argument is something else:
//!
//! ```compile_fail,E0277
//! use chatport_host::api::{answer::NoContent, operation::Operation, problem::Problem, routes::{About, Api, Public}};
//! use http::HeaderMap;
//!
//! async fn ping(_: HeaderMap, _: Public) -> Result<NoContent, Problem> {
//!     Ok(NoContent)
//! }
//!
//! Api::<()>::new(About::new("Example", "1.0", "An example."))
//!     .route(Operation::get("/ping", "ping", "Ask for a sign of life"), ping);
//! ```

use std::{convert::Infallible, sync::Arc};

use axum::{
    Router,
    extract::{FromRequestParts, Request},
    handler::Handler,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{MethodRouter, any, delete, get, patch, post, put},
};
use http::{HeaderValue, header, request::Parts};
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use super::{
    answer::Answer,
    docs,
    extract::Argument,
    openapi,
    operation::{Description, Method, Operation, Schemas, Tell},
    problem::{Problem, ProblemType},
    problem_types as types,
};

/// Who may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Everybody.
    Public,
    /// An application whose API key has this scope.
    ApiKey(&'static str),
    /// A chat platform; the backend verifies the request.
    PlatformIngress,
}

/// The first argument of every handler: an extractor that lets only those pass who may.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no policy",
    label = "the first argument of a handler must be its policy",
    note = "`Public` lets everybody pass"
)]
pub trait Policy {
    /// Who may pass.
    const SECURITY: Security;
    /// How it refuses the others.
    const PROBLEMS: &'static [ProblemType];
}

/// Lets everybody pass.
#[derive(Clone, Copy, Debug)]
pub struct Public;

/// Lets everybody pass, since only the backend can verify what its platform sends.
#[derive(Clone, Copy, Debug)]
pub struct PlatformIngress;

impl Policy for Public {
    const SECURITY: Security = Security::Public;
    const PROBLEMS: &'static [ProblemType] = &[];
}

impl Policy for PlatformIngress {
    const SECURITY: Security = Security::PlatformIngress;
    const PROBLEMS: &'static [ProblemType] = &[];
}

impl<S: Sync> FromRequestParts<S> for Public {
    type Rejection = Infallible;
    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

impl<S: Sync> FromRequestParts<S> for PlatformIngress {
    type Rejection = Infallible;
    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

/// A handler whose first argument is its policy and whose other arguments and answer can be
/// described. Implemented for async functions of up to six arguments.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a handler of the API",
    note = "a handler is an async function: its first argument is its policy (e.g. `Public`), the others implement \
            `Argument`, and it gives back an `Answer`, usually `Result<Json<T>, Problem>`"
)]
pub trait Endpoint<T, S>: Handler<T, S> {
    /// Tell what the types say.
    fn describe(description: &mut Description<'_>);
}

macro_rules! endpoints {
    ($(($($argument:ident),*))*) => {$(
        impl<F, Fut, S, Given, Mode, P, $($argument),*> Endpoint<(Mode, P, $($argument,)*), S> for F
        where
            F: Handler<(Mode, P, $($argument,)*), S> + FnOnce(P, $($argument),*) -> Fut,
            Fut: Future<Output = Given>,
            P: Policy,
            Given: Answer,
            $($argument: Argument,)*
        {
            fn describe(description: &mut Description<'_>) {
                description.security = P::SECURITY;
                description.problems = P::PROBLEMS;
                $($argument::describe(description);)*
                Given::describe(description);
            }
        }
    )*};
}

endpoints! { () (A) (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) }

/// What the description says about the API as a whole.
#[derive(Clone, Debug)]
pub struct About {
    pub(super) title: String,
    pub(super) version: String,
    pub(super) description: String,
}

impl About {
    /// Title, version and a description in CommonMark.
    pub fn new(title: impl Into<String>, version: impl Into<String>, description: impl Into<String>) -> Self {
        Self { title: title.into(), version: version.into(), description: description.into() }
    }
}

/// An event that the application hears, as the description shows it.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
    pub(super) schema: fn(&mut Schemas) -> Schema,
    pub(super) reply: Option<fn(&mut Schemas) -> Schema>,
}

/// What there is to describe of an API. The description takes some megabytes to make, so it is
/// made when somebody asks for it.
#[derive(Debug)]
pub struct Outline {
    pub(super) about: About,
    pub(super) tags: Vec<(&'static str, &'static str)>,
    pub(super) parameters: Vec<(&'static str, &'static str)>,
    pub(super) operations: Vec<(Operation, Tell)>,
    pub(super) events: Vec<Event>,
}

impl Outline {
    /// The description in OpenAPI 3.1.
    pub fn describe(&self) -> Value {
        openapi::document(self)
    }
}

/// An API in the making: routes and their description, over a state `S`.
#[derive(Debug)]
pub struct Api<S> {
    router: Router<S>,
    outline: Outline,
}

impl<S: Clone + Send + Sync + 'static> Api<S> {
    /// An API without routes.
    pub fn new(about: About) -> Self {
        let (tags, parameters, operations, events) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { router: Router::new(), outline: Outline { about, tags, parameters, operations, events } }
    }

    /// A group of operations, in the order of the documentation.
    pub fn tag(mut self, name: &'static str, description: &'static str) -> Self {
        self.outline.tags.push((name, description));
        self
    }

    /// What the part of paths with this name is.
    pub fn parameter(mut self, name: &'static str, description: &'static str) -> Self {
        self.outline.parameters.push((name, description));
        self
    }

    /// Put a handler behind its path and into the description.
    pub fn route<T, H>(mut self, operation: Operation, handler: H) -> Self
    where
        H: Endpoint<T, S>,
        T: 'static,
    {
        let path = operation.path;
        let method = method_router(operation.method, handler);
        self.outline.operations.push((operation, H::describe));
        self.router = self.router.route(path, method);
        self
    }

    /// Describe an event that the application hears, sent as a signed webhook.
    pub fn event<T: JsonSchema>(mut self, name: &'static str, summary: &'static str) -> Self {
        self.outline.events.push(Event { name, summary, schema: Schemas::answer::<T>, reply: None });
        self
    }

    /// Describe an event that the application can answer at once.
    pub fn answered_event<T: JsonSchema, R: JsonSchema>(mut self, name: &'static str, summary: &'static str) -> Self {
        let reply: fn(&mut Schemas) -> Schema = Schemas::request::<R>;
        self.outline.events.push(Event { name, summary, schema: Schemas::answer::<T>, reply: Some(reply) });
        self
    }

    /// The routes, with documentation and with problems where nothing fits, and what there is to
    /// describe.
    pub fn finish(mut self) -> (Router<S>, Arc<Outline>) {
        self = self
            .tag(docs::TAG, "What this API is and how it says that something is wrong.")
            .parameter("slug", "The end of a problem's `type`.");
        for operation in docs::operations() {
            self.outline.operations.push((operation, |description| description.security = Security::Public));
        }
        let outline = Arc::new(self.outline);
        let router = self
            .router
            .merge(docs::router(Arc::clone(&outline)))
            .fallback(|| async { Problem::new(types::ROUTE_NOT_FOUND) })
            .method_not_allowed_fallback(|| async { Problem::new(types::METHOD_NOT_ALLOWED) })
            .layer(middleware::from_fn(not_stored));
        (router, outline)
    }
}

fn method_router<T, H, S>(method: Method, handler: H) -> MethodRouter<S>
where
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    match method {
        Method::Get => get(handler),
        Method::Put => put(handler),
        Method::Post => post(handler),
        Method::Patch => patch(handler),
        Method::Delete => delete(handler),
        Method::Any => any(handler),
    }
}

/// Answers belong to who asked; only what says otherwise may be kept on the way.
async fn not_stored(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await.into_response();
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests;
