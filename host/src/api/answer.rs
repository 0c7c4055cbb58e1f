//! What handlers give back. The type says status and schema, for the caller and for the
//! API's description alike.

use axum::{
    Json as AxumJson,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::{extract::Json, operation::Description, problem::Problem};

/// Something that a handler may give back.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no answer that the API's description knows",
    note = "give back `Result<A, Problem>` where A is Json, Created, Accepted, NoContent or Either, or a plain Response \
            with `.medium(…)` in the operation"
)]
pub trait Answer: IntoResponse {
    /// Tell status and schema.
    fn describe(description: &mut Description<'_>);
}

/// `T` as JSON, with a status.
#[derive(Clone, Debug)]
pub struct Answered<T, const STATUS: u16>(pub T);

/// 201 with the new thing.
pub type Created<T> = Answered<T, 201>;
/// 202: it is on disk and will be done.
pub type Accepted<T> = Answered<T, 202>;

/// 204.
#[derive(Clone, Copy, Debug)]
pub struct NoContent;

/// One of two answers.
#[derive(Clone, Debug)]
pub enum Either<A, B> {
    /// The one.
    One(A),
    /// The other.
    Other(B),
}

impl<T: Serialize, const STATUS: u16> IntoResponse for Answered<T, STATUS> {
    fn into_response(self) -> Response {
        const { assert!(STATUS >= 200 && STATUS < 300) }
        (StatusCode::from_u16(STATUS).unwrap_or_default(), AxumJson(self.0)).into_response()
    }
}

impl<T: Serialize + JsonSchema, const STATUS: u16> Answer for Answered<T, STATUS> {
    fn describe(description: &mut Description<'_>) {
        description.answer::<T>(STATUS);
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        AxumJson(self.0).into_response()
    }
}

impl<T: Serialize + JsonSchema> Answer for Json<T> {
    fn describe(description: &mut Description<'_>) {
        description.answer::<T>(200);
    }
}

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

impl Answer for NoContent {
    fn describe(description: &mut Description<'_>) {
        description.empty_answer(204);
    }
}

impl<A: IntoResponse, B: IntoResponse> IntoResponse for Either<A, B> {
    fn into_response(self) -> Response {
        match self {
            Self::One(answer) => answer.into_response(),
            Self::Other(answer) => answer.into_response(),
        }
    }
}

impl<A: Answer, B: Answer> Answer for Either<A, B> {
    fn describe(description: &mut Description<'_>) {
        A::describe(description);
        B::describe(description);
    }
}

impl<A: Answer> Answer for Result<A, Problem> {
    fn describe(description: &mut Description<'_>) {
        A::describe(description);
    }
}

/// Pages, streams and other texts; `Operation::medium` says what they are.
impl Answer for Response {
    fn describe(_: &mut Description<'_>) {}
}
